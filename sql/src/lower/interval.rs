//! Bounds between the times of two rows, found in the condition of a join.
//!
//! `a.t BETWEEN b.t - x AND b.t + y`, or the same with `<`, `<=`, `>`, `>=` and `=`, bounds `a.t - b.t` from both ends.

use super::project::picked_column;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

/// What of a condition bounds the times.
pub(super) struct Bounds {
    /// Least difference, left time minus right time, milliseconds.
    pub lower_ms: i64,
    /// Largest difference.
    pub upper_ms: i64,
    /// What is left of the condition.
    pub rest: Vec<Expr>,
}

/// The time of a row and a constant.
struct Moment {
    /// 0: left, 1: right.
    side: usize,
    plus_ms: i64,
}

/// The bounds between two columns, the time attributes of the sides, when a condition has both.
pub(super) fn find_bounds(
    conditions: &[Expr],
    equal: &[(Expr, Expr)],
    sides: [&DFSchema; 2],
    times: [Option<usize>; 2],
) -> Option<Bounds> {
    let [Some(left), Some(right)] = times else { return None };
    let times = [left, right];
    let is_whole = |side: usize| {
        let data_type = sides[side].field(times[side]).data_type();
        matches!(data_type, DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, _))
    };
    // Rows have times of whole milliseconds: of finer ones the condition is looked at again.
    let exact = is_whole(0) && is_whole(1);
    let (mut lower, mut upper, mut rest) = (None, None, Vec::new());
    let all = conditions.iter().flat_map(|condition| split_conjunction(condition));
    for condition in all {
        let parts = comparisons(condition);
        let found = parts.iter().map(|part| bound(part, sides, times)).collect::<Option<Vec<_>>>();
        let Some(found) = found else {
            rest.push(condition.clone());
            continue;
        };
        for (is_upper, value) in found {
            let bound = if is_upper { &mut upper } else { &mut lower };
            let tighter = |old: i64| if is_upper { old.min(value) } else { old.max(value) };
            *bound = Some(bound.map_or(value, tighter));
        }
        if !exact {
            rest.push(condition.clone());
        }
    }
    for (on_left, on_right) in equal {
        let is_time = |expr: &Expr, side: usize| picked_column(expr, sides[side]) == Some(times[side]);
        if is_time(on_left, 0) && is_time(on_right, 1) {
            (lower, upper) = (Some(lower.unwrap_or(0).max(0)), Some(upper.unwrap_or(0).min(0)));
        }
    }
    let slack_ms = if exact { 0 } else { 1 };
    let (lower_ms, upper_ms) = (lower?.saturating_sub(slack_ms), upper?.saturating_add(slack_ms));
    Some(Bounds { lower_ms, upper_ms, rest })
}

/// A condition as comparisons of two values: `BETWEEN` is two.
fn comparisons(condition: &Expr) -> Vec<(Expr, Operator, Expr)> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            vec![(left.as_ref().clone(), *op, right.as_ref().clone())]
        }
        Expr::Between(between) if !between.negated => {
            let value = || between.expr.as_ref().clone();
            vec![
                (value(), Operator::GtEq, between.low.as_ref().clone()),
                (value(), Operator::LtEq, between.high.as_ref().clone()),
            ]
        }
        other => vec![(other.clone(), Operator::NotEq, other.clone())],
    }
}

/// Whether it is an upper bound, and which. An equality is left to others.
fn bound(
    (first, op, second): &(Expr, Operator, Expr),
    sides: [&DFSchema; 2],
    times: [usize; 2],
) -> Option<(bool, i64)> {
    let (first, second) = (moment(first, sides, times)?, moment(second, sides, times)?);
    let (left, op, right) = match (first.side, second.side) {
        (0, 1) => (first, *op, second),
        (1, 0) => (second, op.swap()?, first),
        _ => return None,
    };
    // left time + l op right time + r: the difference of the times against r - l.
    let difference = right.plus_ms.checked_sub(left.plus_ms)?;
    match op {
        Operator::Lt => Some((true, difference.checked_sub(1)?)),
        Operator::LtEq => Some((true, difference)),
        Operator::Gt => Some((false, difference.checked_add(1)?)),
        Operator::GtEq => Some((false, difference)),
        _ => None,
    }
}

fn moment(expr: &Expr, sides: [&DFSchema; 2], times: [usize; 2]) -> Option<Moment> {
    match expr {
        Expr::Column(_) => {
            let side = (0..2).find(|side| picked_column(expr, sides[*side]) == Some(times[*side]))?;
            Some(Moment { side, plus_ms: 0 })
        }
        Expr::Cast(cast) if is_wider_time(&cast.expr, cast.field.data_type(), sides) => {
            moment(&cast.expr, sides, times)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus, right }) => {
            let (time, length) = match interval_ms(right) {
                Some(length) => (left, length),
                None => (right, interval_ms(left)?),
            };
            let time = moment(time, sides, times)?;
            Some(Moment { plus_ms: time.plus_ms.checked_add(length)?, ..time })
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) => {
            let (time, length) = (moment(left, sides, times)?, interval_ms(right)?);
            Some(Moment { plus_ms: time.plus_ms.checked_sub(length)?, ..time })
        }
        _ => None,
    }
}

/// Whether a cast to a time loses nothing.
fn is_wider_time(expr: &Expr, to: &DataType, sides: [&DFSchema; 2]) -> bool {
    let from = sides.iter().find_map(|side| picked_column(expr, side).map(|column| side.field(column)));
    match (from.map(|field| field.data_type()), to) {
        (Some(DataType::Timestamp(from, _)), DataType::Timestamp(to, _)) => from <= to,
        _ => false,
    }
}

/// A constant length of time in whole milliseconds.
fn interval_ms(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else { return None };
    let (days, ns) = match value {
        ScalarValue::IntervalMonthDayNano(Some(value)) if value.months == 0 => {
            (i64::from(value.days), value.nanoseconds)
        }
        ScalarValue::IntervalDayTime(Some(value)) => {
            return i64::from(value.days).checked_mul(86_400_000)?.checked_add(value.milliseconds.into());
        }
        _ => return None,
    };
    let ms = (ns % 1_000_000 == 0).then_some(ns / 1_000_000)?;
    days.checked_mul(86_400_000)?.checked_add(ms)
}
