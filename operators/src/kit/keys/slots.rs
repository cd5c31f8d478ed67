//! Dense slots for keys.
//!
//! A [`SlotTable`] gives every key a small number, its slot; what an operator keeps per key then lives in plain
//! vectors indexed by slot, and a batch is folded in by typed loops over slots and values. Probing borrows the encoded
//! key; only a new key is copied, into one arena.

use hashbrown::HashTable;
use millstream_state::BytesColumn;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The place of a key in an operator's vectors.
pub type Slot = u32;

/// Keys and their slots. The order of slots is the order in which keys came; hash order never shows.
#[derive(Debug, Default)]
pub struct SlotTable {
    seed: u64,
    index: HashTable<Slot>,
    arena: Vec<u8>,
    /// Start and length in the arena by slot.
    keys: Vec<(u32, u32)>,
    free: Vec<Slot>,
    dead_bytes: usize,
}

impl SlotTable {
    /// An empty table. The seed must not show in any result; tests vary it to prove that.
    pub fn with_seed(seed: u64) -> Self {
        SlotTable { seed, ..Self::default() }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// One more than the largest slot ever given: how long the vectors have to be.
    pub fn slot_count(&self) -> usize {
        self.keys.len()
    }

    /// The key of a slot in use.
    #[inline]
    pub fn key(&self, slot: Slot) -> &[u8] {
        let (start, length) = self.keys[slot as usize];
        &self.arena[start as usize..(start + length) as usize]
    }

    /// The slot of a key.
    pub fn find(&self, key: &[u8]) -> Option<Slot> {
        let hash = xxh3_64_with_seed(key, self.seed);
        self.index.find(hash, |slot| self.key(*slot) == key).copied()
    }

    /// The slot of a key, and whether it is new.
    #[inline]
    pub fn find_or_insert(&mut self, key: &[u8]) -> (Slot, bool) {
        let hash = xxh3_64_with_seed(key, self.seed);
        let (keys, arena) = (&self.keys, &self.arena);
        let stored = |slot: &Slot| {
            let (start, length) = keys[*slot as usize];
            &arena[start as usize..(start + length) as usize]
        };
        if let Some(slot) = self.index.find(hash, |slot| stored(slot) == key) {
            return (*slot, false);
        }
        let start = u32::try_from(self.arena.len()).expect("keys are evicted long before they reach 4 GiB");
        self.arena.extend_from_slice(key);
        let place = (start, key.len() as u32);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.keys[slot as usize] = place;
                slot
            }
            None => {
                self.keys.push(place);
                (self.keys.len() - 1) as Slot
            }
        };
        let (keys, arena, seed) = (&self.keys, &self.arena, self.seed);
        self.index.insert_unique(hash, slot, |slot| {
            let (start, length) = keys[*slot as usize];
            xxh3_64_with_seed(&arena[start as usize..(start + length) as usize], seed)
        });
        (slot, true)
    }

    /// The slots of a column of keys, appended to `slots`; slots of keys that are new are appended to `new`.
    pub fn find_or_insert_all(&mut self, keys: &BytesColumn, slots: &mut Vec<Slot>, new: &mut Vec<Slot>) {
        slots.reserve(keys.len());
        for key in keys.iter() {
            let (slot, is_new) = self.find_or_insert(key);
            slots.push(slot);
            if is_new {
                new.push(slot);
            }
        }
    }

    /// Forgets the key of a slot; the slot will be given to another key.
    pub fn remove(&mut self, slot: Slot) {
        let hash = xxh3_64_with_seed(self.key(slot), self.seed);
        if let Ok(entry) = self.index.find_entry(hash, |found| *found == slot) {
            entry.remove();
            self.dead_bytes += self.keys[slot as usize].1 as usize;
            self.free.push(slot);
            if self.dead_bytes > self.arena.len() / 2 && self.dead_bytes > 1 << 12 {
                self.compact();
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = SlotTable::with_seed(self.seed);
    }

    /// Memory held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.arena.capacity()
            + self.keys.capacity() * 8
            + self.index.capacity() * 5
            + self.free.capacity() * 4
    }

    /// Copies the keys in use into a new arena.
    fn compact(&mut self) {
        let mut in_use = vec![true; self.keys.len()];
        for slot in &self.free {
            in_use[*slot as usize] = false;
        }
        let mut arena = Vec::with_capacity(self.arena.len() - self.dead_bytes);
        for (place, _) in self.keys.iter_mut().zip(in_use).filter(|(_, used)| *used) {
            let start = arena.len() as u32;
            arena.extend_from_slice(&self.arena[place.0 as usize..(place.0 + place.1) as usize]);
            place.0 = start;
        }
        self.arena = arena;
        self.dead_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_dense_in_the_order_of_arrival_whatever_the_seed() {
        for seed in [0, 1, 99] {
            let mut table = SlotTable::with_seed(seed);
            let keys: BytesColumn = ["b", "a", "b", "c", "a"].into_iter().collect();
            let (mut slots, mut new) = (Vec::new(), Vec::new());
            table.find_or_insert_all(&keys, &mut slots, &mut new);
            assert_eq!((slots, new), (vec![0, 1, 0, 2, 1], vec![0, 1, 2]));
            assert_eq!(table.key(2), b"c");
        }
    }

    #[test]
    fn a_removed_slot_is_given_again_and_keys_survive_compaction() {
        let mut table = SlotTable::default();
        let long = |n: u32| vec![n as u8; 1000 + n as usize % 7];
        for n in 0..200 {
            table.find_or_insert(&long(n));
        }
        for n in 0..190 {
            let slot = table.find(&long(n)).unwrap();
            table.remove(slot);
        }
        for n in 190..200 {
            assert_eq!(table.find(&long(n)), Some(n), "key {n} keeps its slot");
        }
        assert_eq!(table.find(&long(3)), None);
        let (slot, new) = table.find_or_insert(b"again");
        assert!(new && slot < 190);
        assert_eq!(table.len(), 11);
        assert!(table.memory_bytes() < 60_000, "{}", table.memory_bytes());
    }
}
