//! `/metrics`: the runtime's table of metrics, and what the server itself knows of jobs, in Prometheus' text format.

use crate::board::{Board, JobState, JobView};
use millstream_runtime::metrics::{METRICS, Metric, MetricKind, MetricOf};
use millstream_runtime::worker::TaskStatus;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Sample, MetricFamily, MetricType,
};
use prometheus::{Encoder, Registry, TextEncoder};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// A metric that the server knows of a job, with the label `job` and perhaps another.
#[derive(Debug, Clone, Copy)]
pub struct JobMetric {
    /// Its name.
    pub name: &'static str,
    /// What it says, with its unit.
    pub help: &'static str,
    /// Whether it only rises.
    pub kind: MetricKind,
    /// Its other label.
    pub label: Option<&'static str>,
    read: fn(&JobView) -> Vec<(&'static str, f64)>,
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// What the server knows of jobs.
pub const JOB_METRICS: &[JobMetric] = &[
    JobMetric {
        name: "millstream_job_restarts_total",
        help: "How often a job was started again in this process after it had failed",
        kind: MetricKind::Counter,
        label: None,
        read: |view| vec![("", view.restarts as f64)],
    },
    JobMetric {
        name: "millstream_job_state",
        help: "Whether a job is in a state: 1 for the one it is in, 0 for the others",
        kind: MetricKind::Gauge,
        label: Some("state"),
        read: |view| {
            let now = view.state();
            JobState::ALL.iter().map(|state| (state.name(), f64::from(u8::from(*state == now)))).collect()
        },
    },
    JobMetric {
        name: "millstream_job_start_time_seconds",
        help: "When a job was started in this process, seconds since 1970",
        kind: MetricKind::Gauge,
        label: None,
        read: |view| vec![("", seconds(view.started))],
    },
    JobMetric {
        name: "millstream_last_commit_timestamp_seconds",
        help: "When a job committed last in this process, seconds since 1970; absent before its first commit",
        kind: MetricKind::Gauge,
        label: None,
        read: |view| view.committed.iter().map(|(at, _)| ("", seconds(*at))).collect(),
    },
    JobMetric {
        name: "millstream_tasks",
        help: "Tasks of a job in this process, by what they are doing",
        kind: MetricKind::Gauge,
        label: Some("state"),
        read: |view| {
            let tasks = || view.workers.iter().flat_map(|worker| worker.tasks.iter());
            let count =
                |state: &'static str| (state, tasks().filter(|task| task.state == state).count() as f64);
            ["waiting", "restoring", "running"].map(count).to_vec()
        },
    },
];

/// Everything, as Prometheus reads it.
pub(crate) fn text(board: &Board) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    registry.register(Box::new(Jobs::new(board.clone())?))?;
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    // The encoder writes text.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A page about all metrics, as Markdown: name, kind, labels, meaning.
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics\n\nWhat `/metrics` shows. This page is made from the tables of metrics in `runtime/src/metrics.rs` and\n\
         `server/src/metrics.rs`.\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    let mut last = "";
    for metric in METRICS.iter() {
        if std::mem::replace(&mut last, metric.name) == metric.name {
            continue;
        }
        let kind = kind_name(metric.kind);
        let labels = metric.labels().join(", ");
        // Writing to a string does not fail.
        let _ = writeln!(text, "| `{}` | {kind} | {labels} | {} |", metric.name, metric.help);
    }
    for metric in JOB_METRICS {
        let labels: Vec<&str> = ["job"].into_iter().chain(metric.label).collect();
        let kind = kind_name(metric.kind);
        let _ = writeln!(text, "| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help);
    }
    text.push_str("| `millstream_build_info` | gauge | version | Always 1: which version runs |\n");
    text
}

fn kind_name(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    }
}

fn kind_of(kind: MetricKind) -> MetricType {
    match kind {
        MetricKind::Counter => MetricType::COUNTER,
        MetricKind::Gauge => MetricType::GAUGE,
        MetricKind::Histogram => MetricType::HISTOGRAM,
    }
}

struct Jobs {
    board: Board,
    descriptions: Vec<Desc>,
}

impl Jobs {
    fn new(board: Board) -> Result<Self, prometheus::Error> {
        let by_name: BTreeMap<&str, &Metric> = METRICS.iter().map(|metric| (metric.name, metric)).collect();
        let owned = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
        let describe = |name: &str, help: &str, labels: Vec<&str>| {
            Desc::new(name.to_owned(), help.to_owned(), owned(labels), Default::default())
        };
        let of_workers = by_name.values().map(|metric| describe(metric.name, metric.help, metric.labels()));
        let of_jobs = JOB_METRICS.iter().map(|metric| {
            describe(metric.name, metric.help, ["job"].into_iter().chain(metric.label).collect())
        });
        Ok(Jobs { descriptions: of_workers.chain(of_jobs).collect::<Result<_, _>>()?, board })
    }
}

impl Collector for Jobs {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let jobs = self.board.now();
        let mut families: BTreeMap<&str, MetricFamily> = BTreeMap::new();
        for metric in METRICS {
            let family = families
                .entry(metric.name)
                .or_insert_with(|| family(metric.name, metric.help, kind_of(metric.kind)));
            jobs.iter().for_each(|(job, view)| add(metric, job, view, family));
        }
        for metric in JOB_METRICS {
            let family = families
                .entry(metric.name)
                .or_insert_with(|| family(metric.name, metric.help, kind_of(metric.kind)));
            for (job, view) in &jobs {
                for (value_of_label, value) in (metric.read)(view) {
                    let labels = metric.label.map(|name| (name, value_of_label.to_owned()));
                    let labels = [("job", job.clone())].into_iter().chain(labels).collect();
                    family.mut_metric().push(sample(metric.kind, labels, value));
                }
            }
        }
        let mut build = family("millstream_build_info", "Always 1: which version runs", MetricType::GAUGE);
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        build.mut_metric().push(sample(MetricKind::Gauge, version, 1.0));
        families.into_values().chain([build]).filter(|family| !family.get_metric().is_empty()).collect()
    }
}

