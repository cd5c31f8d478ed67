//! The parts of a bundle, each a text. One that can't be had says why in its place, and the others are there.

use crate::cli::Failure;
use crate::cli::client::ServerArgs;
use crate::cli::log_args::LogArgs;
use crate::cli::state::{self, export::plan_on};
use crate::cli::topic::described;
use millstream::log::{Admin, Isolation, Log, TopicPartition};
use millstream::operators::NodeSpec;
use millstream::sql::SqlJob;
use std::fmt::Write;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// How much of a file of log lines is taken, from its end.
const LOG_BYTES_MAX: u64 = 512 << 10;
/// How many topics, and how many files of state, are looked at.
const TOPICS_MAX: usize = 1_000;
const FILES_MAX: usize = 20_000;

/// What this is, and where it runs.
pub(super) fn versions() -> String {
    let mut text = format!("millstream {}\n", env!("CARGO_PKG_VERSION"));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH);
    for file in ["/proc/version", "/etc/os-release", "/proc/loadavg", "/proc/meminfo", "/proc/self/limits"] {
        let found = std::fs::read_to_string(file).unwrap_or_else(|error| format!("{error}\n"));
        let _ = writeln!(text, "\n# {file}\n{}", found.trim_end());
    }
    text
}

/// All topics, with their settings and offsets.
pub(super) fn topics(log: &Arc<dyn Log>) -> Result<String, Failure> {
    let mut admin = log.admin()?;
    let names = admin.topics()?;
    let mut text = format!("{} topics\n", names.len());
    for name in names.iter().take(TOPICS_MAX) {
        let found = described(&mut *admin, name);
        let _ = writeln!(text, "\n{}", found.unwrap_or_else(|failure| format!("{name}: {failure}")));
    }
    Ok(text)
}

/// Where a job's group stands in what it reads.
pub(super) fn group(log: &Arc<dyn Log>, job: &SqlJob, name: &str) -> Result<String, Failure> {
    let plan = plan_on(log, job, name)?;
    let mut admin = log.admin()?;
    let group = plan.group().to_owned();
    let mut text = format!("group {group}, {} tasks\n", plan.tasks().count());
    for topic in read_by(job) {
        let Some(found) = admin.describe_topic(&topic)? else {
            let _ = writeln!(text, "{topic} is not there");
            continue;
        };
        let places: Vec<TopicPartition> =
            (0..found.partitions).map(|partition| TopicPartition::new(topic.as_str(), partition)).collect();
        let committed = positions(&mut *admin, &group, &places)?;
        for (place, position) in places.iter().zip(committed) {
            let position = position.map_or_else(|| "nothing yet".to_owned(), |position| position.to_string());
            let _ = writeln!(text, "{place} at {position}");
        }
    }
    Ok(text)
}

fn positions(
    admin: &mut dyn Admin,
    group: &str,
    places: &[TopicPartition],
) -> Result<Vec<Option<u64>>, Failure> {
    let committed = admin.committed(group, places, Isolation::ReadUncommitted)?;
    Ok(committed.into_iter().map(|committed| committed.map(|committed| committed.offset)).collect())
}

fn read_by(job: &SqlJob) -> Vec<String> {
    let topics = job.topology.nodes().iter().filter_map(|node| match &node.spec {
        NodeSpec::Source(source) => Some(source.topics.iter().cloned()),
        _ => None,
    });
    let mut topics: Vec<String> = topics.flatten().collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// The files below a directory with their sizes, and what the directories of tasks hold.
pub(super) fn states(directory: &Path) -> String {
    let mut text = format!("{}\n", directory.display());
    let mut left = FILES_MAX;
    list(directory, directory, &mut left, &mut text);
    if left == 0 {
        let _ = writeln!(text, "and more");
    }
    for job in directories(directory) {
        let found =
            state::described(&job).unwrap_or_else(|failure| format!("{}: {failure}\n", job.display()));
        let _ = write!(text, "\n{found}");
    }
    text
}

fn directories(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn list(root: &Path, directory: &Path, left: &mut usize, text: &mut String) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if *left == 0 {
            return;
        }
        *left -= 1;
        // What is a link leads elsewhere.
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if metadata.is_dir() {
            let _ = writeln!(text, "{:>14}  {shown}/", "");
            list(root, &path, left, text);
        } else {
            let _ = writeln!(text, "{:>14}  {shown}", metadata.len());
        }
    }
}

/// The last lines of a file.
pub(super) fn tail(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::Io(format!("{}: {error}", path.display()));
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let from = length.saturating_sub(LOG_BYTES_MAX);
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line may have lost its beginning.
    let begins = if from == 0 { 0 } else { text.find('\n').map_or(0, |at| at + 1) };
    Ok(text.get(begins..).unwrap_or_default().to_owned())
}

/// What a server tells, by path; of each job what it says of it.
pub(super) fn of_server(server: &ServerArgs) -> Vec<(String, Result<String, Failure>)> {
    let get = |path: &str| server.ask("GET", path, None);
    let mut parts = vec![
        ("server/readyz.txt".to_owned(), server.send("GET", "/readyz", None).map(|answer| answer.body)),
        ("server/metrics.txt".to_owned(), get("/metrics")),
    ];
    let jobs = get("/api/v1/jobs");
    let known = jobs.as_deref().ok().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let all = known.as_ref().and_then(|known| known.as_array().or_else(|| known["jobs"].as_array()));
    for name in all.into_iter().flatten().filter_map(|job| job["name"].as_str()).take(TOPICS_MAX) {
        // A name of a job is no path.
        let path = format!("/api/v1/jobs/{name}");
        parts.push((format!("server/jobs/{name}/status.json"), get(&path)));
        parts.push((format!("server/jobs/{name}/log.txt"), get(&format!("{path}/log"))));
    }
    parts.push(("server/jobs.json".to_owned(), jobs));
    parts
}

/// The log of a command, opened for looking.
pub(super) fn log(args: &LogArgs, job: Option<&SqlJob>) -> Result<Arc<dyn Log>, Failure> {
    args.choose(job)?.open_for_topics(false)
}
