//! A task's commits: sealed, then part of history, then on disk.

use super::{Task, TaskError};
use crate::journal::{ChainEnd, Entry, Step, WriterId, encode_entry};
use crate::snapshot::{CheckpointNote, SnapshotRef};
use millstream_operators::{Counters, Offset, Records, SealedOutbox, TopicPartition};
use millstream_state::{CheckpointMark, Delta, StateError};

/// Everything a commit of one task sends.
#[derive(Debug)]
pub struct Prepared {
    /// Number of the commit.
    pub number: u64,
    /// Hash of its entry.
    pub hash: u128,
    /// The journal partition.
    pub journal: TopicPartition,
    /// The entry.
    pub entry: Records,
    /// Outputs.
    pub outbox: SealedOutbox,
    /// Where the inputs stand afterwards.
    pub positions: Vec<(TopicPartition, Offset)>,
    delta: Delta,
    has_run: bool,
    official: Option<SnapshotRef>,
}

impl Prepared {
    /// Net change of state.
    pub fn delta(&self) -> &Delta {
        &self.delta
    }
}

impl Task {
    /// Whether there is something to commit. A task that never committed always has: its positions.
    pub fn is_dirty(&self) -> bool {
        !self.steps.is_empty() || self.is_new || self.track.offered().is_some()
    }

    /// Whether a commit should not wait: records were read or the watermark moved since the last, or all input has
    /// ended, so that a job ends with that commit.
    pub fn has_news(&self) -> bool {
        let has_ended = self.is_finished() && !self.steps.is_empty();
        self.has_run() || has_ended || self.graph.watermark() != self.committed_watermark || self.is_new
    }

    /// Whether records were read since the last commit, or are part of the sealed one.
    pub fn has_run(&self) -> bool {
        let run = |step: &Step| matches!(step, Step::Run { .. });
        self.steps.iter().any(run) || self.prepared.as_ref().is_some_and(|prepared| prepared.has_run)
    }

    /// Flushes the operators and seals the next commit. `extra` is sent along: records for topics that concern the
    /// whole job.
    ///
    /// # Errors
    /// [`TaskError`]; the task has to be dropped.
    ///
    /// # Panics
    /// When the fate of the commit before is still open.
    pub fn prepare_commit(
        &mut self,
        writer: WriterId,
        now_ms: i64,
        extra: Vec<(TopicPartition, Records)>,
    ) -> Result<&Prepared, TaskError> {
        assert!(self.prepared.is_none(), "the fate of the commit before is open");
        self.now_ms = self.now_ms.max(now_ms);
        let id = self.id;
        let failed = |source| TaskError { task: id, source };
        let (graph, mut cx) = self.graph_and_cx();
        graph.flush(&mut cx).map_err(failed)?;
        let delta = self.graph.delta().map_err(failed)?;
        let mut outbox = self.outbox.seal();
        outbox.records.extend(extra);

        let number = self.chain.number + 1;
        let entry = Entry {
            number,
            previous: self.chain.hash,
            writer,
            fingerprint: self.plan.fingerprint(),
            steps: std::mem::take(&mut self.steps),
            now_ms: self.now_ms,
            inputs: self.marks(),
            watermark: self.graph.watermark(),
            outbox_hash: outbox.hash(),
            official: self.track.offered().cloned(),
            delta,
        };
        let (records, hash) = encode_entry(&entry);
        let journal = self.journal();
        let positions = self.positions().map(|(place, position)| (place.clone(), position.next)).collect();
        let has_run = entry.steps.iter().any(|step| matches!(step, Step::Run { .. }));
        let Entry { delta, official, .. } = entry;
        let prepared =
            Prepared { number, hash, journal, entry: records, outbox, positions, delta, has_run, official };
        Ok(self.prepared.insert(prepared))
    }

