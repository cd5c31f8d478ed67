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
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, TableType, WindowUDF,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table of the file, as DataFusion sees it.
#[derive(Debug)]
pub(crate) struct TopicSource {
    /// Its columns.
    pub schema: SchemaRef,
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
    /// What the views among them amount to.
    views: BTreeMap<String, Size>,
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    options: ConfigOptions,
    zone: Zone,
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
        }
    }

    /// The session's zone.
    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    pub(crate) fn add_table(&mut self, name: &str, schema: SchemaRef) {
        self.relations.insert(name.to_owned(), Arc::new(TopicSource { schema }));
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
        self.aggregates.contains_key(&name.to_lowercase())
    }

    /// Names of the functions, in lower case.
    pub(super) fn functions(&self) -> Vec<String> {
        self.scalars.keys().chain(self.aggregates.keys()).cloned().collect()
    }

    pub(crate) fn config(&self) -> &ConfigOptions {
        &self.options
    }
}

impl ContextProvider for Names {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
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
        self.scalars.get(&name.to_lowercase()).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&name.to_lowercase()).cloned()
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
