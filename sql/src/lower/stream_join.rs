//! Joins of two streams: an interval join where the condition bounds the times of both sides, an updating join
//! otherwise.

use super::interval::find_bounds;
use super::project::{column_ref, picked_column};
use super::{Changes, Lowering, PartitionedBy, Partitioning, Refusal, Stream};
use crate::expression::{Columns, Evaluated, sql_text};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, JoinType, NullEquality};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, ExprSchemable, Join as JoinPlan, cast};
use millstream_operators::exchange::{ByEncodedKey, ByTopicKey, ColumnBlocks, ExchangeSpec, PartitionBytes};
use millstream_operators::formats::FormatEncoderSpec;
use millstream_operators::{
    Expression, IntervalJoin, Join, JoinKind, JoinOn, JoinSide, NodeSpec, OperatorSpec, Project, Residual,
    StreamKind,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A side that is ready to be joined.
struct Side {
    stream: Stream,
    /// How many of its columns the relation has; computed keys stand behind them.
    width: usize,
    /// Columns of the keys, in the order of the pairs.
    keys: Vec<usize>,
}

impl Lowering<'_> {
    pub(super) fn lower_stream_join(&mut self, join: &JoinPlan) -> Result<Stream, Refusal> {
        let kind = kind_of(join)?;
        let sides = [join.left.schema().as_ref(), join.right.schema().as_ref()];
        let names = sides.map(name_of_side);
        if join.on.is_empty() {
            return Err(Refusal::new(
                format!("{} and {} are joined without an equality between their columns", names[0], names[1]),
                "add ON a.column = b.column: rows are brought together by it",
            ));
        }
        if join.null_equality == NullEquality::NullEqualsNull {
            return Err(Refusal::new(
                format!("{} and {} are joined on nulls that are equal", names[0], names[1]),
                "join ON a.column = b.column, or on COALESCE of the columns",
            ));
        }
        let inputs = [self.lower(&join.left, Changes::Both)?, self.lower(&join.right, Changes::Both)?];
        if let Some(side) = inputs.iter().position(|input| input.windows.is_some()) {
            return Err(Refusal::new(
                format!("a window of {} is joined before it is closed", names[side]),
                "group by window_start, window_end and window_time in a view, and join the view",
            ));
        }
        let conditions = join.filter.clone().map(split_conjunction_owned).unwrap_or_default();
        let bounds = find_bounds(&conditions, &join.on, sides, [inputs[0].time, inputs[1].time]);
        if let (Some(_), Some(side)) =
            (&bounds, inputs.iter().position(|input| self.kind(input) != StreamKind::Append))
        {
            return Err(Refusal::new(
                format!("an interval join can't take {}: its rows are updated or deleted", names[side]),
                "join a table of the 'kafka' connector, or a windowed aggregation; or leave the bounds out to join \
                 all rows for as long as they are there",
            ));
        }
        if bounds.is_some() {
            inputs.iter().try_for_each(|input| self.check_late(input))?;
        }
        let types = key_types(join)?;
        let [left, right] = inputs;
        let left = self.side(left, 0, join, &types)?;
        let right = self.side(right, 1, join, &types)?;
        let [left, right] = self.bring_together(left, right)?;
        let rest = bounds.as_ref().map_or(&conditions, |bounds| &bounds.rest);
        let residual = residual(join, rest, &left, &right)?;
        let side = |side: &Side| JoinSide {
            schema: Arc::clone(&side.stream.rows),
            keys: side.keys.clone(),
            input: self.kind(&side.stream),
        };
        let bad = self.bad_policy(&[left.stream.node, right.stream.node]);
        let on =
            JoinOn { left: side(&left), right: side(&right), kind, on: describe(join, rest), residual, bad };
        let (schema, late) = (on.schema(), [left.stream.late, right.stream.late]);
        let (what, operator): (_, Arc<dyn OperatorSpec>) = match &bounds {
            Some(bounds) => {
                let (lower_ms, upper_ms) = (bounds.lower_ms, bounds.upper_ms);
                ("interval join", Arc::new(IntervalJoin { on, lower_ms, upper_ms, late }))
            }
            None => ("join", Arc::new(Join { on, ttl_ms: self.state_ttl_ms() })),
        };
        let node = self.add(what, NodeSpec::Operator(operator), &[left.stream.node, right.stream.node])?;
        Ok(self.joined(node, schema, kind, &left, &right))
    }

    /// How long updating joins keep a row.
    fn state_ttl_ms(&self) -> Option<i64> {
        let ttl_ms: i64 = self.settings.get("table.exec.state.ttl")?.parse().ok()?;
        Some(ttl_ms).filter(|ttl_ms| *ttl_ms > 0)
    }

    /// A side with the keys among its columns, in a form the join can take.
    fn side(
        &mut self,
        input: Stream,
        side: usize,
        join: &JoinPlan,
        types: &[DataType],
    ) -> Result<Side, Refusal> {
        let relation = [join.left.schema(), join.right.schema()][side];
        let exprs: Vec<&Expr> =
            join.on.iter().map(|(left, right)| if side == 0 { left } else { right }).collect();
        let input = match (self.kind(&input), &input.unique) {
            // Of each key there is one row, and it is always in the same task: the join finds it by itself.
            (StreamKind::Upsert, Some(unique)) => {
                let plain = |expr: &&Expr| {
                    let column = picked_column(expr, relation)?;
                    let same = types[exprs.iter().position(|other| other == expr)?]
                        == *relation.field(column).data_type();
                    same.then_some(column)
                };
                let keys: Option<BTreeSet<usize>> = exprs.iter().map(plain).collect();
                match keys == Some(unique.iter().copied().collect()) {
                    true => input,
                    false => self.normalize(input)?,
                }
            }
            (StreamKind::Upsert, None) => self.normalize(input)?,
            _ => input,
        };
        let stream = self.compact(input)?;
        let width = stream.places.len();
        let columns = self.columns(&stream, relation);
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = (0..stream.rows.fields().len())
            .map(|place| (stream.rows.field(place).clone(), column_ref(&stream, place)))
            .collect();
        let mut keys = Vec::with_capacity(exprs.len());
        for (expr, wanted) in exprs.iter().zip(types) {
            let column = picked_column(expr, relation)
                .filter(|column| stream.rows.field(*column).data_type() == wanted);
            keys.push(column.unwrap_or(outputs.len()));
            if column.is_none() {
                let found = expr.get_type(relation)?;
                let expr =
                    if found == *wanted { (*expr).clone() } else { cast((*expr).clone(), wanted.clone()) };
                let sql = sql_text(&expr);
                let key = Evaluated::new(columns.expression(&expr)?, &stream.rows, sql)?;
                let name = format!("join key {}", keys.len());
                outputs.push((Field::new(name, key.data_type().clone(), true), Arc::new(key)));
            }
        }
        if outputs.len() == width {
            return Ok(Side { stream, width, keys });
        }
        let fields: Vec<Field> = outputs.iter().map(|(field, _)| field.clone()).collect();
        let node = self.add_project("project", Project::new(None, outputs), stream.node)?;
        Ok(Side {
            stream: Stream { node, rows: Arc::new(Schema::new(fields)), keyed: None, ..stream },
            width,
            keys,
        })
    }

    /// Rows of one key of both sides in one task, keyed by all keys.
    fn bring_together(&mut self, left: Side, right: Side) -> Result<[Side; 2], Refusal> {
        let (of_left, of_right) = (partitioned_by(&left), partitioned_by(&right));
        let [left, right] = match (of_left, of_right) {
            (Some(one), Some(other)) if one == other => [left, right],
            // A topic stays where it is, whichever side it is on: more of it would have to be sent.
            (Some((pairs, by)), other) if by != PartitionedBy::EncodedKey || other.is_none() => {
                let right = self.exchange_side(right, &pairs, &by)?;
                [left, right]
            }
            (_, Some((pairs, by))) => [self.exchange_side(left, &pairs, &by)?, right],
            (_, None) => {
                let pairs: Vec<usize> = (0..left.keys.len()).collect();
                let left = self.exchange_side(left, &pairs, &PartitionedBy::EncodedKey)?;
                [left, self.exchange_side(right, &pairs, &PartitionedBy::EncodedKey)?]
            }
        };
        let keyed = |this: &mut Self, side: Side| -> Result<Side, Refusal> {
            let stream = this.key_by(side.stream, side.keys.clone())?;
            Ok(Side { stream, ..side })
        };
        Ok([keyed(self, left)?, keyed(self, right)?])
    }

    /// Sends the rows of a side to the tasks that some of its keys belong to.
    fn exchange_side(&mut self, side: Side, pairs: &[usize], by: &PartitionedBy) -> Result<Side, Refusal> {
        let places: Vec<usize> = pairs.iter().map(|pair| side.keys[*pair]).collect();
        let stream = self.key_by(side.stream, places.clone())?;
        let names: Vec<&str> = places.iter().map(|place| stream.rows.field(*place).name().as_str()).collect();
        let partition_by: Arc<dyn PartitionBytes> = match by {
            PartitionedBy::EncodedKey => Arc::new(ByEncodedKey),
            PartitionedBy::TopicKey(format, fields) => {
                let encoder =
                    FormatEncoderSpec::new(format.clone(), names.join(", "), places.clone(), fields.clone())
                        .map_err(|error| Refusal { message: error.to_string(), help: None })?;
                Arc::new(ByTopicKey(Arc::new(encoder)))
            }
        };
        let codec = Arc::new(ColumnBlocks::new(Arc::clone(&stream.rows)));
        let spec = ExchangeSpec { by: names.join(", "), partition_by, codec };
        let node = self.add("exchange", NodeSpec::Exchange(Arc::new(spec)), &[stream.node])?;
        let partitioning = Some(Partitioning { columns: places, by: by.clone() });
        Ok(Side { stream: Stream { node, partitioning, ..stream }, ..side })
    }

    /// What comes out of a join.
    fn joined(
        &self,
        node: millstream_operators::NodeId,
        rows: SchemaRef,
        kind: JoinKind,
        left: &Side,
        right: &Side,
    ) -> Stream {
        let behind = left.stream.rows.fields().len();
        let places = (0..left.width).chain((0..right.width).map(|place| behind + place)).map(Some);
        let within = |side: &Side, shift: usize| {
            let partitioning = side.stream.partitioning.clone()?;
            let inside = partitioning.columns.iter().all(|column| *column < side.width);
            let columns = partitioning.columns.iter().map(|column| column + shift).collect();
            inside.then_some(Partitioning { columns, ..partitioning })
        };
        // Columns that are padded with nulls say nothing about the task of a row.
        let partitioning = match kind {
            JoinKind::Inner => within(left, 0).or_else(|| within(right, left.width)),
            JoinKind::Left => within(left, 0),
            JoinKind::Right => within(right, left.width),
            JoinKind::Full => None,
        };
        let unique = unique(left, right);
        Stream {
            node,
            rows,
            places: places.collect(),
            time: None,
            has_watermark: left.stream.has_watermark && right.stream.has_watermark,
            windows: None,
            nameless: unique.is_none(),
            unique,
            partitioning,
            keyed: None,
            late: left.stream.late,
        }
    }
}

