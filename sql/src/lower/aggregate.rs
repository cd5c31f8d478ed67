//! `GROUP BY`, with and without a window, and `DISTINCT`.

mod calls;

use super::project::{column_ref, picked_column};
use super::windows::reads_bounds;
use super::{Bounds, Changes, Lowering, PartitionedBy, Partitioning, Refusal, RowKey, Stream, Within};
use crate::expression::{Evaluated, sql_text};
use crate::features::window::{WINDOW_COLUMNS, WindowKind};
use arrow::datatypes::{DataType, Field, Schema};
use calls::{Call, call};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Aggregate as DfAggregateNode, Expr, LogicalPlan};
use millstream_operators::aggregate::{Aggregate, AggregateCall, SessionAggregate, WindowAggregate};
use millstream_operators::{Expression, NodeSpec, OperatorSpec, StreamKind};
use std::sync::Arc;

/// What a grouping is made of: expressions over its input, and which group expression is a column of the window.
struct Grouping<'a> {
    input: &'a LogicalPlan,
    relation: &'a DFSchema,
    groups: &'a [Expr],
    calls: Vec<Call>,
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
        let calls =
            node.aggr_expr.iter().map(|expr| call(expr, node.input.schema())).collect::<Result<_, _>>()?;
        let grouping =
            Grouping { input: &node.input, relation: node.input.schema(), groups: &node.group_expr, calls };
        let input = self.lower(&node.input, Changes::Both)?;
        self.group(input, &grouping, changes)
    }

    pub(super) fn lower_distinct(
        &mut self,
        input: &LogicalPlan,
        changes: Changes,
    ) -> Result<Stream, Refusal> {
        let groups: Vec<Expr> = input.schema().iter().map(Expr::from).collect();
        let grouping = Grouping { input, relation: input.schema(), groups: &groups, calls: Vec::new() };
        let input = self.lower(input, Changes::Both)?;
        self.group(input, &grouping, changes)
    }

    fn group(&mut self, input: Stream, grouping: &Grouping<'_>, changes: Changes) -> Result<Stream, Refusal> {
        let input = match self.kind(&input) {
            StreamKind::Upsert => self.normalize(input)?,
            _ => input,
        };
        let input = match must_be_assigned(&input, grouping) {
            true => self.assign_windows(input)?,
            false => input,
        };
        let bounds = window_columns(&input, grouping)?;
        let windows = grouped_windows(&input, &bounds);
        let keys: Vec<&Expr> = grouping
            .groups
            .iter()
            .zip(&bounds)
            .filter(|(_, bound)| bound.is_none())
            .map(|(group, _)| group)
            .collect();
        let (rows, key_places, calls) = self.group_input(input, grouping, &keys)?;
        let together = rows.is_together(&key_places);
        let rows = match together {
            true => self.key_by(rows, key_places.clone())?,
            false => self.exchange(rows, key_places.clone(), PartitionedBy::EncodedKey)?,
        };
        let key_columns: Vec<(String, DataType)> = keys
            .iter()
            .zip(&key_places)
            .map(|(key, place)| (name_of(key), rows.rows.field(*place).data_type().clone()))
            .collect();
        let constant: Vec<bool> = keys.iter().map(|key| is_constant(key, grouping.input)).collect();
        let output =
            GroupKeys { columns: key_columns, constant, partitioning: of_groups(&rows, &key_places) };
        match windows {
            Some(windows) => self.group_windows(rows, windows, (output, &key_places), calls, &bounds),
            None => self.group_all(rows, output, calls, changes),
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
            exprs.extend(&call.argument);
            exprs.extend(&call.filter);
        }
        let mut distinct: Vec<&Expr> = Vec::new();
        exprs.into_iter().for_each(|expr| {
            if !distinct.contains(&expr) {
                distinct.push(expr)
            }
        });
        let columns = self.columns(&input, relation);
        let is_plain = |expr: &&Expr| plain_place(expr, &input, relation).is_some();
        // What goes to another task goes without the columns that other statements read, and in the order of the query: so
        // neither changes anything about rows that are on their way.
        let plain: Vec<Option<usize>> =
            distinct.iter().map(|expr| plain_place(expr, &input, relation)).collect();
        let is_whole = input.rows.fields().len() == distinct.len()
            && plain.iter().enumerate().all(|(index, place)| *place == Some(index));
        let keyed: Option<Vec<usize>> = keys.iter().map(|key| plain_place(key, &input, relation)).collect();
        let together = keyed.is_some_and(|places| input.is_together(&places));
        let is_whole = together || distinct.is_empty() || is_whole;
        let (rows, places): (Stream, Vec<usize>) = if distinct.iter().all(is_plain) && is_whole {
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
            let (node, rows) = self.add_project("project", &input, None, outputs)?;
            let moved =
                |place| distinct.iter().position(|expr| plain_place(expr, &input, relation) == Some(place));
            let moved: Vec<Option<usize>> = (0..input.rows.fields().len()).map(moved).collect();
            let stream = input.over(node, rows, |place| moved[place]);
            let places: Vec<usize> = (0..distinct.len()).collect();
            (Stream { places: places.iter().copied().map(Some).collect(), ..stream }, places)
        };
        let place_of =
            |expr: &Expr| distinct.iter().position(|other| *other == expr).map(|index| places[index]);
        let key_places = keys.iter().filter_map(|key| place_of(key)).collect();
        let calls = grouping.calls.iter().map(|call| call.over(&rows, place_of)).collect();
        Ok((rows, key_places, calls))
    }

    fn group_all(
        &mut self,
        rows: Stream,
        keys: GroupKeys,
        calls: Vec<AggregateCall>,
        changes: Changes,
    ) -> Result<Stream, Refusal> {
        // DISTINCT of rows that only come: each comes once, and stays.
        let only_groups = calls.is_empty() && !keys.columns.is_empty();
        let output = match changes {
            _ if only_groups && self.kind(&rows) == StreamKind::Append => StreamKind::Append,
            Changes::Both => StreamKind::Changelog,
            Changes::LastOnly => StreamKind::Upsert,
        };
        let unique = RowKey::of(keys.telling().collect());
        let aggregate = Aggregate { keys: keys.columns, calls, input: self.kind(&rows), output };
        let schema = aggregate.schema();
        let node = self.add("aggregate", NodeSpec::Operator(Arc::new(aggregate)), &[rows.node])?;
        Ok(Stream { unique, partitioning: keys.partitioning, ..rows.made_into(node, schema) })
    }

    fn group_windows(
        &mut self,
        rows: Stream,
        windows: GroupedWindows,
        (keys, key_places): (GroupKeys, &[usize]),
        calls: Vec<AggregateCall>,
        bounds: &[Option<WindowColumn>],
    ) -> Result<Stream, Refusal> {
        self.check_late(&rows)?;
        let (key_count, call_count) = (keys.columns.len(), calls.len());
        let first_bound = key_count + call_count;
        // Any column of a window names it.
        let named = |bound: usize| keys.telling().chain([first_bound + bound]).collect();
        let unique = RowKey::any_of((0..WINDOW_COLUMNS).map(named).collect());
        let (input, late) = (self.kind(&rows), rows.late);
        let (schema, operator): (_, Arc<dyn OperatorSpec>) = match windows.kind {
            WindowKind::Fixed(spec) => {
                let window = spec.checked().map_err(|message| Refusal { message, help: None })?;
                let window = if windows.assigned { window.of_assigned() } else { window };
                let aggregate = WindowAggregate { window, keys: keys.columns, calls, input, late };
                (aggregate.schema(), Arc::new(aggregate))
            }
            WindowKind::Session(gap_ms) => {
                check_partition(&rows, key_places)?;
                let width = rows.rows.fields().len();
                let aggregate = SessionAggregate { gap_ms, keys: keys.columns, calls, width, late };
                (aggregate.schema(), Arc::new(aggregate))
            }
        };
        let node = self.add("window aggregate", NodeSpec::Operator(operator), &[rows.node])?;
        let mut next_key = 0..key_count;
        let groups = bounds.iter().map(|bound| match bound {
            None => next_key.next(),
            Some(bound) => Some(first_bound + *bound as usize),
        });
        let places: Vec<Option<usize>> = groups.chain((key_count..first_bound).map(Some)).collect();
        let columns_of = |bound: WindowColumn| {
            let found = bounds.iter().enumerate().filter(|(_, found)| **found == Some(bound));
            found.map(|(column, _)| column).collect::<Vec<_>>()
        };
        let [start, end, time] = [WindowColumn::Start, WindowColumn::End, WindowColumn::Time].map(columns_of);
        let first_time = time.first().copied();
        let within = Some(Within { kind: windows.kind, by: None, bounds: Bounds { start, end, time } });
        let partitioning = keys.partitioning;
        let stream = rows.made_into(node, schema);
        Ok(Stream { places, time: first_time, within, unique, partitioning, ..stream })
    }
}

