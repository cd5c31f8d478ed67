//! DataFusion's physical expressions as the operators see them.

mod failed;

use crate::features::proctime;
use crate::functions::casting::cast_of;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column as Name, DFSchema, Result, ScalarValue, plan_err};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator, TryCast};
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use millstream_operators::{Expression, ExpressionCx, OperatorError};
use std::sync::Arc;

/// A physical expression, created with the plan and evaluated once per batch.
#[derive(Debug)]
pub(crate) struct Evaluated {
    expr: Arc<dyn PhysicalExpr>,
    data_type: DataType,
    sql: String,
    /// Whether the clock is read in it.
    clock: bool,
}

impl Evaluated {
    /// An expression over rows of `schema`.
    pub(crate) fn new(expr: Arc<dyn PhysicalExpr>, schema: &SchemaRef, sql: String) -> Result<Self> {
        let data_type = expr.data_type(schema)?;
        let clock = proctime::is_evaluated_with_clock(&expr);
        Ok(Evaluated { expr, data_type, sql, clock })
    }
}

impl Expression for Evaluated {
    fn evaluate(
        &self,
        rows: &RecordBatch,
        cx: &ExpressionCx,
    ) -> std::result::Result<ArrayRef, OperatorError> {
        let over = |expr: &Arc<dyn PhysicalExpr>| expr.evaluate(rows)?.into_array(rows.num_rows());
        let evaluated = match self.clock {
            true => proctime::at_clock(&self.expr, cx.now_ms).and_then(|expr| over(&expr)),
            false => over(&self.expr),
        };
        evaluated.map_err(|error| failed::failed(&self.expr, &self.sql, rows, &error))
    }

    fn data_type(&self) -> &DataType {
        &self.data_type
    }

    fn sql(&self) -> &str {
        &self.sql
    }

    fn meaning(&self, column: &dyn Fn(usize) -> String) -> String {
        crate::meaning::of_expression(&self.expr, &self.data_type, column)
    }
}

/// An expression as people write it: `bid.price`, where DataFusion has a call that gets a field.
pub(crate) fn sql_text(expr: &Expr) -> String {
    let written = expr.clone().transform_up(|expr| {
        Ok(match field_of(&expr) {
            Some((Expr::Column(row), names)) => {
                let path = std::iter::once(row.name.as_str()).chain(names.iter().map(String::as_str));
                Transformed::yes(Expr::Column(Name::new_unqualified(path.collect::<Vec<_>>().join("."))))
            }
            _ => as_written(expr),
        })
    });
    let written = written.data().unwrap_or_else(|_| expr.clone());
    counted(&written.human_display().to_string())
}

/// Operators and casts that are calls of ours, as SQL writes them.
fn as_written(expr: Expr) -> Transformed<Expr> {
    let Expr::ScalarFunction(call) = &expr else { return Transformed::no(expr) };
    let operand = |place: usize| call.args.get(place).cloned().map(Box::new);
    if let (Some(to), Some(inner)) = (cast_of(&call.func), operand(0)) {
        let cast = Cast::new(inner, to.to.clone());
        return Transformed::yes(match to.lenient {
            true => Expr::TryCast(TryCast::new(cast.expr, to.to.clone())),
            false => Expr::Cast(cast),
        });
    }
    match (operator_of(call.func.name()), operand(0), operand(1)) {
        (Some(op), Some(left), Some(right)) => {
            Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))
        }
        _ => Transformed::no(expr),
    }
}

fn operator_of(name: &str) -> Option<Operator> {
    Some(match name {
        "+" => Operator::Plus,
        "-" => Operator::Minus,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "=" => Operator::Eq,
        "<>" => Operator::NotEq,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        _ => return None,
    })
}

/// The name of a column as people write it: DataFusion counts rows as ones.
pub(crate) fn counted(name: &str) -> String {
    name.replace("count(Int64(1))", "count(*)")
}

/// `row.a.b`: the row, and the names of the fields.
pub(crate) fn field_of(expr: &Expr) -> Option<(&Expr, Vec<String>)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let (row, path) = call.args.split_first()?;
    let names = path.iter().map(|name| match name {
        Expr::Literal(ScalarValue::Utf8(Some(name)), _) => Some(name.clone()),
        _ => None,
    });
    let names: Vec<String> = names.collect::<Option<_>>()?;
    (call.func.name() == "get_field" && !names.is_empty()).then_some((row, names))
}

/// Whether a query stands in an expression.
pub(crate) fn has_subquery(expr: &Expr) -> bool {
    let is_query = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_)
        ))
    };
    expr.exists(is_query).unwrap_or(true)
}

/// Where the columns of a relation stand in the rows that carry it.
pub(crate) struct Columns<'a> {
    /// The relation.
    pub relation: &'a DFSchema,
    /// By column of the relation: its place in the rows; `None` for one that is in no row.
    pub places: &'a [Option<usize>],
    /// The rows.
    pub rows: &'a SchemaRef,
    /// Whether rows only come, so that the clock can be read for them: what is taken back would be read at another time.
    pub clock: bool,
}

impl Columns<'_> {
    /// Creates an expression over the relation that is evaluated over the rows.
    pub(crate) fn expression(&self, expr: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        if !self.clock && proctime::reads_clock(expr) {
            return plan_err!(
                "PROCTIME() is not supported for rows that are updated or deleted, and in conditions of joins: read it in a \
                 view of the table, before rows are joined or grouped"
            );
        }
        if has_subquery(expr) {
            return plan_err!(
                "a query inside of an expression is supported in SELECT and WHERE only: compute it in a view first"
            );
        }
        let over_relation = create_physical_expr(
            expr,
            self.relation,
            &ExecutionProps::new(),
            &PhysicalPlanningContext::default(),
        )?;
        over_relation.transform(|node| self.to_rows(node)).data()
    }

    fn to_rows(&self, node: Arc<dyn PhysicalExpr>) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
        let Some(column) = (node.as_ref() as &dyn std::any::Any).downcast_ref::<Column>() else {
            return Ok(Transformed::no(node));
        };
        let Some(place) = self.places[column.index()] else {
            return plan_err!(
                "{} is only known when the window closes: group by window_start and window_end first",
                column.name()
            );
        };
        let field = self.rows.field(place);
        let wanted = self.relation.field(column.index()).data_type();
        let found: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        // A row whose fields are only read by name does without those that nobody reads.
        if field.data_type() == wanted || matches!(wanted, DataType::Struct(_)) {
            return Ok(Transformed::new(found, true, datafusion::common::tree_node::TreeNodeRecursion::Jump));
        }
        let cast: Arc<dyn PhysicalExpr> = Arc::new(CastExpr::new(found, wanted.clone(), None));
        Ok(Transformed::new(cast, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
    }
}
