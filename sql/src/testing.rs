//! For tests: the batch answer to the queries of a file.
//!
//! [`batch_queries`] gives the plan of every `INSERT INTO` as the streaming plan is made from it, with Flink's meaning
//! of types and aggregates, over rows in memory and with windows as plain expressions. A batch engine's answer to it is
//! what a job has to have written when its input has ended.

use crate::error::SqlErrors;
use crate::features::feature;
use crate::plan::Analyzed;
use crate::query::ScanOf;
use arrow::array::RecordBatch;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, plan_err};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Extension, LogicalPlan, TableScanBuilder};
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
            let Some(batch) = rows.get(ScanOf::of(scan).name) else {
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
            match feature(extension.as_ref()).and_then(|feature| feature.batch()) {
                Some(plan) => Ok(Transformed::yes(plan?)),
                None => plan_err!("{} has no batch answer", extension.name()),
            }
        }
        _ => Ok(Transformed::no(node)),
    }
}
