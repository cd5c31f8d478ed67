//! Snapshots: checkpoints kept where another machine can find them.
//!
//! A [`SnapshotStore`] keeps objects by name. A snapshot of a task is a manifest and the files it lists, each an
//! object; what did not change since the snapshot before is not stored again. A snapshot counts only once it is
//! *official*: a committed entry of the task's journal names it, by a [`SnapshotRef`]. Everything here runs beside
//! processing, in bounded turns: `upload` stores a snapshot, `cleanup` removes what nobody needs any more,
//! `download` is a part of taking a task over.
//!
//! ```text
//! JOB/INCARNATION/TASK/f-CONTENT-N            a file, first stored for the snapshot at commit N
//! JOB/INCARNATION/TASK/m-N-CONTENT            the manifest of the snapshot at commit N
//! ```
//!
//! The rule it keeps: what an official snapshot names is never removed by a task's former owner, however late its
//! requests arrive. Two things see to that. What is to be removed is listed *before* the commit that makes a snapshot
//! official, so that the commit's success proves that nobody else owned the task then. And objects that are there
//! already are relied on only if an official manifest names them; others are stored under a name with a newer commit's
//! number, which no older list can hold.

pub(crate) mod cleanup;
mod directory;
pub(crate) mod download;
mod inspect;
mod location;
mod memory;
mod objects;
mod runner;
mod store;
mod topic;
pub(crate) mod upload;

pub use directory::DirectoryStore;
pub(crate) use inspect::check_object;
pub use inspect::{FoundSnapshot, FoundState, inspect_snapshots, inspect_state};
pub use location::SnapshotLocation;
pub use memory::MemoryStore;
pub use objects::ObjectStorage;
pub(crate) use runner::SnapshotRunner;
pub use store::{SnapshotStore, StoreError, StoredObject};
pub use topic::TopicStore;

use crate::journal::InputMark;
use crate::log::{Offset, TopicPartition};
use crate::plan::TaskId;
use millstream_operators::EventTime;
use millstream_state::CheckpointMark;
use serde::{Deserialize, Serialize};

/// Official snapshots that are kept: the newest, and the one before in case that the newest can't be read.
pub(crate) const KEPT: usize = 2;

/// Version of the notes.
const NOTE_VERSION: u8 = 1;

/// An official snapshot, as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// Number of the commit it stands at.
    pub number: u64,
    /// Hash of that commit's entry.
    pub hash: u128,
    /// Where that entry begins in the journal.
    pub journal_offset: Offset,
    /// Name of the manifest; its end is the manifest's content name.
    pub manifest: String,
    /// Bytes of all files.
    pub bytes: u64,
    /// The store it is in, for people.
    pub store: String,
    /// Where the task stood in its inputs.
    pub inputs: Vec<(String, u32, Offset)>,
}

impl SnapshotRef {
    /// The commit it stands at.
    pub fn mark(&self) -> CheckpointMark {
        let SnapshotRef { number, hash, journal_offset, .. } = *self;
        CheckpointMark { number, hash, journal_offset }
    }
}

/// What a checkpoint carries beside its mark, so that it says by itself where its task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointNote {
    /// Official snapshots as of this commit, oldest first.
    pub officials: Vec<SnapshotRef>,
    /// Where the inputs stand.
    pub inputs: Vec<InputMark>,
    /// The watermark.
    pub watermark: EventTime,
    /// The last clock reading.
    pub now_ms: i64,
    /// Fingerprint of the plan.
    pub fingerprint: u128,
}

impl CheckpointNote {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let body = postcard::to_allocvec(self).expect("a note holds nothing that postcard can't write");
        [&[NOTE_VERSION], body.as_slice()].concat()
    }

    /// Reads a note; `None` when there is none that this program understands.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, body) = bytes.split_first()?;
        (*version == NOTE_VERSION).then(|| postcard::from_bytes(body).ok())?
    }
}

