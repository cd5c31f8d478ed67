//! The type that values of several types have in common.

use super::elements::{array_of, item_of, pair_of};
use super::signature::{Arg, is_number};
use arrow::datatypes::DataType;
use millstream_operators::columns::map_type;
use millstream_operators::formats::sql_type;

/// The type of all of these; `NULL` is of each.
///
/// # Errors
/// Which two have none in common, in words.
pub(super) fn common_type<'t>(types: impl IntoIterator<Item = &'t DataType>) -> Result<DataType, String> {
    let mut found = DataType::Null;
    for data_type in types {
        found = wider(&found, data_type).ok_or_else(|| {
            format!(
                "takes values of one type, not {} and {}: CAST one of them",
                sql_type(&found),
                sql_type(data_type)
            )
        })?;
    }
    Ok(found)
}

/// The same of arguments.
pub(super) fn common_of(args: &[Arg<'_>]) -> Result<DataType, String> {
    common_type(args.iter().map(|arg| arg.data_type))
}

/// Whether a value becomes one of this type without being asked: nothing of it is lost.
pub(super) fn widens_to(from: &DataType, to: &DataType) -> bool {
    wider(from, to).is_some_and(|wider| wider == *to)
}

fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType as T;
    if left == right {
        return Some(left.clone());
    }
    Some(match (left, right) {
        (T::Null, other) | (other, T::Null) => other.clone(),
        (left, right) if is_number(left) && is_number(right) => number(left, right),
        (T::List(_), T::List(_)) => array_of(wider(item_of(left)?, item_of(right)?)?),
        (T::Map(_, _), T::Map(_, _)) => {
            let ((left_key, left_value), (right_key, right_value)) = (pair_of(left)?, pair_of(right)?);
            map_type(wider(left_key, right_key)?, wider(left_value, right_value)?)
        }
        (T::Timestamp(left_unit, left_zone), T::Timestamp(right_unit, right_zone))
            if left_zone == right_zone =>
        {
            T::Timestamp(*left_unit.max(right_unit), left_zone.clone())
        }
        (T::Struct(left), T::Struct(right)) if left.len() == right.len() => {
            let fields = left.iter().zip(right).map(|(left, right)| {
                let wider = wider(left.data_type(), right.data_type())?;
                Some(left.as_ref().clone().with_data_type(wider).with_nullable(true))
            });
            T::Struct(fields.collect::<Option<Vec<_>>>()?.into())
        }
        _ => return None,
    })
}

/// The digits of a decimal that holds all numbers of a type, and those behind the point.
fn digits(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        _ => return None,
    })
}

fn number(left: &DataType, right: &DataType) -> DataType {
    use DataType as T;
    let is_float = |data_type: &T| matches!(data_type, T::Float32 | T::Float64);
    match (digits(left), digits(right)) {
        (Some((left_digits, 0)), Some((right_digits, 0))) if left.is_integer() && right.is_integer() => {
            if left_digits > right_digits {
                left.clone()
            } else {
                right.clone()
            }
        }
        (Some((left_precision, left_scale)), Some((right_precision, right_scale))) => {
            let scale = left_scale.max(right_scale);
            let whole = (left_precision as i8 - left_scale).max(right_precision as i8 - right_scale);
            T::Decimal128((whole + scale).min(38) as u8, scale)
        }
        _ if is_float(left) && is_float(right) => T::Float64,
        // A whole number beside a FLOAT is one, a decimal is not.
        _ if *left == T::Float32 && right.is_integer() || *right == T::Float32 && left.is_integer() => {
            T::Float32
        }
        _ => T::Float64,
    }
}
