//! Counts the words of a text, exactly once, with typed streams on an embedded log.
//!
//! ```text
//! cargo run --release --example word_count [DIRECTORY]
//! ```
//! The log and the job's state are kept in DIRECTORY, or in a temporary one. Run it again on the same directory, and it
//! goes on counting where it ended.

use millstream::log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream::log::{Log, LogError, RecordsBuilder, TopicPartition, TopicSpec};
use millstream::replay::read_all;
use millstream::{Job, JobSettings, Topology, TopologyError, Until, typed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const PARTITIONS: u32 = 2;

const TEXT: &str = "\
Water comes down the stream and turns the wheel
the wheel turns the shaft and the shaft turns the stone
grain goes in and flour comes out
the stream does not ask how much grain there is
and the mill does not ask where the stream ends";

/// A record of the topic `lines`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Words with blanks between.
    pub text: String,
}

/// How often each word occurs in the topic `lines`: the records of the topic `counts`, by word.
///
/// # Errors
/// When the job's parts do not fit each other.
pub fn word_count() -> Result<Topology, TopologyError> {
    let program = typed::Program::new();
    program
        .read::<Line>("lines")
        .flat_map(|line| line.text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>())
        .key_by(|word| word.clone())
        .count()
        .to("counts");
    program.topology()
}

fn main() -> Result<(), Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let given = std::env::args_os().nth(1);
    let directory = given.as_ref().map_or(temporary.path(), Path::new);
    for (word, count) in run(directory)? {
        println!("{count:>4} {word}");
    }
    Ok(())
}

/// Writes the text to the log, runs the job until it has read everything, and gives the counts.
///
/// # Errors
/// When the log or the job fails.
pub fn run(directory: &Path) -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
    let log: Arc<dyn Log> = Arc::new(EmbeddedLog::open(directory.join("log"), &EmbeddedOptions::default())?);
    write_text(&*log)?;

    let mut settings = JobSettings::new("word-count");
    settings.state_directory = Some(directory.join("state"));
    Job::start(&word_count()?, &log, &settings)?.wait(Until::Drained)?;

    read_counts(&*log)
}

fn write_text(log: &dyn Log) -> Result<(), Box<dyn Error>> {
    match log.admin()?.create_topic(&TopicSpec::new("lines", PARTITIONS)) {
        Ok(()) | Err(LogError::TopicExists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut writer = log.writer()?;
    for (text, partition) in TEXT.lines().zip((0..PARTITIONS).cycle()) {
        let line = serde_json::to_vec(&Line { text: text.to_owned() })?;
        let mut records = RecordsBuilder::default();
        records.push(None, Some(&line), 0);
        writer.write(&TopicPartition::new("lines", partition), records.finish())?;
    }
    Ok(writer.flush(Duration::from_secs(10))?)
}

/// The last count of each word: what a table is, in a log.
fn read_counts(log: &dyn Log) -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
    let mut counts = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let records = read_all(log, &TopicPartition::new("counts", partition))?;
        for record in records.iter() {
            let word = String::from_utf8(record.key.unwrap_or_default().to_vec())?;
            counts.insert(word, serde_json::from_slice(record.value.unwrap_or(b"0"))?);
        }
    }
    Ok(counts)
}
