//! A table that is kept under a name, where it is found.

use super::spec::{OverTables, Values, type_of};
use super::{Entry, Table};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::{Key, Row};
use std::marker::PhantomData;
use std::sync::Arc;

impl<K: Key, A: Row> Table<K, A> {
    /// The same table, whose values are kept in state under this name, where tests and tools find them. What a table is made
    /// by keeps what it needs, and that is often something else.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>();
    /// names.filter(|name| !name.is_empty()).kept("named users").to("users");
    /// let topology = program.topology().unwrap();
    /// assert!(topology.nodes().iter().any(|node| node.name == "named users"));
    /// ```
    pub fn kept(self, name: &str) -> Table<K, A> {
        let [key, value] = [type_of::<K>(), type_of::<A>()];
        let over = OverTables {
            what: "Kept",
            detail: format!("{value} by {key}"),
            inputs: vec![StreamKind::Upsert],
            output: StreamKind::Upsert,
            stores: vec![("values", format!("{key} -> {value}"))],
            by_key: true,
            build: Arc::new(|cx| {
                Box::new(Keeping::<K, A> { values: Values::new("kept table", cx), key: PhantomData })
            }),
        };
        let node = over.add_as(name, &self.program, &[self.node]);
        Table::at(self.program, node)
    }
}

/// Keeps the value of each key, and passes on once per commit what has become of it.
struct Keeping<K, A> {
    /// Whether a key had a value before the commit.
    values: Values<A, bool>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, A: Row> Operator for Keeping<K, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.values.state.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        for (row, entry) in batch.into_rows::<Entry<K, A>>()?.into_iter().enumerate() {
            let change = self.values.state.change(slots[row]);
            let first = change.is_first.then_some(change.value.is_some());
            *change.value = entry.value.map(Live);
            self.values.since.note(slots[row], times[row], first);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.values.emit::<K, A>(cx, |value, had| Some((*had, value.cloned())))
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.values.state.delta(out)
    }

    fn evict(&mut self) {
        self.values.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.values.memory_bytes()
    }
}
