//! Expressions get Flink's types and meaning.
//!
//! DataFusion's planner leaves a plan whose expressions are as they are written. This pass goes through each of them from
//! the inside out and gives it the type that Flink derives. What Arrow computes as Flink does stays as it is, with its
//! operands cast to one type; what it computes otherwise becomes a call of ours; what has no meaning in Flink, or none
//! here yet, is refused in plain words. DataFusion's own coercion finds nothing left to do. Typed once or twice, a plan is
//! the same.

mod arithmetic;
mod cast;
mod choice;
mod compare;
mod expr;
mod functions;

use crate::functions::time::zone::{UTC, Zone};
use crate::functions::values::detail::{Detail, TimeDigits, type_name};
use crate::functions::values::text::{Style, write};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, Join, LogicalPlan, Projection, Union};
use millstream_operators::formats::sql_type;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The plan, its expressions typed.
pub(super) fn type_plan(plan: LogicalPlan, zone: Zone) -> Result<LogicalPlan> {
    Ok(plan.transform_up_with_subqueries(|plan| type_node(plan, zone).map(Transformed::yes))?.data)
}

/// One node, whose inputs are typed.
pub(crate) fn type_node(plan: LogicalPlan, zone: Zone) -> Result<LogicalPlan> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        let source = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        schema.merge(&source);
    }
    let plan = match plan {
        LogicalPlan::Join(join) => LogicalPlan::Join(type_join_keys(join, zone)?),
        LogicalPlan::Union(union) => return type_union(union, zone),
        other => other,
    };
    let typer = Typer { schema: &schema, zone };
    let names = NamePreserver::new(&plan);
    let is_filter = matches!(plan, LogicalPlan::Filter(_));
    let makes_columns = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
    let typed = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let known = typer.typed(expr)?;
        let known = if is_filter { known.condition("WHERE")? } else { known };
        let typed = if makes_columns { known.said(&schema)? } else { known.expr };
        Ok(Transformed::yes(name.restore(typed)))
    })?;
    typed.data.recompute_schema()
}

/// The keys of a join are compared with each other.
fn type_join_keys(mut join: Join, zone: Zone) -> Result<Join> {
    let (left_schema, right_schema) = (join.left.schema().clone(), join.right.schema().clone());
    let (left, right) = (Typer { schema: &left_schema, zone }, Typer { schema: &right_schema, zone });
    let mut on = Vec::with_capacity(join.on.len());
    for (on_left, on_right) in join.on {
        let (on_left, on_right) = left.comparable(left.typed(on_left)?, right.typed(on_right)?, "=")?;
        on.push((on_left.expr, on_right.expr));
    }
    join.on = on;
    Ok(join)
}

/// The parts of a union get columns of the same types.
fn type_union(union: Union, zone: Zone) -> Result<LogicalPlan> {
    let columns = |part: &LogicalPlan| -> Result<Vec<Known>> {
        let typer = Typer { schema: part.schema(), zone };
        part.schema().iter().map(|column| typer.typed(Expr::from(column))).collect()
    };
    let parts = union.inputs.iter().map(|part| columns(part)).collect::<Result<Vec<_>>>()?;
    let mut common: Vec<(DataType, Detail)> = Vec::new();
    for at in 0..union.schema.fields().len() {
        let column = || parts.iter().filter_map(|part| part.get(at)).filter(|column| !column.is_null());
        let data_type = choice::common_type(column(), "UNION").or_else(|error| {
            let mut types: Vec<String> = column().map(Known::type_name).collect();
            types.dedup();
            match types.as_slice() {
                [] => Err(error),
                types => refuse(format!(
                    "column {} of a UNION is {}: CAST it to one type",
                    at + 1,
                    types.join(" and ")
                )),
            }
        })?;
        common.push((data_type, choice::common_detail(column())));
    }
    let mut inputs = Vec::with_capacity(parts.len());
    for (part, input) in parts.into_iter().zip(&union.inputs) {
        let same = part.iter().zip(&common).all(|(column, (data_type, detail))| {
            column.data_type == *data_type && Some(column.digits()) == detail.digits
        });
        if same {
            inputs.push(Arc::clone(input));
            continue;
        }
        let typer = Typer { schema: input.schema(), zone };
        let columns = part.into_iter().zip(&common).zip(input.schema().iter());
        let columns = columns.map(|((column, (data_type, detail)), (qualifier, field))| {
            let column = typer.widened(column, data_type)?;
            let column = Known { detail: detail.clone(), ..column }.said(input.schema())?;
            let (relation, name) = (qualifier.cloned(), field.name().clone());
            Ok(match column {
                Expr::Alias(alias) => Expr::Alias(Alias { relation, name, ..alias }),
                column => column.alias_qualified(relation, name),
            })
        });
        let columns = columns.collect::<Result<Vec<Expr>>>()?;
        inputs.push(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, Arc::clone(input))?)));
    }
    Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?))
}

/// Types expressions over the columns of a schema.
#[derive(Clone, Copy)]
struct Typer<'a> {
    schema: &'a DFSchema,
    zone: Zone,
}

