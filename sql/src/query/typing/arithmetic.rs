//! `+ - * / %`, of numbers, times and intervals.

use super::{Known, Typer, refuse};
use crate::functions::operators::{
    ADD, DIVIDE, MINUS_INTERVAL, MULTIPLY, PLUS_INTERVAL, REMAINDER, SUBTRACT, TIMES_INTERVAL,
};
use crate::functions::values::decimal::Digits;
use crate::functions::values::detail::Detail;
use crate::functions::{Arg, Function, wrap};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

impl Typer<'_> {
    /// `left op right`.
    pub(super) fn binary(&self, left: Expr, op: Operator, right: Expr) -> Result<Known> {
        use Operator as O;
        let (left, right) = (self.typed(left)?, self.typed(right)?);
        match op {
            O::Plus | O::Minus | O::Multiply | O::Divide | O::Modulo => self.arithmetic(left, op, right),
            O::Eq
            | O::NotEq
            | O::Lt
            | O::LtEq
            | O::Gt
            | O::GtEq
            | O::IsDistinctFrom
            | O::IsNotDistinctFrom => self.compare(left, op, right),
            O::And | O::Or => junction(left, op, right),
            O::StringConcat => self.concatenation(left, right),
            other => refuse(format!("there is no operator {other} in SQL; {} is not supported", left.sql())),
        }
    }

    pub(super) fn negative(&self, inner: Expr) -> Result<Known> {
        let inner = self.typed(inner)?;
        match (&inner.data_type, inner.literal()) {
            (DataType::Int32, Some(ScalarValue::Int32(Some(value)))) => {
                // The least INT is read as a BIGINT behind a minus.
                Ok(Known::new(
                    Expr::Literal(ScalarValue::Int32(Some(value.wrapping_neg())), None),
                    DataType::Int32,
                ))
            }
            (DataType::Int64, Some(ScalarValue::Int64(Some(2_147_483_648)))) => {
                Ok(Known::new(Expr::Literal(ScalarValue::Int32(Some(i32::MIN)), None), DataType::Int32))
            }
            (DataType::Decimal128(precision, scale), Some(ScalarValue::Decimal128(Some(value), _, _))) => {
                let value = ScalarValue::Decimal128(Some(-value), *precision, *scale);
                Ok(Known::new(Expr::Literal(value, None), inner.data_type.clone()))
            }
            (data_type, _) if is_number(data_type) || matches!(data_type, DataType::Interval(_)) => {
                let expr = Expr::Negative(Box::new(inner.expr));
                Ok(Known { expr, ..inner })
            }
            _ => refuse(format!("- takes a number; {} is {}", inner.sql(), inner.type_name())),
        }
    }

    fn arithmetic(&self, left: Known, op: Operator, right: Known) -> Result<Known> {
        use DataType as T;
        match (&left.data_type, &right.data_type) {
            (a, b) if is_number(a) && is_number(b) => self.numbers(left, op, right),
            (T::Timestamp(_, _), T::Interval(_)) if matches!(op, Operator::Plus | Operator::Minus) => {
                Ok(native(left, op, right))
            }
            (T::Interval(_), T::Timestamp(_, _)) if op == Operator::Plus => Ok(native(right, op, left)),
            (T::Date32 | T::Time32(_) | T::Time64(_), T::Interval(_)) => match op {
                Operator::Plus => call(&PLUS_INTERVAL, left, right),
                Operator::Minus => call(&MINUS_INTERVAL, left, right),
                _ => cannot(&left, op, &right),
            },
            (T::Interval(_), T::Date32 | T::Time32(_) | T::Time64(_)) if op == Operator::Plus => {
                call(&PLUS_INTERVAL, right, left)
            }
            (T::Interval(_), T::Int8 | T::Int16 | T::Int32 | T::Int64) if op == Operator::Multiply => {
                let factor = self.widened(right, &T::Int64)?;
                call(&TIMES_INTERVAL, left, factor)
            }
            (T::Int8 | T::Int16 | T::Int32 | T::Int64, T::Interval(_)) if op == Operator::Multiply => {
                let factor = self.widened(left, &T::Int64)?;
                call(&TIMES_INTERVAL, right, factor)
            }
            _ => cannot(&left, op, &right),
        }
    }

    fn numbers(&self, left: Known, op: Operator, right: Known) -> Result<Known> {
        let (a, b) = (left.data_type.clone(), right.data_type.clone());
        if is_floating(&a) || is_floating(&b) {
            if op == Operator::Modulo {
                return refuse(format!(
                    "% takes exact numbers: CAST {} to DECIMAL",
                    if is_floating(&a) { left.sql() } else { right.sql() }
                ));
            }
            let result = floating(&a, &b);
            let (left, right) = (self.widened(left, &result)?, self.widened(right, &result)?);
            return Ok(native(left, op, right));
        }
        if !a.is_integer() || !b.is_integer() {
            return match op {
                Operator::Plus => call(&ADD, self.exact(left)?, self.exact(right)?),
                Operator::Minus => call(&SUBTRACT, self.exact(left)?, self.exact(right)?),
                Operator::Multiply => call(&MULTIPLY, self.exact(left)?, self.exact(right)?),
                Operator::Divide => call(&DIVIDE, self.exact(left)?, self.exact(right)?),
                _ => {
                    let rest = call(&REMAINDER, self.exact(left)?, self.exact(right)?)?;
                    // As in Flink, the rest by a whole number is one of its type.
                    if b.is_integer() { self.widened(rest, &b) } else { Ok(rest) }
                }
            };
        }
        let wide = wider(&a, &b);
        let divisor = right.literal().cloned();
        let (left, right) = (self.widened(left, &wide)?, self.widened(right, &wide)?);
        let safe = divisor.is_some_and(|divisor| is_safe_divisor(&divisor));
        match op {
            Operator::Divide if !safe => call(&DIVIDE, left, right),
            Operator::Modulo => {
                let rest = if safe { native(left, op, right) } else { call(&REMAINDER, left, right)? };
                self.narrowed(rest, &b)
            }
            _ => Ok(Known { data_type: wide, ..native(left, op, right) }),
        }
    }

    /// A rest is smaller than what was divided by, and so of its type.
    fn narrowed(&self, rest: Known, data_type: &DataType) -> Result<Known> {
        if rest.data_type == *data_type || *data_type == DataType::Int64 {
            Ok(rest)
        } else {
            self.widened(rest, data_type)
        }
    }

    fn exact(&self, known: Known) -> Result<Known> {
        match Digits::of(&known.data_type) {
            Some(digits) => self.widened(known, &digits.data_type()),
            None => refuse(format!("{} is {}, not a number", known.sql(), known.type_name())),
        }
    }

    fn concatenation(&self, left: Known, right: Known) -> Result<Known> {
        let text = |known: &Known| matches!(known.data_type, DataType::Utf8);
        if text(&left) && text(&right) {
            return Ok(native(left, Operator::StringConcat, right).of(DataType::Utf8));
        }
        let other = if text(&left) { &right } else { &left };
        refuse(format!("|| takes strings: CAST({} AS STRING), which is {}", other.sql(), other.type_name()))
    }
}

