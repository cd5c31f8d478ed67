//! What a temporal join becomes.

use super::nodes::TemporalJoin as JoinNode;
use crate::expression::{Evaluated, sql_text};
use crate::lower::{
    Changes, Lowering, PartitionedBy, Partitioning, Refusal, Stream, column_ref, picked_column,
};
use arrow::datatypes::{Field, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use millstream_operators::{CurrentJoin, Expression, NodeId, NodeSpec, StreamKind, TemporalJoin};
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn lower_temporal_join(&mut self, join: &JoinNode) -> Result<Stream, Refusal> {
        let time = picked_column(&join.time, join.left.schema());
        let by_clock = time.is_some_and(|column| self.is_clock(&join.left, column));
        let left = self.lower(&join.left, Changes::Both)?;
        let left = self.assign_windows(left)?;
        self.check_left(&left, join, by_clock)?;
        // Of a row that is replaced nobody asks for the old one.
        let changes = if by_clock { Changes::LastOnly } else { Changes::Both };
        let right = self.lower(&join.right, changes)?;
        let right = self.assign_windows(right)?;
        let key = self.check_right(&right, join, by_clock)?;
        let left = self.compact(left)?;
        let right = self.compact(right)?;
        // The key of the right side decides where its rows are: the left ones go there, as equal bytes.
        let compared = |place: &usize| key.iter().any(|(_, column)| right.place(*column) == Some(*place));
        let there = right.partitioning.clone().filter(|there| there.places.iter().all(compared));
        let (right, there) = match there {
            Some(there @ Partitioning { by: PartitionedBy::TopicKey(_, _), .. }) => (right, there),
            Some(there) if by_clock => (right, there),
            None if by_clock => {
                let places = right.unique.places().map(<[usize]>::to_vec).unwrap_or_default();
                let by = PartitionedBy::EncodedKey;
                (self.exchange(right, places.clone(), by.clone())?, Partitioning { places, by })
            }
            _ => return Err(not_versioned(join)),
        };
        let width = left.places.len();
        let (left, left_keys, right) = self.bring_to_versions(left, right, there, (&key, join))?;
        if by_clock {
            self.join_current(left, left_keys, right, width, join)
        } else {
            self.join(left, right, width, join)
        }
    }

    /// The left rows in the tasks of the right ones, both keyed by the key of the right side; and where the left keys stand.
    fn bring_to_versions(
        &mut self,
        left: Stream,
        right: Stream,
        there: Partitioning,
        (key, join): (&[(&Expr, usize)], &JoinNode),
    ) -> Result<(Stream, Vec<usize>, Stream), Refusal> {
        let Partitioning { places: by_places, by } = there;
        let mut on_right = by_places.clone();
        let key_places = key.iter().filter_map(|(_, column)| right.place(*column));
        key_places.for_each(|place| {
            if !on_right.contains(&place) {
                on_right.push(place);
            }
        });
        let relation = join.left.schema();
        let mut on_left: Vec<Expr> = Vec::new();
        for place in &on_right {
            let Some((expr, _)) = key.iter().find(|(_, column)| right.place(*column) == Some(*place)) else {
                return Err(not_versioned(join));
            };
            let (wanted, found) = (right.rows.field(*place).data_type(), expr.get_type(relation)?);
            on_left.push(if *wanted == found {
                (*expr).clone()
            } else {
                cast((*expr).clone(), wanted.clone())
            });
        }
        let width = left.places.len();
        let left = self.with_keys(left, &on_left, relation)?;
        let places: Vec<usize> = on_left
            .iter()
            .enumerate()
            .map(|(index, expr)| {
                picked_column(expr, relation).and_then(|column| left.place(column)).unwrap_or(width + index)
            })
            .collect();
        let by_left = places[..by_places.len()].to_vec();
        let there = Some(Partitioning { places: by_left.clone(), by: by.clone() });
        let left = match left.partitioning == there {
            true => left,
            false => self.exchange(left, by_left, by.clone())?,
        };
        let right = match self.topology.would_feed_itself(&[left.node, right.node]) {
            true => self.exchange(right, by_places, by)?,
            false => right,
        };
        Ok((self.key_by(left, places.clone())?, places, self.key_by(right, on_right)?))
    }

    /// The join by the clock.
    fn join_current(
        &mut self,
        left: Stream,
        left_keys: Vec<usize>,
        right: Stream,
        width: usize,
        join: &JoinNode,
    ) -> Result<Stream, Refusal> {
        let operator = CurrentJoin {
            left: Arc::clone(&left.rows),
            left_keys,
            right: Arc::clone(&right.rows),
            kind: self.kind(&right),
            keep_unmatched: join.keep_unmatched,
            on: described(join),
        };
        let rows = operator.schema();
        let inputs = [left.node, right.node];
        let node = self.add("temporal join", NodeSpec::Operator(Arc::new(operator)), &inputs)?;
        // The watermark behind a join is that of both sides.
        let has_watermark = left.has_watermark && right.has_watermark;
        let stream = beside(left, right, width, node, rows);
        Ok(Stream { has_watermark, time: stream.time.filter(|_| has_watermark), ..stream })
    }

    fn join(
        &mut self,
        left: Stream,
        right: Stream,
        width: usize,
        join: &JoinNode,
    ) -> Result<Stream, Refusal> {
        self.check_late(&left)?;
        let operator = TemporalJoin {
            left: Arc::clone(&left.rows),
            right: Arc::clone(&right.rows),
            keep_unmatched: join.keep_unmatched,
            on: described(join),
            late: left.late,
        };
        let rows = operator.schema();
        let inputs = [left.node, right.node];
        let node = self.add("temporal join", NodeSpec::Operator(Arc::new(operator)), &inputs)?;
        Ok(beside(left, right, width, node, rows))
    }

    fn check_left(&self, left: &Stream, join: &JoinNode, by_clock: bool) -> Result<(), Refusal> {
        let named = picked_column(&join.time, join.left.schema());
        if self.kind(left) != StreamKind::Append {
            return Err(Refusal::new(
                "the left side of FOR SYSTEM_TIME AS OF updates or deletes rows",
                "join before the rows are aggregated, or group them by a window first",
            ));
        }
        if !by_clock && (named.is_none() || named != left.time) {
            let time = &join.time;
            return Err(Refusal::new(
                format!("FOR SYSTEM_TIME AS OF {time}: {time} is not the time attribute of the left side"),
                "use the column that the left table declares a WATERMARK for, or one that is PROCTIME(); of a windowed \
                 aggregation it is window_time, which has to be in its GROUP BY",
            ));
        }
        Ok(())
    }

    /// Checks that the right side is versioned, or for the clock has a key, and is joined on its whole key: pairs of left
    /// expression and right column.
    fn check_right<'j>(
        &self,
        right: &Stream,
        join: &'j JoinNode,
        by_clock: bool,
    ) -> Result<Vec<(&'j Expr, usize)>, Refusal> {
        let is_versioned = self.kind(right) == StreamKind::Upsert && right.has_watermark;
        let Some(unique) = right.unique.places().filter(|_| by_clock || is_versioned) else {
            return Err(if by_clock { no_key(join) } else { not_versioned(join) });
        };
        let table = if by_clock { "table" } else { "versioned table" };
        let mut pairs: Vec<(&Expr, usize)> = Vec::new();
        for (left, on_right) in &join.on {
            match picked_column(on_right, join.right.schema()) {
                Some(column) if pairs.iter().any(|(_, other)| *other == column) => {
                    return Err(Refusal::new(
                        format!("{on_right} is compared twice"),
                        "compare it once in ON, and the two left columns in a WHERE behind the join",
                    ));
                }
                Some(column) if right.place(column).is_some_and(|place| unique.contains(&place)) => {
                    pairs.push((left, column));
                }
                _ => {
                    return Err(Refusal::new(
                        format!("{left} = {on_right}: {on_right} is not part of the {table}'s primary key"),
                        "a temporal join is on the primary key; move other conditions to a WHERE behind the join",
                    ));
                }
            }
        }
        let is_compared =
            |place: &usize| pairs.iter().any(|(_, column)| right.place(*column) == Some(*place));
        if let Some(missing) = unique.iter().find(|place| !is_compared(place)) {
            let name = right.rows.field(*missing).name();
            return Err(Refusal::new(
                format!("the join leaves out {name}, which is part of the {table}'s primary key"),
                format!("add AND left.column = right.{name} to ON"),
            ));
        }
        Ok(pairs)
    }

    /// The left rows with computed keys as further columns, where keys are not columns.
    fn with_keys(&mut self, left: Stream, on: &[Expr], relation: &DFSchema) -> Result<Stream, Refusal> {
        if on.iter().all(|expr| picked_column(expr, relation).is_some()) {
            return Ok(left);
        }
        let columns = self.columns(&left, relation);
        let mut outputs: Vec<(Field, Arc<dyn Expression>)> = (0..left.rows.fields().len())
            .map(|place| (left.rows.field(place).clone(), column_ref(&left, place)))
            .collect();
        for (index, expr) in on.iter().enumerate() {
            let key = Evaluated::new(columns.expression(expr)?, &left.rows, sql_text(expr))?;
            outputs.push((
                Field::new(format!("join key {index}"), key.data_type().clone(), true),
                Arc::new(key),
            ));
        }
        let (node, rows) = self.add_project("project", &left, None, outputs)?;
        Ok(left.over(node, rows, Some))
    }
}

