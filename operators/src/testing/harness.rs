//! One operator, driven as a task drives it.

use super::table::{batch, print_all};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, NO_WATERMARK};
use crate::operator::{
    BuildCx, Counters, Cx, DeltaScope, Operator, OperatorSpec, Port, StateScope, TaskInfo,
};
use crate::outbox::Outbox;
use millstream_state::{CheckpointMark, Delta, MemoryDisk, StateIdentity, TaskState};
use std::fmt;

/// What happens to the operator after every commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Nothing,
    /// Its hot state is dropped.
    Evict,
    /// The same after every third commit: it may keep what was in use in between.
    EvictSometimes,
    /// A checkpoint.
    Checkpoint,
    /// The process dies. Every other time there has been a checkpoint just before; else the deltas since the last one
    /// are folded, as from a journal.
    Crash,
}

/// Something that happens to an operator.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Rows come in at a port.
    Rows(u8, &'a str),
    /// The watermark rises.
    Watermark(EventTime),
    /// The clock reads this from now on.
    Clock(i64),
    /// A commit: flush, delta, and what [`After`] says.
    Commit,
}

/// Drives one operator and collects what it emits.
pub struct Harness<'s> {
    spec: &'s dyn OperatorSpec,
    build: BuildCx,
    after: After,
    operator: Box<dyn Operator>,
    disk: MemoryDisk,
    state: TaskState,
    /// Encoded deltas since the last checkpoint.
    journal: Vec<Vec<u8>>,
    commit: u64,
    now_ms: i64,
    watermark: EventTime,
    counters: Counters,
    outbox: Outbox,
    emitted: Vec<Batch>,
    /// What stood at the last commit: the watermark, the counts, and how much had been emitted.
    committed: (EventTime, Counters, usize),
}

fn identity() -> StateIdentity {
    let name = |text: &str| text.to_owned();
    StateIdentity { cluster: name("test"), job: name("test"), incarnation: name("1"), task: name("0-0") }
}

fn open(disk: &MemoryDisk) -> TaskState {
    TaskState::open_memory(disk, &identity()).expect("memory opens")
}

impl<'s> Harness<'s> {
    /// A new instance of the operator.
    pub fn new(spec: &'s dyn OperatorSpec) -> Self {
        Self::with(spec, After::Nothing, 0)
    }

    /// A new instance; what happens after its commits, and the seed of its hash tables.
    ///
    /// # Panics
    /// When the operator can't be built.
    pub fn with(spec: &'s dyn OperatorSpec, after: After, hash_seed: u64) -> Self {
        let (build, disk) = (BuildCx { hash_seed, verify: true }, MemoryDisk::default());
        let mut harness = Harness {
            operator: spec.build(&build).unwrap_or_else(|error| panic!("{error}")),
            state: open(&disk),
            spec,
            build,
            after,
            disk,
            journal: Vec::new(),
            commit: 1,
            now_ms: 0,
            watermark: NO_WATERMARK,
            counters: Counters::default(),
            outbox: Outbox::default(),
            emitted: Vec::new(),
            committed: (NO_WATERMARK, Counters::default(), 0),
        };
        harness.restore();
        harness
    }

    fn restore(&mut self) {
        let mut scope = StateScope::new(&mut self.state, 0);
        self.operator.restore(self.watermark, &mut scope).unwrap_or_else(|error| panic!("restore: {error}"));
    }

