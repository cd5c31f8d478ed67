//! What a test works with: a job's topics, its processes, its input and what has come of it.

use crate::process::{GO_ON, LEAVE, Line, STATUS, STOP, STOPPED, Spec, Status};
use millstream_runtime::log::kafka::{KafkaConfig, KafkaLog, PropertySource};
use millstream_runtime::log::{
    Log, RecordsBuilder, TopicPartition, TopicSpec, TransactionError, TransactionOptions, TransactionalWriter,
};
use millstream_runtime::replay::read_all;
use millstream_test_support::kafka::Broker;
use rustix::process::{Pid, Signal, kill_process};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Partitions of every topic.
pub(crate) const PARTITIONS: u32 = 4;
/// Tasks of the job: one for each partition of the lines, one for each of the words by key.
pub(crate) const TASKS: usize = 2 * PARTITIONS as usize;
/// Time for anything at all.
const DEADLINE: Duration = Duration::from_secs(120);

/// How often each word was seen.
pub(crate) type Words = BTreeMap<String, u64>;

pub(crate) struct World {
    pub(crate) broker: &'static Broker,
    /// Which client reads and writes.
    client: &'static str,
    pub(crate) log: KafkaLog,
    /// The test: names the job and its topics.
    pub(crate) job: String,
    /// The path of the test in its binary.
    test: String,
    directory: tempfile::TempDir,
    said: RefCell<Words>,
    lines: Cell<u32>,
}

/// A process of the job. It is killed when it is dropped.
pub(crate) struct Process {
    pub(crate) spec: Spec,
    child: Child,
    test: String,
}

impl World {
    pub(crate) fn new(broker: &'static Broker, client: &'static str) -> Self {
        let test = std::thread::current().name().expect("tests run on threads of their name").to_owned();
        let job = format!("{client}-{}", test.rsplit("::").next().unwrap_or_default());
        let config = KafkaConfig::new(broker.bootstrap()).with("kafka.client", client, PropertySource::Job);
        let log = KafkaLog::connect(config.expect("a client")).expect("the broker answers");
        let mut admin = log.admin().expect("an admin client");
        for topic in ["lines", "words", "counts"] {
            admin.create_topic(&TopicSpec::new(format!("{job}-{topic}"), PARTITIONS)).expect("a new topic");
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        World { broker, client, log, job, test, directory, said: RefCell::default(), lines: Cell::new(0) }
    }

    /// Starts a process of the job.
    pub(crate) fn start(&self, name: &str, adjust: impl FnOnce(&mut Spec)) -> Process {
        let mut spec = Spec {
            bootstrap: self.broker.proxied_bootstrap(),
            client: format!("{}-{name}", self.job),
            kafka_client: self.client.to_owned(),
            job: self.job.clone(),
            directory: self.directory.path().join(name),
            workers: 1,
            session_timeout_ms: 3_000,
            transaction_timeout_ms: 5_000,
            without: Vec::new(),
        };
        adjust(&mut spec);
        std::fs::create_dir_all(&spec.directory).expect("a directory");
        let child = spawn(&self.test, &spec);
        Process { spec, child, test: self.test.clone() }
    }

    /// Writes lines, each with a word of its own and one of five, over all partitions.
    pub(crate) fn say(&self, lines: u32) {
        let mut writer = self.log.writer().expect("a writer");
        let mut said = self.said.borrow_mut();
        for number in self.lines.get()..self.lines.get() + lines {
            let words = [format!("word{number}"), format!("often{}", number % 5)];
            let line = serde_json::to_vec(&Line { text: words.join(" ") }).expect("a string is JSON");
            let mut records = RecordsBuilder::default();
            records.push(None, Some(&line), 1_000 + i64::from(number));
            let place = TopicPartition::new(format!("{}-lines", self.job), number % PARTITIONS);
            writer.write(&place, records.finish()).expect("records are taken");
            words.into_iter().for_each(|word| *said.entry(word).or_default() += 1);
        }
        writer.flush(DEADLINE).expect("records are acknowledged");
        self.lines.set(self.lines.get() + lines);
    }

    /// What has to come out of what was said so far.
    pub(crate) fn model(&self) -> Words {
        self.said.borrow().clone()
    }

    /// Records of a topic that are committed: key and value of each.
    fn read(&self, topic: &str) -> Vec<(String, String)> {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let mut found = Vec::new();
        for partition in 0..PARTITIONS {
            let place = TopicPartition::new(format!("{}-{topic}", self.job), partition);
            let records = read_all(&self.log, &place).expect("a topic that can be read");
            found.extend(records.iter().map(|record| (text(record.key), text(record.value))));
        }
        found
    }

    /// The words that have come out: each as often as it did.
    pub(crate) fn words(&self) -> Words {
        let mut words = Words::new();
        for (_, word) in self.read("words") {
            *words.entry(word.trim_matches('"').to_owned()).or_default() += 1;
        }
        words
    }

    /// The last count that has come out of every word. Counts of a word rise.
    pub(crate) fn counts(&self) -> Words {
        let mut counts = Words::new();
        for (word, count) in self.read("counts") {
            let count = count.parse().expect("a number");
            let before = counts.insert(word.clone(), count);
            assert!(before.is_none_or(|before| before < count), "{word}: {count} after {before:?}");
        }
        counts
    }

    // --- waiting ---

    /// Looks again and again until `look` gives something; the processes have to go on meanwhile.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        processes: &mut [&mut Process],
        mut look: impl FnMut(&mut [&mut Process]) -> Option<T>,
    ) -> T {
        self.until_or_dead(what, processes, |processes| {
            let found = look(processes);
            if found.is_none() {
                processes.iter_mut().for_each(|process| process.check());
            }
            found
        })
    }

