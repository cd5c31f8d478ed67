//! Comparisons, `BETWEEN`, `IN`, `LIKE` and `SIMILAR TO`.

use super::arithmetic::{call, is_floating, is_number, native, wider};
use super::{Known, Typer, refuse};
use crate::functions::like::{LIKE, SIMILAR, arrow_pattern, similar_regex};
use crate::functions::operators::{EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_EQUAL};
use crate::functions::values::decimal::Digits;
use crate::functions::{Function, wrap};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Like, Operator};

impl Typer<'_> {
    pub(super) fn compare(&self, left: Known, op: Operator, right: Known) -> Result<Known> {
        let ordered = matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
        let (left, right) = match ordered {
            true => self.ordered(left, right, &op.to_string())?,
            false => self.comparable(left, right, &op.to_string())?,
        };
        let function: Option<&'static Function> = match op {
            Operator::Eq => Some(&EQUAL),
            Operator::NotEq => Some(&NOT_EQUAL),
            Operator::Lt => Some(&LESS),
            Operator::LtEq => Some(&LESS_EQUAL),
            Operator::Gt => Some(&GREATER),
            Operator::GtEq => Some(&GREATER_EQUAL),
            _ => None,
        };
        match (&left.data_type, function) {
            (data_type, Some(_)) if is_floating(data_type) && left.expr == right.expr => Ok(same(left, op)),
            (DataType::Decimal128(_, _), Some(function)) if left.data_type != right.data_type => {
                call(function, left, right)
            }
            (data_type, Some(function)) if is_floating(data_type) => call(function, left, right),
            (data_type, None) if is_floating(data_type) || left.data_type != right.data_type => {
                refuse(format!("{op} of {} is not supported yet: {}", left.type_name(), left.sql()))
            }
            (DataType::List(_) | DataType::Struct(_) | DataType::Map(_, _), _)
                if !matches!(op, Operator::Eq | Operator::NotEq) =>
            {
                refuse(format!("{op} takes plain values; {} is {}", left.sql(), left.type_name()))
            }
            (DataType::Struct(_) | DataType::Map(_, _), _) => refuse(format!(
                "rows and maps can't be compared yet: {} is {}; compare their parts",
                left.sql(),
                left.type_name()
            )),
            _ => Ok(native(left, op, right).of(DataType::Boolean)),
        }
    }

    /// Both as values of one type, of which one may be the smaller: a text beside a number is read as one.
    fn ordered(&self, left: Known, right: Known, op: &str) -> Result<(Known, Known)> {
        match (left.data_type == DataType::Utf8, right.data_type == DataType::Utf8) {
            (true, false) if is_number(&right.data_type) => {
                let data_type = right.data_type.clone();
                Ok((self.widened(left, &data_type)?, right))
            }
            (false, true) if is_number(&left.data_type) => {
                let data_type = left.data_type.clone();
                Ok((left, self.widened(right, &data_type)?))
            }
            _ => self.comparable(left, right, op),
        }
    }

    /// Both as values of one type. Decimals may differ in their digits.
    pub(super) fn comparable(&self, left: Known, right: Known, op: &str) -> Result<(Known, Known)> {
        if left.is_null() && right.is_null() {
            let null = |known: Known| self.widened(known, &DataType::Boolean);
            return Ok((null(left)?, null(right)?));
        }
        let common = match compared_as(&left, &right) {
            Some(common) => common,
            None => {
                return refuse(format!(
                    "{} is {} and {} is {}, which can't be compared with {op}: CAST one of them",
                    left.sql(),
                    left.type_name(),
                    right.sql(),
                    right.type_name()
                ));
            }
        };
        if common == DataType::Null {
            return Ok((left, right));
        }
        Ok((self.widened(left, &common)?, self.widened(right, &common)?))
    }

    pub(super) fn between(&self, between: Between) -> Result<Known> {
        let (value, low, high) =
            (self.typed(*between.expr)?, self.typed(*between.low)?, self.typed(*between.high)?);
        let plain = value.data_type == low.data_type
            && value.data_type == high.data_type
            && !is_floating(&value.data_type);
        if plain {
            let fails = value.fails || low.fails || high.fails;
            let expr = Expr::Between(Between {
                expr: Box::new(value.expr),
                negated: between.negated,
                low: Box::new(low.expr),
                high: Box::new(high.expr),
            });
            return Ok(Known { fails, ..Known::new(expr, DataType::Boolean) });
        }
        let (from, to, both) = match between.negated {
            false => (Operator::GtEq, Operator::LtEq, Operator::And),
            true => (Operator::Lt, Operator::Gt, Operator::Or),
        };
        let from = self.compare(value.clone(), from, low)?;
        let to = self.compare(value, to, high)?;
        Ok(native(from, both, to).of(DataType::Boolean))
    }

    pub(super) fn in_list(&self, list: InList) -> Result<Known> {
        let value = self.typed(*list.expr)?;
        let items = self.all(list.list)?;
        let mut common = value.data_type.clone();
        for item in &items {
            // Refuses what can't be compared.
            self.comparable(value.clone(), item.clone(), "IN")?;
            let so_far = Known { data_type: common, ..value.clone() };
            common = compared_as(&so_far, item).unwrap_or(DataType::Null);
        }
        let plain = !is_floating(&common) && !matches!(common, DataType::Null | DataType::List(_));
        if !plain {
            return self.any_of(&value, items, list.negated);
        }
        let value = self.widened(value, &common)?;
        let items = items.into_iter().map(|item| self.widened(item, &common)).collect::<Result<Vec<_>>>()?;
        let fails = value.fails || items.iter().any(|item| item.fails);
        let list = InList {
            expr: Box::new(value.expr),
            list: items.into_iter().map(|item| item.expr).collect(),
            negated: list.negated,
        };
        Ok(Known { fails, ..Known::new(Expr::InList(list), DataType::Boolean) })
    }

    /// Whether a value equals one of the items, one after the other.
    fn any_of(&self, value: &Known, items: Vec<Known>, negate: bool) -> Result<Known> {
        let mut any: Option<Known> = None;
        for item in items {
            let test = self.compare(value.clone(), Operator::Eq, item)?;
            any = Some(match any {
                None => test,
                Some(any) => native(any, Operator::Or, test).of(DataType::Boolean),
            });
        }
        match any {
            Some(any) => Ok(negated(any, negate)),
            None => refuse("IN takes at least one value"),
        }
    }

    pub(super) fn like(&self, like: Like) -> Result<Known> {
        if like.case_insensitive {
            return refuse("ILIKE is not SQL of Flink: compare LOWER(..) of both sides with LIKE");
        }
        let (value, pattern) = self.texts(*like.expr, *like.pattern, "LIKE")?;
        if let Some(text) = pattern.text() {
            let words = arrow_pattern(text, like.escape_char).or_else(refuse)?;
            let fails = value.fails;
            let expr = Expr::Like(Like {
                negated: like.negated,
                expr: Box::new(value.expr),
                pattern: Box::new(Expr::Literal(ScalarValue::Utf8(Some(words)), None)),
                escape_char: None,
                case_insensitive: false,
            });
            return Ok(Known { fails, ..Known::new(expr, DataType::Boolean) });
        }
        let known = escaped(&LIKE, value, pattern, like.escape_char);
        Ok(negated(known, like.negated))
    }

    pub(super) fn similar(&self, like: Like) -> Result<Known> {
        let (value, pattern) = self.texts(*like.expr, *like.pattern, "SIMILAR TO")?;
        let Some(text) = pattern.text() else {
            return refuse("SIMILAR TO takes a constant pattern; REGEXP takes any");
        };
        similar_regex(text, like.escape_char).or_else(refuse)?;
        let fails = value.fails;
        let known = escaped(&SIMILAR, value, pattern, like.escape_char);
        Ok(negated(Known { fails, ..known }, like.negated))
    }

    fn texts(&self, value: Expr, pattern: Expr, name: &str) -> Result<(Known, Known)> {
        let (value, pattern) = (self.typed(value)?, self.typed(pattern)?);
        for side in [&value, &pattern] {
            if !matches!(side.data_type, DataType::Utf8 | DataType::Null) {
                return refuse(format!("{name} takes strings; {} is {}", side.sql(), side.type_name()));
            }
        }
        Ok((self.widened(value, &DataType::Utf8)?, self.widened(pattern, &DataType::Utf8)?))
    }
}

