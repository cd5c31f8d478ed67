//! The first rows of every group, put right as rows come, change and go.

use super::group::{GroupedTable, Member};
use super::spec::{Changes, OverTables, corrupt_key, type_of};
use super::{Entry, Table};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::kit::sorted::Sorted;
use crate::operator::{Cx, DeltaScope, Operator, Port};
use crate::typed::exchange::Live;
use crate::typed::{Key, Row};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What rows are ranked by: a number.
pub trait Rank {
    /// Eight bytes in the order of the numbers.
    fn order(&self) -> [u8; 8];
}

macro_rules! ranks {
    ($($type:ty),*) => {$(
        impl Rank for $type {
            fn order(&self) -> [u8; 8] {
                (i64::from(*self) ^ i64::MIN).to_be_bytes()
            }
        }
    )*};
}

ranks!(i8, i16, i32, i64, u8, u16, u32);

impl Rank for u64 {
    fn order(&self) -> [u8; 8] {
        self.to_be_bytes()
    }
}

/// As `f64::total_cmp` has them.
impl Rank for f64 {
    fn order(&self) -> [u8; 8] {
        let bits = self.to_bits() as i64;
        (bits ^ (((bits >> 63) as u64) >> 1) as i64 ^ i64::MIN).to_be_bytes()
    }
}

/// The rank of a row.
type RankOf<V> = Arc<dyn Fn(&V) -> [u8; 8] + Send + Sync>;

impl<G: Key, V: Row> GroupedTable<G, V> {
    /// The `n` rows of each group with the largest ranks, the largest first; of rows of one rank, those whose keys in their
    /// table come first. All rows are kept, for any of them may rise when others go.
    pub fn top<R: Rank>(self, n: usize, rank: impl Fn(&V) -> R + Send + Sync + 'static) -> Table<G, Vec<V>> {
        let rank: RankOf<V> = Arc::new(move |row| rank(row).order());
        let [group, row] = [type_of::<G>(), type_of::<V>()];
        let over = OverTables {
            what: "Top",
            detail: format!("{n} of {row} by {}", type_of::<R>()),
            inputs: vec![StreamKind::Changelog],
            output: StreamKind::Upsert,
            stores: vec![("rows", format!("{group}, rank, key -> {row}"))],
            by_key: true,
            build: Arc::new(move |_| {
                Box::new(Ranking::<G, V> {
                    n,
                    rank: Arc::clone(&rank),
                    rows: Sorted::new("top", 0),
                    touched: BTreeMap::new(),
                    group: PhantomData,
                })
            }),
        };
        let node = over.add(&self.program, &[self.node]);
        Table::at(self.program, node)
    }
}

/// Keeps all rows by group and rank, and emits once per commit the first of the groups in which they are others.
struct Ranking<G, V> {
    n: usize,
    rank: RankOf<V>,
    rows: Sorted<Live<V>>,
    /// Groups whose rows changed since the last commit: the first row that did, and the latest time.
    touched: BTreeMap<Box<[u8]>, (Box<[u8]>, EventTime)>,
    group: PhantomData<fn() -> G>,
}

/// What the keys of a group's rows begin with.
pub(super) fn prefix_of(group: &[u8]) -> Vec<u8> {
    [&(group.len() as u32).to_be_bytes(), group].concat()
}

impl<G: Key, V: Row> Operator for Ranking<G, V> {
    fn process(&mut self, _port: Port, batch: Batch, _cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let (times, ops, keys) = (batch.times.clone(), batch.ops.clone(), Arc::clone(batch.keys()?));
        for (row, Member { of, row: value }) in batch.into_rows::<Member<V>>()?.into_iter().enumerate() {
            let group = keys.get(row);
            // The largest first.
            let rank = (self.rank)(&value).map(|byte| !byte);
            let key: Box<[u8]> = [&prefix_of(group), &rank[..], &of.0].concat().into();
            self.rows.set(&key, (ops.get(row) == 1).then_some(Live(value)));
            let time = times[row];
            match self.touched.get_mut(group) {
                None => drop(self.touched.insert(group.into(), (key, time))),
                Some((first, latest)) => {
                    *latest = time.max(*latest);
                    if key < *first {
                        *first = key;
                    }
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let mut changes = Changes::default();
        for (group, (first_changed, time)) in std::mem::take(&mut self.touched) {
            let mut top: Vec<V> = Vec::new();
            let mut is_other = false;
            self.rows.walk(&prefix_of(&group), &mut cx.state, |key, Live(row)| {
                if top.len() == self.n {
                    return ControlFlow::Break(());
                }
                top.push(row.clone());
                is_other |= *key >= *first_changed;
                ControlFlow::Continue(())
            })?;
            // Where all of them stand before what changed, they are those of before.
            if is_other || top.len() < self.n {
                let key = G::read(&group).ok_or_else(|| corrupt_key::<G>("top", &group))?;
                let value = (!top.is_empty()).then_some(top);
                changes.entry(Entry { key, value }, &group, time);
            }
        }
        changes.emit(cx);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.rows.delta(out)
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }
}
