//! Times: the calendar, time zones, and Java's patterns.
//!
//! The calendar is the Gregorian one at all times, as in ISO 8601 and `java.time`. A moment is a number of seconds since
//! 1970 and the nanoseconds behind it; what has no zone is the same in UTC.

pub(crate) mod calendar;
pub(crate) mod formatter;
pub(crate) mod pattern;
pub(crate) mod simple;
pub(crate) mod zone;

use super::Failed;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// Seconds of a day.
pub(crate) const DAY_S: i64 = 86_400;

/// A moment, or a time without a zone as if it were one of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Whole seconds since 1970.
    pub(crate) seconds: i64,
    /// Nanoseconds behind them.
    pub(crate) nanos: i64,
}

impl Moment {
    /// From a number of units since 1970.
    pub(crate) fn new(value: i64, unit: TimeUnit) -> Self {
        let per_second = per_second(unit);
        let nanos = value.rem_euclid(per_second) * (SECOND / per_second);
        Moment { seconds: value.div_euclid(per_second), nanos }
    }

    /// As a number of units since 1970, rounded down; `None` where it does not fit.
    pub(crate) fn in_unit(self, unit: TimeUnit) -> Option<i64> {
        let per_second = per_second(unit);
        self.seconds.checked_mul(per_second)?.checked_add(self.nanos / (SECOND / per_second))
    }

    /// Days since 1970, and nanoseconds since midnight.
    pub(crate) fn day(self) -> (i64, i64) {
        (self.seconds.div_euclid(DAY_S), self.seconds.rem_euclid(DAY_S) * SECOND + self.nanos)
    }

    /// From days since 1970 and nanoseconds since midnight.
    pub(crate) fn at(day: i64, nanos: i64) -> Option<Self> {
        let seconds = day.checked_mul(DAY_S)?.checked_add(nanos.div_euclid(SECOND))?;
        Some(Moment { seconds, nanos: nanos.rem_euclid(SECOND) })
    }
}

/// How many of a unit are in a second.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => SECOND,
    }
}

/// The numbers of a column of timestamps, with its unit.
pub(crate) fn timestamp_at(array: &dyn Array, row: usize) -> Result<Option<Moment>, Failed> {
    if array.is_null(row) {
        return Ok(None);
    }
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return Err(Failed(format!("{} is no timestamp", array.data_type())));
    };
    let value = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
    };
    Ok(Some(Moment::new(value, *unit)))
}

/// The nanoseconds since midnight of a column of times of a day.
pub(crate) fn time_at(array: &dyn Array, row: usize) -> Result<Option<i64>, Failed> {
    if array.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            i64::from(array.as_primitive::<Time32SecondType>().value(row)) * SECOND
        }
        DataType::Time32(_) => {
            i64::from(array.as_primitive::<Time32MillisecondType>().value(row)) * 1_000_000
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            array.as_primitive::<Time64MicrosecondType>().value(row) * 1000
        }
        DataType::Time64(_) => array.as_primitive::<Time64NanosecondType>().value(row),
        other => return Err(Failed(format!("{other} is no time"))),
    }))
}

/// The days since 1970 of a column of dates.
pub(crate) fn date_at(array: &dyn Array, row: usize) -> Option<i64> {
    let dates = array.as_primitive_opt::<Date32Type>()?;
    (!dates.is_null(row)).then(|| i64::from(dates.value(row)))
}
