//! Casts that are written, and casts that the planner makes.

use super::super::types::{digits_of, length_of};
use super::{Known, Typer, refuse};
use crate::functions::casting::{cast_expr, fails, is_plain};
use crate::functions::values::cast::{Cast as To, cast, is_possible};
use crate::functions::values::text::digits_of as digits_of_unit;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Cast, Expr};
use millstream_operators::formats::sql_type;

impl Typer<'_> {
    /// `CAST(expr AS field)`.
    pub(super) fn cast(&self, expr: Expr, field: &FieldRef, lenient: bool) -> Result<Known> {
        let known = self.typed(expr)?;
        let to = To {
            to: field.data_type().clone(),
            length: length_of(field),
            digits_from: known.digits,
            digits_to: digits_of(field),
            zone: self.zone,
            lenient,
        };
        self.cast_to(known, to)
    }

    /// A cast that nobody wrote, between types of which Flink takes one for the other.
    pub(super) fn widened(&self, known: Known, data_type: &DataType) -> Result<Known> {
        if known.data_type == *data_type {
            return Ok(known);
        }
        let to = To { digits_from: known.digits, ..To::to(data_type.clone(), self.zone) };
        self.cast_to(known, to)
    }

    fn cast_to(&self, known: Known, to: To) -> Result<Known> {
        let from = known.data_type.clone();
        if known.is_null() {
            return Ok(Known { digits: to.digits_to, ..null(&to.to)? });
        }
        if !is_possible(&from, &to.to) {
            let (name, target) = (known.type_name(), sql_type(&to.to));
            return refuse(format!("{} is {name}, which can't be cast to {target}", known.sql()));
        }
        let same_digits = to.digits_to == to.digits_from || coarser(&to.to, to.digits_from, to.digits_to);
        if from == to.to && to.length.is_none() && same_digits {
            let digits = to.digits_to;
            return Ok(Known { digits, ..known });
        }
        if let Some(constant) = constant(&known, &to) {
            return Ok(constant);
        }
        if is_plain(&from, &to.to) {
            let data_type = to.to.clone();
            let expr = Expr::Cast(Cast::new(Box::new(known.expr), to.to));
            return Ok(Known { expr, data_type, ..known });
        }
        Ok(Known {
            data_type: to.to.clone(),
            digits: to.digits_to,
            fails: known.fails || fails(&from, &to),
            expr: cast_expr(known.expr, to),
        })
    }
}

/// Whether all digits that values have are digits of the type too.
fn coarser(data_type: &DataType, from: Option<u8>, to: Option<u8>) -> bool {
    let unit = match data_type {
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            digits_of_unit(*unit)
        }
        _ => return true,
    };
    from.unwrap_or(unit) <= to.unwrap_or(unit)
}

/// The null of a type.
pub(super) fn null(data_type: &DataType) -> Result<Known> {
    let value = ScalarValue::try_from(data_type)?;
    Ok(Known::new(Expr::Literal(value, None), data_type.clone()))
}

/// The value of a constant, cast. A `BIGINT` that fits an `INT` stays a cast: as a literal it would be an `INT`.
fn constant(known: &Known, to: &To) -> Option<Known> {
    let value = known.literal()?.to_array_of_size(1).ok()?;
    let value = ScalarValue::try_from_array(&cast(&value, to).ok()?, 0).ok()?;
    if matches!(value, ScalarValue::Int64(_)) {
        return None;
    }
    Some(Known { digits: to.digits_to, ..Known::new(Expr::Literal(value, None), to.to.clone()) })
}
