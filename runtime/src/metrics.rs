//! What a job tells of itself in numbers: one table, from which the server's `/metrics`, its pages and the documentation
//! are made.
//!
//! A metric that is not in the table does not exist, and one in it is read from a [`WorkerStatus`]: what workers, tasks
//! and operators count anyway. Names follow Prometheus' conventions: base units, `_total` for what only rises. Labels are
//! bounded by the plan: jobs, workers, tasks, operators and partitions, never keys or values.

mod histogram;

pub use histogram::{BYTES, Histogram, SECONDS};

use crate::worker::{InputStatus, OperatorStatus, TaskStatus, WorkerStatus};
use millstream_operators::{END_OF_TIME, EventTime, NO_WATERMARK};

/// Whether a metric only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It rises, and begins at 0 again with the process, or with the task that counts.
    Counter,
    /// It rises and falls.
    Gauge,
    /// How many were how large.
    Histogram,
}

/// Whose metric it is, and how it is read. What gives nothing is left out.
#[derive(Debug, Clone, Copy)]
pub enum MetricOf {
    /// Of a worker; labels `job`, `worker`.
    Worker(fn(&WorkerStatus) -> f64),
    /// Of a worker, by size; the same labels.
    WorkerHistogram(fn(&WorkerStatus) -> &Histogram),
    /// Of a task; labels `job`, `task`.
    Task(fn(&TaskStatus) -> Option<f64>),
    /// Of an operator in a task; labels `job`, `task`, `operator`.
    Operator(fn(&OperatorStatus) -> f64),
    /// Of a partition that a task reads; labels `job`, `task`, `topic`, `partition`.
    Input(fn(&InputStatus) -> Option<f64>),
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Whether it only rises.
    pub kind: MetricKind,
    /// What it says, with its unit.
    pub help: &'static str,
    /// A label that tells it from others of its name.
    pub label: Option<(&'static str, &'static str)>,
    /// How it is read.
    pub of: MetricOf,
}

impl Metric {
    /// The names of its labels.
    pub fn labels(&self) -> Vec<&'static str> {
        let whose: &[&str] = match self.of {
            MetricOf::Worker(_) | MetricOf::WorkerHistogram(_) => &["job", "worker"],
            MetricOf::Task(_) => &["job", "task"],
            MetricOf::Operator(_) => &["job", "task", "operator"],
            MetricOf::Input(_) => &["job", "task", "topic", "partition"],
        };
        whose.iter().copied().chain(self.label.map(|(name, _)| name)).collect()
    }
}

const fn counter(name: &'static str, help: &'static str, of: MetricOf) -> Metric {
    Metric { name, kind: MetricKind::Counter, help, label: None, of }
}

const fn gauge(name: &'static str, help: &'static str, of: MetricOf) -> Metric {
    Metric { name, kind: MetricKind::Gauge, help, label: None, of }
}

const fn histogram(name: &'static str, help: &'static str, of: fn(&WorkerStatus) -> &Histogram) -> Metric {
    Metric { name, kind: MetricKind::Histogram, help, label: None, of: MetricOf::WorkerHistogram(of) }
}

/// A point in time as seconds since 1970; none where there is none.
fn seconds(time: EventTime) -> Option<f64> {
    (![NO_WATERMARK, END_OF_TIME].contains(&time)).then_some(time as f64 / 1_000.0)
}

/// A row that came to nothing, and why.
const fn dropped(reason: &'static str, of: fn(&OperatorStatus) -> f64) -> Metric {
    let help = "Rows and records that came to nothing, by reason: late, bad (they could not be decoded), null (in a key or a \
                column declared NOT NULL)";
    let of = MetricOf::Operator(of);
    Metric { label: Some(("reason", reason)), ..counter("millstream_records_dropped_total", help, of) }
}

