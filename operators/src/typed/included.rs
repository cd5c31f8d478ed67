//! Operators of another topology within a program: of a planned file of SQL, between typed streams.
//!
//! ```text
//!   Stream<T> --as records--> source of the topology .. operators .. sink of the topology --as values--> Stream<U>
//! ```
//! A stream takes the place of a topic that the topology reads, and another that of one that it writes. What lies between is
//! as it is. Rows pass as what the topic would have held: the values of records, in the format of the table, without a topic
//! in between. Event time passes too: a row's is the timestamp of its record, and the watermark is the stream's.

use super::chain::{Beside, Rows};
use super::json::write_json;
use super::{Program, Row, Stream};
use crate::OperatorError;
use crate::batch::{Batch, Ops, Payload, StreamKind};
use crate::expression::Failure;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use crate::records::{RecordsBuilder, TopicPartition};
use crate::sink::{RowEncoder, RowEncoderSpec};
use crate::source::{DecodeCx, Decoded, Decoder, SourceSpec};
use crate::topology::{NodeId, NodeSpec, Topology, TopologyError};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

impl Program {
    /// Takes the operators of another topology in, as of a planned file of SQL: see [`Include`].
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let other = Program::new();
    /// other.read::<String>("words").map(|word| word.len() as u64).to("lengths");
    /// let program = Program::new();
    /// let words = program.read::<String>("lines").flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    /// let included = program.include(&other.topology().unwrap()).streams(&["lengths"]);
    /// included.stream::<u64>("lengths").to("copies of lengths");
    /// words.to("more words");
    /// program.topology().unwrap();
    /// ```
    pub fn include(&self, topology: &Topology) -> Include {
        Include { program: self.clone(), topology: topology.clone(), fed: BTreeMap::new() }
    }

    /// How many topologies have been taken in.
    fn next_included(&self) -> u32 {
        let mut plan = self.plan.borrow_mut();
        let count = plan.names.entry("included".to_owned()).or_default();
        *count += 1;
        *count
    }

    fn refuse(&self, node: &str, message: String) {
        self.fail(TopologyError { node: node.to_owned(), message });
    }
}

/// A topology about to become a part of a program: [`Include::feed`] says which streams it reads in the place of topics,
/// [`Include::streams`] ends it.
#[must_use = "the operators are taken in by streams(..)"]
pub struct Include {
    program: Program,
    topology: Topology,
    /// By topic: rows as a node, how they are written, and whether event time passes.
    fed: BTreeMap<String, Fed>,
}

struct Fed {
    node: NodeId,
    is_timed: bool,
    decoded: fn(Arc<SourceSpec>) -> NodeSpec,
}

impl std::fmt::Debug for Include {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Include").field("fed", &self.fed.keys()).finish_non_exhaustive()
    }
}

impl Include {
    /// Gives the topology the rows of a stream, as JSON, where it would read a topic of insertions.
    ///
    /// Where the table declares a watermark it has to be over the timestamp of the record, without a delay: `at
    /// TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR at AS at`; that is the time of the row, and the watermark is
    /// that of the stream.
    pub fn feed<T: Row>(mut self, topic: &str, rows: Stream<T>) -> Self {
        let is_timed = rows.is_timed;
        let decoded = |source: Arc<SourceSpec>| {
            NodeSpec::Operator(Arc::new(AsTable::<T> { source, rows: PhantomData }))
        };
        let fed = Fed { node: rows.settle(), is_timed, decoded };
        self.fed.insert(topic.to_owned(), fed);
        self
    }

