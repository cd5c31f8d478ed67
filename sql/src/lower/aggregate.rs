//! `GROUP BY`, with and without a window, and `DISTINCT`.

use super::project::{column_ref, picked_column};
use super::{Changes, Lowering, PartitionedBy, Partitioning, Refusal, Stream, Windows};
use crate::expression::{Evaluated, counted, sql_text};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::AggregateFunction as DfAggregate;
use datafusion::logical_expr::{Aggregate as DfAggregateNode, Expr, LogicalPlan};
use millstream_operators::aggregate::{Aggregate, AggregateCall, AggregateFunction, Window, WindowAggregate};
use millstream_operators::exchange::{ByEncodedKey, ColumnBlocks, ExchangeSpec};
use millstream_operators::{Expression, NodeSpec, Project, StreamKind};
use std::sync::Arc;

/// What a grouping is made of: expressions over its input, and which group expression is a column of the window.
struct Grouping<'a> {
    relation: &'a DFSchema,
    groups: &'a [Expr],
    calls: Vec<Call<'a>>,
}

struct Call<'a> {
    function: AggregateFunction,
    argument: Option<&'a Expr>,
    distinct: bool,
    filter: Option<&'a Expr>,
    name: String,
}

/// The column of the window that a group expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WindowColumn {
    Start,
    End,
    Time,
}

