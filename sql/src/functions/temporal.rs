//! Functions of times.

mod add;
mod convert;
mod extract;
mod round;

use super::time::zone::Zone;
use super::time::{DAY_S, Moment, SECOND, date_at, time_at, timestamp_at};
use super::{Call, Failed, Function, Param, Typed, fixed};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimeUnit};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["EXTRACT"],
        signature: "EXTRACT(unit FROM time)",
        types: |args| extract::types(args, unit_of(args)?),
        eval: |call| extract::eval(call, Unit::of_arg(call)?, 1),
        fails: false,
        examples: &[
            ("EXTRACT(DAY FROM TIMESTAMP '2024-02-29 12:34:56')", "29"),
            ("EXTRACT(DOW FROM DATE '2024-02-29')", "5"),
        ],
    },
    part(
        "YEAR",
        "YEAR(time)",
        |args| extract::types(args, Unit::Year),
        |call| extract::eval(call, Unit::Year, 0),
        &[("YEAR(DATE '2024-02-29')", "2024")],
    ),
    part(
        "QUARTER",
        "QUARTER(time)",
        |args| extract::types(args, Unit::Quarter),
        |call| extract::eval(call, Unit::Quarter, 0),
        &[("QUARTER(DATE '2024-02-29')", "1")],
    ),
    part(
        "MONTH",
        "MONTH(time)",
        |args| extract::types(args, Unit::Month),
        |call| extract::eval(call, Unit::Month, 0),
        &[("MONTH(DATE '2024-02-29')", "2")],
    ),
    part(
        "WEEK",
        "WEEK(time)",
        |args| extract::types(args, Unit::Week),
        |call| extract::eval(call, Unit::Week, 0),
        &[("WEEK(DATE '2021-01-03')", "53")],
    ),
    part(
        "DAYOFYEAR",
        "DAYOFYEAR(time)",
        |args| extract::types(args, Unit::Doy),
        |call| extract::eval(call, Unit::Doy, 0),
        &[("DAYOFYEAR(DATE '2024-02-29')", "60")],
    ),
    part(
        "DAYOFMONTH",
        "DAYOFMONTH(time)",
        |args| extract::types(args, Unit::Day),
        |call| extract::eval(call, Unit::Day, 0),
        &[("DAYOFMONTH(DATE '2024-02-29')", "29")],
    ),
    part(
        "DAYOFWEEK",
        "DAYOFWEEK(time)",
        |args| extract::types(args, Unit::Dow),
        |call| extract::eval(call, Unit::Dow, 0),
        &[("DAYOFWEEK(DATE '2024-02-29')", "5")],
    ),
    part(
        "HOUR",
        "HOUR(time)",
        |args| extract::types(args, Unit::Hour),
        |call| extract::eval(call, Unit::Hour, 0),
        &[("HOUR(TIMESTAMP '2024-02-29 12:34:56')", "12")],
    ),
    part(
        "MINUTE",
        "MINUTE(time)",
        |args| extract::types(args, Unit::Minute),
        |call| extract::eval(call, Unit::Minute, 0),
        &[("MINUTE(TIMESTAMP '2024-02-29 12:34:56')", "34")],
    ),
    part(
        "SECOND",
        "SECOND(time)",
        |args| extract::types(args, Unit::Second),
        |call| extract::eval(call, Unit::Second, 0),
        &[("SECOND(TIMESTAMP '2024-02-29 12:34:56')", "56")],
    ),
    Function {
        names: &["TIMESTAMPADD"],
        signature: "TIMESTAMPADD(unit, number, time)",
        types: add::add_types,
        eval: add::add,
        fails: true,
        examples: &[
            ("TIMESTAMPADD(MONTH, 1, TIMESTAMP '2024-01-31 10:00:00')", "2024-02-29T10:00"),
            ("TIMESTAMPADD(DAY, -1, DATE '2024-03-01')", "2024-02-29"),
        ],
    },
    Function {
        names: &["TIMESTAMPDIFF"],
        signature: "TIMESTAMPDIFF(unit, from, to)",
        types: add::difference_types,
        eval: add::difference,
        fails: false,
        examples: &[("TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-02-29')", "1")],
    },
    Function {
        names: &["DATE_FORMAT"],
        signature: "DATE_FORMAT(timestamp, pattern)",
        types: convert::date_format_types,
        eval: convert::date_format,
        fails: true,
        examples: &[(
            "DATE_FORMAT(TIMESTAMP '2024-02-09 15:04:05.067', 'yyyy-MM-dd HH:mm:ss.SSS')",
            "2024-02-09 15:04:05.067",
        )],
    },
    Function {
        names: &["TO_TIMESTAMP"],
        signature: "TO_TIMESTAMP(string[, pattern])",
        types: convert::to_timestamp_types,
        eval: convert::to_timestamp,
        fails: true,
        examples: &[
            ("TO_TIMESTAMP('2024-02-29 12:34:56')", "2024-02-29T12:34:56"),
            ("TO_TIMESTAMP('29/02/2024', 'dd/MM/yyyy')", "2024-02-29T00:00"),
            ("TO_TIMESTAMP('junk')", "null"),
        ],
    },
    Function {
        names: &["TO_DATE"],
        signature: "TO_DATE(string[, pattern])",
        types: |args| convert::with_pattern(args, DataType::Date32),
        eval: convert::to_date,
        fails: true,
        examples: &[
            ("TO_DATE('2024-02-29')", "2024-02-29"),
            ("TO_DATE('29/02/2024', 'dd/MM/yyyy')", "2024-02-29"),
        ],
    },
    Function {
        names: &["TO_TIMESTAMP_LTZ"],
        signature: "TO_TIMESTAMP_LTZ(number[, precision]), TO_TIMESTAMP_LTZ(string[, pattern[, zone]])",
        types: convert::to_timestamp_ltz_types,
        eval: convert::to_timestamp_ltz,
        fails: true,
        examples: &[
            ("TO_TIMESTAMP_LTZ(1709209845, 0)", "2024-02-29T12:30:45Z"),
            ("TO_TIMESTAMP_LTZ(1709209845123, 3)", "2024-02-29T12:30:45.123Z"),
        ],
    },
    Function {
        names: &["FROM_UNIXTIME"],
        signature: "FROM_UNIXTIME(seconds[, pattern])",
        types: convert::from_unixtime_types,
        eval: convert::from_unixtime,
        fails: true,
        examples: &[
            ("FROM_UNIXTIME(44)", "1970-01-01 00:00:44"),
            ("FROM_UNIXTIME(44, 'yyyy/MM/dd')", "1970/01/01"),
        ],
    },
    Function {
        names: &["UNIX_TIMESTAMP"],
        signature: "UNIX_TIMESTAMP(string[, pattern])",
        types: convert::unix_timestamp_types,
        eval: convert::unix_timestamp,
        fails: true,
        examples: &[("UNIX_TIMESTAMP('1970-01-01 00:00:44')", "44")],
    },
    Function {
        names: &["CONVERT_TZ"],
        signature: "CONVERT_TZ(string, zone, zone)",
        types: |args| fixed(args, 3, &[Param::Text, Param::Text, Param::Text], DataType::Utf8),
        eval: convert::convert_tz,
        fails: false,
        examples: &[(
            "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
            "1969-12-31 16:00:00",
        )],
    },
];