fn kind_of(join: &JoinPlan) -> Result<JoinKind, Refusal> {
    match join.join_type {
        JoinType::Inner => Ok(JoinKind::Inner),
        JoinType::Left => Ok(JoinKind::Left),
        JoinType::Right => Ok(JoinKind::Right),
        JoinType::Full => Ok(JoinKind::Full),
        other => Err(Refusal::new(
            format!("{other} JOIN is not supported yet"),
            "write JOIN or LEFT JOIN with a view of SELECT DISTINCT keys; of a LEFT JOIN the rows WHERE the other \
             key IS NULL are those without a match",
        )),
    }
}

/// What a side is called, for messages.
fn name_of_side(relation: &DFSchema) -> String {
    let named = relation.iter().find_map(|(qualifier, _)| qualifier);
    named.map_or_else(|| "a query".to_owned(), |name| name.table().to_owned())
}

/// By pair the type that both keys are compared as.
fn key_types(join: &JoinPlan) -> Result<Vec<DataType>, Refusal> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let pair = |(on_left, on_right): &(Expr, Expr)| {
        let (one, other) = (on_left.get_type(left)?, on_right.get_type(right)?);
        if one == other {
            return Ok(one);
        }
        let common = datafusion::logical_expr::type_coercion::binary::comparison_coercion(&one, &other);
        common.ok_or_else(|| {
            Refusal::new(
                format!("{on_left} and {on_right} can't be compared: they are {one} and {other}"),
                "CAST one of them to the type of the other",
            )
        })
    };
    join.on.iter().map(pair).collect()
}

