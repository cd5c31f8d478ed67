//! Casts between types, Flink's way.
//!
//! - Whole numbers that don't fit are cut to their lower bits, as in Java; floating ones go to the nearest bound of an
//!   `INT` or `BIGINT`, NaN to 0.
//! - Decimals are rounded half up; one that does not fit is null.
//! - A text that is no value of the type fails its row; with `TRY_CAST` it is null.
//! - `CHAR(n)` is cut and filled with blanks, `VARCHAR(n)` cut, `BINARY(n)` cut and filled with zeros.

use super::super::Failed;
use super::super::time::zone::Zone;
use super::super::time::{DAY_S, Moment, SECOND, date_at, per_second, time_at, timestamp_at};
use super::decimal::{self, Digits};
use super::detail::TimeDigits;
use super::text::{self, Style};
use super::{nested, parse};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanArray, PrimitiveArray, StringBuilder,
    new_null_array,
};
use arrow::datatypes::*;
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// How long the values of a type are, where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Length {
    /// `CHAR(n)` and `BINARY(n)`: exactly.
    Fixed(usize),
    /// `VARCHAR(n)` and `VARBINARY(n)`: at most.
    AtMost(usize),
}

/// What is cast to what, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cast {
    /// The type.
    pub(crate) to: DataType,
    /// How long texts and bytes are, where the type says so.
    pub(crate) length: Option<Length>,
    /// Digits behind the second that the values have so far, where the units do not say it.
    pub(crate) digits_from: Option<TimeDigits>,
    /// Digits behind the second that are kept, where the units do not say it.
    pub(crate) digits_to: Option<TimeDigits>,
    /// The session's zone.
    pub(crate) zone: Zone,
    /// `TRY_CAST`: null where there is no value.
    pub(crate) lenient: bool,
}

impl Cast {
    /// To a type without lengths and digits of its own.
    pub(crate) fn to(data_type: DataType, zone: Zone) -> Self {
        Cast { to: data_type, length: None, digits_from: None, digits_to: None, zone, lenient: false }
    }

    /// From and to types that values of these are made of; so many times stand in front of them.
    pub(super) fn part(
        &self,
        (from, before): (&DataType, usize),
        (to, before_to): (&DataType, usize),
    ) -> Self {
        let digits_from = self.digits_from.as_ref().and_then(|digits| digits.slice(before, from));
        let digits_to = self.digits_to.as_ref().and_then(|digits| digits.slice(before_to, to));
        let (zone, lenient) = (self.zone, self.lenient);
        Cast { to: to.clone(), length: None, digits_from, digits_to, zone, lenient }
    }

    /// Whether values of its type stay as they are.
    pub(crate) fn keeps(&self, from: &DataType) -> bool {
        let units = TimeDigits::of_units(&self.to);
        let (has, kept) =
            (self.digits_from.as_ref().unwrap_or(&units), self.digits_to.as_ref().unwrap_or(&units));
        *from == self.to && self.length.is_none() && has.fit(kept)
    }

    fn kept(&self, nanos: i64) -> i64 {
        let digits = self.digits_to.as_ref().and_then(TimeDigits::one).unwrap_or(9);
        let step = 10_i64.pow(9 - u32::from(digits.min(9)));
        nanos - nanos.rem_euclid(step)
    }
}

/// Whether Flink casts from one type to the other.
pub(crate) fn is_possible(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let number = |data_type: &T| {
        matches!(
            data_type,
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 | T::Decimal128(_, _)
        )
    };
    let time = |data_type: &T| matches!(data_type, T::Time32(_) | T::Time64(_));
    match (from, to) {
        (T::Null, _) => true,
        (from, to) if from == to => true,
        (_, T::Utf8) => is_scalar(from) || is_nested(from),
        (T::Utf8, to) => is_scalar(to),
        (T::Boolean, to) | (to, T::Boolean) => number(to),
        (from, to) if number(from) => number(to),
        (T::Date32, to) => matches!(to, T::Timestamp(_, _)),
        (T::Timestamp(_, _), to) => matches!(to, T::Timestamp(_, _) | T::Date32) || time(to),
        (from, to) if time(from) => time(to) || matches!(to, T::Timestamp(_, _)),
        (T::List(from), T::List(to)) => is_possible(from.data_type(), to.data_type()),
        (T::Map(from, _), T::Map(to, _)) => is_possible(from.data_type(), to.data_type()),
        (T::Struct(from), T::Struct(to)) => {
            let mut pairs = from.iter().zip(to);
            from.len() == to.len() && pairs.all(|(from, to)| is_possible(from.data_type(), to.data_type()))
        }
        _ => false,
    }
}