impl Lowering<'_> {
    pub(super) fn lower_aggregate(
        &mut self,
        node: &DfAggregateNode,
        changes: Changes,
    ) -> Result<Stream, Refusal> {
        if let [Expr::GroupingSet(_)] = node.group_expr.as_slice() {
            return Err(Refusal::new(
                "GROUPING SETS, ROLLUP and CUBE are not supported yet",
                "write one query for each",
            ));
        }
        let calls =
            node.aggr_expr.iter().map(|expr| call(expr, node.input.schema())).collect::<Result<_, _>>()?;
        let grouping = Grouping { relation: node.input.schema(), groups: &node.group_expr, calls };
        let input = self.lower(&node.input, Changes::Both)?;
        self.group(input, &grouping, changes)
    }

    pub(super) fn lower_distinct(
        &mut self,
        input: &LogicalPlan,
        changes: Changes,
    ) -> Result<Stream, Refusal> {
        let groups: Vec<Expr> = input.schema().iter().map(Expr::from).collect();
        let grouping = Grouping { relation: input.schema(), groups: &groups, calls: Vec::new() };
        let input = self.lower(input, Changes::Both)?;
        self.group(input, &grouping, changes)
    }

    fn group(&mut self, input: Stream, grouping: &Grouping<'_>, changes: Changes) -> Result<Stream, Refusal> {
        let input = match self.kind(&input) {
            StreamKind::Upsert => self.normalize(input)?,
            _ => input,
        };
        let bounds = window_columns(&input, grouping)?;
        let keys: Vec<&Expr> = grouping
            .groups
            .iter()
            .zip(&bounds)
            .filter(|(_, bound)| bound.is_none())
            .map(|(group, _)| group)
            .collect();
        let together = is_together(&input, &keys, grouping.relation);
        let (rows, key_places, calls) = self.group_input(input, grouping, &keys)?;
        let rows = self.key_by(rows, key_places.clone())?;
        let rows = if together.is_some() { rows } else { self.exchange(rows)? };
        let key_columns: Vec<(String, DataType)> = keys
            .iter()
            .zip(&key_places)
            .map(|(key, place)| (name_of(key), rows.rows.field(*place).data_type().clone()))
            .collect();
        let partitioning = partitioning_of_groups(together, &bounds, &rows, &key_places);
        match rows.windows {
            Some(windows) => self.group_windows(rows, windows, key_columns, calls, &bounds, partitioning),
            None => self.group_all(rows, key_columns, calls, changes, partitioning),
        }
    }

    /// Rows with the keys and arguments as columns: as they are, or computed by a projection.
    fn group_input(
        &mut self,
        input: Stream,
        grouping: &Grouping<'_>,
        keys: &[&Expr],
    ) -> Result<(Stream, Vec<usize>, Vec<AggregateCall>), Refusal> {
        let relation = grouping.relation;
        let mut exprs: Vec<&Expr> = keys.to_vec();
        for call in &grouping.calls {
            exprs.extend(call.argument);
            exprs.extend(call.filter);
        }
        let mut distinct: Vec<&Expr> = Vec::new();
        exprs.into_iter().for_each(|expr| {
            if !distinct.contains(&expr) {
                distinct.push(expr)
            }
        });
        let columns = self.columns(&input, relation);
        let is_plain = |expr: &&Expr| plain_place(expr, &input, relation).is_some();
        let (rows, places): (Stream, Vec<usize>) = if distinct.iter().all(is_plain) {
            let places = distinct.iter().filter_map(|expr| plain_place(expr, &input, relation)).collect();
            (input, places)
        } else {
            let mut outputs: Vec<(Field, Arc<dyn Expression>)> = Vec::new();
            for expr in &distinct {
                let output: Arc<dyn Expression> = match plain_place(expr, &input, relation) {
                    Some(place) => column_ref(&input, place),
                    None => {
                        let sql = sql_text(expr);
                        Arc::new(Evaluated::new(columns.expression(expr)?, &input.rows, sql)?)
                    }
                };
                outputs.push((Field::new(name_of(expr), output.data_type().clone(), true), output));
            }
            let rows: SchemaRef =
                Arc::new(Schema::new(outputs.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>()));
            let node = self.add_project("project", Project::new(None, outputs), input.node)?;
            let count = distinct.len();
            (
                Stream { node, rows, places: (0..count).map(Some).collect(), keyed: None, ..input },
                (0..count).collect(),
            )
        };
        let place_of =
            |expr: &Expr| distinct.iter().position(|other| *other == expr).map(|index| places[index]);
        let key_places = keys.iter().filter_map(|key| place_of(key)).collect();
        let calls = grouping.calls.iter().map(|call| {
            let argument = call.argument.and_then(place_of);
            let argument_type =
                argument.map_or(DataType::Int64, |place| rows.rows.field(place).data_type().clone());
            let (function, distinct, name) = (call.function, call.distinct, call.name.clone());
            AggregateCall {
                function,
                argument,
                argument_type,
                distinct,
                filter: call.filter.and_then(place_of),
                name,
            }
        });
        let calls = calls.collect();
        Ok((rows, key_places, calls))
    }

    /// Brings rows of a key to one task.
    pub(crate) fn exchange(&mut self, stream: Stream) -> Result<Stream, Refusal> {
        let keyed = stream.keyed.as_deref().unwrap_or_default();
        let names: Vec<&str> = keyed.iter().map(|place| stream.rows.field(*place).name().as_str()).collect();
        let spec = ExchangeSpec {
            by: names.join(", "),
            partition_by: Arc::new(ByEncodedKey),
            codec: Arc::new(ColumnBlocks::new(Arc::clone(&stream.rows))),
        };
        let node = self.add("exchange", NodeSpec::Exchange(Arc::new(spec)), &[stream.node])?;
        Ok(Stream { node, partitioning: None, ..stream })
    }

    fn group_all(
        &mut self,
        rows: Stream,
        keys: Vec<(String, DataType)>,
        calls: Vec<AggregateCall>,
        changes: Changes,
        partitioning: Option<Partitioning>,
    ) -> Result<Stream, Refusal> {
        let output = match changes {
            Changes::Both => StreamKind::Changelog,
            Changes::LastOnly => StreamKind::Upsert,
        };
        let groups = keys.len();
        let aggregate = Aggregate { keys, calls, input: self.kind(&rows), output };
        let schema = aggregate.schema();
        let node = self.add("aggregate", NodeSpec::Operator(Arc::new(aggregate)), &[rows.node])?;
        Ok(Stream {
            node,
            places: (0..schema.fields().len()).map(Some).collect(),
            rows: schema,
            time: None,
            has_watermark: rows.has_watermark,
            windows: None,
            unique: Some((0..groups).collect()),
            nameless: false,
            partitioning,
            keyed: None,
            late: rows.late,
        })
    }

    fn group_windows(
        &mut self,
        rows: Stream,
        windows: Windows,
        keys: Vec<(String, DataType)>,
        calls: Vec<AggregateCall>,
        bounds: &[Option<WindowColumn>],
        partitioning: Option<Partitioning>,
    ) -> Result<Stream, Refusal> {
        self.check_late(&rows)?;
        let spec = windows.spec;
        let window = Window::new(spec.size_ms, spec.slide_ms, spec.offset_ms)
            .map_err(|message| Refusal { message, help: None })?;
        let (key_count, call_count) = (keys.len(), calls.len());
        let aggregate = WindowAggregate { window, keys, calls, input: self.kind(&rows), late: rows.late };
        let schema = aggregate.schema();
        let node = self.add("window aggregate", NodeSpec::Operator(Arc::new(aggregate)), &[rows.node])?;
        let mut next_key = 0..key_count;
        let first_bound = key_count + call_count;
        let groups = bounds.iter().map(|bound| match bound {
            None => next_key.next(),
            Some(bound) => Some(first_bound + *bound as usize),
        });
        let places: Vec<Option<usize>> = groups.chain((key_count..first_bound).map(Some)).collect();
        let time = bounds.iter().position(|bound| *bound == Some(WindowColumn::Time));
        Ok(Stream {
            node,
            rows: schema,
            places,
            time,
            windows: None,
            unique: None,
            nameless: false,
            partitioning,
            keyed: None,
            ..rows
        })
    }
}

/// The place of an expression that is a column of its type in the rows.
fn plain_place(expr: &Expr, input: &Stream, relation: &DFSchema) -> Option<usize> {
    let column = picked_column(expr, relation)?;
    let place = input.place(column)?;
    let same = input.rows.field(place).data_type() == relation.field(column).data_type();
    same.then_some(place)
}

fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        Expr::Alias(alias) => alias.name.clone(),
        other => sql_text(other),
    }
}

/// Which group expressions are columns of the window; checks that the window is grouped by at all.
fn window_columns(input: &Stream, grouping: &Grouping<'_>) -> Result<Vec<Option<WindowColumn>>, Refusal> {
    let Some(windows) = input.windows else { return Ok(vec![None; grouping.groups.len()]) };
    let bound = |expr: &Expr| {
        let column = Some(picked_column(expr, grouping.relation)?);
        let bounds = [
            (windows.start, WindowColumn::Start),
            (windows.end, WindowColumn::End),
            (windows.time, WindowColumn::Time),
        ];
        bounds.into_iter().find(|(place, _)| *place == column).map(|(_, bound)| bound)
    };
    let bounds: Vec<Option<WindowColumn>> = grouping.groups.iter().map(bound).collect();
    for (bound, name) in [(WindowColumn::Start, "window_start"), (WindowColumn::End, "window_end")] {
        if !bounds.contains(&Some(bound)) {
            return Err(Refusal::new(
                format!("rows of a window are grouped without {name}"),
                "write GROUP BY window_start, window_end and the other columns",
            ));
        }
    }
    Ok(bounds)
}

/// The key columns (indices into `keys`) by which the rows are already in one task, and by which bytes.
fn is_together(input: &Stream, keys: &[&Expr], relation: &DFSchema) -> Option<(Vec<usize>, PartitionedBy)> {
    let Partitioning { columns, by } = input.partitioning.as_ref()?;
    let key_of = |column: &usize| keys.iter().position(|key| picked_column(key, relation) == Some(*column));
    let keys = columns.iter().map(key_of).collect::<Option<Vec<usize>>>()?;
    Some((keys, by.clone()))
}

/// How the groups are partitioned, as columns of the result.
fn partitioning_of_groups(
    together: Option<(Vec<usize>, PartitionedBy)>,
    bounds: &[Option<WindowColumn>],
    _rows: &Stream,
    key_places: &[usize],
) -> Option<Partitioning> {
    let columns_of_keys: Vec<usize> =
        bounds.iter().enumerate().filter(|(_, bound)| bound.is_none()).map(|(column, _)| column).collect();
    let (keys, by) = together.unwrap_or_else(|| ((0..key_places.len()).collect(), PartitionedBy::EncodedKey));
    let columns = keys.iter().map(|key| columns_of_keys.get(*key).copied()).collect::<Option<Vec<_>>>()?;
    Some(Partitioning { columns, by })
}

fn call<'e>(expr: &'e Expr, relation: &DFSchema) -> Result<Call<'e>, Refusal> {
    let (inner, name) = match expr {
        Expr::Alias(alias) => (alias.expr.as_ref(), alias.name.clone()),
        other => (other, counted(&other.schema_name().to_string())),
    };
    let Expr::AggregateFunction(DfAggregate { func, params }) = inner else {
        return Err(Refusal::new(format!("{expr} is no aggregate that is supported"), known_aggregates()));
    };
    if !params.order_by.is_empty() || params.null_treatment.is_some() {
        return Err(Refusal::new(
            format!("{inner}: ORDER BY and NULLS inside an aggregate are not supported yet"),
            "leave them out",
        ));
    }
    let function = match func.name() {
        "count" => AggregateFunction::Count,
        "sum" => AggregateFunction::Sum,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        "first_value" => AggregateFunction::First,
        "last_value" => AggregateFunction::Last,
        other => {
            return Err(Refusal::new(
                format!("the aggregate {} is not supported yet", other.to_uppercase()),
                known_aggregates(),
            ));
        }
    };
    let argument = match params.args.as_slice() {
        [] => None,
        [Expr::Literal(value, _)] if function == AggregateFunction::Count && !value.is_null() => None,
        [argument] if function == AggregateFunction::Sum => Some(without_widening(argument, relation)),
        [argument] => Some(argument),
        _ => return Err(Refusal::new(format!("{inner} has too many arguments"), "aggregate one expression")),
    };
    Ok(Call { function, argument, distinct: params.distinct, filter: params.filter.as_deref(), name })
}

fn known_aggregates() -> &'static str {
    "there are COUNT, SUM, AVG, MIN, MAX, FIRST_VALUE and LAST_VALUE, with DISTINCT and FILTER"
}

/// A sum is wide enough by itself: a cast in front of it costs a pass over the column.
fn without_widening<'e>(argument: &'e Expr, relation: &DFSchema) -> &'e Expr {
    use DataType as T;
    let Expr::Cast(cast) = argument else { return argument };
    let Some(column) = picked_column(&cast.expr, relation) else { return argument };
    match (relation.field(column).data_type(), cast.field.data_type()) {
        (T::Int8 | T::Int16 | T::Int32, T::Int64) | (T::Float32, T::Float64) => &cast.expr,
        _ => argument,
    }
}
