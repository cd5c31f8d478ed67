//! What a temporal join becomes.

use super::nodes::TemporalJoin as JoinNode;
use crate::expression::{Evaluated, sql_text};
use crate::lower::{
    Changes, Lowering, PartitionedBy, Partitioning, Refusal, Stream, column_ref, picked_column,
};
use arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use millstream_operators::{Expression, NodeSpec, StreamKind, TemporalJoin};
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn lower_temporal_join(&mut self, join: &JoinNode) -> Result<Stream, Refusal> {
        let left = self.lower(&join.left, Changes::Both)?;
        self.check_left(&left, join)?;
        let right = self.lower(&join.right, Changes::Both)?;
        let key = self.check_right(&right, join)?;
        let left = self.compact(left)?;
        let right = self.compact(right)?;
        // The key of the right topic decides where its rows are: the left ones go there, as equal bytes.
        let Some(Partitioning { places: by_places, by: by @ PartitionedBy::TopicKey(_, _) }) =
            right.partitioning.clone()
        else {
            return Err(not_versioned(join));
        };
        let relation = join.left.schema();
        let mut on_left: Vec<Expr> = Vec::new();
        for by_place in &by_places {
            let Some((expr, _)) = key.iter().find(|(_, column)| right.place(*column) == Some(*by_place))
            else {
                return Err(not_versioned(join));
            };
            let (wanted, found) = (right.rows.field(*by_place).data_type(), expr.get_type(relation)?);
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
        let there = Some(Partitioning { places: places.clone(), by: by.clone() });
        let left = match left.partitioning == there {
            true => self.key_by(left, places)?,
            false => self.exchange(left, places, by.clone())?,
        };
        let right = match self.topology.would_feed_itself(&[left.node, right.node]) {
            true => self.exchange(right, by_places, by)?,
            false => self.key_by(right, by_places)?,
        };
        self.join(left, right, width, join)
    }

    fn join(
        &mut self,
        left: Stream,
        right: Stream,
        width: usize,
        join: &JoinNode,
    ) -> Result<Stream, Refusal> {
        self.check_late(&left)?;
        let on =
            join.on.iter().map(|(left, right)| format!("{left} = {right}")).collect::<Vec<_>>().join(" AND ");
        let operator = TemporalJoin {
            left: Arc::clone(&left.rows),
            right: Arc::clone(&right.rows),
            keep_unmatched: join.keep_unmatched,
            on,
            late: left.late,
        };
        let rows = operator.schema();
        let inputs = [left.node, right.node];
        let node = self.add("temporal join", NodeSpec::Operator(Arc::new(operator)), &inputs)?;
        let behind = left.rows.fields().len();
        let right_places = right.places.iter().map(|place| place.map(|place| behind + place));
        let places = left.places[..width].iter().copied().chain(right_places).collect();
        // Of each left row there comes one row at most, in the left row's place.
        Ok(Stream { node, rows, places, keyed: None, ..left })
    }

    fn check_left(&self, left: &Stream, join: &JoinNode) -> Result<(), Refusal> {
        let named = picked_column(&join.time, join.left.schema());
        if self.kind(left) != StreamKind::Append {
            return Err(Refusal::new(
                "the left side of FOR SYSTEM_TIME AS OF updates or deletes rows",
                "join before the rows are aggregated, or group them by a window first",
            ));
        }
        if left.windows.is_some() {
            return Err(Refusal::new(
                "the left side of FOR SYSTEM_TIME AS OF is a window that has not been closed",
                "group by window_start, window_end and window_time in a view, and join the view",
            ));
        }
        if named.is_none() || named != left.time {
            let time = &join.time;
            return Err(Refusal::new(
                format!("FOR SYSTEM_TIME AS OF {time}: {time} is not the time attribute of the left side"),
                "use the column that the left table declares a WATERMARK for; of a windowed aggregation it is \
                 window_time, which has to be in its GROUP BY",
            ));
        }
        Ok(())
    }

    /// Checks that the right side is versioned and joined on its whole key: pairs of left expression and right column.
    fn check_right<'j>(&self, right: &Stream, join: &'j JoinNode) -> Result<Vec<(&'j Expr, usize)>, Refusal> {
        let (StreamKind::Upsert, Some(unique)) = (self.kind(right), right.unique.places()) else {
            return Err(not_versioned(join));
        };
        if !right.has_watermark {
            return Err(not_versioned(join));
        }
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
                        format!(
                            "{left} = {on_right}: {on_right} is not part of the versioned table's primary key"
                        ),
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
                format!("the join leaves out {name}, which is part of the versioned table's primary key"),
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

fn not_versioned(join: &JoinNode) -> Refusal {
    let on = join.on.first().map(|(_, right)| right.to_string()).unwrap_or_default();
    Refusal::new(
        format!("the right side of FOR SYSTEM_TIME AS OF, with {on}, is not a versioned table"),
        "it has to be a table with 'connector' = 'upsert-kafka', a PRIMARY KEY and a WATERMARK",
    )
}
