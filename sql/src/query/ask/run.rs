//! The operators of a job over rows in memory, one after the other: what a query over many rows comes to.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::DataType;
use millstream_operators::records::{RecordsBuilder, TopicPartition};
use millstream_operators::source::DecodeCx;
use millstream_operators::testing::Harness;
use millstream_operators::{Batch, NodeSpec, OperatorError, Port, Topology};
use std::collections::BTreeMap;

/// What comes to a job's only sink amounts to: the texts of the values of its first column, and their type. Every row is
/// committed on its own, so that what groups took back counts too.
pub(super) fn run(
    topology: &Topology,
    rows: &RecordBatch,
    text: impl Fn(&RecordBatch, usize) -> String,
) -> Result<(DataType, Vec<String>), OperatorError> {
    let mut made: Vec<Vec<Batch>> = Vec::new();
    for node in topology.nodes() {
        let input = |port: usize| made[node.inputs[port].0].clone();
        let batches = match &node.spec {
            NodeSpec::Source(source) => {
                // Which columns a source reads is seen in the rows that it makes of no record.
                let none = RecordsBuilder::with_capacity(0, 0).finish();
                let place = TopicPartition::new("t", 0);
                let read = source.decoder.build()?.decode(&place, &none, &DecodeCx { now_ms: 0 })?;
                let schema = Batch::new(read.rows, read.times, read.ops).columns()?.schema();
                let columns = schema.fields().iter().filter_map(|field| rows.column_by_name(field.name()));
                let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
                let read =
                    RecordBatch::try_new_with_options(schema.clone(), columns.cloned().collect(), &options);
                let read = read?;
                (0..read.num_rows()).map(|row| Batch::append(read.slice(row, 1), vec![0])).collect()
            }
            NodeSpec::Exchange(_) => input(0),
            NodeSpec::Operator(spec) => {
                let mut harness = Harness::new(spec.as_ref());
                for port in 0..node.inputs.len() {
                    for batch in input(port) {
                        harness.process_batch(Port(port as u8), batch)?;
                        harness.commit()?;
                    }
                }
                harness.take()
            }
            NodeSpec::Sink(_) => return amount(&input(0), text),
        };
        made.push(batches);
    }
    Err(OperatorError::Mismatch { expected: "a sink", found: "none" })
}

fn amount(
    batches: &[Batch],
    text: impl Fn(&RecordBatch, usize) -> String,
) -> Result<(DataType, Vec<String>), OperatorError> {
    let mut bag: BTreeMap<String, i64> = BTreeMap::new();
    let mut data_type = DataType::Null;
    for batch in batches {
        let rows = batch.columns()?;
        data_type = rows.schema().field(0).data_type().clone();
        for row in 0..rows.num_rows() {
            *bag.entry(text(rows, row)).or_default() += i64::from(batch.ops.get(row));
        }
    }
    let values = bag.into_iter().flat_map(|(value, count)| (0..count).map(move |_| value.clone()));
    Ok((data_type, values.collect()))
}
