//! Expressions over rows of the catalog.

use super::cast::cast;
use super::frame::{Env, Frame, parts};
use super::operators::operated;
use super::value::Value;
use super::{World, functions};
use crate::error::Trouble;
use regex::RegexBuilder;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Query, Subscript, UnaryOperator, Value as Literal,
};
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::sync::atomic::Ordering::Relaxed;

/// Expressions that a query may compute: some seconds of work.
const STEPS_MAX: u64 = 20_000_000;
/// Levels of expressions and of queries in them.
const DEPTH_MAX: u32 = 1_000;
/// The most bytes that a regular expression may take when it is compiled.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A query while it is computed.
pub(super) struct Evaluation<'w> {
    pub(super) world: &'w World<'w>,
    /// Nothing where only columns are asked for.
    parameters: Option<&'w [Value]>,
    /// Rows of WITH, by their names.
    pub(super) given: RefCell<Vec<(String, Frame)>>,
    steps: Cell<u64>,
    depth: Cell<u32>,
}

impl<'w> Evaluation<'w> {
    pub(super) fn new(world: &'w World<'w>, parameters: Option<&'w [Value]>) -> Self {
        Evaluation { world, parameters, given: RefCell::default(), steps: Cell::new(0), depth: Cell::new(0) }
    }

    /// Counts what is done, and looks whether anybody still waits for it. `rows` are those there are.
    pub(super) fn step(&self, rows: usize) -> Result<(), Trouble> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX || rows > 200_000 {
            return Err(Trouble::new("54000", "the query over the catalog takes too much"));
        }
        if self.steps.get().is_multiple_of(1_024) && self.world.cancelled.load(Relaxed) {
            return Err(Trouble::new("57014", "the query was cancelled"));
        }
        Ok(())
    }

    /// The value of an expression for a row.
    pub(super) fn value(&self, expr: &Expr, env: &Env<'_>) -> Result<Value, Trouble> {
        self.step(0)?;
        if self.depth.get() > DEPTH_MAX {
            return Err(Trouble::new("54001", "the query is nested too deeply"));
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.value_here(expr, env);
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn value_here(&self, expr: &Expr, env: &Env<'_>) -> Result<Value, Trouble> {
        match expr {
            Expr::Identifier(ident) => match env.named(std::slice::from_ref(ident)) {
                Ok((_, value)) => Ok(value.clone()),
                // Words that are functions without parentheses.
                Err(trouble) => functions::word(&ident.value.to_lowercase(), self.world).ok_or(trouble),
            },
            Expr::CompoundIdentifier(idents) => env.named(idents).map(|(_, value)| value.clone()),
            Expr::Value(value) => self.literal(&value.value),
            Expr::TypedString(typed) => {
                let value = self.literal(&typed.value.value)?;
                cast(value, &typed.data_type.to_string(), self.world)
            }
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => self.value(inner, env),
            Expr::Cast { expr, data_type, .. } => {
                cast(self.value(expr, env)?, &data_type.to_string(), self.world)
            }
            Expr::Function(call) => self.call(call, env),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, env),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, env),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), env)
            }
            Expr::Subquery(query) => self.one(query, env),
            Expr::Exists { subquery, negated } => {
                let any = !self.query(subquery, Some(env))?.rows.is_empty();
                Ok(Value::Bool(any != *negated))
            }
            Expr::Array(array) => Ok(Value::List(
                array.elem.iter().map(|item| self.value(item, env)).collect::<Result<_, _>>()?,
            )),
            Expr::Trim { expr, trim_where: None, trim_what: None, trim_characters: None } => {
                let value = self.value(expr, env)?;
                Ok(if value.is_null() { value } else { Value::text(value.written().trim()) })
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let parts = [Some(expr), substring_from.as_ref(), substring_for.as_ref()];
                let values = parts.into_iter().flatten().map(|part| self.value(part, env));
                functions::called("substring", &values.collect::<Result<Vec<_>, _>>()?, self.world)
            }
            Expr::Tuple(items) => {
                Ok(Value::List(items.iter().map(|item| self.value(item, env)).collect::<Result<_, _>>()?))
            }
            Expr::CompoundFieldAccess { root, access_chain } => self.accessed(root, access_chain, env),
            other => self.test(other, env),
        }
    }

    /// What is true or not.
    fn test(&self, expr: &Expr, env: &Env<'_>) -> Result<Value, Trouble> {
        let value = |expr: &Expr| self.value(expr, env);
        let truth = |expr: &Expr| self.value(expr, env).map(|value| value.truth());
        let negated =
            |truth: Option<bool>, negated: bool| Value::of_truth(truth.map(|holds| holds != negated));
        Ok(match expr {
            Expr::IsNull(inner) => Value::Bool(value(inner)?.is_null()),
            Expr::IsNotNull(inner) => Value::Bool(!value(inner)?.is_null()),
            Expr::IsTrue(inner) => Value::Bool(truth(inner)? == Some(true)),
            Expr::IsNotTrue(inner) => Value::Bool(truth(inner)? != Some(true)),
            Expr::IsFalse(inner) => Value::Bool(truth(inner)? == Some(false)),
            Expr::IsNotFalse(inner) => Value::Bool(truth(inner)? != Some(false)),
            Expr::IsUnknown(inner) => Value::Bool(truth(inner)?.is_none()),
            Expr::IsNotUnknown(inner) => Value::Bool(truth(inner)?.is_some()),
            Expr::IsDistinctFrom(one, other) => Value::Bool(!value(one)?.is_same(&value(other)?)),
            Expr::IsNotDistinctFrom(one, other) => Value::Bool(value(one)?.is_same(&value(other)?)),
            Expr::InList { expr, list, negated: not } => {
                let wanted = value(expr)?;
                let list = list.iter().map(value).collect::<Result<Vec<_>, _>>()?;
                negated(any(&wanted, &BinaryOperator::Eq, &list)?, *not)
            }
            Expr::InSubquery { expr, subquery, negated: not } => {
                let wanted = value(expr)?;
                negated(any(&wanted, &BinaryOperator::Eq, &self.column(subquery, env)?)?, *not)
            }
            Expr::AnyOp { left, compare_op, right, .. } => {
                let wanted = value(left)?;
                Value::of_truth(any(&wanted, compare_op, &self.list(right, env)?)?)
            }
            Expr::AllOp { left, compare_op, right } => {
                let wanted = value(left)?;
                let each = self.list(right, env)?;
                let each = each.iter().map(|item| compared(&wanted, compare_op, item));
                let each = each.collect::<Result<Vec<_>, _>>()?;
                let all = each.into_iter().try_fold(true, |all, holds| Some(all && holds?));
                Value::of_truth(all)
            }
            Expr::Between { expr, negated: not, low, high } => {
                let (wanted, low, high) = (value(expr)?, value(low)?, value(high)?);
                let holds = wanted
                    .compare(&low)
                    .zip(wanted.compare(&high))
                    .map(|(low, high)| low.is_ge() && high.is_le());
                negated(holds, *not)
            }
            Expr::Like { negated: not, expr, pattern, .. } => {
                negated(like(&value(expr)?, &value(pattern)?, false)?, *not)
            }
            Expr::ILike { negated: not, expr, pattern, .. } => {
                negated(like(&value(expr)?, &value(pattern)?, true)?, *not)
            }
            other => {
                let text: String = other.to_string().chars().take(80).collect();
                return Err(Trouble::unsupported(
                    format!("{text} is not supported over the catalog"),
                    "the tables of jobs are asked in Flink's SQL, each query by itself",
                ));
            }
        })
    }

    fn literal(&self, literal: &Literal) -> Result<Value, Trouble> {
        Ok(match literal {
            Literal::Null => Value::Null,
            Literal::Boolean(holds) => Value::Bool(*holds),
            Literal::Number(number, _) => match number.parse::<i64>() {
                Ok(number) => Value::Int(number),
                Err(_) => number.parse().map_or(Value::Null, Value::Float),
            },
            Literal::SingleQuotedString(text)
            | Literal::EscapedStringLiteral(text)
            | Literal::UnicodeStringLiteral(text) => Value::text(text),
            Literal::DollarQuotedString(text) => Value::text(&text.value),
            Literal::Placeholder(name) => {
                let number = name
                    .trim_start_matches('$')
                    .parse::<usize>()
                    .ok()
                    .and_then(|number| number.checked_sub(1));
                match (self.parameters, number) {
                    (None, _) => Value::Null,
                    (Some(parameters), Some(at)) => parameters.get(at).cloned().unwrap_or(Value::Null),
                    (Some(_), None) => {
                        return Err(Trouble::new("42P02", format!("there is no parameter {name}")));
                    }
                }
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("{other} is not supported"),
                    "write a text or a number",
                ));
            }
        })
    }

    fn unary(&self, op: UnaryOperator, expr: &Expr, env: &Env<'_>) -> Result<Value, Trouble> {
        let value = self.value(expr, env)?;
        Ok(match (op, value) {
            (UnaryOperator::Not, value) => Value::of_truth(value.truth().map(|holds| !holds)),
            (UnaryOperator::Minus, Value::Int(number)) => Value::Int(number.saturating_neg()),
            (UnaryOperator::Minus, Value::Float(number)) => Value::Float(-number),
            (UnaryOperator::Minus, value) => {
                value.float().map_or(Value::Null, |number| Value::Float(-number))
            }
            (UnaryOperator::Plus, value) => value,
            _ => {
                return Err(Trouble::unsupported(
                    format!("the operator {op} is not supported"),
                    "write it otherwise",
                ));
            }
        })
    }

    fn binary(
        &self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        env: &Env<'_>,
    ) -> Result<Value, Trouble> {
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let decides = *op == BinaryOperator::Or;
                let left = self.value(left, env)?.truth();
                if left == Some(decides) {
                    return Ok(Value::Bool(decides));
                }
                let right = self.value(right, env)?.truth();
                Ok(match (left, right) {
                    (_, Some(holds)) if holds == decides => Value::Bool(decides),
                    (Some(_), Some(_)) => Value::Bool(!decides),
                    _ => Value::Null,
                })
            }
            _ => {
                let (left, right) = (self.value(left, env)?, self.value(right, env)?);
                operated(&left, op, &right)
            }
        }
    }

    fn case(
        &self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        env: &Env<'_>,
    ) -> Result<Value, Trouble> {
        let operand = operand.map(|operand| self.value(operand, env)).transpose()?;
        for case in conditions {
            let condition = self.value(&case.condition, env)?;
            let holds = match &operand {
                Some(operand) => operand.compare(&condition) == Some(Ordering::Equal),
                None => condition.truth() == Some(true),
            };
            if holds {
                return self.value(&case.result, env);
            }
        }
        otherwise.map_or(Ok(Value::Null), |otherwise| self.value(otherwise, env))
    }

    /// The only value of a query; null where there is none.
    fn one(&self, query: &Query, env: &Env<'_>) -> Result<Value, Trouble> {
        let mut column = self.column(query, env)?;
        match column.len() {
            0 => Ok(Value::Null),
            1 => Ok(column.remove(0)),
            _ => Err(Trouble::new("21000", "more than one row is given by a query that is used as a value")),
        }
    }

    fn column(&self, query: &Query, env: &Env<'_>) -> Result<Vec<Value>, Trouble> {
        let rows = self.query(query, Some(env))?.rows;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next()).collect())
    }

    /// Behind ANY and ALL: a list, or a query.
    fn list(&self, expr: &Expr, env: &Env<'_>) -> Result<Vec<Value>, Trouble> {
        match expr {
            Expr::Subquery(query) => self.column(query, env),
            Expr::Nested(inner) => self.list(inner, env),
            other => Ok(self.value(other, env)?.items().unwrap_or_default()),
        }
    }

    /// `list[1]`; a field behind a dot there is not.
    fn accessed(&self, root: &Expr, chain: &[AccessExpr], env: &Env<'_>) -> Result<Value, Trouble> {
        let mut value = self.value(root, env)?;
        for access in chain {
            let AccessExpr::Subscript(Subscript::Index { index }) = access else {
                return Err(Trouble::unsupported(
                    "only single items of arrays can be taken",
                    "write array[1]",
                ));
            };
            let at = self.value(index, env)?.int().and_then(|at| usize::try_from(at.saturating_sub(1)).ok());
            let items = value.items().unwrap_or_default();
            value = at.and_then(|at| items.get(at).cloned()).unwrap_or(Value::Null);
        }
        Ok(value)
    }

    fn call(&self, call: &Function, env: &Env<'_>) -> Result<Value, Trouble> {
        let name = parts(&call.name).pop().unwrap_or_default();
        let arguments = match &call.args {
            FunctionArguments::None => Vec::new(),
            // ARRAY(SELECT ..)
            FunctionArguments::Subquery(query) => return Ok(Value::List(self.column(query, env)?)),
            FunctionArguments::List(list) => list.args.iter().collect(),
        };
        if let (true, Some(group)) = (is_aggregate(call), env.group) {
            let filter = call.filter.as_deref();
            let mut values = Vec::new();
            for row in group {
                let env = Env { group: None, ..Env::new(env.fields, row, env.outer) };
                if filter.is_some_and(|filter| !matches!(self.value(filter, &env), Ok(Value::Bool(true)))) {
                    continue;
                }
                values.push(match arguments.first().and_then(|argument| expression(argument)) {
                    Some(argument) => self.value(argument, &env)?,
                    None => Value::Bool(true),
                });
            }
            let second = arguments.get(1).and_then(|argument| expression(argument));
            let second = second.map(|second| self.value(second, env)).transpose()?;
            return Ok(functions::aggregated(&name, values, second));
        }
        let values =
            arguments.iter().filter_map(|argument| expression(argument)).map(|expr| self.value(expr, env));
        functions::called(&name, &values.collect::<Result<Vec<_>, _>>()?, self.world)
    }
}

