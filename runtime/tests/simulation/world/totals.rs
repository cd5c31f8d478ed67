//! What happened, counted, so that no attack is missing unnoticed.

/// What happened, over many seeds: a fault that never happens proves nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals {
    pub(crate) events: u64,
    pub(crate) commits: u64,
    pub(crate) kills: u64,
    pub(crate) kills_in_commit: u64,
    pub(crate) pauses: u64,
    pub(crate) pauses_in_commit: u64,
    pub(crate) stops: u64,
    pub(crate) twins: u64,
    /// Times that partitions were added to the input.
    pub(crate) grown: u64,
    pub(crate) stale_disks: u64,
    pub(crate) lost_disks: u64,
    pub(crate) requests_lost: u64,
    pub(crate) requests_repeated: u64,
    pub(crate) requests_delayed: u64,
    pub(crate) gave_up: u64,
    pub(crate) aborts: u64,
    pub(crate) in_doubt: u64,
    pub(crate) fences: u64,
    pub(crate) writers_replaced: u64,
    pub(crate) late_requests: u64,
    pub(crate) checkpoints: u64,
    pub(crate) replayed: u64,
    /// Records that were written more than once, where that is allowed.
    pub(crate) repeated: u64,
    pub(crate) snapshots: u64,
    pub(crate) snapshots_fetched: u64,
    pub(crate) kills_in_snapshot: u64,
    pub(crate) pauses_in_snapshot: u64,
    pub(crate) kills_in_restore: u64,
    pub(crate) lost_snapshots: u64,
    pub(crate) purged_journals: u64,
    pub(crate) removed_objects: u64,
    pub(crate) moved: u64,
    pub(crate) savepoints: u64,
    /// Records of journals that somebody cut.
    pub(crate) cut_entries: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Totals) {
        self.events += other.events;
        self.commits += other.commits;
        self.kills += other.kills;
        self.kills_in_commit += other.kills_in_commit;
        self.pauses += other.pauses;
        self.pauses_in_commit += other.pauses_in_commit;
        self.stops += other.stops;
        self.twins += other.twins;
        self.grown += other.grown;
        self.stale_disks += other.stale_disks;
        self.lost_disks += other.lost_disks;
        self.requests_lost += other.requests_lost;
        self.requests_repeated += other.requests_repeated;
        self.requests_delayed += other.requests_delayed;
        self.gave_up += other.gave_up;
        self.aborts += other.aborts;
        self.in_doubt += other.in_doubt;
        self.fences += other.fences;
        self.writers_replaced += other.writers_replaced;
        self.late_requests += other.late_requests;
        self.checkpoints += other.checkpoints;
        self.replayed += other.replayed;
        self.repeated += other.repeated;
        self.snapshots += other.snapshots;
        self.snapshots_fetched += other.snapshots_fetched;
        self.kills_in_snapshot += other.kills_in_snapshot;
        self.pauses_in_snapshot += other.pauses_in_snapshot;
        self.kills_in_restore += other.kills_in_restore;
        self.lost_snapshots += other.lost_snapshots;
        self.purged_journals += other.purged_journals;
        self.removed_objects += other.removed_objects;
        self.moved += other.moved;
        self.savepoints += other.savepoints;
    }

    /// Checks that the attacks took place, where they were asked for.
    pub(crate) fn assert_everything_happened(&self) {
        assert!(self.commits > 0 && self.checkpoints > 0, "{self:?}");
        // What stands on a savepoint, or on partitions that came later, can't be run again from the beginning.
        assert!(self.replayed > 0 || self.savepoints > 0 || self.grown > 0, "{self:?}");
        let snapshots =
            [self.snapshots, self.snapshots_fetched, self.purged_journals, self.removed_objects, self.moved];
        assert!(snapshots.iter().all(|count| *count > 0), "{self:?}");
        let chaos = self.kills > 0;
        if chaos {
            let happened = [
                self.kills_in_commit,
                self.pauses_in_commit,
                self.stops,
                self.twins,
                self.stale_disks,
                self.lost_disks,
                self.requests_lost,
                self.requests_repeated,
                self.requests_delayed,
                self.gave_up,
                self.aborts,
                self.in_doubt,
                self.fences,
                self.writers_replaced,
                self.late_requests,
                self.kills_in_snapshot,
                self.pauses_in_snapshot,
                self.kills_in_restore,
            ];
            assert!(happened.iter().all(|count| *count > 0), "{self:?}");
        }
    }
}
