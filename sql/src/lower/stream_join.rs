//! Joins of two streams: an interval join where the condition bounds the times of both sides, an updating join
//! otherwise.

use super::interval::find_bounds;
use super::project::{column_ref, picked_column};
use super::{Changes, Lowering, PartitionedBy, Partitioning, Refusal, RowKey, Stream, Within};
use crate::expression::{Columns, Evaluated, sql_text};
use crate::features::state_ttl;
use crate::query::is_never_null;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, JoinType, NullEquality};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, ExprSchemable, Join as JoinPlan, cast, lit};
use millstream_operators::{
    Expression, IntervalJoin, Join, JoinKind, JoinOn, JoinSide, NodeSpec, OperatorSpec, Residual, StreamKind,
    WindowJoin,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A side that is ready to be joined.
#[derive(Clone)]
struct Side {
    stream: Stream,
    /// How many of its columns the relation has; what else its rows carry and computed keys stand behind them.
    width: usize,
    /// Places of the keys, in the order of the pairs.
    keys: Vec<usize>,
}

impl Lowering<'_> {
    pub(super) fn lower_stream_join(&mut self, join: &JoinPlan) -> Result<Stream, Refusal> {
        let (kind, keyed) = (kind_of(join)?, with_a_key(join));
        let join = &keyed;
        let sides = [join.left.schema().as_ref(), join.right.schema().as_ref()];
        let names = sides.map(name_of_side);
        check_condition(join, &names)?;
        let inputs = [self.lower(&join.left, Changes::Both)?, self.lower(&join.right, Changes::Both)?];
        let [left, right] = inputs;
        let inputs = [self.assign_windows(left)?, self.assign_windows(right)?];
        let of_windows =
            is_of_windows(join, &inputs) && inputs.iter().all(|input| self.kind(input) == StreamKind::Append);
        let conditions = join.filter.clone().map(split_conjunction_owned).unwrap_or_default();
        let times = [inputs[0].time, inputs[1].time];
        let by_time = of_pairs(kind) && !of_windows;
        let bounds = by_time.then(|| find_bounds(&conditions, &join.on, sides, times)).flatten();
        if let (Some(_), Some(side)) =
            (&bounds, inputs.iter().position(|input| self.kind(input) != StreamKind::Append))
        {
            return Err(Refusal::new(
                format!("an interval join can't take {}: its rows are updated or deleted", names[side]),
                "join a table of the 'kafka' connector, or a windowed aggregation; or leave the bounds out to join \
                 all rows for as long as they are there",
            ));
        }
        if bounds.is_some() || of_windows {
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
            None if of_windows => ("window join", Arc::new(WindowJoin { on, late })),
            Some(bounds) => {
                let (lower_ms, upper_ms) = (bounds.lower_ms, bounds.upper_ms);
                ("interval join", Arc::new(IntervalJoin { on, lower_ms, upper_ms, late }))
            }
            None => ("join", Arc::new(Join { on, ttl_ms: self.state_ttl_ms(join) })),
        };
        let node = self.add(what, NodeSpec::Operator(operator), &[left.stream.node, right.stream.node])?;
        let stream = self.joined(node, schema, kind, &left, &right);
        Ok(if of_windows { within_windows(stream, kind, &left, &right) } else { stream })
    }

    /// How long an updating join keeps a row of either side: as a hint says of the side, or else as the settings do.
    fn state_ttl_ms(&mut self, join: &JoinPlan) -> [Option<i64>; 2] {
        let of_all = self.settings.get("table.exec.state.ttl").and_then(|ttl_ms| ttl_ms.parse::<i64>().ok());
        [&join.left, &join.right].map(|side| {
            let ttl_ms = match state_ttl::of_side(side) {
                Some((mark, ttl_ms)) => {
                    self.kept.insert(mark);
                    Some(ttl_ms)
                }
                None => of_all,
            };
            ttl_ms.filter(|ttl_ms| *ttl_ms > 0)
        })
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
        // Of each key there is one row, and it is always in the same task: the join finds it by itself.
        let on_its_key = || {
            let plain = |expr: &&Expr| {
                let column = picked_column(expr, relation)?;
                let same = types[exprs.iter().position(|other| other == expr)?]
                    == *relation.field(column).data_type();
                same.then(|| input.place(column)).flatten()
            };
            let keys: Option<Vec<usize>> = exprs.iter().map(plain).collect();
            keys.is_some_and(|keys| input.unique.is(&keys))
        };
        let input = match self.kind(&input) {
            StreamKind::Upsert if !on_its_key() => self.normalize(input)?,
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
        if outputs.len() == stream.rows.fields().len() {
            return Ok(Side { stream, width, keys });
        }
        let (node, rows) = self.add_project("project", &stream, None, outputs)?;
        Ok(Side { stream: stream.over(node, rows, Some), width, keys })
    }

    /// Rows of one key of both sides in one task, keyed by all keys.
    fn bring_together(&mut self, left: Side, right: Side) -> Result<[Side; 2], Refusal> {
        let (of_left, of_right) = (partitioned_by(&left), partitioned_by(&right));
        let (moves, (pairs, by)) = match (of_left, of_right) {
            (Some(one), Some(other)) if one == other => ([false, false], one),
            // A topic stays where it is, whichever side it is on: more of it would have to be sent.
            (Some(one), other) if one.1 != PartitionedBy::EncodedKey || other.is_none() => {
                ([false, true], one)
            }
            (_, Some(other)) => ([true, false], other),
            (_, None) => ([true, true], ((0..left.keys.len()).collect(), PartitionedBy::EncodedKey)),
        };
        let mut sides = [left, right];
        for (side, _) in sides.iter_mut().zip(moves).filter(|(_, moves)| *moves) {
            *side = self.exchange_side(side.clone(), &pairs, &by)?;
        }
        if self.topology.would_feed_itself(&[sides[0].stream.node, sides[1].stream.node]) {
            for (side, _) in sides.iter_mut().zip(moves).filter(|(_, moves)| !*moves) {
                *side = self.exchange_side(side.clone(), &pairs, &by)?;
            }
        }
        let [left, right] = sides;
        let keyed = |this: &mut Self, side: Side| -> Result<Side, Refusal> {
            let stream = this.key_by(side.stream, side.keys.clone())?;
            Ok(Side { stream, ..side })
        };
        Ok([keyed(self, left)?, keyed(self, right)?])
    }

    /// Sends the rows of a side to the tasks that some of its keys belong to.
    fn exchange_side(&mut self, side: Side, pairs: &[usize], by: &PartitionedBy) -> Result<Side, Refusal> {
        let places: Vec<usize> = pairs.iter().map(|pair| side.keys[*pair]).collect();
        let stream = self.exchange(side.stream, places, by.clone())?;
        Ok(Side { stream, ..side })
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
        let of_right = match kind {
            JoinKind::Mark => 1,
            _ if of_pairs(kind) => right.width,
            _ => 0,
        };
        let places = (0..left.width).chain((0..of_right).map(|place| behind + place)).map(Some);
        let within = |side: &Side, shift: usize| {
            let Partitioning { places, by } = side.stream.partitioning.clone()?;
            Some(Partitioning { places: places.into_iter().map(|place| place + shift).collect(), by })
        };
        // Columns that are padded with nulls say nothing about the task of a row.
        let partitioning = match kind {
            JoinKind::Inner => within(left, 0).or_else(|| within(right, behind)),
            JoinKind::Left | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => within(left, 0),
            JoinKind::Right => within(right, behind),
            JoinKind::Full => None,
        };
        Stream {
            places: places.collect(),
            has_watermark: left.stream.has_watermark && right.stream.has_watermark,
            unique: unique(kind, left, right),
            partitioning,
            ..left.stream.made_into(node, rows)
        }
    }
}

/// Whether rows meet those of the same window: both sides are of windows, whose starts and ends are compared.
fn is_of_windows(join: &JoinPlan, inputs: &[Stream; 2]) -> bool {
    let [Some(left), Some(right)] = inputs.each_ref().map(|input| input.within.as_ref()) else {
        return false;
    };
    let pairs = join.on.iter().filter_map(|(on_left, on_right)| {
        let left = picked_column(on_left, join.left.schema())?;
        Some((left, picked_column(on_right, join.right.schema())?))
    });
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let compared = |of_left: &[usize], of_right: &[usize]| {
        pairs.iter().any(|(left, right)| of_left.contains(left) && of_right.contains(right))
    };
    compared(&left.bounds.start, &right.bounds.start) && compared(&left.bounds.end, &right.bounds.end)
}

/// What comes out of a join of windows: its rows are of the window, whose columns are those of a side that is never padded.
fn within_windows(stream: Stream, kind: JoinKind, left: &Side, right: &Side) -> Stream {
    let of_side = |side: &Side, shift: usize| {
        let Within { kind, by, bounds } = side.stream.within.clone()?;
        let by = by.map(|by| by + shift);
        let within = Within { kind, by, bounds: bounds.shifted(shift) };
        Some((within, side.stream.time.map(|time| time + shift)))
    };
    let found = match kind {
        JoinKind::Inner => of_side(left, 0).zip(of_side(right, left.width)).map(|(of_left, of_right)| {
            let bounds = of_left.0.bounds.and(&of_right.0.bounds);
            (Within { bounds, ..of_left.0 }, of_left.1.or(of_right.1))
        }),
        JoinKind::Left | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => of_side(left, 0),
        JoinKind::Right => of_side(right, left.width),
        JoinKind::Full => None,
    };
    let (within, time) = found.map_or((None, None), |(within, time)| (Some(within), time));
    Stream { within, time, ..stream }
}

/// The join with a key: rows without one that has to be equal are all of one key, and in one task.
fn with_a_key(join: &JoinPlan) -> JoinPlan {
    let on = if join.on.is_empty() { vec![(lit(true), lit(true))] } else { join.on.clone() };
    JoinPlan { on, ..join.clone() }
}

/// Refuses conditions that rows can't be brought together by.
fn check_condition(join: &JoinPlan, names: &[String; 2]) -> Result<(), Refusal> {
    if join.null_equality == NullEquality::NullEqualsNull {
        return Err(Refusal::new(
            format!(
                "{} and {} are compared by columns of a type whose nulls can't be equal",
                names[0], names[1]
            ),
            "compare fields of theirs",
        ));
    }
    if join.null_aware && !is_never_null(join) {
        return Err(Refusal::new(
            "NOT IN of values that may be null, with a condition about the rows around it",
            "add WHERE .. IS NOT NULL to both queries, or write NOT EXISTS (SELECT * FROM b WHERE b.column = a.column)",
        ));
    }
    Ok(())
}

fn kind_of(join: &JoinPlan) -> Result<JoinKind, Refusal> {
    match join.join_type {
        JoinType::Inner => Ok(JoinKind::Inner),
        JoinType::Left => Ok(JoinKind::Left),
        JoinType::Right => Ok(JoinKind::Right),
        JoinType::Full => Ok(JoinKind::Full),
        JoinType::LeftSemi => Ok(JoinKind::Semi),
        JoinType::LeftAnti => Ok(JoinKind::Anti),
        JoinType::LeftMark => Ok(JoinKind::Mark),
        other => Err(Refusal::new(
            format!("{other} JOIN is not supported yet"),
            "write IN or EXISTS with a query, or exchange the sides",
        )),
    }
}

/// Whether rows of both sides come out together.
fn of_pairs(kind: JoinKind) -> bool {
    !matches!(kind, JoinKind::Semi | JoinKind::Anti | JoinKind::Mark)
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
    let Partitioning { places, by } = side.stream.partitioning.as_ref()?;
    let pair_of = |place: &usize| side.keys.iter().position(|key| key == place);
    let pairs = places.iter().map(pair_of).collect::<Option<Vec<usize>>>()?;
    (!pairs.is_empty()).then(|| (pairs, by.clone()))
}

/// What tells joined rows apart. A side whose columns may be padding tells nothing apart by itself.
fn unique(kind: JoinKind, left: &Side, right: &Side) -> RowKey {
    let behind = left.stream.rows.fields().len();
    let of_left = &left.stream.unique;
    let of_right = &right.stream.unique.moved(|place| Some(behind + place));
    let mut found: Vec<Vec<usize>> = Vec::new();
    // A row of one side meets one row of the other at most.
    if !of_pairs(kind) {
        return of_left.clone();
    }
    if matches!(kind, JoinKind::Inner | JoinKind::Left) && right.stream.unique.is_within(&right.keys) {
        found.extend_from_slice(of_left.alternatives());
    }
    if matches!(kind, JoinKind::Inner | JoinKind::Right) && left.stream.unique.is_within(&left.keys) {
        found.extend_from_slice(of_right.alternatives());
    }
    if let (Some(one), Some(other)) = (of_left.places(), of_right.places()) {
        found.push(one.iter().chain(other).copied().collect());
    }
    RowKey::any_of(found)
}

/// What is left of the condition beside equal keys, over the columns it needs.
fn residual(
    join: &JoinPlan,
    conditions: &[Expr],
    left: &Side,
    right: &Side,
) -> Result<Option<Residual>, Refusal> {
    let Some(condition) = conjunction(conditions.iter().cloned()) else { return Ok(None) };
    // Of a semi join the relation has the left columns alone.
    let both = join.left.schema().join(join.right.schema())?;
    let needed: BTreeSet<usize> =
        condition.column_refs().into_iter().filter_map(|column| both.maybe_index_of_column(column)).collect();
    let behind = left.stream.rows.fields().len();
    let mut places = vec![None; both.fields().len()];
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
    let over = Columns { relation: &both, places: &places, rows: &rows, clock: false };
    let sql = sql_text(&condition);
    let predicate = Evaluated::new(over.expression(&condition)?, &rows, sql)?;
    Ok(Some(Residual { columns, predicate: Arc::new(predicate) }))
}

fn describe(join: &JoinPlan, rest: &[Expr]) -> String {
    let pairs = join.on.iter().filter(|(left, _)| !matches!(left, Expr::Literal(..)));
    let pairs = pairs.map(|(left, right)| format!("{left} = {right}"));
    pairs.chain(rest.iter().map(sql_text)).collect::<Vec<_>>().join(" AND ")
}
