//! The rows of one partition, in order.

use super::RankFunction;
use crate::OperatorError;
use crate::aggregate::prefix_end;
use crate::keys::{Slot, SlotTable};
use crate::operator::StateScope;
use millstream_state::DeltaBlock;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Bytes of the sequence number behind the order.
const SEQUENCE_BYTES: usize = 8;

/// Bytes of the event time in front of a row.
const TIME_BYTES: usize = 8;

/// What an entry costs beside its bytes: two pointers with lengths, two counts, its share of the tree's nodes.
const ENTRY_BYTES: usize = 64;

/// An event time and a row.
pub(super) type StoredRow = [u8];

/// A row with its rank.
pub(super) type Ranked = (u64, Arc<StoredRow>);

/// The order of a row and its sequence number.
pub(super) type Place = Arc<[u8]>;

/// The rows of a partition that are kept, and what became of them since the last commit.
#[derive(Debug, Default)]
pub(super) struct Partition {
    rows: BTreeMap<Place, Arc<StoredRow>>,
    /// Bytes of places and rows.
    bytes: usize,
    /// The ranked rows as they were when the partition was first touched since the last commit.
    before: Option<Vec<(Place, Ranked)>>,
    /// Places of stored rows that went since then, and of rows that came.
    changed: BTreeSet<Place>,
}

/// Writes what has changed of these partitions since the last commit; those without rows go.
pub(super) fn write_changed(
    touched: impl IntoIterator<Item = Slot>,
    partitions: &mut [Partition],
    slots: &mut SlotTable,
    block: &mut DeltaBlock,
) {
    let mut key = Vec::new();
    for slot in touched {
        let partition = &mut partitions[slot as usize];
        key.clear();
        key.extend_from_slice(slots.key(slot));
        let prefix = key.len();
        for (place, row) in partition.take_changed() {
            key.truncate(prefix);
            key.extend_from_slice(&place);
            block.push(&key, row.as_deref());
        }
        if partition.is_empty() {
            *partition = Partition::default();
            slots.remove(slot);
        }
    }
}

/// The order without the sequence number.
pub(super) fn order_of(place: &[u8]) -> &[u8] {
    &place[..place.len().saturating_sub(SEQUENCE_BYTES)]
}

