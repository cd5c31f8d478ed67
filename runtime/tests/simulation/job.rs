//! The job under test: every record is passed on once, and counted by its key behind an exchange.
//!
//! ```text
//! in (id, key) --+--> out (append: id)
//!                +--> key by key --> exchange --> count --> counts (upsert: key, count)
//! ```

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use millstream_operators::exchange::{ByEncodedKey, ExchangeSpec, PayloadCodec};
use millstream_operators::keys::{KeyCodec, SlotTable};
use millstream_operators::meaning::{Meaning, RowsMeaning, SourceMeaning};
use millstream_operators::sink::{AppendSink, RowEncoder, RowEncoderSpec, SinkSpec, SinkTopic, UpsertSink};
use millstream_operators::source::{
    Bounded, DecodeCx, Decoded, Decoder, DecoderSpec, EventTimeSpec, Policy, SourceSpec, Startup,
};
use millstream_operators::*;
use millstream_runtime::JobPlan;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const INPUT: &str = "in";
pub(crate) const OUT: &str = "out";
pub(crate) const COUNTS: &str = "counts";

/// `discovery_interval_ms` is how often is looked for partitions that were added to the input.
pub(crate) fn plan_of(name: &str, partitions: u32, discovery_interval_ms: Option<u64>) -> JobPlan {
    let mut topology = Topology::new();
    let source = SourceSpec {
        table: INPUT.into(),
        topics: vec![INPUT.into()],
        pattern: None,
        feed: None,
        decoder: Arc::new(Lines),
        kind: StreamKind::Append,
        // Without event time nothing would become idle, and idleness is what is committed when nothing is read.
        event_time: Some(EventTimeSpec {
            out_of_orderness_ms: 0,
            max_future_ms: i64::MAX,
            every_row: false,
            by_clock: false,
        }),
        idle_timeout_ms: 30,
        discovery_interval_ms,
        startup: Startup::Earliest,
        bounded: Bounded::Unbounded,
        bad_records: Policy::Fail,
        dead_letters: None,
    };
    let source = topology.add("in", NodeSpec::Source(Arc::new(source)), &[]).unwrap();
    let append = AppendSink {
        table: OUT.into(),
        topic: OUT.into(),
        key: None,
        value: Arc::new(Column(0)),
        partitioner: Default::default(),
    };
    topology.add("out", sink(OUT, false, Arc::new(append)), &[source]).unwrap();
    let keyed = topology.add("key", NodeSpec::Operator(Arc::new(ByKey)), &[source]).unwrap();
    let exchange = ExchangeSpec {
        by: "key".into(),
        partition_by: Arc::new(ByEncodedKey),
        codec: Arc::new(NoRows),
        by_clock: false,
    };
    let exchanged = topology.add("exchange", NodeSpec::Exchange(Arc::new(exchange)), &[keyed]).unwrap();
    let counted = topology.add("count", NodeSpec::Operator(Arc::new(Count)), &[exchanged]).unwrap();
    let upsert = UpsertSink {
        table: COUNTS.into(),
        topic: COUNTS.into(),
        key: Arc::new(Column(0)),
        value: Arc::new(Column(1)),
    };
    topology.add("counts", sink(COUNTS, true, Arc::new(upsert)), &[counted]).unwrap();
    let cut = cut(&topology, &|_| Some(partitions)).unwrap();
    let sinks = BTreeMap::from([(OUT.to_owned(), partitions), (COUNTS.to_owned(), partitions)]);
    JobPlan::new(name, None, cut, sinks)
}

fn sink(topic: &str, compacted: bool, writer: Arc<dyn sink::SinkWriter>) -> NodeSpec {
    let topic = SinkTopic { name: topic.into(), compacted };
    NodeSpec::Sink(Arc::new(SinkSpec { table: topic.name.clone(), topic: Some(topic), writer }))
}

/// Decodes `id key`.
#[derive(Debug)]
struct Lines;

impl DecoderSpec for Lines {
    fn describe(&self) -> String {
        "lines".into()
    }

    fn meaning(&self, topics: &str) -> SourceMeaning {
        SourceMeaning::described(self.describe(), topics)
    }

    fn build(&self) -> Result<Box<dyn Decoder>, OperatorError> {
        Ok(Box::new(Lines))
    }
}

