//! Savepoints: a copy of a job, kept by request, that another job can be started from.
//!
//! A [`Savepoint`] says where every task of a job stands and which objects hold its state. It is kept with these
//! objects, in one directory or below one URL, and needs nothing else of the job: topics, journals, state directories and
//! snapshots may be gone. [`take`] makes one of a job that does not run; [`OpenSavepoint`] is one that was found, which a
//! job is started from with [`crate::job::JobSettings::from`].
//!
//! ```text
//! PLACE/savepoint.json                 the manifest: written last, so that a savepoint is there whole or not at all
//! PLACE/JOB/INCARNATION/TASK/m-..      the manifest of a task's state, as for a snapshot
//! PLACE/JOB/INCARNATION/TASK/f-..      its files
//! ```
//!
//! The rule it keeps: a savepoint is one consistent cut. All tasks stand at the ends of their journals, and nothing that
//! one of them has written for another is still to be read: it holds no records, only state and positions in the topics
//! of tables.

mod error;
mod fit;
mod inspect;
mod location;
mod steps;
mod take;

pub use error::SavepointError;
pub use location::{OpenSavepoint, open_location};
pub use steps::{SavepointPart, are_ends, store_part, write_savepoint};
pub use take::{TakeProgress, TakeSettings, take};

use crate::control::ControlRecord;
use crate::journal::InputMark;
use crate::plan::TaskId;
use crate::snapshot::{CheckpointNote, SnapshotRef};
use millstream_operators::{EventTime, Offset};
use millstream_state::{CheckpointMark, StateIdentity, content_name};
use serde::{Deserialize, Serialize};

/// Format of the manifest. Raised when a reader of the older format would misread the newer.
const FORMAT: u32 = 1;
/// Name of the manifest.
pub(crate) const MANIFEST: &str = "savepoint.json";
/// What its last line begins with.
const CHECKSUM: &str = "blake3 ";

/// What a savepoint consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Savepoint {
    /// Format of the manifest.
    pub format: u32,
    /// Version of millstream that took it.
    pub version: String,
    /// When it was taken, milliseconds since 1970.
    pub taken_ms: i64,
    /// Name of the job.
    pub job: String,
    /// Id of the log's cluster: positions mean something only there.
    pub cluster: String,
    /// The log, for people.
    pub log: String,
    /// What was fixed for the job when it first started, and its plan.
    pub control: ControlRecord,
    /// Its tasks.
    pub tasks: Vec<SavepointTask>,
}

/// A task of a savepoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointTask {
    /// The task.
    pub task: String,
    /// Number of the commit it stands at.
    pub commit: u64,
    /// Hash of that commit's entry, in hexadecimal.
    pub hash: String,
    /// Where its entry began in the journal of the job.
    pub journal_offset: Offset,
    /// Name of the manifest of its state.
    pub manifest: String,
    /// Bytes of its state.
    pub bytes: u64,
    /// Files of its state.
    pub files: usize,
    /// Its watermark.
    pub watermark: EventTime,
    /// Its last clock reading, milliseconds since 1970.
    pub now_ms: i64,
    /// Where its inputs stand.
    pub inputs: Vec<InputMark>,
}

impl SavepointTask {
    /// The task as a snapshot; `None` when its hash is none.
    pub(crate) fn snapshot(&self, location: &str) -> Option<SnapshotRef> {
        Some(SnapshotRef {
            number: self.commit,
            hash: u128::from_str_radix(&self.hash, 16).ok()?,
            journal_offset: self.journal_offset,
            manifest: self.manifest.clone(),
            bytes: self.bytes,
            store: location.to_owned(),
            inputs: Vec::new(),
        })
    }
}

impl Savepoint {
    /// A task of it.
    pub fn task(&self, id: TaskId) -> Option<&SavepointTask> {
        let name = id.to_string();
        self.tasks.iter().find(|task| task.task == name)
    }

    /// Bytes of the state of all tasks.
    pub fn bytes(&self) -> u64 {
        self.tasks.iter().map(|task| task.bytes).sum()
    }

    /// Whose state a task's is in here.
    pub(crate) fn identity(&self, id: TaskId) -> StateIdentity {
        StateIdentity {
            cluster: self.cluster.clone(),
            job: self.job.clone(),
            incarnation: self.control.incarnation.clone(),
            task: id.to_string(),
        }
    }

    /// The manifest as it is kept.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        let checksum = content_name(text.as_bytes());
        text.push_str(CHECKSUM);
        text.push_str(&checksum);
        text.push('\n');
        text.into_bytes()
    }

    /// Reads what was kept; `location` says where.
    pub(crate) fn decode(location: &str, bytes: &[u8]) -> Result<Self, SavepointError> {
        let damaged = |detail: String| SavepointError::Damaged { location: location.to_owned(), detail };
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("is no text".to_owned()))?;
        let (body, checksum) =
            text.rsplit_once(CHECKSUM).ok_or_else(|| damaged("has no checksum".to_owned()))?;
        if checksum.trim_end() != content_name(body.as_bytes()) {
            return Err(damaged("has another checksum than it says".to_owned()));
        }
        /// What every format has.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable = |error: serde_json::Error| damaged(format!("can't be read: {error}"));
        let Format { format } = serde_json::from_str(body).map_err(unreadable)?;
        if format > FORMAT {
            return Err(SavepointError::Newer {
                location: location.to_owned(),
                found: format,
                supported: FORMAT,
            });
        }
        serde_json::from_str(body).map_err(unreadable)
    }
}

