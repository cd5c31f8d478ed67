//! What needs no state: tables whose values are made of others, tables as streams of their changes, and the other way.

use super::spec::{Changes, OverTables, corrupt_key, type_of};
use super::{Entry, Table};
use crate::OperatorError;
use crate::batch::{Batch, Ops, Payload, StreamKind};
use crate::operator::{Cx, Operator, Port};
use crate::topology::NodeId;
use crate::typed::plain::Maybe;
use crate::typed::{Key, KeyedStream, Row};
use std::marker::PhantomData;
use std::sync::Arc;

/// What becomes of a key's value.
type MapValue<K, A, B> = Arc<dyn Fn(&K, A) -> Option<B> + Send + Sync>;

impl<K: Key, A: Row> Table<K, A> {
    /// Another value for each value.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>();
    /// names.map_values(|name| name.to_uppercase()).filter(|name| name != "ROOT").to("users");
    /// program.topology().unwrap();
    /// ```
    pub fn map_values<B: Row>(self, f: impl Fn(A) -> B + Send + Sync + 'static) -> Table<K, B> {
        self.mapped("map values", Arc::new(move |_, value| Some(f(value))))
    }

    /// The keys whose values `f` holds for. A key whose value it does not hold for any more is deleted.
    pub fn filter(self, f: impl Fn(&A) -> bool + Send + Sync + 'static) -> Table<K, A> {
        self.mapped("filter", Arc::new(move |_, value| f(&value).then_some(value)))
    }

    /// Another value for a value and its key; a key for which there is none is deleted.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>();
    /// names.filter_map(|id, name| (*id >= 1_000).then(|| format!("{id} {name}"))).to("people");
    /// program.topology().unwrap();
    /// ```
    pub fn filter_map<B: Row>(self, f: impl Fn(&K, A) -> Option<B> + Send + Sync + 'static) -> Table<K, B> {
        self.mapped("filter map", Arc::new(f))
    }

    fn mapped<B: Row>(self, how: &str, f: MapValue<K, A, B>) -> Table<K, B> {
        let over = OverTables {
            what: "MapTable",
            detail: format!("{how} of {} to {}", type_of::<A>(), type_of::<B>()),
            inputs: vec![StreamKind::Upsert],
            output: StreamKind::Upsert,
            stores: Vec::new(),
            by_key: true,
            build: Arc::new(move |_| Box::new(MapEntries { f: Arc::clone(&f) })),
        };
        let node = over.add(&self.program, &[self.node]);
        Table::at(self.program, node)
    }

    /// What changes, as a stream: a value each time it is another, and `None` when its key goes. At most one row a key and
    /// commit.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let counts = program.read::<String>("words").key_by(|word| word.clone()).count();
    /// counts.changes().filter(|count| count.is_some_and(|count| count % 1_000 == 0)).to("round numbers");
    /// program.topology().unwrap();
    /// ```
    pub fn changes(self) -> KeyedStream<K, Option<A>> {
        let node = self.values("Changes", StreamKind::Append, |value| value);
        KeyedStream::at(self.program, node, false)
    }

    /// The same, sent to the tasks that have its keys, where it is already: see [`crate::typed::Program`].
    pub(in crate::typed) fn sent(&self) -> NodeId {
        let values = self.values("Sent", StreamKind::Upsert, Maybe);
        let sent = self.program.exchange::<Maybe<A>>(type_of::<K>(), values);
        let over = OverTables {
            what: "Entries",
            detail: format!("{} by {}", type_of::<A>(), type_of::<K>()),
            inputs: vec![StreamKind::Upsert],
            output: StreamKind::Upsert,
            stores: Vec::new(),
            by_key: true,
            build: Arc::new(|_| Box::new(Entries::<K, A>(PhantomData))),
        };
        over.add(&self.program, &[sent])
    }

    /// Its entries as values beside their keys.
    pub(in crate::typed) fn values<R: Row>(
        &self,
        what: &'static str,
        output: StreamKind,
        make: fn(Option<A>) -> R,
    ) -> NodeId {
        let over = OverTables {
            what,
            detail: format!("{} by {}", type_of::<A>(), type_of::<K>()),
            inputs: vec![StreamKind::Upsert],
            output,
            stores: Vec::new(),
            by_key: true,
            build: Arc::new(move |_| Box::new(Values::<K, A, R> { output, make, key: PhantomData })),
        };
        over.add(&self.program, &[self.node])
    }
}

