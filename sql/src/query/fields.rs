//! `row.field`, `array[1]`, `map['k']`, `ARRAY[..]` and `MAP[..]`.

use crate::functions::{ARRAY, Function, ITEM, MAP, unzoned};
use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit};

/// Plans collections and their parts.
#[derive(Debug)]
pub(super) struct Collections;

fn call(function: &'static Function, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(unzoned(function), args))
}

impl ExprPlanner for Collections {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { expr, field_access } = access;
        let is_row = matches!(expr.get_type(schema)?, DataType::Struct(_));
        Ok(match field_access {
            GetFieldAccess::ListIndex { key } => PlannerResult::Planned(call(&ITEM, vec![expr, *key])),
            GetFieldAccess::NamedStructField { name } if !is_row => match name.try_as_str().flatten() {
                Some(key) => PlannerResult::Planned(call(&ITEM, vec![expr, lit(key)])),
                None => PlannerResult::Planned(call(&ITEM, vec![expr, Expr::Literal(name, None)])),
            },
            field_access => PlannerResult::Original(RawFieldAccessExpr { expr, field_access }),
        })
    }

    fn plan_array_literal(&self, exprs: Vec<Expr>, _schema: &DFSchema) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call(&ARRAY, exprs)))
    }

    fn plan_make_map(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(call(&MAP, args)))
    }
}
