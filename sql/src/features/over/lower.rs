//! From [`OverRows`] to the operator.

use super::OverRows;
use super::functions::name_of;
use super::meaning::function;
use crate::features::top_n::functions::rank_function;
use crate::features::top_n::sort_column;
use crate::lower::{
    Changes, Lowering, PartitionedBy, Refusal, RowKey, Stream, aggregate_call, picked_column,
};
use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use millstream_operators::aggregate::{AggregateCall, AggregateFunction as Kept, Frame, Over, OverCall};
use millstream_operators::{NodeSpec, RankFunction, SortedOver, StreamKind};
use std::sync::Arc;

pub(super) fn lower(node: &OverRows, lowering: &mut Lowering<'_>) -> Result<Stream, Refusal> {
    let input = lowering.lower(&node.input, Changes::Both)?;
    let input = lowering.assign_windows(input)?;
    let Some(first) = node.calls.first() else {
        return Err(Refusal::new("OVER computes nothing", "leave it out"));
    };
    let first = function(first)?;
    let ordered = first.params.order_by.first();
    let input = match ordered.and_then(|sort| picked_column(&sort.expr, node.input.schema())) {
        Some(column) => lowering.by_clock(input, &node.input, column),
        None => input,
    };
    let by_time =
        is_by_time(&first.params, node.input.schema(), &input) && lowering.kind(&input) == StreamKind::Append;
    if !by_time {
        check_sorted(first, node.input.schema(), &input)?;
    }
    let input = match lowering.kind(&input) {
        StreamKind::Upsert => lowering.normalize(input)?,
        _ => input,
    };
    if by_time {
        lowering.check_late(&input)?;
    }
    let input = lowering.compact(input)?;
    let relation = node.input.schema();
    let place = |expr: &Expr| place_of(expr, relation, &input);
    let partition = first.params.partition_by.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let input = match input.is_together(&partition) {
        true => lowering.key_by(input, partition.clone())?,
        false => lowering.exchange(input, partition.clone(), PartitionedBy::EncodedKey)?,
    };
    let calls = node.calls.iter().zip(node.schema.fields().iter().skip(node.width()));
    let calls = calls.map(|(call, field)| over_call(function(call)?, field.name(), relation, &input));
    let calls = calls.collect::<Result<Vec<_>, Refusal>>()?;
    let key = |place: &usize| {
        let field = input.rows.field(*place);
        (field.name().clone(), field.data_type().clone())
    };
    let operator = Over {
        input: Arc::clone(&input.rows),
        keys: partition.iter().map(key).collect(),
        frame: frame_of(first, &calls)?,
        calls,
        late: input.late,
    };
    let unique = row_key(&operator, &partition, &input);
    let rows = operator.schema();
    let places = (0..rows.fields().len()).map(Some).collect();
    if by_time {
        let id = lowering.add("over", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
        return Ok(Stream { places, unique, ..input.over(id, rows, Some) });
    }
    let order = first
        .params
        .order_by
        .iter()
        .map(|sort| sort_column(sort, place_of(&sort.expr, relation, &input)?, &input));
    let order = order.collect::<Result<Vec<_>, Refusal>>()?;
    let operator = SortedOver { over: operator, kind: lowering.kind(&input), order };
    let id = lowering.add("over", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
    Ok(Stream { places, unique, partitioning: input.partitioning.clone(), ..input.made_into(id, rows) })
}

/// Whether the order is that of the time attribute: rows then come out once, when they have their time.
fn is_by_time(params: &WindowFunctionParams, relation: &DFSchema, input: &Stream) -> bool {
    let [sort] = params.order_by.as_slice() else { return false };
    let column = picked_column(&sort.expr, relation);
    column.is_some() && column == input.time && sort.asc
}

/// Refuses what there is in the order of time only, and OVER without an order.
fn check_sorted(first: &WindowFunction, relation: &DFSchema, input: &Stream) -> Result<(), Refusal> {
    let time = input.time.and_then(|time| relation.fields().get(time));
    let help = match time {
        Some(time) => format!("write ORDER BY {} in it: the table has its WATERMARK for that", time.name()),
        None => "declare a WATERMARK for a TIMESTAMP column in the CREATE TABLE, keep the column in views as it is, \
                 and ORDER BY it"
            .to_owned(),
    };
    if first.params.order_by.is_empty() {
        let message = "OVER without ORDER BY is not supported: a row would change with all that follow";
        return Err(Refusal::new(message, help));
    }
    if let Ok(Frame::Range(Some(_))) = frame_bounds(&first.params.window_frame) {
        return Err(Refusal::new(
            "a frame of RANGE with a bound is not supported but in the order of the time attribute, over rows that are \
             only inserted",
            format!("write ROWS BETWEEN n PRECEDING AND CURRENT ROW, or {help}"),
        ));
    }
    Ok(())
}

fn place_of(expr: &Expr, relation: &DFSchema, input: &Stream) -> Result<usize, Refusal> {
    let column = picked_column(expr, relation);
    column.and_then(|column| input.place(column)).ok_or_else(|| {
        Refusal::new(format!("{expr} is no column"), "select it AS a column in an inner query first")
    })
}

fn over_call(
    function: &WindowFunction,
    name: &str,
    relation: &DFSchema,
    input: &Stream,
) -> Result<OverCall, Refusal> {
    let (place, name) = (|expr: &Expr| place_of(expr, relation, input), name.to_owned());
    let params = &function.params;
    if let Some(rank) = rank_function(&function.fun) {
        default_frame(rank.name(), &params.window_frame)?;
        return Ok(match rank {
            RankFunction::RowNumber => OverCall::RowNumber(name),
            RankFunction::Rank => OverCall::Rank(name),
            RankFunction::DenseRank => OverCall::DenseRank(name),
        });
    }
    let picked = |kept: Kept, argument: &Expr| {
        let argument = place(argument)?;
        let argument_type = input.rows.field(argument).data_type().clone();
        let filter = params.filter.as_deref().map(place).transpose()?;
        let (argument, distinct) = (Some(argument), false);
        Ok(OverCall::Aggregate(AggregateCall {
            function: kept,
            argument,
            argument_type,
            distinct,
            filter,
            name: name.clone(),
        }))
    };
    match (name_of(&function.fun), params.args.as_slice()) {
        (Some("lag"), [argument, rest @ ..]) => {
            default_frame("LAG", &params.window_frame)?;
            let argument = place(argument)?;
            let data_type: DataType = input.rows.field(argument).data_type().clone();
            let offset = rest.first().map_or(Ok(1), offset)?;
            let default = rest.get(1).map(place).transpose()?;
            Ok(OverCall::Lag { argument, data_type, offset, default, name })
        }
        (Some("first_value"), [argument]) => picked(Kept::First, argument),
        (Some("last_value"), [argument]) => picked(Kept::Last, argument),
        (Some(other), _) => Err(Refusal::new(
            format!("{} is not supported with OVER", other.to_uppercase()),
            "there are the aggregates, LAG, ROW_NUMBER, RANK and DENSE_RANK",
        )),
        (None, _) => aggregate(function, &name, relation, input),
    }
}

/// An aggregate, as one of a `GROUP BY`.
fn aggregate(
    function: &WindowFunction,
    name: &str,
    relation: &DFSchema,
    input: &Stream,
) -> Result<OverCall, Refusal> {
    let WindowFunctionDefinition::AggregateUDF(func) = &function.fun else {
        return Err(Refusal::new(format!("{name} is no aggregate"), "use an aggregate"));
    };
    let WindowFunctionParams { args, filter, distinct, .. } = function.params.clone();
    let aggregate = AggregateFunction::new_udf(Arc::clone(func), args, distinct, filter, Vec::new(), None);
    let aggregate = Expr::AggregateFunction(aggregate).alias(name);
    let place = |expr: &Expr| place_of(expr, relation, input);
    Ok(OverCall::Aggregate(aggregate_call(&aggregate, relation, &input.rows, &place)?))
}

/// How many rows before `LAG` looks.
fn offset(expr: &Expr) -> Result<u32, Refusal> {
    let offset = match expr {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(offset))) => u32::try_from(offset).ok(),
            _ => None,
        },
        _ => None,
    };
    offset.ok_or_else(|| {
        let written = crate::expression::sql_text(expr);
        Refusal::new(
            format!("LAG can't look {written} rows back"),
            "write a number from 0 on, as in LAG(v, 2)",
        )
    })
}

