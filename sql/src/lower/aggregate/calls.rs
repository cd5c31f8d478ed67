//! Calls of aggregates: which function of the engine each is, and of what.

use super::super::project::picked_column;
use super::super::{Refusal, Stream};
use crate::expression::counted;
use crate::functions::aggregates::{Listed, packed};
use crate::functions::user::aggregate::UserAggregate;
use crate::functions::user::aggregate_of;
use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::{
    AggregateFunction as DfAggregate, AggregateFunctionParams, NullTreatment,
};
use datafusion::logical_expr::{Expr, ExprSchemable};
use millstream_operators::aggregate::{AggregateCall, AggregateFunction, Values};

/// A call of an aggregate.
pub(super) struct Call {
    pub(super) function: AggregateFunction,
    pub(super) argument: Option<Expr>,
    pub(super) distinct: bool,
    pub(super) filter: Option<Expr>,
    pub(super) name: String,
}

impl Call {
    /// The call over rows in which expressions stand at these places.
    pub(super) fn over(&self, rows: &Stream, place_of: impl Fn(&Expr) -> Option<usize>) -> AggregateCall {
        let argument = self.argument.as_ref().and_then(&place_of);
        let data_type = |place: usize| rows.rows.field(place).data_type().clone();
        AggregateCall {
            function: self.function.clone(),
            argument,
            argument_type: argument.map_or(DataType::Int64, data_type),
            distinct: self.distinct,
            filter: self.filter.as_ref().and_then(place_of),
            name: self.name.clone(),
        }
    }
}

pub(super) fn call(expr: &Expr, relation: &DFSchema) -> Result<Call, Refusal> {
    let (inner, name) = match expr {
        Expr::Alias(alias) => (alias.expr.as_ref(), alias.name.clone()),
        other => (other, counted(&other.schema_name().to_string())),
    };
    let Expr::AggregateFunction(DfAggregate { func, params }) = inner else {
        return Err(Refusal::new(
            format!("{expr} is no aggregate that is supported"),
            "the aggregates that there are stand in docs/sql/functions.md",
        ));
    };
    if !params.order_by.is_empty() {
        return Err(Refusal::new(
            format!("{inner}: ORDER BY inside an aggregate is not supported, as in Flink"),
            "leave it out",
        ));
    }
    let (function, argument) = match (func.inner().downcast_ref::<Listed>(), aggregate_of(func)) {
        (Some(listed), _) => listed_call(listed, &params.args, relation)?,
        (None, Some(user)) => user_call(user, func.name(), &params.args, relation)?,
        (None, None) => number_call(func.name(), &params.args, inner, relation)?,
    };
    let filter = filter(func.name(), params, argument.as_ref())?;
    Ok(Call { function, argument, distinct: params.distinct, filter, name })
}

/// An aggregate of numbers, or of the order of rows.
fn number_call(
    name: &str,
    args: &[Expr],
    call: &Expr,
    relation: &DFSchema,
) -> Result<(AggregateFunction, Option<Expr>), Refusal> {
    let function = match name {
        "count" => AggregateFunction::Count,
        "sum" => AggregateFunction::Sum,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        other => {
            let help = "the aggregates that there are stand in docs/sql/functions.md";
            return Err(Refusal::new(format!("there is no aggregate {}", other.to_uppercase()), help));
        }
    };
    let argument = match args {
        [] => None,
        [Expr::Literal(value, _)] if function == AggregateFunction::Count && !value.is_null() => None,
        [argument] if function == AggregateFunction::Sum => Some(without_widening(argument, relation)),
        [argument] => Some(argument),
        _ => {
            let help = "count or aggregate one expression, as of both texts with a separator between them";
            return Err(Refusal::new(format!("{call} has too many arguments"), help));
        }
    };
    Ok((function, argument.cloned()))
}

/// An aggregate of the table: its constants are part of it, the others are its value.
fn listed_call(
    listed: &Listed,
    args: &[Expr],
    relation: &DFSchema,
) -> Result<(AggregateFunction, Option<Expr>), Refusal> {
    let types = args.iter().map(|arg| arg.get_type(relation)).collect::<Result<Vec<_>, _>>()?;
    let literal = |expr: &Expr| match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        _ => None,
    };
    let literals: Vec<_> = args.iter().map(literal).collect();
    if let Some(place) = (0..args.len()).find(|place| !listed.is_value(*place) && literals[*place].is_none())
    {
        let message = format!("{} is no constant, as {} takes it", args[place], listed.aggregate.signature);
        return Err(Refusal::new(message, "write the value itself"));
    }
    let function = match &listed.aggregate.engine {
        Some(function) => function.clone(),
        None => AggregateFunction::Of(Values(listed.of(&types, &literals)?)),
    };
    let values = args.iter().enumerate().filter(|(place, _)| listed.is_value(*place));
    Ok((function, packed(values.map(|(_, arg)| arg.clone()).collect())))
}

/// A function of a program: all its arguments are values.
fn user_call(
    user: &UserAggregate,
    name: &str,
    args: &[Expr],
    relation: &DFSchema,
) -> Result<(AggregateFunction, Option<Expr>), Refusal> {
    let types = args.iter().map(|arg| arg.get_type(relation)).collect::<Result<Vec<_>, _>>()?;
    let function = user.of(types.iter()).map_err(|wrong| {
        Refusal::new(
            format!("{} {wrong}", name.to_uppercase()),
            "give it the arguments that it was registered for",
        )
    })?;
    Ok((AggregateFunction::Of(Values(function)), packed(args.to_vec())))
}

/// Which rows count: those of `FILTER`, and without nulls those whose argument is none.
fn filter(
    name: &str,
    params: &AggregateFunctionParams,
    argument: Option<&Expr>,
) -> Result<Option<Expr>, Refusal> {
    let filter = params.filter.as_deref().cloned();
    match (params.null_treatment, argument) {
        (None, _) => Ok(filter),
        (Some(_), _) if name != "array_agg" => Err(Refusal::new(
            format!("{} takes no IGNORE NULLS or RESPECT NULLS, as in Flink", name.to_uppercase()),
            "leave it out: nulls are left out anyway",
        )),
        (Some(NullTreatment::IgnoreNulls), Some(argument)) => {
            let valid = argument.clone().is_not_null();
            Ok(Some(filter.map_or(valid.clone(), |filter| filter.and(valid))))
        }
        (Some(_), _) => Ok(filter),
    }
}

/// A sum is wide enough by itself: a cast in front of it costs a pass over the column.
fn without_widening<'e>(argument: &'e Expr, relation: &DFSchema) -> &'e Expr {
    use DataType as T;
    let Expr::Cast(cast) = argument else { return argument };
    let Some(column) = picked_column(&cast.expr, relation) else { return argument };
    match (relation.field(column).data_type(), cast.field.data_type()) {
        (T::Int8 | T::Int16 | T::Int32, T::Int64) | (T::Float32, T::Float64) => &cast.expr,
        _ => argument,
    }
}
