//! What a commit costs: how long a record takes from being produced to being visible in the output of a job, what an
//! idle job costs, and how much is processed with commits every 100 ms against hardly any.
//!
//! ```text
//! cargo bench --bench latency            both logs; -- embedded, or -- kafka, for one of them
//! ```
//! The job projects JSON to JSON. Latency is measured from the return of the write that acknowledged a record to the
//! poll of a read-committed reader that brought its result, within this process. At half of the maximum rate every
//! hundredth record is measured, while the writer sends a batch each 5 ms. The broker runs on the same machine.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::kafka::{KafkaConfig, KafkaLog};
use millstream::log::{Isolation, Log, ReaderOptions, RecordsBuilder, TopicPartition, TopicSpec, Writer};
use millstream::worker::WorkerStatus;
use millstream::{Job, JobSettings, sql};
use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Records of the runs that measure throughput.
const RECORDS: u64 = 1_000_000;
/// Records whose latency is measured in an idle job, and how far they are apart.
const SINGLES: u64 = 120;
const SINGLES_EVERY: Duration = Duration::from_millis(237);
const IDLE: Duration = Duration::from_secs(20);
const HALF_RATE: Duration = Duration::from_secs(15);

/// CPU seconds of all threads of this process that live.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanoseconds = tasks.map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0)
    });
    nanoseconds.sum::<u64>() as f64 / 1e9
}

fn statements(input: &str, output: &str, is_bounded: bool) -> String {
    let bounded = if is_bounded { ", 'scan.bounded.mode' = 'latest-offset'" } else { "" };
    format!(
        "CREATE TABLE i (id BIGINT, price BIGINT, name STRING) WITH ('connector' = 'kafka', 'topic' = '{input}',
           'format' = 'json', 'scan.startup.mode' = 'earliest-offset'{bounded});
         CREATE TABLE o (id BIGINT, price BIGINT, name STRING) WITH ('connector' = 'kafka', 'topic' = '{output}',
           'format' = 'json');
         INSERT INTO o SELECT id, price * 2, name FROM i;"
    )
}

struct Bench {
    log: Arc<dyn Log>,
    kind: &'static str,
}

impl Bench {
    fn topic(&self, name: &str) -> TopicPartition {
        self.log.admin().unwrap().create_topic(&TopicSpec::new(name, 1)).unwrap();
        TopicPartition::new(name, 0)
    }

    /// Starts a job over two topics; the directory is its state.
    fn start(
        &self,
        name: &str,
        statements: &str,
        commit_interval_ms: Option<u64>,
    ) -> (Job, tempfile::TempDir) {
        let planned = sql::plan(name, statements).unwrap_or_else(|errors| panic!("{errors}"));
        let directory = tempfile::tempdir().unwrap();
        let mut settings = JobSettings::new(name);
        settings.state_directory = Some(directory.path().to_path_buf());
        if let Some(interval) = commit_interval_ms {
            settings.worker.commit_interval_ms = interval;
            settings.worker.commit_interval_min_ms = interval;
            settings.worker.commit_interval_idle_ms = interval;
            settings.worker.outbox_bytes_max = usize::MAX;
        }
        (Job::start(&planned.topology, &self.log, &settings).unwrap(), directory)
    }

    /// Records a second over records that are there already.
    fn throughput(&self, name: &str, commit_interval_ms: Option<u64>) -> f64 {
        let output = format!("{name}-out");
        self.topic(&output);
        let (time, cpu) = (Instant::now(), cpu_seconds());
        let (job, _directory) = self.start(name, &statements("load", &output, true), commit_interval_ms);
        let total = |of: fn(&WorkerStatus) -> u64| job.status().iter().map(of).sum::<u64>();
        while total(|status| status.records_in) < RECORDS && !job.has_ended() {
            std::thread::sleep(Duration::from_millis(2));
        }
        // What is left is committed before it ends.
        let (commits, cpu) = (total(|status| status.commits), cpu_seconds() - cpu);
        job.stop();
        job.join().unwrap();
        let time = time.elapsed().as_secs_f64();
        let rate = RECORDS as f64 / time;
        println!("{} throughput {name}: {rate:.0} records/s, {commits} commits, {cpu:.2} CPU s", self.kind);
        rate
    }