/// Refuses a frame where there is none to be chosen.
fn default_frame(name: &str, frame: &WindowFrame) -> Result<(), Refusal> {
    let is_default = matches!(frame_bounds(frame), Ok(Frame::Range(None)));
    match is_default {
        true => Ok(()),
        false => Err(Refusal::new(
            format!("{name} takes no ROWS or RANGE: it looks at all rows so far"),
            "leave the frame out of its OVER",
        )),
    }
}

/// The frame of calls that share one.
fn frame_of(first: &WindowFunction, calls: &[OverCall]) -> Result<Frame, Refusal> {
    let back = calls.iter().map(|call| match call {
        OverCall::Lag { offset, .. } => Some(u64::from(*offset)),
        _ => None,
    });
    match (back.max().flatten(), &calls[0]) {
        (Some(most), _) => Ok(Frame::Rows(Some(most))),
        (None, OverCall::Aggregate(_)) => frame_bounds(&first.params.window_frame),
        (None, _) => Ok(Frame::Rows(None)),
    }
}

fn frame_bounds(frame: &WindowFrame) -> Result<Frame, Refusal> {
    if frame.end_bound != WindowFrameBound::CurrentRow {
        return Err(Refusal::new(
            format!(
                "a frame that ends with {} is not supported: each frame ends with its row",
                frame.end_bound
            ),
            "end it with CURRENT ROW; for rows before others use LAG, or a join with BETWEEN",
        ));
    }
    let length = match &frame.start_bound {
        WindowFrameBound::CurrentRow => Some(ScalarValue::UInt64(Some(0))),
        WindowFrameBound::Preceding(length) if length.is_null() => None,
        WindowFrameBound::Preceding(length) => Some(length.clone()),
        WindowFrameBound::Following(_) => {
            return Err(Refusal::new("a frame that begins behind its row is not supported", "use PRECEDING"));
        }
    };
    let wrong = || {
        Refusal::new(
            format!("{} is no length of a frame", frame.start_bound),
            "write ROWS BETWEEN 10 PRECEDING or RANGE BETWEEN INTERVAL '1' HOUR PRECEDING, AND CURRENT ROW",
        )
    };
    match (frame.units, length) {
        (WindowFrameUnits::Rows, None) => Ok(Frame::Rows(None)),
        (WindowFrameUnits::Rows, Some(ScalarValue::UInt64(Some(rows)))) => Ok(Frame::Rows(Some(rows))),
        (WindowFrameUnits::Range, None) => Ok(Frame::Range(None)),
        (WindowFrameUnits::Range, Some(ScalarValue::UInt64(Some(0)))) => Ok(Frame::Range(Some(0))),
        (WindowFrameUnits::Range, Some(ScalarValue::IntervalMonthDayNano(Some(length)))) => {
            let ms = i64::from(length.days) * 86_400_000 + length.nanoseconds / 1_000_000;
            if length.months == 0 && ms >= 0 { Ok(Frame::Range(Some(ms))) } else { Err(wrong()) }
        }
        _ => Err(wrong()),
    }
}

/// What tells rows apart: what did before, or the number of the row in its partition.
fn row_key(operator: &Over, partition: &[usize], input: &Stream) -> RowKey {
    let width = input.rows.fields().len();
    let numbered = operator.calls.iter().position(|call| matches!(call, OverCall::RowNumber(_)));
    let by_number = numbered.map(|call| partition.iter().copied().chain([width + call]).collect());
    input.unique.clone().or(by_number.map_or(RowKey::Unknown, RowKey::of))
}
