//! All rows of each key, in the order in which they came: in memory here, and as the store has them in [`stored`]. What
//! joins keep of a side.
//!
//! Rows lie encoded in one arena; an entry for each says where, and links it to the rows of the same key that came
//! before and after it. Sequence numbers rise over all keys. So what is in memory of a key is always its last
//! rows, and when all of them are needed those before are read and put in front.

mod stored;

pub(crate) use stored::stored_key;

use crate::OperatorError;
use crate::batch::EventTime;
use crate::keys::{Slot, SlotTable};
use crate::rows::RowCodec;
use arrow::array::RecordBatch;
use hashbrown::HashTable;
use millstream_state::BytesColumn;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A row in memory.
pub(crate) type RowId = u32;

/// No row.
pub(crate) const NONE: RowId = RowId::MAX;

/// What is kept with each row, beside its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    /// Milliseconds from a row's time on after which it goes; `None`: it stays until it is taken back.
    pub(crate) keep_ms: Option<i64>,
    /// Whether matches are counted.
    pub(crate) counted: bool,
    /// Whether rows are looked for by their content, to be taken back.
    pub(crate) searched: bool,
    /// Whether a key has one row at most, which the next replaces.
    pub(crate) single: bool,
}

impl Layout {
    /// Whether rows only ever come, so that those of a key are stored together.
    pub(crate) fn is_packed(&self) -> bool {
        !self.searched && !self.single && !self.counted && self.keep_ms.is_none()
    }

    /// What stands in front of the columns in the store.
    pub(crate) fn head(&self) -> String {
        if self.is_packed() {
            return "several of: ".to_owned();
        }
        let time = if self.keep_ms.is_some() { "time ms, " } else { "" };
        let matches = if self.counted { "matches, " } else { "" };
        format!("{time}{matches}")
    }
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    /// Event time, or the clock reading at which it came; 0 where rows do not go.
    pub(crate) time: EventTime,
    hash: u64,
    start: usize,
    length: u32,
    pub(crate) slot: Slot,
    previous: RowId,
    pub(crate) next: RowId,
    /// The rows with the same bytes and key before and after, where rows are searched.
    older: RowId,
    newer: RowId,
    /// How many rows it has met, as far as that is counted.
    pub(crate) matches: u32,
    /// Whether it is among the rows of its key.
    pub(crate) linked: bool,
    pub(crate) stored: bool,
    changed: bool,
}

/// The rows of a key.
#[derive(Debug, Clone, Copy)]
struct Bag {
    first: RowId,
    last: RowId,
    /// Rows in memory.
    rows: u32,
    /// Whether the store has no others.
    complete: bool,
}

const EMPTY: Bag = Bag { first: NONE, last: NONE, rows: 0, complete: false };

/// A row that is to be taken out of the stores.
#[derive(Debug)]
pub(crate) struct Gone {
    /// Stored keys of the rows.
    pub(crate) keys: BytesColumn,
    /// Their times.
    pub(crate) times: Vec<EventTime>,
}

/// The rows of each key. See the module's head.
#[derive(Debug)]
pub(crate) struct RowBags {
    /// What the operator is called where its state can't be read.
    operator: &'static str,
    store: u16,
    pub(crate) layout: Layout,
    codec: RowCodec,
    hash_seed: u64,
    entries: Vec<Entry>,
    data: Vec<u8>,
    dead_bytes: usize,
    free: Vec<RowId>,
    /// Rows that went since the last delta: their numbers are not given again before it, so that the order of what is
    /// written does not depend on them.
    freed: Vec<RowId>,
    bags: Vec<Bag>,
    /// The newest of the rows with the same key and bytes.
    index: HashTable<RowId>,
    /// Rows that came or changed since the last delta, in that order.
    changed: Vec<RowId>,
    gone: Gone,
    pub(crate) next_sequence: u64,
    /// Rows from this number on are in memory.
    pub(crate) hot_from: u64,
    /// Whether every row of the store is in memory.
    pub(crate) all_hot: bool,
}