    /// Takes the operators in. What they would write to these topics are streams of the program, by [`Included::stream`];
    /// all else is written.
    pub fn streams(self, topics: &[&str]) -> Included {
        let Include { program, topology, mut fed } = self;
        let number = program.next_included();
        let mut added: Vec<(NodeId, bool)> = Vec::with_capacity(topology.nodes().len());
        let mut streams = BTreeMap::new();
        for node in topology.nodes() {
            let name = format!("included {number}: {}", node.name);
            let inputs: Vec<(NodeId, bool)> =
                node.inputs.iter().filter_map(|input| added.get(input.0).copied()).collect();
            let is_timed = inputs.iter().all(|(_, is_timed)| *is_timed);
            let inputs: Vec<NodeId> = inputs.into_iter().map(|(input, _)| input).collect();
            let taken = match &node.spec {
                NodeSpec::Source(source) => {
                    let read = read(&program, &mut fed, source);
                    added.push((program.add(&name, read.spec, &read.inputs), read.is_timed));
                    continue;
                }
                NodeSpec::Sink(sink) => {
                    let topic = sink.topic.as_ref().map(|topic| topic.name.clone());
                    topic
                        .filter(|topic| topics.contains(&topic.as_str()))
                        .map(|topic| (topic, sink.writer.values()))
                }
                _ => None,
            };
            match (taken, inputs.as_slice()) {
                (Some((topic, Some(values))), [input]) => {
                    added.push((*input, is_timed));
                    let written = Written { node: *input, is_timed, values };
                    if streams.insert(topic.clone(), written).is_some() {
                        program.refuse(&topic, format!("{topic} is written twice: a stream has one input"));
                    }
                }
                (Some((topic, None)), _) => {
                    let message =
                        format!("what is written to {topic} updates rows: only insertions are a stream");
                    program.refuse(&topic, message);
                    added.push((NodeId(0), is_timed));
                }
                _ => {
                    program.must_be_apart(&inputs);
                    added.push((program.add(&name, node.spec.clone(), &inputs), is_timed));
                }
            }
        }
        for topic in fed.keys() {
            program.refuse(topic, format!("topic {topic} is not read: it can't be given a stream"));
        }
        Included { program, streams }
    }
}

/// A source, as it is or made of a stream.
struct Read {
    spec: NodeSpec,
    inputs: Vec<NodeId>,
    is_timed: bool,
}

fn read(program: &Program, fed: &mut BTreeMap<String, Fed>, source: &Arc<SourceSpec>) -> Read {
    let topic = source.topics.first().filter(|_| source.topics.len() == 1 && source.feed.is_none());
    let Some((topic, fed)) = topic.and_then(|topic| fed.remove_entry(topic)) else {
        source.topics.iter().for_each(|topic| program.must_be_new(topic));
        let is_timed = source.event_time.is_some();
        return Read { spec: NodeSpec::Source(Arc::clone(source)), inputs: Vec::new(), is_timed };
    };
    if let Some(message) = not_of_stream(source, fed.is_timed) {
        program.refuse(&topic, format!("table {} can't be read from a stream: {message}", source.table));
    }
    let is_timed = source.event_time.is_some();
    Read { spec: (fed.decoded)(Arc::clone(source)), inputs: vec![fed.node], is_timed }
}

/// What a table has that a stream has not.
fn not_of_stream(source: &SourceSpec, is_timed: bool) -> Option<&'static str> {
    if source.kind != StreamKind::Append {
        return Some("its records update rows, and a stream only inserts");
    }
    if source.decoder.reads_more_than_values() {
        return Some("it has columns of the key or the place of a record, and a row has none");
    }
    let time = source.event_time?;
    if !is_timed {
        return Some(
            "it declares a watermark, and no event time passes in the stream: declare it where its topic is read",
        );
    }
    (time.by_clock || time.out_of_orderness_ms != 0 || !source.decoder.time_is_of_records()).then_some(
        "event time is that of the stream: declare at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR at AS at",
    )
}

/// What a topology writes, as streams.
#[derive(Debug)]
pub struct Included {
    program: Program,
    streams: BTreeMap<String, Written>,
}

#[derive(Debug, Clone)]
struct Written {
    node: NodeId,
    is_timed: bool,
    values: Arc<dyn RowEncoderSpec>,
}

impl Included {
    /// What would have been written to a topic, read as JSON. A row that is no `U` is one that can't be computed: what becomes
    /// of it is said where its record was read.
    pub fn stream<U: Row>(&self, topic: &str) -> Stream<U> {
        let Some(Written { node, is_timed, values }) = self.streams.get(topic).cloned() else {
            self.program.refuse(topic, format!("{topic} is no stream: name it in streams(..)"));
            return Stream::at(self.program.clone(), NodeId(0), false);
        };
        let rows = AsRows::<U> { table: topic.to_owned(), values, rows: PhantomData };
        let node = self.program.add(&format!("{topic} as rows"), NodeSpec::Operator(Arc::new(rows)), &[node]);
        Stream::at(self.program.clone(), node, is_timed)
    }
}

/// Reads typed rows as the records of a table would be.
#[derive(Debug)]
struct AsTable<T> {
    source: Arc<SourceSpec>,
    rows: PhantomData<fn() -> T>,
}

