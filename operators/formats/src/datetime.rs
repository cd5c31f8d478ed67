//! Dates and times as text.
//!
//! ```text
//! DATE                       2015-07-15
//! TIME                       00:00:01  00:00:01.5
//! TIMESTAMP      SQL         2015-07-15 00:00:01.123
//!                ISO-8601    2015-07-15T00:00:01.123          seconds may be left out
//! TIMESTAMP_LTZ  both        the same with a Z behind it: always UTC
//! both           ..-OFFSET   2015-07-15T00:00:01.123+02:00    or Z
//! ```
//! A fraction has one to nine digits; what a column's unit can't hold is cut off. Years beyond 9999 have a sign and
//! up to nine digits. Days that a month does not have are refused.

mod calendar;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{LastDate, parse_date, parse_loose_date, parse_time, timestamp_prefix};
pub(crate) use write::{LastDateText, write_date, write_time, write_timestamp};

use arrow::datatypes::TimeUnit;

/// How timestamps are written: `timestamp-format.standard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampStandard {
    /// `2015-07-15 00:00:01.123`, with a `Z` for `TIMESTAMP_LTZ`.
    #[default]
    Sql,
    /// `2015-07-15T00:00:01.123`, with a `Z` for `TIMESTAMP_LTZ`.
    Iso8601,
    /// `2015-07-15T00:00:01.123+02:00`, for both types.
    Iso8601WithOffset,
}

impl TimestampStandard {
    /// Between date and time.
    #[inline]
    fn separator(self) -> u8 {
        match self {
            TimestampStandard::Sql => b' ',
            TimestampStandard::Iso8601 | TimestampStandard::Iso8601WithOffset => b'T',
        }
    }
}

/// A point in time, or a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Since 1970, or since midnight.
    pub(crate) seconds: i64,
    /// Within the second.
    pub(crate) nanos: u32,
}

impl Instant {
    /// In units of a column; `None` when that is out of range.
    #[inline]
    pub(crate) fn in_unit(self, unit: TimeUnit) -> Option<i64> {
        let (per_second, nanos_per_unit) = match unit {
            TimeUnit::Second => return Some(self.seconds),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        let units = i64::from(self.nanos / nanos_per_unit);
        match self.seconds.checked_mul(per_second) {
            Some(whole) => whole.checked_add(units),
            // Just above the least value the second begins below it.
            None => i64::try_from(i128::from(self.seconds) * i128::from(per_second) + i128::from(units)).ok(),
        }
    }

    pub(crate) fn of_unit(value: i64, unit: TimeUnit) -> Instant {
        let (per_second, nanos_per_unit) = match unit {
            TimeUnit::Second => (1, 0),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        let nanos = value.rem_euclid(per_second) as u32 * nanos_per_unit;
        Instant { seconds: value.div_euclid(per_second), nanos }
    }
}
