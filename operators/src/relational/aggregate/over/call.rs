//! Frames, what is computed over them, and how each of it is kept.

use super::super::lane::lane_type;
use super::super::updating::stores;
use super::super::{AggregateCall, AggregateFunction as F};
use super::extremes::Extremes;
use crate::batch::StreamKind;
use crate::meaning::RowsMeaning;
use crate::operator::StoreSpec;
use arrow::datatypes::DataType;
use std::fmt;

/// The rows that a function is computed over: up to the row itself, from ..
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Frame {
    /// .. so many rows before it, or all; rows are in the order in which they came where their times are equal.
    Rows(Option<u64>),
    /// .. so long before it, milliseconds, or all; rows of one time are in each other's frames.
    Range(Option<i64>),
}

impl Frame {
    /// Whether rows leave it.
    pub(super) fn is_bounded(self) -> bool {
        !matches!(self, Frame::Rows(None) | Frame::Range(None))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::Rows(None) => f.write_str("rows unbounded preceding"),
            Frame::Rows(Some(rows)) => write!(f, "rows {rows} preceding"),
            Frame::Range(None) => f.write_str("range unbounded preceding"),
            Frame::Range(Some(ms)) => write!(f, "range {ms} ms preceding"),
        }
    }
}

/// What is computed for every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverCall {
    /// An aggregate over the frame.
    Aggregate(AggregateCall),
    /// The number of the row. Ranks are over all rows so far ([`Frame::Rows`] without a bound).
    RowNumber(String),
    /// One more than the rows of earlier times.
    Rank(String),
    /// One more than the earlier times.
    DenseRank(String),
    /// A column of the row that is `offset` before this one, within a frame of at least as many rows
    /// ([`Frame::Rows`]); of the first rows the column `default` of the row itself, or null.
    Lag {
        /// The column.
        argument: usize,
        /// Its type.
        data_type: DataType,
        /// How many rows before.
        offset: u32,
        /// A column of the same type.
        default: Option<usize>,
        /// Name of the result.
        name: String,
    },
}

impl OverCall {
    /// Name of the result.
    pub fn name(&self) -> &str {
        match self {
            OverCall::Aggregate(call) => &call.name,
            OverCall::RowNumber(name) | OverCall::Rank(name) | OverCall::DenseRank(name) => name,
            OverCall::Lag { name, .. } => name,
        }
    }

    /// Type of the result.
    pub fn data_type(&self) -> DataType {
        match self {
            OverCall::Aggregate(call) => call.data_type(),
            OverCall::RowNumber(_) | OverCall::Rank(_) | OverCall::DenseRank(_) => DataType::Int64,
            OverCall::Lag { data_type, .. } => data_type.clone(),
        }
    }

    /// Checks that it can be computed over a frame.
    pub(super) fn check(&self, frame: Frame) -> Result<(), String> {
        match self {
            OverCall::Aggregate(call) => {
                let is_nested = lane_type(&call.argument_type).is_none() && call.argument.is_some();
                if matches!(call.function, F::Of(_)) || is_nested && call.function != F::Count {
                    let (name, argument) = (call.describe(), &call.argument_type);
                    return Err(format!(
                        "{name} of {argument} is not supported with OVER: aggregate with GROUP BY"
                    ));
                }
                call.check()
            }
            OverCall::RowNumber(_) | OverCall::Rank(_) | OverCall::DenseRank(_) => match frame {
                Frame::Rows(None) => Ok(()),
                other => Err(format!("a rank is over all rows so far, not over {other}")),
            },
            OverCall::Lag { offset, .. } => match frame {
                Frame::Rows(Some(rows)) if rows >= u64::from(*offset) => Ok(()),
                other => Err(format!("the row {offset} before is not in {other}")),
            },
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            OverCall::Aggregate(call) => call.describe(),
            OverCall::RowNumber(_) => "row_number".to_owned(),
            OverCall::Rank(_) => "rank".to_owned(),
            OverCall::DenseRank(_) => "dense_rank".to_owned(),
            OverCall::Lag { argument, offset, default, .. } => {
                let default = default.map(|column| format!(", #{column}")).unwrap_or_default();
                format!("lag(#{argument}, {offset}{default})")
            }
        }
    }

    /// What it computes of rows that mean this.
    pub(super) fn meaning(&self, input: &RowsMeaning) -> String {
        match self {
            OverCall::Aggregate(call) => call.meaning(input),
            OverCall::Lag { argument, offset, default, .. } => {
                let default = default.map(|column| format!(", {}", input.column(column))).unwrap_or_default();
                format!("LAG({}, {offset}{default})", input.column(*argument))
            }
            rank => rank.describe().to_uppercase(),
        }
    }
}

