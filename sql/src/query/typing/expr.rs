//! Every kind of expression there is, and what becomes of it.

use super::{Known, Typer, refuse};
use crate::functions::values::detail::Detail;
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, Alias, GroupingSet, InSubquery, ScalarFunction,
    WindowFunction, WindowFunctionParams,
};
use datafusion::logical_expr::{Expr, ExprSchemable, SortExpr};

impl Typer<'_> {
    /// The expression, typed.
    pub(super) fn typed(&self, expr: Expr) -> Result<Known> {
        match expr {
            Expr::Alias(alias) => self.alias(alias),
            Expr::Column(_) | Expr::OuterReferenceColumn(_, _) => self.column(expr),
            Expr::Literal(value, metadata) => literal(value, metadata),
            Expr::BinaryExpr(binary) => self.binary(*binary.left, binary.op, *binary.right),
            Expr::Negative(inner) => self.negative(*inner),
            Expr::Not(inner) => self.truth(*inner, "NOT", Expr::Not),
            Expr::IsTrue(inner) => self.truth(*inner, "IS TRUE", Expr::IsTrue),
            Expr::IsFalse(inner) => self.truth(*inner, "IS FALSE", Expr::IsFalse),
            Expr::IsUnknown(inner) => self.truth(*inner, "IS UNKNOWN", Expr::IsUnknown),
            Expr::IsNotTrue(inner) => self.truth(*inner, "IS NOT TRUE", Expr::IsNotTrue),
            Expr::IsNotFalse(inner) => self.truth(*inner, "IS NOT FALSE", Expr::IsNotFalse),
            Expr::IsNotUnknown(inner) => self.truth(*inner, "IS NOT UNKNOWN", Expr::IsNotUnknown),
            Expr::IsNull(inner) => self.about_null(*inner, Expr::IsNull),
            Expr::IsNotNull(inner) => self.about_null(*inner, Expr::IsNotNull),
            Expr::Between(between) => self.between(between),
            Expr::InList(list) => self.in_list(list),
            Expr::Like(like) => self.like(like),
            Expr::SimilarTo(like) => self.similar(like),
            Expr::Case(case) => self.case(case),
            Expr::Cast(cast) => self.cast(*cast.expr, &cast.field, false),
            Expr::TryCast(cast) => self.cast(*cast.expr, &cast.field, true),
            Expr::ScalarFunction(ScalarFunction { func, args }) => self.scalar_function(func, args),
            Expr::AggregateFunction(AggregateFunction { func, params }) => {
                self.aggregate_function(AggregateFunction { func, params: self.params(params)? })
            }
            Expr::WindowFunction(function) => self.window_function(*function),
            Expr::GroupingSet(set) => self.grouping_set(set),
            Expr::InSubquery(query) => {
                let inner = self.typed(*query.expr)?;
                let column = query.subquery.subquery.schema().fields().first().map(|field| field.data_type());
                let item = column.map(|data_type| Known { data_type: data_type.clone(), ..inner.clone() });
                let inner = match item {
                    None => inner,
                    Some(item) => {
                        let (inner, common) = self.comparable(inner, item.clone(), "IN")?;
                        if common.data_type != item.data_type {
                            return refuse(format!(
                                "{} is {}, and the query of IN gives {}: CAST one of them",
                                inner.sql(),
                                inner.type_name(),
                                item.type_name()
                            ));
                        }
                        inner
                    }
                };
                let expr = InSubquery { expr: Box::new(inner.expr), ..query };
                Ok(Known::new(Expr::InSubquery(expr), DataType::Boolean))
            }
            Expr::Exists(_) => Ok(Known::new(expr, DataType::Boolean)),
            // What stands in these is refused where it is lowered.
            Expr::ScalarSubquery(_) | Expr::SetComparison(_) => {
                let data_type = expr.get_type(self.schema)?;
                Ok(Known::new(expr, data_type))
            }
            other => refuse(format!("{other} is not supported yet")),
        }
    }

    pub(super) fn all(&self, exprs: Vec<Expr>) -> Result<Vec<Known>> {
        exprs.into_iter().map(|expr| self.typed(expr)).collect()
    }

    fn alias(&self, alias: Alias) -> Result<Known> {
        let known = self.typed(*alias.expr)?;
        let known = match &alias.metadata {
            // What its type says was found when it was typed first.
            Some(said) => {
                let field = Field::new("", known.data_type.clone(), true).with_metadata(said.to_hashmap());
                Known { detail: Detail::of(&field), ..known }
            }
            None => known,
        };
        Ok(Known { expr: Expr::Alias(Alias { expr: Box::new(known.expr), ..alias }), ..known })
    }

    fn column(&self, expr: Expr) -> Result<Known> {
        let (_, field) = expr.to_field(self.schema)?;
        Ok(Known { detail: Detail::of(&field), ..Known::new(expr, field.data_type().clone()) })
    }

    /// What is asked of a truth value.
    fn truth(&self, inner: Expr, name: &str, make: fn(Box<Expr>) -> Expr) -> Result<Known> {
        let inner = self.typed(inner)?.condition(name)?;
        let fails = inner.fails;
        Ok(Known { fails, ..Known::new(make(Box::new(inner.expr)), DataType::Boolean) })
    }

    fn about_null(&self, inner: Expr, make: fn(Box<Expr>) -> Expr) -> Result<Known> {
        let inner = self.typed(inner)?;
        let fails = inner.fails;
        Ok(Known { fails, ..Known::new(make(Box::new(inner.expr)), DataType::Boolean) })
    }

    fn params(&self, params: AggregateFunctionParams) -> Result<AggregateFunctionParams> {
        let args = self.all(params.args)?.into_iter().map(|known| known.expr).collect();
        let filter = match params.filter {
            None => None,
            Some(filter) => Some(Box::new(self.typed(*filter)?.condition("FILTER")?.expr)),
        };
        let mut order_by = params.order_by;
        for sort in &mut order_by {
            sort.expr = self.typed(sort.expr.clone())?.expr;
        }
        Ok(AggregateFunctionParams { args, filter, order_by, ..params })
    }

    fn window_function(&self, function: WindowFunction) -> Result<Known> {
        let WindowFunctionParams { args, partition_by, order_by, filter, .. } = function.params.clone();
        let exprs = |exprs: Vec<Expr>| -> Result<Vec<Expr>> {
            Ok(self.all(exprs)?.into_iter().map(|known| known.expr).collect())
        };
        let filter = match filter {
            None => None,
            Some(filter) => Some(Box::new(self.typed(*filter)?.condition("FILTER")?.expr)),
        };
        let sort = |sort: SortExpr| Ok(SortExpr { expr: self.typed(sort.expr)?.expr, ..sort });
        let params = WindowFunctionParams {
            args: exprs(args)?,
            partition_by: exprs(partition_by)?,
            order_by: order_by.into_iter().map(sort).collect::<Result<_>>()?,
            filter,
            ..function.params
        };
        let expr = Expr::from(WindowFunction { fun: function.fun, params });
        let data_type = expr.get_type(self.schema)?;
        Ok(Known::new(expr, data_type))
    }

    fn grouping_set(&self, set: GroupingSet) -> Result<Known> {
        let one = |exprs: Vec<Expr>| -> Result<Vec<Expr>> {
            Ok(self.all(exprs)?.into_iter().map(|known| known.expr).collect())
        };
        let set = match set {
            GroupingSet::Rollup(exprs) => GroupingSet::Rollup(one(exprs)?),
            GroupingSet::Cube(exprs) => GroupingSet::Cube(one(exprs)?),
            GroupingSet::GroupingSets(sets) => {
                GroupingSet::GroupingSets(sets.into_iter().map(one).collect::<Result<_>>()?)
            }
        };
        Ok(Known::new(Expr::GroupingSet(set), DataType::Null))
    }
}

/// A whole number is an `INT` where it fits, as in Flink: `a / 2` of an `INT` is one.
fn literal(
    value: ScalarValue,
    metadata: Option<datafusion::logical_expr::expr::FieldMetadata>,
) -> Result<Known> {
    let value = match value {
        ScalarValue::Int64(Some(wide)) => match i32::try_from(wide) {
            Ok(value) => ScalarValue::Int32(Some(value)),
            Err(_) => ScalarValue::Int64(Some(wide)),
        },
        ScalarValue::UInt64(_) | ScalarValue::Decimal256(_, _, _) => {
            return refuse(format!("the number {value} has too many digits"));
        }
        other => other,
    };
    let data_type = value.data_type();
    Ok(Known::new(Expr::Literal(value, metadata), data_type))
}
