//! A sink that writes every row as a record.

use super::{RowEncoder, RowEncoderSpec, SinkWriter, partition_for_key};
use crate::OperatorError;
use crate::batch::{Batch, Ops, StreamKind};
use crate::expression::Failure;
use crate::formats::Lookup;
use crate::operator::{BuildCx, Cx, Operator, Port};
use crate::source::Policy;
use std::sync::Arc;

/// Which partition a record goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Partitioner {
    /// Records of a key to one partition. Without a key each commit of a task goes to the next partition, so that a
    /// commit's records stay together and partitions fill evenly.
    #[default]
    ByKey,
    /// All records of a task to one partition, whatever their keys.
    ByTask,
}

/// Writes a stream, a record a row: an append stream, or a changelog where records say what happened.
#[derive(Debug, Clone)]
pub struct AppendSink {
    /// The table's name.
    pub table: String,
    /// The topic.
    pub topic: String,
    /// Writes keys; `None` for records without a key.
    pub key: Option<Arc<dyn RowEncoderSpec>>,
    /// Writes values.
    pub value: Arc<dyn RowEncoderSpec>,
    /// Which partition records go to.
    pub partitioner: Partitioner,
}

impl SinkWriter for AppendSink {
    fn describe(&self) -> String {
        let key = self.key.as_ref().map_or("no key".to_owned(), |key| format!("key {}", key.describe()));
        let by_task =
            if self.partitioner == Partitioner::ByTask { ", a partition for each task" } else { "" };
        format!("append to {}: {key}, value {}{by_task}", self.topic, self.value.describe())
    }

    fn accepts(&self, kind: StreamKind) -> Result<(), String> {
        match kind {
            StreamKind::Append => Ok(()),
            StreamKind::Changelog if self.value.writes_changes() => Ok(()),
            StreamKind::Changelog | StreamKind::Upsert => Err(format!(
                "table {} takes insertions only, but the query updates and deletes rows it has already sent; declare \
                 the table with 'connector' = 'upsert-kafka' and a PRIMARY KEY, or group by a window",
                self.table
            )),
        }
    }

    fn values(&self) -> Option<Arc<dyn RowEncoderSpec>> {
        (!self.value.writes_changes()).then(|| Arc::clone(&self.value))
    }

    fn before_writing(&self) -> Vec<Lookup> {
        let key = self.key.as_ref().and_then(|key| key.before_writing());
        key.into_iter().chain(self.value.before_writing()).collect()
    }

    fn build(&self, partitions: u32, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let key = self.key.as_ref().map(|key| key.build()).transpose()?;
        let topic = self.topic.as_str().into();
        let changes = self.value.writes_changes();
        // All that happens to a row happens in one task, and has to be read in its order.
        let by_task = self.partitioner == Partitioner::ByTask || (changes && key.is_none());
        let value = self.value.build()?;
        Ok(Box::new(Append { topic, partitions, key, value, key_bytes: Vec::new(), by_task, changes }))
    }
}

struct Append {
    topic: Arc<str>,
    partitions: u32,
    key: Option<Box<dyn RowEncoder>>,
    value: Box<dyn RowEncoder>,
    key_bytes: Vec<u8>,
    by_task: bool,
    changes: bool,
}

impl Operator for Append {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if !self.changes && !matches!(batch.ops, Ops::Append) {
            return Err(OperatorError::Mismatch { expected: "insertions", found: "changes" });
        }
        self.value.begin(&batch)?;
        let failures = match self.key {
            None => self.write_without_key(&batch, cx)?,
            Some(_) => self.write_by_key(&batch, cx)?,
        };
        failures.into_iter().try_for_each(|(row, failure)| cx.on_bad(Policy::Fail, &batch, row, failure))
    }
}

/// Rows that can't be written, and why.
type Failures = Vec<(usize, Failure)>;

impl Append {
    fn write_without_key(&mut self, batch: &Batch, cx: &mut Cx<'_>) -> Result<Failures, OperatorError> {
        let mut failures = Vec::new();
        let next = (u64::from(cx.task.partition) + cx.commit) % u64::from(self.partitions);
        let partition = if self.by_task { cx.task.partition % self.partitions } else { next as u32 };
        let records = cx.outbox.records(&self.topic, partition);
        let before = records.data_bytes();
        for (row, time) in batch.times.iter().enumerate() {
            let start = records.open_value().len();
            match self.value.encode(row, records.open_value()) {
                Ok(()) => records.seal(start, None, *time),
                Err(error) => {
                    records.open_value().truncate(start);
                    failures.push((row, Failure::of_row(error)?));
                }
            }
        }
        let written = records.data_bytes() - before;
        cx.outbox.account(written);
        Ok(failures)
    }

    fn write_by_key(&mut self, batch: &Batch, cx: &mut Cx<'_>) -> Result<Failures, OperatorError> {
        let mut failures = Vec::new();
        let Some(key) = &mut self.key else { return Ok(failures) };
        key.begin(batch)?;
        for (row, time) in batch.times.iter().enumerate() {
            self.key_bytes.clear();
            if let Err(error) = key.encode(row, &mut self.key_bytes) {
                failures.push((row, Failure::of_row(error)?));
                continue;
            }
            let partition = match self.by_task {
                true => cx.task.partition % self.partitions,
                false => partition_for_key(&self.key_bytes, self.partitions),
            };
            let records = cx.outbox.records(&self.topic, partition);
            let start = records.open_value().len();
            match self.value.encode(row, records.open_value()) {
                Ok(()) => records.seal(start, Some(&self.key_bytes), *time),
                Err(error) => {
                    records.open_value().truncate(start);
                    failures.push((row, Failure::of_row(error)?));
                }
            }
            let written = records.data_bytes() - start;
            cx.outbox.account(written);
        }
        Ok(failures)
    }
}
