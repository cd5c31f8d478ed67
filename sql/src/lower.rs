//! From an analysed plan to operators.
//!
//! [`Lowering`] walks a plan bottom up; every node becomes a [`Stream`]: the operator its rows come from, and where the
//! columns of the plan's node stand in those rows. Nodes that only rename, reorder or drop columns become no operator.
//! Rows are brought together by key only where they are not together yet.

mod aggregate;
mod clock;
mod exchange;
mod interval;
mod letters;
mod needed;
mod project;
mod sink;
mod source;
mod stream;
mod stream_join;
mod union;
mod values;
mod windows;

pub(crate) use aggregate::aggregate_call;
pub(crate) use needed::{Need, add_reads};
pub(crate) use project::{column_ref, picked_column};
pub(crate) use sink::{InsertInto, converted};
pub(crate) use source::SourceTable;
pub(crate) use stream::{Bounds, PartitionedBy, Partitioning, RowKey, Stream, Times, Windows, Within};

use crate::expression::Columns;
use crate::features::{feature, state_ttl};
use crate::query::{Words, in_flinks_types, words};
use crate::settings::Settings;
use clock::collect_by_clock;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{Distinct, Expr, Extension, LogicalPlan};
use millstream_operators::{NodeId, NodeSpec, StreamKind, Topology, TopologyError};
use needed::{Needs, collect_needs};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Why a plan can't be run as a stream.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Refusal { message: message.into(), help: Some(help.into()) }
    }
}

impl From<DataFusionError> for Refusal {
    fn from(error: DataFusionError) -> Self {
        let Words { message, help } = words(&error, None);
        Refusal { message, help }
    }
}

impl From<TopologyError> for Refusal {
    fn from(error: TopologyError) -> Self {
        Refusal { message: in_flinks_types(&error.message), help: None }
    }
}

/// What whoever reads a stream needs to know of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Changes {
    /// The old row of an update, and the new one.
    Both,
    /// The last row of every key is enough.
    LastOnly,
}

/// The topology of a job while its statements are added.
pub(crate) struct Lowering<'a> {
    pub(crate) topology: Topology,
    tables: &'a BTreeMap<String, SourceTable>,
    settings: &'a Settings,
    /// By table: what some statement reads.
    needs: Needs,
    sources: BTreeMap<String, Stream>,
    lowered: HashMap<(LogicalPlan, Changes), Stream>,
    /// What the operators of the current statement are named after.
    scope: String,
    names: BTreeSet<String>,
    /// Sides of joins whose rows are kept for a time of their own.
    kept: BTreeSet<String>,
    /// Tables whose rows are taken by the clock.
    by_clock: BTreeSet<String>,
}

