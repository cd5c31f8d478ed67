//! `CASE` and the functions that are cases: what is not chosen is not computed.

use super::arithmetic::{is_floating, is_number, wider};
use super::{Known, Typer, refuse};
use crate::functions::values::decimal::Digits;
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
        let floats = |data_type| values().any(|value| value.data_type == data_type);
        if name == "CASE" && floats(DataType::Float32) && floats(DataType::Float64) {
            return refuse("CASE chooses between FLOAT and DOUBLE: CAST one of them");
        }
        let digits = values().filter_map(|value| value.digits).max();
        let digits =
            if values().all(|value| value.digits.is_some() || value.is_null()) { digits } else { None };
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
        Ok(Known { expr: Expr::Case(case), data_type, digits, fails })
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
                self.choose(vec![(condition.condition("IF")?, then)], otherwise, "IF")
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

/// The type that all values are one of.
pub(super) fn common_type<'k>(values: impl Iterator<Item = &'k Known>, name: &str) -> Result<DataType> {
    let mut common = DataType::Null;
    for value in values {
        common = match common_of(&common, &value.data_type) {
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

fn common_of(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType as T;
    match (left, right) {
        (a, b) if a == b => Some(a.clone()),
        (T::Null, other) | (other, T::Null) => Some(other.clone()),
        (a, b) if is_number(a) && is_number(b) => common_number(a, b),
        (T::Timestamp(a, from), T::Timestamp(b, to)) if from == to => {
            Some(T::Timestamp((*a).max(*b), from.clone()))
        }
        _ => None,
    }
}

/// Of a `FLOAT` and a decimal Flink has several, by how they meet: none here.
fn common_number(left: &DataType, right: &DataType) -> Option<DataType> {
    Some(match (is_floating(left), is_floating(right)) {
        (true, true) if left == right => left.clone(),
        (true, false) if right.is_integer() => left.clone(),
        (false, true) if left.is_integer() => right.clone(),
        (false, false) if left.is_integer() && right.is_integer() => wider(left, right),
        (false, false) => Digits::of(left)?.union(Digits::of(right)?).data_type(),
        (true, false) if *left == DataType::Float32 => return None,
        (false, true) if *right == DataType::Float32 => return None,
        _ => DataType::Float64,
    })
}
