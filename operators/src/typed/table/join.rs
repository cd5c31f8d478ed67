//! Two tables as one: the values that a key has in both, in one of them, or in either.

use super::spec::{OverTables, Values, type_of};
use super::{Entry, Table};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{BuildCx, Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::plain::Maybe;
use crate::typed::{Key, Row};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::sync::Arc;

/// What a key comes to that has a value on one side at least.
type JoinValues<A, B, U> = Arc<dyn Fn(Option<&A>, Option<&B>) -> Option<U> + Send + Sync>;

impl<K: Key, A: Row> Table<K, A> {
    /// The keys that have a value in both tables.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>();
    /// let cities = program.source::<String>("cities").table::<u64>();
    /// let at = |name: &String, city: &String| format!("{name}, {city}");
    /// names.clone().join(cities.clone(), at).to("addressed");
    /// names.clone().left_join(cities.clone(), |name, city| (name.clone(), city.cloned())).to("all names");
    /// names.outer_join(cities, |name, city| (name.cloned(), city.cloned())).to("all");
    /// program.topology().unwrap();
    /// ```
    pub fn join<B: Row, U: Row>(
        self,
        other: Table<K, B>,
        f: impl Fn(&A, &B) -> U + Send + Sync + 'static,
    ) -> Table<K, U> {
        self.joined("inner", other, Arc::new(move |left, right| Some(f(left?, right?))))
    }

    /// The keys of this table, with what they have in the other, if anything.
    pub fn left_join<B: Row, U: Row>(
        self,
        other: Table<K, B>,
        f: impl Fn(&A, Option<&B>) -> U + Send + Sync + 'static,
    ) -> Table<K, U> {
        self.joined("left", other, Arc::new(move |left, right| Some(f(left?, right))))
    }

    /// The keys that have a value in either table: at least one of the arguments of `f` is there.
    pub fn outer_join<B: Row, U: Row>(
        self,
        other: Table<K, B>,
        f: impl Fn(Option<&A>, Option<&B>) -> U + Send + Sync + 'static,
    ) -> Table<K, U> {
        self.joined("outer", other, Arc::new(move |left, right| Some(f(left, right))))
    }

    fn joined<B: Row, U: Row>(self, how: &str, other: Table<K, B>, f: JoinValues<A, B, U>) -> Table<K, U> {
        let [key, left, right] = [type_of::<K>(), type_of::<A>(), type_of::<B>()];
        let over = OverTables {
            what: "JoinTables",
            detail: format!("{how} of {left} with {right} by {key} into {}", type_of::<U>()),
            inputs: vec![StreamKind::Upsert, StreamKind::Upsert],
            output: StreamKind::Upsert,
            stores: vec![("values", format!("{key} -> {left}, {right}"))],
            by_key: true,
            build: Arc::new(move |cx| Box::new(Joining::<K, A, B, U>::new(Arc::clone(&f), cx))),
        };
        let nodes = [self.node, other.node];
        let nodes = self.program.apart(nodes, [&|_| self.sent(), &|_| other.sent()]);
        let node = over.add(&self.program, &nodes);
        Table::at(self.program, node)
    }
}

/// The values of a key on both sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Both<A, B> {
    left: Maybe<A>,
    right: Maybe<B>,
}

impl<A, B> Both<A, B> {
    fn is_any(&self) -> bool {
        self.left.0.is_some() || self.right.0.is_some()
    }

    fn comes_to<U>(&self, f: &JoinValues<A, B, U>) -> Option<U> {
        let (left, right) = (self.left.0.as_ref(), self.right.0.as_ref());
        if self.is_any() { f(left, right) } else { None }
    }
}

/// Keeps both sides by key, and emits once per commit what the keys that changed come to.
struct Joining<K, A, B, U> {
    f: JoinValues<A, B, U>,
    /// Whether a key came to something before the commit.
    values: Values<Both<A, B>, bool>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, A: Row, B: Row, U: Row> Joining<K, A, B, U> {
    fn new(f: JoinValues<A, B, U>, cx: &BuildCx) -> Self {
        Joining { f, values: Values::new("join of tables", cx), key: PhantomData }
    }

    fn take<S: Row>(
        &mut self,
        batch: Batch,
        cx: &mut Cx<'_>,
        side: fn(&mut Both<A, B>) -> &mut Maybe<S>,
    ) -> Result<(), OperatorError> {
        let slots = self.values.state.load(batch.keys()?, &mut cx.state)?;
        let times = batch.times.clone();
        for (row, entry) in batch.into_rows::<Entry<K, S>>()?.into_iter().enumerate() {
            let change = self.values.state.change(slots[row]);
            let mut both = match change.value.take() {
                Some(Live(both)) => both,
                None => Both { left: Maybe(None), right: Maybe(None) },
            };
            let first = change.is_first.then(|| both.comes_to(&self.f).is_some());
            *side(&mut both) = Maybe(entry.value);
            *change.value = both.is_any().then_some(Live(both));
            self.values.since.note(slots[row], times[row], first);
        }
        Ok(())
    }
}

impl<K: Key, A: Row, B: Row, U: Row> Operator for Joining<K, A, B, U> {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        match port {
            Port(0) => self.take(batch, cx, |both| &mut both.left),
            _ => self.take(batch, cx, |both| &mut both.right),
        }
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let f = &self.f;
        self.values.emit::<K, U>(cx, |both, had| Some((*had, both.and_then(|both| both.comes_to(f)))))
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
