//! What an operator is, and what it may reach.
//!
//! [`OperatorSpec`] describes an operator of the plan and builds it, once per task; [`Operator`] is the running thing;
//! [`Cx`] is all it sees of the world: its state, the task's watermark, the clock reading of the step, a place to emit
//! to. An operator reads no clock, draws no random number, does no I/O and never depends on hash order: its state and
//! output are a function of what it was given.

pub use super::shown::EachRows;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::clock::format_time;
use crate::dead_letter::Reason;
use crate::expression::{Failure, describe_row, on_bad_row};
use crate::meaning::{Meaning, RowsMeaning};
use crate::outbox::Outbox;
use crate::source::Policy;
use crate::{OperatorError, records::TopicPartition};
use millstream_state::{Delta, DeltaBlock, StateError, StoreId, TaskState};
use std::fmt::Debug;
use std::ops::ControlFlow;

/// Which input of an operator: 0, or for a join 0 (left) and 1 (right).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u8);

/// A running operator. `process` is the one required method.
pub trait Operator: Send {
    /// Takes a batch in.
    ///
    /// # Errors
    /// Any error fails the task.
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError>;

    /// The task's watermark rose to `watermark`: everything up to and including it may be finished.
    ///
    /// # Errors
    /// As [`Operator::process`].
    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let _ = (watermark, cx);
        Ok(())
    }

    /// A commit comes: emit what is held back, as net changes.
    ///
    /// # Errors
    /// As [`Operator::process`].
    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let _ = cx;
        Ok(())
    }

    /// Writes what changed since the last call into the task's delta, each key once, in an order that depends only
    /// on the input.
    ///
    /// # Errors
    /// As [`Operator::process`].
    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let _ = out;
        Ok(())
    }

    /// The state below now stands at a commit, and the watermark of that commit is `watermark`: after a restore, and
    /// after [`Operator::evict`].
    ///
    /// # Errors
    /// As [`Operator::process`].
    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        let _ = (watermark, state);
        Ok(())
    }

    /// Drops hot state; everything in it has been committed. [`Operator::restore`] is called next.
    fn evict(&mut self) {}

    /// Hot state held, in bytes.
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// An operator of the plan.
pub trait OperatorSpec: Send + Sync + Debug {
    /// What `EXPLAIN` says, and what the plan's fingerprint is made of.
    fn describe(&self) -> Description;

    /// What its state and output mean, over rows that mean this: state is found again by it. What is left out here may
    /// change while the state stays. Where it can't be said in full there is [`Meaning::described`].
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning;

    /// The stores it keeps, in an order that never changes for the same state.
    fn stores(&self) -> Vec<StoreSpec> {
        Vec::new()
    }

    /// What keys and values of its stores are made of, whatever columns are called: an operator that means the same can go
    /// on with stores of the same layouts.
    fn layouts(&self) -> Vec<String> {
        self.stores().into_iter().map(|store| format!("{}: {}", store.name, store.schema)).collect()
    }

    /// What its output means, given what its inputs mean.
    ///
    /// # Errors
    /// A sentence that says why the operator can't take such an input, and what to do instead.
    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String>;

    /// Whether rows of several inputs meet by their keys, so that what is read directly has to be partitioned alike.
    fn brings_together(&self) -> bool {
        true
    }

    /// What its rows have to do with the records that came in.
    fn lineage(&self) -> Lineage {
        Lineage::Lost
    }

    /// Gives the rows that its state stands for to `each`, for people; says whether it can show any.
    ///
    /// # Errors
    /// When the state can't be read.
    fn show_state(&self, state: &mut StateScope<'_>, each: EachRows<'_>) -> Result<bool, OperatorError> {
        let _ = (state, each);
        Ok(false)
    }

    /// A new instance for one task.
    ///
    /// # Errors
    /// Any error fails the task.
    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError>;
}

/// What the rows that an operator emits have to do with the records that its input came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// A row is the record that a row of the input was.
    Kept,
    /// Rows are made when they are emitted, and never late.
    Fresh,
    /// A row may be late, and no record is its own.
    Lost,
}