const fn part(
    name: &'static str,
    signature: &'static str,
    types: fn(&[super::Arg<'_>]) -> Result<Typed, String>,
    eval: fn(&Call<'_>) -> Result<ArrayRef, Failed>,
    examples: &'static [(&'static str, &'static str)],
) -> Function {
    Function { names: name_of(name), signature, types, eval, fails: false, examples }
}

/// The names of a part, as a slice that lives for ever.
const fn name_of(name: &'static str) -> &'static [&'static str] {
    match name.as_bytes() {
        b"YEAR" => &["YEAR"],
        b"QUARTER" => &["QUARTER"],
        b"MONTH" => &["MONTH"],
        b"WEEK" => &["WEEK"],
        b"DAYOFYEAR" => &["DAYOFYEAR"],
        b"DAYOFMONTH" => &["DAYOFMONTH"],
        b"DAYOFWEEK" => &["DAYOFWEEK"],
        b"HOUR" => &["HOUR"],
        b"MINUTE" => &["MINUTE"],
        _ => &["SECOND"],
    }
}

pub(super) use round::{round_types, rounded};

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Millennium,
    Century,
    Decade,
    Year,
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    Doy,
    Dow,
    IsoDow,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
}

impl Unit {
    fn named(name: &str) -> Option<Unit> {
        Some(match name.strip_prefix("SQL_TSI_").unwrap_or(name) {
            "MILLENNIUM" => Unit::Millennium,
            "CENTURY" => Unit::Century,
            "DECADE" => Unit::Decade,
            "YEAR" => Unit::Year,
            "ISOYEAR" => Unit::IsoYear,
            "QUARTER" => Unit::Quarter,
            "MONTH" => Unit::Month,
            "WEEK" => Unit::Week,
            "DAY" => Unit::Day,
            "DOY" => Unit::Doy,
            "DOW" => Unit::Dow,
            "ISODOW" => Unit::IsoDow,
            "HOUR" => Unit::Hour,
            "MINUTE" => Unit::Minute,
            "SECOND" => Unit::Second,
            "MILLISECOND" => Unit::Millisecond,
            "MICROSECOND" => Unit::Microsecond,
            "NANOSECOND" => Unit::Nanosecond,
            "EPOCH" => Unit::Epoch,
            _ => return None,
        })
    }

    /// Of the first argument.
    fn of_arg(call: &Call<'_>) -> Result<Unit, Failed> {
        Unit::at(call, 0)
    }

    fn at(call: &Call<'_>, arg: usize) -> Result<Unit, Failed> {
        let name = call.column::<arrow::array::StringArray>(arg)?;
        name.get(0).and_then(Unit::named).ok_or_else(|| Failed::from("there is no such unit of time"))
    }

    /// Nanoseconds, of a unit that always has as many.
    fn nanos(self) -> Option<i64> {
        Some(match self {
            Unit::Week => 7 * DAY_S * SECOND,
            Unit::Day => DAY_S * SECOND,
            Unit::Hour => 3600 * SECOND,
            Unit::Minute => 60 * SECOND,
            Unit::Second => SECOND,
            Unit::Millisecond => 1_000_000,
            Unit::Microsecond => 1000,
            Unit::Nanosecond => 1,
            _ => return None,
        })
    }

    /// Months, of a unit that has as many.
    fn months(self) -> Option<i64> {
        Some(match self {
            Unit::Millennium => 12_000,
            Unit::Century => 1200,
            Unit::Decade => 120,
            Unit::Year => 12,
            Unit::Quarter => 3,
            Unit::Month => 1,
            _ => return None,
        })
    }
}

/// The unit that the first argument names.
fn unit_of(args: &[super::Arg<'_>]) -> Result<Unit, String> {
    let name = args.first().and_then(super::Arg::text).ok_or("takes a unit of time, as DAY")?;
    Unit::named(name).ok_or_else(|| format!("takes a unit of time, as DAY; there is no {name}"))
}

/// What clocks show at the times of an argument, whatever type it has; `None` for null.
fn local_at(array: &ArrayRef, row: usize, zone: Zone) -> Result<Option<Moment>, Failed> {
    match array.data_type() {
        DataType::Date32 => Ok(date_at(array, row).map(|day| Moment { seconds: day * DAY_S, nanos: 0 })),
        DataType::Time32(_) | DataType::Time64(_) => {
            Ok(time_at(array, row)?.map(|nanos| Moment { seconds: nanos / SECOND, nanos: nanos % SECOND }))
        }
        DataType::Timestamp(_, Some(_)) => Ok(timestamp_at(array, row)?.map(|moment| zone.local(moment))),
        _ => timestamp_at(array, row),
    }
}

/// Timestamps of the result's type, by row.
fn timestamps(
    call: &Call<'_>,
    value: impl Fn(usize) -> Result<Option<Moment>, Failed>,
) -> Result<ArrayRef, Failed> {
    use arrow::datatypes::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    let DataType::Timestamp(unit, _) = call.returns() else {
        return Err(Failed::from("the result is no timestamp"));
    };
    let unit = *unit;
    let number = |row| -> Result<Option<i64>, Failed> {
        let Some(moment) = value(row)? else { return Ok(None) };
        moment.in_unit(unit).map(Some).ok_or_else(|| Failed::from("the time is out of the range of its type"))
    };
    match unit {
        TimeUnit::Second => call.numbers::<TimestampSecondType>(number),
        TimeUnit::Millisecond => call.numbers::<TimestampMillisecondType>(number),
        TimeUnit::Microsecond => call.numbers::<TimestampMicrosecondType>(number),
        TimeUnit::Nanosecond => call.numbers::<TimestampNanosecondType>(number),
    }
}
