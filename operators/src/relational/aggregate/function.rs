//! What an aggregate computes: the few that are numbers by group, and those that are computed of the values themselves.
//!
//! A new aggregate is a [`ValuesFunction`]: what it is called, what becomes of the values of a group, and in which order
//! it sees them. How they are kept, taken back, merged and stored is the same for all of them (`multiset.rs`).

use super::own::States;
use crate::columns::ColumnBuilder;
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use std::fmt;
use std::sync::Arc;

/// What an aggregate computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AggregateFunction {
    /// Number of rows; without an argument of rows at all, with one of rows where it is not null.
    Count,
    /// Sum; null over no value. Integers wrap around as Flink's do.
    Sum,
    /// Sum of the squared distances of numbers from their mean; null over no value.
    Squares,
    /// Least value.
    Min,
    /// Largest value.
    Max,
    /// The first value that is not null, in order of arrival. Over hopping windows: of the first pane that has one.
    First,
    /// The last value that is not null, in order of arrival. Over hopping windows: of the last pane that has one.
    Last,
    /// What is computed of all values.
    Of(Values),
}

impl AggregateFunction {
    /// Its name in SQL, or close to it.
    pub(super) fn name(&self) -> String {
        match self {
            AggregateFunction::Of(values) => values.0.name().to_owned(),
            number => format!("{number:?}").to_uppercase(),
        }
    }

    /// What stands behind the argument.
    pub(super) fn parameter(&self) -> String {
        let parameter = match self {
            AggregateFunction::Of(values) => values.0.parameter(),
            _ => None,
        };
        parameter.map(|parameter| format!(", {parameter}")).unwrap_or_default()
    }

    /// The order in which values are kept, where they are.
    pub(super) fn order(&self) -> ValueOrder {
        match self {
            AggregateFunction::First | AggregateFunction::Last => ValueOrder::Arrival,
            AggregateFunction::Of(values) => values.0.order(),
            _ => ValueOrder::Value,
        }
    }

    /// Whether rows count whose argument is null.
    pub(super) fn takes_nulls(&self) -> bool {
        matches!(self, AggregateFunction::Of(values) if values.0.takes_nulls())
    }
}

/// In which order an aggregate sees the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueOrder {
    /// Ascending; equal ones as one, with their number. Values without an order come in that of their bytes.
    Value,
    /// As they came, each for itself. One that is taken back takes the first of its equals along.
    Arrival,
}

/// An aggregate that is computed of the values of a group.
pub trait ValuesFunction: fmt::Debug + Send + Sync {
    /// Its name in SQL.
    fn name(&self) -> &str;

    /// What its results depend on beside the values, as it is written behind them.
    fn parameter(&self) -> Option<String> {
        None
    }

    /// Type of the result.
    fn data_type(&self, argument: &DataType) -> DataType;

    /// In which order it sees values.
    fn order(&self) -> ValueOrder;

    /// Whether nulls are values.
    fn takes_nulls(&self) -> bool {
        false
    }

    /// What it keeps of groups in the place of their values, if it can: also of rows that are `taken_back`. Groups are
    /// merged in any way.
    fn states(&self, taken_back: bool) -> Option<Box<dyn States>> {
        let _ = taken_back;
        None
    }

    /// Appends the result: one value.
    ///
    /// # Errors
    /// Why there is none: it fails the job.
    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String>;
}

/// The values of a group in order.
#[derive(Debug)]
pub struct GroupValues {
    /// The values.
    pub column: ArrayRef,
    /// How often each is there: once where they come in the order of arrival, or are distinct.
    pub counts: Vec<i64>,
}

/// A [`ValuesFunction`]. Two are the same when they say the same of themselves.
#[derive(Clone)]
pub struct Values(pub Arc<dyn ValuesFunction>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name() && self.0.parameter() == other.0.parameter()
    }
}

impl Eq for Values {}
