//! `OVER` in the order of any columns, of rows that may also be updated and deleted.
//!
//! The rows of a partition are kept in their order, as those of ranks are. Whatever comes or goes changes what is computed
//! for all rows behind it: per commit what is computed for the rows of a touched partition as they were at the last one is
//! held against what is computed for those that there are now, by the aggregation over frames that rows in the order of
//! time go through ([`Over`]). What is no longer the same goes out as the old row taken back and the new one inserted.
//!
//! ```text
//!   k a 1  sum 1        k a 1  sum 1
//!                  ->   k b 5  sum 6     + b 5 6
//!   k c 2  sum 3        k c 2  sum 8     - c 2 3   + c 2 8
//! ```

use super::partition::{Place, Ranked, order_of};
use super::{Ranking, TopN, corrupt};
use crate::OperatorError;
use crate::aggregate::{Frame, Over};
use crate::batch::{Batch, EventTime, Ops, StreamKind};
use crate::keys::SortColumn;
use crate::meaning::{Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::rows::RowCodec;
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::{Field, Schema, SchemaRef};
use millstream_state::BytesColumn;
use std::sync::Arc;

/// Computes functions over the frame of every row, in the order of columns.
///
/// Input: insertions or a changelog, keyed by the partition ([`Batch::keys`]). Output: the columns of the input and then one
/// per call; a changelog, once per commit as net changes, partitions in the order in which they were first touched. A commit
/// costs as much as the touched partitions have rows.
#[derive(Debug, Clone)]
pub struct SortedOver {
    /// What is computed, of what. A frame of `RANGE` has all rows before, and those that are equal in the order.
    pub over: Over,
    /// What the input's rows mean.
    pub kind: StreamKind,
    /// What rows are ordered by; rows that are equal in it as they came.
    pub order: Vec<SortColumn>,
}

impl SortedOver {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        self.over.schema()
    }

    /// The rows, as ranks keep them.
    fn rows(&self) -> TopN {
        let names: Vec<&str> = self.over.keys.iter().map(|(name, _)| name.as_str()).collect();
        TopN {
            input: Arc::clone(&self.over.input),
            kind: self.kind,
            function: super::RankFunction::RowNumber,
            order: self.order.clone(),
            latest_first: false,
            first: 1,
            last: u64::MAX,
            rank: None,
            key: names.join(", "),
        }
    }

    /// The columns that are computed.
    fn results(&self) -> SchemaRef {
        let field = |call: &crate::aggregate::OverCall| Field::new(call.name(), call.data_type(), true);
        Arc::new(Schema::new(self.over.calls.iter().map(field).collect::<Vec<_>>()))
    }
}

impl OperatorSpec for SortedOver {
    fn describe(&self) -> Description {
        let order: Vec<String> = self.order.iter().map(ToString::to_string).collect();
        let computed = self.over.describe().detail;
        let computed =
            computed.replacen("in the order of time", &format!("in the order of {}", order.join(", ")), 1);
        Description::new("SortedOver", computed)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let order = self.order.iter().map(|column| column.ordered(&input.column(column.place)));
        let ordered = Fact::new("ordered by", order.collect::<Vec<_>>().join(", "));
        let Meaning { mut facts, columns, .. } = self.over.meaning(inputs);
        facts.push(ordered);
        Meaning::of(facts, columns).keyed(input.key.clone())
    }

