//! The broker's process.
//!
//! A shell stands between the owner and the broker: it leaves a watcher behind and becomes the broker. The watcher
//! reads from a pipe whose other end only the owner holds; when the owner is gone, however it went, the read ends and
//! the watcher kills the broker.

use super::proxy::Proxy;
use super::{available, fetch, java};
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
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
}

impl Default for BrokerOptions {
    fn default() -> Self {
        BrokerOptions { heap_mb: 320, features: Vec::new(), properties: Vec::new() }
    }
}

/// A running broker, and the directory it keeps its data in.
#[derive(Debug)]
pub struct Broker {
    dir: PathBuf,
    jars: PathBuf,
    heap_mb: u32,
    port: u16,
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

        let [port, controller, proxied] = free_ports();
        let proxy = Proxy::to(SocketAddr::from((Ipv4Addr::LOCALHOST, proxied))).expect("a loopback port");
        let ports = Ports { broker: port, controller, proxied, proxy: proxy.port() };
        fs::write(dir.join("server.properties"), properties(&dir, &ports, options)).expect("a setting");
        fs::write(dir.join("log4j2.properties"), LOGGING).expect("a setting");
        let (heap_mb, running) = (options.heap_mb, Mutex::new(None));
        let broker = Broker { dir, jars, heap_mb, port, proxy, running, janitor };
        broker.format(&options.features);
        broker.restart();
        Some(broker)
    }

    /// Where clients reach it.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
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
        while !answers(self.port) {
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

    fn format(&self, features: &[String]) {
        let mut format = java::command(&self.jars, 128);
        format.args(["kafka.tools.StorageTool", "format", "--cluster-id", &cluster_id()]);
        for feature in features {
            format.args(["--feature", feature]);
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

struct Ports {
    broker: u16,
    controller: u16,
    /// Where the proxy reaches the broker, and where clients reach the proxy.
    proxied: u16,
    proxy: u16,
}

const LOGGING: &str = "rootLogger.level=WARN\n\
    rootLogger.appenderRef.console.ref=console\n\
    appender.console.type=Console\n\
    appender.console.name=console\n\
    appender.console.layout.type=PatternLayout\n\
    appender.console.layout.pattern=%d %p %c: %m%n\n";

/// One process as broker and controller; short waits, so that tests of what happens in time do not take long.
fn properties(dir: &Path, ports: &Ports, options: &BrokerOptions) -> String {
    let Ports { broker, controller, proxied, proxy } = ports;
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller},PROXIED://127.0.0.1:{proxied}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{broker},PROXIED://127.0.0.1:{proxy}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         broker.session.timeout.ms=2000\n\
         broker.heartbeat.interval.ms=300\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         transaction.abort.timed.out.transaction.cleanup.interval.ms=1000\n\
         group.initial.rebalance.delay.ms=0\n\
         log.cleaner.backoff.ms=200\n\
         group.min.session.timeout.ms=1000\n\
         log.initial.task.delay.ms=500\n\
         log.retention.check.interval.ms=500\n",
        dir.join("data").display()
    );
    for property in &options.properties {
        let _ = writeln!(text, "{property}");
    }
    text
}

/// Ports nobody listens on now.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
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
