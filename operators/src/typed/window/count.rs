//! Windows over so many rows of a key, whenever they come.

use crate::source::Policy;
use crate::topology::TopologyError;
use crate::typed::fold::FoldRow;
use crate::typed::keyed::{folding, reducing};
use crate::typed::process::{Context, ListState, Logic, ValueState};
use crate::typed::{Key, KeyedStream, Row};
use std::marker::PhantomData;
use std::sync::Arc;

/// The last so many rows of each key, each so many rows: see [`KeyedStream::last_rows`].
#[derive(Debug, Clone)]
#[must_use = "rows are read once they are reduced or aggregated"]
pub struct CountStream<K, T> {
    stream: KeyedStream<K, T>,
    size: usize,
    every: usize,
}

impl<K, T> CountStream<K, T> {
    pub(in crate::typed) fn new(stream: KeyedStream<K, T>, size: usize) -> Self {
        CountStream { stream, size, every: size }
    }

    /// How often they are looked at: after so many rows of a key. The first times there may be fewer than there will be.
    pub fn every(mut self, rows: usize) -> Self {
        self.every = rows;
        self
    }
}

impl<K: Key, T: Row> CountStream<K, T> {
    /// Combines the rows, two at a time, in the order they came.
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> KeyedStream<K, T> {
        self.folded("reduce", reducing(f))
    }

    /// Folds the rows into a value that begins as `initial`, in the order they came.
    pub fn aggregate<A: Row>(
        self,
        initial: A,
        f: impl Fn(A, T) -> A + Send + Sync + 'static,
    ) -> KeyedStream<K, A> {
        self.folded("aggregate", folding(initial, f))
    }

    fn folded<A: Row>(self, how: &str, fold: FoldRow<T, A>) -> KeyedStream<K, A> {
        let CountStream { stream, size, every } = self;
        if size == 0 || every == 0 {
            let message =
                "rows are looked at by one at least: last_rows(..) and every(..) take numbers above 0"
                    .to_owned();
            stream.program.fail(TopologyError { node: "last rows".to_owned(), message });
        }
        let (rows, values) = (std::any::type_name::<T>(), std::any::type_name::<A>());
        let detail = format!("{how} of the last {size} {rows} each {every} into {values}");
        stream.logic("LastRows", detail, Policy::Skip, move |states| Last {
            rows: states.list("rows"),
            since: states.value("rows since"),
            size,
            every,
            fold: Arc::clone(&fold),
            key: PhantomData::<fn() -> K>,
        })
    }
}

/// Rows that may be looked at again, and how many came since they were last.
struct Last<K, T, A> {
    rows: ListState<T>,
    since: ValueState<usize>,
    size: usize,
    every: usize,
    fold: FoldRow<T, A>,
    key: PhantomData<fn() -> K>,
}

impl<K: Key, T: Row, A: Row> Logic for Last<K, T, A> {
    type Left = T;
    type Right = ();
    type Out = A;

    fn left(&mut self, cx: &mut Context<'_, A>, row: T) {
        let since = self.since.get(cx).copied().unwrap_or(0) + 1;
        let is_due = since >= self.every;
        let seen = self.rows.update(cx, |rows| {
            rows.push(row);
            rows.drain(..rows.len().saturating_sub(self.size));
            let seen = is_due.then(|| rows.clone());
            // What no later look takes in goes.
            if is_due {
                let left = self.size.saturating_sub(self.every);
                rows.drain(..rows.len().saturating_sub(left));
            }
            seen
        });
        match seen {
            None => self.since.set(cx, since),
            Some(seen) => {
                self.since.clear(cx);
                let value = seen.into_iter().fold(None, |value, row| Some((self.fold)(value, row)));
                value.into_iter().for_each(|value| cx.emit(value));
            }
        }
    }
}
