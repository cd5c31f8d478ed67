//! Aggregation over the rows before each row: `OVER (PARTITION BY .. ORDER BY time ..)`.
//!
//! Every row of the input comes out, once the watermark has reached its time, with what is computed over its frame: the
//! rows of its key from so many rows, or so long, before it up to itself.
//!
//! ```text
//!   rows of k      1@10    2@11    5@11    3@14
//!   all so far     1       8       8       11        RANGE UNBOUNDED: rows of one time see each other
//!   the last two   1       3       7       8         ROWS 1 PRECEDING: each after those that came before it
//!   3 ms           1       8       8       10        RANGE 3 MILLISECONDS
//! ```
//! Rows leave in the order of their times, those of one time in the order in which they came. What leaves a frame is taken
//! back from sums and counts; least and largest values, and the first and the last, are kept in queues
//! ([`extremes`]). A row whose time is not after the watermark is late.
//!
//! ```text
//! store groups:   key -> rows in the frame, aggregates
//! values ..:      multisets, as other aggregations keep them
//! store waiting:  rows that the watermark has not reached
//! store frames:   key, time, number -> arguments, where frames are bounded
//! store due:      moment, key -> (nothing): keys without rows for so long go
//! ```

mod call;
mod extremes;
mod frame;
mod peers;
mod run;
mod running;
mod steps;

pub use call::{Frame, OverCall};
pub(super) use steps::{Step, StepKind};

use super::LatePolicy;
use super::groups::GroupTable;
use crate::OperatorError;
use crate::batch::{EventTime, StreamKind};
use crate::kit::waiting::{Waiting, nullable};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{BuildCx, Description, Lineage, Operator, OperatorSpec, StateScope, StoreSpec};
use crate::rows::RowCodec;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use call::Plan;
use frame::Frames;
use millstream_state::BytesColumn;
use peers::Peers;
use running::Running;
use std::sync::Arc;

/// Computes functions over the frame of every row.
///
/// Input: insertions, keyed by the partition ([`crate::Batch::keys`]); rows are ordered by [`crate::Batch::times`]. Output: insertions,
/// the columns of the input and then one per call, in the order of their times.
#[derive(Debug, Clone)]
pub struct Over {
    /// Columns of the input.
    pub input: SchemaRef,
    /// The columns of the partition: name and type, as the stream was keyed by.
    pub keys: Vec<(String, DataType)>,
    /// Which rows the functions are computed over.
    pub frame: Frame,
    /// What is computed.
    pub calls: Vec<OverCall>,
    /// What happens to rows that come after their time has passed.
    pub late: LatePolicy,
}

impl Over {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let calls = self.calls.iter().map(|call| Arc::new(Field::new(call.name(), call.data_type(), true)));
        Arc::new(Schema::new(nullable(&self.input).fields().iter().cloned().chain(calls).collect::<Vec<_>>()))
    }

    fn plan(&self) -> Plan {
        Plan::new(&self.calls, self.frame, self.input.fields().len())
    }
}

impl OperatorSpec for Over {
    fn describe(&self) -> Description {
        let keys: Vec<&str> = self.keys.iter().map(|(name, _)| name.as_str()).collect();
        let calls: Vec<String> =
            self.calls.iter().map(|call| format!("{} as {}", call.describe(), call.name())).collect();
        let detail =
            format!("by ({}) in the order of time, {}: {}", keys.join(", "), self.frame, calls.join(", "));
        Description::new("Over", detail)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let width = self.input.fields().len();
        let calls: Vec<String> = self.calls.iter().map(|call| call.meaning(input)).collect();
        let facts = vec![
            Fact::new("over", self.frame.to_string()),
            Fact::new("computes", calls.join(", ")),
            Fact::new("columns", input.columns_at(0..width)),
        ];
        let over = calls.iter().map(|call| format!("{call} over {}", self.frame));
        let columns = (0..width).map(|column| input.column(column)).chain(over);
        Meaning::of(facts, Columns::Known(columns.collect())).by_time()
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&Over { input: nameless(&self.input), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let plan = self.plan();
        let column = |field: &Arc<Field>| format!("{} {}", field.name(), field.data_type());
        let columns: Vec<String> = self.input.fields().iter().map(column).collect();
        let mut stores = plan.group_stores(&self.keys);
        let waiting = format!("time ms, sequence -> key, {}", columns.join(", "));
        stores.push(StoreSpec { name: "waiting".to_owned(), schema: waiting });
        if self.frame.is_bounded() {
            let read: Vec<&str> = plan.read.iter().map(|column| columns[*column].as_str()).collect();
            let frames = format!("key, time ms, number -> {}", read.join(", "));
            stores.push(StoreSpec { name: "frames".to_owned(), schema: frames });
            stores.push(StoreSpec { name: "due".to_owned(), schema: "moment ms, key ->".to_owned() });
        }
        stores
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => {
                self.calls.iter().try_for_each(|call| call.check(self.frame)).map(|()| StreamKind::Append)
            }
            _ => Err("OVER in the order of time reads rows that are only inserted".to_owned()),
        }
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(self.running(cx.hash_seed, false)?))
    }
}

impl Over {
    fn running(&self, hash_seed: u64, all_hot: bool) -> Result<Running, OperatorError> {
        let plan = self.plan();
        let waiting_store = plan.group_stores(&self.keys).len() as u16;
        let span_ms = if let Frame::Range(span_ms) = self.frame { span_ms } else { None };
        let read = self.input.project(&plan.read)?;
        let codec = RowCodec::new(nullable(&read))
            .map_err(|data_type| corrupt(format!("rows with a column of type {data_type} can't be kept")))?;
        Ok(Running {
            schema: self.schema(),
            waiting_store,
            waiting: Waiting::new(OPERATOR, waiting_store, &self.input)?,
            frames: Frames::new(waiting_store + 1, span_ms),
            groups: GroupTable::new(&plan.groups, plan.kind, hash_seed),
            extremes: plan.extremes(),
            peers: Peers::default(),
            codec,
            plan,
            spec: self.clone(),
            hash_seed,
            all_hot,
        })
    }

    /// What is computed for rows of which nothing is kept: all that there are of their keys, in order. By call.
    pub(crate) fn over_sorted(
        &self,
        keys: &BytesColumn,
        peers: &[EventTime],
        rows: &RecordBatch,
        hash_seed: u64,
        state: &mut StateScope<'_>,
    ) -> Result<Vec<ArrayRef>, OperatorError> {
        self.running(hash_seed, true)?.computed(keys, peers, rows, state).map(|(results, _)| results)
    }
}

/// What the operator is called where its state can't be read.
const OPERATOR: &str = "over";

fn corrupt(detail: impl Into<String>) -> OperatorError {
    OperatorError::CorruptState { operator: OPERATOR.to_owned(), detail: detail.into() }
}
