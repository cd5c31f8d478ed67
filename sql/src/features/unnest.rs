//! `UNNEST`: a row for each element of a collection, beside the row that has it.
//!
//! The planner plans `UNNEST(..)` as a relation without an input ([`Elements`]), whose collection is an expression over
//! the relations to its left. [`recognise`] puts an [`UnnestTable`] in the place of the join of the two, and
//! [`Lowering::lower_unnest`] makes it an [`Unnest`].

use super::Feature;
use super::window::unknown_function;
use super::{grouping_sets, plan_of, table_function};
use crate::functions::user::scalar_of;
use crate::lower::{Changes, Lowering, Partitioning, Refusal, RowKey, Stream};
use crate::query::relations::{error_at, planned};
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference, plan_err};
use datafusion::logical_expr::logical_plan::{Subquery, UserDefinedLogicalNodeCore};
use datafusion::logical_expr::planner::{RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Extension, Filter, Join, JoinType, LogicalPlan, Projection, SubqueryAlias,
};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{FunctionArg, FunctionArgExpr, TableFactor};
use millstream_operators::columns::multiset_value;
use millstream_operators::formats::sql_type;
use millstream_operators::{NodeSpec, StreamKind, Unnest, element_types};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What the column of a collection is called while it is no column of a query.
const COLLECTION: &str = "UNNEST(..)";

/// `UNNEST(collection)` as it stands in a `FROM`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Elements {
    collection: Expr,
    numbered: bool,
    /// How it is written.
    what: &'static str,
    schema: DFSchemaRef,
}

impl Elements {
    /// The elements of a collection over the relations to the left.
    ///
    /// # Errors
    /// What the expression is, where it is no collection.
    pub(crate) fn new(collection: Expr, numbered: bool, alias: Option<&str>) -> Result<Self> {
        let data_type = collection.get_type(&DFSchema::empty())?;
        let types = element_types(&data_type, numbered);
        if types.is_empty() {
            return plan_err!("UNNEST takes an ARRAY, a MAP or a MULTISET, not {}", sql_type(&data_type));
        }
        let names = names(&data_type, numbered, alias.unwrap_or("EXPR$0"));
        let fields = names.into_iter().zip(types).map(|(name, data_type)| Field::new(name, data_type, true));
        let fields = fields.map(|field| (None, Arc::new(field))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        let what = written(&collection);
        Ok(Elements { collection, numbered, what, schema })
    }
}

/// What the columns of elements are called where nothing else is said: an element that is no row as its relation.
fn names(collection: &DataType, numbered: bool, relation: &str) -> Vec<String> {
    let element = match collection {
        DataType::List(item) => Some(item.data_type()),
        other => multiset_value(other),
    };
    let mut names: Vec<String> = match element {
        Some(DataType::Struct(fields)) => fields.iter().map(|field| field.name().clone()).collect(),
        Some(_) => vec![relation.to_owned()],
        None => vec!["KEY".to_owned(), "VALUE".to_owned()],
    };
    names.extend(numbered.then(|| "ORDINALITY".to_owned()));
    names
}

impl PartialOrd for Elements {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.collection.partial_cmp(&other.collection)
    }
}

impl UserDefinedLogicalNodeCore for Elements {
    fn name(&self) -> &str {
        "Elements"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.collection.clone()]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements: {}", self.collection)
    }

    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        match exprs.pop() {
            Some(collection) => Ok(Elements { collection, ..self.clone() }),
            None => plan_err!("elements are of a collection"),
        }
    }
}

/// The rows of the input with the elements of their last column, which is a collection, in its place.
#[derive(Debug, Clone)]
pub(crate) struct UnnestTable {
    /// The rows.
    pub input: LogicalPlan,
    names: Vec<(Option<TableReference>, String)>,
    numbered: bool,
    /// Whether rows without elements are kept.
    keeps_empty: bool,
    schema: DFSchemaRef,
}

impl UnnestTable {
    fn new(
        input: LogicalPlan,
        names: Vec<(Option<TableReference>, String)>,
        numbered: bool,
        keeps_empty: bool,
    ) -> Result<Self> {
        let columns: Vec<_> = input.schema().iter().collect();
        let Some(((_, collection), kept)) = columns.split_last() else {
            return plan_err!("the elements of no column");
        };
        let kept = kept.iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let types = element_types(collection.data_type(), numbered);
        let elements = names.iter().zip(types).map(|((qualifier, name), data_type)| {
            (qualifier.clone(), Arc::new(Field::new(name, data_type, true)))
        });
        let fields = kept.chain(elements).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default())?);
        Ok(UnnestTable { input, names, numbered, keeps_empty, schema })
    }

    /// The rows of a plan once for each of these numbers, which stand in a column of this name behind the others.
    pub(crate) fn times(input: LogicalPlan, numbers: &[i32], name: &str) -> Result<LogicalPlan> {
        let numbers: Vec<ScalarValue> = numbers.iter().map(|number| ScalarValue::from(*number)).collect();
        let list = ScalarValue::List(ScalarValue::new_list(&numbers, &DataType::Int32, true));
        let input = with_collection(input, Expr::Literal(list, None))?;
        let node = UnnestTable::new(input, vec![(None, name.to_owned())], false, false)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(node) }))
    }

    fn identity(&self) -> (&LogicalPlan, &[(Option<TableReference>, String)], bool, bool) {
        (&self.input, &self.names, self.numbered, self.keeps_empty)
    }
}