/// The rows of a join: the left columns, then the right ones. Of each left row there comes one row at most, in the left
/// row's place.
fn beside(left: Stream, right: Stream, width: usize, node: NodeId, rows: SchemaRef) -> Stream {
    let behind = left.rows.fields().len();
    let right_places = right.places.iter().map(|place| place.map(|place| behind + place));
    let places = left.places[..width].iter().copied().chain(right_places).collect();
    Stream { node, rows, places, keyed: None, ..left }
}

fn described(join: &JoinNode) -> String {
    join.on.iter().map(|(left, right)| format!("{left} = {right}")).collect::<Vec<_>>().join(" AND ")
}

fn no_key(join: &JoinNode) -> Refusal {
    let on = join.on.first().map(|(_, right)| right.to_string()).unwrap_or_default();
    Refusal::new(
        format!(
            "the right side of FOR SYSTEM_TIME AS OF, with {on}, has no key: of a key there has to be one row at a time"
        ),
        "it has to be a table with a PRIMARY KEY whose rows are updated, as with 'connector' = 'upsert-kafka', or a view \
         that groups by what is compared",
    )
}

fn not_versioned(join: &JoinNode) -> Refusal {
    let on = join.on.first().map(|(_, right)| right.to_string()).unwrap_or_default();
    Refusal::new(
        format!("the right side of FOR SYSTEM_TIME AS OF, with {on}, is not a versioned table"),
        "it has to be a table with 'connector' = 'upsert-kafka', a PRIMARY KEY and a WATERMARK; or join as of a column of \
         the left side that is PROCTIME(), for the rows that are there when the left row comes",
    )
}
