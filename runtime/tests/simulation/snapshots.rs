//! The stores of snapshots in the simulated world, and what befalls them.

use crate::rng::Rng;
use crate::world::Profile;
use millstream_operators::TopicPartition;
use millstream_runtime::JobPlan;
use millstream_runtime::clock::ManualClock;
use millstream_runtime::journal::Assembler;
use millstream_runtime::log::memory::MemoryLog;
use millstream_runtime::replay::read_all;
use millstream_runtime::snapshot::{MemoryStore, SnapshotRef, SnapshotStore, TopicStore};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the snapshots of a run are kept.
pub(crate) enum Snapshots {
    /// Nowhere.
    Off,
    /// In a store that fails now and then; and what it has lost.
    Memory(MemoryStore, BTreeSet<String>),
    /// In a topic of the log, on a network that is as bad as for everything else.
    Topic,
}

impl Snapshots {
    pub(crate) fn new(
        profile: &Profile,
        log: &MemoryLog,
        clock: &Arc<ManualClock>,
        plan: &JobPlan,
        seed: u64,
        rng: &mut Rng,
    ) -> Self {
        if !profile.snapshots {
            return Snapshots::Off;
        }
        if rng.one_in(4) {
            // Made before the network goes bad.
            let log: Arc<MemoryLog> = Arc::new(log.clone());
            TopicStore::open(log, clock.clone(), plan.snapshot_topic(), 4).unwrap();
            return Snapshots::Topic;
        }
        let store = MemoryStore::new(clock.clone());
        if profile.fault > 0 {
            let mut rng = Rng::new(seed.wrapping_mul(17).wrapping_add(3));
            store.set_faults(move || rng.one_in(20));
        }
        Snapshots::Memory(store, BTreeSet::new())
    }

    /// Makes what the snapshots of another job need.
    pub(crate) fn make_for(&self, log: &MemoryLog, clock: &Arc<ManualClock>, plan: &JobPlan) {
        if let Snapshots::Topic = self {
            TopicStore::open(Arc::new(log.clone()), clock.clone(), plan.snapshot_topic(), 4).unwrap();
        }
    }

    /// The store as a process sees it.
    pub(crate) fn store(
        &self,
        log: &Arc<MemoryLog>,
        clock: &Arc<ManualClock>,
        plan: &JobPlan,
    ) -> Option<Arc<dyn SnapshotStore>> {
        match self {
            Snapshots::Off => None,
            Snapshots::Memory(store, _) => Some(Arc::new(store.clone())),
            Snapshots::Topic => {
                let log: Arc<MemoryLog> = Arc::clone(log);
                let store = TopicStore::open(log, clock.clone(), plan.snapshot_topic(), 4);
                Some(Arc::new(store.unwrap()))
            }
        }
    }

    pub(crate) fn clear_faults(&self) {
        if let Snapshots::Memory(store, _) = self {
            store.clear_faults();
        }
    }

    /// Objects that were removed.
    pub(crate) fn removed(&self) -> u64 {
        if let Snapshots::Memory(store, _) = self { store.removed() } else { 0 }
    }

    /// Loses the manifest of the newest official snapshot in a journal, unless the one before is lost already. Says
    /// whether it did.
    pub(crate) fn lose_newest(&mut self, log: &MemoryLog, journal: &TopicPartition) -> bool {
        let Snapshots::Memory(store, lost) = self else { return false };
        let officials = officials(log, journal);
        let [.., previous, newest] = officials.as_slice() else { return false };
        if lost.contains(&previous.manifest) || !store.lose(&newest.manifest) {
            return false;
        }
        lost.insert(newest.manifest.clone());
        true
    }
}

/// The official snapshots that a journal names, oldest first.
fn officials(log: &MemoryLog, journal: &TopicPartition) -> Vec<SnapshotRef> {
    let mut assembler = Assembler::from_anywhere(journal.clone());
    let records = read_all(log, journal).unwrap();
    let entries = records.iter().filter_map(|record| assembler.push(record).unwrap());
    entries.filter_map(|found| found.entry.official).collect()
}