    fn run(
        &mut self,
        call: impl FnOnce(&mut dyn Operator, &mut Cx<'_>) -> Result<(), OperatorError>,
    ) -> Result<(), OperatorError> {
        let task = TaskInfo { sub_topology: 0, partition: 0 };
        let mut cx = Cx {
            task: &task,
            now_ms: self.now_ms,
            watermark: self.watermark,
            commit: self.commit,
            origin: None,
            idle: false,
            state: StateScope::new(&mut self.state, 0),
            counters: &mut self.counters,
            outbox: &mut self.outbox,
            emitted: &mut self.emitted,
        };
        call(&mut *self.operator, &mut cx)
    }

    /// Hands rows, as text, to the operator's only input.
    ///
    /// # Errors
    /// What the operator reports.
    pub fn process(&mut self, rows: &str) -> Result<(), OperatorError> {
        self.process_batch(Port(0), batch(rows))
    }

    /// Hands a batch to the operator.
    ///
    /// # Errors
    /// What the operator reports.
    pub fn process_batch(&mut self, port: Port, batch: Batch) -> Result<(), OperatorError> {
        self.counters.rows_in += batch.len() as u64;
        self.run(|operator, cx| operator.process(port, batch, cx))
    }

    /// Raises the watermark.
    ///
    /// # Errors
    /// What the operator reports.
    pub fn advance(&mut self, watermark: EventTime) -> Result<(), OperatorError> {
        self.run(|operator, cx| operator.advance(watermark, cx))?;
        self.watermark = watermark;
        Ok(())
    }

    /// Sets the clock reading of the steps from now on.
    pub fn set_clock(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// Commits: flushes, absorbs the delta, and does what [`After`] says.
    ///
    /// # Errors
    /// What the operator reports.
    ///
    /// # Panics
    /// When a delta is not read back as it was written, or a checkpoint fails.
    pub fn commit(&mut self) -> Result<(), OperatorError> {
        self.run(|operator, cx| operator.flush(cx))?;
        let mut delta = Delta::default();
        self.operator.delta(&mut DeltaScope::new(&mut delta, 0))?;
        delta.retain_changed();
        let mut bytes = Vec::new();
        delta.encode(&mut bytes);
        self.state.absorb(Delta::decode(&bytes).expect("a delta is read back"));
        self.journal.push(bytes);
        self.committed = (self.watermark, self.counters, self.emitted.len());
        match self.after {
            After::Nothing => {}
            After::EvictSometimes if self.commit % 3 != 2 => {}
            After::Evict | After::EvictSometimes => {
                self.operator.evict();
                self.restore();
            }
            After::Checkpoint => self.checkpoint(),
            After::Crash => {
                if self.commit.is_multiple_of(2) {
                    self.checkpoint();
                }
                self.crash();
            }
        }
        self.commit += 1;
        Ok(())
    }

    fn checkpoint(&mut self) {
        let mark = CheckpointMark { number: self.commit, hash: 0, journal_offset: 0 };
        self.state.checkpoint(mark).expect("memory takes a checkpoint");
        self.journal.clear();
    }

    /// The process dies: everything stands as at the last commit, and what was emitted since is gone.
    ///
    /// # Panics
    /// When the operator can't be restored.
    pub fn crash(&mut self) {
        (self.watermark, self.counters) = (self.committed.0, self.committed.1);
        self.emitted.truncate(self.committed.2);
        self.outbox = Outbox::default();
        self.state = open(&self.disk);
        for bytes in &self.journal {
            self.state.absorb(Delta::decode(bytes).expect("a delta is read back"));
        }
        self.operator = self.spec.build(&self.build).unwrap_or_else(|error| panic!("{error}"));
        self.restore();
    }

    /// Lets an event happen.
    ///
    /// # Errors
    /// What the operator reports.
    pub fn play(&mut self, event: Event<'_>) -> Result<(), OperatorError> {
        match event {
            Event::Rows(port, rows) => self.process_batch(Port(port), batch(rows)),
            Event::Watermark(watermark) => self.advance(watermark),
            Event::Clock(now_ms) => {
                self.set_clock(now_ms);
                Ok(())
            }
            Event::Commit => self.commit(),
        }
    }

    /// The watermark.
    pub fn watermark(&self) -> EventTime {
        self.watermark
    }

    /// Hot state that the operator holds, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.operator.memory_bytes()
    }

    /// What the last commit changed in the state, in bytes as a journal has it; 0 after a checkpoint.
    pub fn delta_bytes(&self) -> usize {
        self.journal.last().map_or(0, Vec::len)
    }

    /// What the operator counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What a sink wrote since the last call.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The state below the operator.
    pub fn state(&mut self) -> &mut TaskState {
        &mut self.state
    }

    /// What has been emitted since the last call.
    pub fn take(&mut self) -> Vec<Batch> {
        self.committed.2 = 0;
        std::mem::take(&mut self.emitted)
    }

    /// What has been emitted since the last call, as text.
    pub fn output(&mut self) -> String {
        print_all(&self.take())
    }
}

impl fmt::Debug for Harness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("spec", &self.spec)
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}
