//! `PROCTIME()`: the clock.
//!
//! Its value is the clock reading of the step that computes it, which is recorded with the step: so it is the same again
//! when a commit is run again. As a column of a table, `pt AS PROCTIME()`, it is the table's time attribute where that has
//! no `WATERMARK`: the event time of its rows is then the clock, and the watermark follows it ([`EventTimeSpec::by_clock`]).
//! What goes by event time goes by the clock over such a table: windows, `OVER`, joins in time. As a column of a view or a
//! query it is the time of rows that have another so far: they get it where they are sent on by key (`lower/clock.rs`).
//!
//! [`EventTimeSpec::by_clock`]: millstream_operators::source::EventTimeSpec::by_clock

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use std::any::Any;
use std::sync::Arc;

/// Its name, in lower case.
pub(crate) const NAME: &str = "proctime";

/// The function, as the planner knows it.
pub(crate) fn function() -> Arc<ScalarUDF> {
    // It is no constant that could be computed while a query is planned.
    Arc::new(ScalarUDF::from(Clock { signature: Signature::nullary(Volatility::Volatile) }))
}

/// The type of its values: TIMESTAMP_LTZ(3).
pub(crate) fn data_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Clock {
    signature: Signature,
}

impl ScalarUDFImpl for Clock {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(data_type())
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("PROCTIME() is the clock reading of a step, and there is no step")
    }
}

/// Whether a function is the clock.
pub(crate) fn is_clock(function: &ScalarUDF) -> bool {
    let inner: &dyn Any = function.inner().as_ref();
    inner.is::<Clock>()
}

/// Whether the clock is read in an expression.
pub(crate) fn reads_clock(expr: &Expr) -> bool {
    let is_read = |expr: &Expr| Ok(matches!(expr, Expr::ScalarFunction(call) if is_clock(&call.func)));
    expr.exists(is_read).unwrap_or(true)
}

/// Whether an expression is nothing but the clock.
pub(crate) fn is_proctime(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_proctime(&alias.expr),
        Expr::ScalarFunction(call) => is_clock(&call.func),
        _ => false,
    }
}

/// Whether the clock is read in an expression that is evaluated.
pub(crate) fn is_evaluated_with_clock(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.exists(|node| Ok(is_clock_node(node))).unwrap_or(true)
}

/// The expression at a clock reading.
pub(crate) fn at_clock(expr: &Arc<dyn PhysicalExpr>, now_ms: i64) -> Result<Arc<dyn PhysicalExpr>> {
    let now = ScalarValue::TimestampMillisecond(Some(now_ms), Some("+00:00".into()));
    let now: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(now));
    let replaced = Arc::clone(expr).transform_up(|node| match is_clock_node(&node) {
        true => Ok(Transformed::yes(Arc::clone(&now))),
        false => Ok(Transformed::no(node)),
    });
    replaced.data()
}

fn is_clock_node(node: &Arc<dyn PhysicalExpr>) -> bool {
    let node: &dyn Any = node.as_ref();
    node.downcast_ref::<ScalarFunctionExpr>().is_some_and(|call| is_clock(call.fun()))
}