/// An aggregate over columns of `rows`; `place` is where a column stands.
pub(crate) fn aggregate_call(
    expr: &Expr,
    relation: &DFSchema,
    rows: &Schema,
    place: &dyn Fn(&Expr) -> Result<usize, Refusal>,
) -> Result<AggregateCall, Refusal> {
    let Call { function, argument, distinct, filter, name } = call(expr, relation)?;
    let argument = argument.as_ref().map(place).transpose()?;
    let argument_type = argument.map_or(DataType::Int64, |place| rows.field(place).data_type().clone());
    let filter = filter.as_ref().map(place).transpose()?;
    Ok(AggregateCall { function, argument, argument_type, distinct, filter, name })
}

/// Sessions are grouped by what they are apart by.
fn check_partition(rows: &Stream, keys: &[usize]) -> Result<(), Refusal> {
    let partition = rows.windows.as_ref().and_then(|windows| windows.partition.as_ref());
    let same = partition.is_some_and(|partition| {
        partition.iter().all(|place| keys.contains(place))
            && keys.iter().all(|place| partition.contains(place))
    });
    match same {
        true => Ok(()),
        false => Err(Refusal::new(
            "SESSION is grouped by other columns than those of its PARTITION BY",
            "GROUP BY window_start, window_end and the columns of the PARTITION BY, and aggregate the result again",
        )),
    }
}

