//! Calls of functions: those of the table, and the few that DataFusion's planner makes by itself.

use super::choice::{common_detail, common_type};
use super::{Known, Typer, refuse};
use crate::features::{match_recognize, proctime};
use crate::functions::casting::cast_of;
use crate::functions::user::{UserScalar, aggregate_of, scalar_of};
use crate::functions::values::cast::is_total;
use crate::functions::values::detail::{Detail, TimeDigits};
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
            let detail = Detail { digits: cast.digits_to.clone(), length: cast.length };
            let data_type = cast.to.clone();
            return Ok(Known { detail, fails, ..Known::new(called(func, args), data_type) });
        }
        if let Some(function) = scalar_of(&func).cloned() {
            return self.user_function(&function, func, args);
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
            let digits = result_digits(&name, &args, &typed.returns)?;
            return Ok(Known {
                fails,
                ..Known::new(called(of_typed(&func), args), typed.returns).with_digits(digits)
            });
        }
        if proctime::is_clock(&func) {
            return Ok(Known::new(called(func, args), proctime::data_type()));
        }
        if match_recognize::is_value(&func) {
            let fails = args.iter().any(|arg| arg.fails);
            let expr = called(func, args);
            let (_, field) = expr.to_field(self.schema)?;
            let detail = Detail::of(&field);
            return Ok(Known { fails, detail, ..Known::new(expr, field.data_type().clone()) });
        }
        match func.name() {
            "get_field" => {
                let fails = args.iter().any(|arg| arg.fails);
                let digits = args.split_first().and_then(|(row, path)| of_path(row, path));
                let expr = called(func, args);
                let (_, field) = expr.to_field(self.schema)?;
                let known = Known { fails, ..Known::new(expr, field.data_type().clone()) };
                Ok(match digits {
                    Some(digits) => known.with_digits(digits),
                    None => known,
                })
            }
            "make_array" => self.array(func, args),
            other => refuse(format!("there is no function {}", other.to_uppercase())),
        }
    }

    /// A function of a program: it may fail for any row.
    fn user_function(&self, function: &UserScalar, func: Arc<ScalarUDF>, args: Vec<Known>) -> Result<Known> {
        let types = function.types(args.iter().map(|arg| &arg.data_type));
        let (wanted, returns) =
            types.or_else(|wrong| refuse(format!("{} {wrong}", func.name().to_uppercase())))?;
        let args = args.into_iter().zip(&wanted).map(|(arg, wanted)| self.widened(arg, wanted));
        let args = args.collect::<Result<Vec<_>>>()?;
        let digits = TimeDigits::of_units(&returns);
        Ok(Known { fails: true, ..Known::new(called(func, args), returns).with_digits(digits) })
    }

    /// `ARRAY[a, b]`.
    fn array(&self, func: Arc<ScalarUDF>, args: Vec<Known>) -> Result<Known> {
        if args.is_empty() {
            return refuse("ARRAY[] has no type: write at least one element");
        }
        let item = common_type(args.iter(), "ARRAY")?;
        let detail = common_detail(args.iter().filter(|arg| !arg.is_null()));
        let fails = args.iter().any(|arg| arg.fails);
        let args = args.into_iter().map(|arg| self.widened(arg, &item)).collect::<Result<Vec<_>>>()?;
        let list = DataType::List(Arc::new(Field::new("item", item, true)));
        let expr = called(func, args);
        let found = expr.get_type(self.schema)?;
        if found != list {
            return refuse(format!("ARRAY[..] of such values is not supported yet: it is {found}"));
        }
        let detail = Detail { length: None, ..detail };
        Ok(Known { fails, detail, ..Known::new(expr, list) })
    }

    /// The arguments are typed already.
    pub(super) fn aggregate_function(&self, function: AggregateFunction) -> Result<Known> {
        let arg = function.params.args.first().map(|arg| self.typed(arg.clone())).transpose()?;
        if arg.as_ref().is_some_and(Known::is_null) {
            let name = function.func.name().to_uppercase();
            return refuse(format!("{name}(NULL) has no type to aggregate: write {name}(CAST(NULL AS INT))"));
        }
        if let Some(user) = aggregate_of(&function.func) {
            let args = function.params.args.iter().map(|arg| arg.get_type(self.schema));
            let types = args.collect::<Result<Vec<_>>>()?;
            let name = function.func.name().to_uppercase();
            user.of(types.iter()).map(drop).or_else(|wrong| refuse(format!("{name} {wrong}")))?;
            let expr = Expr::AggregateFunction(function);
            let data_type = expr.get_type(self.schema)?;
            let digits = TimeDigits::of_units(&data_type);
            return Ok(Known::new(expr, data_type).with_digits(digits));
        }
        let expr = Expr::AggregateFunction(function);
        let known = Known::new(expr.clone(), expr.get_type(self.schema)?);
        Ok(match arg {
            // One of the values, or an array of them.
            Some(arg) if arg.digits().as_slice().len() == known.digits().as_slice().len() => {
                let same = arg.data_type == known.data_type;
                let length = arg.detail.length.filter(|_| same);
                Known { detail: Detail { digits: Some(arg.digits()), length }, ..known }
            }
            _ => known,
        })
    }
}

/// The digits of the times that a function gives, by those of its arguments.
///
/// # Errors
/// Where it is not known which time of the result is one of which argument.
fn result_digits(name: &str, args: &[Known], returns: &DataType) -> Result<TimeDigits> {
    let units = TimeDigits::of_units(returns);
    let times: Vec<&Known> = args.iter().filter(|arg| !arg.digits().as_slice().is_empty()).collect();
    let usual = times.iter().all(|arg| arg.digits() == TimeDigits::of_units(&arg.data_type));
    if units.as_slice().is_empty() || usual {
        return Ok(units);
    }
    let count = units.as_slice().len();
    let alike = times.iter().filter(|arg| arg.digits().as_slice().len() == count).map(|arg| arg.digits());
    if let Some(digits) = alike.reduce(|most, digits| most.max(&digits)) {
        return Ok(digits);
    }
    let all: Vec<u8> = times.iter().flat_map(|arg| arg.digits().as_slice().to_vec()).collect();
    match TimeDigits::new(all.clone(), returns) {
        // As `ROW(a, b)` and `MAP[a, b]`.
        Some(digits) => Ok(digits),
        None if all.iter().all(|digits| *digits == all[0]) => Ok(TimeDigits::all(all[0], returns)),
        None => {
            let types: Vec<String> = times.iter().map(|arg| arg.type_name()).collect();
            refuse(format!("{name} of {} is not supported yet: CAST them to one type", types.join(", ")))
        }
    }
}

/// The digits of the field of a row.
fn of_path(row: &Known, path: &[Known]) -> Option<TimeDigits> {
    let (mut digits, mut data_type) = (row.digits(), &row.data_type);
    for name in path.iter().map(Known::text) {
        let DataType::Struct(fields) = data_type else { return None };
        digits = digits.of_part(data_type, name?)?;
        data_type = fields.iter().find(|field| Some(field.name().as_str()) == name)?.data_type();
    }
    Some(digits)
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