fn is_scalar(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Boolean
            | T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::Float32
            | T::Float64
            | T::Decimal128(_, _)
            | T::Utf8
            | T::Binary
            | T::Date32
            | T::Time32(_)
            | T::Time64(_)
            | T::Timestamp(_, _)
    )
}

fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::Map(_, _) | DataType::Struct(_))
}

/// Whether no row of such a cast can fail.
pub(crate) fn is_total(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) => true,
        (DataType::Utf8, to) => matches!(to, DataType::Utf8 | DataType::Binary),
        (DataType::Float32 | DataType::Float64, DataType::Decimal128(_, _)) => false,
        (from, to) => !is_nested(from) || *to == DataType::Utf8,
    }
}

/// Casts all values.
///
/// # Errors
/// For a value that is none of the type, unless the cast is lenient.
pub(crate) fn cast(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    use DataType as T;
    if *array.data_type() == T::Null {
        return Ok(new_null_array(&cast.to, array.len()));
    }
    if let Some(values) = in_one_pass(array, &cast.to) {
        return Ok(values);
    }
    match &cast.to {
        T::Utf8 => texts(array, cast),
        T::Binary => bytes(array, cast),
        T::Boolean => {
            let values: BooleanArray = (0..array.len())
                .map(|row| or_null(cast, boolean_at(array, row)))
                .collect::<Result<_, _>>()?;
            Ok(Arc::new(values))
        }
        T::Int8 => {
            numbers::<Int8Type>(array, cast, |row| Ok(integer_at(array, row, 8)?.map(|value| value as i8)))
        }
        T::Int16 => {
            numbers::<Int16Type>(array, cast, |row| Ok(integer_at(array, row, 16)?.map(|value| value as i16)))
        }
        T::Int32 => {
            numbers::<Int32Type>(array, cast, |row| Ok(integer_at(array, row, 32)?.map(|value| value as i32)))
        }
        T::Int64 => numbers::<Int64Type>(array, cast, |row| integer_at(array, row, 64)),
        T::Float32 => numbers::<Float32Type>(array, cast, |row| float_at(array, row)),
        T::Float64 => numbers::<Float64Type>(array, cast, |row| double_at(array, row)),
        T::Decimal128(_, _) => {
            let to = Digits::of(&cast.to).ok_or_else(|| no_cast(array, &cast.to))?;
            numbers::<Decimal128Type>(array, cast, |row| decimal_at(array, row, to))
        }
        T::Date32 => numbers::<Date32Type>(array, cast, |row| days_at(array, row, cast.zone)),
        T::Time32(_) | T::Time64(_) => times(array, cast),
        T::Timestamp(_, _) => timestamps(array, cast),
        T::List(_) | T::Map(_, _) | T::Struct(_) => nested::cast(array, cast),
        to => Err(no_cast(array, to)),
    }
}

/// Casts of numbers that stand in hot loops.
fn in_one_pass(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    use DataType as T;
    Some(match (array.data_type(), to) {
        (T::Int64, T::Int32) => {
            Arc::new(array.as_primitive::<Int64Type>().unary::<_, Int32Type>(|value| value as i32))
        }
        (T::Float64, T::Int64) => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Int64Type>(|value| value as i64))
        }
        (T::Float64, T::Int32) => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Int32Type>(|value| value as i32))
        }
        (T::Decimal128(_, from), T::Decimal128(precision, scale)) if from == scale => {
            let to = Digits { precision: *precision, scale: u8::try_from(*scale).ok()? };
            let values = array.as_primitive::<Decimal128Type>();
            let values = values.unary_opt::<_, Decimal128Type>(|value| to.hold(value).then_some(value));
            Arc::new(values.with_data_type(to.data_type()))
        }
        _ => return None,
    })
}

