//! The batch answer.

use crate::{Case, Change};
use arrow::datatypes::DataType;
use arrow::json::{LineDelimitedWriter, ReaderBuilder};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::SessionContext;
use millstream::sql::testing::{batch_queries, table_schemas};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By table that is written: its rows in the end. Where the queries have no batch answer, as sessions, what Flink answered
/// stands alone.
pub(crate) fn answers(case: &Case) -> BTreeMap<String, Vec<Value>> {
    if case.late.is_some() {
        return case.recorded.clone();
    }
    let schemas = table_schemas(&case.sql).unwrap_or_else(|errors| panic!("{errors}"));
    let keys = crate::streaming::keys(&case.sql);
    let tables = case.rows.iter().map(|(table, changes)| {
        let rows = last_rows(changes, keys.get(table));
        let mut reader = ReaderBuilder::new(Arc::clone(&schemas[table])).build_decoder().unwrap();
        reader.serialize(&rows).unwrap();
        let batch = reader.flush().unwrap();
        (table.clone(), batch.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&schemas[table]))))
    });
    let tables: BTreeMap<String, RecordBatch> = tables.collect();
    let queries = batch_queries(&case.sql, &tables).unwrap_or_else(|errors| panic!("{errors}"));
    let queries = match queries {
        Err(error) if error.to_string().contains("no batch answer") => return case.recorded.clone(),
        queries => queries.unwrap(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut answers: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (table, plan) in queries {
        let context = SessionContext::new();
        let batches = runtime
            .block_on(async { context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap() });
        answers.entry(table).or_default().extend(batches.iter().flat_map(rows_of));
    }
    answers
}

/// The rows that are there in the end: of an upsert table the last of every key, unless it was deleted.
fn last_rows(changes: &[Change], key: Option<&Vec<String>>) -> Vec<Value> {
    let Some(key) = key else { return changes.iter().map(|change| change.row.clone()).collect() };
    let mut last: BTreeMap<String, Option<Value>> = BTreeMap::new();
    for (row, deletes) in changes.iter().map(Change::meaning) {
        let key = key.iter().map(|field| row[field].to_string()).collect::<Vec<_>>().join(",");
        last.insert(key, (!deletes).then(|| row.clone()));
    }
    last.into_values().flatten().collect()
}

/// Rows as JSON, nulls included; times as the jobs write them.
fn rows_of(batch: &RecordBatch) -> Vec<Value> {
    let mut out = Vec::new();
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_timestamp_format("%Y-%m-%d %H:%M:%S%.f".to_owned())
        .with_timestamp_tz_format("%Y-%m-%d %H:%M:%S%.fZ".to_owned())
        .build::<_, arrow::json::writer::LineDelimited>(&mut out);
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    let _ = LineDelimitedWriter::new(Vec::new());
    let text = String::from_utf8(out).unwrap();
    let mut rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for field in batch.schema().fields() {
        if !matches!(field.data_type(), DataType::Timestamp(_, _)) {
            continue;
        }
        for row in &mut rows {
            let Some(time) = row[field.name()].as_str().filter(|time| time.contains('.')) else { continue };
            let (digits, zone) = time.strip_suffix('Z').map_or((time, ""), |digits| (digits, "Z"));
            let short = digits.trim_end_matches('0').trim_end_matches('.');
            row[field.name()] = Value::from(format!("{short}{zone}"));
        }
    }
    rows
}