impl PartialEq for UnnestTable {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for UnnestTable {}

impl Hash for UnnestTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartialOrd for UnnestTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input)
    }
}

impl UserDefinedLogicalNodeCore for UnnestTable {
    fn name(&self) -> &str {
        "UnnestTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names.iter().map(|(_, name)| name.as_str()).collect();
        write!(f, "UnnestTable: {}", names.join(", "))
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => UnnestTable::new(input, self.names.clone(), self.numbered, self.keeps_empty),
            None => plan_err!("unnested rows have one input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let last = self.input.schema().fields().len() - 1;
        let kept = output_columns.iter().copied().filter(|column| *column < last);
        Some(vec![kept.chain([last]).collect()])
    }
}

/// The rows of a plan with a collection behind their columns.
fn with_collection(input: LogicalPlan, collection: Expr) -> Result<LogicalPlan> {
    let columns = input.schema().iter().map(Expr::from).chain([collection.alias(COLLECTION)]).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
}

/// Puts a node in the place of a join with the elements of a collection.
pub(crate) fn recognise(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = &plan else { return Ok(Transformed::no(plan)) };
    let Some((elements, names)) = elements_of(&join.right) else { return Ok(Transformed::no(plan)) };
    let keeps_empty = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => {
            return plan_err!(
                "{} stands behind CROSS JOIN, JOIN or LEFT JOIN, not {other} JOIN",
                elements.what
            );
        }
    };
    let condition = condition_of(join);
    if keeps_empty && condition.as_ref().is_some_and(|condition| !is_true(condition)) {
        return plan_err!("LEFT JOIN {}(..) takes ON TRUE only, as in Flink", elements.what);
    }
    let collection = elements.collection.clone().transform_up(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
        other => Ok(Transformed::no(other)),
    })?;
    let input = with_collection(join.left.as_ref().clone(), collection.data)?;
    let node = UnnestTable::new(input, names, elements.numbered, keeps_empty)?;
    let table = LogicalPlan::Extension(Extension { node: Arc::new(node) });
    Ok(Transformed::yes(match condition.filter(|condition| !is_true(condition)) {
        Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, Arc::new(table))?),
        None => table,
    }))
}

/// How a collection is written in a `FROM`.
fn written(collection: &Expr) -> &'static str {
    match collection {
        Expr::ScalarFunction(call) if scalar_of(&call.func).is_some() => "LATERAL TABLE",
        _ => "UNNEST",
    }
}

/// The whole condition of a join.
fn condition_of(join: &Join) -> Option<Expr> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    equal.chain(join.filter.clone()).reduce(Expr::and)
}

fn is_true(condition: &Expr) -> bool {
    matches!(condition, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
}

/// The elements that a relation is, and what its columns are called.
fn elements_of(plan: &LogicalPlan) -> Option<(Elements, Vec<(Option<TableReference>, String)>)> {
    match plan {
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) => {
            let (elements, names) = elements_of(input)?;
            Some((elements, names.into_iter().map(|(_, name)| (Some(alias.clone()), name)).collect()))
        }
        LogicalPlan::Subquery(Subquery { subquery, .. }) => elements_of(subquery),
        LogicalPlan::Projection(projection) => {
            let (elements, _) = elements_of(&projection.input)?;
            let schema = projection.input.schema();
            let same = projection.expr.iter().enumerate().all(|(place, expr)| {
                let column = match expr {
                    Expr::Alias(alias) => alias.expr.as_ref(),
                    other => other,
                };
                matches!(column, Expr::Column(column) if schema.maybe_index_of_column(column) == Some(place))
            });
            let names = projection.schema.iter();
            let names = names.map(|(qualifier, field)| (qualifier.cloned(), field.name().clone())).collect();
            same.then_some((elements, names))
        }
        LogicalPlan::Extension(Extension { node }) => {
            let elements = node.as_any().downcast_ref::<Elements>()?;
            let names = elements.schema.fields().iter().map(|field| (None, field.name().clone()));
            Some((elements.clone(), names.collect()))
        }
        _ => None,
    }
}

