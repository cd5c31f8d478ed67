//! Casts that are written, and casts that the planner makes.

use super::{Known, Typer, refuse};
use crate::functions::casting::{cast_expr, fails, is_plain};
use crate::functions::values::cast::{Cast as To, cast, is_possible};
use crate::functions::values::detail::{Detail, TimeDigits};
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
            length: Detail::of(field).length,
            digits_from: Some(known.digits()),
            digits_to: Some(TimeDigits::of_field(field)),
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
        let digits = known.digits();
        let to = To { digits_from: Some(digits.clone()), ..To::to(data_type.clone(), self.zone) };
        let kept = times_of(&known.data_type) == times_of(data_type);
        let cast = self.cast_to(known, to)?;
        Ok(if kept { cast.with_digits(digits) } else { cast })
    }

    fn cast_to(&self, known: Known, to: To) -> Result<Known> {
        let from = known.data_type.clone();
        let detail = Detail { digits: to.digits_to.clone(), length: to.length };
        if known.is_null() {
            return Ok(Known { detail, ..null(&to.to)? });
        }
        if !is_possible(&from, &to.to) {
            let (name, target) = (known.type_name(), sql_type(&to.to));
            return refuse(format!("{} is {name}, which can't be cast to {target}", known.sql()));
        }
        if to.keeps(&from) || from == to.to && to.length.is_some() && to.length == known.detail.length {
            return Ok(Known { detail, ..known });
        }
        if let Some(constant) = constant(&known, &to) {
            return Ok(constant);
        }
        if is_plain(&from, &to.to) {
            let data_type = to.to.clone();
            let expr = Expr::Cast(Cast::new(Box::new(known.expr), to.to));
            return Ok(Known { expr, data_type, detail, ..known });
        }
        Ok(Known {
            data_type: to.to.clone(),
            detail,
            fails: known.fails || fails(&from, &to),
            expr: cast_expr(known.expr, to),
        })
    }
}

/// How many times there are in a type.
fn times_of(data_type: &DataType) -> usize {
    TimeDigits::of_units(data_type).as_slice().len()
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
    let detail = Detail { digits: to.digits_to.clone(), length: to.length };
    Some(Known { detail, ..Known::new(Expr::Literal(value, None), to.to.clone()) })
}
