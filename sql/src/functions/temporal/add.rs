//! `TIMESTAMPADD` and `TIMESTAMPDIFF`.

use super::{Unit, local_at, timestamps, unit_of};
use crate::functions::signature::Arg;
use crate::functions::time::calendar::Date;
use crate::functions::time::zone::UTC;
use crate::functions::time::{DAY_S, Moment, SECOND};
use crate::functions::{Call, Failed, Typed};
use arrow::array::ArrayRef;
use arrow::array::Int64Array;
use arrow::datatypes::{DataType, Date32Type, Int32Type, TimeUnit};
use millstream_operators::formats::sql_type;

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, _) | DataType::Date32)
}

/// The unit of a sum or a difference.
fn checked_unit(args: &[Arg<'_>], finest: Unit) -> Result<Unit, String> {
    let unit = unit_of(args)?;
    let finest = finest.nanos().unwrap_or(1);
    match (unit.months(), unit.nanos()) {
        (Some(months), _) if months <= 12 => Ok(unit),
        (_, Some(nanos)) if nanos >= finest => Ok(unit),
        _ => Err(format!("does not take {unit:?}")),
    }
}

pub(super) fn add_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let [unit, number, time] = args else { return Err("takes a unit, a number and a time".to_owned()) };
    let kind = checked_unit(args, Unit::Millisecond)?;
    let is_whole = number.data_type.is_integer() || *number.data_type == DataType::Null;
    if !is_whole {
        return Err(format!("takes a whole number, not {}", sql_type(number.data_type)));
    }
    let is_clock = kind.nanos().is_some_and(|nanos| nanos < DAY_S * SECOND);
    let (takes, returns) = match time.data_type {
        DataType::Date32 if is_clock => (DataType::Date32, DataType::Timestamp(TimeUnit::Microsecond, None)),
        DataType::Null => (DataType::Date32, DataType::Date32),
        other if is_time(other) => (other.clone(), other.clone()),
        other => return Err(format!("takes a time, not {}", sql_type(other))),
    };
    Ok(Typed { args: vec![unit.data_type.clone(), DataType::Int64, takes], returns })
}

/// A time as many units later. Of a `TIMESTAMP_LTZ` the clock is that of UTC, as in Flink.
pub(super) fn add(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let unit = Unit::of_arg(call)?;
    let numbers = call.column::<Int64Array>(1)?;
    let times = call.array(2)?;
    let late = || Failed::from("the time is out of range");
    let sum = |row| -> Result<Option<Moment>, Failed> {
        let (Some(time), Some(number)) = (local_at(&times, row, UTC)?, numbers.get(row)) else {
            return Ok(None);
        };
        let (days, nanos) = time.day();
        let sum = match (unit.months(), unit.nanos()) {
            (Some(months), _) => {
                let months = months.checked_mul(number).ok_or_else(late)?;
                let date = Date::of_days(days).plus_months(months).ok_or_else(late)?;
                Moment::at(date.days(), nanos)
            }
            (_, Some(step)) => {
                let whole = i128::from(step) * i128::from(number) + i128::from(nanos);
                let day = i128::from(DAY_S * SECOND);
                let later = i64::try_from(whole.div_euclid(day)).map_err(|_| late())?;
                let days = days.checked_add(later).ok_or_else(late)?;
                Moment::at(days, whole.rem_euclid(day) as i64)
            }
            _ => None,
        };
        sum.map(Some).ok_or_else(late)
    };
    match call.returns() {
        DataType::Date32 => call.numbers::<Date32Type>(|row| {
            let days = sum(row)?.map(|moment| i32::try_from(moment.day().0).map_err(|_| late()));
            days.transpose()
        }),
        _ => timestamps(call, sum),
    }
}

pub(super) fn difference_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let [unit, from, to] = args else { return Err("takes a unit and two times".to_owned()) };
    // Of finer units Flink gives those of whole seconds.
    checked_unit(args, Unit::Second)?;
    let takes = |arg: &Arg<'_>| match arg.data_type {
        DataType::Null => Ok(DataType::Date32),
        other if is_time(other) => Ok(other.clone()),
        other => Err(format!("takes times, not {}", sql_type(other))),
    };
    Ok(Typed { args: vec![unit.data_type.clone(), takes(from)?, takes(to)?], returns: DataType::Int32 })
}

/// How many whole units lie between two times. The number is cut to the bits of an `INT`, as in Java.
pub(super) fn difference(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let unit = Unit::of_arg(call)?;
    let (from, to) = (call.array(1)?, call.array(2)?);
    call.numbers::<Int32Type>(|row| {
        let (Some(from), Some(to)) = (local_at(&from, row, UTC)?, local_at(&to, row, UTC)?) else {
            return Ok(None);
        };
        let units = match (unit.months(), unit.nanos()) {
            (Some(months), _) => i128::from(months_between(from, to) / months),
            (_, Some(step)) => {
                let seconds = i128::from(to.seconds) - i128::from(from.seconds);
                let nanos = seconds * i128::from(SECOND) + i128::from(to.nanos - from.nanos);
                // Flink counts milliseconds, and all else by them.
                nanos / 1_000_000 * 1_000_000 / i128::from(step)
            }
            _ => return Err(Failed::from("there is no such unit of time")),
        };
        Ok(Some(units as i32))
    })
}

/// Whole months from one time to another, where a day that the month has not is its last one.
fn months_between(from: Moment, to: Moment) -> i64 {
    let ((from_day, from_nanos), (to_day, to_nanos)) = (from.day(), to.day());
    let months = match from_day <= to_day {
        true => months_of_days(from_day, to_day),
        false => -months_of_days(to_day, from_day),
    };
    let same_day = Date::of_days(from_day).plus_months(months).map(Date::days) == Some(to_day);
    months - i64::from(same_day && to_nanos < from_nanos)
}

fn months_of_days(from: i64, to: i64) -> i64 {
    let (first, last) = (Date::of_days(from), Date::of_days(to));
    let months = (last.year - first.year) * 12 + last.month - first.month;
    let reached = first.plus_months(months).is_some_and(|date| date.days() <= to);
    if reached { months } else { months - 1 }
}
