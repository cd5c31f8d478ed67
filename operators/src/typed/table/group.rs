//! A table's rows by another key: what a group comes to is put right as rows come, change and go.

use super::spec::{Changes, OverTables, Values, type_of};
use super::{Entry, Table};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{BuildCx, Cx, DeltaScope, Operator, Port};
use crate::topology::NodeId;
use crate::typed::exchange::Live;
use crate::typed::plain::KeyBytes;
use crate::typed::{Key, Program, Row};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::sync::Arc;

/// A row of a group, with the key that it has in its table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::typed) struct Member<V> {
    pub(in crate::typed) of: KeyBytes,
    pub(in crate::typed) row: V,
}

/// The group of a row, and what of it goes there.
type GroupOf<K, A, G, V> = Arc<dyn Fn(&K, &A) -> (G, V) + Send + Sync>;

impl<K: Key, A: Row> Table<K, A> {
    /// Groups the rows by another key: the group of each, and what of it goes there. Where a row's value becomes another,
    /// the group loses the old one and the group of the new one gets that, which may be the same.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct User { city: String, age: u64 }
    /// let program = Program::new();
    /// let users = program.source::<User>("users").table::<u64>();
    /// let by_city = users.group_by(|_, user| (user.city.clone(), user.age));
    /// by_city.clone().count().to("users by city");
    /// by_city.clone().aggregate(0, |sum, age| sum + age, |sum, age| sum - age).to("ages");
    /// by_city.top(3, |age| *age).to("the eldest by city");
    /// program.topology().unwrap();
    /// ```
    pub fn group_by<G: Key, V: Row>(
        self,
        f: impl Fn(&K, &A) -> (G, V) + Send + Sync + 'static,
    ) -> GroupedTable<G, V> {
        let f: GroupOf<K, A, G, V> = Arc::new(f);
        let [key, value, group, row] = [type_of::<K>(), type_of::<A>(), type_of::<G>(), type_of::<V>()];
        let over = OverTables {
            what: "GroupBy",
            detail: format!("{row} of {value} by {group}"),
            inputs: vec![StreamKind::Upsert],
            output: StreamKind::Changelog,
            stores: vec![("values", format!("{key} -> {value}"))],
            by_key: true,
            build: Arc::new(move |cx| Box::new(Grouping::<K, A, G, V>::new(Arc::clone(&f), cx))),
        };
        let changes = over.add(&self.program, &[self.node]);
        let node = self.program.exchange::<Member<V>>(group, changes);
        GroupedTable { program: self.program, node, groups: PhantomData }
    }
}

/// A table's rows by another key: see [`Table::group_by`]. A group that has no row left is deleted.
pub struct GroupedTable<G, V> {
    pub(super) program: Program,
    pub(super) node: NodeId,
    groups: PhantomData<fn() -> (G, V)>,
}

impl<G, V> Clone for GroupedTable<G, V> {
    fn clone(&self) -> Self {
        GroupedTable { program: self.program.clone(), node: self.node, groups: PhantomData }
    }
}

impl<G, V> std::fmt::Debug for GroupedTable<G, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GroupedTable<{}, {}>", type_of::<G>(), type_of::<V>())
    }
}

/// How a row comes to a value, or goes from it.
type Apply<V, A> = Arc<dyn Fn(A, V) -> A + Send + Sync>;

impl<G: Key, V: Row> GroupedTable<G, V> {
    /// The number of rows of each group.
    pub fn count(self) -> Table<G, u64> {
        self.aggregated("count", 0, Arc::new(|count, _| count + 1), Arc::new(|count, _| count - 1))
    }

    /// What the rows of each group come to: `add` puts one in, `take` takes one out that was put in before, so that nothing
    /// of it is left. The value of a group without rows is `initial`, and nobody sees it.
    pub fn aggregate<A: Row>(
        self,
        initial: A,
        add: impl Fn(A, V) -> A + Send + Sync + 'static,
        take: impl Fn(A, V) -> A + Send + Sync + 'static,
    ) -> Table<G, A> {
        self.aggregated("aggregate", initial, Arc::new(add), Arc::new(take))
    }

