//! The broker's process.
//!
//! A shell stands between the owner and the broker: it leaves a watcher behind and becomes the broker. The watcher
//! reads from a pipe whose other end only the owner holds; when the owner is gone, however it went, the read ends and
//! the watcher kills the broker.

use super::properties::{LOGGING, Ports, Role, properties};
use super::proxy::Proxy;
use super::{available, fetch, java};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a broker may take until it answers.
const START_MAX: Duration = Duration::from_secs(90);
/// Leaves a watcher behind that kills this process when standard input ends, and becomes the command.
const WATCHED: &str =
    r#"exec 3<&0; { cat <&3 >/dev/null; kill -9 $$; } 2>/dev/null & exec "$@" </dev/null 3<&-"#;
/// Removes a directory when standard input ends, once its user has been killed.
const JANITOR: &str = r#"cat >/dev/null; sleep 1; rm -rf -- "$1""#;

/// How a broker is set up.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Heap of the broker, megabytes.
    pub heap_mb: u32,
    /// Feature levels other than the release's own, as `transaction.version=1`.
    pub features: Vec<String>,
    /// Settings of the broker beside the usual, as `name=value`.
    pub properties: Vec<String>,
    /// Listeners beside the usual, as name and security protocol: `("SECURE", "SASL_SSL")`.
    pub listeners: Vec<(String, String)>,
    /// Users that log in by SCRAM, as `SCRAM-SHA-256=[name=me,password=hush]`.
    pub scram_users: Vec<String>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        BrokerOptions {
            heap_mb: 320,
            features: Vec::new(),
            properties: Vec::new(),
            listeners: Vec::new(),
            scram_users: Vec::new(),
        }
    }
}

/// A running broker, and the directory it keeps its data in.
#[derive(Debug)]
pub struct Broker {
    dir: PathBuf,
    jars: PathBuf,
    heap_mb: u32,
    cluster_id: String,
    ports: Ports,
    proxy: Proxy,
    running: Mutex<Option<Running>>,
    /// Removes the directory when this process ends without having done so.
    janitor: Child,
}

#[derive(Debug)]
struct Running {
    broker: Child,
    /// Held so that the watcher sees it close.
    owner: Option<ChildStdin>,
}

impl Broker {
    /// Starts a broker on an empty directory; `None` where there is no Java or no Kafka.
    ///
    /// # Panics
    /// When a broker can't be started although everything is there; with `CI=true` also when it is not.
    pub fn start(options: &BrokerOptions) -> Option<Broker> {
        Broker::start_as(options, 1, None)
    }