impl Decoder for Lines {
    fn decode(
        &mut self,
        _place: &TopicPartition,
        records: &Records,
        _cx: &DecodeCx,
    ) -> Result<Decoded, OperatorError> {
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        for record in records.iter() {
            let text = std::str::from_utf8(record.value.unwrap()).unwrap();
            let (id, key) = text.split_once(' ').unwrap();
            ids.push(id.parse::<i64>().unwrap());
            keys.push(key);
        }
        let times: Vec<i64> = records.iter().map(|record| record.timestamp_ms).collect();
        let rows = Payload::Columns(batch(ids, keys));
        let of = (0..records.len() as u32).collect();
        let (ops, bad) = (Ops::Append, Vec::new());
        Ok(Decoded { rows, times: times.into(), ops, records: of, bad, skipped: 0, watermark: None })
    }
}

fn batch(ids: Vec<i64>, keys: Vec<&str>) -> RecordBatch {
    let schema =
        Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("key", DataType::Utf8, true)]);
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids)), Arc::new(StringArray::from(keys))];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[derive(Debug)]
struct ByKey;

impl OperatorSpec for ByKey {
    fn describe(&self) -> Description {
        Description::new("KeyBy", "key")
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        Ok(inputs[0])
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(ByKey))
    }
}

impl Operator for ByKey {
    fn process(&mut self, _port: Port, mut batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let codec = KeyCodec::new(vec![DataType::Utf8]).unwrap();
        let keys = codec.encode(&batch.columns()?.columns()[1..2], batch.len())?;
        batch.keys = Some(Arc::new(keys));
        cx.emit(batch);
        Ok(())
    }
}

/// Sends keys only.
#[derive(Debug)]
struct NoRows;

impl PayloadCodec for NoRows {
    fn schema_hash(&self) -> u64 {
        7
    }

    fn encode(&self, _: &[Batch], _: &[(u32, u32)], _: &mut Vec<u8>) -> Result<(), OperatorError> {
        Ok(())
    }

    fn decode(&self, _bytes: &[u8], rows: usize) -> Result<Payload, String> {
        Ok(Payload::Rows(Box::new(vec![(); rows])))
    }
}

/// Counts rows by key.
#[derive(Debug)]
struct Count;

impl OperatorSpec for Count {
    fn describe(&self) -> Description {
        Description::new("Count", "by key")
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        vec![StoreSpec { name: "counts".into(), schema: "key -> i64".into() }]
    }

    fn output_kind(&self, _: &[StreamKind]) -> Result<StreamKind, String> {
        Ok(StreamKind::Upsert)
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Counting { slots: SlotTable::with_seed(cx.hash_seed), ..Counting::default() }))
    }
}

#[derive(Default)]
struct Counting {
    slots: SlotTable,
    counts: Vec<i64>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    changed: Vec<u32>,
}

impl Operator for Counting {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        for key in batch.keys()?.iter() {
            let (slot, new) = self.slots.find_or_insert(key);
            if new {
                let stored = cx.state.get(0, key)?;
                let count = stored.map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().unwrap()));
                self.counts.push(count);
                self.is_dirty.push(false);
            }
            self.counts[slot as usize] += 1;
            if !std::mem::replace(&mut self.is_dirty[slot as usize], true) {
                self.dirty.push(slot);
            }
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.changed = std::mem::take(&mut self.dirty);
        let codec = KeyCodec::new(vec![DataType::Utf8]).unwrap();
        let keys = codec.decode(self.changed.iter().map(|slot| self.slots.key(*slot)))?;
        let counts: Int64Array = self.changed.iter().map(|slot| Some(self.counts[*slot as usize])).collect();
        let schema = Schema::new(vec![
            Field::new("key", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ]);
        let rows = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(&keys[0]), Arc::new(counts)])?;
        let times = vec![cx.now_ms; rows.num_rows()];
        cx.emit(Batch::append(rows, times));
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        for slot in self.changed.drain(..) {
            out.block(0).put(self.slots.key(slot), &self.counts[slot as usize].to_le_bytes());
            self.is_dirty[slot as usize] = false;
        }
        Ok(())
    }

    fn evict(&mut self) {
        self.slots.clear();
        self.counts.clear();
        self.is_dirty.clear();
    }
}

/// Writes one column as text.
#[derive(Debug, Clone)]
struct Column(usize);

struct ColumnText(usize, Option<ArrayRef>);

impl RowEncoderSpec for Column {
    fn describe(&self) -> String {
        format!("column {}", self.0)
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        Ok(Box::new(ColumnText(self.0, None)))
    }
}

impl RowEncoder for ColumnText {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        self.1 = Some(Arc::clone(batch.columns()?.column(self.0)));
        Ok(())
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        let column = self.1.as_ref().unwrap();
        match column.data_type() {
            DataType::Utf8 => out.extend(column.as_string::<i32>().value(row).as_bytes()),
            _ => out.extend(column.as_primitive::<Int64Type>().value(row).to_string().as_bytes()),
        }
        Ok(())
    }
}
