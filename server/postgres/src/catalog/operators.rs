//! Operators over the catalog.

use super::expression::matches;
use super::value::Value;
use crate::error::Trouble;
use sqlparser::ast::BinaryOperator;

/// What an operator makes of two values.
pub(super) fn operated(one: &Value, op: &BinaryOperator, other: &Value) -> Result<Value, Trouble> {
    use BinaryOperator as Op;
    let custom;
    let op = match op {
        // OPERATOR(pg_catalog.~)
        Op::PGCustomBinaryOperator(names) => {
            custom = named(names.last().map(String::as_str).unwrap_or_default());
            custom.as_ref().unwrap_or(op)
        }
        op => op,
    };
    let order = one.compare(other);
    let truth = |holds: fn(std::cmp::Ordering) -> bool| Ok(Value::of_truth(order.map(holds)));
    let is_null = one.is_null() || other.is_null();
    let matched = |any_case: bool, negated: bool| match is_null {
        true => Ok(Value::Null),
        false => Ok(Value::Bool(matches(&one.written(), &other.written(), any_case)? != negated)),
    };
    match op {
        Op::Eq => truth(std::cmp::Ordering::is_eq),
        Op::NotEq => truth(std::cmp::Ordering::is_ne),
        Op::Lt => truth(std::cmp::Ordering::is_lt),
        Op::LtEq => truth(std::cmp::Ordering::is_le),
        Op::Gt => truth(std::cmp::Ordering::is_gt),
        Op::GtEq => truth(std::cmp::Ordering::is_ge),
        Op::PGRegexMatch => matched(false, false),
        Op::PGRegexIMatch => matched(true, false),
        Op::PGRegexNotMatch => matched(false, true),
        Op::PGRegexNotIMatch => matched(true, true),
        Op::StringConcat => Ok(match (one, other) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (Value::List(one), Value::List(other)) => Value::List(one.iter().chain(other).cloned().collect()),
            _ => Value::Text(one.written() + &other.written()),
        }),
        Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo | Op::BitwiseAnd | Op::BitwiseOr => {
            if is_null {
                Ok(Value::Null)
            } else {
                calculated(one, op, other)
            }
        }
        _ => Err(Trouble::unsupported(
            format!("the operator {op} is not supported over the catalog"),
            "write it otherwise",
        )),
    }
}

fn named(name: &str) -> Option<BinaryOperator> {
    use BinaryOperator as Op;
    Some(match name {
        "=" => Op::Eq,
        "<>" | "!=" => Op::NotEq,
        "<" => Op::Lt,
        "<=" => Op::LtEq,
        ">" => Op::Gt,
        ">=" => Op::GtEq,
        "~" => Op::PGRegexMatch,
        "~*" => Op::PGRegexIMatch,
        "!~" => Op::PGRegexNotMatch,
        "!~*" => Op::PGRegexNotIMatch,
        "||" => Op::StringConcat,
        "+" => Op::Plus,
        "-" => Op::Minus,
        _ => return None,
    })
}

fn calculated(one: &Value, op: &BinaryOperator, other: &Value) -> Result<Value, Trouble> {
    use BinaryOperator as Op;
    let by_nothing = || Trouble::new("22012", "division by zero");
    if let (Value::Float(_), _) | (_, Value::Float(_)) = (one, other) {
        let (Some(one), Some(other)) = (one.float(), other.float()) else { return Ok(Value::Null) };
        return Ok(match op {
            Op::Plus => Value::Float(one + other),
            Op::Minus => Value::Float(one - other),
            Op::Multiply => Value::Float(one * other),
            _ if other == 0.0 => return Err(by_nothing()),
            Op::Divide => Value::Float(one / other),
            _ => Value::Float(one % other),
        });
    }
    let (Some(one), Some(other)) = (one.int(), other.int()) else {
        return Err(Trouble::new("42883", format!("the operator {op} takes numbers")));
    };
    let number = match op {
        Op::Plus => one.checked_add(other),
        Op::Minus => one.checked_sub(other),
        Op::Multiply => one.checked_mul(other),
        Op::BitwiseAnd => Some(one & other),
        Op::BitwiseOr => Some(one | other),
        _ if other == 0 => return Err(by_nothing()),
        Op::Divide => one.checked_div(other),
        _ => one.checked_rem(other),
    };
    number.map(Value::Int).ok_or_else(|| Trouble::new("22003", "a number is out of range"))
}
