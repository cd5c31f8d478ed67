//! For tests: the batch answer to the queries of a file.
//!
//! [`batch_queries`] gives the plan of every `INSERT INTO` as the streaming plan is made from it, with Flink's meaning
//! of types and aggregates, over rows in memory and with windows as plain expressions. A batch engine's answer to it is
//! what a job has to have written when its input has ended.

use crate::error::SqlErrors;
use crate::plan::Analyzed;
use crate::query::nodes::{WindowKind, WindowSpec, WindowTable};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, plan_err};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, TableScanBuilder, cast, lit,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A query that can be asked of DataFusion as it is: the table it is written to, and its plan, with that table's
/// physical columns.
pub type BatchQuery = (String, LogicalPlan);

/// Columns of the tables of a file, computed ones included.
///
/// # Errors
/// What is wrong with the file.
pub fn table_schemas(
    text: &str,
) -> std::result::Result<BTreeMap<String, arrow::datatypes::SchemaRef>, SqlErrors> {
    Ok(Analyzed::of("test.sql", text)?.schemas())
}

/// The queries of a file over these rows, by table.
///
/// # Errors
/// What is wrong with the file; `Ok(Err(_))` for plans that have no batch answer, as temporal joins.
pub fn batch_queries(
    text: &str,
    rows: &BTreeMap<String, RecordBatch>,
) -> std::result::Result<Result<Vec<BatchQuery>>, SqlErrors> {
    let analyzed = Analyzed::of("test.sql", text)?;
    let queries = analyzed.into_queries().into_iter().map(|(table, plan)| {
        let plan = plan?.transform_up_with_subqueries(|node| over_rows(node, rows))?.data;
        Ok((table, plan))
    });
    Ok(queries.collect())
}

fn over_rows(node: LogicalPlan, rows: &BTreeMap<String, RecordBatch>) -> Result<Transformed<LogicalPlan>> {
    match &node {
        LogicalPlan::TableScan(scan) => {
            let Some(batch) = rows.get(scan.table_name.table()) else {
                return plan_err!("no rows for {}", scan.table_name);
            };
            let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]])?;
            let source = provider_as_source(Arc::new(table));
            let scan = TableScanBuilder::new(scan.table_name.clone(), source)
                .with_projection(scan.projection.clone())
                .build()?;
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        LogicalPlan::Extension(Extension { node: extension }) => {
            match extension.as_any().downcast_ref::<WindowTable>() {
                Some(table) => Ok(Transformed::yes(windows(table)?)),
                None => plan_err!("{} has no batch answer", extension.name()),
            }
        }
        _ => Ok(Transformed::no(node)),
    }
}

/// Every row once for each window it is in.
fn windows(table: &WindowTable) -> Result<LogicalPlan> {
    let WindowKind::Fixed(WindowSpec { size_ms, slide_ms, offset_ms, cumulates }) = table.window else {
        return plan_err!("sessions have no batch answer");
    };
    let millis = DataType::Timestamp(TimeUnit::Millisecond, None);
    let time = cast(cast(table.time.clone(), millis.clone()), DataType::Int64);
    let since =
        |length_ms: i64| ((time.clone() - lit(offset_ms)) % lit(length_ms) + lit(length_ms)) % lit(length_ms);
    let mut all: Option<LogicalPlanBuilder> = None;
    let schema = table.schema_ref();
    let added = schema.fields().len() - 3;
    let qualifier = schema.qualified_field(added).0.cloned();
    let time_type = schema.field(added + 2).data_type().clone();
    for earlier in 0..size_ms / slide_ms {
        // Cumulating: the window that is this many steps shorter than the longest.
        let (start, length_ms) = match cumulates {
            false => (time.clone() - since(slide_ms) - lit(earlier * slide_ms), size_ms),
            true => (time.clone() - since(size_ms), size_ms - earlier * slide_ms),
        };
        let bound = |shift: i64| cast(start.clone() + lit(shift), millis.clone());
        let named = |expr: Expr, name: &str| expr.alias_qualified(qualifier.clone(), name);
        let columns = table.input.schema().iter().map(Expr::from).chain([
            named(bound(0), "window_start"),
            named(bound(length_ms), "window_end"),
            named(cast(bound(length_ms - 1), time_type.clone()), "window_time"),
        ]);
        let inside = (time.clone() - start.clone()).lt(lit(length_ms));
        let part = LogicalPlanBuilder::from(table.input.clone()).filter(inside)?;
        let part = part.project(columns.collect::<Vec<_>>())?;
        all = Some(match all {
            None => part,
            Some(all) => all.union(part.build()?)?,
        });
    }
    // A union forgets which table its columns are of.
    let qualified = schema.iter().map(|(qualifier, field)| {
        Expr::Column(Column::new_unqualified(field.name())).alias_qualified(qualifier.cloned(), field.name())
    });
    match all {
        Some(all) if size_ms > slide_ms => all.project(qualified.collect::<Vec<_>>())?.build(),
        Some(all) => all.build(),
        None => plan_err!("no windows"),
    }
}
