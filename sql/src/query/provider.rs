//! What DataFusion's planner may know: the tables and views of the file, and the functions.

use super::relations::StreamingRelations;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner};
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
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    options: ConfigOptions,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("relations", &self.relations.keys()).finish_non_exhaustive()
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut scalars = BTreeMap::new();
        for function in SessionStateDefaults::default_scalar_functions() {
            for name in function.aliases().iter().cloned().chain([function.name().to_owned()]) {
                scalars.insert(name, Arc::clone(&function));
            }
        }
        for function in super::functions::flink_functions() {
            scalars.insert(function.name().to_owned(), function);
        }
        let mut aggregates = BTreeMap::new();
        for function in SessionStateDefaults::default_aggregate_functions() {
            for name in function.aliases().iter().cloned().chain([function.name().to_owned()]) {
                aggregates.insert(name, Arc::clone(&function));
            }
        }
        let mut options = ConfigOptions::default();
        options.sql_parser.enable_ident_normalization = false;
        options.execution.time_zone = Some("+00:00".to_owned());
        Names {
            relations: BTreeMap::new(),
            scalars,
            aggregates,
            expr_planners: SessionStateDefaults::default_expr_planners(),
            relation_planners: vec![Arc::new(StreamingRelations)],
            options,
        }
    }

    pub(crate) fn add_table(&mut self, name: &str, schema: SchemaRef) {
        self.relations.insert(name.to_owned(), Arc::new(TopicSource { schema }));
    }

    pub(crate) fn add_view(&mut self, name: &str, plan: LogicalPlan) {
        let schema = Arc::new(plan.schema().as_arrow().clone());
        self.relations.insert(name.to_owned(), Arc::new(ViewSource { schema, plan }));
    }

    pub(crate) fn config(&self) -> &ConfigOptions {
        &self.options
    }
}

impl ContextProvider for Names {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.relations.get(name.table()) {
            Some(relation) if matches!(name, TableReference::Bare { .. }) => Ok(Arc::clone(relation)),
            _ => {
                let known: Vec<&str> = self.relations.keys().map(String::as_str).collect();
                plan_err!("there is no table or view {name}; there are {}", known.join(", "))
            }
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
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
        crate::features::top_n::functions::named(name)
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