impl<K: Key, T: Row> KeyedStream<K, T> {
    /// The last row of each key, as a table.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Reading { sensor: String, celsius: f64 }
    /// let program = Program::new();
    /// let readings = program.read::<Reading>("readings").key_by(|reading| reading.sensor.clone());
    /// readings.to_table().map_values(|reading| reading.celsius).to("temperatures");
    /// program.topology().unwrap();
    /// ```
    pub fn to_table(self) -> Table<K, T> {
        self.to_table_with(Some)
    }

    /// What `f` makes of the last row of each key; where that is `None` the key is deleted.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Session { user: String, ended: bool }
    /// let program = Program::new();
    /// let sessions = program.read::<Session>("sessions").key_by(|session| session.user.clone());
    /// sessions.to_table_with(|session| (!session.ended).then_some(session)).to("who is there");
    /// program.topology().unwrap();
    /// ```
    pub fn to_table_with<A: Row>(self, f: impl Fn(T) -> Option<A> + Send + Sync + 'static) -> Table<K, A> {
        let f = Arc::new(f);
        let over = OverTables {
            what: "ToTable",
            detail: format!("last {} of {} by {}", type_of::<A>(), type_of::<T>(), type_of::<K>()),
            inputs: vec![StreamKind::Append],
            output: StreamKind::Upsert,
            stores: Vec::new(),
            by_key: true,
            build: Arc::new(move |_| {
                Box::new(FromRows::<K, T, A> { f: Arc::clone(&f) as _, key: PhantomData })
            }),
        };
        let program = self.program.clone();
        let node = self.settle();
        let node = over.add(&program, &[node]);
        Table::at(program, node)
    }
}

struct MapEntries<K, A, B> {
    f: MapValue<K, A, B>,
}

impl<K: Key, A: Row, B: Row> Operator for MapEntries<K, A, B> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, keys) = (batch.times.clone(), batch.keys.clone());
        let entries = batch.into_rows::<Entry<K, A>>()?.into_iter().map(|Entry { key, value }| {
            let value = value.and_then(|value| (self.f)(&key, value));
            Entry { key, value }
        });
        let entries: Vec<Entry<K, B>> = entries.collect();
        let signs = entries.iter().map(|entry| if entry.value.is_some() { 1 } else { -1 }).collect();
        let batch = Batch::new(Payload::Rows(Box::new(entries)), times, Ops::from_signs(signs));
        cx.emit(Batch { keys, ..batch });
        Ok(())
    }
}

struct Values<K, A, R> {
    output: StreamKind,
    make: fn(Option<A>) -> R,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, A: Row, R: Row> Operator for Values<K, A, R> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, keys) = (batch.times.clone(), batch.keys.clone());
        let ops = match self.output {
            StreamKind::Append => Ops::Append,
            _ => batch.ops.clone(),
        };
        let entries = batch.into_rows::<Entry<K, A>>()?.into_iter();
        let values: Vec<R> = entries.map(|entry| (self.make)(entry.value)).collect();
        cx.emit(Batch { keys, ..Batch::new(Payload::Rows(Box::new(values)), times, ops) });
        Ok(())
    }
}

/// Makes entries of values that came with their keys: the other way round as [`Values`].
struct Entries<K, A>(PhantomData<fn() -> (K, A)>);

impl<K: Key, A: Row> Operator for Entries<K, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, keys) = (batch.times.clone(), Arc::clone(batch.keys()?));
        let mut changes = Changes::default();
        for (row, value) in batch.into_rows::<Maybe<A>>()?.into_iter().enumerate() {
            let Maybe(value) = value;
            let bytes = keys.get(row);
            let key = K::read(bytes).ok_or_else(|| corrupt_key::<K>("entries", bytes))?;
            changes.entry(Entry { key, value }, bytes, times[row]);
        }
        changes.emit(cx);
        Ok(())
    }
}

struct FromRows<K, T, A> {
    f: Arc<dyn Fn(T) -> Option<A> + Send + Sync>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, T: Row, A: Row> Operator for FromRows<K, T, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, keys) = (batch.times.clone(), Arc::clone(batch.keys()?));
        let mut changes = Changes::default();
        for (row, value) in batch.into_rows::<T>()?.into_iter().enumerate() {
            let bytes = keys.get(row);
            let key = K::read(bytes).ok_or_else(|| corrupt_key::<K>("to table", bytes))?;
            changes.entry(Entry { key, value: (self.f)(value) }, bytes, times[row]);
        }
        changes.emit(cx);
        Ok(())
    }
}
