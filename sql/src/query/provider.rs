//! What DataFusion's planner may know: the tables and views of the file, and the functions.

use super::aggregates::numeric;
use super::bounds::Size;
use super::calls::AGGREGATES;
use super::fields::Collections;
use super::relations::StreamingRelations;
use super::types::FlinkTypes;
use crate::error::nearest;
use crate::features::{over, proctime, top_n};
use crate::functions::time::zone::Zone;
use crate::functions::user::Functions;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableScan, TableSource, TableType, WindowUDF,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands in front of the name of a function of tables, where it is asked for: no text can call a function so.
pub(crate) const TABLE_FUNCTION: &str = "table ";

/// A table of the file, as DataFusion sees it.
#[derive(Debug)]
pub(crate) struct TopicSource {
    /// Its columns.
    schema: SchemaRef,
    /// What it is called.
    name: String,
    /// Which of those that are called so, or were, it is.
    key: String,
}

/// Which table a scan reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanOf<'a> {
    pub name: &'a str,
    pub key: &'a str,
}

impl<'a> ScanOf<'a> {
    /// What a scan reads.
    pub(crate) fn of(scan: &'a TableScan) -> Self {
        let source: &dyn Any = scan.source.as_ref();
        match source.downcast_ref::<TopicSource>() {
            Some(source) => ScanOf { name: &source.name, key: &source.key },
            None => ScanOf { name: scan.table_name.table(), key: scan.table_name.table() },
        }
    }
}

impl TopicSource {
    /// Where it is not the first of its name its schema says which it is, so that plans over another are not the same.
    fn new(name: &str, schema: SchemaRef, key: &str) -> Self {
        let schema = match key == name {
            true => schema,
            false => {
                let mut metadata = schema.metadata().clone();
                metadata.insert("table".to_owned(), key.to_owned());
                Arc::new(schema.as_ref().clone().with_metadata(metadata))
            }
        };
        TopicSource { schema, name: name.to_owned(), key: key.to_owned() }
    }
}

impl TableSource for TopicSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// A view of the file: its plan takes its place.
#[derive(Debug)]
pub(crate) struct ViewSource {
    schema: SchemaRef,
    plan: LogicalPlan,
}

impl TableSource for ViewSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}

/// The names that queries can use.
pub(crate) struct Names {
    relations: BTreeMap<String, Arc<dyn TableSource>>,
    /// Tables with options of a hint, by their keys.
    hinted: BTreeMap<String, Arc<TopicSource>>,
    /// By the place of a table's name, as line and column: the one of those that stands there.
    hints: BTreeMap<(u64, u64), String>,
    /// What the views among them amount to.
    views: BTreeMap<String, Size>,
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    options: ConfigOptions,
    zone: Zone,
    /// Those of the program.
    users: Functions,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("relations", &self.relations.keys()).finish_non_exhaustive()
    }
}

impl Names {
    /// With `table.local-time-zone`.
    pub(crate) fn in_zone(zone: Zone) -> Self {
        let clock = (proctime::NAME.to_owned(), proctime::function());
        let bounds = crate::features::group_windows::functions();
        let bounds = bounds.map(|function| (function.name().to_owned(), function));
        let scalars = crate::functions::callable(zone).chain([clock]).chain(bounds).collect();
        let mut aggregates = BTreeMap::new();
        for function in SessionStateDefaults::default_aggregate_functions() {
            if AGGREGATES.contains(&function.name()) {
                aggregates.insert(function.name().to_owned(), function);
            }
        }
        aggregates.extend(numeric().map(|function| (function.name().to_owned(), function)));
        aggregates.extend(crate::functions::aggregates::callable());
        let grouping = crate::features::grouping_sets::functions();
        aggregates.extend(grouping.map(|function| (function.name().to_owned(), function)));
        let mut options = ConfigOptions::default();
        options.sql_parser.enable_ident_normalization = false;
        options.execution.time_zone = Some("+00:00".to_owned());
        Names {
            relations: BTreeMap::new(),
            hinted: BTreeMap::new(),
            hints: BTreeMap::new(),
            views: BTreeMap::new(),
            scalars,
            aggregates,
            expr_planners: [Arc::new(Collections) as Arc<dyn ExprPlanner>]
                .into_iter()
                .chain(SessionStateDefaults::default_expr_planners())
                .collect(),
            relation_planners: vec![Arc::new(StreamingRelations)],
            options,
            zone,
            users: Functions::new(),
        }
    }

    /// With functions of the program, none of which is called as one of the language.
    pub(crate) fn calling(self, users: Functions) -> Self {
        Names { users, ..self }
    }

    /// The functions of the program.
    pub(crate) fn users(&self) -> &Functions {
        &self.users
    }

    /// Calls a function of the program by another name, too.
    ///
    /// # Errors
    /// When there is no such function, or it can't have this name.
    pub(crate) fn add_function(&mut self, name: &str, of: &str) -> Result<(), String> {
        self.users.add_name(name, of)
    }