fn family(name: &str, help: &str, kind: MetricType) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family
}

/// The samples of a metric in a job.
fn add(metric: &Metric, job: &str, view: &JobView, family: &mut MetricFamily) {
    let labels = |whose: Vec<(&'static str, String)>| -> Vec<(&'static str, String)> {
        let extra = metric.label.map(|(name, value)| (name, value.to_owned()));
        [("job", job.to_owned())].into_iter().chain(whose).chain(extra).collect()
    };
    let mut push = |whose: Vec<(&'static str, String)>, value: f64| {
        family.mut_metric().push(sample(metric.kind, labels(whose), value));
    };
    let task_of = |task: &TaskStatus| ("task", task.id.to_string());
    match metric.of {
        MetricOf::Worker(read) => {
            let workers = view.workers.iter().enumerate();
            workers.for_each(|(index, worker)| push(vec![("worker", index.to_string())], read(worker)));
        }
        MetricOf::WorkerHistogram(read) => {
            for (index, worker) in view.workers.iter().enumerate() {
                let mut sample = labelled(labels(vec![("worker", index.to_string())]));
                sample.set_histogram(histogram(read(worker)));
                family.mut_metric().push(sample);
            }
        }
        MetricOf::Task(read) => {
            view.tasks()
                .for_each(|task| read(task).into_iter().for_each(|value| push(vec![task_of(task)], value)));
        }
        MetricOf::Operator(read) => {
            for (task, operator) in
                view.tasks().flat_map(|task| task.operators.iter().map(move |of| (task, of)))
            {
                push(vec![task_of(task), ("operator", operator.name.clone())], read(operator));
            }
        }
        MetricOf::Input(read) => {
            for (task, input) in view.tasks().flat_map(|task| task.inputs.iter().map(move |of| (task, of))) {
                let place = &input.place;
                let place = [("topic", place.topic.to_string()), ("partition", place.partition.to_string())];
                let whose = [task_of(task)].into_iter().chain(place).collect();
                read(input).into_iter().for_each(|value| push(Vec::clone(&whose), value));
            }
        }
    }
}

fn histogram(from: &millstream_runtime::metrics::Histogram) -> Histogram {
    let buckets = from.cumulative().map(|(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect::<Vec<_>>());
    histogram.set_sample_count(from.count());
    histogram.set_sample_sum(from.sum());
    histogram
}

fn labelled(labels: Vec<(&'static str, String)>) -> Sample {
    let mut sample = Sample::default();
    let pairs = labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value);
        pair
    });
    sample.set_label(pairs.collect::<Vec<_>>());
    sample
}

fn sample(kind: MetricKind, labels: Vec<(&'static str, String)>, value: f64) -> Sample {
    let mut sample = labelled(labels);
    match kind {
        MetricKind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(value);
            sample.set_counter(counter);
        }
        // One number is no histogram.
        MetricKind::Gauge | MetricKind::Histogram => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            sample.set_gauge(gauge);
        }
    }
    sample
}
