//! The handles by which a function reaches its states: each takes the context that it runs in.

use super::Context;
use crate::typed::Row;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// One value of the key.
///
/// ```
/// # use millstream_operators::typed::{Context, ValueState};
/// fn count(seen: &ValueState<u64>, cx: &mut Context<'_, u64>) {
///     let n = seen.get(cx).copied().unwrap_or(0) + 1;
///     seen.set(cx, n);
///     cx.emit(n);
/// }
/// ```
#[derive(Debug)]
pub struct ValueState<V> {
    pub(super) at: usize,
    pub(super) of: PhantomData<fn() -> V>,
}

/// A list of the key.
///
/// ```
/// # use millstream_operators::typed::{Context, ListState};
/// fn three(last: &ListState<String>, cx: &mut Context<'_, Vec<String>>, word: String) {
///     last.push(cx, word);
///     if last.get(cx).len() == 3 {
///         let words = last.take(cx);
///         cx.emit(words);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ListState<V> {
    pub(super) at: usize,
    pub(super) of: PhantomData<fn() -> V>,
}

/// A map of the key.
///
/// ```
/// # use millstream_operators::typed::{Context, MapState};
/// fn first_of_each(pages: &MapState<String, u64>, cx: &mut Context<'_, String>, page: String) {
///     if !pages.contains(cx, &page) {
///         pages.insert(cx, page.clone(), 1);
///         cx.emit(page);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct MapState<M, V> {
    pub(super) at: usize,
    pub(super) of: PhantomData<fn() -> (M, V)>,
}

/// A value of the key to which others are added.
///
/// ```
/// # use millstream_operators::typed::{Context, ReducingState, States};
/// fn largest(states: &mut States) -> ReducingState<u64> {
///     states.reducing("largest", u64::max)
/// }
/// fn on_row(largest: &ReducingState<u64>, cx: &mut Context<'_, u64>, n: u64) {
///     largest.add(cx, n);
/// }
/// ```
pub struct ReducingState<V> {
    pub(super) at: usize,
    pub(super) f: Arc<dyn Fn(V, V) -> V + Send + Sync>,
}

impl<V> Debug for ReducingState<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReducingState").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<V: Row> ValueState<V> {
    /// The value.
    pub fn get<'c, O>(&self, cx: &'c Context<'_, O>) -> Option<&'c V> {
        cx.value(self.at)
    }

    /// Sets it.
    pub fn set<O>(&self, cx: &mut Context<'_, O>, value: V) {
        cx.change(self.at, |kept| *kept = Some(value));
    }

    /// Changes it in place: `None` is no value, before and after.
    pub fn update<O, R>(&self, cx: &mut Context<'_, O>, f: impl FnOnce(&mut Option<V>) -> R) -> R {
        cx.change(self.at, f)
    }

    /// Takes it away.
    pub fn take<O>(&self, cx: &mut Context<'_, O>) -> Option<V> {
        // What is not there is not touched: a key that has nothing leaves nothing.
        if self.get(cx).is_some() { cx.change(self.at, Option::take) } else { None }
    }

    /// Removes it.
    pub fn clear<O>(&self, cx: &mut Context<'_, O>) {
        self.take(cx);
    }
}

impl<V: Row> ListState<V> {
    /// The list; empty when there is none.
    pub fn get<'c, O>(&self, cx: &'c Context<'_, O>) -> &'c [V] {
        cx.value::<Vec<V>>(self.at).map_or(&[][..], Vec::as_slice)
    }

    /// Appends a value.
    pub fn push<O>(&self, cx: &mut Context<'_, O>, value: V) {
        self.update(cx, |list| list.push(value));
    }

    /// Changes it in place; an empty list is none.
    pub fn update<O, R>(&self, cx: &mut Context<'_, O>, f: impl FnOnce(&mut Vec<V>) -> R) -> R {
        cx.change(self.at, |kept: &mut Option<Vec<V>>| {
            let mut list = kept.take().unwrap_or_default();
            let result = f(&mut list);
            *kept = (!list.is_empty()).then_some(list);
            result
        })
    }

    /// Takes it away.
    pub fn take<O>(&self, cx: &mut Context<'_, O>) -> Vec<V> {
        if self.get(cx).is_empty() { Vec::new() } else { self.update(cx, std::mem::take) }
    }
}

impl<M: Row + Ord, V: Row> MapState<M, V> {
    /// The value of an entry.
    pub fn get<'c, O>(&self, cx: &'c Context<'_, O>, entry: &M) -> Option<&'c V> {
        self.entries(cx)?.get(entry)
    }

    /// Whether there is such an entry.
    pub fn contains<O>(&self, cx: &Context<'_, O>, entry: &M) -> bool {
        self.get(cx, entry).is_some()
    }

    /// All entries, in order; `None` when there are none.
    pub fn entries<'c, O>(&self, cx: &'c Context<'_, O>) -> Option<&'c BTreeMap<M, V>> {
        cx.value(self.at)
    }

    /// Sets an entry, and gives what it was.
    pub fn insert<O>(&self, cx: &mut Context<'_, O>, entry: M, value: V) -> Option<V> {
        self.update(cx, |map| map.insert(entry, value))
    }

    /// Removes an entry, and gives what it was.
    pub fn remove<O>(&self, cx: &mut Context<'_, O>, entry: &M) -> Option<V> {
        if self.contains(cx, entry) { self.update(cx, |map| map.remove(entry)) } else { None }
    }

    /// Changes it in place; an empty map is none.
    pub fn update<O, R>(&self, cx: &mut Context<'_, O>, f: impl FnOnce(&mut BTreeMap<M, V>) -> R) -> R {
        cx.change(self.at, |kept: &mut Option<BTreeMap<M, V>>| {
            let mut map = kept.take().unwrap_or_default();
            let result = f(&mut map);
            *kept = (!map.is_empty()).then_some(map);
            result
        })
    }
}

impl<V: Row> ReducingState<V> {
    /// What has been added up; `None` when nothing has.
    pub fn get<'c, O>(&self, cx: &'c Context<'_, O>) -> Option<&'c V> {
        cx.value(self.at)
    }

    /// Adds a value.
    pub fn add<O>(&self, cx: &mut Context<'_, O>, value: V) {
        cx.change(self.at, |kept| {
            *kept = Some(match kept.take() {
                None => value,
                Some(before) => (self.f)(before, value),
            });
        });
    }

    /// Takes it away: the next value begins anew.
    pub fn take<O>(&self, cx: &mut Context<'_, O>) -> Option<V> {
        if self.get(cx).is_some() { cx.change(self.at, Option::take) } else { None }
    }
}