/// The expression of an argument; nothing for `*`.
fn expression(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
        _ => None,
    }
}

/// Whether a function is one over the rows of a group.
pub(super) fn is_aggregate(call: &Function) -> bool {
    let name = parts(&call.name).pop().unwrap_or_default();
    matches!(
        name.as_str(),
        "count" | "sum" | "min" | "max" | "array_agg" | "string_agg" | "bool_or" | "bool_and" | "every"
    )
}

/// Whether it holds for any: unknown where it might.
fn any(wanted: &Value, op: &BinaryOperator, list: &[Value]) -> Result<Option<bool>, Trouble> {
    let mut unknown = false;
    for item in list {
        match compared(wanted, op, item)? {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

fn compared(one: &Value, op: &BinaryOperator, other: &Value) -> Result<Option<bool>, Trouble> {
    operated(one, op, other).map(|value| value.truth())
}

/// Whether a text is like a pattern with `%` and `_`.
fn like(value: &Value, pattern: &Value, any_case: bool) -> Result<Option<bool>, Trouble> {
    if value.is_null() || pattern.is_null() {
        return Ok(None);
    }
    let mut regex = "^".to_owned();
    let pattern = pattern.written();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '%' => regex.push_str("(?s:.)*"),
            '_' => regex.push_str("(?s:.)"),
            '\\' => regex.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            char => regex.push_str(&regex::escape(&char.to_string())),
        }
    }
    regex.push('$');
    matches(&value.written(), &regex, any_case).map(Some)
}

/// Whether a text has what a regular expression means.
pub(super) fn matches(text: &str, pattern: &str, any_case: bool) -> Result<bool, Trouble> {
    let mut builder = RegexBuilder::new(pattern);
    let regex = builder.case_insensitive(any_case).size_limit(REGEX_BYTES_MAX).build();
    let regex =
        regex.map_err(|_| Trouble::new("2201B", "this is no regular expression that is understood here"))?;
    Ok(regex.is_match(text))
}
