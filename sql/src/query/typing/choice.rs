//! `CASE` and the functions that are cases: what is not chosen is not computed.

use super::arithmetic::{is_floating, is_number, wider};
use super::{Known, Typer, refuse};
use crate::functions::values::decimal::Digits;
use crate::functions::values::detail::Detail;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{Case, Expr, Operator};

impl Typer<'_> {
    pub(super) fn case(&self, case: Case) -> Result<Known> {
        let base = case.expr.map(|base| self.typed(*base)).transpose()?;
        let mut branches = Vec::with_capacity(case.when_then_expr.len());
        for (when, then) in case.when_then_expr {
            let when = self.typed(*when)?;
            let when = match &base {
                Some(base) => self.compare(base.clone(), Operator::Eq, when)?,
                None => when.condition("WHEN")?,
            };
            branches.push((when, self.typed(*then)?));
        }
        let otherwise = case.else_expr.map(|otherwise| self.typed(*otherwise)).transpose()?;
        self.choose(branches, otherwise, "CASE")
    }

    /// The first branch whose condition is met.
    pub(super) fn choose(
        &self,
        branches: Vec<(Known, Known)>,
        otherwise: Option<Known>,
        name: &str,
    ) -> Result<Known> {
        let values = || branches.iter().map(|(_, then)| then).chain(&otherwise);
        let data_type = common_type(values(), name)?;
        let detail = common_detail(values().filter(|value| !value.is_null()));
        let mut when_then_expr = Vec::with_capacity(branches.len());
        let mut fails = false;
        for (when, then) in branches {
            let then = self.widened(then, &data_type)?;
            fails |= when.fails || then.fails;
            when_then_expr.push((Box::new(when.expr), Box::new(then.expr)));
        }
        let else_expr = match otherwise {
            None => None,
            Some(otherwise) => {
                let otherwise = self.widened(otherwise, &data_type)?;
                fails |= otherwise.fails;
                Some(Box::new(otherwise.expr))
            }
        };
        let case = Case { expr: None, when_then_expr, else_expr };
        Ok(Known { expr: Expr::Case(case), data_type, detail, fails })
    }

    /// `IF`, `COALESCE`, `IFNULL` and `NULLIF` as cases.
    pub(super) fn choice(&self, name: &str, args: Vec<Known>) -> Result<Known> {
        let is_not_null = |known: &Known| Known {
            fails: known.fails,
            ..Known::new(Expr::IsNotNull(Box::new(known.expr.clone())), DataType::Boolean)
        };
        let mut args = args.into_iter();
        match (name, args.len()) {
            ("if", 3) => {
                let (Some(condition), Some(then), otherwise) = (args.next(), args.next(), args.next()) else {
                    return refuse("IF takes a condition and two values");
                };
                // As in Flink, a time has as many digits as the first value.
                let digits = (!then.is_null()).then(|| then.digits());
                let known = self.choose(vec![(condition.condition("IF")?, then)], otherwise, "IF")?;
                Ok(match digits {
                    Some(digits) => known.with_digits(digits),
                    None => known,
                })
            }
            ("ifnull", 2) => {
                let (Some(value), otherwise) = (args.next(), args.next()) else {
                    return refuse("IFNULL takes two values");
                };
                self.choose(vec![(is_not_null(&value), value)], otherwise, "IFNULL")
            }
            ("coalesce", 1..) => {
                let mut values: Vec<Known> = args.collect();
                let last = values.pop();
                let branches: Vec<(Known, Known)> =
                    values.into_iter().map(|value| (is_not_null(&value), value)).collect();
                match (branches.is_empty(), last) {
                    (true, Some(only)) => Ok(only),
                    (_, last) => self.choose(branches, last, "COALESCE"),
                }
            }
            ("nullif", 2) => {
                let (Some(value), Some(other)) = (args.next(), args.next()) else {
                    return refuse("NULLIF takes two values");
                };
                let data_type = value.data_type.clone();
                let differs = self.compare(value.clone(), Operator::Eq, other)?;
                let differs = Known { expr: Expr::IsNotTrue(Box::new(differs.expr)), ..differs };
                let known = self.choose(vec![(differs, value)], None, "NULLIF")?;
                Ok(known.of(data_type))
            }
            (name, found) => refuse(format!("{} does not take {found} arguments", name.to_uppercase())),
        }
    }
}

/// What a type says that all values are of: of each time the most digits, and the length that all have.
pub(super) fn common_detail<'k>(mut values: impl Iterator<Item = &'k Known>) -> Detail {
    let Some(first) = values.next() else { return Detail::default() };
    let (mut digits, mut length) = (first.digits(), first.detail.length);
    for value in values {
        digits = digits.max(&value.digits());
        length = length.filter(|length| value.detail.length == Some(*length));
    }
    Detail { digits: Some(digits), length }
}

/// The type that all values are one of.
pub(super) fn common_type<'k>(values: impl Iterator<Item = &'k Known>, name: &str) -> Result<DataType> {
    let mut common = DataType::Null;
    let merges = matches!(name, "COALESCE" | "IFNULL");
    for value in values {
        common = match common_of(&common, &value.data_type, merges) {
            Some(common) => common,
            None => {
                let first = Known::new(value.expr.clone(), common).type_name();
                return refuse(format!(
                    "{name} can't choose between {first} and {}: CAST {}",
                    value.type_name(),
                    value.sql()
                ));
            }
        };
    }
    match common {
        DataType::Null => refuse(format!("{name} chooses between nulls without a type: CAST one of them")),
        common => Ok(common),
    }
}

fn common_of(left: &DataType, right: &DataType, merges: bool) -> Option<DataType> {
    use DataType as T;
    match (left, right) {
        (a, b) if a == b => Some(a.clone()),
        (T::Null, other) | (other, T::Null) => Some(other.clone()),
        (a, b) if is_number(a) && is_number(b) => common_number(a, b, merges),
        (T::Timestamp(a, from), T::Timestamp(b, to)) if from == to => {
            Some(T::Timestamp((*a).max(*b), from.clone()))
        }
        _ => None,
    }
}

/// Flink has two ways: what SQL has, as `CASE`, takes of a `FLOAT` and a `DOUBLE` the first, and a `DOUBLE` for a `FLOAT`
/// beside a decimal; `COALESCE` and `IFNULL` merge the first two to a `DOUBLE`, and a decimal takes a `FLOAT` behind it for its
/// own.
fn common_number(left: &DataType, right: &DataType, merges: bool) -> Option<DataType> {
    let float = |data_type: &DataType| *data_type == DataType::Float32;
    Some(match (is_floating(left), is_floating(right)) {
        (true, true) if left == right || !merges => left.clone(),
        (true, false) if right.is_integer() => left.clone(),
        (false, true) if left.is_integer() || merges && float(right) => right.clone(),
        (false, false) if left.is_integer() && right.is_integer() => wider(left, right),
        (false, false) => Digits::of(left)?.union(Digits::of(right)?).data_type(),
        _ => DataType::Float64,
    })
}
