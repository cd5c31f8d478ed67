//! Operators whose meaning in Flink is not that of DataFusion: they are called by no name, but by the planner.

use super::time::{DAY_S, SECOND, date_at, time_at};
use super::values::decimal::{self, Digits};
use super::{Call, Failed, Function, Typed};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, PrimitiveArray,
};
use arrow::compute::binary;
use arrow::datatypes::*;
use std::cmp::Ordering::{self, Equal, Greater, Less};
use std::sync::Arc;

const fn operator(
    name: &'static [&'static str],
    types: fn(&[super::Arg<'_>]) -> Result<Typed, String>,
    eval: fn(&Call<'_>) -> Result<ArrayRef, Failed>,
    fails: bool,
) -> Function {
    Function { names: name, signature: "", types, eval, fails, examples: &[] }
}

/// `+` of decimals.
pub(crate) static ADD: Function =
    operator(&["+"], |args| decimals(args, Digits::sum), |call| sum(call, 1), false);
/// `-` of decimals.
pub(crate) static SUBTRACT: Function =
    operator(&["-"], |args| decimals(args, Digits::sum), |call| sum(call, -1), false);
/// `*` of decimals.
pub(crate) static MULTIPLY: Function =
    operator(&["*"], |args| decimals(args, Digits::product), multiply, false);
/// `/` of decimals and whole numbers.
pub(crate) static DIVIDE: Function = operator(&["/"], |args| exact(args, Digits::quotient), divide, true);
/// `%` of decimals and whole numbers.
pub(crate) static REMAINDER: Function =
    operator(&["%"], |args| exact(args, Digits::remainder), remainder, true);

/// `=` of floating numbers, for which 0 and -0 are the same and NaN is not itself, and of decimals.
pub(crate) static EQUAL: Function =
    operator(&["="], truth, |call| compare(call, |a, b| a == b, |order| order == Equal), false);
/// `<>`.
pub(crate) static NOT_EQUAL: Function =
    operator(&["<>"], truth, |call| compare(call, |a, b| a != b, |order| order != Equal), false);
/// `<`.
pub(crate) static LESS: Function =
    operator(&["<"], truth, |call| compare(call, |a, b| a < b, |order| order == Less), false);
/// `<=`.
pub(crate) static LESS_EQUAL: Function =
    operator(&["<="], truth, |call| compare(call, |a, b| a <= b, |order| order != Greater), false);
/// `>`.
pub(crate) static GREATER: Function =
    operator(&[">"], truth, |call| compare(call, |a, b| a > b, |order| order == Greater), false);
/// `>=`.
pub(crate) static GREATER_EQUAL: Function =
    operator(&[">="], truth, |call| compare(call, |a, b| a >= b, |order| order != Less), false);

/// A date or a time of a day, and an interval.
pub(crate) static PLUS_INTERVAL: Function = operator(&["+"], first_type, |call| plus_interval(call, 1), true);
/// The same backwards.
pub(crate) static MINUS_INTERVAL: Function =
    operator(&["-"], first_type, |call| plus_interval(call, -1), true);
/// An interval as many times.
pub(crate) static TIMES_INTERVAL: Function = operator(&["*"], first_type, times_interval, true);

fn first_type(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    let first = args.first().ok_or("takes two values")?;
    Ok(Typed {
        args: args.iter().map(|arg| arg.data_type.clone()).collect(),
        returns: first.data_type.clone(),
    })
}

fn truth(args: &[super::Arg<'_>]) -> Result<Typed, String> {
    Ok(Typed { args: args.iter().map(|arg| arg.data_type.clone()).collect(), returns: DataType::Boolean })
}

/// Decimals, and whole numbers as decimals.
fn decimals(args: &[super::Arg<'_>], result: fn(Digits, Digits) -> Digits) -> Result<Typed, String> {
    let digits = |arg: Option<&super::Arg<'_>>| arg.and_then(|arg| Digits::of(arg.data_type));
    match (digits(args.first()), digits(args.get(1))) {
        (Some(left), Some(right)) => Ok(Typed {
            args: vec![left.data_type(), right.data_type()],
            returns: result(left, right).data_type(),
        }),
        _ => Err("takes two numbers".to_owned()),
    }
}

/// Whole numbers of one type as they are, or decimals.
fn exact(args: &[super::Arg<'_>], result: fn(Digits, Digits) -> Digits) -> Result<Typed, String> {
    match args {
        [left, right] if left.data_type == right.data_type && left.data_type.is_integer() => first_type(args),
        _ => decimals(args, result),
    }
}

/// The decimals of an argument, by row, and their scale.
fn operand<'a>(call: &Call<'a>, arg: usize) -> Result<(super::Column<'a, Decimal128Array>, u8), Failed> {
    let column = call.column::<Decimal128Array>(arg)?;
    let scale =
        u8::try_from(column.array().scale()).map_err(|_| Failed::from("a decimal has a negative scale"))?;
    Ok((column, scale))
}

fn result_digits(call: &Call<'_>) -> Result<Digits, Failed> {
    Digits::of(call.returns()).ok_or_else(|| Failed::from("the result is no decimal"))
}

/// Computes decimals by row.
fn by_row(
    call: &Call<'_>,
    value: impl Fn((i128, u8), (i128, u8), Digits) -> Result<Option<i128>, Failed>,
) -> Result<ArrayRef, Failed> {
    let ((left, left_scale), (right, right_scale)) = (operand(call, 0)?, operand(call, 1)?);
    let to = result_digits(call)?;
    call.numbers::<Decimal128Type>(|row| match (left.get(row), right.get(row)) {
        (Some(left), Some(right)) => value((left, left_scale), (right, right_scale), to),
        _ => Ok(None),
    })
}

/// Computes decimals that can't be too large, in one pass.
fn at_once(call: &Call<'_>, value: impl Fn(i128, i128) -> i128) -> Result<ArrayRef, Failed> {
    let ((left, _), (right, _)) = (operand(call, 0)?, operand(call, 1)?);
    let values: Decimal128Array = match (left.constant(), right.constant()) {
        (None, Some(Some(right))) => left.array().unary(|left| value(left, right)),
        (Some(Some(left)), None) => right.array().unary(|right| value(left, right)),
        (None, None) => binary(left.array(), right.array(), value)?,
        _ => return by_row(call, |left, right, _| Ok(Some(value(left.0, right.0)))),
    };
    Ok(Arc::new(values.with_data_type(call.returns().clone())))
}

fn sum(call: &Call<'_>, sign: i128) -> Result<ArrayRef, Failed> {
    let ((left, left_scale), (right, right_scale)) = (operand(call, 0)?, operand(call, 1)?);
    let to = result_digits(call)?;
    let scale = left_scale.max(right_scale);
    let digits = |column: &super::Column<'_, Decimal128Array>| Digits::of(column.array().data_type());
    let exact = digits(&left).zip(digits(&right)).is_some_and(|(left, right)| {
        to.scale == scale
            && to.precision > left.precision - left.scale + scale
            && to.precision > right.precision - right.scale + scale
    });
    let factor = |from: u8| decimal::power(u32::from(scale - from)).unwrap_or(1);
    let (left_factor, right_factor) = (factor(left_scale), factor(right_scale) * sign);
    if exact {
        return at_once(call, move |left, right| {
            left.wrapping_mul(left_factor).wrapping_add(right.wrapping_mul(right_factor))
        });
    }
    by_row(call, move |left, right, to| Ok(decimal::add(left, (right.0 * sign, right.1), to)))
}

fn multiply(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let ((left, left_scale), (right, right_scale)) = (operand(call, 0)?, operand(call, 1)?);
    let to = result_digits(call)?;
    let digits = left.array().precision() + right.array().precision();
    if to.scale == left_scale + right_scale && to.precision >= digits {
        return at_once(call, i128::wrapping_mul);
    }
    by_row(call, |left, right, to| Ok(decimal::multiply(left, right, to)))
}

fn divide(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    match call.returns() {
        DataType::Int8 => whole::<Int8Type>(call, |left, right| left.wrapping_div(right)),
        DataType::Int16 => whole::<Int16Type>(call, |left, right| left.wrapping_div(right)),
        DataType::Int32 => whole::<Int32Type>(call, |left, right| left.wrapping_div(right)),
        DataType::Int64 => whole::<Int64Type>(call, |left, right| left.wrapping_div(right)),
        _ => by_row(call, |left, right, to| match right.0 {
            0 => Err(Failed::from("division by zero")),
            _ => Ok(decimal::divide(left, right, to)),
        }),
    }
}

fn remainder(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    match call.returns() {
        DataType::Int8 => whole::<Int8Type>(call, |left, right| left.wrapping_rem(right)),
        DataType::Int16 => whole::<Int16Type>(call, |left, right| left.wrapping_rem(right)),
        DataType::Int32 => whole::<Int32Type>(call, |left, right| left.wrapping_rem(right)),
        DataType::Int64 => whole::<Int64Type>(call, |left, right| left.wrapping_rem(right)),
        _ => by_row(call, |left, right, to| match right.0 {
            0 => Err(Failed::from("division by zero")),
            _ => Ok(decimal::remainder(left, right, to)),
        }),
    }
}

/// Whole numbers by row, where the second is not 0.
fn whole<T>(call: &Call<'_>, value: impl Fn(T::Native, T::Native) -> T::Native) -> Result<ArrayRef, Failed>
where
    T: ArrowPrimitiveType,
    T::Native: Default,
{
    let (left, right) = (call.column::<PrimitiveArray<T>>(0)?, call.column::<PrimitiveArray<T>>(1)?);
    call.numbers::<T>(|row| match (left.get(row), right.get(row)) {
        (Some(_), Some(right)) if right == T::Native::default() => Err(Failed::from("division by zero")),
        (Some(left), Some(right)) => Ok(Some(value(left, right))),
        _ => Ok(None),
    })
}

/// Compares floating numbers, of which a `FLOAT` is exactly a `DOUBLE`, and decimals of different digits.
fn compare(
    call: &Call<'_>,
    holds: impl Fn(f64, f64) -> bool,
    is: impl Fn(Ordering) -> bool,
) -> Result<ArrayRef, Failed> {
    if let (Ok((left, left_scale)), Ok((right, right_scale))) = (operand(call, 0), operand(call, 1)) {
        return call.booleans(|row| {
            let pair = left.get(row).zip(right.get(row));
            Ok(pair.map(|(left, right)| is(decimal::order((left, left_scale), (right, right_scale)))))
        });
    }
    let (left, right) = (call.array(0)?, call.array(1)?);
    let truth = match (left.as_primitive_opt::<Float64Type>(), right.as_primitive_opt::<Float64Type>()) {
        (Some(left), Some(right)) => BooleanArray::from_binary(left, right, holds),
        _ => {
            let single = |array: &ArrayRef| {
                array
                    .as_primitive_opt::<Float32Type>()
                    .cloned()
                    .ok_or_else(|| Failed::from("compares two types"))
            };
            BooleanArray::from_binary(&single(&left)?, &single(&right)?, |left, right| {
                holds(left.into(), right.into())
            })
        }
    };
    Ok(Arc::new(truth))
}

/// Months, and milliseconds beside them.
fn interval(value: IntervalMonthDayNano) -> (i64, i64) {
    (i64::from(value.months), i64::from(value.days) * DAY_S * 1000 + value.nanoseconds / 1_000_000)
}

fn plus_interval(call: &Call<'_>, sign: i64) -> Result<ArrayRef, Failed> {
    let intervals = call.column::<PrimitiveArray<IntervalMonthDayNanoType>>(1)?;
    let times = call.array(0)?;
    let by = |row| intervals.get(row).map(interval).map(|(months, millis)| (months * sign, millis * sign));
    let time = |row| -> Result<Option<i64>, Failed> {
        let (Some(nanos), Some((_, millis))) = (time_at(&times, row)?, by(row)) else { return Ok(None) };
        let day = DAY_S * SECOND;
        Ok(Some((nanos + millis.rem_euclid(DAY_S * 1000) * 1_000_000).rem_euclid(day)))
    };
    match call.returns() {
        DataType::Date32 => call.numbers::<Date32Type>(|row| {
            let (Some(days), Some((months, millis))) = (date_at(&times, row), by(row)) else {
                return Ok(None);
            };
            let late = || Failed::from("the date is out of range");
            let date = super::time::calendar::Date::of_days(days).plus_months(months).ok_or_else(late)?;
            // Hours that make no day don't count, forwards and backwards.
            let days = date.days() + millis / (DAY_S * 1000);
            Ok(Some(i32::try_from(days).map_err(|_| late())?))
        }),
        DataType::Time32(TimeUnit::Second) => {
            call.numbers::<Time32SecondType>(|row| Ok(time(row)?.map(|nanos| (nanos / SECOND) as i32)))
        }
        DataType::Time32(_) => call
            .numbers::<Time32MillisecondType>(|row| Ok(time(row)?.map(|nanos| (nanos / 1_000_000) as i32))),
        DataType::Time64(TimeUnit::Microsecond) => {
            call.numbers::<Time64MicrosecondType>(|row| Ok(time(row)?.map(|nanos| nanos / 1000)))
        }
        _ => call.numbers::<Time64NanosecondType>(time),
    }
}

fn times_interval(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let intervals = call.column::<PrimitiveArray<IntervalMonthDayNanoType>>(0)?;
    let factors = call.column::<PrimitiveArray<Int64Type>>(1)?;
    call.numbers::<IntervalMonthDayNanoType>(|row| {
        let (Some(value), Some(factor)) = (intervals.get(row), factors.get(row)) else { return Ok(None) };
        let (months, millis) = interval(value);
        let late = || Failed::from("the interval is too long");
        let months =
            months.checked_mul(factor).and_then(|months| i32::try_from(months).ok()).ok_or_else(late)?;
        let millis = millis.checked_mul(factor).ok_or_else(late)?;
        let days = i32::try_from(millis / (DAY_S * 1000)).map_err(|_| late())?;
        let nanos = millis % (DAY_S * 1000) * 1_000_000;
        Ok(Some(IntervalMonthDayNano::new(months, days, nanos)))
    })
}
