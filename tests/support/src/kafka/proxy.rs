//! A proxy in front of a broker that cuts clients off and plays tricks on them, by their `client.id`.
//!
//! A paused client's bytes stay where they are, both ways: as far as the broker knows the client has fallen silent, as
//! far as the client knows the broker has. That is what a stopped process and a lost network look like. A request can be
//! held back and let go long after its connection is gone; an answer can come twice, late, or in part ([`Mischief`]).

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an answer that is to come late waits for the next one.
const LATE_MAX: Duration = Duration::from_millis(200);
/// How long a broker may take to answer a request that was held back.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// The proxy. It ends with the process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

/// What is done to one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// It comes twice.
    Twice,
    /// It comes after the one that follows, if there is one in a moment.
    Late,
    /// The connection ends after so many of its bytes, those of its length included.
    CutAfter(usize),
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
    mischief: HashMap<String, Mischief>,
    /// Of which kind the next request of a client is held back.
    to_hold: HashMap<String, i16>,
    held: HashMap<String, Held>,
    connections: u64,
    /// Answers by connection.
    answers: HashMap<u64, u64>,
}

/// A request that was held back, and where it goes.
#[derive(Debug)]
struct Held {
    connection: u64,
    broker: TcpStream,
    request: Vec<u8>,
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

    /// Does something to the next answer that a client gets.
    pub fn play(&self, client: &str, mischief: Mischief) {
        self.shared.lock().mischief.insert(client.to_owned(), mischief);
    }

    /// Whether that has not happened yet.
    pub fn is_waiting_to_play(&self, client: &str) -> bool {
        self.shared.lock().mischief.contains_key(client)
    }

    /// Holds back a client's next request of a kind, and whatever follows it on the same connection.
    pub fn hold(&self, client: &str, api_key: i16) {
        self.shared.lock().to_hold.insert(client.to_owned(), api_key);
    }

    /// Whether a request of a client is held back.
    pub fn is_holding(&self, client: &str) -> bool {
        self.shared.lock().held.contains_key(client)
    }

    /// Lets a request go that was held back, and waits until the broker has answered it. By now its client may be on
    /// another connection, and never hears of that.
    ///
    /// # Panics
    /// When there is none, or no answer.
    pub fn release(&self, client: &str) {
        let mut clients = self.shared.lock();
        let mut held = clients.held.remove(client).expect("a request that is held back");
        let before = clients.answers.get(&held.connection).copied();
        drop(clients);
        held.broker.write_all(&held.request).expect("the broker is still connected");
        let unanswered = |clients: &mut Clients| clients.answers.get(&held.connection).copied() == before;
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), ANSWER_MAX, unanswered);
        let timeout = waited.unwrap_or_else(PoisonError::into_inner).1;
        assert!(!timeout.timed_out(), "the broker does not answer what was held back");
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

    fn count_answer(&self, connection: u64) {
        *self.lock().answers.entry(connection).or_default() += 1;
        self.changed.notify_all();
    }
}

fn serve(client: TcpStream, broker: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut requests = client.try_clone()?;
    let (first, name) = read_first(&mut requests)?;
    if !shared.may_pass(&name) {
        return Ok(());
    }
    let broker = TcpStream::connect(broker)?;
    broker.set_nodelay(true)?;
    let connection = {
        let mut clients = shared.lock();
        clients.connections += 1;
        clients.connections
    };
    let way = Way { client, broker, name, connection, shared: Arc::clone(shared) };
    let back = way.try_clone()?;
    std::thread::spawn(move || {
        let _ = back.pass_answers();
        back.end();
    });
    let passed = way.pass_requests(first);
    // One that holds a request back outlives its client.
    if !matches!(passed, Ok(Passed::Held)) {
        way.end();
    }
    Ok(())
}

/// The first request of a connection, and the client's name in it: length, API key and version, correlation id, length of
/// the name, name.
fn read_first(client: &mut TcpStream) -> io::Result<(Vec<u8>, String)> {
    let request = read_frame(client)?;
    let length = request.get(12..14).map_or(0, |bytes| i16::from_be_bytes([bytes[0], bytes[1]]));
    let name = request.get(14..14 + usize::try_from(length).unwrap_or(0)).unwrap_or_default();
    let name = String::from_utf8_lossy(name).into_owned();
    Ok((request, name))
}