/// The pairs that the rows of a side are partitioned by, and by which bytes of them.
fn partitioned_by(side: &Side) -> Option<(Vec<usize>, PartitionedBy)> {
    let Partitioning { columns, by } = side.stream.partitioning.as_ref()?;
    let pair_of = |column: &usize| side.keys.iter().position(|key| key == column);
    let pairs = columns.iter().map(pair_of).collect::<Option<Vec<usize>>>()?;
    (!pairs.is_empty()).then(|| (pairs, by.clone()))
}

/// The columns that tell joined rows apart.
fn unique(left: &Side, right: &Side) -> Option<Vec<usize>> {
    let of = |side: &Side| side.stream.unique.clone();
    let is_joined_on =
        |side: &Side| of(side).is_some_and(|unique| unique.iter().all(|column| side.keys.contains(column)));
    let shifted = |columns: Vec<usize>| columns.into_iter().map(|column| column + left.width);
    match (of(left), of(right)) {
        // A row of one side meets one row of the other at most.
        (Some(unique), _) if is_joined_on(right) => Some(unique),
        (_, Some(unique)) if is_joined_on(left) => Some(shifted(unique).collect()),
        (Some(one), Some(other)) => Some(one.into_iter().chain(shifted(other)).collect()),
        _ => None,
    }
}