/// What operators are built with.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildCx {
    /// Seed of hash tables. Nothing may depend on it; tests vary it to prove that.
    pub hash_seed: u64,
    /// Whether values of Rust types are read back whenever they are stored, and compared: tests find what does not survive
    /// its own encoding so.
    pub verify: bool,
}

/// What an operator is called and what it does: `Aggregate`, `group by carrier: count(*), avg(dep_delay)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The kind of operator.
    pub name: String,
    /// Everything that gives its state and output their meaning.
    pub detail: String,
}

impl Description {
    /// A description.
    pub fn new(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Description { name: name.into(), detail: detail.into() }
    }
}

/// A store an operator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSpec {
    /// Its name within the operator.
    pub name: String,
    /// What keys and values are made of, for people; see [`OperatorSpec::layouts`].
    pub schema: String,
}

/// Counts of one operator in one task since the task was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows taken in.
    pub rows_in: u64,
    /// Rows emitted.
    pub rows_out: u64,
    /// Rows dropped because their time had passed.
    pub late: u64,
    /// Records dropped because they could not be decoded, and rows because they could not be computed.
    pub bad: u64,
    /// How many of the late and the bad became dead letters.
    pub dead_letters: u64,
    /// Records of which no row comes, and that are not bad: see [`crate::source::Decoded::skipped`].
    pub skipped: u64,
    /// Rows dropped because a column declared NOT NULL, or a key, was null.
    pub null_dropped: u64,
    /// Rows whose time was too far ahead of the clock to move the watermark.
    pub far_future: u64,
}

impl Counters {
    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Counters) -> Counters {
        self.with(other, u64::saturating_add)
    }

    /// What has been counted since `before`.
    #[must_use]
    pub fn minus(&self, before: &Counters) -> Counters {
        self.with(before, u64::saturating_sub)
    }

    fn with(&self, other: &Counters, f: impl Fn(u64, u64) -> u64) -> Counters {
        Counters {
            rows_in: f(self.rows_in, other.rows_in),
            rows_out: f(self.rows_out, other.rows_out),
            late: f(self.late, other.late),
            bad: f(self.bad, other.bad),
            dead_letters: f(self.dead_letters, other.dead_letters),
            skipped: f(self.skipped, other.skipped),
            null_dropped: f(self.null_dropped, other.null_dropped),
            far_future: f(self.far_future, other.far_future),
        }
    }
}

/// What a task tells its operators about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInfo {
    /// Index of the sub-topology.
    pub sub_topology: u32,
    /// Index of the task within it: the partition it reads.
    pub partition: u32,
}

impl std::fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.sub_topology, self.partition)
    }
}

/// All an operator can reach while it runs.
#[derive(Debug)]
pub struct Cx<'a> {
    /// The task.
    pub task: &'a TaskInfo,
    /// Clock reading of the step, milliseconds since 1970; never goes back.
    pub now_ms: i64,
    /// The task's watermark before this call.
    pub watermark: EventTime,
    /// Number of the commit being filled.
    pub commit: u64,
    /// The partition whose records are being processed, if it is records.
    pub origin: Option<&'a TopicPartition>,
    /// Whether every input of the task is idle.
    pub idle: bool,
    /// Committed state of this operator's stores.
    pub state: StateScope<'a>,
    /// What this operator counted.
    pub counters: &'a mut Counters,
    /// Where sinks write to.
    pub outbox: &'a mut Outbox,
    pub(crate) emitted: &'a mut Vec<Batch>,
}