pub(super) fn no_cast(array: &dyn Array, to: &DataType) -> Failed {
    Failed(format!("{} can't be cast to {}", sql_type(array.data_type()), sql_type(to)))
}

fn or_null<T>(cast: &Cast, value: Result<Option<T>, Failed>) -> Result<Option<T>, Failed> {
    match value {
        Err(_) if cast.lenient => Ok(None),
        value => value,
    }
}

fn numbers<P: ArrowPrimitiveType>(
    array: &ArrayRef,
    cast: &Cast,
    value: impl Fn(usize) -> Result<Option<P::Native>, Failed>,
) -> Result<ArrayRef, Failed> {
    let one = |row| if array.is_null(row) { Ok(None) } else { or_null(cast, value(row)) };
    let values: PrimitiveArray<P> = (0..array.len()).map(one).collect::<Result<_, _>>()?;
    Ok(Arc::new(values.with_data_type(cast.to.clone())))
}

/// The text of a row, of a column of texts.
fn text_at(array: &dyn Array, row: usize) -> &str {
    array.as_string::<i32>().value(row)
}

/// A text that is no value of a type, cut to what a message can hold.
fn is_no(text: &str, data_type: &str) -> Failed {
    let shown: String = text.chars().take(60).collect();
    let cut = if shown.len() < text.len() { ".." } else { "" };
    Failed(format!("'{shown}{cut}' is no {data_type}"))
}

fn texts(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    let digits = cast.digits_from.as_ref().map_or(&[][..], TimeDigits::as_slice);
    let style = Style { zone: cast.zone, digits };
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 16);
    let mut value = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        value.clear();
        text::write(array, row, style, &mut value)?;
        fit(&mut value, cast.length);
        texts.append_value(&value);
    }
    Ok(Arc::new(texts.finish()))
}

/// Cuts a text to its length, and fills it with blanks.
pub(crate) fn fit(value: &mut String, length: Option<Length>) {
    let (Some(Length::Fixed(most)) | Some(Length::AtMost(most))) = length else { return };
    if let Some((end, _)) = value.char_indices().nth(most) {
        value.truncate(end);
    }
    if let Some(Length::Fixed(wanted)) = length {
        let missing = wanted.saturating_sub(value.chars().count());
        value.extend(std::iter::repeat_n(' ', missing));
    }
}

fn bytes(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    let mut values = BinaryBuilder::with_capacity(array.len(), array.len() * 16);
    for row in 0..array.len() {
        if array.is_null(row) {
            values.append_null();
            continue;
        }
        let value = match array.data_type() {
            DataType::Binary => array.as_binary::<i32>().value(row),
            DataType::Utf8 => text_at(array, row).as_bytes(),
            _ => return Err(no_cast(array, &cast.to)),
        };
        match cast.length {
            None => values.append_value(value),
            Some(Length::AtMost(most)) => values.append_value(value.get(..most).unwrap_or(value)),
            Some(Length::Fixed(wanted)) => {
                let mut value = value.get(..wanted).unwrap_or(value).to_vec();
                value.resize(wanted, 0);
                values.append_value(value);
            }
        }
    }
    Ok(Arc::new(values.finish()))
}

/// A number of whatever type.
enum Number {
    Whole(i64),
    Floating(f64),
    Decimal(i128, u8),
}

fn number_at(array: &dyn Array, row: usize) -> Option<Number> {
    use DataType as T;
    Some(match array.data_type() {
        T::Boolean => Number::Whole(i64::from(array.as_boolean().value(row))),
        T::Int8 => Number::Whole(array.as_primitive::<Int8Type>().value(row).into()),
        T::Int16 => Number::Whole(array.as_primitive::<Int16Type>().value(row).into()),
        T::Int32 => Number::Whole(array.as_primitive::<Int32Type>().value(row).into()),
        T::Int64 => Number::Whole(array.as_primitive::<Int64Type>().value(row)),
        T::Float32 => Number::Floating(array.as_primitive::<Float32Type>().value(row).into()),
        T::Float64 => Number::Floating(array.as_primitive::<Float64Type>().value(row)),
        T::Decimal128(_, scale) => {
            Number::Decimal(array.as_primitive::<Decimal128Type>().value(row), u8::try_from(*scale).ok()?)
        }
        _ => return None,
    })
}

