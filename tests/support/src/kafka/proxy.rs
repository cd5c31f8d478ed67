//! A proxy in front of a broker that cuts clients off, by their `client.id`.
//!
//! A paused client's bytes stay where they are, both ways: as far as the broker knows the client has fallen silent, as
//! far as the client knows the broker has. That is what a stopped process and a lost network look like.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The proxy. It ends with the process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    clients: Mutex<Clients>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Clients {
    paused: HashSet<String>,
    dead: HashSet<String>,
    /// How often the connections of a client were cut, and after how many answers the last time.
    cuts: HashMap<String, (u64, u32)>,
    /// How many bytes a connection of a client may get before it is broken.
    limits: HashMap<String, u64>,
    /// The most bytes that one connection of a client has got.
    passed: HashMap<String, u64>,
}

impl Proxy {
    /// A proxy to a broker on a port of its own.
    ///
    /// # Errors
    /// When there is no port.
    pub fn to(broker: SocketAddr) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                // Broken connections are the clients' business.
                std::thread::spawn(move || serve(client, broker, &shared));
            }
        })?;
        Ok(Proxy { port, shared })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Holds back everything a client sends and gets, or lets it pass again.
    pub fn pause(&self, client: &str, paused: bool) {
        let mut clients = self.shared.lock();
        match paused {
            true => clients.paused.insert(client.to_owned()),
            false => clients.paused.remove(client),
        };
        self.shared.changed.notify_all();
    }

    /// Breaks the connections a client has, each when the broker answers something after so many answers more: what was
    /// asked has been done, and the client never hears of it. It can connect again.
    pub fn cut(&self, client: &str, answers: u32) {
        let mut clients = self.shared.lock();
        let (count, left) = clients.cuts.entry(client.to_owned()).or_default();
        (*count, *left) = (*count + 1, answers);
    }

    /// Breaks every connection of a client when it has got so many bytes: in the middle of an answer, it may be. Those
    /// that have got more already are left alone. `None` ends that.
    pub fn limit(&self, client: &str, bytes: Option<u64>) {
        let mut clients = self.shared.lock();
        match bytes {
            Some(bytes) => clients.limits.insert(client.to_owned(), bytes),
            None => clients.limits.remove(client),
        };
    }

    /// The most bytes that one connection of a client has got.
    pub fn passed(&self, client: &str) -> u64 {
        self.shared.lock().passed.get(client).copied().unwrap_or(0)
    }

    /// Cuts a client's connections, and any it makes from now on.
    pub fn kill(&self, client: &str) {
        self.shared.lock().dead.insert(client.to_owned());
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cuts(&self, client: &str) -> (u64, u32) {
        self.lock().cuts.get(client).copied().unwrap_or_default()
    }

    /// How many of the bytes that come next a connection may get, of which it has got `passed`.
    fn room(&self, client: &str, passed: u64, coming: usize) -> usize {
        let mut clients = self.lock();
        let limit = clients.limits.get(client).copied().filter(|limit| *limit >= passed);
        let room =
            limit.map_or(coming, |limit| usize::try_from(limit - passed).unwrap_or(coming).min(coming));
        let most = clients.passed.entry(client.to_owned()).or_default();
        *most = (*most).max(passed + room as u64);
        room
    }

    /// Waits until the client's bytes may pass; `false` when they never will.
    fn may_pass(&self, client: &str) -> bool {
        let blocked =
            |clients: &mut Clients| clients.paused.contains(client) && !clients.dead.contains(client);
        let clients = self.changed.wait_while(self.lock(), blocked).unwrap_or_else(PoisonError::into_inner);
        !clients.dead.contains(client)
    }
}

fn serve(mut client: TcpStream, broker: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (head, name) = read_head(&mut client)?;
    if !shared.may_pass(&name) {
        return Ok(());
    }
    let mut broker = TcpStream::connect(broker)?;
    broker.set_nodelay(true)?;
    broker.write_all(&head)?;
    let (from_broker, to_client) = (broker.try_clone()?, client.try_clone()?);
    let (of_thread, name_of_thread) = (Arc::clone(shared), name.clone());
    let (mut cuts, _) = shared.cuts(&name);
    let mut answers_left = None;
    std::thread::spawn(move || {
        let mut is_whole = || {
            let (count, answers) = of_thread.cuts(&name_of_thread);
            if count != cuts {
                (cuts, answers_left) = (count, Some(answers));
            }
            let is_whole = answers_left != Some(0);
            answers_left = answers_left.map(|left| left.saturating_sub(1));
            is_whole
        };
        let mut passed = 0;
        copy(from_broker, to_client, &name_of_thread, &of_thread, |coming| {
            let room = if is_whole() { of_thread.room(&name_of_thread, passed, coming) } else { 0 };
            passed += room as u64;
            room
        });
    });
    copy(client, broker, &name, shared, |coming| coming);
    Ok(())
}

/// The beginning of a connection's first request up to the client's name, and the name: length, API key and version,
/// correlation id, length of the name, name.
fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, String)> {
    let mut head = vec![0; 14];
    client.read_exact(&mut head)?;
    let length = usize::try_from(i16::from_be_bytes([head[12], head[13]])).unwrap_or(0);
    let mut name = vec![0; length];
    client.read_exact(&mut name)?;
    head.extend_from_slice(&name);
    Ok((head, String::from_utf8_lossy(&name).into_owned()))
}

fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    client: &str,
    shared: &Shared,
    mut room: impl FnMut(usize) -> usize,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !shared.may_pass(client) {
            break;
        }
        let room = room(length);
        if to.write_all(&buffer[..room]).is_err() || room < length {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
