//! `FLOOR` and `CEIL` of times to a unit.

use super::{Unit, local_at, timestamps};
use crate::functions::signature::Arg;
use crate::functions::time::calendar::{Date, weekday};
use crate::functions::time::{DAY_S, Moment, SECOND, time_at, timestamp_at};
use crate::functions::{Call, Failed, Typed};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    DataType, Date32Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimeUnit,
};
use millstream_operators::formats::sql_type;

/// The types of `FLOOR(time, 'unit')`.
pub(in crate::functions) fn round_types(args: &[Arg<'_>], up: bool) -> Result<Typed, String> {
    use DataType as T;
    let [time, unit] = args else { return Err("takes a time and a unit, as FLOOR(t TO DAY)".to_owned()) };
    let name = unit.text().ok_or("takes a unit of time, as FLOOR(t TO DAY)")?;
    let unit = Unit::named(name).filter(|unit| unit.months().is_some() || unit.nanos().is_some());
    let unit = unit.ok_or_else(|| format!("has no unit {name}"))?;
    let is_clock = unit.nanos().is_some_and(|nanos| nanos < DAY_S * SECOND);
    match time.data_type {
        T::Timestamp(_, _) if matches!(unit, Unit::Microsecond | Unit::Nanosecond) => {
            return Err(format!("to {name} is not supported"));
        }
        T::Timestamp(_, _) => {}
        // To a day Flink gives the day behind it.
        T::Date32 if up && (unit == Unit::Day || is_clock) => {
            return Err(format!("of a DATE to {name} is not supported"));
        }
        T::Date32 => {}
        T::Time32(_) | T::Time64(_) if is_clock && !up => {}
        other => return Err(format!("to {name} does not take {}", sql_type(other))),
    }
    Ok(Typed { args: vec![time.data_type.clone(), DataType::Utf8], returns: time.data_type.clone() })
}

/// Times rounded down, or up.
pub(in crate::functions) fn rounded(call: &Call<'_>, up: bool) -> Result<ArrayRef, Failed> {
    let times = call.array(0)?;
    let unit = Unit::at(call, 1)?;
    let zone = call.zone();
    match times.data_type() {
        DataType::Date32 => call.numbers::<Date32Type>(|row| {
            let Some(local) = local_at(&times, row, zone)? else { return Ok(None) };
            let days = round(local, unit, up)?.day().0;
            Ok(Some(i32::try_from(days).map_err(|_| Failed::from("the date is out of range"))?))
        }),
        DataType::Timestamp(_, with_zone) => {
            let has_zone = with_zone.is_some();
            timestamps(call, |row| {
                let (Some(local), Some(moment)) = (local_at(&times, row, zone)?, timestamp_at(&times, row)?)
                else {
                    return Ok(None);
                };
                let rounded = round(local, unit, up)?;
                // As far ahead of UTC as the moment itself, as in Flink.
                let ahead = if has_zone { local.seconds - moment.seconds } else { 0 };
                Ok(Some(Moment { seconds: rounded.seconds - ahead, ..rounded }))
            })
        }
        data_type => of_clock(call, &times, data_type, unit),
    }
}

fn of_clock(call: &Call<'_>, times: &ArrayRef, data_type: &DataType, unit: Unit) -> Result<ArrayRef, Failed> {
    let step = unit.nanos().ok_or_else(|| Failed::from("a time of a day has no such unit"))?;
    let nanos = |row| Ok(time_at(times.as_ref() as &dyn Array, row)?.map(|nanos| nanos - nanos % step));
    match data_type {
        DataType::Time32(TimeUnit::Second) => {
            call.numbers::<Time32SecondType>(|row| Ok(nanos(row)?.map(|nanos: i64| (nanos / SECOND) as i32)))
        }
        DataType::Time32(_) => call.numbers::<Time32MillisecondType>(|row| {
            Ok(nanos(row)?.map(|nanos: i64| (nanos / 1_000_000) as i32))
        }),
        DataType::Time64(TimeUnit::Microsecond) => {
            call.numbers::<Time64MicrosecondType>(|row| Ok(nanos(row)?.map(|nanos: i64| nanos / 1000)))
        }
        _ => call.numbers::<Time64NanosecondType>(nanos),
    }
}

/// A time rounded to a unit.
fn round(local: Moment, unit: Unit, up: bool) -> Result<Moment, Failed> {
    let floor = floor(local, unit);
    if !up || floor == local {
        return Ok(floor);
    }
    let late = || Failed::from("the time is out of range");
    match (unit.months(), unit.nanos()) {
        (Some(months), _) => {
            let next = Date::of_days(floor.day().0).plus_months(months).ok_or_else(late)?;
            Ok(Moment { seconds: next.days() * DAY_S, nanos: 0 })
        }
        (_, Some(nanos)) => {
            let (day, of_day) = floor.day();
            let days = nanos / (DAY_S * SECOND);
            Moment::at(day + days, of_day + nanos % (DAY_S * SECOND)).ok_or_else(late)
        }
        _ => Ok(floor),
    }
}

fn floor(local: Moment, unit: Unit) -> Moment {
    let (days, nanos) = local.day();
    let date = Date::of_days(days);
    let year = |year: i64| Date { year, month: 1, day: 1 }.days();
    let days = match unit {
        Unit::Millennium => year((date.year - 1).div_euclid(1000) * 1000 + 1),
        Unit::Century => year((date.year - 1).div_euclid(100) * 100 + 1),
        Unit::Decade => year(date.year.div_euclid(10) * 10),
        Unit::Year => year(date.year),
        Unit::Quarter => Date { month: (date.quarter() - 1) * 3 + 1, day: 1, ..date }.days(),
        Unit::Month => Date { day: 1, ..date }.days(),
        // Weeks begin on Sunday.
        Unit::Week => days - weekday(days) % 7,
        Unit::Day => days,
        _ => {
            let step = unit.nanos().unwrap_or(1);
            let nanos = nanos - nanos % step;
            return Moment::at(days, nanos).unwrap_or(local);
        }
    };
    Moment { seconds: days * DAY_S, nanos: 0 }
}
