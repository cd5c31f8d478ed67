//! The binary, on one of the logs.

use flate2::read::GzDecoder;
use millstream_test_support::kafka::{Broker, BrokerOptions};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A log of its own for one test.
pub(crate) struct Where {
    directory: tempfile::TempDir,
    /// With the client that reads and writes.
    broker: Option<(Broker, &'static str)>,
}

/// Which records are loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Records {
    All,
}

/// A record as `millstream topic consume` prints it.
pub(crate) struct Consumed {
    pub key: Option<String>,
    pub value: Option<Value>,
}

fn flights(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/flights").join(file)
}

impl Where {
    pub(crate) fn embedded() -> Self {
        Where { directory: tempfile::tempdir().unwrap(), broker: None }
    }

    /// Kafka by one of its clients.
    pub(crate) fn kafka(client: &'static str) -> Option<Self> {
        let broker = Broker::start(&BrokerOptions::default())?;
        Some(Where { directory: tempfile::tempdir().unwrap(), broker: Some((broker, client)) })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(words).current_dir(self.directory.path()).stdin(Stdio::null());
        match &self.broker {
            Some((broker, client)) => {
                let client = format!("kafka.client={client}");
                command
                    .arg("--bootstrap-servers")
                    .arg(broker.bootstrap())
                    .args(["--client-property", &client])
            }
            None => command.arg("--log").arg(self.directory.path().join("data")),
        };
        command
    }

    fn succeed(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Creates the topics and writes the records of 2013.
    pub(crate) fn load(&self, partitions: u32, _records: Records) {
        let partitions = partitions.to_string();
        for topic in ["flights", "weather", "airlines", "hourly", "carriers"] {
            self.succeed(&["topic", "create", topic, "--partitions", &partitions]);
        }
        for (topic, key, time) in [
            ("airlines", "carrier", "since"),
            ("weather", "origin", "time_hour"),
            ("flights", "origin", "departed"),
        ] {
            let file = flights(&format!("data/{topic}.csv.gz"));
            let file = file.to_str().unwrap();
            let words = [
                "topic",
                "produce",
                topic,
                "--format",
                "csv",
                "--file",
                file,
                "--null",
                "NA",
                "--key",
                key,
                "--timestamp",
                time,
            ];
            self.succeed(&words);
        }
    }

    fn start(&self, more: &[&str]) -> Child {
        let sql = flights("flights.sql");
        let mut words = vec!["run", sql.to_str().unwrap(), "--workers", "2"];
        words.extend(more);
        let state = self.state();
        words.extend(["--state", state.to_str().unwrap()]);
        self.command(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// Runs the job until its input has ended.
    pub(crate) fn run(&self, more: &[&str]) {
        let output = self.start(more).wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the job and kills it, unless it ends before.
    pub(crate) fn run_and_kill(&self, more: &[&str], after: Duration) {
        let mut child = self.start(more);
        let end = Instant::now() + after;
        while Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Runs the job and interrupts it, unless it ends before.
    pub(crate) fn run_and_interrupt(&self, more: &[&str], after: Duration) {
        let mut child = self.start(more);
        let end = Instant::now() + after;
        while Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whether a job has committed anything.
    pub(crate) fn has_committed(&self, job: &str) -> bool {
        let control = format!("millstream.{job}.control");
        let text = self.succeed(&["topic", "consume", &control, "--from-beginning", "--exit-at-end"]);
        text.contains("\"key\":\"job\"")
    }

    /// Takes a savepoint of the job; gives its place.
    pub(crate) fn savepoint(&self, job: &str) -> String {
        let (sql, place) =
            (flights("flights.sql"), self.directory.path().join(format!("savepoint-of-{job}")));
        let (place, state) = (place.to_str().unwrap(), self.state());
        let words = ["savepoint", sql.to_str().unwrap(), "--job", job, "--workers", "2", "--to", place];
        let told = self.succeed(&[&words[..], &["--state", state.to_str().unwrap()]].concat());
        assert!(told.contains(&format!("savepoint of job \"{job}\"")), "{told}");
        place.to_owned()
    }

    /// Removes everything that a job has: topics, state, snapshots.
    pub(crate) fn forget(&self, job: &str) {
        let own = format!("millstream.{job}.");
        for topic in self.succeed(&["topic", "list", "--all"]).lines().filter(|topic| topic.starts_with(&own))
        {
            self.succeed(&["topic", "delete", topic]);
        }
        self.lose_state();
        let _ = std::fs::remove_dir_all(self.directory.path().join("data/log/snapshots").join(job));
    }

    /// Whether records were removed from the journal of every task of the main sub-topology.
    pub(crate) fn journal_is_purged(&self) -> bool {
        let words = ["topic", "consume", "millstream.flights.journal.1", "--from-beginning", "--exit-at-end"];
        let text = self.succeed(&words);
        let mut first: BTreeMap<u64, u64> = BTreeMap::new();
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            first.entry(record["partition"].as_u64().unwrap()).or_insert(record["offset"].as_u64().unwrap());
        }
        !first.is_empty() && first.values().all(|offset| *offset > 2)
    }

    pub(crate) fn lose_state(&self) {
        match std::fs::remove_dir_all(self.state()) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn consume(&self, topic: &str) -> Vec<Consumed> {
        let text = self.succeed(&[
            "topic",
            "consume",
            topic,
            "--from-beginning",
            "--exit-at-end",
            "--isolation",
            "read_committed",
            "--output",
            "json",
        ]);
        let records = text.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            let value = match &record["value"] {
                Value::Null => None,
                Value::String(text) => Some(serde_json::from_str(text).unwrap()),
                object => Some(object.clone()),
            };
            Consumed { key: record["key"].as_str().map(str::to_owned), value }
        });
        records.collect()
    }
}

/// The rows of a file that is shipped with the example.
pub(crate) fn rows_of(name: &str) -> csv::Reader<GzDecoder<std::fs::File>> {
    let file = std::fs::File::open(flights(&format!("data/{name}.csv.gz"))).unwrap();
    csv::Reader::from_reader(GzDecoder::new(file))
}
