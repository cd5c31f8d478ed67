//! The owner's side of the socket: accepts connections and gives each a thread.

use super::frame::answer_greeting;
use super::session;
use super::socket::{SOCKET, SocketPath};
use crate::LogError;
use crate::embedded::engine::Shared;
use std::collections::BTreeMap;
use std::fs;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// Connections at one time; one more is told to try again.
const CONNECTIONS_MAX: usize = 32;
/// How long a stranger may take to say hello.
const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves a log to other processes until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    dir: PathBuf,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    stopping: AtomicBool,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    count: u64,
    open: BTreeMap<u64, (UnixStream, JoinHandle<()>)>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Serves `shared` through the socket in its directory.
    pub(crate) fn start(dir: &Path, shared: &Arc<Shared>) -> Result<Self, LogError> {
        let failed = |error: std::io::Error| {
            LogError::Client(format!("can't serve the log in {}: {error}", dir.display()))
        };
        // Of a process that was killed: the lock is ours, so nobody listens there.
        let _ = fs::remove_file(dir.join(SOCKET));
        let address = SocketPath::of(dir).map_err(failed)?;
        let listener = UnixListener::bind(address.path()).map_err(failed)?;
        fs::set_permissions(dir.join(SOCKET), fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let state = Arc::new(State::default());
        let thread = std::thread::Builder::new().name("millstream-serve".to_owned());
        // Weak: where it can't be woken to end, it must not keep the log.
        let (of_thread, log) = (Arc::clone(&state), Arc::downgrade(shared));
        let acceptor = thread.spawn(move || accept(&listener, &of_thread, &log)).map_err(failed)?;
        Ok(Server { dir: dir.to_owned(), state, acceptor: Some(acceptor) })
    }
}

fn accept(listener: &UnixListener, state: &Arc<State>, log: &Weak<Shared>) {
    for stream in listener.incoming() {
        if state.stopping.load(Ordering::Acquire) {
            return;
        }
        let Some(shared) = log.upgrade() else { return };
        match stream {
            Ok(stream) => open(stream, state, shared),
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection to the log");
                // Out of descriptors, most likely: not again at once.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Gives a connection its thread.
fn open(stream: UnixStream, state: &Arc<State>, shared: Arc<Shared>) {
    let mut connections = state.lock();
    let busy = connections.open.len() >= CONNECTIONS_MAX;
    connections.count += 1;
    let number = connections.count;
    let of_thread = Arc::clone(state);
    let handle = stream.try_clone().and_then(|handle| {
        let thread = std::thread::Builder::new().name("millstream-client".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = serve(stream, &shared, busy) {
                tracing::debug!(%error, "a connection to the log ended");
            }
            // Its own handle goes too; nobody joins a thread that has ended by itself.
            of_thread.lock().open.remove(&number);
        })?;
        Ok((handle, thread))
    });
    match handle {
        // The thread may have ended already, and waits for the lock to forget itself.
        Ok(handle) => drop(connections.open.insert(number, handle)),
        Err(error) => tracing::warn!(%error, "can't serve a connection to the log"),
    }
}

fn serve(mut stream: UnixStream, shared: &Arc<Shared>, busy: bool) -> std::io::Result<()> {
    stream.set_read_timeout(Some(GREETING_TIMEOUT))?;
    if !answer_greeting(&mut stream, busy)? {
        return Ok(());
    }
    stream.set_read_timeout(None)?;
    session::run(&mut stream, shared)
}

impl Drop for Server {
    /// Ends all connections, and waits for their threads. Readers that wait have to be woken before.
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Release);
        // The acceptor wakes for a connection, this one.
        let woken = SocketPath::of(&self.dir).and_then(|address| UnixStream::connect(address.path()));
        if let (Ok(_), Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
        let _ = fs::remove_file(self.dir.join(SOCKET));
        let open = std::mem::take(&mut self.state.lock().open);
        for (stream, _) in open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        for (_, thread) in open.into_values() {
            let _ = thread.join();
        }
    }
}
