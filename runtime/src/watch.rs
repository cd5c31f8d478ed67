//! Whether topics are still those that the job began to use, and have the partitions they had.
//!
//! Names say nothing: a topic that was deleted and made again under its name holds other records at the offsets that the
//! job knows. So the control record has the ids of all topics, and they are compared when a job starts, whenever a task
//! is taken over, every now and then while it runs, and when a read fails. Where the log gives no ids (brokers from before
//! Kafka 2.8) a topic is known to be another one only while it ends before the offset that was read last.

use crate::control::{ControlRecord, TopicMark};
use crate::error::JobError;
use crate::journal::InputMark;
use crate::log::{Admin, Isolation, Log, Offset, OffsetQuery, ReaderOptions, TopicIdentity, TopicPartition};
use crate::plan::JobPlan;
use crate::restore::{JournalReader, ReadTurn};
use std::time::{Duration, Instant};

/// How long journals are read for the words of an error.
const READ_FOR: Duration = Duration::from_secs(10);

/// What the tasks of a job have read of a topic, by the ends of their journals: partition, and the next offset. It is for
/// people only: where a journal can't be read in time, nothing is said.
pub(crate) fn read_by_journals(
    log: &dyn Log,
    admin: &mut dyn Admin,
    job: &str,
    control: &ControlRecord,
    topic: &str,
) -> Vec<(u32, Offset)> {
    let until = Instant::now() + READ_FOR;
    let mut read = Vec::new();
    for (part, tasks) in control.tasks.iter().enumerate() {
        for partition in 0..*tasks {
            let journal = TopicPartition::new(JobPlan::journal_topic_of(job, part as u32), partition);
            let Some(inputs) = last_inputs(log, admin, &journal, until) else { continue };
            let of_topic = inputs.into_iter().filter(|mark| mark.topic == topic);
            read.extend(of_topic.map(|mark| (mark.partition, mark.position)));
        }
    }
    read.sort_unstable();
    read.dedup();
    read
}

/// Where the inputs of a task stand by the last entry of its journal.
fn last_inputs(
    log: &dyn Log,
    admin: &mut dyn Admin,
    journal: &TopicPartition,
    until: Instant,
) -> Option<Vec<InputMark>> {
    let places = std::slice::from_ref(journal);
    let start = admin.offsets(places, OffsetQuery::Earliest, Isolation::ReadCommitted).ok()?[0];
    let end = admin.offsets(places, OffsetQuery::Latest, Isolation::ReadCommitted).ok()?[0];
    let reader = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).ok()?;
    let mut reader = JournalReader::from_anywhere(reader, journal.clone(), start, end).ok()?;
    let (mut entries, mut last) = (Vec::new(), None);
    while Instant::now() < until {
        let turn = reader.turn(Duration::from_millis(50), &mut entries).ok()?;
        last = entries.drain(..).next_back().map(|assembled| assembled.entry.inputs).or(last);
        if turn == ReadTurn::AtEnd {
            return last;
        }
    }
    None
}

/// By topic: what was read of it.
pub(crate) type ReadOf<'a> = &'a mut dyn FnMut(&str, &mut dyn Admin) -> Vec<(u32, Offset)>;

/// Whether topics of tables are those that the job has read.
///
/// # Errors
/// [`JobError::InputReplaced`], [`JobError::InputDeleted`]; [`JobError::Log`] when the log can't be asked.
pub(crate) fn check_inputs(
    job: &str,
    control: &ControlRecord,
    topics: &[String],
    admin: &mut dyn Admin,
    read_of: ReadOf<'_>,
) -> Result<(), JobError> {
    let found = admin.identify_topics(topics)?;
    for (topic, found) in topics.iter().zip(found) {
        let Some(mark) = control.topics.get(topic) else { continue };
        let Some(found) = found else {
            let read = read_of(topic, admin);
            return Err(JobError::InputDeleted { job: job.to_owned(), topic: topic.clone(), read });
        };
        if is_another(mark, &found) {
            let read = read_of(topic, admin);
            return Err(replaced(job, topic, Some((mark, &found)), read, admin));
        }
    }
    Ok(())
}

/// Whether a topic is another than the one that was.
pub(crate) fn is_another(mark: &TopicMark, found: &TopicIdentity) -> bool {
    // Partitions never become fewer.
    matches!((mark.id, found.id), (Some(before), Some(now)) if before != now)
        || found.partitions < mark.partitions
}

/// That a topic was made anew, in words.
pub(crate) fn replaced(
    job: &str,
    topic: &str,
    ids: Option<(&TopicMark, &TopicIdentity)>,
    read: Vec<(u32, Offset)>,
    admin: &mut dyn Admin,
) -> JobError {
    let ids = match ids {
        Some((TopicMark { id: Some(before), .. }, TopicIdentity { id: Some(now), .. })) => {
            format!(" (its id was {before} and is {now})")
        }
        _ => String::new(),
    };
    let now = ranges(topic, admin);
    JobError::InputReplaced { job: job.to_owned(), topic: topic.to_owned(), ids, read, now }
}

/// What is in the partitions of a topic now, for people.
fn ranges(topic: &str, admin: &mut dyn Admin) -> String {
    let name = [topic.to_owned()];
    let partitions = admin.identify_topics(&name).ok().and_then(|found| found.first().copied().flatten());
    let places: Vec<TopicPartition> = (0..partitions.map_or(0, |found| found.partitions))
        .map(|partition| TopicPartition::new(topic, partition))
        .collect();
    let mut ask = |query| admin.offsets(&places, query, Isolation::ReadUncommitted).unwrap_or_default();
    let (starts, ends) = (ask(OffsetQuery::Earliest), ask(OffsetQuery::Latest));
    let ranges = places
        .iter()
        .zip(starts.iter().zip(ends))
        .map(|(place, (start, end))| format!("offsets {start} to {end} of partition {}", place.partition));
    let ranges: Vec<String> = ranges.collect();
    if ranges.is_empty() { "what it holds is not known".to_owned() } else { ranges.join(", ") }
}
