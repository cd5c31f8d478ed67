//! `ROUND`, `TRUNCATE`, `FLOOR` and `CEIL` of numbers.

use crate::functions::signature::{Arg, is_number};
use crate::functions::values::decimal::{self, Digits};
use crate::functions::{Call, Failed, Typed};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, Decimal128Array, Float32Array, Float64Array, Int32Array, PrimitiveArray,
};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use millstream_operators::formats::sql_type;

/// `FLOOR` and `CEIL`: of a decimal no digits are left behind the point.
pub(super) fn whole_types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let [number] = args else { return Err("takes one number".to_owned()) };
    let returns = match number.data_type {
        DataType::Decimal128(precision, _) => DataType::Decimal128(*precision, 0),
        data_type if is_number(data_type) => data_type.clone(),
        other => {
            return Err(format!(
                "takes a number, or a time and a unit as FLOOR(t TO DAY), not {}",
                sql_type(other)
            ));
        }
    };
    Ok(Typed { args: vec![number.data_type.clone()], returns })
}

pub(super) fn whole(
    call: &Call<'_>,
    floating: fn(f64) -> f64,
    exact: fn(i128, i128) -> i128,
) -> Result<ArrayRef, Failed> {
    match call.returns() {
        DataType::Float64 => {
            let values = call.column::<Float64Array>(0)?;
            call.numbers::<Float64Type>(|row| Ok(values.get(row).map(floating)))
        }
        DataType::Float32 => {
            let values = call.column::<Float32Array>(0)?;
            call.numbers::<Float32Type>(|row| Ok(values.get(row).map(|value| floating(value.into()) as f32)))
        }
        DataType::Decimal128(_, _) => {
            let values = call.column::<Decimal128Array>(0)?;
            let by = decimal::power(values.array().scale().unsigned_abs().into());
            let by = by.ok_or_else(|| Failed::from("the decimal has too many digits"))?;
            let to = Digits::of(call.returns()).ok_or_else(|| Failed::from("the result is no decimal"))?;
            call.numbers::<Decimal128Type>(|row| {
                Ok(values.get(row).map(|value| exact(value, by)).filter(|value| to.hold(*value)))
            })
        }
        _ => call.array(0),
    }
}