impl RowBags {
    /// Rows in an operator's `store`.
    pub(crate) fn new(
        operator: &'static str,
        store: u16,
        codec: RowCodec,
        layout: Layout,
        hash_seed: u64,
    ) -> Self {
        RowBags {
            operator,
            store,
            layout,
            codec,
            hash_seed,
            entries: Vec::new(),
            data: Vec::new(),
            dead_bytes: 0,
            free: Vec::new(),
            freed: Vec::new(),
            bags: Vec::new(),
            index: HashTable::new(),
            changed: Vec::new(),
            gone: Gone { keys: BytesColumn::default(), times: Vec::new() },
            next_sequence: 0,
            hot_from: 0,
            all_hot: false,
        }
    }

    pub(crate) fn codec(&self) -> &RowCodec {
        &self.codec
    }

    #[inline]
    pub(crate) fn entry(&self, row: RowId) -> &Entry {
        &self.entries[row as usize]
    }

    pub(crate) fn bytes(&self, row: RowId) -> &[u8] {
        let Entry { start, length, .. } = self.entries[row as usize];
        &self.data[start..start + length as usize]
    }

    /// The first row of a key in memory.
    #[inline]
    pub(crate) fn first(&self, slot: Slot) -> RowId {
        self.bags[slot as usize].first
    }

    /// The last row of a key.
    #[inline]
    pub(crate) fn last(&self, slot: Slot) -> RowId {
        self.bags[slot as usize].last
    }

    /// Number of rows of a key in memory.
    #[inline]
    pub(crate) fn count(&self, slot: Slot) -> u32 {
        self.bags[slot as usize].rows
    }

    pub(crate) fn is_complete(&self, slot: Slot) -> bool {
        self.bags[slot as usize].complete
    }

