//! Running the binary.

use millstream_test_support::kafka::{Broker, BrokerOptions};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A directory in which commands run, with their log.
pub(crate) struct Place {
    directory: TempDir,
    broker: Option<Broker>,
    environment: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// With an embedded log.
    pub(crate) fn new() -> Self {
        Place { directory: TempDir::new().unwrap(), broker: None, environment: Vec::new() }
    }

    /// With a broker of its own; `None` where there is no Java.
    pub(crate) fn on_kafka() -> Option<Self> {
        let broker = Broker::start(&BrokerOptions::default())?;
        Some(Place { broker: Some(broker), ..Place::new() })
    }

    /// The same, with commands that find this in their environment.
    pub(crate) fn with_environment(self, environment: Vec<(String, String)>) -> Self {
        Place { environment, ..self }
    }

    /// The address of its broker.
    pub(crate) fn bootstrap(&self) -> String {
        self.broker.as_ref().expect("a place on Kafka").bootstrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(line.split_whitespace()).current_dir(self.path());
        // Commands on state know no log.
        if let Some(broker) = self.broker.as_ref().filter(|_| !line.starts_with("state ")) {
            command.arg("--bootstrap-servers").arg(broker.bootstrap());
        }
        command.env_remove("COLUMNS").env_remove("MILLSTREAM_LOG_LEVEL").env("NO_COLOR", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end. Arguments are separated by spaces.
    pub(crate) fn run(&self, line: &str) -> Done {
        done(self.command(line).output().unwrap())
    }

    /// Runs a command whose standard output goes elsewhere.
    pub(crate) fn run_into(&self, line: &str, stdout: Stdio) -> Done {
        done(self.command(line).stdout(stdout).spawn().unwrap().wait_with_output().unwrap())
    }

    /// Runs a command that has to succeed, and gives its output.
    pub(crate) fn ok(&self, line: &str) -> String {
        let done = self.run(line);
        assert_eq!(done.code, 0, "millstream {line}: {done:?}");
        done.out
    }

    /// Runs a command on input.
    pub(crate) fn run_on(&self, line: &str, input: &str) -> Done {
        let mut child = self.command(line).stdin(Stdio::piped()).spawn().unwrap();
        // A command that refuses to run does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        done(child.wait_with_output().unwrap())
    }

    /// Starts a command and lets it run.
    pub(crate) fn start(&self, line: &str) -> Running {
        let child = self.command(line).stdin(Stdio::piped()).spawn().unwrap();
        Running { child: Some(child) }
    }

    /// The records of a topic.
    pub(crate) fn consume(&self, topic: &str) -> Vec<Value> {
        lines(&self.ok(&format!("topic consume {topic} --from-beginning --exit-at-end --output json")))
    }
}

/// JSON lines.
pub(crate) fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn done(output: Output) -> Done {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A command that runs. Killed when it is dropped.
pub(crate) struct Running {
    child: Option<Child>,
}

impl Running {
    pub(crate) fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    /// Waits until it has the log in a place's default directory.
    pub(crate) fn wait_until_it_has_the_log(&mut self, place: &Place) {
        let pid = self.child().id();
        let deadline = Instant::now() + PATIENCE;
        let owner = || {
            let lock = std::fs::read(place.path().join("millstream-data/log/lock")).ok()?;
            serde_json::from_slice::<Value>(&lock).ok()?["pid"].as_u64()
        };
        while owner() != Some(u64::from(pid)) {
            assert!(Instant::now() < deadline && self.child().try_wait().unwrap().is_none(), "it has no log");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal by its name, as kill(1) takes it.
    pub(crate) fn signal(&mut self, name: &str) {
        let pid = self.child().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Done {
        let mut child = self.child.take().unwrap();
        drop(child.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // A command that has not ended by now is ended, and its code tells.
        let _ = child.kill();
        done(child.wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