/// Where a task that is started from a savepoint stands before its first commit.
pub(crate) fn note_of(task: &SavepointTask, inputs: Vec<InputMark>, fingerprint: u128) -> CheckpointNote {
    let (watermark, now_ms) = (task.watermark, task.now_ms);
    CheckpointNote { officials: Vec::new(), inputs, watermark, now_ms, fingerprint }
}

/// The mark of state that no entry of the journal stands for yet: the first entry follows it.
pub(crate) fn base_mark(number: u64, incarnation: u128) -> CheckpointMark {
    CheckpointMark { number, hash: incarnation, journal_offset: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::TopicPartition;
    use crate::plan::JobPlan;
    use millstream_operators::meaning::SourceMeaning;
    use millstream_operators::sink::SinkSpec;
    use millstream_operators::source::{Bounded, DecoderSpec, EventTimeSpec, Policy, SourceSpec, Startup};
    use millstream_operators::{InputProgress, NodeSpec, StreamKind, Topology, cut};
    use std::sync::Arc;

    #[derive(Debug)]
    struct Never;

    impl DecoderSpec for Never {
        fn describe(&self) -> String {
            "never".into()
        }

        fn meaning(&self, topics: &str) -> SourceMeaning {
            SourceMeaning::described(self.describe(), topics)
        }

        fn build(
            &self,
        ) -> Result<Box<dyn millstream_operators::source::Decoder>, millstream_operators::OperatorError>
        {
            unreachable!("no task is run here")
        }
    }

    /// A job that reads a topic and throws it away.
    fn plan(job: &str, topic: &str, partitions: u32, bounded: Bounded) -> JobPlan {
        plan_in_time(job, topic, partitions, bounded, None)
    }

    fn plan_in_time(
        job: &str,
        topic: &str,
        partitions: u32,
        bounded: Bounded,
        event_time: Option<EventTimeSpec>,
    ) -> JobPlan {
        let mut topology = Topology::new();
        let source = SourceSpec {
            table: "t".into(),
            topics: vec![topic.into()],
            pattern: None,
            feed: None,
            decoder: Arc::new(Never),
            kind: StreamKind::Append,
            event_time,
            idle_timeout_ms: 1,
            discovery_interval_ms: None,
            startup: Startup::Earliest,
            bounded,
            bad_records: Policy::Fail,
            dead_letters: None,
        };
        let source = topology.add("t", NodeSpec::Source(Arc::new(source)), &[]).expect("a source");
        let writer = Arc::new(millstream_operators::sink::Blackhole);
        let sink = SinkSpec { table: "none".into(), topic: None, writer };
        topology.add("none", NodeSpec::Sink(Arc::new(sink)), &[source]).expect("a sink");
        let cut = cut(&topology, &|_| Some(partitions)).expect("it can be cut");
        JobPlan::new(job, None, cut, std::collections::BTreeMap::new())
    }

    fn mark(topic: &str, ended: bool) -> InputMark {
        let progress = InputProgress { clocks: vec![(EventTime::MAX, false, None)] };
        InputMark { topic: topic.into(), partition: 0, position: 17, ended, progress }
    }

    fn savepoint(inputs: Vec<InputMark>) -> Savepoint {
        let plan = plan("old", "in", 1, Bounded::Unbounded);
        let mut control = ControlRecord::new(&plan, 7, Default::default(), Default::default());
        control.upstream_tasks.insert("millstream.old.repartition.x".into(), 2);
        let task = SavepointTask {
            task: "0-0".into(),
            commit: 9,
            hash: format!("{:032x}", u128::MAX - 3),
            journal_offset: 40,
            manifest: "old/7/0-0/m-9".into(),
            bytes: 10,
            files: 2,
            watermark: EventTime::MIN,
            now_ms: 5,
            inputs,
        };
        Savepoint {
            format: FORMAT,
            version: "0".into(),
            taken_ms: 1,
            job: "old".into(),
            cluster: "c".into(),
            log: "here".into(),
            control,
            tasks: vec![task],
        }
    }

    #[test]
    fn a_savepoint_survives_its_encoding_and_any_changed_byte_is_found() {
        let savepoint = savepoint(vec![mark("in", false)]);
        let bytes = savepoint.encode();
        assert_eq!(Savepoint::decode("p", &bytes).expect("reads"), savepoint);
        for at in 0..bytes.len() - 1 {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Savepoint::decode("p", &changed).is_err(), "byte {at}");
        }
        let newer = Savepoint { format: FORMAT + 1, ..savepoint };
        let error = Savepoint::decode("p", &newer.encode()).expect_err("refused");
        assert!(matches!(error, SavepointError::Newer { .. }), "{error}");
    }

    #[test]
    fn a_savepoint_fits_a_plan_that_reads_the_same_with_the_same_state() {
        type Expected = fn(&SavepointError) -> bool;
        let unbounded = || Bounded::Unbounded;
        let event_time = Some(EventTimeSpec {
            out_of_orderness_ms: 0,
            max_future_ms: 0,
            every_row: false,
            by_clock: false,
        });
        let fits = savepoint(vec![mark("in", false)]);
        assert!(matches!(fits.check(&plan("new", "in", 1, unbounded()), "c"), Ok(false)));
        let cases: [(Savepoint, JobPlan, &str, Expected); 5] = [
            (fits.clone(), plan("new", "in", 1, unbounded()), "d", |e| {
                matches!(e, SavepointError::OtherCluster { .. })
            }),
            (fits.clone(), plan("new", "in", 2, unbounded()), "c", |e| {
                matches!(e, SavepointError::TasksChanged { before: 1, now: 2, .. })
            }),
            (
                fits.clone(),
                plan("new", "on", 1, unbounded()),
                "c",
                |e| matches!(e, SavepointError::PlanChanged { changes, .. } if changes[0].contains("topic in is not read")),
            ),
            (
                savepoint(vec![mark("in", true)]),
                plan_in_time("new", "in", 1, unbounded(), event_time),
                "c",
                |e| matches!(e, SavepointError::InputEnded { .. }),
            ),
            (
                savepoint(vec![mark("millstream.old.repartition.x", false)]),
                plan("new", "in", 1, unbounded()),
                "c",
                |e| matches!(e, SavepointError::InputGone { .. }),
            ),
        ];
        for (number, (savepoint, plan, cluster, expected)) in cases.iter().enumerate() {
            let error = savepoint.check(plan, cluster).expect_err("does not fit");
            assert!(expected(&error), "case {number}: {error}");
        }
        let ended = savepoint(vec![mark("in", true)]);
        assert!(ended.check(&plan("new", "in", 1, Bounded::Latest), "c").is_ok());
        // Where no event time passes, input that has ended goes on.
        let unbounded = plan("new", "in", 1, unbounded());
        let marks = ended.inputs(&unbounded, TaskId::FIRST, &ended.tasks[0]).expect("fits");
        assert!(!marks[0].ended);
    }

    #[test]
    fn chains_of_a_job_that_was_started_from_a_savepoint_follow_its_commits() {
        let savepoint = savepoint(vec![mark("in", false)]);
        let id = TaskId::FIRST;
        assert_eq!(savepoint.positions(), [(TopicPartition::new("in", 0), 17)].into());
        let found = OpenSavepoint {
            location: "p".into(),
            id: content_name(&savepoint.encode()),
            store: open_location("p").expect("a path").0,
            restarted: Default::default(),
            savepoint,
        };
        let plan = plan("new", "in", 1, Bounded::Unbounded);
        let fresh = ControlRecord::new(&plan, 8, Default::default(), Default::default());
        assert_eq!((fresh.base(id).number, fresh.base(id).hash), (0, 8));
        assert!(fresh.check_start("new", &found).is_err());
        let started = fresh.started_from(&found);
        assert_eq!((started.base(id).number, started.base(id).hash), (9, 8));
        assert!(started.check_start("new", &found).is_ok());
        let another = OpenSavepoint { id: "another".into(), ..found };
        assert!(started.check_start("new", &another).is_err());
        // A plan that changes later keeps where the job came from; a savepoint of the job does not.
        assert_eq!(started.clone().for_plan(&plan).base(id).number, 9);
        assert_eq!(started.for_savepoint().base(id).number, 0);
    }

    #[test]
    fn a_damaged_savepoint_or_control_record_costs_no_more_than_its_bytes() {
        use millstream_operators::RecordsBuilder;
        use millstream_test_support::mutation::survives;
        let sound = savepoint(vec![mark("in", false)]).encode();
        survives("savepoint", &sound, 100, |bytes| drop(Savepoint::decode("p", bytes)));
        // A stranger knows how to make the checksum.
        let body = &sound[..sound.len() - CHECKSUM.len() - 64 - 1];
        survives("savepoint with a right checksum", body, 100, |body| {
            let sealed = [body, CHECKSUM.as_bytes(), content_name(body).as_bytes(), b"\n"].concat();
            drop(Savepoint::decode("p", &sealed));
        });
        let plan = plan("old", "in", 1, Bounded::Unbounded);
        let control = ControlRecord::new(&plan, 7, Default::default(), Default::default());
        let (_, records) = control.encode(&plan, 5);
        let value = records.get(0).value.expect("a value").to_vec();
        let key = records.get(0).key.map(<[u8]>::to_vec);
        survives("control record", &value, 200, |bytes| {
            let mut builder = RecordsBuilder::default();
            builder.push(key.as_deref(), Some(bytes), 0);
            drop(ControlRecord::newest("control", &builder.finish()));
        });
    }
}
