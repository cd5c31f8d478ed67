//! `EXTRACT` and its short forms.

use super::{Unit, local_at};
use crate::functions::signature::Arg;
use crate::functions::time::calendar::iso_week;
use crate::functions::time::pattern::Fields;
use crate::functions::{Call, Failed, Typed};
use arrow::array::ArrayRef;
use arrow::array::PrimitiveArray;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType};
use millstream_operators::formats::sql_type;

/// The types of `EXTRACT(unit, time)` and of `UNIT(time)`.
pub(super) fn types(args: &[Arg<'_>], unit: Unit) -> Result<Typed, String> {
    use DataType as T;
    let time = args.last().ok_or("takes a time")?;
    let has_clock = matches!(
        unit,
        Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond | Unit::Microsecond | Unit::Nanosecond
    );
    let is_interval = matches!(unit, Unit::Year | Unit::Month | Unit::Day) || has_clock;
    let legal = match time.data_type {
        T::Timestamp(_, _) => true,
        T::Date32 => true,
        T::Time32(_) | T::Time64(_) => has_clock,
        T::Interval(_) => is_interval,
        T::Null => true,
        other => return Err(format!("takes a time, not {}", sql_type(other))),
    };
    if !legal {
        return Err(format!("can't take {unit:?} from {}", sql_type(time.data_type)));
    }
    let mut types: Vec<DataType> = args.iter().map(|arg| arg.data_type.clone()).collect();
    if *time.data_type == T::Null {
        types.pop();
        types.push(T::Date32);
    }
    Ok(Typed { args: types, returns: DataType::Int64 })
}

/// The part of each time.
pub(super) fn eval(call: &Call<'_>, unit: Unit, arg: usize) -> Result<ArrayRef, Failed> {
    let times = call.array(arg)?;
    if let DataType::Interval(_) = times.data_type() {
        return of_intervals(call, unit, arg);
    }
    let zone = call.zone();
    call.numbers::<Int64Type>(|row| {
        let Some(local) = local_at(&times, row, zone)? else { return Ok(None) };
        let (days, nanos) = local.day();
        let fields = Fields::new(days, nanos);
        let year = fields.date.year;
        Ok(Some(match unit {
            Unit::Millennium => (year + 999).div_euclid(1000),
            Unit::Century => (year + 99).div_euclid(100),
            Unit::Decade => year.div_euclid(10),
            Unit::Year => year,
            Unit::IsoYear => iso_week(days).0,
            Unit::Quarter => fields.date.quarter(),
            Unit::Month => fields.date.month,
            Unit::Week => iso_week(days).1,
            Unit::Day => fields.date.day,
            Unit::Doy => fields.date.of_year(),
            Unit::Dow => fields.us_weekday(),
            Unit::IsoDow => fields.weekday(),
            Unit::Hour => fields.hour(),
            Unit::Minute => fields.minute(),
            Unit::Second => fields.second(),
            Unit::Millisecond => fields.nano() / 1_000_000,
            Unit::Microsecond => fields.nano() / 1000,
            Unit::Nanosecond => fields.nano(),
            Unit::Epoch => local.seconds,
        }))
    })
}

fn of_intervals(call: &Call<'_>, unit: Unit, arg: usize) -> Result<ArrayRef, Failed> {
    let intervals = call.column::<PrimitiveArray<IntervalMonthDayNanoType>>(arg)?;
    call.numbers::<Int64Type>(|row| {
        let Some(value) = intervals.get(row) else { return Ok(None) };
        let (months, millis) =
            (i64::from(value.months), i64::from(value.days) * 86_400_000 + value.nanoseconds / 1_000_000);
        Ok(Some(match unit {
            Unit::Year => months / 12,
            Unit::Month => months % 12,
            Unit::Day => millis / 86_400_000,
            Unit::Hour => millis / 3_600_000 % 24,
            Unit::Minute => millis / 60_000 % 60,
            Unit::Second => millis / 1000 % 60,
            Unit::Millisecond => millis % 1000,
            Unit::Microsecond => millis % 1000 * 1000,
            Unit::Nanosecond => millis % 1000 * 1_000_000,
            _ => return Err(Failed::from("an interval has no such part")),
        }))
    })
}
