//! Streams of rows: what a typed job is declared with.

use super::chain::{Chain, Keys, Rows, Steps, identity};
use super::json::{WriteWith, write_json};
use super::key::Key;
use super::keyed::KeyedStream;
use super::merge::Merge;
use super::record::{RecordOf, with_records};
use super::{Program, Row};
use crate::sink::{AppendSink, SinkSpec, SinkTopic, SinkWriter};
use crate::topology::{NodeId, NodeSpec};
use std::sync::Arc;

/// Rows of `T`, one after the other.
pub struct Stream<T> {
    pub(super) program: Program,
    node: NodeId,
    /// Closures declared since the node; `None` when there are none.
    steps: Option<Steps<T>>,
    /// Whether event time passes: all it is made of declares it.
    pub(super) is_timed: bool,
}

impl<T> Clone for Stream<T> {
    fn clone(&self) -> Self {
        let Stream { program, node, steps, is_timed } = self;
        Stream { program: program.clone(), node: *node, steps: steps.clone(), is_timed: *is_timed }
    }
}

impl<T> std::fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream<{}>", std::any::type_name::<T>())
    }
}

impl<T: Row> Stream<T> {
    pub(super) fn at(program: Program, node: NodeId, is_timed: bool) -> Self {
        Stream { program, node, steps: None, is_timed }
    }

    fn with<U: Row>(self, step: impl FnOnce(Steps<T>) -> Steps<U>) -> Stream<U> {
        let before = self.steps.unwrap_or_else(identity);
        Stream { program: self.program, node: self.node, steps: Some(step(before)), is_timed: self.is_timed }
    }

    fn then<U: Row>(self, step: impl Fn(Rows<T>) -> Rows<U> + Send + Sync + 'static) -> Stream<U> {
        self.with(|before| Arc::new(move |batch| before(batch).map(&step)))
    }

    /// One row for each row.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").map(|number| number * 2).to("doubled");
    /// ```
    pub fn map<U: Row>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> Stream<U> {
        self.then(move |rows| rows.map(&f))
    }

    /// The rows for which `f` holds.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").filter(|number| number % 2 == 0).to("even");
    /// ```
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> Stream<T> {
        self.then(move |rows| rows.filter(&f))
    }

    /// Any number of rows for each row.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").flat_map(|number| 0..number).to("all below");
    /// ```
    pub fn flat_map<U: Row, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Stream<U> {
        self.then(move |rows| rows.flat_map(&f))
    }

    /// Another row for a row, where `f` gives one.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<String>("words").filter_map(|word| word.parse::<u64>().ok()).to("numbers");
    /// ```
    pub fn filter_map<U: Row>(self, f: impl Fn(T) -> Option<U> + Send + Sync + 'static) -> Stream<U> {
        self.flat_map(f)
    }

    /// Shows every row to `f`, to count or to log: what it does is done again when a commit is.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").inspect(|number| println!("{number}")).to("copies");
    /// ```
    pub fn inspect(self, f: impl Fn(&T) + Send + Sync + 'static) -> Stream<T> {
        self.map(move |row| {
            f(&row);
            row
        })
    }

    /// The rows for which `f` holds, and the others.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let (even, odd) = program.read::<u64>("numbers").branch(|number| number % 2 == 0);
    /// even.to("even");
    /// odd.to("odd");
    /// ```
    pub fn branch(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> (Stream<T>, Stream<T>) {
        let f = Arc::new(f);
        let other = Arc::clone(&f);
        (self.clone().filter(move |row| f(row)), self.filter(move |row| !other(row)))
    }

    /// The rows of both streams, as they come. Event time passes if it does in both.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<String>("web").merge(program.read::<String>("app")).to("all");
    /// ```
    pub fn merge(self, other: Stream<T>) -> Stream<T> {
        let is_timed = self.is_timed && other.is_timed;
        let program = self.program.clone();
        let inputs = [self.settle(), other.settle()];
        program.must_be_apart(&inputs);
        let merge = NodeSpec::Operator(Arc::new(Merge { is_keyed: false }));
        let node = program.add("merge", merge, &inputs);
        Stream::at(program, node, is_timed)
    }

    /// Each row with the record that it is: its topic, partition, offset, timestamp and headers. Where rows are no longer
    /// records, behind a window or a join, [`Program::topology`] says so.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<String>("lines")
    ///     .with_record()
    ///     .map(|(line, record)| format!("{}-{}: {line}", record.partition, record.offset))
    ///     .to("numbered");
    /// ```
    pub fn with_record(self) -> Stream<(T, RecordOf)> {
        self.program.must_be_records(self.node);
        self.with(with_records)
    }

    /// Groups rows by a key. Rows of one key come to one task, through a repartition topic where there are several.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<String>("words").key_by(|word| word.len() as u64).count().to("counts by length");
    /// ```
    pub fn key_by<K: Key>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> KeyedStream<K, T> {
        let Stream { program, node, steps, is_timed } = self;
        let steps = steps.unwrap_or_else(identity);
        let keys = Keys::Of(Arc::new(move |row: &T, out: &mut Vec<u8>| key(row).write(out)));
        let keyed = program.add("key by", NodeSpec::Operator(Arc::new(Chain { steps, keys })), &[node]);
        let node = program.exchange::<T>(std::any::type_name::<K>(), keyed);
        KeyedStream::at(program, node, is_timed)
    }

    /// Writes every row to a topic, as JSON, without a key.
    pub fn to(self, topic: &str) {
        let program = self.program.clone();
        let node = self.settle();
        program.add(topic, append::<T>(topic, None), &[node]);
    }

    /// The node whose rows these are, with the closures done.
    pub(super) fn settle(self) -> NodeId {
        match self.steps {
            None => self.node,
            Some(steps) => {
                let chain = Chain { steps, keys: Keys::Dropped };
                self.program.add("map", NodeSpec::Operator(Arc::new(chain)), &[self.node])
            }
        }
    }
}

/// A sink that writes every row, as JSON.
pub(super) fn append<T: Row>(topic: &str, key: Option<Arc<dyn crate::sink::RowEncoderSpec>>) -> NodeSpec {
    let value = Arc::new(WriteWith { what: "json", write: Arc::new(write_json::<T>) });
    let partitioner = Default::default();
    let append = AppendSink { table: topic.to_owned(), topic: topic.to_owned(), key, value, partitioner };
    sink(topic, false, Arc::new(append))
}

pub(super) fn sink(topic: &str, compacted: bool, writer: Arc<dyn SinkWriter>) -> NodeSpec {
    let table = topic.to_owned();
    let topic = Some(SinkTopic { name: topic.to_owned(), compacted });
    NodeSpec::Sink(Arc::new(SinkSpec { table, topic, writer }))
}
