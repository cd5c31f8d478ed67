//! From [`MatchRows`] to the operator.

use super::MatchRows;
use super::sources::Sources;
use super::value::{Value, value_of};
use crate::expression::{Columns, Evaluated, sql_text};
use crate::lower::{Changes, Lowering, PartitionedBy, Refusal, RowKey, Stream, column_ref, picked_column};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::Expr;
use millstream_operators::keys::SortColumn;
use millstream_operators::match_recognize::{Condition, End, MatchRecognize, Rows, Source, Variable};
use millstream_operators::{Expression, NodeSpec, StreamKind};
use std::sync::Arc;

pub(super) fn lower(node: &MatchRows, lowering: &mut Lowering<'_>) -> Result<Stream, Refusal> {
    let input = lowering.lower(&node.input, Changes::Both)?;
    let relation = node.input.schema();
    let input = match node.order().first().and_then(|first| picked_column(first, relation)) {
        Some(column) => lowering.by_clock(input, &node.input, column),
        None => input,
    };
    check(node, &input, lowering)?;
    let input = lowering.compact(input)?;
    let computed = arguments(node, relation)?;
    let input = with_computed(lowering, input, &computed, relation)?;
    let places = input.places.clone();
    let width = input.rows.fields().len() - computed.len();
    let place = move |expr: &Expr| match picked_column(expr, relation) {
        Some(column) => places.get(column).copied().flatten(),
        None => computed.iter().position(|other| other == expr).map(|at| width + at),
    };
    let partition = node.keys().iter().map(|key| named(key, &place)).collect::<Result<Vec<_>, _>>()?;
    let input = match input.is_together(&partition) {
        true => lowering.key_by(input, partition.clone())?,
        false => lowering.exchange(input, partition.clone(), PartitionedBy::EncodedKey)?,
    };
    let mut values = Sources::new(relation, &place);
    let outputs = node.values().iter().map(|value| values.over(value)).collect::<Result<Vec<_>, _>>()?;
    let operator = operator(node, &input, &partition, &place, &values)?;
    let rows = operator.schema();
    let id = lowering.add("match", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
    let moved = |from: usize| partition.iter().position(|place| *place == from);
    let stream = input.over(id, Arc::clone(&rows), moved);
    let stream = Stream {
        places: (0..rows.fields().len()).map(Some).collect(),
        unique: RowKey::Unknown,
        time: None,
        ..stream
    };
    let stream = finished(lowering, stream, partition.len(), &values, &outputs)?;
    let is_time = |value: &Expr| matches!(value_of(unaliased(value)), Some((Value::Time { .. }, _, _)));
    let time = node.values().iter().position(is_time).map(|at| partition.len() + at);
    Ok(Stream { time, ..stream })
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

fn named(expr: &Expr, place: &dyn Fn(&Expr) -> Option<usize>) -> Result<usize, Refusal> {
    place(expr).ok_or_else(|| {
        Refusal::new(format!("{expr} is no column"), "select it AS a column in an inner query first")
    })
}

/// Refuses rows that can't be looked at in the order of time.
fn check(node: &MatchRows, input: &Stream, lowering: &Lowering<'_>) -> Result<(), Refusal> {
    if input.windows.is_some() {
        return Err(Refusal::new(
            "MATCH_RECOGNIZE reads the rows of a window that is still open",
            "group by window_start and window_end first, and look at the groups in the order of window_time",
        ));
    }
    let relation = node.input.schema();
    let help = match input.time.and_then(|time| relation.fields().get(time)) {
        Some(time) => format!("write ORDER BY {} in it: the table has its WATERMARK for that", time.name()),
        None => "declare a WATERMARK for a TIMESTAMP column in the CREATE TABLE, keep the column in views as it is, \
                 and ORDER BY it"
            .to_owned(),
    };
    let Some(first) = node.order().first() else {
        return Err(Refusal::new("MATCH_RECOGNIZE without ORDER BY: rows have no order of their own", help));
    };
    let column = picked_column(first, relation);
    if column.is_none() || column != input.time {
        let message = format!(
            "MATCH_RECOGNIZE goes by {} first, which is not the time attribute",
            sql_text(&first.clone().unalias())
        );
        return Err(Refusal::new(message, help));
    }
    if node.clauses.order.first().is_some_and(|(descending, _)| *descending) {
        let help = "leave DESC out behind the time attribute; columns behind it may have it";
        return Err(Refusal::new(
            "MATCH_RECOGNIZE goes from the earliest row to the latest, not the other way",
            help,
        ));
    }
    if lowering.kind(input) != StreamKind::Append {
        return Err(Refusal::new(
            "MATCH_RECOGNIZE is not supported for rows that are updated or deleted, as in Flink",
            "look for the pattern in front of the GROUP BY or the join that updates them, or group by a window first",
        ));
    }
    lowering.check_late(input)
}

/// What values are of that is no column, each once.
fn arguments(node: &MatchRows, relation: &DFSchema) -> PlanResult<Vec<Expr>> {
    let mut computed: Vec<Expr> = Vec::new();
    let conditions = node.conditions();
    for expr in conditions.into_iter().flatten().chain(node.values()) {
        expr.apply(|expr| {
            let Some((_, argument, _)) = value_of(expr) else { return Ok(TreeNodeRecursion::Continue) };
            if picked_column(argument, relation).is_none() && !computed.contains(argument) {
                computed.push(argument.clone());
            }
            Ok(TreeNodeRecursion::Jump)
        })?;
    }
    Ok(computed)
}

/// The rows with computed columns behind theirs.
fn with_computed(
    lowering: &mut Lowering<'_>,
    input: Stream,
    computed: &[Expr],
    relation: &DFSchema,
) -> Result<Stream, Refusal> {
    if computed.is_empty() {
        return Ok(input);
    }
    let columns = lowering.columns(&input, relation);
    let mut outputs: Vec<(Field, Arc<dyn Expression>)> = (0..input.rows.fields().len())
        .map(|place| (input.rows.field(place).clone(), column_ref(&input, place)))
        .collect();
    for expr in computed {
        let sql = sql_text(expr);
        let value = Evaluated::new(columns.expression(expr)?, &input.rows, sql.clone())?;
        outputs.push((Field::new(sql, value.data_type().clone(), true), Arc::new(value)));
    }
    let (node, rows) = lowering.add_project("project", &input, None, outputs)?;
    Ok(input.over(node, rows, Some))
}

fn operator(
    node: &MatchRows,
    input: &Stream,
    partition: &[usize],
    place: &dyn Fn(&Expr) -> Option<usize>,
    values: &Sources<'_>,
) -> Result<MatchRecognize, Refusal> {
    let key = |place: &usize| {
        let field = input.rows.field(*place);
        (field.name().clone(), field.data_type().clone())
    };
    let relation = node.input.schema();
    let variables = node.clauses.pattern.iter().zip(node.conditions());
    let variables = variables.map(|((name, quantifier), condition)| {
        let condition = condition.map(|condition| conditioned(condition, relation, place)).transpose()?;
        Ok(Variable { name: name.clone(), quantifier: *quantifier, condition })
    });
    let first = |place: &usize| {
        let source = Source::Row { of: Rows::All, from: End::First, offset: 0, column: *place };
        (input.rows.field(*place).name().clone(), source)
    };
    let names = values.names.iter().cloned().zip(values.sources.iter().cloned());
    Ok(MatchRecognize {
        input: Arc::clone(&input.rows),
        keys: partition.iter().map(key).collect(),
        order: order(node, input, place)?,
        variables: variables.collect::<Result<_, Refusal>>()?,
        after: node.clauses.after,
        within_ms: node.clauses.within_ms,
        outputs: partition.iter().map(first).chain(names).collect(),
        late: input.late,
    })
}

/// What orders rows of one time.
fn order(
    node: &MatchRows,
    input: &Stream,
    place: &dyn Fn(&Expr) -> Option<usize>,
) -> Result<Vec<SortColumn>, Refusal> {
    let further = node.order().iter().zip(&node.clauses.order).skip(1);
    let column = |(expr, (descending, nulls_first)): (&Expr, &(bool, bool))| {
        let place = named(expr, place)?;
        let field = input.rows.field(place);
        let (name, data_type) = (field.name().clone(), field.data_type().clone());
        if data_type.is_nested() {
            let message = format!("MATCH_RECOGNIZE can't order rows by {name}, whose values have no order");
            return Err(Refusal::new(message, "order by one of its fields"));
        }
        Ok(SortColumn { place, name, data_type, descending: *descending, nulls_first: *nulls_first })
    };
    further.map(column).collect()
}

/// A condition over what it reads.
fn conditioned(
    condition: &Expr,
    relation: &DFSchema,
    place: &dyn Fn(&Expr) -> Option<usize>,
) -> Result<Condition, Refusal> {
    let mut sources = Sources::new(relation, place);
    let over = sources.over(condition)?;
    let schema = sources.schema()?;
    let rows: SchemaRef = Arc::new(schema.as_arrow().clone());
    let places: Vec<Option<usize>> = (0..rows.fields().len()).map(Some).collect();
    let columns = Columns { relation: &schema, places: &places, rows: &rows, clock: false };
    let predicate = Evaluated::new(columns.expression(&over)?, &rows, sql_text(&over))?;
    if *predicate.data_type() != DataType::Boolean {
        let message = format!("{} in DEFINE is neither true nor false", sql_text(&over));
        return Err(Refusal::new(message, "write a condition, as DEFINE v AS v.x > 1"));
    }
    Ok(Condition { sources: sources.sources, predicate: Arc::new(predicate) })
}

/// The columns of the partition, then the values, computed where they are made of others.
fn finished(
    lowering: &mut Lowering<'_>,
    stream: Stream,
    keys: usize,
    values: &Sources<'_>,
    outputs: &[Expr],
) -> Result<Stream, Refusal> {
    let schema = values.schema()?;
    let plain = |(at, output): (usize, &Expr)| picked_column(output, &schema) == Some(at);
    if outputs.len() == values.names.len() && outputs.iter().enumerate().all(plain) {
        return Ok(stream);
    }
    let mut computed: Vec<(Field, Arc<dyn Expression>)> =
        (0..keys).map(|place| (stream.rows.field(place).clone(), column_ref(&stream, place))).collect();
    let places: Vec<Option<usize>> = (0..values.names.len()).map(|at| Some(keys + at)).collect();
    let columns = Columns { relation: &schema, places: &places, rows: &stream.rows, clock: true };
    for output in outputs {
        let sql = sql_text(output);
        let value = Evaluated::new(columns.expression(output)?, &stream.rows, sql.clone())?;
        computed.push((Field::new(sql, value.data_type().clone(), true), Arc::new(value)));
    }
    let (node, rows): (_, Arc<Schema>) = lowering.add_project("measures", &stream, None, computed)?;
    let stream = stream.over(node, Arc::clone(&rows), |place| (place < keys).then_some(place));
    Ok(Stream { places: (0..rows.fields().len()).map(Some).collect(), ..stream })
}
