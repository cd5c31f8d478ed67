//! The first rows of a partition: `ROW_NUMBER`, `RANK` and `DENSE_RANK` under a bound (`WHERE` or `QUALIFY`), and
//! `ORDER BY .. LIMIT`.
//!
//! A batch engine numbers all rows and filters them; a stream keeps those that pass. [`recognise`] finds a filter over a
//! rank, or a limit, in a plan and puts a [`RankedRows`] in the place of the node that numbers or sorts, which becomes a
//! [`TopN`]. A rank without an upper bound is refused, as in Flink.

pub(crate) mod functions;
mod recognise;

use recognise::{drop_unread_ranks, recognise};

use super::over::first_rows;
use super::{Feature, columns_read};
use crate::lower::{Changes, Lowering, PartitionedBy, Refusal, RowKey, Stream, picked_column};
use datafusion::common::{DFSchema, DFSchemaRef, Result, plan_err};
use datafusion::logical_expr::logical_plan::UserDefinedLogicalNodeCore;
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr};
use millstream_operators::formats::sql_type;
use millstream_operators::keys::SortColumn;
use millstream_operators::{NodeSpec, RankFunction, StreamKind, TopN, WindowTopN};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The rows of every partition whose rank is from `first` to `last`. Columns: those of the input, then the rank where it
/// is a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RankedRows {
    /// The rows.
    pub input: LogicalPlan,
    /// How they are numbered.
    pub function: RankFunction,
    /// Columns that make a partition.
    pub partition_by: Vec<Expr>,
    /// What rows of a partition are ordered by.
    pub order_by: Vec<SortExpr>,
    /// The first rank that is kept, from 1.
    pub first: u64,
    /// The last rank that is kept.
    pub last: u64,
    /// Whether the rank is the last column.
    pub with_rank: bool,
    schema: DFSchemaRef,
}

impl RankedRows {
    /// The node in the place of one that has these columns, the rank behind those of the input.
    fn new(
        input: LogicalPlan,
        function: RankFunction,
        partition_by: Vec<Expr>,
        order_by: Vec<SortExpr>,
        (first, last): (u64, u64),
        schema: DFSchemaRef,
    ) -> Self {
        let with_rank = schema.fields().len() > input.schema().fields().len();
        RankedRows { input, function, partition_by, order_by, first, last, with_rank, schema }
    }

    /// The same without the rank.
    fn without_rank(&self) -> Self {
        let schema = Arc::clone(self.input.schema());
        RankedRows { with_rank: false, schema, ..self.clone() }
    }
}

impl PartialOrd for RankedRows {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for RankedRows {
    fn name(&self) -> &str {
        "RankedRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.partition_by.iter().cloned().chain(self.order_by.iter().map(|sort| sort.expr.clone())).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RankedRows: {} {} to {}", self.function.name(), self.first, self.last)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let partitions = self.partition_by.len();
        let Some(input) = inputs.pop().filter(|_| exprs.len() == partitions + self.order_by.len()) else {
            return plan_err!("ranked rows have one input, and the expressions they had");
        };
        let order_by = self.order_by.iter().zip(&exprs[partitions..]);
        let order_by = order_by.map(|(sort, expr)| SortExpr { expr: expr.clone(), ..sort.clone() }).collect();
        // Columns that nobody reads may be missing from the input.
        let rank = self.with_rank.then(|| self.schema.qualified_field(self.schema.fields().len() - 1));
        let columns = input.schema().iter().chain(rank);
        let columns = columns.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(columns, Default::default())?);
        let partition_by = exprs[..partitions].to_vec();
        Ok(RankedRows { input, partition_by, order_by, schema, ..self.clone() })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let inputs = self.input.schema().fields().len();
        let passed_on = output_columns.iter().copied().filter(|column| *column < inputs);
        Some(vec![columns_read(&self.input, passed_on, &self.expressions())])
    }
}

impl Feature for RankedRows {
    fn optimized(plan: LogicalPlan) -> Result<LogicalPlan> {
        recognise(plan)
    }