    /// Starts another broker of this one's cluster, under a number that no other has. It needs this one as controller.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn join(&self, node: u32, options: &BrokerOptions) -> Broker {
        Broker::start_as(options, node, Some(self)).expect("what the first broker needed as well")
    }

    fn start_as(options: &BrokerOptions, node: u32, first: Option<&Broker>) -> Option<Broker> {
        let jars = available(java::look().and_then(|()| fetch::jars()))?;
        let dir =
            tempfile::Builder::new().prefix("millstream-kafka-").tempdir().expect("a temporary directory");
        let dir = dir.keep();
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "sh"])
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");

        let mut free = free_ports(3 + options.listeners.len()).into_iter();
        let mut port = || free.next().expect("as many as were asked for");
        let (broker, controller, proxied) = (port(), port(), port());
        let controller = first.map_or(controller, |first| first.ports.controller);
        let proxy = Proxy::to(SocketAddr::from((Ipv4Addr::LOCALHOST, proxied))).expect("a loopback port");
        let listeners = options.listeners.iter().map(|(name, _)| (name.clone(), port())).collect();
        let ports = Ports { broker, controller, proxied, proxy: proxy.port(), listeners };
        let role = Role { node, is_controller: first.is_none() };
        fs::write(dir.join("server.properties"), properties(&dir, &role, &ports, options))
            .expect("a setting");
        fs::write(dir.join("log4j2.properties"), LOGGING).expect("a setting");
        let (heap_mb, running) = (options.heap_mb, Mutex::new(None));
        let cluster_id = first.map_or_else(cluster_id, |first| first.cluster_id.clone());
        let broker = Broker { dir, jars, heap_mb, cluster_id, ports, proxy, running, janitor };
        broker.format(options);
        broker.restart();
        Some(broker)
    }

    /// Where clients reach it.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.broker)
    }

    /// Where clients reach a listener of [`BrokerOptions::listeners`].
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn bootstrap_at(&self, listener: &str) -> String {
        let found = self.ports.listeners.iter().find(|(name, _)| name == listener);
        format!("127.0.0.1:{}", found.expect("a listener of that name").1)
    }

    /// Where clients reach it that a test wants to cut off: through [`Broker::proxy`].
    pub fn proxied_bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.proxy.port())
    }

    /// What stands between the broker and clients that came by [`Broker::proxied_bootstrap`].
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Number of its process; `None` while it is dead.
    pub fn pid(&self) -> Option<u32> {
        self.running().as_ref().map(|running| running.broker.id())
    }

    /// Stops it in the middle of what it does, as `SIGSTOP` does; connections stay.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Broker::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it, as `kill -9` does. Does nothing when it is dead already.
    pub fn kill(&self) {
        if let Some(mut running) = self.running().take() {
            let _ = running.broker.kill();
            // Before the pid may be somebody else's: the watcher goes with its pipe.
            drop(running.owner.take());
            let _ = running.broker.wait();
        }
    }

    /// Kills it if it runs, and starts it on the same data and ports; returns when it answers.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn restart(&self) {
        self.kill();
        let deadline = Instant::now() + START_MAX;
        let mut running = self.spawn();
        while !answers(self.ports.broker) {
            if let Ok(Some(status)) = running.broker.try_wait() {
                panic!("the broker has ended: {status}\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "the broker does not answer\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.running() = Some(running);
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("broker.log")).unwrap_or_default()
    }

    fn format(&self, options: &BrokerOptions) {
        let mut format = java::command(&self.jars, 128);
        format.args(["kafka.tools.StorageTool", "format", "--cluster-id", &self.cluster_id]);
        for feature in &options.features {
            format.args(["--feature", feature]);
        }
        for user in &options.scram_users {
            format.args(["--add-scram", user]);
        }
        let output = format.arg("--config").arg(self.dir.join("server.properties")).output().expect("java");
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "the directory can't be formatted: {}",
            String::from_utf8_lossy(&said)
        );
    }

    fn spawn(&self) -> Running {
        let log = || {
            File::options().create(true).append(true).open(self.dir.join("broker.log")).expect("a log file")
        };
        let logging = format!("-Dlog4j2.configurationFile={}", self.dir.join("log4j2.properties").display());
        let java = java::command(&self.jars, self.heap_mb);
        let mut broker = Command::new("sh")
            .args(["-c", WATCHED, "sh"])
            .arg(java.get_program())
            .arg(logging)
            .args(java.get_args())
            .arg("kafka.Kafka")
            .arg(self.dir.join("server.properties"))
            .stdin(Stdio::piped())
            .stdout(log())
            .stderr(log())
            .spawn()
            .expect("a shell");
        let owner = broker.stdin.take();
        Running { broker, owner }
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = self.running().as_ref() {
            kill_process(Pid::from_child(&running.broker), signal).expect("a child of this process");
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.dir);
        let _ = self.janitor.kill();
        let _ = self.janitor.wait();
    }
}

/// Ports nobody listens on now.
fn free_ports(count: usize) -> Vec<u16> {
    let listener = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    // All at once, so that they differ.
    let listeners: Vec<TcpListener> = (0..count).map(|_| listener()).collect();
    listeners.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
}

/// A new cluster's id: 16 random bytes in base 64 without padding, as Kafka has them. It must not look like an option.
fn cluster_id() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut rest: u128 = rand::random::<u128>() >> 1;
    let mut digits: Vec<char> = (0..22)
        .map(|at| {
            // 22 digits of 6 bits hold 4 bits more than there are: the last digit has 2 bits.
            let digit = if at == 0 { (rest & 0b11) << 4 } else { rest & 0b11_1111 };
            rest >>= if at == 0 { 2 } else { 6 };
            char::from(DIGITS[digit as usize])
        })
        .collect();
    digits.reverse();
    digits.into_iter().collect()
}

/// Whether a broker answers at a port: the request for API versions is the one that every broker understands.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        // Length, API key 18, version 0, correlation id, no client id.
        stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])?;
        stream.read_exact(&mut [0; 8])
    };
    ask().is_ok()
}