/// A request or an answer, its length included.
fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let size = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
    let mut frame = vec![0; 4 + size];
    frame[..4].copy_from_slice(&length);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}

enum Passed {
    Ended,
    Held,
}

/// One connection.
struct Way {
    client: TcpStream,
    broker: TcpStream,
    name: String,
    connection: u64,
    shared: Arc<Shared>,
}

impl Way {
    fn try_clone(&self) -> io::Result<Way> {
        let (client, broker) = (self.client.try_clone()?, self.broker.try_clone()?);
        let (name, shared) = (self.name.clone(), Arc::clone(&self.shared));
        Ok(Way { client, broker, name, connection: self.connection, shared })
    }

    fn end(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }

    fn pass_requests(&self, first: Vec<u8>) -> io::Result<Passed> {
        let (mut client, mut broker) = (&self.client, &self.broker);
        let mut request = first;
        loop {
            if !self.shared.may_pass(&self.name) {
                return Ok(Passed::Ended);
            }
            if self.is_to_be_held(&request) {
                let broker = self.broker.try_clone()?;
                let held = Held { connection: self.connection, broker, request };
                self.shared.lock().held.insert(self.name.clone(), held);
                // Until the client gives up.
                let _ = io::copy(&mut client, &mut io::sink());
                let _ = self.client.shutdown(Shutdown::Both);
                return Ok(Passed::Held);
            }
            broker.write_all(&request)?;
            request = read_frame(&mut self.client.try_clone()?)?;
        }
    }

    fn is_to_be_held(&self, request: &[u8]) -> bool {
        let key = request.get(4..6).map(|bytes| i16::from_be_bytes([bytes[0], bytes[1]]));
        let mut clients = self.shared.lock();
        let is_held = key.is_some() && clients.to_hold.get(&self.name).copied() == key;
        if is_held {
            clients.to_hold.remove(&self.name);
        }
        is_held
    }

    fn pass_answers(&self) -> io::Result<()> {
        let mut from = self.broker.try_clone()?;
        let (mut cuts, _) = self.shared.cuts(&self.name);
        let (mut answers_left, mut passed) = (None, 0);
        loop {
            let answer = read_frame(&mut from)?;
            self.shared.count_answer(self.connection);
            if !self.shared.may_pass(&self.name) {
                return Ok(());
            }
            let (count, answers) = self.shared.cuts(&self.name);
            if count != cuts {
                (cuts, answers_left) = (count, Some(answers));
            }
            if answers_left == Some(0) {
                return Ok(());
            }
            answers_left = answers_left.map(|left| left - 1);
            let mischief = self.shared.lock().mischief.remove(&self.name);
            let bytes = match mischief {
                None => answer,
                Some(Mischief::Twice) => [&answer[..], &answer].concat(),
                Some(Mischief::Late) => [next_soon(&mut from)?, answer].concat(),
                Some(Mischief::CutAfter(bytes)) => {
                    self.pass_to_client(&answer[..bytes.min(answer.len())], &mut passed)?;
                    return Ok(());
                }
            };
            self.pass_to_client(&bytes, &mut passed)?;
        }
    }

    /// Passes bytes to the client, as far as its limit goes: an error where that ends.
    fn pass_to_client(&self, bytes: &[u8], passed: &mut u64) -> io::Result<()> {
        let room = self.shared.room(&self.name, *passed, bytes.len());
        *passed += room as u64;
        (&self.client).write_all(&bytes[..room])?;
        if room < bytes.len() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// The next answer, if there is one in a moment; nothing otherwise.
fn next_soon(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    from.set_read_timeout(Some(LATE_MAX))?;
    let is_there = matches!(from.peek(&mut [0]), Ok(1));
    from.set_read_timeout(None)?;
    if is_there { read_frame(from) } else { Ok(Vec::new()) }
}