    /// The session's zone.
    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    /// Adds a table, in the place of another of that name. `key` says which of these it is.
    pub(crate) fn add_table(&mut self, name: &str, schema: SchemaRef, key: &str) {
        self.views.remove(name);
        self.relations.insert(name.to_owned(), Arc::new(TopicSource::new(name, schema, key)));
    }

    /// Adds a table that only stands where a hint is.
    pub(crate) fn add_hinted(&mut self, name: &str, schema: SchemaRef, key: &str) {
        self.hinted.insert(key.to_owned(), Arc::new(TopicSource::new(name, schema, key)));
    }

    /// Says that a table with options of a hint stands at a place.
    pub(crate) fn put_hint(&mut self, at: Location, key: String) {
        self.hints.insert((at.line, at.column), key);
    }

    /// The table with options of a hint that stands at a place.
    pub(super) fn hint_at(&self, at: Location) -> Option<&str> {
        self.hints.get(&(at.line, at.column)).map(String::as_str)
    }

    /// Forgets a table or a view.
    pub(crate) fn remove(&mut self, name: &str) {
        self.relations.remove(name);
        self.views.remove(name);
    }

    /// Calls a table or a view otherwise.
    pub(crate) fn rename(&mut self, name: &str, to: &str) {
        if let Some(relation) = self.relations.remove(name) {
            let source: &dyn Any = relation.as_ref();
            let renamed: Arc<dyn TableSource> = match source.downcast_ref::<TopicSource>() {
                Some(table) => Arc::new(TopicSource::new(to, Arc::clone(&table.schema), &table.key)),
                None => relation,
            };
            self.relations.insert(to.to_owned(), renamed);
        }
        if let Some(size) = self.views.remove(name) {
            self.views.insert(to.to_owned(), size);
        }
    }

    pub(crate) fn add_view(&mut self, name: &str, plan: LogicalPlan) {
        let schema = Arc::new(plan.schema().as_arrow().clone());
        self.views.insert(name.to_owned(), Size::of_plan(&plan));
        self.relations.insert(name.to_owned(), Arc::new(ViewSource { schema, plan }));
    }

    /// The columns of a table or a view.
    pub(crate) fn schema(&self, name: &str) -> Option<SchemaRef> {
        self.relations.get(name).map(|relation| relation.schema())
    }

    /// What a relation amounts to; `None` for a name that is none.
    pub(super) fn size(&self, name: &str) -> Option<Size> {
        if let Some(table) = self.hinted.get(name) {
            return Some(Size::of_table(table.schema.fields().len()));
        }
        let relation = self.relations.get(name)?;
        Some(match self.views.get(name) {
            Some(size) => *size,
            None => Size::of_table(relation.schema().fields().len()),
        })
    }

    /// What to do instead of reading a relation that is not there.
    pub(super) fn instead_of(&self, name: &str) -> String {
        let known = self.relations.keys().map(String::as_str);
        match nearest(name, known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None if self.relations.is_empty() => "declare it with CREATE TABLE in front of this".to_owned(),
            None => {
                let more = if self.relations.len() > 20 { ", .." } else { "" };
                let known: Vec<&str> = known.take(20).collect();
                let are = if known.len() == 1 { "is only" } else { "are" };
                format!("declare it with CREATE TABLE; there {are} {}{more}", known.join(", "))
            }
        }
    }

    /// Whether a function is one of many rows.
    pub(super) fn is_aggregate(&self, name: &str) -> bool {
        let lower = name.to_lowercase();
        self.aggregates.contains_key(&lower) || self.users.aggregate_named(&lower).is_some()
    }

    /// Names of the functions, in lower case.
    pub(crate) fn functions(&self) -> Vec<String> {
        let known = self.scalars.keys().chain(self.aggregates.keys()).cloned();
        known.chain(self.users.names().map(str::to_owned)).collect()
    }

    pub(crate) fn config(&self) -> &ConfigOptions {
        &self.options
    }
}

impl ContextProvider for Names {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        if let Some(table) = self.hinted.get(name.table()) {
            return Ok(Arc::clone(table) as Arc<dyn TableSource>);
        }
        match self.relations.get(name.table()) {
            Some(relation) if matches!(name, TableReference::Bare { .. }) => Ok(Arc::clone(relation)),
            _ => plan_err!("table '{name}' not found"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(FlinkTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let lower = name.to_lowercase();
        if let Some(table) = lower.strip_prefix(TABLE_FUNCTION) {
            return self.users.table_named(table);
        }
        self.scalars.get(&lower).cloned().or_else(|| self.users.scalar_named(&lower))
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let lower = name.to_lowercase();
        self.aggregates.get(&lower).cloned().or_else(|| self.users.aggregate_named(&lower))
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        top_n::functions::named(name).or_else(|| over::functions::named(name))
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.scalars.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.aggregates.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