impl Feature for Elements {
    fn relation(relation: TableFactor, context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        let TableFactor::Function { name, args, with_ordinality, alias, .. } = relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        if name.to_string().eq_ignore_ascii_case("TABLE") {
            return table_function::relation(&name, &args, with_ordinality, alias, context);
        }
        if !name.to_string().eq_ignore_ascii_case("UNNEST") {
            return Err(unknown_function(&name));
        }
        let collection = match args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(collection))] => collection.clone(),
            _ => return Err(error_at(format!("{name} takes one collection"), &name, "write UNNEST(items)")),
        };
        let collection = context.sql_to_expr(collection, &DFSchema::empty())?;
        let called = alias.as_ref().filter(|alias| alias.columns.is_empty());
        let called = called.map(|alias| alias.name.value.as_str());
        planned(plan_of(Elements::new(collection, with_ordinality, called)?), alias)
    }

    fn lower(&self, _lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        Err(Refusal::new(
            format!("{} stands alone: a query without a table has no stream to read", self.what),
            "write FROM t CROSS JOIN UNNEST(t.items) AS i (item), or FROM t, LATERAL TABLE(f(t.x)) AS r (a)",
        ))
    }
}

impl Feature for UnnestTable {
    fn analyzed(plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(recognise).data()?;
        plan.transform_up_with_subqueries(grouping_sets::recognise).data()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, _changes: Changes) -> Result<Stream, Refusal> {
        lowering.lower_unnest(self)
    }
}

impl Lowering<'_> {
    fn lower_unnest(&mut self, node: &UnnestTable) -> Result<Stream, Refusal> {
        let input = self.lower(&node.input, Changes::Both)?;
        let input = match self.kind(&input) {
            StreamKind::Upsert => self.normalize(input)?,
            _ => input,
        };
        let last = node.input.schema().fields().len() - 1;
        let Some(collection) = input.place(last) else {
            let help = "group by window_start and window_end first";
            return Err(Refusal::new("UNNEST of a column of a window that is still open", help));
        };
        let kept = kept_places(&input, last);
        let operator = Unnest {
            input: Arc::clone(&input.rows),
            collection,
            kept: kept.clone(),
            names: node.names.iter().map(|(_, name)| name.clone()).collect(),
            numbered: node.numbered,
            keeps_empty: node.keeps_empty,
        };
        let rows = operator.schema();
        let id = self.add("unnest", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
        let moved = |place: usize| kept.iter().position(|kept| *kept == place);
        let elements = kept.len()..rows.fields().len();
        let unique = self.element_key(node, &input, elements.clone(), moved);
        let columns = input.places[..last].iter().map(|place| place.and_then(moved));
        let places: Vec<Option<usize>> = columns.chain(elements.map(Some)).collect();
        let stream = Stream { time: input.time.filter(|time| *time < last), ..input.over(id, rows, moved) };
        Ok(Stream { places, unique, ..stream })
    }

    /// What tells elements apart: what tells their rows apart, and their number, or the key of a map.
    fn element_key(
        &self,
        node: &UnnestTable,
        input: &Stream,
        elements: std::ops::Range<usize>,
        moved: impl Fn(usize) -> Option<usize>,
    ) -> RowKey {
        let columns = node.input.schema().fields();
        let is_map = columns.last().is_some_and(|field| {
            matches!(field.data_type(), DataType::Map(..)) && multiset_value(field.data_type()).is_none()
        });
        let telling = match (node.numbered, is_map) {
            (true, _) => elements.last(),
            (false, true) => elements.clone().next(),
            (false, false) => None,
        };
        let Some(telling) = telling else { return RowKey::Unknown };
        let rows = input.unique.moved(moved);
        let keys = rows.alternatives().iter().map(|key| key.iter().copied().chain([telling]).collect());
        RowKey::any_of(keys.collect())
    }
}

/// The places of columns, and of what goes with the rows, without the collection unless it is a column itself.
fn kept_places(input: &Stream, last: usize) -> Vec<usize> {
    let columns = input.places[..last].iter().flatten().copied();
    let unique = input.unique.alternatives().iter().flatten().copied();
    let windows = input
        .windows
        .iter()
        .flat_map(|windows| windows.by.into_iter().chain(windows.partition.iter().flatten().copied()));
    let partitioning =
        input.partitioning.iter().flat_map(|Partitioning { places, .. }| places.iter().copied());
    let mut kept: Vec<usize> = Vec::new();
    for place in columns.chain(unique).chain(windows).chain(partitioning) {
        if !kept.contains(&place) {
            kept.push(place);
        }
    }
    kept
}
