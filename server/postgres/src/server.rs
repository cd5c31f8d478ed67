//! The server: a thread that lets clients in, so many at once.

use crate::error::Trouble;
use crate::io::{Lost, Wire};
use crate::scram::Doors;
use crate::session::Session;
use crate::startup::{Opened, open};
use crate::{Backend, Role};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// How many connections there are at once.
const CONNECTIONS_MAX: usize = 64;
/// How many questions are answered at once; others wait for their turn.
const QUESTIONS_MAX: usize = 4;
/// What answers that have not been fetched whole may take together, in KiB.
const ANSWERS_KIB_MAX: usize = 256 << 10;
/// The shortest password, in characters.
const PASSWORD_MIN: usize = 16;
/// How long a client may take until it is let in.
const STARTUP_MAX: Duration = Duration::from_secs(20);

/// How the server listens.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where. Port 0 takes any that is free.
    pub address: SocketAddr,
    /// The password with which everything can be done. Without one it listens on the loopback interface only.
    pub password: Option<String>,
    /// Another password, for who reads.
    pub read_password: Option<String>,
    /// The certificate and key by which it speaks TLS; clients that do not are then not let in.
    pub tls: Option<Arc<ServerConfig>>,
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |password: &Option<String>| password.as_ref().map(|_| "***");
        f.debug_struct("PostgresOptions")
            .field("address", &self.address)
            .field("password", &hidden(&self.password))
            .field("read_password", &hidden(&self.read_password))
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// Why the server can't be started. Says what to do instead.
#[derive(Debug)]
pub enum PostgresError {
    /// It would be open to other machines without a password.
    Open(SocketAddr),
    /// A password is too short to keep anybody out.
    Password,
    /// Who reads would need a password, and who operates would not; or both have the same.
    Roles,
    /// The address can't be listened on, or the machine lacks something.
    Listen(SocketAddr, String),
}

impl std::fmt::Display for PostgresError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PostgresError::Open(address) => write!(
                f,
                "clients of PostgreSQL on other machines would be let in at {address} without a password; give the server a \
                 token, or an address of this machine as 127.0.0.1:{}",
                address.port()
            ),
            PostgresError::Password => {
                write!(
                    f,
                    "the token that is the password of clients of PostgreSQL is shorter than 16 characters"
                )
            }
            PostgresError::Roles => {
                write!(f, "a token for readers needs another one for operators beside it")
            }
            PostgresError::Listen(address, error) => write!(
                f,
                "clients of PostgreSQL can't be listened for on {address}: {error}; choose another address, or port 0"
            ),
        }
    }
}

impl std::error::Error for PostgresError {}

/// What connections share.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    /// Who may come in, where not everybody may.
    pub(crate) doors: Option<Doors>,
    /// What speaks TLS, where only those who do are let in.
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) questions: Arc<Semaphore>,
    /// A permit is a KiB of an answer.
    pub(crate) answers: Arc<Semaphore>,
    /// What connections are doing, by their numbers: a secret, and what ends it.
    running: Mutex<BTreeMap<u32, (u32, Arc<AtomicBool>)>>,
    next: AtomicU32,
}

/// A connection's place among those whose questions can be ended from another.
pub(crate) struct Place {
    pub(crate) process: u32,
    pub(crate) secret: u32,
    pub(crate) cancelled: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whatever it was doing, nobody waits for it.
        self.cancelled.store(true, Ordering::Relaxed);
        self.shared.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.process);
    }
}

impl Shared {
    pub(crate) fn new(backend: Arc<dyn Backend>, doors: Option<Doors>, tls: Option<TlsAcceptor>) -> Self {
        Shared {
            backend,
            doors,
            tls,
            questions: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            answers: Arc::new(Semaphore::new(ANSWERS_KIB_MAX)),
            running: Mutex::default(),
            next: AtomicU32::new(1),
        }
    }

    pub(crate) fn place(self: &Arc<Self>) -> Result<Place, Trouble> {
        use ring::rand::SecureRandom;
        let mut secret = [0; 4];
        let filled = ring::rand::SystemRandom::new().fill(&mut secret);
        filled.map_err(|_| Trouble::fatal("58000", "there is no randomness"))?;
        let process = self.next.fetch_add(1, Ordering::Relaxed);
        let secret = u32::from_be_bytes(secret);
        let cancelled = Arc::new(AtomicBool::new(false));
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(process, (secret, Arc::clone(&cancelled)));
        Ok(Place { process, secret, cancelled, shared: Arc::clone(self) })
    }

    /// Ends what another connection is doing, for who knows its secret.
    pub(crate) fn cancel(&self, process: u32, secret: u32) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cancelled)) = running.get(&process).filter(|(known, _)| *known == secret) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}

/// A server on a thread of its own. It ends when it is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl PostgresServer {
    /// Starts a server in front of `backend`.
    ///
    /// # Errors
    /// [`PostgresError`]: nothing was started.
    pub fn start(backend: Arc<dyn Backend>, options: &PostgresOptions) -> Result<Self, PostgresError> {
        let address = options.address;
        if options.password.is_none() && !address.ip().is_loopback() {
            return Err(PostgresError::Open(address));
        }
        let mut passwords = options.password.iter().chain(&options.read_password);
        if passwords.any(|password| password.chars().count() < PASSWORD_MIN) {
            return Err(PostgresError::Password);
        }
        if options.read_password.is_some()
            && (options.password.is_none() || options.password == options.read_password)
        {
            return Err(PostgresError::Roles);
        }
        let failed = |error: std::io::Error| PostgresError::Listen(address, error.to_string());
        let operators = options.password.as_deref().map(|password| (Role::Operate, password));
        let readers = options.read_password.as_deref().map(|password| (Role::Read, password));
        let passwords: Vec<(Role, &str)> = operators.into_iter().chain(readers).collect();
        let doors = match passwords.is_empty() {
            true => None,
            false => Some(
                Doors::new(&passwords).map_err(|trouble| PostgresError::Listen(address, trouble.message))?,
            ),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared::new(backend, doors, options.tls.clone().map(TlsAcceptor::from)));
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = listen(listener, shared) => {}
                    _ = ended => {}
                }
            });
            // A question that is being answered on a thread of its own does not hold the process back.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("millstream-postgres".to_owned()).spawn(serve);
        Ok(PostgresServer { address: bound, end: Some(end), thread: Some(thread.map_err(failed)?) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A connection that panicked has ended by itself.
            let _ = thread.join();
        }
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, as a rule: it passes.
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // What is asked and answered is small: it is not to wait for more.
        let _ = stream.set_nodelay(true);
        let mut wire = Wire::new(Box::new(stream));
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => drop(tokio::spawn(attend(wire, Arc::clone(&shared), place))),
            Err(_) => {
                let trouble = Trouble::fatal(
                    "53300",
                    format!("there are {CONNECTIONS_MAX} connections, and no more are let in"),
                );
                drop(tokio::spawn(async move { wire.end(Lost::Told(trouble)).await }));
            }
        }
    }
}

/// A connection from its first byte to its last.
pub(crate) async fn attend(wire: Wire, shared: Arc<Shared>, _place: OwnedSemaphorePermit) {
    let opened = tokio::time::timeout(STARTUP_MAX, open(wire, Arc::clone(&shared))).await;
    let Ok(Some(opened)) = opened else { return };
    let Opened { wire, database, user, role, settings, place } = opened;
    tracing::debug!(process = place.process, database, user, ?role, "a client of PostgreSQL is let in");
    Session::new(wire, shared, database, user, settings, place).serve().await;
}