    fn aggregated<A: Row>(
        self,
        how: &'static str,
        initial: A,
        add: Apply<V, A>,
        take: Apply<V, A>,
    ) -> Table<G, A> {
        let [group, row, value] = [type_of::<G>(), type_of::<V>(), type_of::<A>()];
        let over = OverTables {
            what: "AggregateTable",
            detail: format!("{how} of {row} into {value}"),
            inputs: vec![StreamKind::Changelog],
            output: StreamKind::Upsert,
            stores: vec![("values", format!("{group} -> rows, {value}"))],
            by_key: true,
            build: Arc::new(move |cx| {
                Box::new(Aggregating::<G, V, A> {
                    initial: initial.clone(),
                    add: Arc::clone(&add),
                    take: Arc::clone(&take),
                    values: Values::new("aggregate of a table", cx),
                    group: PhantomData,
                })
            }),
        };
        let node = over.add(&self.program, &[self.node]);
        Table::at(self.program, node)
    }
}

/// Keeps the value of each key, and emits once per commit what goes from its group and what comes to one.
struct Grouping<K, A, G, V> {
    f: GroupOf<K, A, G, V>,
    /// With the value of a key before the commit.
    values: Values<A, Option<A>>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, A: Row, G: Key, V: Row> Grouping<K, A, G, V> {
    fn new(f: GroupOf<K, A, G, V>, cx: &BuildCx) -> Self {
        Grouping { f, values: Values::new("group by", cx), key: PhantomData }
    }
}

impl<K: Key, A: Row, G: Key, V: Row> Operator for Grouping<K, A, G, V> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.values.state.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        for (row, entry) in batch.into_rows::<Entry<K, A>>()?.into_iter().enumerate() {
            let change = self.values.state.change(slots[row]);
            let before = std::mem::replace(change.value, entry.value.map(Live));
            let first = change.is_first.then(|| before.map(|Live(value)| value));
            self.values.since.note(slots[row], times[row], first);
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut changes = Changes::default();
        let mut group_bytes = Vec::new();
        for slot in self.values.state.touched() {
            let bytes = self.values.state.key(*slot);
            let key = self.values.read_key::<K>(bytes)?;
            let (before, time) = self.values.since.of(*slot);
            let before = before.take();
            let after = self.values.state.get(*slot).map(|Live(value)| value);
            for (value, sign) in [(before.as_ref(), -1), (after, 1)] {
                let Some(value) = value else { continue };
                let (group, row) = (self.f)(&key, value);
                group_bytes.clear();
                group.write(&mut group_bytes);
                changes.push(Member { of: KeyBytes(bytes.into()), row }, &group_bytes, time, sign);
            }
        }
        changes.emit(cx);
        Ok(())
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

/// What a group has come to, and of how many rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Total<A> {
    rows: u64,
    value: A,
}

/// Keeps the value of each group.
struct Aggregating<G, V, A> {
    initial: A,
    add: Apply<V, A>,
    take: Apply<V, A>,
    /// Whether a group was there before the commit.
    values: Values<Total<A>, bool>,
    group: PhantomData<fn() -> G>,
}

impl<G: Key, V: Row, A: Row> Operator for Aggregating<G, V, A> {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let slots = self.values.state.load(batch.keys()?, &mut cx.state)?;
        let (times, ops) = (batch.times.clone(), batch.ops.clone());
        for (row, Member { row: value, .. }) in batch.into_rows::<Member<V>>()?.into_iter().enumerate() {
            let change = self.values.state.change(slots[row]);
            let first = change.is_first.then_some(change.value.is_some());
            self.values.since.note(slots[row], times[row], first);
            let total = change.value.take().map(|Live(total)| total);
            let Total { rows, value: total } =
                total.unwrap_or_else(|| Total { rows: 0, value: self.initial.clone() });
            let total = match (ops.get(row), rows) {
                (1, rows) => Total { rows: rows + 1, value: (self.add)(total, value) },
                (_, 0) => return Err(never_there("aggregate of a table")),
                (_, rows) => Total { rows: rows - 1, value: (self.take)(total, value) },
            };
            *change.value = (total.rows > 0).then_some(Live(total));
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.values.emit::<G, A>(cx, |total, had| Some((*had, total.map(|total| total.value.clone()))))
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

/// A row is taken back that never came: state or input are not what they were.
fn never_there(operator: &str) -> OperatorError {
    let detail = "a row is taken back that was never there".to_owned();
    OperatorError::CorruptState { operator: operator.to_owned(), detail }
}