fn boolean_at(array: &dyn Array, row: usize) -> Result<Option<bool>, Failed> {
    if array.is_null(row) {
        return Ok(None);
    }
    if *array.data_type() == DataType::Utf8 {
        let text = text_at(array, row);
        return parse::boolean(text).map(Some).ok_or_else(|| is_no(text, "BOOLEAN"));
    }
    match number_at(array, row) {
        Some(Number::Whole(value)) => Ok(Some(value != 0)),
        Some(Number::Floating(value)) => Ok(Some(value != 0.0)),
        Some(Number::Decimal(value, _)) => Ok(Some(value != 0)),
        None => Err(no_cast(array, &DataType::Boolean)),
    }
}

/// A whole number, of which so many bits are kept.
fn integer_at(array: &dyn Array, row: usize, bits: u32) -> Result<Option<i64>, Failed> {
    if *array.data_type() == DataType::Utf8 {
        let text = text_at(array, row);
        let (min, max) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
        let name = match bits {
            8 => "TINYINT",
            16 => "SMALLINT",
            32 => "INT",
            _ => "BIGINT",
        };
        return parse::integer(text, min, max).map(Some).ok_or_else(|| is_no(text, name));
    }
    match number_at(array, row) {
        Some(Number::Whole(value)) => Ok(Some(value)),
        // Java has casts of floating numbers to INT and BIGINT only.
        Some(Number::Floating(value)) if bits <= 32 => Ok(Some(i64::from(value as i32))),
        Some(Number::Floating(value)) => Ok(Some(value as i64)),
        Some(Number::Decimal(value, scale)) => {
            let by = decimal::power(u32::from(scale)).unwrap_or(i128::MAX);
            Ok(Some((value / by) as i64))
        }
        None => Err(no_cast(array, &DataType::Int64)),
    }
}

fn double_at(array: &dyn Array, row: usize) -> Result<Option<f64>, Failed> {
    if *array.data_type() == DataType::Utf8 {
        let text = text_at(array, row);
        return parse::double(text).map(Some).ok_or_else(|| is_no(text, "DOUBLE"));
    }
    match number_at(array, row) {
        Some(Number::Whole(value)) => Ok(Some(value as f64)),
        Some(Number::Floating(value)) => Ok(Some(value)),
        Some(Number::Decimal(value, scale)) => Ok(Some(decimal::to_f64(value, scale))),
        None => Err(no_cast(array, &DataType::Float64)),
    }
}

fn float_at(array: &dyn Array, row: usize) -> Result<Option<f32>, Failed> {
    if *array.data_type() == DataType::Utf8 {
        let text = text_at(array, row);
        return parse::float(text).map(Some).ok_or_else(|| is_no(text, "FLOAT"));
    }
    match number_at(array, row) {
        Some(Number::Whole(value)) => Ok(Some(value as f32)),
        _ => Ok(double_at(array, row)?.map(|value| value as f32)),
    }
}

fn decimal_at(array: &dyn Array, row: usize, to: Digits) -> Result<Option<i128>, Failed> {
    if *array.data_type() == DataType::Utf8 {
        let text = text_at(array, row);
        return decimal::parse(text.trim_matches(' '), to).ok_or_else(|| is_no(text, "DECIMAL"));
    }
    match number_at(array, row) {
        Some(Number::Whole(value)) => Ok(decimal::rescale(value.into(), 0, to)),
        Some(Number::Decimal(value, scale)) => Ok(decimal::rescale(value, scale, to)),
        // By the digits that the number is written with, as `BigDecimal.valueOf` does.
        Some(Number::Floating(value)) => {
            decimal::parse(&format!("{value:e}"), to).ok_or_else(|| Failed(format!("{value} is no DECIMAL")))
        }
        None => Err(no_cast(array, &to.data_type())),
    }
}