    fn pruned(plan: LogicalPlan) -> Result<LogicalPlan> {
        drop_unread_ranks(plan)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        let input = lowering.lower(&self.input, Changes::Both)?;
        let input = lowering.assign_windows(input)?;
        let input = match lowering.kind(&input) {
            StreamKind::Upsert => lowering.normalize(input)?,
            _ => lowering.compact(input)?,
        };
        let relation = self.input.schema();
        let place = |expr: &Expr| {
            let column = picked_column(expr, relation);
            column.and_then(|column| input.place(column)).ok_or_else(|| {
                Refusal::new(format!("{expr} is no column"), "select it AS a column in an inner query first")
            })
        };
        let of_windows = is_of_windows(self, lowering.kind(&input), &input);
        let partition = self.partition_by.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let order = self.order_by.iter().map(|sort| Ok((sort, place(&sort.expr)?)));
        let order = order.collect::<Result<Vec<_>, Refusal>>()?;
        let order = order.into_iter().map(|(sort, place)| sort_column(sort, place, &input));
        let order = order.collect::<Result<Vec<_>, Refusal>>()?;
        let input = match input.is_together(&partition) {
            true => lowering.key_by(input, partition.clone())?,
            false => lowering.exchange(input, partition.clone(), PartitionedBy::EncodedKey)?,
        };
        let names: Vec<&str> =
            partition.iter().map(|place| input.rows.field(*place).name().as_str()).collect();
        let rank = self.with_rank.then(|| self.schema.field(self.schema.fields().len() - 1).name().clone());
        let unique = row_key(self, &partition, &input);
        if !of_windows && lowering.kind(&input) == StreamKind::Append && is_first_row(self, &order, &input) {
            let first = first_rows(lowering, input, &partition, rank)?;
            return Ok(Stream { unique, ..first });
        }
        let operator = TopN {
            input: Arc::clone(&input.rows),
            kind: lowering.kind(&input),
            function: self.function,
            latest_first: is_last_row(self, &order, &input),
            order,
            first: self.first,
            last: self.last,
            rank,
            key: names.join(", "),
        };
        let rows = operator.schema();
        if of_windows {
            lowering.check_late(&input)?;
            let operator = Arc::new(WindowTopN { top: operator, late: input.late });
            let node = lowering.add("window top n", NodeSpec::Operator(operator), &[input.node])?;
            // They are rows of the input, each with its number.
            let places = (0..rows.fields().len()).map(Some).collect();
            return Ok(Stream { unique, places, ..input.over(node, rows, Some) });
        }
        let id = lowering.add("top n", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
        Ok(Stream { unique, partitioning: input.partitioning.clone(), ..input.made_into(id, rows) })
    }
}

/// Whether rows of windows are ranked, each window by itself: its first rows are known when it closes.
fn is_of_windows(node: &RankedRows, kind: StreamKind, input: &Stream) -> bool {
    let relation = node.input.schema();
    let columns: Vec<usize> =
        node.partition_by.iter().filter_map(|expr| picked_column(expr, relation)).collect();
    let is_apart = input.within.as_ref().is_some_and(|within| within.bounds.are_among(&columns));
    kind == StreamKind::Append && is_apart
}

/// Whether it keeps the first row by event time: of rows of the same time that is the one that came first.
fn is_first_row(node: &RankedRows, order: &[SortColumn], input: &Stream) -> bool {
    let by_time = matches!(order, [column] if !column.descending && input.time == Some(column.place));
    by_time && node.function == RankFunction::RowNumber && node.first == 1 && node.last == 1
}

/// Whether it keeps the last row by event time: of rows of the same time that is the one that came last, as in Flink.
fn is_last_row(node: &RankedRows, order: &[SortColumn], input: &Stream) -> bool {
    // Of rows of a window the time is that of the window; the order may be by the one that they had before.
    let before = input.within.as_ref().and_then(|within| within.by);
    let is_time = |place: usize| [input.time, before].contains(&Some(place));
    let by_time = matches!(order, [column] if column.descending && is_time(column.place));
    by_time && node.function == RankFunction::RowNumber && node.last == 1
}

/// What tells rows apart: their partition and rank, or what did before.
fn row_key(node: &RankedRows, partition: &[usize], input: &Stream) -> RowKey {
    let rank = node.with_rank.then_some(input.rows.fields().len());
    let numbered = node.function == RankFunction::RowNumber;
    let by_rank = match (numbered, rank) {
        (true, _) if node.first == node.last => RowKey::of(partition.to_vec()),
        (true, Some(rank)) => RowKey::of(partition.iter().copied().chain([rank]).collect()),
        _ => RowKey::Unknown,
    };
    by_rank.or(input.unique.clone())
}

pub(super) fn sort_column(sort: &SortExpr, place: usize, input: &Stream) -> Result<SortColumn, Refusal> {
    let field = input.rows.field(place);
    let column = SortColumn {
        place,
        name: field.name().clone(),
        data_type: field.data_type().clone(),
        descending: !sort.asc,
        nulls_first: sort.nulls_first,
    };
    match millstream_operators::keys::KeyCodec::new(vec![column.data_type.clone()]) {
        Ok(_) => Ok(column),
        Err(data_type) => Err(Refusal::new(
            format!("rows can't be ordered by {}, which is of type {}", column.name, sql_type(&data_type)),
            "order by one of its fields",
        )),
    }
}