    fn layouts(&self) -> Vec<String> {
        let order = self.order.iter().map(|column| SortColumn { name: String::new(), ..column.clone() });
        let over = Over { input: nameless(&self.over.input), ..self.over.clone() };
        layouts_of(&SortedOver { over, order: order.collect(), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        self.rows().stores()
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        if matches!(self.over.frame, Frame::Range(Some(_))) {
            return Err("a frame of so long before a row is one in the order of time".to_owned());
        }
        self.over.output_kind(&[StreamKind::Append])?;
        match inputs {
            [kind] if *kind != self.kind => Err(format!("rows are ordered as {}, not as {kind}", self.kind)),
            [StreamKind::Append | StreamKind::Changelog] => Ok(StreamKind::Changelog),
            inputs => Err(format!("rows are ordered that come, or come and go, not {inputs:?}")),
        }
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let schema = self.results();
        let results = RowCodec::new(Arc::clone(&schema))
            .map_err(|data_type| corrupt(format!("results of type {data_type} can't be compared")))?;
        Ok(Box::new(Sorting {
            rows: Ranking::new(&self.rows(), cx)?,
            over: self.over.clone(),
            schema,
            results,
        }))
    }
}

struct Sorting {
    rows: Ranking,
    over: Over,
    /// The columns that are computed.
    schema: SchemaRef,
    /// Writes them, to be compared.
    results: RowCodec,
}

/// The rows of the touched partitions at one moment, in order.
#[derive(Default)]
struct Moment {
    /// By row: the number of its partition, and its place in there.
    places: Vec<(usize, Place)>,
    rows: Vec<Ranked>,
    keys: BytesColumn,
    /// Equal for rows that are equal in the order.
    peers: Vec<EventTime>,
}

impl Moment {
    fn add(&mut self, partition: usize, key: &[u8], rows: Vec<(Place, Ranked)>) {
        let mut peer = 0;
        for (at, (place, ranked)) in rows.into_iter().enumerate() {
            let last = self.places.last().filter(|_| at > 0);
            if last.is_some_and(|(_, last)| order_of(last) != order_of(&place)) {
                peer += 1;
            }
            self.keys.push(key);
            self.peers.push(peer);
            self.places.push((partition, place));
            self.rows.push(ranked);
        }
    }
}

/// Rows with what is computed for them.
struct Computed {
    columns: Vec<ArrayRef>,
    times: Vec<EventTime>,
    /// What is computed, as bytes.
    results: BytesColumn,
}

impl Operator for Sorting {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.rows.process(port, batch, cx)
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if self.rows.touched.is_empty() {
            return Ok(());
        }
        let mut moments = [Moment::default(), Moment::default()];
        for (number, slot) in self.rows.touched.iter().enumerate() {
            let key = self.rows.slots.key(*slot);
            let sides = self.rows.partitions[*slot as usize].before_and_now();
            for (moment, rows) in moments.iter_mut().zip(sides) {
                moment.add(number, key, rows);
            }
        }
        let [before, now] = &moments;
        let (old, new) = (self.computed(before, cx)?, self.computed(now, cx)?);
        let is_same = |at: usize, other: usize| {
            before.places[at] == now.places[other] && old.results.get(at) == new.results.get(other)
        };
        let mut rows: Vec<(usize, usize)> = Vec::new();
        changed(&before.places, &now.places, is_same, |at| rows.push((0, at)));
        let gone = rows.len();
        changed(&now.places, &before.places, |at, other| is_same(other, at), |at| rows.push((1, at)));
        if rows.is_empty() {
            return Ok(());
        }
        let times: Vec<EventTime> =
            rows.iter().map(|(side, at)| if *side == 0 { old.times[*at] } else { new.times[*at] }).collect();
        let columns = old.columns.iter().zip(&new.columns).map(|(old, new)| {
            let sources: [&dyn Array; 2] = [old.as_ref(), new.as_ref()];
            interleave(&sources, &rows)
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = RecordBatch::try_new_with_options(self.over.schema(), columns, &options)?;
        let signs = (0..rows.len()).map(|at| if at < gone { -1 } else { 1 }).collect();
        cx.emit(Batch::changes(columns, times, Ops::from_signs(signs)));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.rows.delta(out)
    }

    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.rows.restore(watermark, state)
    }

    fn evict(&mut self) {
        self.rows.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }
}

impl Sorting {
    fn computed(&self, moment: &Moment, cx: &mut Cx<'_>) -> Result<Computed, OperatorError> {
        let (rows, times) = self.rows.ranker.read(&moment.rows)?;
        let seed = self.rows.hash_seed;
        let found = self.over.over_sorted(&moment.keys, &moment.peers, &rows, seed, &mut cx.state)?;
        let options = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let computed = RecordBatch::try_new_with_options(Arc::clone(&self.schema), found.clone(), &options)?;
        let writer = self.results.writer(&computed)?;
        let mut results = BytesColumn::default();
        let mut bytes = Vec::new();
        for row in 0..times.len() {
            bytes.clear();
            writer.write(row, &mut bytes);
            results.push(&bytes);
        }
        let columns = rows.columns().iter().cloned().chain(found).collect();
        Ok(Computed { columns, times, results })
    }
}

/// The rows that are not the same among the others, where they stand at the same place; both are in order.
fn changed(
    rows: &[(usize, Place)],
    others: &[(usize, Place)],
    is_same: impl Fn(usize, usize) -> bool,
    mut each: impl FnMut(usize),
) {
    let mut other = 0;
    for (at, place) in rows.iter().enumerate() {
        while others.get(other).is_some_and(|found| found < place) {
            other += 1;
        }
        let is_there = others.get(other).is_some_and(|found| found == place);
        if !(is_there && is_same(at, other)) {
            each(at);
        }
    }
}