impl<T: Row> OperatorSpec for AsTable<T> {
    fn describe(&self) -> Description {
        let rows = std::any::type_name::<T>();
        Description::new("AsTable", format!("{rows} as {}", self.source.decoder.describe()))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => Ok(StreamKind::Append),
            inputs => Err(format!("a table is read from a stream that only inserts, not from {inputs:?}")),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let decoder = self.source.decoder.build()?;
        let place = TopicPartition { topic: self.source.table.as_str().into(), partition: 0 };
        let source = Arc::clone(&self.source);
        Ok(Box::new(Decoding { source, decoder, place, rows: self.rows }))
    }
}

struct Decoding<T> {
    source: Arc<SourceSpec>,
    decoder: Box<dyn Decoder>,
    place: TopicPartition,
    rows: PhantomData<fn() -> T>,
}

/// Rows that are written at once: their bytes stay far below what a run of records may have.
const ROWS: usize = 1024;

impl<T: Row> Operator for Decoding<T> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let rows = batch.typed_rows::<T>()?;
        for (part, some) in rows.chunks(ROWS).enumerate() {
            let first = part * ROWS;
            let mut records = RecordsBuilder::default();
            for (row, time) in some.iter().zip(batch.times.iter().skip(first)) {
                let start = records.data_bytes();
                write_json(row, records.open_value())?;
                records.seal(start, None, *time);
            }
            let decode = DecodeCx { now_ms: cx.now_ms };
            let decoded = self.decoder.decode(&self.place, &records.finish(), &decode)?;
            let Decoded { rows: Payload::Columns(columns), records, bad, .. } = decoded else {
                return Err(OperatorError::Mismatch { expected: "columns of a table", found: "others" });
            };
            for bad in bad {
                let field = bad.field.map(|field| format!("{field}: ")).unwrap_or_default();
                let what = format!("row for table {}", self.source.table);
                let failure = Failure { what, detail: format!("{field}{}", bad.detail) };
                cx.on_bad(self.source.bad_records, &batch, first + bad.index, failure)?;
            }
            let from: Vec<u32> = records.into_iter().map(|record| record + first as u32).collect();
            let around = Rows { values: vec![(); from.len()], from: Some(from) };
            cx.emit(around.with(Beside::of(&batch), None).with_columns(columns));
        }
        Ok(())
    }
}

/// Reads the values that a sink would write as typed rows.
#[derive(Debug)]
struct AsRows<U> {
    table: String,
    values: Arc<dyn RowEncoderSpec>,
    rows: PhantomData<fn() -> U>,
}

impl<U: Row> OperatorSpec for AsRows<U> {
    fn describe(&self) -> Description {
        let rows = std::any::type_name::<U>();
        Description::new("AsRows", format!("{} of {} as {rows}", self.values.describe(), self.table))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => Ok(StreamKind::Append),
            _ => Err(format!(
                "the query that fills {} updates rows, and a stream only inserts: group by a window, or write to a topic \
                 and read that as a table",
                self.table
            )),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let (table, values) = (self.table.clone(), self.values.build()?);
        Ok(Box::new(Reading { table, values, bytes: Vec::new(), rows: self.rows }))
    }
}

struct Reading<U> {
    table: String,
    values: Box<dyn RowEncoder>,
    bytes: Vec<u8>,
    rows: PhantomData<fn() -> U>,
}

impl<U: Row> Operator for Reading<U> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if !matches!(batch.ops, Ops::Append) {
            return Err(OperatorError::Mismatch { expected: "insertions", found: "changes" });
        }
        self.values.begin(&batch)?;
        let (mut values, mut from) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for row in 0..batch.len() {
            self.bytes.clear();
            let read = match self.values.encode(row, &mut self.bytes) {
                Ok(()) => serde_json::from_slice::<U>(&self.bytes).map_err(|error| Failure {
                    what: format!("row of {}", self.table),
                    detail: format!("not a {}: {error}", std::any::type_name::<U>()),
                }),
                Err(error) => Err(Failure::of_row(error)?),
            };
            match read {
                Ok(value) => {
                    values.push(value);
                    from.push(row as u32);
                }
                Err(failure) => cx.on_bad(crate::source::Policy::Fail, &batch, row, failure)?,
            }
        }
        let beside = Beside::of(&batch);
        cx.emit(Rows { values, from: Some(from) }.with(beside, None));
        Ok(())
    }
}