/// What is left of the condition beside equal keys, over the columns it needs.
fn residual(
    join: &JoinPlan,
    conditions: &[Expr],
    left: &Side,
    right: &Side,
) -> Result<Option<Residual>, Refusal> {
    let Some(condition) = conjunction(conditions.iter().cloned()) else { return Ok(None) };
    let needed: BTreeSet<usize> = condition
        .column_refs()
        .into_iter()
        .filter_map(|column| join.schema.maybe_index_of_column(column))
        .collect();
    let behind = left.stream.rows.fields().len();
    let mut places = vec![None; join.schema.fields().len()];
    let (mut columns, mut fields) = (Vec::new(), Vec::new());
    for column in needed {
        let (rows, place, shift) = match column.checked_sub(left.width) {
            None => (&left.stream.rows, column, 0),
            Some(place) => (&right.stream.rows, place, behind),
        };
        places[column] = Some(columns.len());
        columns.push(place + shift);
        fields.push(rows.field(place).clone().with_nullable(true));
    }
    let rows = Arc::new(Schema::new(fields));
    let over = Columns { relation: &join.schema, places: &places, rows: &rows };
    let sql = sql_text(&condition);
    let predicate = Evaluated::new(over.expression(&condition)?, &rows, sql)?;
    Ok(Some(Residual { columns, predicate: Arc::new(predicate) }))
}

fn describe(join: &JoinPlan, rest: &[Expr]) -> String {
    let pairs = join.on.iter().map(|(left, right)| format!("{left} = {right}"));
    pairs.chain(rest.iter().map(sql_text)).collect::<Vec<_>>().join(" AND ")
}