impl Partition {
    /// Reads the rows of the partition with this key.
    pub(super) fn load(
        &mut self,
        store: u16,
        key: &[u8],
        state: &mut StateScope<'_>,
    ) -> Result<(), OperatorError> {
        state.scan(store, key, prefix_end(key).as_deref(), |stored, row| {
            let place = &stored[key.len()..];
            self.bytes += place.len() + row.len();
            self.rows.insert(place.into(), row.into());
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Remembers how it stands, unless that was done since the last commit. Whether it was not.
    pub(super) fn touch(&mut self, function: RankFunction, first: u64, last: u64) -> bool {
        let is_new = self.before.is_none();
        if is_new {
            self.before = Some(ranked(&self.rows, function, first, last));
        }
        is_new
    }

    /// Notes that it is touched, where nobody asks how it stood. Whether that had not been noted since the last commit.
    pub(super) fn mark(&mut self) -> bool {
        let is_new = self.before.is_none();
        self.before.get_or_insert_default();
        is_new
    }

    /// Takes all rows out, and gives those that have a rank.
    pub(super) fn take_all(&mut self, function: RankFunction, first: u64, last: u64) -> Vec<Ranked> {
        let found = ranked(&self.rows, function, first, last).into_iter().map(|(_, ranked)| ranked);
        let found = found.collect();
        let places: Vec<Place> = self.rows.keys().cloned().collect();
        places.iter().for_each(|place| self.take_out(place));
        found
    }

    /// Whether a row at `place` would stand behind the last rank, however many come.
    pub(super) fn is_behind(&self, place: &[u8], function: RankFunction, last: u64) -> bool {
        let Some((greatest, _)) = self.rows.last_key_value() else { return false };
        let is_last = match function {
            RankFunction::RowNumber => place > &**greatest,
            RankFunction::Rank | RankFunction::DenseRank => order_of(place) > order_of(greatest),
        };
        // A gapless rank needs as many orders as ranks, of which there may be fewer than rows.
        is_last && function != RankFunction::DenseRank && self.rows.len() as u64 >= last
    }

    pub(super) fn insert(&mut self, place: &[u8], row: &StoredRow) {
        self.bytes += place.len() + row.len();
        let place: Place = place.into();
        self.rows.insert(Arc::clone(&place), row.into());
        self.changed.insert(place);
    }

    /// Takes out the first of the rows that are at this order and the same, whatever their times.
    pub(super) fn remove(&mut self, order: &[u8], row: &StoredRow) {
        let same = |(_, kept): &(&Place, &Arc<StoredRow>)| kept[TIME_BYTES..] == row[TIME_BYTES..];
        let from: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(order), Bound::Unbounded);
        let mut here = self.rows.range::<[u8], _>(from).take_while(|(place, _)| order_of(place) == order);
        if let Some(place) = here.find(same).map(|(place, _)| place.clone()) {
            self.take_out(&place);
        }
    }

    fn take_out(&mut self, place: &[u8]) {
        let Some((place, row)) = self.rows.remove_entry(place) else { return };
        self.bytes -= place.len() + row.len();
        // A row that came since the last commit was never stored.
        if !self.changed.remove(&place) {
            self.changed.insert(place);
        }
    }

    /// Drops the rows behind the last rank.
    pub(super) fn cut_behind(&mut self, function: RankFunction, last: u64) {
        match function {
            RankFunction::RowNumber => {
                while self.rows.len() as u64 > last {
                    let Some(place) = self.rows.last_key_value().map(|(place, _)| place.clone()) else {
                        return;
                    };
                    self.take_out(&place);
                }
            }
            RankFunction::Rank | RankFunction::DenseRank => {
                let kept = ranked(&self.rows, function, 1, last).len();
                let behind: Vec<Place> = self.rows.keys().skip(kept).cloned().collect();
                behind.iter().for_each(|place| self.take_out(place));
            }
        }
    }

    /// Appends ranked rows that are no more as they were, and those that are now.
    pub(super) fn changes(
        &self,
        function: RankFunction,
        first: u64,
        last: u64,
        with_rank: bool,
        gone: &mut Vec<Ranked>,
        come: &mut Vec<Ranked>,
    ) {
        let now = ranked(&self.rows, function, first, last);
        let before = self.before.as_deref().unwrap_or_default();
        let same = |(old, (old_rank, _)): &(Place, Ranked), (new, (new_rank, _)): &(Place, Ranked)| {
            old == new && (!with_rank || old_rank == new_rank)
        };
        let missing_in = |rows: &[(Place, Ranked)], others: &[(Place, Ranked)], out: &mut Vec<Ranked>| {
            let mut others = others.iter().peekable();
            for row in rows {
                while others.next_if(|other| other.0 < row.0).is_some() {}
                if !others.peek().is_some_and(|other| same(row, other)) {
                    out.push(row.1.clone());
                }
            }
        };
        missing_in(before, &now, gone);
        missing_in(&now, before, come);
    }

    /// All rows as they were when it was first touched since the last commit, and as they are.
    pub(super) fn before_and_now(&self) -> [Vec<(Place, Ranked)>; 2] {
        let now = ranked(&self.rows, RankFunction::RowNumber, 1, u64::MAX);
        [self.before.clone().unwrap_or_default(), now]
    }

    /// What changed in the store since the last commit: places in order, with the rows that came.
    pub(super) fn take_changed(&mut self) -> impl Iterator<Item = (Place, Option<Arc<StoredRow>>)> + '_ {
        self.before = None;
        let rows = &self.rows;
        std::mem::take(&mut self.changed).into_iter().map(|place| {
            let row = rows.get(&place).cloned();
            (place, row)
        })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes + self.rows.len() * ENTRY_BYTES
    }
}

/// The rows whose rank is from `first` to `last`, in order.
fn ranked(
    rows: &BTreeMap<Place, Arc<StoredRow>>,
    function: RankFunction,
    first: u64,
    last: u64,
) -> Vec<(Place, Ranked)> {
    let mut found = Vec::new();
    let (mut number, mut rank, mut order): (u64, u64, Option<&[u8]>) = (0, 0, None);
    for (place, row) in rows {
        number += 1;
        let is_new = order != Some(order_of(place));
        order = Some(order_of(place));
        rank = match function {
            RankFunction::RowNumber => number,
            RankFunction::Rank if is_new => number,
            RankFunction::DenseRank if is_new => rank + 1,
            RankFunction::Rank | RankFunction::DenseRank => rank,
        };
        if rank > last {
            break;
        }
        if rank >= first {
            found.push((place.clone(), (rank, Arc::clone(row))));
        }
    }
    found
}
