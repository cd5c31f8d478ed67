//! Types as `CAST` names them.

use super::forms::NESTED_TYPE;
use crate::functions::casting::DIGITS;
use crate::functions::values::cast::Length;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryLength, CharacterLength, DataType as SqlType, ExactNumberInfo, TimezoneInfo,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Metadata of a type that is cast to: how long its values are.
const LENGTH: &str = "length";

/// Plans Flink's types.
#[derive(Debug)]
pub(super) struct FlinkTypes;

impl TypePlanner for FlinkTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        planned(sql_type).map(Some)
    }
}

fn plain(data_type: DataType) -> Result<FieldRef> {
    Ok(Arc::new(Field::new("", data_type, true)))
}

fn with(data_type: DataType, key: &str, value: String) -> Result<FieldRef> {
    let metadata: HashMap<String, String> = [(key.to_owned(), value)].into();
    Ok(Arc::new(Field::new("", data_type, true).with_metadata(metadata)))
}

/// The length that a type was named with.
pub(super) fn length_of(field: &Field) -> Option<Length> {
    let (kind, count) = field.metadata().get(LENGTH)?.split_once(' ')?;
    let count = count.parse().ok()?;
    Some(if kind == "fixed" { Length::Fixed(count) } else { Length::AtMost(count) })
}

/// The digits behind the second that a type was named with.
pub(super) fn digits_of(field: &Field) -> Option<u8> {
    field.metadata().get(DIGITS)?.parse().ok()
}

fn planned(sql_type: &SqlType) -> Result<FieldRef> {
    use DataType as T;
    match sql_type {
        SqlType::Boolean => plain(T::Boolean),
        SqlType::TinyInt(None) => plain(T::Int8),
        SqlType::SmallInt(None) => plain(T::Int16),
        SqlType::Int(None) | SqlType::Integer(None) => plain(T::Int32),
        SqlType::BigInt(None) => plain(T::Int64),
        SqlType::Float(ExactNumberInfo::None) | SqlType::Real => plain(T::Float32),
        SqlType::Double(ExactNumberInfo::None) | SqlType::DoublePrecision => plain(T::Float64),
        SqlType::Decimal(info) | SqlType::Dec(info) | SqlType::Numeric(info) => decimal(info, sql_type),
        SqlType::String(None) => plain(T::Utf8),
        SqlType::Varchar(length) | SqlType::CharacterVarying(length) | SqlType::CharVarying(length) => {
            match characters(length, sql_type)? {
                Some(most) => with(T::Utf8, LENGTH, format!("at-most {most}")),
                None => plain(T::Utf8),
            }
        }
        SqlType::Char(length) | SqlType::Character(length) => {
            let length = characters(length, sql_type)?.unwrap_or(1);
            with(T::Utf8, LENGTH, format!("fixed {length}"))
        }
        SqlType::Bytes(None) => plain(T::Binary),
        SqlType::Binary(length) => with(T::Binary, LENGTH, format!("fixed {}", length.unwrap_or(1))),
        SqlType::Varbinary(Some(BinaryLength::IntegerLength { length })) => {
            with(T::Binary, LENGTH, format!("at-most {length}"))
        }
        SqlType::Varbinary(None) => plain(T::Binary),
        SqlType::Date => plain(T::Date32),
        SqlType::Time(digits, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            time(digits.unwrap_or(0))
        }
        SqlType::Timestamp(digits, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            timestamp(digits.unwrap_or(6), None)
        }
        SqlType::Custom(name, arguments) if name.to_string().eq_ignore_ascii_case("TIMESTAMP_LTZ") => {
            let digits = match arguments.as_slice() {
                [] => 6,
                [digits] => digits.parse().unwrap_or(u64::MAX),
                _ => u64::MAX,
            };
            timestamp(digits, Some("+00:00".into()))
        }
        SqlType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("STRING") => plain(T::Utf8),
        SqlType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("BYTES") => plain(T::Binary),
        SqlType::Custom(name, text)
            if name.0.iter().any(|name| name.as_ident().is_some_and(|name| name.value == NESTED_TYPE)) =>
        {
            nested(text.first().map(String::as_str).unwrap_or_default())
        }
        SqlType::Array(ArrayElemTypeDef::AngleBracket(item)) => {
            let item = planned(item)?;
            if !item.metadata().is_empty() {
                return plan_err!(
                    "{sql_type}: arrays of a type with a length or digits of its own are not supported yet"
                );
            }
            plain(T::List(Arc::new(Field::new("item", item.data_type().clone(), true))))
        }
        other => plan_err!("nothing can be cast to {other}; cast to a type that columns have"),
    }
}

/// An array, a map or a row, as a column's type is read.
fn nested(text: &str) -> Result<FieldRef> {
    match crate::script::nested_type(text) {
        Ok(data_type) => plain(data_type),
        Err(wrong) => plan_err!("nothing can be cast to {text}: {wrong}"),
    }
}

fn decimal(info: &ExactNumberInfo, sql_type: &SqlType) -> Result<FieldRef> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => (10, 0),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if (0..=precision as i8).contains(&scale) => {
            plain(DataType::Decimal128(precision, scale))
        }
        _ => plan_err!("{sql_type}: a DECIMAL has 1 to 38 digits, and no more of them behind the point"),
    }
}

fn characters(length: &Option<CharacterLength>, sql_type: &SqlType) -> Result<Option<u64>> {
    match length {
        None | Some(CharacterLength::Max) => Ok(None),
        // The longest there is: STRING.
        Some(CharacterLength::IntegerLength { length: 2_147_483_647, unit: None }) => Ok(None),
        Some(CharacterLength::IntegerLength { length: length @ 1..=16_777_216, unit: None }) => {
            Ok(Some(*length))
        }
        Some(_) => plan_err!("{sql_type}: a length is 1 to 16777216; STRING has none"),
    }
}

fn time(digits: u64) -> Result<FieldRef> {
    let (unit, usual) = match unit(digits)? {
        TimeUnit::Second => return plain(DataType::Time32(TimeUnit::Second)),
        TimeUnit::Millisecond => (DataType::Time32(TimeUnit::Millisecond), 3),
        TimeUnit::Microsecond => (DataType::Time64(TimeUnit::Microsecond), 6),
        TimeUnit::Nanosecond => (DataType::Time64(TimeUnit::Nanosecond), 9),
    };
    if digits == usual { plain(unit) } else { with(unit, DIGITS, digits.to_string()) }
}

fn timestamp(digits: u64, zone: Option<Arc<str>>) -> Result<FieldRef> {
    let (unit, usual) = match unit(digits)? {
        TimeUnit::Second | TimeUnit::Millisecond => (TimeUnit::Millisecond, 3),
        TimeUnit::Microsecond => (TimeUnit::Microsecond, 6),
        TimeUnit::Nanosecond => (TimeUnit::Nanosecond, 9),
    };
    let data_type = DataType::Timestamp(unit, zone);
    if digits == usual { plain(data_type) } else { with(data_type, DIGITS, digits.to_string()) }
}

fn unit(digits: u64) -> Result<TimeUnit> {
    Ok(match digits {
        0 => TimeUnit::Second,
        1..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        7..=9 => TimeUnit::Nanosecond,
        _ => return plan_err!("a time has 0 to 9 digits behind the second"),
    })
}