impl Cx<'_> {
    /// Hands a batch to every operator downstream.
    pub fn emit(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.counters.rows_out += batch.len() as u64;
            self.emitted.push(batch);
        }
    }

    /// Applies a table's policy to a row that came after its time had passed.
    ///
    /// # Errors
    /// [`OperatorError::LateRow`] when the policy is to fail, or when the row has lost its record on the way.
    pub fn on_late(
        &mut self,
        policy: Policy,
        batch: &Batch,
        row: usize,
        watermark: EventTime,
        operator: impl Fn() -> String,
    ) -> Result<(), OperatorError> {
        self.counters.late += 1;
        let (time, watermark) = (|| format_time(batch.times[row]), || format_time(watermark));
        if policy == Policy::Skip {
            return Ok(());
        }
        if let (Policy::DeadLetter, Some(origins)) = (policy, &batch.origins) {
            let detail = format!("{}: of {}, the watermark had reached {}", operator(), time(), watermark());
            let reason = Reason { kind: "late", column: None, detail: &detail };
            if origins.write_late(row, &reason, self.now_ms, self.outbox) {
                self.counters.dead_letters += 1;
                return Ok(());
            }
        }
        let record = batch.origins.as_ref().and_then(|origins| origins.record(row));
        let record = record.map(|(run, record)| (run.place.clone(), record.offset));
        Err(OperatorError::LateRow { record, operator: operator(), time: time(), watermark: watermark() })
    }

    /// Applies the policy to a row of `batch` that an expression could not be computed for, or that can't be written: the
    /// policy of its table where the row is one record of it, else `policy`, that of all tables it may come from.
    ///
    /// A row taken back is not counted again, and fails the job only where the policy is to fail: its insertion had no
    /// effect either.
    ///
    /// # Errors
    /// [`OperatorError::BadRecord`] or [`OperatorError::BadRow`], by the policy.
    pub fn on_bad(
        &mut self,
        policy: Policy,
        batch: &Batch,
        row: usize,
        failure: Failure,
    ) -> Result<(), OperatorError> {
        let Failure { what, detail } = failure;
        let is_retraction = batch.ops.get(row) == -1;
        match batch.origins.as_ref().and_then(|origins| origins.record(row)) {
            Some((run, record)) if !is_retraction => {
                let failure = (None, format!("{what}: {detail}"));
                run.on_bad(&record, failure, self.now_ms, self.counters, self.outbox)
            }
            _ if is_retraction && policy != Policy::Fail => Ok(()),
            _ => {
                self.counters.bad += 1;
                on_bad_row(policy, what, detail, || describe_row(batch, row))
            }
        }
    }
}

/// The stores of one operator: what the last commit left in them.
#[derive(Debug)]
pub struct StateScope<'a> {
    state: &'a mut TaskState,
    first: u16,
}

impl<'a> StateScope<'a> {
    pub(crate) fn new(state: &'a mut TaskState, first: u16) -> Self {
        StateScope { state, first }
    }

    fn id(&self, store: u16) -> StoreId {
        StoreId(self.first + store)
    }

    /// The value of one key of the operator's `store`.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn get(&mut self, store: u16, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let id = self.id(store);
        self.state.get(id, key)
    }

    /// The values of many keys: `each(index, value)` once per key, in no particular order.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn get_many(
        &mut self,
        store: u16,
        keys: &[&[u8]],
        each: impl FnMut(usize, Option<&[u8]>),
    ) -> Result<(), StateError> {
        let id = self.id(store);
        self.state.get_many(id, keys, each)
    }

    /// Walks keys in `[lower, upper)` in order until `each` breaks; `None` is the store's end.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn scan(
        &mut self,
        store: u16,
        lower: &[u8],
        upper: Option<&[u8]>,
        each: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let id = self.id(store);
        self.state.scan(id, lower, upper, each)
    }
}

/// Where an operator writes what changed in its stores.
#[derive(Debug)]
pub struct DeltaScope<'a> {
    delta: &'a mut Delta,
    first: u16,
}

impl<'a> DeltaScope<'a> {
    pub(crate) fn new(delta: &'a mut Delta, first: u16) -> Self {
        DeltaScope { delta, first }
    }

    /// The changes of the operator's `store`.
    pub fn block(&mut self, store: u16) -> &mut DeltaBlock {
        self.delta.block(StoreId(self.first + store))
    }
}
