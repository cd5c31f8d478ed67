//! What ends a job, and what the user can do about it.

mod kind;

use crate::control::ControlError;
use crate::journal::JournalError;
use crate::log::LogError;
use crate::savepoint::SavepointError;
use crate::snapshot::StoreError;
use crate::task::TaskError;
use millstream_operators::formats::LookupError;
use millstream_operators::{CutError, Offset, TopicPartition};
use millstream_state::StateError;

/// Why a job can't run, or can't go on. What was committed is never touched.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The topology does not fit the topics.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The job was started with another plan or other partition counts.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A task can't go on with its input.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A journal can't be trusted.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state directory refuses or failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log refuses or failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A schema registry refuses, or does not answer at a start.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A setting of a program makes no sense.
    #[error("{key}: {reason}")]
    Setting {
        /// The setting, or the variable of the environment.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Records that were not read yet are gone.
    #[error(
        "DATA LOSS: offsets {from} to {start} of {place} were removed before task {task} had read them; \
         keep input longer than the job may be down (retention.ms, retention.bytes). To go on without these records, \
         start the job under another name (--job)"
    )]
    DataLoss {
        /// The task that was to read them.
        task: String,
        /// The partition.
        place: TopicPartition,
        /// The next offset to read.
        from: Offset,
        /// The first offset there is.
        start: Offset,
    },
    /// A topic that the job reads was deleted, and another made under its name.
    #[error(
        "DATA LOSS: topic {topic} is not the one that job \"{job}\" has read: it was deleted and made anew{}. Of the one \
         before, {} were read; what stood behind that is lost unread. Of the new one nothing was read: {}. \
         To read the new topic from its beginning and keep the state that came of the old one: millstream savepoint FILE \
         --to PLACE, then millstream run FILE --job NAME --from PLACE --restart-topic {topic}. To begin with nothing, start \
         the job under another name (--job) with 'scan.startup.mode' = 'earliest-offset' in the file; give it other sinks, \
         or empty ones, if results of the old topic must not be mixed with those of the new", .ids, reads(.read,
        "up to offset"), .now
    )]
    InputReplaced {
        /// The job.
        job: String,
        /// The topic.
        topic: String,
        /// The ids, for people.
        ids: String,
        /// What was read of the one before: partition, and the next offset.
        read: Vec<(u32, Offset)>,
        /// What there is now, for people.
        now: String,
    },
    /// A topic that the job reads was deleted.
    #[error(
        "DATA LOSS: topic {topic}, which job \"{job}\" reads, was deleted. Of it, {} were read; what stood behind that is \
         lost unread. A topic made under its name is another one. To read that from its beginning and keep the state: create \
         it, then millstream savepoint FILE --to PLACE, and millstream run FILE --job NAME --from PLACE --restart-topic \
         {topic}. To begin with nothing, start the job under another name (--job)", reads(.read, "up to offset")
    )]
    InputDeleted {
        /// The job.
        job: String,
        /// The topic.
        topic: String,
        /// What was read of it: partition, and the next offset.
        read: Vec<(u32, Offset)>,
    },
    /// Another process reads partitions that were added to a topic, and that this one does not see yet.
    #[error(
        "another process of job \"{job}\" reads partition {partition} of topic {topic}, which the log does not show to this \
         one; start it again"
    )]
    MorePartitions {
        /// The job.
        job: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
    },
    /// Topics of the job itself were deleted while others of it are there.
    #[error(
        "{} of job \"{job}\" {}, while its control topic {control} is there: where its tasks stand, or what was on its \
         way between them, is lost, and going on would repeat or lose records. Start from a savepoint under another name \
         (--job NAME --from PLACE), or under another name from the beginning of its input; or, to start over under this \
         name, delete all topics millstream.{job}.*, its state directory and its snapshots", .topics.join(", "), .what
    )]
    OwnTopicDeleted {
        /// The job.
        job: String,
        /// The topics.
        topics: Vec<String>,
        /// What happened to them: `was deleted`, `was deleted and made anew`.
        what: &'static str,
        /// The control topic.
        control: String,
    },
    /// The job's topics are gone while other remains of it are there.
    #[error(
        "job \"{job}\" has neither a control topic nor a journal on this log, but {remains}: its topics were deleted, and \
         starting it anew would repeat what it has written. Start from a savepoint under another name (--job NAME --from \
         PLACE); or, to start over, delete {what} as well, or give the job another name (--job)"
    )]
    TopicsDeleted {
        /// The job.
        job: String,
        /// What is there.
        remains: String,
        /// What to delete.
        what: String,
    },
    /// The beginning of a journal was purged, and no snapshot that stands for it can be had.
    #[error(
        "the state of task {task} can't be restored: its journal {journal} begins with entry {first}, and no snapshot \
         can be used ({failures}). Give back the snapshots or the state directory that the job had, or start it under \
         another name (--job)"
    )]
    StateLost {
        /// The task.
        task: String,
        /// Its journal partition.
        journal: TopicPartition,
        /// Number of the first entry there is.
        first: u64,
        /// Why each snapshot can't be used.
        failures: String,
    },
    /// A savepoint can't be taken, or the job not be started from it.
    #[error(transparent)]
    Savepoint(#[from] SavepointError),
    /// The place for snapshots is wrong or refuses.
    #[error(transparent)]
    Snapshots(#[from] StoreError),
    /// The group's committed offset and the journal contradict each other.
    #[error(
        "the journal {journal} ends at {chain}, but group \"{group}\" has committed {committed}: somebody reset the \
         group's offsets or cut the journal, and going on would lose or repeat records; undo that, or start the job \
         under another name (--job)"
    )]
    Contradiction {
        /// The journal partition.
        journal: TopicPartition,
        /// The group.
        group: String,
        /// Where the journal ends.
        chain: String,
        /// What the group committed.
        committed: String,
    },
    /// The control record is gone while journals are there.
    #[error(
        "job \"{job}\" has a journal but no control record in topic {topic}: that topic was deleted, or cut. Start from a \
         savepoint under another name (--job NAME --from PLACE), or under another name from the beginning of its input; or, \
         to start over under this name, delete all topics millstream.{job}.*, its state directory and its snapshots"
    )]
    ControlMissing {
        /// The job.
        job: String,
        /// The control topic.
        topic: String,
    },
    /// The log refuses a record of a task, every time.
    #[error("task {task} can't commit: {place}: {reason}")]
    Refused {
        /// The task.
        task: String,
        /// The partition the record was for.
        place: TopicPartition,
        /// Why.
        reason: String,
    },
    /// A topic for dead letters is not there. It is not made: how long letters are kept is somebody's decision.
    #[error("topic \"{topic}\", for dead letters of table {table}, does not exist")]
    DeadLetterTopic {
        /// The table.
        table: String,
        /// The topic.
        topic: String,
    },
    /// An internal topic has other partitions than the job needs.
    #[error(
        "topic {topic}, the job's own, has {found} partitions and needs {needed}: somebody has changed it, or it was left by \
         another job of this name; start the job under another name (--job), or delete all topics of that job"
    )]
    InternalTopic {
        /// The topic.
        topic: String,
        /// Partitions found.
        found: u32,
        /// Partitions needed.
        needed: u32,
    },
    /// Another process of the same job uses the state directory.
    #[error(
        "state directory {path} is in use by {owner}; give each process of a job its own --state directory"
    )]
    StateInUse {
        /// The directory.
        path: String,
        /// Who has it.
        owner: String,
    },
    /// Lines of `print` tables can't be written.
    #[error(
        "{to} takes nothing more: {reason}; {lost} lines of rows that are committed were not printed and will not be \
         printed by the next start, which goes on from the last commit"
    )]
    Print {
        /// Where they were to go.
        to: &'static str,
        /// Why they did not.
        reason: String,
        /// Lines that were not printed.
        lost: usize,
    },
    /// What a table's rows become outside of the log can't be written.
    #[error(
        "table {table} can't be written: {reason}. Everything that is committed is there, in files or in the log: started \
         again once the cause is mended, the job goes on with it"
    )]
    Outlet {
        /// The table.
        table: String,
        /// What failed.
        reason: String,
    },
    /// A worker thread ended without a word.
    #[error("worker {0} panicked; this is a defect of millstream, please report it with the lines above")]
    Panicked(usize),
}

/// What was read, by partition, for people.
fn reads(read: &[(u32, Offset)], upto: &str) -> String {
    if read.is_empty() {
        return "no records".to_owned();
    }
    let read: Vec<String> =
        read.iter().map(|(partition, offset)| format!("{upto} {offset} of partition {partition}")).collect();
    format!("records {}", read.join(", "))
}
