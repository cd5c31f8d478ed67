//! Specs around the one that is tested.

use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::keys::KeyCodec;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::sink::SinkWriter;
use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;

/// An operator behind a keyed stream: rows of port `n` are keyed by the columns that stand at `columns[n]`.
#[derive(Debug)]
pub struct Keyed<S> {
    /// Columns of the key, by port.
    pub columns: Vec<Vec<usize>>,
    /// The operator.
    pub inner: S,
}

impl<S: OperatorSpec> Keyed<S> {
    /// An operator with one input.
    pub fn new(columns: impl Into<Vec<usize>>, inner: S) -> Self {
        Keyed { columns: vec![columns.into()], inner }
    }
}

impl<S: OperatorSpec> OperatorSpec for Keyed<S> {
    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        self.inner.meaning(inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        self.inner.stores()
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        self.inner.output_kind(inputs)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Keying { columns: self.columns.clone(), inner: self.inner.build(cx)? }))
    }
}

struct Keying {
    columns: Vec<Vec<usize>>,
    inner: Box<dyn Operator>,
}

impl Operator for Keying {
    fn process(&mut self, port: Port, mut batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let columns: Vec<ArrayRef> = self.columns[usize::from(port.0)]
            .iter()
            .map(|column| Ok(Arc::clone(batch.columns()?.column(*column))))
            .collect::<Result<_, OperatorError>>()?;
        let types = columns.iter().map(|column| column.data_type().clone()).collect();
        let codec = KeyCodec::new(types).expect("columns of a key");
        batch.keys = Some(Arc::new(codec.encode(&columns, batch.len())?));
        self.inner.process(port, batch, cx)
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.inner.advance(watermark, cx)
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.inner.flush(cx)
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.inner.delta(out)
    }

    fn restore(&mut self, watermark: EventTime, state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.inner.restore(watermark, state)
    }

    fn evict(&mut self) {
        self.inner.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes()
    }
}

/// A sink whose records come out as rows, at every commit: `partition:i32 key:utf8 value:utf8`, partition after
/// partition, with the record's timestamp as the time.
#[derive(Debug)]
pub struct Written<S> {
    /// The sink.
    pub sink: S,
    /// Partitions of its topic.
    pub partitions: u32,
}

impl<S: SinkWriter> OperatorSpec for Written<S> {
    fn describe(&self) -> Description {
        Description::new("Sink", self.sink.describe())
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        self.sink.accepts(inputs[0]).map(|()| StreamKind::Append)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Writing(self.sink.build(self.partitions, cx)?)))
    }
}

struct Writing(Box<dyn Operator>);

impl Operator for Writing {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.0.process(port, batch, cx)
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.0.flush(cx)?;
        let (mut partitions, mut keys, mut values, mut times) = (vec![], vec![], vec![], vec![]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for (place, records) in cx.outbox.seal().records {
            for record in records.iter() {
                partitions.push(place.partition as i32);
                keys.push(record.key.map(text));
                values.push(record.value.map(text));
                times.push(record.timestamp_ms);
            }
        }
        let fields = [("partition", DataType::Int32), ("key", DataType::Utf8), ("value", DataType::Utf8)];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(partitions)),
            Arc::new(StringArray::from(keys)),
            Arc::new(StringArray::from(values)),
        ];
        let schema = Arc::new(Schema::new(fields.to_vec()));
        cx.emit(Batch::append(RecordBatch::try_new(schema, columns)?, times));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.0.delta(out)
    }

    fn evict(&mut self) {
        self.0.evict();
    }
}