    /// The same with processes that may end.
    pub(crate) fn until_or_dead<T>(
        &self,
        what: &str,
        processes: &mut [&mut Process],
        mut look: impl FnMut(&mut [&mut Process]) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = look(processes) {
                return found;
            }
            if Instant::now() > deadline {
                for process in processes.iter() {
                    eprintln!("{}: {:?}\n{}", process.spec.client, process.status(), process.said());
                }
                panic!("{}: {what} did not happen", self.job);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until everything that was said has come out, exactly once, and both topics agree with the model.
    pub(crate) fn until_all_is_out(&self, processes: &mut [&mut Process]) {
        let model = self.model();
        let is_out = |_: &mut [&mut Process]| {
            let words = self.words();
            let doubled: Vec<_> = words.iter().filter(|(word, count)| **count > model[*word]).collect();
            assert!(doubled.is_empty(), "{}: doubled: {doubled:?}", self.job);
            (words == model && self.counts() == model).then_some(())
        };
        self.until("the end of the output", processes, is_out);
    }

    /// Waits until all is out and all tasks run, has two processes work once more, and leave; nothing may be missing or
    /// doubled after any of it.
    pub(crate) fn until_whole(&self, mut a: Process, mut b: Process) {
        self.until_all_is_out(&mut [&mut a, &mut b]);
        self.until_all_run(&mut [&mut a, &mut b]);
        self.say(40);
        self.until_all_is_out(&mut [&mut a, &mut b]);
        a.leave();
        b.leave();
        self.until_all_is_out(&mut []);
    }

    /// Waits until the processes run all tasks.
    pub(crate) fn until_all_run(&self, processes: &mut [&mut Process]) {
        self.until("all tasks running", processes, |processes| {
            let running: usize = processes.iter().map(|process| process.status().running.len()).sum();
            let all_have_some = processes.iter().all(|process| !process.status().running.is_empty());
            (running == TASKS && all_have_some).then_some(())
        });
    }

    /// Opens a transaction on every journal of the job, as a third process would.
    pub(crate) fn open_third_transaction(&self) -> Box<dyn TransactionalWriter> {
        let options = TransactionOptions { id: format!("{}-third", self.job), timeout_ms: 240_000 };
        let mut third = self.log.transactional_writer(&options).expect("a writer");
        retry(|| third.init());
        retry(|| third.begin());
        let mut records = RecordsBuilder::default();
        records.push(None, Some(b"of a commit that never ends"), 0);
        let records = records.finish();
        for sub_topology in 0..2 {
            for partition in 0..PARTITIONS {
                let journal = format!("millstream.{}.journal.{sub_topology}", self.job);
                let place = TopicPartition::new(journal, partition);
                retry(|| third.write(&place, &records));
            }
        }
        retry(|| third.flush().map(|_| ()));
        third
    }
}

fn retry(mut call: impl FnMut() -> Result<(), TransactionError>) {
    let deadline = Instant::now() + DEADLINE;
    while let Err(error) = call() {
        let again = matches!(error, TransactionError::Retriable(_)) && Instant::now() < deadline;
        assert!(again, "the third process: {error}");
    }
}

fn spawn(test: &str, spec: &Spec) -> Child {
    let (key, value) = spec.to_env();
    let log = || {
        let path = spec.directory.join("log");
        File::options().create(true).append(true).open(path).expect("a log file")
    };
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(key, value)
        .stdin(Stdio::null())
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("this binary once more")
}

impl Process {
    fn path(&self, name: &str) -> PathBuf {
        self.spec.directory.join(name)
    }

    /// What it was doing when it last said so.
    pub(crate) fn status(&self) -> Status {
        let text = std::fs::read_to_string(self.path(STATUS)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What it has said.
    fn said(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Fails when it has ended.
    fn check(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{} has ended: {status}\n{}", self.spec.client, self.said());
        }
    }

    /// Kills it, with a disk that is lost or not, and starts it again.
    pub(crate) fn kill_and_restart(&mut self, lose_state: bool) {
        self.kill();
        if lose_state {
            remove(&self.path("state"));
        }
        let _ = std::fs::remove_file(self.path(STATUS));
        self.child = spawn(&self.test, &self.spec);
    }

    fn kill(&mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }

    /// Makes it stop between the offsets of its next transaction with words in it and the end.
    pub(crate) fn stop_in_next_commit(&self) {
        std::fs::write(self.path(STOP), "").expect("a file in the test's directory");
    }

    /// Whether it has stopped there.
    pub(crate) fn has_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        self.path(STOPPED).exists() && stat.contains(") T ")
    }

    pub(crate) fn go_on(&self) {
        std::fs::write(self.path(GO_ON), "").expect("a file in the test's directory");
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("a child");
    }

    /// Lets it leave, and waits for its end.
    pub(crate) fn leave(mut self) {
        std::fs::write(self.path(LEAVE), "").expect("a file in the test's directory");
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.child.try_wait().expect("a child") {
                Some(status) if status.success() => return,
                Some(status) => panic!("{} has failed: {status}\n{}", self.spec.client, self.said()),
                None => assert!(Instant::now() < deadline, "{} does not leave", self.spec.client),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn remove(directory: &Path) {
    match std::fs::remove_dir_all(directory) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", directory.display()),
    }
}