/// What a task knows of its snapshots. Part of the task: it dies with the token.
#[derive(Debug, Default)]
pub(crate) struct Track {
    /// Official ones, oldest first, at most [`KEPT`].
    officials: Vec<SnapshotRef>,
    /// Stored, and to be named by the next commit.
    offered: Option<upload::Offer>,
    /// What the commit that named a snapshot allows to be removed, until the worker takes it.
    removable: Option<Removable>,
    /// Bytes of entries committed since the last snapshot was begun.
    journal_bytes: u64,
    /// The upload that is under way.
    ticket: Option<u64>,
}

/// What an official snapshot has made superfluous.
#[derive(Debug)]
pub(crate) struct Removable {
    /// The snapshot before the newest; journals and repartition topics are not needed before it.
    pub(crate) previous: Option<SnapshotRef>,
    /// The newest.
    pub(crate) newest: SnapshotRef,
    /// Objects that no kept snapshot names.
    pub(crate) objects: Vec<String>,
}

impl Track {
    pub(crate) fn new(officials: Vec<SnapshotRef>, journal_bytes: u64) -> Self {
        let mut track = Track { journal_bytes, ..Track::default() };
        officials.into_iter().for_each(|official| track.learn(official));
        track
    }

    /// That of a task that stands on a savepoint: it takes a snapshot of its own as soon as it has committed.
    pub(crate) fn on_savepoint() -> Self {
        Track { journal_bytes: u64::MAX >> 8, ..Track::default() }
    }

    /// A snapshot is official.
    pub(crate) fn learn(&mut self, official: SnapshotRef) {
        if self.officials.last().is_none_or(|last| last.number < official.number) {
            self.officials.push(official);
            let surplus = self.officials.len().saturating_sub(KEPT);
            self.officials.drain(..surplus);
        }
    }

    pub(crate) fn officials(&self) -> &[SnapshotRef] {
        &self.officials
    }

    /// What the next commit has to name.
    pub(crate) fn offered(&self) -> Option<&SnapshotRef> {
        self.offered.as_ref().map(|offer| &offer.snapshot)
    }

    /// A commit of `bytes` succeeded, and named `official`.
    pub(crate) fn committed(&mut self, bytes: u64, official: Option<&SnapshotRef>) {
        let Some(official) = official else {
            self.journal_bytes += bytes;
            return;
        };
        // Its own entry is no reason for another snapshot: a job at rest comes to rest.
        let offer = self.offered.take_if(|offer| offer.snapshot.number == official.number);
        let previous = self.officials.last().cloned();
        self.learn(official.clone());
        let objects = offer.map_or_else(Vec::new, |offer| offer.unreferenced);
        self.removable = Some(Removable { previous, newest: official.clone(), objects });
    }

    pub(crate) fn take_removable(&mut self) -> Option<Removable> {
        self.removable.take()
    }

    /// Whether enough was written since the last snapshot: the journal's bytes, against a threshold and the size of the
    /// state, whose files are rewritten as they are merged.
    pub(crate) fn is_due(&self, task: TaskId, threshold: u64) -> bool {
        let last = self.officials.last();
        // The first ones of a job's tasks come at different times, and so do all that follow.
        let eighths = if last.is_none() { 8 + u64::from(task.partition % 8) } else { 8 };
        let threshold = (threshold / 8).saturating_mul(eighths);
        let threshold = threshold.max(last.map_or(0, |last| last.bytes / 8));
        self.ticket.is_none() && self.offered.is_none() && self.journal_bytes >= threshold
    }

    pub(crate) fn begin(&mut self, ticket: u64) {
        self.ticket = Some(ticket);
        self.journal_bytes = 0;
    }

    pub(crate) fn ticket(&self) -> Option<u64> {
        self.ticket
    }