/// The moment that a value is, as its clock shows it.
fn local_at(array: &dyn Array, row: usize, zone: Zone) -> Result<Option<Moment>, Failed> {
    match array.data_type() {
        DataType::Utf8 => {
            let text = text_at(array, row);
            parse::timestamp(text).map(Some).ok_or_else(|| is_no(text, "TIMESTAMP"))
        }
        DataType::Date32 => Ok(date_at(array, row).map(|day| Moment { seconds: day * DAY_S, nanos: 0 })),
        DataType::Time32(_) | DataType::Time64(_) => {
            Ok(time_at(array, row)?.map(|nanos| Moment { seconds: nanos / SECOND, nanos: nanos % SECOND }))
        }
        DataType::Timestamp(_, None) => timestamp_at(array, row),
        DataType::Timestamp(_, Some(_)) => Ok(timestamp_at(array, row)?.map(|moment| zone.local(moment))),
        other => Err(Failed(format!("{} is no time", sql_type(other)))),
    }
}

fn days_at(array: &dyn Array, row: usize, zone: Zone) -> Result<Option<i32>, Failed> {
    let days = match array.data_type() {
        DataType::Utf8 => {
            let text = text_at(array, row);
            Some(parse::date(text).ok_or_else(|| is_no(text, "DATE"))?)
        }
        _ => local_at(array, row, zone)?.map(|moment| moment.day().0),
    };
    let fits = |days| i32::try_from(days).map_err(|_| Failed::from("the time is out of the range of DATE"));
    days.map(fits).transpose()
}

fn times(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    let nanos = |row| -> Result<Option<i64>, Failed> {
        let nanos = match array.data_type() {
            DataType::Utf8 => {
                let text = text_at(array, row);
                Some(parse::time(text).ok_or_else(|| is_no(text, "TIME"))?)
            }
            _ => local_at(array, row, cast.zone)?.map(|moment| moment.day().1),
        };
        Ok(nanos.map(|nanos| cast.kept(nanos)))
    };
    let in_unit = |unit| move |nanos: i64| nanos / (SECOND / per_second(unit));
    match &cast.to {
        DataType::Time32(TimeUnit::Second) => numbers::<Time32SecondType>(array, cast, |row| {
            Ok(nanos(row)?.map(|nanos| (nanos / SECOND) as i32))
        }),
        DataType::Time32(_) => numbers::<Time32MillisecondType>(array, cast, |row| {
            Ok(nanos(row)?.map(in_unit(TimeUnit::Millisecond)).map(|millis| millis as i32))
        }),
        DataType::Time64(TimeUnit::Microsecond) => numbers::<Time64MicrosecondType>(array, cast, |row| {
            Ok(nanos(row)?.map(in_unit(TimeUnit::Microsecond)))
        }),
        _ => numbers::<Time64NanosecondType>(array, cast, nanos),
    }
}

fn timestamps(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    let DataType::Timestamp(unit, to_zone) = &cast.to else { return Err(no_cast(array, &cast.to)) };
    let is_moment = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    let value = |row| -> Result<Option<i64>, Failed> {
        let moment = match (is_moment, to_zone.is_some()) {
            (true, true) => timestamp_at(array, row)?,
            (_, true) => local_at(array, row, cast.zone)?.map(|local| cast.zone.moment(local)),
            (_, false) => local_at(array, row, cast.zone)?,
        };
        let Some(moment) = moment else { return Ok(None) };
        let moment = Moment { nanos: cast.kept(moment.nanos), ..moment };
        let value = moment.in_unit(*unit).ok_or_else(|| {
            Failed(format!("the time is out of the range of {}, which is 1677 to 2262", sql_type(&cast.to)))
        })?;
        Ok(Some(value))
    };
    match unit {
        TimeUnit::Second => numbers::<TimestampSecondType>(array, cast, value),
        TimeUnit::Millisecond => numbers::<TimestampMillisecondType>(array, cast, value),
        TimeUnit::Microsecond => numbers::<TimestampMicrosecondType>(array, cast, value),
        TimeUnit::Nanosecond => numbers::<TimestampNanosecondType>(array, cast, value),
    }
}