/// `ROUND(number[, digits])`: of a decimal the digits are a constant, since the type depends on them.
pub(super) fn types(args: &[Arg<'_>]) -> Result<Typed, String> {
    let number =
        args.first().filter(|_| args.len() <= 2).ok_or("takes a number and how many digits are kept")?;
    if !is_number(number.data_type) {
        return Err(format!("takes a number, not {}", sql_type(number.data_type)));
    }
    if let Some(digits) = args.get(1)
        && !matches!(digits.data_type, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Null)
    {
        return Err(format!("takes an INT as the number of digits, not {}", sql_type(digits.data_type)));
    }
    let returns = match number.data_type {
        DataType::Decimal128(_, _) => {
            let kept = match args.get(1).map(|digits| digits.literal) {
                None => 0,
                Some(Some(literal)) => literal.to_string().parse().unwrap_or(0),
                Some(None) => return Err("of a DECIMAL takes a constant number of digits".to_owned()),
            };
            rounded_digits(number.data_type, kept)
        }
        other => other.clone(),
    };
    let digits = args.get(1).map(|_| DataType::Int32);
    Ok(Typed { args: std::iter::once(number.data_type.clone()).chain(digits).collect(), returns })
}

/// Rounding may take one digit more in front of the point.
fn rounded_digits(data_type: &DataType, kept: i64) -> DataType {
    let Some(digits) = Digits::of(data_type) else { return data_type.clone() };
    let scale = i64::from(digits.scale);
    if kept >= scale {
        return data_type.clone();
    }
    let whole = i64::from(digits.precision) - scale + 1;
    let kept = kept.max(0);
    DataType::Decimal128((whole + kept).min(38) as u8, kept as i8)
}

/// Rounds half up, away from zero, or cuts.
pub(super) fn eval(call: &Call<'_>, round: bool) -> Result<ArrayRef, Failed> {
    let digits = if call.arity() > 1 { Some(call.column::<Int32Array>(1)?) } else { None };
    let kept = |row| digits.as_ref().map_or(Some(0), |digits| digits.get(row));
    match call.returns() {
        DataType::Int8 => integers::<Int8Type>(call, kept, round, |value| value.into(), |value| value as i8),
        DataType::Int16 => {
            integers::<Int16Type>(call, kept, round, |value| value.into(), |value| value as i16)
        }
        DataType::Int32 => {
            integers::<Int32Type>(call, kept, round, |value| value.into(), |value| value as i32)
        }
        DataType::Int64 => {
            integers::<Int64Type>(call, kept, round, |value| value.into(), |value| value as i64)
        }
        DataType::Float64 => {
            let values = call.column::<Float64Array>(0)?;
            call.numbers::<Float64Type>(|row| match (values.get(row), kept(row)) {
                (Some(value), Some(kept)) => floating(value, kept, round).map(Some),
                _ => Ok(None),
            })
        }
        DataType::Float32 => {
            let values = call.column::<Float32Array>(0)?;
            call.numbers::<Float32Type>(|row| match (values.get(row), kept(row)) {
                (Some(value), Some(kept)) => Ok(Some(floating(value.into(), kept, round)? as f32)),
                _ => Ok(None),
            })
        }
        _ => {
            let values = call.column::<Decimal128Array>(0)?;
            let to = Digits::of(call.returns()).ok_or_else(|| Failed::from("the result is no decimal"))?;
            let from = values.array().scale();
            call.numbers::<Decimal128Type>(|row| {
                let (Some(value), Some(kept)) = (values.get(row), kept(row)) else { return Ok(None) };
                let dropped = i64::from(from) - i64::from(kept);
                let value = at(value, dropped, round).unwrap_or(0);
                Ok(decimal::rescale(value, from as u8, to))
            })
        }
    }
}

/// The number without so many of its last digits, which are 0 then; `None` where it has none left.
fn at(value: i128, dropped: i64, round: bool) -> Option<i128> {
    if dropped <= 0 {
        return Some(value);
    }
    let by = decimal::power(u32::try_from(dropped).ok()?)?;
    let kept = if round { decimal::rounded_quotient(value, by) } else { value / by };
    kept.checked_mul(by)
}

fn integers<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    kept: impl Fn(usize) -> Option<i32>,
    round: bool,
    wide: fn(T::Native) -> i128,
    narrow: fn(i128) -> T::Native,
) -> Result<ArrayRef, Failed> {
    let values = call.column::<PrimitiveArray<T>>(0)?;
    call.numbers::<T>(|row| {
        let (Some(value), Some(kept)) = (values.get(row), kept(row)) else { return Ok(None) };
        Ok(Some(narrow(at(wide(value), -i64::from(kept), round).unwrap_or(0))))
    })
}

/// By the digits that the number is written with, as `BigDecimal.valueOf` does.
fn floating(value: f64, kept: i32, round: bool) -> Result<f64, Failed> {
    if !value.is_finite() {
        return Err(Failed(format!("{value} can't be rounded")));
    }
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // The number is 0.digits times ten to the power of exponent + 1.
    let count = exponent + 1 + i64::from(kept);
    if count >= digits.len() as i64 {
        return Ok(value);
    }
    if count < 0 {
        return Ok(0.0);
    }
    let all: i128 = digits.parse().unwrap_or(0);
    let left = at(all, digits.len() as i64 - count, round).unwrap_or(0);
    let sign = if value < 0.0 { "-" } else { "" };
    let text = format!("{sign}{left}e{}", exponent + 1 - digits.len() as i64);
    Ok(text.parse().unwrap_or(value))
}
