//! Keyed aggregation: without a window ([`Aggregate`]) and over tumbling and hopping windows
//! ([`WindowAggregate`]), over sessions ([`SessionAggregate`]), and over the rows before each row ([`Over`]).
//!
//! Both keep groups in a `GroupTable`: keys become dense slots once per batch, and every aggregate is a vector by slot
//! that a typed loop folds a column into.
//!
//! ```text
//!   keys     | a | b | a |   ->  slots | 0 | 1 | 0 |
//!   column   | 5 | 7 | 2 |   ->  sums  | 7 | 7 |          one loop: sums[slots[i]] += signs[i] * column[i]
//! ```
//!
//! Aggregates that can give rows back (count, sum) keep a number or two. `MIN`, `MAX` and `DISTINCT` over input that
//! is updated or deleted keep a counted multiset per group, in a store of its own, so that taking the largest value
//! away shows the next. `DISTINCT` over rows that only come keeps a set of values, shared by the calls over one column. What does not fit either way is refused when the plan is made.

mod accumulator;
mod distinct;
mod groups;
mod lane;
mod multiset;
mod over;
mod picks;
mod session;
mod sums;
mod updating;
mod windowed;

pub(crate) use multiset::prefix_end;
pub use over::{Frame, Over, OverCall};
pub use session::SessionAggregate;
pub use updating::Aggregate;
pub use windowed::WindowAggregate;

pub use crate::window::Window;

use crate::batch::StreamKind;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use arrow::datatypes::DataType;

/// What an aggregate computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateFunction {
    /// Number of rows; without an argument of rows at all, with one of rows where it is not null.
    Count,
    /// Sum; null over no value. Integers wrap around as Flink's do.
    Sum,
    /// Least value.
    Min,
    /// Largest value.
    Max,
    /// The first value that is not null, in order of arrival. Over hopping windows: of the first pane that has one.
    First,
    /// The last value that is not null, in order of arrival. Over hopping windows: of the last pane that has one.
    Last,
}

/// One aggregate of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateCall {
    /// What it computes.
    pub function: AggregateFunction,
    /// Index of the column it reads; `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// Type of that column.
    pub argument_type: DataType,
    /// Whether equal values count once.
    pub distinct: bool,
    /// Index of a boolean column that says which rows count.
    pub filter: Option<usize>,
    /// Name of the result.
    pub name: String,
}

impl AggregateCall {
    /// Type of the result.
    pub fn data_type(&self) -> DataType {
        match (self.function, &self.argument_type) {
            (AggregateFunction::Count, _) => DataType::Int64,
            (AggregateFunction::Sum, DataType::Decimal128(_, scale)) => DataType::Decimal128(38, *scale),
            (AggregateFunction::Sum, DataType::Float32) => DataType::Float64,
            (AggregateFunction::Sum, integer) if integer.is_integer() => DataType::Int64,
            (_, same) => same.clone(),
        }
    }

    /// Whether it needs a multiset of its values when its input is of this kind.
    fn needs_multiset(&self, input: StreamKind) -> bool {
        let extreme = matches!(self.function, AggregateFunction::Min | AggregateFunction::Max);
        // The least of distinct values is the least of all.
        (self.distinct && !extreme) || (extreme && input != StreamKind::Append)
    }

    /// Whether a set of its values does where groups are not merged: only which values a group has had counts.
    fn needs_set(&self, input: StreamKind) -> bool {
        self.needs_multiset(input) && input == StreamKind::Append
    }

    /// Checks that it can be computed.
    fn check(&self, input: StreamKind) -> Result<(), String> {
        use AggregateFunction as F;
        let name = self.describe();
        if input != StreamKind::Append && matches!(self.function, F::First | F::Last) {
            return Err(format!(
                "{name} can't be kept right when rows are updated or deleted: the order in which they came is not part \
                 of them; use MIN, MAX, or a stream that only inserts"
            ));
        }
        if self.distinct && matches!(self.function, F::First | F::Last) {
            return Err(format!("{name}: DISTINCT makes no difference here; leave it out"));
        }
        match self.argument {
            Some(_) if !lane::is_supported(&self.argument_type) => {
                Err(format!("{name} can't aggregate values of type {}", self.argument_type))
            }
            Some(_) if self.function == F::Sum && !lane::is_numeric(&self.argument_type) => {
                Err(format!("{name} needs numbers, not {}", self.argument_type))
            }
            _ => Ok(()),
        }
    }

    /// What it computes of rows that mean this.
    fn meaning(&self, input: &RowsMeaning) -> String {
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        let argument = self.argument.map_or("*".to_owned(), |column| input.column(column));
        let filter = self.filter.map(|column| format!(" FILTER (WHERE {})", input.column(column)));
        let function = format!("{:?}", self.function).to_uppercase();
        format!("{function}({distinct}{argument}){}", filter.unwrap_or_default())
    }

    fn describe(&self) -> String {
        let distinct = if self.distinct { "distinct " } else { "" };
        let argument = self.argument.map_or("*".to_owned(), |column| format!("#{column}"));
        let filter = self.filter.map(|column| format!(" filter #{column}")).unwrap_or_default();
        let function = format!("{:?}", self.function).to_lowercase();
        format!("{function}({distinct}{argument}){filter}")
    }
}

/// What an aggregation means: the columns of its output are its keys, what it computes, and `more`.
fn meaning(mut facts: Vec<Fact>, calls: &[AggregateCall], input: &RowsMeaning, more: &[&str]) -> Meaning {
    let calls: Vec<String> = calls.iter().map(|call| call.meaning(input)).collect();
    facts.push(Fact::new("computes", calls.join(", ")));
    let columns = input.key.iter().cloned().chain(calls);
    let columns = columns.chain(more.iter().map(|column| (*column).to_owned()));
    Meaning::of(facts, Columns::Known(columns.collect()))
}

/// What an aggregation does with rows that came too late: see [`crate::source::Policy`].
pub use crate::source::Policy as LatePolicy;
