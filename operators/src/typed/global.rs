//! Tables that every task has whole: small ones, which rows of any partition look into.

use super::chain::{Beside, Rows};
use super::exchange::Live;
use super::plain::Maybe;
use super::stream::Stream;
use super::table::Table;
use super::table::spec::{OverTables, type_of};
use super::{Key, Program, Row};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::kit::state::KeyedState;
use crate::operator::{Cx, DeltaScope, Operator, Port};
use crate::topology::NodeId;
use millstream_state::BytesColumn;
use std::marker::PhantomData;
use std::sync::Arc;

/// The store with the table.
const TABLE: u16 = 0;

/// A table that every task has whole, so that a row can look up any of its keys where it is: see [`Table::everywhere`].
pub struct GlobalTable<K, A> {
    program: Program,
    /// The table as values beside their keys, where it is made.
    values: NodeId,
    entries: PhantomData<fn() -> (K, A)>,
}

impl<K, A> Clone for GlobalTable<K, A> {
    fn clone(&self) -> Self {
        GlobalTable { program: self.program.clone(), values: self.values, entries: PhantomData }
    }
}

impl<K, A> std::fmt::Debug for GlobalTable<K, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GlobalTable<{}, {}>", type_of::<K>(), type_of::<A>())
    }
}

impl<K: Key, A: Row> Table<K, A> {
    /// The table whole in every task that asks it: for small tables that rows look into by what is not their key, so that
    /// the rows stay where they are. It costs its size once in the state of each of those tasks, and in their journals.
    /// Event time of the rows waits until each partition of the table's topic has had a record.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Order { country: String, cents: u64 }
    /// let program = Program::new();
    /// let rates = program.source::<f64>("rates").table::<String>().everywhere();
    /// program.read::<Order>("orders")
    ///     .join_global(rates, |order| order.country.clone(), |order, rate| order.cents as f64 * rate)
    ///     .to("in euros");
    /// program.topology().unwrap();
    /// ```
    pub fn everywhere(self) -> GlobalTable<K, A> {
        let values = self.values("Everywhere", StreamKind::Upsert, Maybe);
        GlobalTable { program: self.program, values, entries: PhantomData }
    }
}

/// The key under which a row looks into the table.
type KeyOfRow<T> = Arc<dyn Fn(&T, &mut Vec<u8>) + Send + Sync>;

/// What becomes of a row and what it has found.
type WithFound<T, A, U> = Arc<dyn Fn(T, Option<&A>) -> Option<U> + Send + Sync>;

impl<T: Row> Stream<T> {
    /// Each row with the value that a key of it has in a table when the row comes; rows whose key has none are left out.
    pub fn join_global<K: Key, A: Row, U: Row>(
        self,
        table: GlobalTable<K, A>,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
        f: impl Fn(T, &A) -> U + Send + Sync + 'static,
    ) -> Stream<U> {
        self.look_up("inner", table, key, Arc::new(move |row, found| found.map(|found| f(row, found))))
    }

    /// Each row with the value that a key of it has in a table when the row comes, if it has one.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>().everywhere();
    /// let named = |id: u64, name: Option<&String>| name.cloned().unwrap_or_else(|| id.to_string());
    /// program.read::<u64>("logins").left_join_global(names, |id| *id, named).to("who");
    /// program.topology().unwrap();
    /// ```
    pub fn left_join_global<K: Key, A: Row, U: Row>(
        self,
        table: GlobalTable<K, A>,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
        f: impl Fn(T, Option<&A>) -> U + Send + Sync + 'static,
    ) -> Stream<U> {
        self.look_up("left", table, key, Arc::new(move |row, found| Some(f(row, found))))
    }

    fn look_up<K: Key, A: Row, U: Row>(
        self,
        how: &str,
        table: GlobalTable<K, A>,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
        f: WithFound<T, A, U>,
    ) -> Stream<U> {
        let key: KeyOfRow<T> = Arc::new(move |row, out| key(row).write(out));
        let [rows, keys, values] = [type_of::<T>(), type_of::<K>(), type_of::<A>()];
        let over = OverTables {
            what: "JoinGlobal",
            detail: format!("{how} of {rows} with {values} by {keys} into {}", type_of::<U>()),
            inputs: vec![StreamKind::Append, StreamKind::Upsert],
            output: StreamKind::Append,
            stores: vec![("table", format!("{keys} -> {values}"))],
            by_key: false,
            build: Arc::new(move |cx| {
                Box::new(Looking {
                    key: Arc::clone(&key),
                    f: Arc::clone(&f),
                    table: KeyedState::new("global table", TABLE, cx),
                })
            }),
        };
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        let rows = self.settle();
        let table = program.broadcast::<Maybe<A>>(values, table.values);
        program.must_be_apart(&[rows, table]);
        let node = over.add(&program, &[rows, table]);
        Stream::at(program, node, is_timed)
    }
}

/// Keeps a whole table, and looks rows up in it.
struct Looking<T, A, U> {
    key: KeyOfRow<T>,
    f: WithFound<T, A, U>,
    table: KeyedState<Live<A>>,
}

impl<T: Row, A: Row, U: Row> Looking<T, A, U> {
    fn look_up(&mut self, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let beside = Beside::of(&batch);
        let rows = batch.into_rows::<T>()?;
        let mut keys = BytesColumn::default();
        for row in &rows {
            (self.key)(row, keys.open_row());
            keys.seal_row();
        }
        let mut slots = self.table.load(&keys, &mut cx.state)?.into_iter();
        let rows = Rows { values: rows, from: None }.flat_map(|row| {
            let found = slots.next().and_then(|slot| self.table.get(slot));
            (self.f)(row, found.map(|Live(value)| value))
        });
        cx.emit(rows.with(beside, None));
        Ok(())
    }
}

impl<T: Row, A: Row, U: Row> Operator for Looking<T, A, U> {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        if port == Port(0) {
            return self.look_up(batch, cx);
        }
        let slots = self.table.load(batch.keys()?, &mut cx.state)?;
        for (slot, value) in slots.into_iter().zip(batch.into_rows::<Maybe<A>>()?) {
            *self.table.change(slot).value = value.0.map(Live);
        }
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.table.delta(out)
    }

    fn evict(&mut self) {
        self.table.evict();
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }
}