/// The keys of groups, which stand first in what comes out of an aggregation.
struct GroupKeys {
    columns: Vec<(String, DataType)>,
    /// Whether a key is the same for all groups.
    constant: Vec<bool>,
    partitioning: Option<Partitioning>,
}

impl GroupKeys {
    /// The places of the keys that tell groups apart.
    fn telling(&self) -> impl Iterator<Item = usize> {
        self.constant.iter().enumerate().filter(|(_, constant)| !**constant).map(|(place, _)| place)
    }
}

/// Whether an expression over the rows of a plan has the same value for all of them.
fn is_constant(expr: &Expr, plan: &LogicalPlan) -> bool {
    match expr {
        Expr::Literal(_, _) => true,
        Expr::Alias(alias) => is_constant(&alias.expr, plan),
        Expr::Cast(cast) => is_constant(&cast.expr, plan),
        Expr::ScalarFunction(call) => call.args.iter().all(|arg| is_constant(arg, plan)),
        Expr::Column(_) => match plan {
            LogicalPlan::Projection(projection) => picked_column(expr, &projection.schema)
                .is_some_and(|column| is_constant(&projection.expr[column], &projection.input)),
            LogicalPlan::Filter(filter) => is_constant(expr, &filter.input),
            LogicalPlan::SubqueryAlias(alias) => picked_column(expr, &alias.schema).is_some_and(|column| {
                is_constant(&Expr::from(alias.input.schema().qualified_field(column)), &alias.input)
            }),
            _ => false,
        },
        _ => false,
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

/// The windows that groups are of.
#[derive(Debug, Clone, Copy)]
struct GroupedWindows {
    kind: WindowKind,
    /// Whether each row is in one of them, and its time says in which.
    assigned: bool,
}

/// The windows that rows are grouped by: those that are open, or those that the rows have been put into, where groups have
/// their start and their end. A session that rows have been put into has no fixed bounds: its groups are like others.
fn grouped_windows(input: &Stream, bounds: &[Option<WindowColumn>]) -> Option<GroupedWindows> {
    if let Some(windows) = &input.windows {
        return Some(GroupedWindows { kind: windows.kind, assigned: false });
    }
    bounds.iter().any(Option::is_some).then_some(())?;
    let kind = input.within.as_ref()?.kind;
    Some(GroupedWindows { kind, assigned: true })
}

/// Which group expressions are a column of the window, be it open or one that the rows have been put into.
fn bounds_grouped(input: &Stream, grouping: &Grouping<'_>) -> Vec<Option<WindowColumn>> {
    let none = vec![None; grouping.groups.len()];
    let bounds = match (&input.windows, &input.within) {
        (Some(windows), _) => &windows.bounds,
        (None, Some(Within { kind: WindowKind::Fixed(_), bounds, .. })) => bounds,
        _ => return none,
    };
    let bound = |expr: &Expr| {
        let column = picked_column(expr, grouping.relation)?;
        let bounds = [
            (&bounds.start, WindowColumn::Start),
            (&bounds.end, WindowColumn::End),
            (&bounds.time, WindowColumn::Time),
        ];
        bounds.into_iter().find(|(columns, _)| columns.contains(&column)).map(|(_, bound)| bound)
    };
    let found: Vec<Option<WindowColumn>> = grouping.groups.iter().map(bound).collect();
    let has = |bound| found.contains(&Some(bound));
    // Groups of a start alone are like others.
    let are_of_windows = has(WindowColumn::Start) && has(WindowColumn::End);
    if input.windows.is_some() || are_of_windows { found } else { none }
}

/// Whether groups of an open window need its bounds in the rows: they are not of the window, or computed of its bounds.
fn must_be_assigned(input: &Stream, grouping: &Grouping<'_>) -> bool {
    let is_fixed = input.windows.as_ref().is_some_and(|windows| matches!(windows.kind, WindowKind::Fixed(_)));
    let bounds = bounds_grouped(input, grouping);
    let has = |bound| bounds.contains(&Some(bound));
    let keys = grouping.groups.iter().zip(&bounds).filter(|(_, bound)| bound.is_none());
    let keys = keys.map(|(group, _)| group);
    let arguments = grouping.calls.iter().flat_map(|call| call.argument.iter().chain(&call.filter));
    is_fixed
        && (!has(WindowColumn::Start)
            || !has(WindowColumn::End)
            || reads_bounds(input, grouping.relation, keys.chain(arguments)))
}

/// Which group expressions are columns of the window; checks that an open window is grouped by at all.
fn window_columns(input: &Stream, grouping: &Grouping<'_>) -> Result<Vec<Option<WindowColumn>>, Refusal> {
    let bounds = bounds_grouped(input, grouping);
    if input.windows.is_none() {
        return Ok(bounds);
    }
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

/// How groups are partitioned whose keys are these places of the rows.
fn of_groups(rows: &Stream, keys: &[usize]) -> Option<Partitioning> {
    let Partitioning { places, by } = rows.partitioning.as_ref()?;
    let key_of = |place: &usize| keys.iter().position(|key| key == place);
    Some(Partitioning { places: places.iter().map(key_of).collect::<Option<_>>()?, by: by.clone() })
}