/// Whether a call's values are kept in queues: where rows leave the frame, and one of them is picked.
fn kept_in_queue(call: &AggregateCall, frame: Frame) -> bool {
    frame.is_bounded() && matches!(call.function, F::Min | F::Max | F::First | F::Last)
}

/// What the rows of a frame are for an aggregate: some are taken back where they leave.
fn kind_of(frame: Frame) -> StreamKind {
    if frame.is_bounded() { StreamKind::Changelog } else { StreamKind::Append }
}

/// Where the results of a call come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Computed {
    Group(usize),
    Queue(usize),
    Lag(usize),
}

/// A column of the row so many before.
#[derive(Debug, Clone)]
pub(super) struct Lag {
    /// Its place among the columns that are read.
    pub(super) argument: usize,
    pub(super) offset: usize,
    /// A column of the input.
    pub(super) default: Option<usize>,
}

/// How calls are kept.
#[derive(Debug)]
pub(super) struct Plan {
    /// What the rows of frames are for the groups.
    pub(super) kind: StreamKind,
    /// Columns of the input that are read of a row in a frame; where frames are not bounded, all.
    pub(super) read: Vec<usize>,
    /// Aggregates of groups, over these columns, and behind them those of [`super::Peers`].
    pub(super) groups: Vec<AggregateCall>,
    /// Aggregates that are kept in queues, over these columns.
    pub(super) queues: Vec<AggregateCall>,
    pub(super) lags: Vec<Lag>,
    /// By call.
    pub(super) computed: Vec<Computed>,
    /// Whether the columns of [`super::Peers`] are read.
    pub(super) ranks: bool,
}

impl Plan {
    pub(super) fn new(calls: &[OverCall], frame: Frame, width: usize) -> Self {
        let mut plan = Plan {
            kind: kind_of(frame),
            read: if frame.is_bounded() { Vec::new() } else { (0..width).collect() },
            groups: Vec::new(),
            queues: Vec::new(),
            lags: Vec::new(),
            computed: Vec::new(),
            ranks: calls.iter().any(|call| matches!(call, OverCall::Rank(_) | OverCall::DenseRank(_))),
        };
        for call in calls {
            let computed = plan.add(call, frame, width);
            plan.computed.push(computed);
        }
        plan
    }

    fn add(&mut self, call: &OverCall, frame: Frame, width: usize) -> Computed {
        match call {
            OverCall::Aggregate(call) => {
                let argument = call.argument.map(|column| self.place_of(column));
                let filter = call.filter.map(|column| self.place_of(column));
                let read = AggregateCall { argument, filter, ..call.clone() };
                match kept_in_queue(call, frame) {
                    true => {
                        self.queues.push(read);
                        Computed::Queue(self.queues.len() - 1)
                    }
                    false => self.group(read),
                }
            }
            OverCall::RowNumber(name) => self.group(rank(F::Count, None, None, name)),
            OverCall::DenseRank(name) => self.group(rank(F::Count, None, Some(width), name)),
            OverCall::Rank(name) => self.group(rank(F::Last, Some(width + 1), None, name)),
            OverCall::Lag { argument, offset, default, .. } => {
                let argument = self.place_of(*argument);
                self.lags.push(Lag { argument, offset: *offset as usize, default: *default });
                Computed::Lag(self.lags.len() - 1)
            }
        }
    }

    fn group(&mut self, call: AggregateCall) -> Computed {
        self.groups.push(call);
        Computed::Group(self.groups.len() - 1)
    }

    /// The place of a column among those that are read.
    fn place_of(&mut self, column: usize) -> usize {
        let place = self.read.iter().position(|read| *read == column);
        place.unwrap_or_else(|| {
            self.read.push(column);
            self.read.len() - 1
        })
    }

    /// The queues, empty.
    pub(super) fn extremes(&self) -> Vec<Extremes> {
        let queue = |call: &AggregateCall| Extremes::new(&call.function, &call.argument_type);
        self.queues.iter().filter_map(queue).collect()
    }

    /// The stores of the groups: theirs, and one for each multiset.
    pub(super) fn group_stores(&self, keys: &[(String, DataType)]) -> Vec<StoreSpec> {
        stores(keys, &self.groups, self.kind, &[])
    }
}

/// A rank as an aggregate of what [`super::Peers`] says of rows.
fn rank(function: F, argument: Option<usize>, filter: Option<usize>, name: &str) -> AggregateCall {
    AggregateCall {
        function,
        argument,
        argument_type: DataType::Int64,
        distinct: false,
        filter,
        name: name.to_owned(),
    }
}