    /// The upload is over; a failed one is not tried again before as much was written once more.
    pub(crate) fn end(&mut self, offer: Option<upload::Offer>) {
        self.ticket = None;
        self.offered = offer;
    }
}

/// What the names of a task's objects begin with.
pub(crate) fn prefix_of(job: &str, incarnation: &str, task: &str) -> String {
    format!("{job}/{incarnation}/{task}/")
}

/// The places of a snapshot's inputs.
pub(crate) fn places(
    inputs: &[(String, u32, Offset)],
) -> impl Iterator<Item = (TopicPartition, Offset)> + '_ {
    let place = |(topic, partition, offset): &(String, u32, Offset)| {
        (TopicPartition::new(topic.as_str(), *partition), *offset)
    };
    inputs.iter().map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn official(number: u64) -> SnapshotRef {
        SnapshotRef {
            number,
            hash: 0,
            journal_offset: number,
            manifest: format!("m-{number}"),
            bytes: 80,
            store: "s".into(),
            inputs: vec![("t".into(), 0, 5)],
        }
    }

    #[test]
    fn the_last_two_official_snapshots_are_kept() {
        let mut track = Track::new(vec![official(1)], 0);
        for number in [3, 2, 5] {
            track.learn(official(number));
        }
        let kept: Vec<u64> = track.officials().iter().map(|official| official.number).collect();
        assert_eq!(kept, [3, 5]);
    }

    #[test]
    fn a_commit_that_names_a_snapshot_allows_to_purge_behind_the_one_before() {
        let mut track = Track::new(vec![official(1)], 0);
        track.begin(7);
        track.end(Some(upload::Offer { snapshot: official(4), unreferenced: vec!["old".into()] }));
        assert_eq!(track.offered().map(|offered| offered.number), Some(4));
        track.committed(10, None);
        assert!(track.take_removable().is_none());
        track.committed(10, Some(&official(4)));
        let removable = track.take_removable().expect("there is something to remove");
        assert_eq!(removable.previous.map(|previous| previous.number), Some(1));
        assert_eq!((removable.newest.number, removable.objects), (4, vec!["old".to_owned()]));
        assert!(track.offered().is_none());
    }

    #[test]
    fn snapshots_are_due_by_what_was_written_and_staggered_over_tasks() {
        let (first, fourth) = (TaskId::FIRST, TaskId { sub_topology: 0, partition: 4 });
        let track = Track::new(vec![], 100);
        assert!(track.is_due(first, 100) && !track.is_due(fourth, 100));
        assert!(Track::new(vec![], 150).is_due(fourth, 100));
        assert!(Track::new(vec![official(1)], 100).is_due(fourth, 100));
        // Large state is not stored again for a little change.
        assert!(!Track::new(vec![SnapshotRef { bytes: 8_000, ..official(1) }], 999).is_due(first, 100));
    }

    #[test]
    fn a_note_survives_its_encoding() {
        let note = CheckpointNote {
            officials: vec![official(1), official(2)],
            inputs: vec![],
            watermark: 5,
            now_ms: 6,
            fingerprint: 7,
        };
        assert_eq!(CheckpointNote::decode(&note.encode()), Some(note));
        assert_eq!(CheckpointNote::decode(&[]), None);
        assert_eq!(CheckpointNote::decode(&[9, 1, 2]), None);
    }

    #[test]
    fn a_damaged_note_costs_no_more_than_its_bytes() {
        let mark = InputMark {
            topic: "in".to_owned(),
            partition: 1,
            position: 2,
            ended: false,
            progress: millstream_operators::InputProgress { clocks: vec![(5, false, None); 3] },
        };
        let (officials, inputs) = (vec![official(1), official(2)], vec![mark]);
        let note = CheckpointNote { officials, inputs, watermark: 5, now_ms: 6, fingerprint: 7 };
        millstream_test_support::mutation::survives("note", &note.encode(), 300, |bytes| {
            drop(CheckpointNote::decode(bytes));
        });
    }
}
