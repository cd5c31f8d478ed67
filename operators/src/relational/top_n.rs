//! The first rows of every partition in an order: `ROW_NUMBER`, `RANK` and `DENSE_RANK` under a bound, and `LIMIT`.
//!
//! Rows are kept by partition in the order of their `ORDER BY`, rows that are equal in it in the order in which they
//! came ([`partition`]). Per commit the ranked rows of a touched partition as they were at the last one are held
//! against those that there are now: what is no longer the same goes out as the old row taken back and the new one
//! inserted, all that is taken back of a batch before all that is inserted, so that whoever keeps the last row of each
//! rank has the right one.
//!
//! Where rows only come, a row behind the last rank can never get a rank again, and is dropped.
//!
//! ```text
//! store rows:      partition key, order, sequence -> event time (8 bytes, little endian), row
//! store sequence:  (empty key) -> the next sequence number
//! ```

mod partition;
mod ranker;
mod sorted_over;
mod windowed;

pub use sorted_over::SortedOver;
pub use windowed::WindowTopN;

use crate::OperatorError;
use crate::batch::{Batch, EventTime, Ops, StreamKind};
use crate::keys::{Slot, SlotTable, SortColumn};
use crate::kit::sequence;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use partition::{Partition, Ranked, write_changed};
use ranker::Ranker;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The store with the rows.
const ROWS: u16 = 0;

/// The store with the next sequence number.
const SEQUENCE: u16 = 1;

/// How rows of a partition are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RankFunction {
    /// 1, 2, 3: rows that are equal in the order are numbered as they came.
    RowNumber,
    /// 1, 1, 3: rows that are equal share a rank, and the next ones are numbered behind all of them.
    Rank,
    /// 1, 1, 2: the same without gaps.
    DenseRank,
}

impl RankFunction {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            RankFunction::RowNumber => "ROW_NUMBER",
            RankFunction::Rank => "RANK",
            RankFunction::DenseRank => "DENSE_RANK",
        }
    }
}

/// Keeps of every partition the rows whose rank is from `first` to `last`.
///
/// Input: insertions or a changelog, keyed by the partition ([`Batch::keys`]). Output: the columns of the input, and
/// behind them the rank as a BIGINT where `rank` gives it a name; a changelog, once per commit as net changes, partitions
/// in the order in which they were first touched since the last commit. Where rows only come and are in the order in which
/// they came, they never leave: the output is insertions.
#[derive(Debug, Clone)]
pub struct TopN {
    /// Columns of the input.
    pub input: SchemaRef,
    /// What the input's rows mean.
    pub kind: StreamKind,
    /// How rows are numbered.
    pub function: RankFunction,
    /// What they are ordered by; by nothing: as they came.
    pub order: Vec<SortColumn>,
    /// Whether of rows that are equal in the order the one that came last is the first.
    pub latest_first: bool,
    /// The first rank that is kept, from 1.
    pub first: u64,
    /// The last rank that is kept.
    pub last: u64,
    /// The name of the rank's column, where it is a column.
    pub rank: Option<String>,
    /// The partition, for people.
    pub key: String,
}

impl TopN {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let rank = self.rank.iter().map(|name| Arc::new(Field::new(name, DataType::Int64, true)));
        Arc::new(Schema::new(self.input.fields().iter().cloned().chain(rank).collect::<Vec<_>>()))
    }

    /// The same with columns that have no names.
    fn nameless(&self) -> Self {
        let order = self.order.iter().map(|column| SortColumn { name: String::new(), ..column.clone() });
        TopN { input: nameless(&self.input), order: order.collect(), ..self.clone() }
    }

    fn only_comes(&self) -> bool {
        self.kind == StreamKind::Append && self.order.is_empty() && !self.latest_first
    }
}

impl OperatorSpec for TopN {
    fn describe(&self) -> Description {
        let order: Vec<String> = self.order.iter().map(ToString::to_string).collect();
        let order = if order.is_empty() { "arrival".to_owned() } else { order.join(", ") };
        let by = if self.key.is_empty() { String::new() } else { format!(" by {}", self.key) };
        let ties = if self.latest_first { ", the latest first" } else { "" };
        let rank = self.rank.as_ref().map_or(String::new(), |name| format!(", as {name}"));
        let TopN { first, last, .. } = self;
        let function = self.function.name();
        Description::new(
            "TopN",
            format!("{function} {first} to {last}{by} in the order of {order}{ties}{rank}"),
        )
    }

    /// Whether the rank is a column of the output is no part of it: what is kept is the same.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let TopN { function, first, last, .. } = self;
        let order = self.order.iter().map(|column| column.ordered(&input.column(column.place)));
        let ties = if self.latest_first { "the latest first" } else { "the first first" };
        let rows = self.input.fields().len();
        let facts = vec![
            Fact::new("ranks", format!("{} {first} to {last}", function.name())),
            Fact::new("ordered by", order.collect::<Vec<_>>().join(", ")),
            Fact::new("of equal rows", ties),
            Fact::new("columns", input.columns_at(0..rows)),
        ];
        let mut columns: Vec<String> = (0..rows).map(|column| input.column(column)).collect();
        columns.extend(self.rank.iter().map(|_| function.name().to_owned()));
        Meaning::of(facts, Columns::Known(columns)).keyed(input.key.clone())
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&self.nameless())
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let column = |field: &Arc<Field>| format!("{} {}", field.name(), field.data_type());
        let columns: Vec<String> = self.input.fields().iter().map(column).collect();
        let order: Vec<String> =
            self.order.iter().map(|column| format!("{column} {}", column.data_type)).collect();
        let schema = format!("key, {}, sequence -> time ms, {}", order.join(", "), columns.join(", "));
        vec![
            StoreSpec { name: "rows".to_owned(), schema },
            StoreSpec { name: "sequence".to_owned(), schema: "-> u64".to_owned() },
        ]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [kind] if *kind != self.kind => Err(format!("rows are ranked as {}, not as {kind}", self.kind)),
            [StreamKind::Append] if self.only_comes() => Ok(StreamKind::Append),
            [StreamKind::Append | StreamKind::Changelog] => Ok(StreamKind::Changelog),
            inputs => Err(format!("rows are ranked that come, or come and go, not {inputs:?}")),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Ranking::new(self, cx)?))
    }
}