fn escaped(function: &'static Function, value: Known, pattern: Known, escape: Option<char>) -> Known {
    let fails = function.fails || value.fails || pattern.fails;
    let escape = escape.map(|escape| Expr::Literal(ScalarValue::Utf8(Some(escape.to_string())), None));
    let args = [value.expr, pattern.expr].into_iter().chain(escape).collect();
    Known { fails, ..Known::new(wrap(function).call(args), DataType::Boolean) }
}

fn negated(known: Known, negated: bool) -> Known {
    match negated {
        true => Known { expr: Expr::Not(Box::new(known.expr)), ..known },
        false => known,
    }
}

/// The type as which two values are compared.
fn compared_as(left: &Known, right: &Known) -> Option<DataType> {
    use DataType as T;
    match (&left.data_type, &right.data_type) {
        (a, b) if a == b => Some(a.clone()),
        (T::Null, other) | (other, T::Null) => Some(other.clone()),
        (a, b) if is_number(a) && is_number(b) => compared_numbers(a, b),
        (T::Timestamp(a, from), T::Timestamp(b, to)) => {
            Some(T::Timestamp((*a).max(*b), from.clone().or_else(|| to.clone())))
        }
        (T::Time32(_) | T::Time64(_), T::Time32(_) | T::Time64(_)) => {
            let unit = |data_type: &T| match data_type {
                T::Time32(unit) | T::Time64(unit) => Some(*unit),
                _ => None,
            };
            match unit(&left.data_type)?.max(unit(&right.data_type)?) {
                unit @ (arrow::datatypes::TimeUnit::Second | arrow::datatypes::TimeUnit::Millisecond) => {
                    Some(T::Time32(unit))
                }
                unit => Some(T::Time64(unit)),
            }
        }
        // A text beside a time is read as one.
        (time, T::Utf8) | (T::Utf8, time) if is_time(time) => Some(time.clone()),
        _ => None,
    }
}