    /// An idle job, and the latency of single records and under half of `rate`.
    fn latency(&self, rate: f64) {
        let (input, output) = (self.topic("input"), self.topic("output"));
        let (job, _directory) = self.start("latency", &statements("input", "output", false), None);
        let mut writer = self.log.writer().unwrap();
        let mut watch = Visible::new(&*self.log, &output);
        let mut sent = Sent::default();
        sent.write(&mut *writer, &input, 1);
        watch.wait_for(1);

        std::thread::sleep(Duration::from_secs(2));
        let (cpu, commits) = (cpu_seconds(), job.status()[0].commits);
        std::thread::sleep(IDLE);
        let share = (cpu_seconds() - cpu) / IDLE.as_secs_f64() * 100.0;
        let commits = job.status()[0].commits - commits;
        println!("{} idle: {share:.3} % of a core, {commits} commits in {IDLE:?}", self.kind);

        for _ in 0..SINGLES {
            let next = Instant::now() + SINGLES_EVERY;
            sent.write(&mut *writer, &input, 1);
            watch.wait_for(sent.count());
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        watch.report(&format!("{} latency, idle job", self.kind), &sent, 1);

        let first = sent.count();
        let watching = std::thread::spawn(move || {
            let from = watch.seen.len();
            watch.wait_for_end(HALF_RATE + Duration::from_secs(20));
            (watch, from)
        });
        let (start, per_second) = (Instant::now(), rate / 2.0);
        while start.elapsed() < HALF_RATE {
            let due = (start.elapsed().as_secs_f64() * per_second) as u64;
            let count = due.saturating_sub(sent.count() - first);
            sent.write(&mut *writer, &input, count);
            std::thread::sleep(Duration::from_millis(5));
        }
        let achieved = (sent.count() - first) as f64 / start.elapsed().as_secs_f64();
        sent.write_last(&mut *writer, &input);
        let (mut watch, from) = watching.join().unwrap();
        watch.from = from;
        watch.report(&format!("{} latency, {achieved:.0} records/s", self.kind), &sent, 100);
        job.stop();
        job.join().unwrap();
    }

    fn run(&self) {
        let load = self.topic("load");
        let mut writer = self.log.writer().unwrap();
        let mut sent = Sent::default();
        while sent.count() < RECORDS {
            sent.write(&mut *writer, &load, 2_000);
        }
        for round in 1..=2 {
            let often = self.throughput(&format!("commits-of-100-ms-{round}"), None);
            let never = self.throughput(&format!("hardly-any-commits-{round}"), Some(3_600_000));
            println!("{} throughput: {:.2} of that without commits", self.kind, often / never);
            if round == 2 {
                self.latency(often);
            }
        }
    }
}

/// When records were acknowledged, by their number.
#[derive(Default)]
struct Sent {
    at: Vec<Instant>,
}

impl Sent {
    fn count(&self) -> u64 {
        self.at.len() as u64
    }

    fn write(&mut self, writer: &mut dyn Writer, place: &TopicPartition, count: u64) {
        let mut records = RecordsBuilder::with_capacity(count as usize, count as usize * 64);
        for number in self.count()..self.count() + count {
            let value = format!(
                r#"{{"id":{number},"price":{},"name":"item {} of a shop with a longer name","extra":"{:032x}"}}"#,
                number * 31 % 9_001,
                number % 1_000,
                u128::from(number) * 0x9e37_79b9_7f4a_7c15,
            );
            records.push(None, Some(value.as_bytes()), 1_672_531_200_000 + number as i64);
        }
        if count > 0 {
            writer.write(place, records.finish()).unwrap();
            writer.flush(Duration::from_secs(60)).unwrap();
        }
        self.at.resize(self.at.len() + count as usize, Instant::now());
    }

    /// A record that says that no more come.
    fn write_last(&mut self, writer: &mut dyn Writer, place: &TopicPartition) {
        let mut records = RecordsBuilder::default();
        records.push(None, Some(br#"{"id":-1}"#), 1_672_531_200_000);
        writer.write(place, records.finish()).unwrap();
        writer.flush(Duration::from_secs(60)).unwrap();
    }
}

/// When results were seen, in their order, which is that of the records.
struct Visible {
    reader: Box<dyn millstream::log::Reader>,
    seen: Vec<Instant>,
    from: usize,
    ended: bool,
}

impl Visible {
    fn new(log: &dyn Log, place: &TopicPartition) -> Self {
        let mut reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
        reader.assign(&[(place.clone(), 0)]).unwrap();
        Visible { reader, seen: Vec::new(), from: 1, ended: false }
    }

    fn poll(&mut self) {
        let mut runs = Vec::new();
        self.reader.poll(Duration::from_millis(100), &mut runs).unwrap();
        let now = Instant::now();
        for run in runs {
            let last = run.records.len() - 1;
            self.ended |= run.records.get(last).value.is_some_and(|it| it.starts_with(br#"{"id":-1"#));
            self.seen.resize(self.seen.len() + run.records.len(), now);
        }
    }

    fn wait_for(&mut self, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while (self.seen.len() as u64) < count {
            assert!(Instant::now() < deadline, "no result came");
            self.poll();
        }
    }

    fn wait_for_end(&mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        while !self.ended {
            assert!(Instant::now() < deadline, "the job does not keep up");
            self.poll();
        }
    }

    fn report(&self, what: &str, sent: &Sent, every: usize) {
        let pairs = sent.at.iter().zip(&self.seen).skip(self.from).step_by(every);
        let mut took: Vec<Duration> =
            pairs.map(|(sent, seen)| seen.saturating_duration_since(*sent)).collect();
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "{what}: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms, of {}",
            at(0.5),
            at(0.99),
            at(1.0),
            took.len()
        );
    }
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wants = |kind: &str| only.as_ref().is_none_or(|only| only == kind);
    if wants("embedded") {
        let directory = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(directory.path(), &EmbeddedOptions::default()).unwrap();
        Bench { log: Arc::new(log), kind: "embedded" }.run();
    }
    if wants("kafka") {
        let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
        let log = KafkaLog::connect(KafkaConfig::new(broker.bootstrap().as_str())).unwrap();
        Bench { log: Arc::new(log), kind: "kafka" }.run();
    }
}
