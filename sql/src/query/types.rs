//! Types as `CAST` names them.

use super::forms::NESTED_TYPE;
use crate::functions::values::cast::Length;
use crate::functions::values::detail::{Detail, TimeDigits};
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryLength, CharacterLength, DataType as SqlType, ExactNumberInfo, TimezoneInfo,
};
use std::sync::Arc;

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

fn of_length(data_type: DataType, length: Length) -> Result<FieldRef> {
    Ok(Detail { digits: None, length: Some(length) }.unnamed(data_type))
}

fn of_digits(data_type: DataType, digits: u64) -> Result<FieldRef> {
    let digits = u8::try_from(digits).ok().map(|digits| TimeDigits::all(digits, &data_type));
    Ok(Detail { digits, length: None }.unnamed(data_type))
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
                Some(most) => of_length(T::Utf8, Length::AtMost(usize::try_from(most).unwrap_or(usize::MAX))),
                None => plain(T::Utf8),
            }
        }
        SqlType::Char(length) | SqlType::Character(length) => {
            let length = characters(length, sql_type)?.unwrap_or(1);
            of_length(T::Utf8, Length::Fixed(usize::try_from(length).unwrap_or(usize::MAX)))
        }
        SqlType::Bytes(None) => plain(T::Binary),
        SqlType::Binary(length) => {
            of_length(T::Binary, Length::Fixed(usize::try_from(length.unwrap_or(1)).unwrap_or(usize::MAX)))
        }
        SqlType::Varbinary(Some(BinaryLength::IntegerLength { length })) => {
            of_length(T::Binary, Length::AtMost(usize::try_from(*length).unwrap_or(usize::MAX)))
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
            let Detail { digits, length } = Detail::of(&item);
            if length.is_some() {
                return plan_err!("{sql_type}: arrays of a type with a length are not supported yet");
            }
            let list = T::List(Arc::new(Field::new("item", item.data_type().clone(), true)));
            Ok(Detail { digits, length }.unnamed(list))
        }
        other => plan_err!("nothing can be cast to {other}; cast to a type that columns have"),
    }
}

/// An array, a map or a row, as a column's type is read.
fn nested(text: &str) -> Result<FieldRef> {
    match crate::script::nested_type(text) {
        Ok((data_type, digits)) => Ok(Detail { digits, length: None }.unnamed(data_type)),
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
    let data_type = match unit(digits)? {
        unit @ (TimeUnit::Second | TimeUnit::Millisecond) => DataType::Time32(unit),
        unit => DataType::Time64(unit),
    };
    of_digits(data_type, digits)
}

fn timestamp(digits: u64, zone: Option<Arc<str>>) -> Result<FieldRef> {
    of_digits(DataType::Timestamp(unit(digits)?.max(TimeUnit::Millisecond), zone), digits)
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