impl<'a> Lowering<'a> {
    /// A lowering of these plans; a table that several of them read is read once.
    pub(crate) fn new<'p>(
        tables: &'a BTreeMap<String, SourceTable>,
        settings: &'a Settings,
        plans: impl Iterator<Item = &'p LogicalPlan>,
    ) -> Result<Self, Refusal> {
        let mut needs = Needs::new();
        let mut by_clock = BTreeSet::new();
        for plan in plans {
            collect_needs(plan, &mut needs)?;
            collect_by_clock(plan, tables, &mut by_clock)?;
        }
        let most = settings.get("millstream.exchange-tasks").and_then(|tasks| tasks.parse().ok());
        let topology = most.into_iter().fold(Topology::new(), Topology::with_exchange_tasks_max);
        Ok(Lowering {
            topology,
            tables,
            settings,
            needs,
            sources: BTreeMap::new(),
            lowered: HashMap::new(),
            scope: String::new(),
            names: BTreeSet::new(),
            kept: BTreeSet::new(),
            by_clock,
        })
    }

    /// Adds a node, named after the statement and what it does.
    pub(crate) fn add(&mut self, what: &str, spec: NodeSpec, inputs: &[NodeId]) -> Result<NodeId, Refusal> {
        let name = self.free_name(format!("{} / {what}", self.scope));
        Ok(self.topology.add(name, spec, inputs)?)
    }

    fn free_name(&mut self, name: String) -> String {
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let free = [name.clone()].into_iter().chain(numbered).find(|name| !self.names.contains(name));
        let free = free.unwrap_or(name);
        self.names.insert(free.clone());
        free
    }

    /// Refuses a time to keep rows that no join goes by.
    pub(crate) fn check_kept(&self, plan: &LogicalPlan) -> Result<(), Refusal> {
        let missed = state_ttl::marks(plan).into_iter().find(|(mark, _)| !self.kept.contains(mark));
        match missed {
            None => Ok(()),
            Some((_, name)) => Err(Refusal::new(
                format!("STATE_TTL of {name} means nothing here: it is no side of a join that keeps rows"),
                "leave it out; it is for the tables, views and queries that a JOIN names, and not for aggregates, \
                 ranks, or joins that are bounded by time",
            )),
        }
    }

    /// The zone whose clocks show a `TIMESTAMP_LTZ`.
    pub(crate) fn zone(&self) -> &'a str {
        self.settings.get("table.local-time-zone").map_or("UTC", String::as_str)
    }

    pub(crate) fn kind(&self, stream: &Stream) -> StreamKind {
        self.topology.kind(stream.node)
    }

    /// Lowers a plan.
    pub(crate) fn lower(&mut self, plan: &LogicalPlan, changes: Changes) -> Result<Stream, Refusal> {
        let key = (plan.clone(), changes);
        if let Some(stream) = self.lowered.get(&key) {
            return Ok(stream.clone());
        }
        let stream = self.lower_new(plan, changes)?;
        self.lowered.insert(key, stream.clone());
        Ok(stream)
    }

    fn lower_new(&mut self, plan: &LogicalPlan, changes: Changes) -> Result<Stream, Refusal> {
        match plan {
            LogicalPlan::TableScan(scan) => self.lower_scan(scan),
            LogicalPlan::SubqueryAlias(alias) => self.lower(&alias.input, changes),
            LogicalPlan::Projection(projection) => {
                self.lower_projection(&projection.input, &projection.expr, &projection.schema, changes)
            }
            LogicalPlan::Filter(filter) => {
                let all: Vec<Expr> = filter.input.schema().iter().map(Expr::from).collect();
                self.lower_projection(plan, &all, filter.input.schema(), changes)
            }
            LogicalPlan::Aggregate(aggregate) => self.lower_aggregate(aggregate, changes),
            LogicalPlan::Join(join) => self.lower_stream_join(join),
            LogicalPlan::Values(values) => self.lower_values(values),
            LogicalPlan::EmptyRelation(empty) => self.lower_empty(empty),
            LogicalPlan::Union(union) => self.lower_union(union),
            LogicalPlan::Distinct(Distinct::All(input)) => self.lower_distinct(input, changes),
            LogicalPlan::Extension(Extension { node }) => match feature(node.as_ref()) {
                Some(feature) => feature.lower(self, changes),
                None => Err(unsupported(plan)),
            },
            other => Err(unsupported(other)),
        }
    }

    /// The keys of the tables that are read.
    pub(crate) fn tables_read(&self) -> BTreeSet<String> {
        self.sources.keys().cloned().collect()
    }

    /// Adds the operators of a query that is only explained.
    pub(crate) fn explain_query(&mut self, plan: &LogicalPlan) -> Result<(), Refusal> {
        self.scope = "query".to_owned();
        let stream = self.lower(plan, Changes::Both)?;
        self.check_kept(plan)?;
        let stream = self.assign_windows(stream)?;
        let writer = std::sync::Arc::new(millstream_operators::sink::Blackhole);
        let sink = millstream_operators::sink::SinkSpec { table: "query".to_owned(), topic: None, writer };
        let name = self.free_name("query / rows".to_owned());
        self.topology.add(name, NodeSpec::Sink(std::sync::Arc::new(sink)), &[stream.node])?;
        Ok(())
    }

    /// The columns of a stream, as expressions over the relation read them.
    pub(crate) fn columns<'s>(
        &self,
        stream: &'s Stream,
        relation: &'s datafusion::common::DFSchema,
    ) -> Columns<'s> {
        let clock = self.kind(stream) == StreamKind::Append;
        Columns { relation, places: &stream.places, rows: &stream.rows, clock }
    }
}

fn unsupported(plan: &LogicalPlan) -> Refusal {
    let (what, help) = match plan {
        LogicalPlan::Sort(_) => (
            "ORDER BY is not supported yet: a stream that goes on has no last row to sort",
            "add LIMIT n for the first rows, or sort where the results are read",
        ),
        LogicalPlan::Window(_) => (
            "OVER is supported for ROW_NUMBER, RANK and DENSE_RANK under an upper bound only",
            "for a rank, add WHERE rank <= n around the query; otherwise aggregate with GROUP BY, over TUMBLE or HOP, or into an upsert table",
        ),
        _ => (
            "this kind of query is not supported yet",
            "use SELECT with WHERE, GROUP BY, TUMBLE, HOP, JOIN and UNION",
        ),
    };
    Refusal::new(what, help)
}