/// A typed expression.
#[derive(Debug, Clone)]
struct Known {
    expr: Expr,
    data_type: DataType,
    /// What its type says beyond Arrow's.
    detail: Detail,
    /// Whether there may be rows for which it fails.
    fails: bool,
}

impl Known {
    fn new(expr: Expr, data_type: DataType) -> Self {
        Known { expr, data_type, detail: Detail::default(), fails: false }
    }

    fn is_null(&self) -> bool {
        self.data_type == DataType::Null
    }

    fn literal(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }

    /// The text that it is as a constant.
    fn text(&self) -> Option<&str> {
        match self.literal() {
            Some(ScalarValue::Utf8(Some(text))) => Some(text),
            _ => None,
        }
    }

    /// The digits behind the second of the times in its type.
    fn digits(&self) -> TimeDigits {
        let units = TimeDigits::of_units(&self.data_type);
        let said = self.detail.digits.as_ref();
        said.filter(|said| said.as_slice().len() == units.as_slice().len()).cloned().unwrap_or(units)
    }

    /// With these digits behind the second.
    fn with_digits(self, digits: TimeDigits) -> Self {
        Known { detail: Detail { digits: Some(digits), ..self.detail }, ..self }
    }

    /// An expression whose field says all that its type does.
    fn said(self, schema: &DFSchema) -> Result<Expr> {
        // Grouping sets have none.
        let Ok((qualifier, field)) = self.expr.to_field(schema) else { return Ok(self.expr) };
        let wanted =
            Detail { digits: Some(self.digits()), length: self.detail.length }.metadata(&self.data_type);
        let said = Detail { digits: Some(TimeDigits::of_field(&field)), ..Detail::of(&field) };
        if said.metadata(&self.data_type) == wanted {
            return Ok(self.expr);
        }
        let metadata: BTreeMap<String, String> = wanted.into_iter().collect();
        let alias = match self.expr {
            Expr::Alias(alias) => alias,
            expr => Alias::new(expr, qualifier, field.name()),
        };
        Ok(Expr::Alias(alias.with_metadata(Some(metadata.into()))))
    }

    /// The type as SQL names it.
    fn type_name(&self) -> String {
        match &self.data_type {
            DataType::Null => "NULL".to_owned(),
            DataType::Interval(_) => "INTERVAL".to_owned(),
            other => type_name(other, &self.detail),
        }
    }

    /// As people write it.
    fn sql(&self) -> String {
        let shown = self.expr.clone().transform_up(|expr| match &expr {
            Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => {
                let text = interval_text(interval.months, interval.days, interval.nanoseconds);
                Ok(Transformed::yes(Expr::Column(Column::new_unqualified(text))))
            }
            // The column of an aggregate is called as the library shows its arguments.
            Expr::Column(column) => Ok(match column.name.split_once('(') {
                Some((name, args))
                    if ["Interval", "Timestamp", "Date32", "Time32", "Time64"]
                        .iter()
                        .any(|word| args.contains(word)) =>
                {
                    Transformed::yes(Expr::Column(Column::new_unqualified(format!("{name}(..)"))))
                }
                _ => Transformed::no(expr),
            }),
            Expr::Literal(value, _) if is_time(&value.data_type()) => {
                Ok(Transformed::yes(Expr::Column(Column::new_unqualified(time_text(value)))))
            }
            _ => Ok(Transformed::no(expr)),
        });
        crate::expression::sql_text(&shown.map_or_else(|_| self.expr.clone(), |shown| shown.data))
    }

    /// A truth value.
    fn condition(self, place: &str) -> Result<Self> {
        match self.data_type {
            DataType::Boolean => Ok(self),
            DataType::Null => {
                Ok(Known::new(Expr::Literal(ScalarValue::Boolean(None), None), DataType::Boolean))
            }
            _ => refuse(format!("{place} takes a condition; {} is {}", self.sql(), self.type_name())),
        }
    }
}

fn is_time(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(data_type, T::Timestamp(_, _) | T::Date32 | T::Time32(_) | T::Time64(_))
}

/// A constant of time as people write it; the library shows how it is kept.
fn time_text(value: &ScalarValue) -> String {
    let kind = sql_type(&value.data_type());
    let kind = kind.split('(').next().unwrap_or_default();
    let mut text = String::new();
    let style = Style { zone: UTC, digits: &[] };
    match value.to_array_of_size(1) {
        Ok(array) if !value.is_null() && write(&array, 0, style, &mut text).is_ok() => {
            format!("{kind} '{text}'")
        }
        _ => "NULL".to_owned(),
    }
}

/// An interval as people write it; the library shows what it is made of.
fn interval_text(months: i32, days: i32, nanoseconds: i64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    match (months, days, seconds) {
        (0, days, 0) => format!("INTERVAL '{days}' DAY"),
        (0, days, seconds) => format!("INTERVAL '{}' SECOND", i64::from(days) * 86_400 + seconds),
        (months, _, _) => format!("INTERVAL '{months}' MONTH"),
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(DataFusionError::Plan(message.into()))
}
