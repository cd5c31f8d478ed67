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
//! Aggregates that can give rows back (count, sum) keep a number or two. All others, and `MIN`, `MAX`, `FIRST_VALUE` and
//! `LAST_VALUE` over input that is updated or deleted, keep a counted multiset per group, in a store of its own, so that
//! taking the largest value away shows the next. `DISTINCT` over rows that only come keeps a set of values, shared by the
//! calls over one column. A function of a user may keep something of its own in the place of values. What does not fit any way is
//! refused when the plan is made.

mod accumulator;
mod distinct;
mod function;
mod groups;
mod lane;
mod multiset;
mod over;
mod own;
mod picks;
mod session;
mod shown;
mod squares;
mod sums;
mod updating;
mod values;
mod windowed;

pub use function::{AggregateFunction, GroupValues, ValueOrder, Values, ValuesFunction};
pub(crate) use multiset::prefix_end;
pub use over::{Frame, Over, OverCall};
pub use own::{States, read_state, write_state};
pub use session::SessionAggregate;
pub use updating::Aggregate;
pub use windowed::WindowAggregate;

pub use crate::window::Window;

use crate::batch::StreamKind;
use crate::columns::ColumnBuilder;
use crate::keys::KeyCodec;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use arrow::datatypes::DataType;

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
        match (&self.function, &self.argument_type) {
            (AggregateFunction::Of(values), argument) => values.0.data_type(argument),
            (AggregateFunction::Count, _) => DataType::Int64,
            (AggregateFunction::Squares, _) => DataType::Float64,
            (AggregateFunction::Sum, DataType::Decimal128(_, scale)) => DataType::Decimal128(38, *scale),
            (AggregateFunction::Sum, DataType::Float32) => DataType::Float64,
            (AggregateFunction::Sum, integer) if integer.is_integer() => DataType::Int64,
            (_, same) => same.clone(),
        }
    }

    /// Whether it keeps the values of a group when its input is of this kind.
    fn needs_multiset(&self, input: StreamKind) -> bool {
        use AggregateFunction as F;
        match self.function {
            F::Of(_) => self.states(input).is_none(),
            // The least of distinct values is the least of all.
            F::Min | F::Max | F::First | F::Last => input != StreamKind::Append,
            F::Count | F::Sum | F::Squares => self.distinct,
        }
    }

    /// Whether a set of its values does where groups are not merged: only which values a group has had counts.
    fn needs_set(&self, input: StreamKind) -> bool {
        let is_key = KeyCodec::new(vec![self.argument_type.clone()]).is_ok();
        let is_number = !matches!(self.function, AggregateFunction::Of(_));
        self.needs_multiset(input) && input == StreamKind::Append && is_number && is_key
    }

    /// Checks that it can be computed.
    fn check(&self) -> Result<(), String> {
        use AggregateFunction as F;
        let name = self.describe();
        let argument = &self.argument_type;
        let refused = Err(format!("{name} can't aggregate values of type {argument}"));
        match self.function {
            _ if self.argument.is_none() && self.function == F::Count => Ok(()),
            _ if self.argument.is_none() => Err(format!("{name} needs a column")),
            F::Sum if !lane::is_numeric(argument) => Err(format!("{name} needs numbers, not {argument}")),
            F::Squares if !argument.is_floating() => Err(format!("{name} needs a DOUBLE, not {argument}")),
            F::Min | F::Max if !lane::is_supported(argument) => refused,
            F::Count if !self.distinct => Ok(()),
            F::Of(_) if ColumnBuilder::new(&self.data_type()).is_err() => refused,
            _ if ColumnBuilder::new(argument).is_err() => refused,
            _ => Ok(()),
        }
    }

    /// What it computes of rows that mean this.
    fn meaning(&self, input: &RowsMeaning) -> String {
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        let argument = self.argument.map_or("*".to_owned(), |column| input.column(column));
        let filter = self.filter.map(|column| format!(" FILTER (WHERE {})", input.column(column)));
        let (function, parameter) = (self.function.name(), self.function.parameter());
        format!("{function}({distinct}{argument}{parameter}){}", filter.unwrap_or_default())
    }

    fn describe(&self) -> String {
        let distinct = if self.distinct { "distinct " } else { "" };
        let argument = self.argument.map_or("*".to_owned(), |column| format!("#{column}"));
        let filter = self.filter.map(|column| format!(" filter #{column}")).unwrap_or_default();
        let (function, parameter) = (self.function.name().to_lowercase(), self.function.parameter());
        format!("{function}({distinct}{argument}{parameter}){filter}")
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