impl Known {
    pub(super) fn of(self, data_type: DataType) -> Self {
        let detail = if data_type == self.data_type { self.detail } else { Detail::default() };
        Known { data_type, detail, ..self }
    }
}

/// `AND` and `OR`. What stands behind is not computed for rows that are decided by what stands in front, where it can
/// fail: `a <> 0 AND b / a > 1`.
fn junction(left: Known, op: Operator, right: Known) -> Result<Known> {
    let (left, right) = (left.condition(&op.to_string())?, right.condition(&op.to_string())?);
    if !right.fails {
        return Ok(native(left, op, right).of(DataType::Boolean));
    }
    let decided = op == Operator::Or;
    let is_decided = match decided {
        true => Expr::IsTrue(Box::new(left.expr.clone())),
        false => Expr::IsFalse(Box::new(left.expr.clone())),
    };
    let constant = Expr::Literal(ScalarValue::Boolean(Some(decided)), None);
    let both = native(left, op, right);
    let case = datafusion::logical_expr::Case {
        expr: None,
        when_then_expr: vec![(Box::new(is_decided), Box::new(constant))],
        else_expr: Some(Box::new(both.expr.clone())),
    };
    Ok(Known { expr: Expr::Case(case), data_type: DataType::Boolean, ..both })
}

pub(super) fn native(left: Known, op: Operator, right: Known) -> Known {
    let fails = left.fails || right.fails;
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), op, Box::new(right.expr)));
    let detail = Detail { length: None, ..left.detail };
    Known { expr, data_type: left.data_type, detail, fails }
}

/// A call of a function that has no name in SQL.
pub(super) fn call(function: &'static Function, left: Known, right: Known) -> Result<Known> {
    let args = [&left, &right].map(|known| Arg { data_type: &known.data_type, literal: known.literal() });
    let typed = (function.types)(&args).or_else(|wrong| refuse(format!("{} {wrong}", function.names[0])))?;
    let fails = function.fails || left.fails || right.fails;
    let detail = Detail { digits: Some(left.digits()), length: None };
    let expr = wrap(function).call(vec![left.expr, right.expr]);
    Ok(Known { expr, data_type: typed.returns, detail, fails })
}

fn cannot<T>(left: &Known, op: Operator, right: &Known) -> Result<T> {
    refuse(format!(
        "{op} can't be applied to {} and {}: {} {op} {}; CAST one of them",
        left.type_name(),
        right.type_name(),
        left.sql(),
        right.sql()
    ))
}

pub(super) fn is_number(data_type: &DataType) -> bool {
    is_floating(data_type) || Digits::of(data_type).is_some()
}

pub(super) fn is_floating(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// The type of a result of which one operand floats: the one that floats; `DOUBLE` beside a decimal. Of a `FLOAT` and a
/// `DOUBLE` it is, as in Flink, the first.
pub(super) fn floating(left: &DataType, right: &DataType) -> DataType {
    match (is_floating(left), is_floating(right)) {
        (true, true) => left.clone(),
        (true, false) if right.is_integer() => left.clone(),
        (false, true) if left.is_integer() => right.clone(),
        _ => DataType::Float64,
    }
}

/// The wider of two types of whole numbers.
pub(super) fn wider(left: &DataType, right: &DataType) -> DataType {
    let width = |data_type: &DataType| data_type.primitive_width().unwrap_or(8);
    if width(left) >= width(right) { left.clone() } else { right.clone() }
}

/// A divisor that neither is 0 nor makes a quotient larger than the dividend.
fn is_safe_divisor(value: &ScalarValue) -> bool {
    let value = match value {
        ScalarValue::Int8(Some(value)) => i64::from(*value),
        ScalarValue::Int16(Some(value)) => i64::from(*value),
        ScalarValue::Int32(Some(value)) => i64::from(*value),
        ScalarValue::Int64(Some(value)) => *value,
        _ => return false,
    };
    value != 0 && value != -1
}