/// All metrics of a job.
pub const METRICS: &[Metric] = &[
    counter(
        "millstream_records_read_total",
        "Records read by tasks, internal topics included",
        MetricOf::Worker(|worker| worker.records_in as f64),
    ),
    counter(
        "millstream_read_bytes_total",
        "Bytes of keys, values and headers read by tasks",
        MetricOf::Worker(|worker| worker.bytes_in as f64),
    ),
    counter(
        "millstream_records_written_total",
        "Records written to topics of tables and committed",
        MetricOf::Worker(|worker| worker.records_out as f64),
    ),
    counter("millstream_commits_total", "Commits", MetricOf::Worker(|worker| worker.commits as f64)),
    histogram(
        "millstream_commit_duration_seconds",
        "How long commits took, from sealing them until the log had them",
        |worker| &worker.commit_seconds,
    ),
    histogram("millstream_commit_size_bytes", "What commits wrote: output and journal entries", |worker| {
        &worker.commit_bytes
    }),
    histogram(
        "millstream_e2e_latency_seconds",
        "From the timestamp of records of tables until what they brought about was committed; runs of records count by their \
         last",
        |worker| &worker.latency_seconds,
    ),
    counter(
        "millstream_txn_aborts_total",
        "Transactions that were aborted and sent again",
        MetricOf::Worker(|worker| worker.aborts as f64),
    ),
    counter(
        "millstream_txn_indoubt_total",
        "Commits whose fate had to be read from the journal",
        MetricOf::Worker(|worker| worker.in_doubt as f64),
    ),
    counter(
        "millstream_zombie_fenced_total",
        "Times that a worker dropped all of its tasks because others might own them",
        MetricOf::Worker(|worker| worker.fences as f64),
    ),
    counter(
        "millstream_producer_recreated_total",
        "Transactional writers that were replaced",
        MetricOf::Worker(|worker| worker.writers_replaced as f64),
    ),
    counter(
        "millstream_checkpoints_total",
        "Checkpoints of state written to disk",
        MetricOf::Worker(|worker| worker.checkpoints as f64),
    ),
    counter(
        "millstream_snapshots_total",
        "Snapshots of state that have become official",
        MetricOf::Worker(|worker| worker.snapshots as f64),
    ),
    counter(
        "millstream_snapshots_fetched_total",
        "Tasks that were taken over from a snapshot",
        MetricOf::Worker(|worker| worker.snapshots_fetched as f64),
    ),
    counter(
        "millstream_state_evictions_total",
        "Times that a task's live values were dropped to keep the memory budget",
        MetricOf::Worker(|worker| worker.evictions as f64),
    ),
    gauge(
        "millstream_queued_bytes",
        "Bytes that were read and wait to be processed",
        MetricOf::Worker(|worker| worker.queued_bytes as f64),
    ),
    gauge(
        "millstream_consumer_lag_records",
        "Records between a task's positions and the ends of its inputs, as last seen",
        MetricOf::Task(|task| Some(task.lag as f64)),
    ),
    gauge(
        "millstream_watermark_timestamp_seconds",
        "A task's watermark as seconds since 1970; absent while it has none, and at the end of its input",
        MetricOf::Task(|task| seconds(task.watermark)),
    ),
    gauge(
        "millstream_partition_watermark_timestamp_seconds",
        "The watermark of a partition of a table, as seconds since 1970; absent while it has none, and at its end",
        MetricOf::Input(|input| seconds(input.watermark)),
    ),
    gauge(
        "millstream_watermark_lag_seconds",
        "How far the watermark of a partition of a table is behind the clock",
        MetricOf::Input(|input| {
            seconds(input.watermark).and(input.watermark_lag_ms).map(|lag| lag as f64 / 1_000.0)
        }),
    ),
    gauge(
        "millstream_partition_idle",
        "Whether a partition of a table is caught up and quiet, so that it holds no watermark back: 1 or 0",
        MetricOf::Input(|input| Some(f64::from(u8::from(input.idle)))),
    ),
    gauge(
        "millstream_partition_lag_records",
        "Records between a task's position in a partition of a table and its end, as last seen",
        MetricOf::Input(|input| Some(input.lag as f64)),
    ),
    counter(
        "millstream_task_commits_total",
        "Number of a task's last commit, counted from the beginning of its journal",
        MetricOf::Task(|task| Some(task.commit as f64)),
    ),
    gauge(
        "millstream_state_memory_bytes",
        "State that a task holds in memory: live values, and changes that no checkpoint has yet",
        MetricOf::Task(|task| Some(task.state_bytes as f64)),
    ),
    gauge(
        "millstream_restore_remaining_records",
        "Offsets of its journal that a task has still to read before it runs",
        MetricOf::Task(|task| task.restored.map(|(read, total)| total.saturating_sub(read) as f64)),
    ),
    gauge(
        "millstream_restore_remaining_bytes",
        "Bytes of a snapshot that a task has still to fetch before it runs",
        MetricOf::Task(|task| task.fetched.map(|(done, total)| total.saturating_sub(done) as f64)),
    ),
    counter(
        "millstream_operator_records_in_total",
        "Rows taken in by an operator since its task was opened",
        MetricOf::Operator(|operator| operator.counters.rows_in as f64),
    ),
    counter(
        "millstream_operator_records_out_total",
        "Rows emitted by an operator since its task was opened",
        MetricOf::Operator(|operator| operator.counters.rows_out as f64),
    ),
    gauge(
        "millstream_operator_memory_bytes",
        "What an operator of a task holds in memory of its state",
        MetricOf::Operator(|operator| operator.memory_bytes as f64),
    ),
    dropped("late", |operator| operator.counters.late as f64),
    dropped("bad", |operator| operator.counters.bad as f64),
    dropped("null", |operator| operator.counters.null_dropped as f64),
    counter(
        "millstream_operator_records_skipped_total",
        "Records of which no row comes and that are not bad, as tombstones of an append table",
        MetricOf::Operator(|operator| operator.counters.skipped as f64),
    ),
    counter(
        "millstream_far_future_rows_total",
        "Rows too far ahead of the clock to move the watermark",
        MetricOf::Operator(|operator| operator.counters.far_future as f64),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn names_follow_the_conventions_and_say_what_they_are() {
        let mut seen: BTreeMap<&str, &Metric> = BTreeMap::new();
        for metric in METRICS {
            assert!(metric.name.starts_with("millstream_"), "{}", metric.name);
            assert_eq!(
                metric.name.ends_with("_total"),
                metric.kind == MetricKind::Counter,
                "{}",
                metric.name
            );
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.'), "{}", metric.name);
            if let Some(other) = seen.insert(metric.name, metric) {
                assert_eq!((other.help, other.labels()), (metric.help, metric.labels()), "{}", metric.name);
                assert_ne!(other.label, metric.label, "{} is there twice", metric.name);
            }
        }
    }
}