fn is_time(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(data_type, T::Date32 | T::Time32(_) | T::Time64(_) | T::Timestamp(_, _))
}

fn compared_numbers(left: &DataType, right: &DataType) -> Option<DataType> {
    if is_floating(left) || is_floating(right) {
        return Some(DataType::Float64);
    }
    if left.is_integer() && right.is_integer() {
        return Some(wider(left, right));
    }
    // A decimal that holds both, where there is one.
    let decimals = !left.is_integer() && !right.is_integer();
    let (left, right) = (Digits::of(left)?, Digits::of(right)?);
    let both = left.union(right);
    let holds = |digits: Digits| {
        both.scale >= digits.scale && both.precision - both.scale >= digits.precision - digits.scale
    };
    match holds(left) && holds(right) {
        true => Some(both.data_type()),
        false => decimals.then_some(DataType::Null),
    }
}

/// A value compared with itself is what Flink takes it for: equal, also where it is NaN.
fn same(value: Known, op: Operator) -> Known {
    let is = matches!(op, Operator::Eq | Operator::LtEq | Operator::GtEq);
    let null = Expr::Literal(ScalarValue::Boolean(None), None);
    let (test, junction) = match is {
        true => (Expr::IsNotNull(Box::new(value.expr)), Operator::Or),
        false => (Expr::IsNull(Box::new(value.expr)), Operator::And),
    };
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(test), junction, Box::new(null)));
    Known { fails: value.fails, ..Known::new(expr, DataType::Boolean) }
}
