//! Which columns of which tables a job reads, down to the fields of rows in rows.
//!
//! A [`Need`] is what is read of a column. It is collected from the outputs of a plan down to its tables, so that a
//! decoder can leave out what nobody reads: of `bid ROW<auction, price, url, ..>` a query that names `bid.price` has
//! one field decoded.

use crate::expression::field_of;
use crate::features::feature;
use crate::query::ScanOf;
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan};
use std::collections::BTreeMap;

/// What is read of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Need {
    /// Nothing of it.
    #[default]
    Nothing,
    /// These fields of a row.
    Fields(BTreeMap<String, Need>),
    /// The whole value.
    All,
}

impl Need {
    fn add(&mut self, other: &Need) {
        match (&mut *self, other) {
            (_, Need::Nothing) | (Need::All, _) => {}
            (_, Need::All) => *self = Need::All,
            (Need::Nothing, Need::Fields(_)) => *self = other.clone(),
            (Need::Fields(mine), Need::Fields(others)) => {
                for (name, need) in others {
                    mine.entry(name.clone()).or_default().add(need);
                }
            }
        }
    }

    /// The type without the fields that are not read. A value of which nothing is read keeps its type.
    pub(super) fn narrowed(&self, data_type: &DataType) -> DataType {
        match (self, data_type) {
            (Need::Fields(needs), DataType::Struct(fields)) => {
                let kept = fields.iter().filter_map(|field| {
                    let data_type = needs.get(field.name())?.narrowed(field.data_type());
                    Some(Field::new(field.name(), data_type, field.is_nullable()))
                });
                DataType::Struct(kept.collect())
            }
            _ => data_type.clone(),
        }
    }
}

/// By table and column: what is read of it.
pub(super) type Needs = BTreeMap<String, BTreeMap<usize, Need>>;

/// Notes what a plan reads when all of its output is read.
pub(super) fn collect_needs(plan: &LogicalPlan, needs: &mut Needs) -> Result<()> {
    collect(plan, &vec![Need::All; plan.schema().fields().len()], needs)
}

/// Adds what `expr` reads, `need` being what is read of its value, to the needs of the columns of `schema`.
pub(crate) fn add_reads(expr: &Expr, need: &Need, schema: &DFSchema, columns: &mut [Need]) -> Result<()> {
    match expr {
        Expr::Alias(alias) => add_reads(&alias.expr, need, schema, columns),
        Expr::Column(column) => {
            if let Some(index) = schema.maybe_index_of_column(column) {
                columns[index].add(need);
            }
            Ok(())
        }
        other => match field_of(other) {
            Some((row, path)) => {
                let wrap = |need: Need, name: &String| Need::Fields(BTreeMap::from([(name.clone(), need)]));
                add_reads(row, &path.iter().rev().fold(need.clone(), wrap), schema, columns)
            }
            None => {
                other.apply_children(|child| {
                    add_reads(child, &Need::All, schema, columns)?;
                    Ok(TreeNodeRecursion::Continue)
                })?;
                Ok(())
            }
        },
    }
}

fn collect(plan: &LogicalPlan, wanted: &[Need], needs: &mut Needs) -> Result<()> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let table = needs.entry(ScanOf::of(scan).key.to_owned()).or_default();
            for (position, need) in wanted.iter().enumerate() {
                let column = scan.projection.as_ref().map_or(position, |projection| projection[position]);
                table.entry(column).or_default().add(need);
            }
            Ok(())
        }
        LogicalPlan::Projection(projection) => {
            let schema = projection.input.schema();
            let mut inner = vec![Need::Nothing; schema.fields().len()];
            for (expr, need) in projection.expr.iter().zip(wanted) {
                add_reads(expr, need, schema, &mut inner)?;
            }
            collect(&projection.input, &inner, needs)
        }
        LogicalPlan::Filter(filter) => {
            let mut inner = wanted.to_vec();
            add_reads(&filter.predicate, &Need::All, filter.input.schema(), &mut inner)?;
            collect(&filter.input, &inner, needs)
        }
        LogicalPlan::SubqueryAlias(alias) => collect(&alias.input, wanted, needs),
        LogicalPlan::Extension(Extension { node }) => {
            let read = feature(node.as_ref()).map(|feature| feature.reads(wanted)).transpose()?.flatten();
            match read {
                Some(read) => node
                    .inputs()
                    .into_iter()
                    .zip(read)
                    .try_for_each(|(input, read)| collect(input, &read, needs)),
                None => node.inputs().into_iter().try_for_each(|input| collect_needs(input, needs)),
            }
        }
        // What other operators do with rows in rows is theirs: they get them whole.
        other => other.inputs().into_iter().try_for_each(|input| collect_needs(input, needs)),
    }
}
