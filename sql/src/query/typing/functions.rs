//! Calls of functions: those of the table, and the few that DataFusion's planner makes by itself.

use super::choice::common_type;
use super::{Known, Typer, refuse};
use crate::functions::casting::cast_of;
use crate::functions::values::cast::is_total;
use crate::functions::{Arg, Function, function_of, of_typed};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF};
use std::sync::Arc;

impl Typer<'_> {
    pub(super) fn scalar_function(&self, func: Arc<ScalarUDF>, args: Vec<Expr>) -> Result<Known> {
        let args = self.all(args)?;
        if let Some(cast) = cast_of(&func) {
            let fails =
                args.iter().any(|arg| arg.fails || (!cast.lenient && !is_total(&arg.data_type, &cast.to)));
            let (data_type, digits) = (cast.to.clone(), cast.digits_to);
            return Ok(Known { digits, fails, ..Known::new(called(func, args), data_type) });
        }
        if let Some(function) = function_of(&func) {
            if matches!(func.name(), "if" | "ifnull" | "coalesce" | "nullif") {
                return self.choice(func.name(), args);
            }
            let found: Vec<Arg<'_>> =
                args.iter().map(|arg| Arg { data_type: &arg.data_type, literal: arg.literal() }).collect();
            let name = func.name().to_uppercase();
            let typed = (function.types)(&found)
                .or_else(|wrong| refuse(format!("{name} {wrong}{}", example(function))))?;
            if typed.args.len() != args.len() {
                return refuse(format!("{name} takes {} arguments", typed.args.len()));
            }
            let fails = function.fails || args.iter().any(|arg| arg.fails);
            let args = args.into_iter().zip(&typed.args).map(|(arg, wanted)| self.widened(arg, wanted));
            let args = args.collect::<Result<Vec<_>>>()?;
            return Ok(Known { fails, ..Known::new(called(of_typed(&func), args), typed.returns) });
        }
        match func.name() {
            "get_field" => {
                let fails = args.iter().any(|arg| arg.fails);
                let expr = called(func, args);
                let (_, field) = expr.to_field(self.schema)?;
                Ok(Known { fails, ..Known::new(expr, field.data_type().clone()) })
            }
            "make_array" => self.array(func, args),
            other => refuse(format!("there is no function {}", other.to_uppercase())),
        }
    }

    /// `ARRAY[a, b]`.
    fn array(&self, func: Arc<ScalarUDF>, args: Vec<Known>) -> Result<Known> {
        if args.is_empty() {
            return refuse("ARRAY[] has no type: write at least one element");
        }
        let item = common_type(args.iter(), "ARRAY")?;
        let fails = args.iter().any(|arg| arg.fails);
        let args = args.into_iter().map(|arg| self.widened(arg, &item)).collect::<Result<Vec<_>>>()?;
        let list = DataType::List(Arc::new(Field::new("item", item, true)));
        let expr = called(func, args);
        let found = expr.get_type(self.schema)?;
        if found != list {
            return refuse(format!("ARRAY[..] of such values is not supported yet: it is {found}"));
        }
        Ok(Known { fails, ..Known::new(expr, list) })
    }

    /// The arguments are typed already.
    pub(super) fn aggregate_function(&self, function: AggregateFunction) -> Result<Known> {
        let expr = Expr::AggregateFunction(function);
        let data_type = expr.get_type(self.schema)?;
        Ok(Known::new(expr, data_type))
    }
}

/// How the function is written.
fn example(function: &Function) -> String {
    match function.examples.first() {
        Some((expression, _)) => format!("; it is written as {expression}"),
        None => String::new(),
    }
}

fn called(func: Arc<ScalarUDF>, args: Vec<Known>) -> Expr {
    let args = args.into_iter().map(|arg| arg.expr).collect();
    Expr::ScalarFunction(ScalarFunction::new_udf(func, args))
}
