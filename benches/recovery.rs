//! How long a job with much state takes to go on after `kill -9`: on a disk that is still there, and on an empty one; and
//! what it costs to be ready for that.
//!
//! ```text
//! cargo bench --bench recovery                  12 000 000 keys: about a gigabyte of state
//! KEYS=1000000 cargo bench --bench recovery     less
//! cargo bench --bench recovery -- topic         with snapshots in a topic only; off, directory, topic
//! ```
//! For each place of snapshots a process of its own counts events by key, from one partition of a real Apache Kafka and
//! exactly once. When all are counted it is killed, a few more events come, and another takes over: `warm` with the state
//! directory that the first has left, `empty` without, once the session of the first is over. Times are from the start of
//! that process until its task runs, and until its first commit. Totals are compared after each step.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::{Isolation, Log, OffsetQuery, ReaderOptions, TopicPartition};
use millstream::snapshot::{SnapshotLocation, inspect_state};
use millstream::{Job, JobSettings, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Counts, number, totals};

#[path = "../src/allocator.rs"]
mod allocator;
mod support;

/// Events that come while nobody works.
const MORE: u64 = 1_000;
/// Longer than the session of a killed process.
const SESSION: Duration = Duration::from_secs(11);

/// Runs a job in this process until it is killed; says on standard output how far it is.
fn child(bootstrap: &str) -> ! {
    let variable = |name: &str| std::env::var(name).unwrap();
    let (name, directory) = (variable("RECOVERY_JOB"), variable("RECOVERY_STATE"));
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(KafkaConfig::new(bootstrap)).unwrap());
    let text = counts().sql(&name, false);
    let planned = sql::plan(&name, &text).unwrap_or_else(|errors| panic!("{errors}"));
    let mut settings = JobSettings::new(&name);
    settings.state_directory = Some(directory.into());
    settings.snapshots = variable("RECOVERY_SNAPSHOTS").parse::<SnapshotLocation>().unwrap();
    let begin = Instant::now();
    let job = Job::start(&planned.topology, &log, &settings).unwrap();
    let journal = job.plan().journal_topic(0);
    let (mut runs, mut committed) = (false, false);
    loop {
        assert!(!job.has_ended(), "the job failed");
        let status = job.status().swap_remove(0);
        if !runs && !status.tasks.is_empty() && status.tasks.iter().all(|task| task.state == "running") {
            runs = true;
            println!("runs {} {journal} {}", begin.elapsed().as_secs_f64(), status.snapshots_fetched);
        }
        if runs && !committed && status.commits > 0 {
            committed = true;
            println!("committed {}", begin.elapsed().as_secs_f64());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn counts() -> Counts {
    Counts { keys: number("KEYS", 12_000_000), name_chars: 64 }
}

/// A job's process.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Seconds until its task ran, and until its first commit.
    runs_s: f64,
    committed_s: f64,
    journal: String,
    from_snapshot: bool,
}

impl Process {
    fn start(bootstrap: &str, name: &str, snapshots: &str, state: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env("RECOVERY_CHILD", bootstrap)
            .env("RECOVERY_JOB", name)
            .env("RECOVERY_SNAPSHOTS", snapshots)
            .env("RECOVERY_STATE", state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let runs = lines.next().unwrap().unwrap();
        let [_, runs_s, journal, fetched] = runs.split(' ').collect::<Vec<_>>()[..] else { panic!("{runs}") };
        Process {
            runs_s: runs_s.parse().unwrap(),
            journal: journal.to_owned(),
            from_snapshot: fetched != "0",
            committed_s: 0.0,
            child,
            lines,
        }
    }

    fn wait_for_commit(&mut self) {
        let line = self.lines.next().unwrap().unwrap();
        self.committed_s = line.strip_prefix("committed ").unwrap().parse().unwrap();
    }

    /// Bytes that it has had written to disks, and its CPU seconds.
    fn cost(&self) -> (f64, f64) {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap();
        let io = read("io");
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
        let stat = read("stat");
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        let ticks = fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
        (written.parse().unwrap(), ticks.sum::<f64>() / 100.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until so many events have come out, each counted once.
fn wait_for(log: &Arc<dyn Log>, name: &str, events: u64) {
    let wanted = counts().wanted(events);
    let deadline = Instant::now() + Duration::from_secs(600);
    while totals(log, name) != wanted {
        assert!(Instant::now() < deadline, "{:?} came out, not {wanted:?}", totals(log, name));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Bytes of keys and values in a partition, now.
fn bytes_in(log: &Arc<dyn Log>, topic: &str) -> f64 {
    let place = TopicPartition::new(topic, 0);
    let mut admin = log.admin().unwrap();
    let mut ends =
        |query| admin.offsets(std::slice::from_ref(&place), query, Isolation::ReadCommitted).unwrap()[0];
    let (first, end) = (ends(OffsetQuery::Earliest), ends(OffsetQuery::Latest));
    let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
    reader.assign(&[(place.clone(), first)]).unwrap();
    let mut bytes = 0;
    while reader.status(&place).is_none_or(|status| status.position < end) {
        let mut runs = Vec::new();
        reader.poll(Duration::from_millis(100), &mut runs).unwrap();
        bytes += runs.iter().map(|run| run.records.data_bytes()).sum::<usize>();
    }
    bytes as f64
}

fn measure(bootstrap: &str, log: &Arc<dyn Log>, place: &str, events: &mut u64) {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let url = format!("file://{}", directory.path().join("snapshots").display());
    let snapshots = if place == "directory" { url.as_str() } else { place };
    let name = format!("counts-{place}");

    let begin = Instant::now();
    let mut first = Process::start(bootstrap, &name, snapshots, &state);
    first.wait_for_commit();
    wait_for(log, &name, *events);
    let (written, cpu_s) = first.cost();
    let mb = |bytes: f64| bytes / f64::from(1 << 20);
    println!(
        "{place}: counted {events} events in {:.0} s, {cpu_s:.0} CPU s; written to disk {:.0} MB; journal {:.0} MB",
        begin.elapsed().as_secs_f64(),
        mb(written),
        mb(bytes_in(log, &first.journal)),
    );
    drop(first);
    let (pairs, files) = state_bytes(&state);
    println!("{place}: state {:.0} MB, {:.0} MB in files", mb(pairs), mb(files));

    for disk in ["warm", "empty"] {
        if disk == "empty" {
            std::fs::remove_dir_all(&state).unwrap();
            std::thread::sleep(SESSION);
        }
        counts().write(log, *events..*events + MORE);
        *events += MORE;
        let mut next = Process::start(bootstrap, &name, snapshots, &state);
        next.wait_for_commit();
        println!(
            "{place} {disk}: runs after {:.1} s, first commit after {:.1} s{}",
            next.runs_s,
            next.committed_s,
            if next.from_snapshot { ", from a snapshot" } else { "" }
        );
        wait_for(log, &name, *events);
    }
}

/// Bytes of the keys and values of a job's state, and of the files that they are in.
fn state_bytes(state: &Path) -> (f64, f64) {
    let tasks = std::fs::read_dir(state).unwrap().flatten().filter(|it| it.file_type().unwrap().is_dir());
    let tasks: Vec<_> = tasks.map(|entry| entry.path()).collect();
    let pairs = tasks.iter().map(|task| inspect_state(task, true).unwrap().pairs.unwrap().1);
    let files = tasks.iter().flat_map(|task| std::fs::read_dir(task).unwrap().flatten());
    (pairs.sum::<u64>() as f64, files.map(|file| file.metadata().unwrap().len()).sum::<u64>() as f64)
}

fn main() {
    allocator::keep_little();
    if let Ok(bootstrap) = std::env::var("RECOVERY_CHILD") {
        child(&bootstrap);
    }
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    let bootstrap = broker.bootstrap();
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(KafkaConfig::new(bootstrap.as_str())).unwrap());
    let counts = counts();
    let mut events = counts.keys;
    counts.write(&log, 0..events);
    println!("# {} keys", counts.keys);
    for place in ["off", "directory", "topic"] {
        if only.is_empty() || only.iter().any(|only| only == place) {
            measure(&bootstrap, &log, place, &mut events);
        }
    }
}