/// What the operator is called where its state can't be read.
const OPERATOR: &str = "top n";

fn corrupt(detail: String) -> OperatorError {
    OperatorError::CorruptState { operator: OPERATOR.to_owned(), detail }
}

struct Ranking {
    spec: TopN,
    ranker: Ranker,
    /// Whether rows only come: those behind the last rank are dropped.
    capped: bool,
    hash_seed: u64,
    slots: SlotTable,
    /// By slot.
    partitions: Vec<Partition>,
    /// Partitions touched since the last commit, in the order of first touch.
    touched: Vec<Slot>,
    next_sequence: u64,
    stored_sequence: u64,
    /// Whether the store has no partition that is not in memory.
    all_hot: bool,
}

impl Operator for Ranking {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.intern(&batch, &mut cx.state)?;
        let rows = self.ranker.rows(&batch)?;
        let (function, last) = (self.spec.function, self.spec.last);
        let (mut place, mut scratch) = (Vec::new(), Vec::new());
        for (row, slot) in slots.into_iter().enumerate() {
            rows.order(row, &mut place);
            let partition = &mut self.partitions[slot as usize];
            let inserts = batch.ops.get(row) == 1;
            let sequence = if self.spec.latest_first { !self.next_sequence } else { self.next_sequence };
            if inserts {
                self.next_sequence += 1;
                place.extend(sequence.to_be_bytes());
                if self.capped && partition.is_behind(&place, function, last) {
                    continue;
                }
            }
            rows.bytes(row, &mut scratch);
            if partition.touch(function, self.spec.first, last) {
                self.touched.push(slot);
            }
            if inserts {
                partition.insert(&place, &scratch);
                if self.capped {
                    partition.cut_behind(function, last);
                }
            } else {
                partition.remove(&place, &scratch);
            }
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (mut gone, mut come): (Vec<Ranked>, Vec<Ranked>) = (Vec::new(), Vec::new());
        for slot in &self.touched {
            let TopN { function, first, last, .. } = self.spec;
            let with_rank = self.spec.rank.is_some();
            self.partitions[*slot as usize].changes(function, first, last, with_rank, &mut gone, &mut come);
        }
        if gone.is_empty() && come.is_empty() {
            return Ok(());
        }
        let mut signs = vec![-1; gone.len()];
        signs.resize(gone.len() + come.len(), 1);
        gone.append(&mut come);
        let (rows, times) = self.ranker.read(&gone)?;
        cx.emit(Batch::changes(rows, times, Ops::from_signs(signs)));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let block = out.block(ROWS);
        write_changed(self.touched.drain(..), &mut self.partitions, &mut self.slots, block);
        if std::mem::replace(&mut self.stored_sequence, self.next_sequence) != self.next_sequence {
            out.block(SEQUENCE).put(&[], &self.next_sequence.to_le_bytes());
        }
        Ok(())
    }

    fn restore(&mut self, _watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.next_sequence = sequence::next(OPERATOR, SEQUENCE, &[], state)?;
        self.stored_sequence = self.next_sequence;
        self.all_hot = true;
        state.scan(ROWS, &[], None, |_, _| {
            self.all_hot = false;
            ControlFlow::Break(())
        })?;
        Ok(())
    }

    fn evict(&mut self) {
        self.slots = SlotTable::with_seed(self.hash_seed);
        self.partitions = Vec::new();
    }

    fn memory_bytes(&self) -> usize {
        let partitions: usize = self.partitions.iter().map(Partition::memory_bytes).sum();
        self.slots.memory_bytes() + partitions
    }
}

impl Ranking {
    fn new(spec: &TopN, cx: &BuildCx) -> Result<Self, OperatorError> {
        Ok(Ranking {
            ranker: Ranker::new(spec)?,
            capped: spec.kind == StreamKind::Append,
            spec: spec.clone(),
            hash_seed: cx.hash_seed,
            slots: SlotTable::with_seed(cx.hash_seed),
            partitions: Vec::new(),
            touched: Vec::new(),
            next_sequence: 0,
            stored_sequence: 0,
            all_hot: false,
        })
    }

    /// The slots of a batch's keys, whose rows are all in memory then.
    fn intern(&mut self, batch: &Batch, state: &mut StateScope<'_>) -> Result<Vec<Slot>, OperatorError> {
        let (mut slots, mut new) = (Vec::new(), Vec::new());
        self.slots.find_or_insert_all(batch.keys()?, &mut slots, &mut new);
        self.partitions.resize_with(self.slots.slot_count(), Partition::default);
        if self.all_hot {
            return Ok(slots);
        }
        // In the order of the store.
        new.sort_unstable_by(|a, b| self.slots.key(*a).cmp(self.slots.key(*b)));
        for slot in new {
            self.partitions[slot as usize].load(ROWS, self.slots.key(slot), state)?;
        }
        Ok(slots)
    }
}