    /// Number of row ids given so far.
    pub(crate) fn row_count(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn resize(&mut self, slots: usize) {
        if self.bags.len() < slots {
            self.bags.resize(slots, Bag { complete: self.all_hot, ..EMPTY });
        }
    }

    /// Makes a slot that was given anew ready for its key.
    pub(crate) fn begin(&mut self, slot: Slot) {
        self.bags[slot as usize] = Bag { complete: self.all_hot, ..EMPTY };
    }

    /// Adds a row behind the others of its key. `write` appends it.
    pub(crate) fn insert(&mut self, slot: Slot, time: EventTime, write: impl FnOnce(&mut Vec<u8>)) -> RowId {
        let start = self.data.len();
        write(&mut self.data);
        let length = (self.data.len() - start) as u32;
        let sequence = if self.layout.single { 0 } else { self.next_sequence };
        self.next_sequence += 1;
        let row = self.add(Entry { changed: true, ..self.new_entry(slot, sequence, time, start, length) });
        self.changed.push(row);
        let last = std::mem::replace(&mut self.bags[slot as usize].last, row);
        self.link(slot, last, row);
        row
    }

    fn new_entry(&self, slot: Slot, sequence: u64, time: EventTime, start: usize, length: u32) -> Entry {
        let hash = match self.layout.searched {
            true => content_hash(slot, &self.data[start..start + length as usize], self.hash_seed),
            false => 0,
        };
        Entry {
            sequence,
            time,
            hash,
            start,
            length,
            slot,
            previous: NONE,
            next: NONE,
            older: NONE,
            newer: NONE,
            matches: 0,
            linked: true,
            stored: false,
            changed: false,
        }
    }

    fn add(&mut self, entry: Entry) -> RowId {
        match self.free.pop() {
            Some(row) => {
                self.entries[row as usize] = entry;
                row
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as RowId
            }
        }
    }

    /// Links a row behind `last`, which was the last of its key.
    fn link(&mut self, slot: Slot, last: RowId, row: RowId) {
        let bag = &mut self.bags[slot as usize];
        bag.rows += 1;
        if last == NONE {
            bag.first = row;
        } else {
            self.entries[last as usize].next = row;
            self.entries[row as usize].previous = last;
        }
        if self.layout.searched {
            self.index_row(row);
        }
    }

    fn index_row(&mut self, row: RowId) {
        let Entry { hash, slot, .. } = self.entries[row as usize];
        let (entries, data) = (&self.entries, &self.data);
        let bytes = bytes_of(entries, data, row);
        let same =
            |other: &RowId| entries[*other as usize].slot == slot && bytes_of(entries, data, *other) == bytes;
        match self.index.find_mut(hash, same) {
            Some(newest) => {
                let older = std::mem::replace(newest, row);
                self.entries[older as usize].newer = row;
                self.entries[row as usize].older = older;
            }
            None => {
                self.index.insert_unique(hash, row, |row| entries[*row as usize].hash);
            }
        }
    }

    /// The newest row of a key with these bytes. All rows of the key are in memory.
    pub(crate) fn find(&self, slot: Slot, bytes: &[u8]) -> Option<RowId> {
        let hash = content_hash(slot, bytes, self.hash_seed);
        let same = |row: &RowId| self.entries[*row as usize].slot == slot && self.bytes(*row) == bytes;
        self.index.find(hash, same).copied()
    }

    /// Takes a row away. Its entry and bytes stay until the next delta.
    pub(crate) fn remove(&mut self, row: RowId, slots: &SlotTable) {
        let entry = &mut self.entries[row as usize];
        entry.linked = false;
        let Entry { slot, previous, next, older, newer, hash, sequence, time, stored, length, .. } = *entry;
        let bag = &mut self.bags[slot as usize];
        bag.rows -= 1;
        match previous {
            NONE => bag.first = next,
            previous => self.entries[previous as usize].next = next,
        }
        match next {
            NONE => bag.last = previous,
            next => self.entries[next as usize].previous = previous,
        }
        if self.layout.searched {
            if older != NONE {
                self.entries[older as usize].newer = newer;
            }
            if newer != NONE {
                self.entries[newer as usize].older = older;
            } else if let Ok(mut found) = self.index.find_entry(hash, |other| *other == row) {
                match older {
                    NONE => drop(found.remove()),
                    older => *found.get_mut() = older,
                }
            }
        }
        if stored {
            self.forget_stored(slots.key(slot), sequence, time);
        }
        self.dead_bytes += length as usize;
        self.freed.push(row);
    }

    /// Notes that a row is to be taken out of the stores.
    pub(crate) fn forget_stored(&mut self, key: &[u8], sequence: u64, time: EventTime) {
        let stored = self.gone.keys.open_row();
        stored.extend_from_slice(key);
        stored.extend(sequence.to_be_bytes());
        self.gone.keys.seal_row();
        self.gone.times.push(time);
    }

    /// Changes how many rows a row has met.
    pub(crate) fn set_matches(&mut self, row: RowId, matches: u32) {
        let entry = &mut self.entries[row as usize];
        entry.matches = matches;
        if entry.linked && !std::mem::replace(&mut entry.changed, true) {
            self.changed.push(row);
        }
    }

    /// The columns of rows.
    pub(crate) fn read(&self, rows: &[RowId]) -> Result<RecordBatch, OperatorError> {
        self.codec.read(rows.iter().map(|row| self.bytes(*row)))
    }

    /// Copies the rows in use into a new arena.
    fn compact(&mut self) {
        let mut data = Vec::with_capacity(self.data.len() - self.dead_bytes);
        for entry in self.entries.iter_mut().filter(|entry| entry.linked) {
            let start = data.len();
            data.extend_from_slice(&self.data[entry.start..entry.start + entry.length as usize]);
            entry.start = start;
        }
        self.data = data;
        self.dead_bytes = 0;
    }

    pub(crate) fn evict(&mut self) {
        let codec = self.codec.clone();
        let next_sequence = self.next_sequence;
        let empty = RowBags::new(self.operator, self.store, codec, self.layout, self.hash_seed);
        *self = RowBags { next_sequence, ..empty };
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let entries = self.entries.capacity() * size_of::<Entry>() + self.free.capacity() * 4;
        let bags = self.bags.capacity() * size_of::<Bag>() + self.index.capacity() * 5;
        self.data.capacity() + entries + bags + self.gone.keys.memory_bytes()
    }
}

fn bytes_of<'d>(entries: &[Entry], data: &'d [u8], row: RowId) -> &'d [u8] {
    let Entry { start, length, .. } = entries[row as usize];
    &data[start..start + length as usize]
}

fn content_hash(slot: Slot, bytes: &[u8], seed: u64) -> u64 {
    xxh3_64_with_seed(bytes, seed ^ (u64::from(slot) << 32 | u64::from(slot)))
}
