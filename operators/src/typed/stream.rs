//! Streams, keyed streams and tables: what a typed job is declared with.

use super::chain::{Chain, Rows, Steps, identity};
use super::exchange::RowsCodec;
use super::fold::{Fold, FoldRow};
use super::json::{WriteWith, write_json};
use super::key::Key;
use super::{Program, Row};
use crate::exchange::{ByEncodedKey, ExchangeSpec};
use crate::sink::{AppendSink, SinkSpec, SinkTopic, SinkWriter, UpsertSink};
use crate::topology::{NodeId, NodeSpec};
use std::marker::PhantomData;
use std::sync::Arc;

/// Rows of `T`, one after the other.
pub struct Stream<T> {
    program: Program,
    node: NodeId,
    /// Closures declared since the node; `None` when there are none.
    steps: Option<Steps<T>>,
}

impl<T> Clone for Stream<T> {
    fn clone(&self) -> Self {
        Stream { program: self.program.clone(), node: self.node, steps: self.steps.clone() }
    }
}

impl<T> std::fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream<{}>", std::any::type_name::<T>())
    }
}

impl<T: Row> Stream<T> {
    pub(super) fn at(program: Program, node: NodeId) -> Self {
        Stream { program, node, steps: None }
    }

    fn then<U: Row>(self, step: impl Fn(Rows<T>) -> Rows<U> + Send + Sync + 'static) -> Stream<U> {
        let before = self.steps.unwrap_or_else(identity);
        let steps: Steps<U> = Arc::new(move |batch| before(batch).map(&step));
        Stream { program: self.program, node: self.node, steps: Some(steps) }
    }

    /// One row for each row.
    pub fn map<U: Row>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> Stream<U> {
        self.then(move |rows| rows.map(&f))
    }

    /// The rows for which `f` holds.
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> Stream<T> {
        self.then(move |rows| rows.filter(&f))
    }

    /// Any number of rows for each row.
    pub fn flat_map<U: Row, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Stream<U> {
        self.then(move |rows| rows.flat_map(&f))
    }

    /// Groups rows by a key. Rows of one key come to one task, through a repartition topic where there are several.
    pub fn key_by<K: Key>(self, key: impl Fn(&T) -> K + Send + Sync + 'static) -> KeyedStream<K, T> {
        let steps = self.steps.unwrap_or_else(identity);
        let chain =
            Chain { steps, key_of: Some(Arc::new(move |row: &T, out: &mut Vec<u8>| key(row).write(out))) };
        let keyed = self.program.add("key by", NodeSpec::Operator(Arc::new(chain)), &[self.node]);
        let exchange = ExchangeSpec {
            by: std::any::type_name::<K>().to_owned(),
            partition_by: Arc::new(ByEncodedKey),
            codec: Arc::new(RowsCodec::<T>::new()),
        };
        let node = self.program.add("exchange", NodeSpec::Exchange(Arc::new(exchange)), &[keyed]);
        KeyedStream { program: self.program, node, rows: PhantomData }
    }

    /// Writes every row to a topic, as JSON, without a key.
    pub fn to(self, topic: &str) {
        let node = match self.steps {
            None => self.node,
            Some(steps) => {
                let chain = Chain { steps, key_of: None };
                self.program.add("map", NodeSpec::Operator(Arc::new(chain)), &[self.node])
            }
        };
        let value = Arc::new(WriteWith { what: "json", write: Arc::new(write_json::<T>) });
        let append = AppendSink {
            table: topic.to_owned(),
            topic: topic.to_owned(),
            key: None,
            value,
            partitioner: Default::default(),
        };
        self.program.add(topic, sink(topic, false, Arc::new(append)), &[node]);
    }
}

/// Rows of `T` grouped by `K`.
pub struct KeyedStream<K, T> {
    program: Program,
    node: NodeId,
    rows: PhantomData<fn() -> (K, T)>,
}

impl<K, T> std::fmt::Debug for KeyedStream<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyedStream<{}, {}>", std::any::type_name::<K>(), std::any::type_name::<T>())
    }
}

impl<K: Key, T: Row> KeyedStream<K, T> {
    fn fold_as<A: Row>(self, what: &'static str, fold: FoldRow<T, A>) -> Table<K, A> {
        let fold: Fold<K, T, A> = Fold { what, fold, key: PhantomData };
        let node = self.program.add(what, NodeSpec::Operator(Arc::new(fold)), &[self.node]);
        Table { program: self.program, node, entries: PhantomData }
    }

    /// The number of rows of each key.
    pub fn count(self) -> Table<K, u64> {
        self.fold_as("count", Arc::new(|count, _| count.unwrap_or(0) + 1))
    }

    /// Combines the rows of each key, two at a time, in the order they come.
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> Table<K, T> {
        let fold = move |kept, row| match kept {
            None => row,
            Some(kept) => f(kept, row),
        };
        self.fold_as("reduce", Arc::new(fold))
    }

    /// Folds the rows of each key into a value that begins as `initial`.
    pub fn fold<A: Row>(self, initial: A, f: impl Fn(A, T) -> A + Send + Sync + 'static) -> Table<K, A> {
        self.fold_as("fold", Arc::new(move |kept, row| f(kept.unwrap_or_else(|| initial.clone()), row)))
    }
}

/// One key of a table with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<K, A> {
    pub(super) key: K,
    pub(super) value: A,
}

/// The last value of every key.
pub struct Table<K, A> {
    program: Program,
    node: NodeId,
    entries: PhantomData<fn() -> (K, A)>,
}

impl<K, A> std::fmt::Debug for Table<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table<{}, {}>", std::any::type_name::<K>(), std::any::type_name::<A>())
    }
}

impl<K: Key, A: Row> Table<K, A> {
    /// Writes changes to a topic: the key as its bytes, the value as JSON; at most one record a key and commit.
    pub fn to(self, topic: &str) {
        let key = WriteWith::<Entry<K, A>> {
            what: "key",
            write: Arc::new(|entry, out| {
                entry.key.write(out);
                Ok(())
            }),
        };
        let value = WriteWith::<Entry<K, A>> {
            what: "json",
            write: Arc::new(|entry, out| write_json(&entry.value, out)),
        };
        let upsert = UpsertSink {
            table: topic.to_owned(),
            topic: topic.to_owned(),
            key: Arc::new(key),
            value: Arc::new(value),
        };
        self.program.add(topic, sink(topic, true, Arc::new(upsert)), &[self.node]);
    }
}

fn sink(topic: &str, compacted: bool, writer: Arc<dyn SinkWriter>) -> NodeSpec {
    let table = topic.to_owned();
    let topic = Some(SinkTopic { name: topic.to_owned(), compacted });
    NodeSpec::Sink(Arc::new(SinkSpec { table, topic, writer }))
}
