//! Values of a match in expressions, as columns of what the operator knows of a match.

use super::value::{Value, aggregate, value_of};
use crate::functions::time::zone::UTC;
use crate::lower::Refusal;
use crate::query::{aggregate_as_flink, type_node};
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef, DataFusionError, Result, plan_err};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{EmptyRelation, Expr, ExprSchemable, LogicalPlan, Projection};
use millstream_operators::match_recognize::{MatchAggregate, Rows, Source};
use std::sync::Arc;

/// Sources, each once, and what they are called.
pub(super) struct Sources<'a> {
    /// The input.
    relation: &'a DFSchema,
    /// By expression over the input: its place in the rows that the operator takes.
    place: &'a dyn Fn(&Expr) -> Option<usize>,
    pub(super) sources: Vec<Source>,
    pub(super) names: Vec<String>,
    types: Vec<DataType>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(relation: &'a DFSchema, place: &'a dyn Fn(&Expr) -> Option<usize>) -> Self {
        Sources { relation, place, sources: Vec::new(), names: Vec::new(), types: Vec::new() }
    }

    /// The columns of the sources.
    pub(super) fn schema(&self) -> Result<DFSchemaRef> {
        let fields = self.names.iter().zip(&self.types);
        let fields =
            fields.map(|(name, data_type)| (None, Arc::new(Field::new(name, data_type.clone(), true))));
        Ok(Arc::new(DFSchema::new_with_metadata(fields.collect(), Default::default())?))
    }

    /// An expression over the input as one over the sources.
    pub(super) fn over(&mut self, expr: &Expr) -> Result<Expr, Refusal> {
        let mut computed = false;
        let over = expr.clone().unalias().transform_down(|expr| {
            let Some((value, argument, sql)) = value_of(&expr) else { return Ok(Transformed::no(expr)) };
            let replaced = self.value(value, argument, sql)?;
            computed |= !matches!(replaced, Expr::Column(_));
            Ok(Transformed::new(replaced, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
        })?;
        if !computed {
            return Ok(over.data);
        }
        // What an average is computed of has types of its own.
        let rows = EmptyRelation { produce_one_row: false, schema: self.schema()? };
        let over = Projection::try_new(vec![over.data], Arc::new(LogicalPlan::EmptyRelation(rows)))?;
        match type_node(LogicalPlan::Projection(over), UTC)? {
            LogicalPlan::Projection(Projection { mut expr, .. }) if expr.len() == 1 => {
                Ok(expr.remove(0).unalias())
            }
            other => Err(DataFusionError::Internal(format!("an expression became {other}")).into()),
        }
    }

    fn value(&mut self, value: &Value, argument: &Expr, sql: &str) -> Result<Expr> {
        let Some(column) = (self.place)(argument) else {
            return plan_err!("{sql} is of a column that is not there");
        };
        let data_type = argument.get_type(self.relation)?;
        match value {
            Value::Row { of, from, offset } => {
                let source = Source::Row { of: *of, from: *from, offset: *offset, column };
                Ok(self.column(source, sql, data_type))
            }
            Value::Time { plain } => {
                let data_type = match plain {
                    true => DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
                    false => data_type,
                };
                Ok(self.column(Source::Time(data_type.clone()), sql, data_type))
            }
            Value::Aggregate { of, name } => self.aggregate(*of, name, argument, column, sql),
        }
    }

    /// An aggregate, or what Flink makes it of.
    fn aggregate(&mut self, of: Rows, name: &str, argument: &Expr, column: usize, sql: &str) -> Result<Expr> {
        let Some(function) = aggregate(name) else { return plan_err!("there is no aggregate {name}") };
        let call =
            AggregateFunction::new_udf(function, vec![argument.clone()], false, None, Vec::new(), None);
        let mut parts = Vec::new();
        let output = aggregate_as_flink(&call, self.relation, &mut parts)?;
        let whole = Expr::AggregateFunction(call);
        let Some(output) = output else { return self.part(of, &whole, column, sql) };
        let mut columns = Vec::new();
        for part in &parts {
            let inside = sql.split_once('(').map_or(sql, |(_, inside)| inside);
            let name = match part {
                Expr::AggregateFunction(part) => part.func.name().to_uppercase(),
                other => return plan_err!("{other} is no aggregate"),
            };
            let column = self.part(of, part, column, &format!("{name}({inside}"))?;
            columns.push((part.schema_name().to_string(), column));
        }
        let output = output.transform_up(|expr| match &expr {
            Expr::Column(column) => match columns.iter().find(|(name, _)| *name == column.name) {
                Some((_, part)) => Ok(Transformed::yes(part.clone())),
                None => Ok(Transformed::no(expr)),
            },
            _ => Ok(Transformed::no(expr)),
        })?;
        Ok(output.data)
    }

    fn part(&mut self, of: Rows, part: &Expr, column: usize, sql: &str) -> Result<Expr> {
        let Expr::AggregateFunction(call) = part else { return plan_err!("{part} is no aggregate") };
        let aggregate = match call.func.name() {
            "count" => MatchAggregate::Count,
            "sum" => MatchAggregate::Sum,
            "min" => MatchAggregate::Min,
            "max" => MatchAggregate::Max,
            other => return plan_err!("there is no aggregate {other} in MATCH_RECOGNIZE"),
        };
        let data_type = part.get_type(self.relation)?;
        let source = Source::Aggregate { aggregate, of, column, data_type: data_type.clone() };
        Ok(self.column(source, sql, data_type))
    }

    /// The column of a source.
    fn column(&mut self, source: Source, sql: &str, data_type: DataType) -> Expr {
        let at = self.sources.iter().position(|other| *other == source).unwrap_or_else(|| {
            let taken = |name: &String| self.names.contains(name);
            let numbered = (2..).map(|number| format!("{sql} {number}"));
            let name = std::iter::once(sql.to_owned()).chain(numbered).find(|name| !taken(name));
            self.names.push(name.unwrap_or_default());
            self.sources.push(source);
            self.types.push(data_type);
            self.sources.len() - 1
        });
        Expr::Column(Column::new_unqualified(&self.names[at]))
    }
}
