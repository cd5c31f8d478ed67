//! Why a savepoint can't be taken, or a job not be started from it.

use crate::log::TopicPartition;
use crate::snapshot::StoreError;
use millstream_operators::Offset;

/// Why a savepoint can't be taken, or a job not be started from it. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SavepointError {
    /// There is none.
    #[error(
        "there is no savepoint in {location}: it has no savepoint.json. One that could not be finished has none: take it again"
    )]
    Missing {
        /// Where it was looked for.
        location: String,
    },
    /// It can't be understood.
    #[error("the savepoint in {location} is damaged: its savepoint.json {detail}; use another one")]
    Damaged {
        /// Where it is.
        location: String,
        /// What is wrong.
        detail: String,
    },
    /// A newer millstream took it.
    #[error(
        "the savepoint in {location} has format {found}, this version reads up to {supported}; use the newer millstream"
    )]
    Newer {
        /// Where it is.
        location: String,
        /// Format found.
        found: u32,
        /// Newest format this version reads.
        supported: u32,
    },
    /// The store refuses or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A savepoint is there already.
    #[error("{location} holds a savepoint already, of job \"{job}\"; give each a location of its own (--to)")]
    Occupied {
        /// The location.
        location: String,
        /// The job whose savepoint it is.
        job: String,
    },
    /// The job has nothing to keep.
    #[error(
        "job \"{job}\" has committed nothing on this log yet: there is nothing to save. --job, --log and \
         --bootstrap-servers say which job is meant"
    )]
    NotStarted {
        /// The job.
        job: String,
    },
    /// Other processes run it.
    #[error(
        "job \"{job}\" is running: its group \"{group}\" has members. Stop all its processes (Ctrl-C, or SIGTERM), then \
         take the savepoint; if they were killed, the group forgets them within a minute"
    )]
    Running {
        /// The job.
        job: String,
        /// Its group.
        group: String,
    },
    /// Tasks are not given to this process, or were taken away.
    #[error(
        "another process of job \"{job}\" has its task {task}; stop all of them, then take the savepoint again"
    )]
    Elsewhere {
        /// The job.
        job: String,
        /// One of the tasks.
        task: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted: no savepoint was taken, and the job stands where it stood")]
    Interrupted,
    /// The plan has operators whose state is not in it, or lacks some that have.
    #[error(
        "the savepoint of job \"{job}\" does not fit this plan, which means something else by its state: {}. Undo the \
         change, or start without --from: the job then begins anew", .changes.join("; and ")
    )]
    PlanChanged {
        /// The job it was taken of.
        job: String,
        /// What changed, an operator each.
        changes: Vec<String>,
    },
    /// Nothing says what its state means.
    #[error(
        "the savepoint of job \"{job}\" is from a version of millstream that did not write down what its state means, and \
         this plan is not the one that it had: whether the state fits can't be told. Start it with the file that it had, \
         and change the file after that; or start without --from"
    )]
    PlanUnknown {
        /// The job it was taken of.
        job: String,
    },
    /// A topic has partitions that the job's tasks must not read.
    #[error(
        "topic {topic} has {now} partitions now, and the savepoint has {before} tasks that read it: {why}. Start without \
         --from, which reads all of the topic from its beginning"
    )]
    PartitionsDoNotFit {
        /// The topic.
        topic: String,
        /// Tasks that read it.
        before: u32,
        /// Partitions now.
        now: u32,
        /// Why they must not.
        why: &'static str,
    },
    /// The job had another number of tasks.
    #[error(
        "the savepoint has {before} tasks in sub-topology {sub_topology}, but the topics that it reads have {now} \
         partitions now: rows of a key would be split from their state; start without --from"
    )]
    TasksChanged {
        /// The sub-topology.
        sub_topology: usize,
        /// Tasks in the savepoint.
        before: u32,
        /// Partitions now.
        now: u32,
    },
    /// The plan does not read what the savepoint stands in.
    #[error(
        "the savepoint stands in {place}, which task {task} of this plan does not read: records would be left out or come \
         again from another topic; read it, or start without --from"
    )]
    InputGone {
        /// The partition.
        place: TopicPartition,
        /// The task that read it.
        task: String,
    },
    /// Input that was bounded, and has ended for the tasks, is not bounded any more.
    #[error(
        "the job had read {place} to its end (scan.bounded.mode), and with it event time has ended: every window is closed. It \
         can't go on with it unbounded; start without --from"
    )]
    InputEnded {
        /// The partition.
        place: TopicPartition,
    },
    /// Its positions belong to another cluster.
    #[error(
        "the savepoint was taken on cluster {taken} ({log}), this is {now}: its positions mean nothing in these topics"
    )]
    OtherCluster {
        /// The savepoint's.
        taken: String,
        /// Where that was.
        log: String,
        /// This one.
        now: String,
    },
    /// A topic ends before where it was read.
    #[error(
        "the savepoint stands at offset {position} of {place}, which ends at {end}: the topic was removed and made again, \
         and its records are others. Start without --from"
    )]
    BehindEnd {
        /// The partition.
        place: TopicPartition,
        /// Where the savepoint stands.
        position: Offset,
        /// Where it ends.
        end: Offset,
    },
    /// The job is there already.
    #[error(
        "job \"{job}\" has a journal already{before}: a savepoint starts a job anew. Run it without --from to go on where \
         it stands; or start from the savepoint under another name (--job); or remove its topics millstream.{job}.* and \
         its state directory first"
    )]
    JobExists {
        /// The job.
        job: String,
        /// Which savepoint it was started from, if any.
        before: String,
    },
    /// A topic can't be read from its beginning in the place of the one that was read.
    #[error("--restart-topic {topic}: {reason}")]
    CantRestart {
        /// The topic.
        topic: String,
        /// Why not.
        reason: String,
    },
    /// The job was started from it with other topics restarted.
    #[error(
        "the job was started from the savepoint in {location} with other topics restarted; leave --restart-topic out to go on with \
         it, or start another job (--job)"
    )]
    RestartedOtherwise {
        /// Where the savepoint was.
        location: String,
    },
    /// A start from it was cut short, and it can't be had now.
    #[error(
        "job \"{job}\" was being started from the savepoint in {location} and has not committed yet, and: {reason}. Say where \
         the savepoint is now (run --from PLACE); or start over: remove its topics millstream.{job}.*"
    )]
    StartCutShort {
        /// The job.
        job: String,
        /// Where the savepoint was.
        location: String,
        /// Why it can't be had.
        reason: String,
    },
    /// What a task needs of it can't be had.
    #[error(
        "task {task} needs the savepoint that its job was started from, in {location}, since it has neither state nor \
         snapshots of its own yet: {reason}. Give it back, or say where it is now: run --from PLACE"
    )]
    Unusable {
        /// The task.
        task: String,
        /// Where it was.
        location: String,
        /// Why it can't be had.
        reason: String,
    },
    /// The state of a task could not be stored.
    #[error("storing the state of task {task} failed: {reason}")]
    Upload {
        /// The task.
        task: String,
        /// Why.
        reason: String,
    },
}