    /// What was sealed and is not committed yet.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.prepared.as_ref()
    }

    /// The sealed commit is part of history; `journal_next` is the offset after its entry. Gives the outbox back for
    /// what is not in the log.
    ///
    /// # Panics
    /// When no commit was prepared.
    pub fn committed(&mut self, journal_next: Offset) -> SealedOutbox {
        let prepared = self.prepared.take().expect("committed() follows prepare_commit()");
        self.chain = ChainEnd { number: prepared.number, hash: prepared.hash };
        self.is_new = false;
        self.journal_before = self.journal_next;
        self.journal_next = journal_next;
        self.state.absorb(prepared.delta);
        self.track.committed(prepared.entry.data_bytes() as u64, prepared.official.as_ref());
        self.committed_since_checkpoint += 1;
        self.committed_watermark = self.graph.watermark();
        prepared.outbox
    }

    /// What has been counted since the last call, to be called right after a commit: the records of tables that were
    /// read, and what became of rows.
    pub fn take_counts(&mut self) -> (u64, Counters) {
        let (read, now) = (self.read.0 - self.read.1, self.graph.totals());
        let counted = now.minus(&std::mem::replace(&mut self.told, now));
        self.read.1 = self.read.0;
        (read, counted)
    }

    /// On replay: the last commit's entry was written by somebody else, whose name is part of its hash.
    pub(crate) fn correct_chain(&mut self, chain: ChainEnd) {
        self.chain = chain;
    }

    /// Writes committed state to disk, in one atomic batch.
    ///
    /// # Errors
    /// [`StateError::Storage`]; the disk then still shows the checkpoint before.
    ///
    /// # Panics
    /// When it is not right after a commit.
    pub fn checkpoint(&mut self) -> Result<(), StateError> {
        assert!(
            self.prepared.is_none() && self.steps.is_empty(),
            "a checkpoint is taken right after a commit"
        );
        self.committed_since_checkpoint = 0;
        let ChainEnd { number, hash } = self.chain;
        let mark = CheckpointMark { number, hash, journal_offset: self.journal_before };
        let note = self.note();
        self.state.checkpoint_with_note(mark, note.encode())
    }

    /// Has the checkpoint brought to the disk, so that a start after a kill has few entries to fold.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn flush_soon(&self) -> Result<(), StateError> {
        self.state.flush_soon()
    }

    /// What its checkpoint says beside the mark.
    pub(crate) fn note(&self) -> CheckpointNote {
        CheckpointNote {
            officials: self.track.officials().to_vec(),
            inputs: self.marks(),
            watermark: self.graph.watermark(),
            now_ms: self.now_ms,
            fingerprint: self.plan.fingerprint(),
        }
    }

    /// Writes the state of a commit whose fate is open, under its own mark or under that of the commit before: what
    /// must never happen. For the control run of [`crate::Rules::checkpoint_after_commit`].
    #[doc(hidden)]
    pub fn checkpoint_too_early(&mut self, own_mark: bool) -> Result<(), StateError> {
        let Some(prepared) = &self.prepared else { return Ok(()) };
        let mut bytes = Vec::new();
        prepared.delta.encode(&mut bytes);
        self.state.absorb(Delta::decode(&bytes).unwrap_or_default());
        let ChainEnd { number, hash } = match own_mark {
            true => ChainEnd { number: prepared.number, hash: prepared.hash },
            false => self.chain,
        };
        let journal_offset = if own_mark { self.journal_next } else { self.journal_before };
        self.state.checkpoint(CheckpointMark { number, hash, journal_offset })
    }

    /// Drops the operators' hot state; everything in it is committed.
    ///
    /// # Errors
    /// [`TaskError`]; the task has to be dropped.
    ///
    /// # Panics
    /// When it is not right after a commit.
    pub fn evict(&mut self) -> Result<(), TaskError> {
        assert!(self.prepared.is_none() && self.steps.is_empty(), "state is evicted right after a commit");
        let task = self.id;
        self.graph.evict(&mut self.state).map_err(|source| TaskError { task, source })
    }
}
