//! The rules of the commit protocol that can be switched off, one by one, so that tests can show what each is for.
//!
//! Production code runs with all of them on: [`Rules::default`]. `docs/protocol.md` says which anomaly appears without
//! each; the simulation and the tests against a real broker look for it.

/// Which rules hold. Every field is a rule; `false` is only for control runs of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Rules {
    /// Every transaction commits the group offset of every journal in it, also when nothing was read: that is the
    /// fence.
    pub always_fence: bool,
    /// Offsets are sent only as a member of a generation. A group does not check a commit of nobody.
    pub commit_as_member: bool,
    /// A transaction is over before revoked partitions are given up.
    pub end_before_release: bool,
    /// Memory and outbox of a task die when its partition is revoked or lost, even if it comes back at once.
    pub drop_on_revoke: bool,
    /// A fencing error takes every task of the worker.
    pub drop_on_fence: bool,
    /// The fate of an unanswered commit is read from the journal.
    pub settle_doubt: bool,
    /// A writer whose end of transaction was sent twice is replaced before it begins another.
    pub replace_repeated_writer: bool,
    /// A take-over waits while a transaction holds the committed offset of the journal.
    pub wait_for_pending: bool,
    /// A take-over reads the journal to its true end, behind open transactions.
    pub read_to_true_end: bool,
    /// The end of the chain has to be what the group committed; a reset group or a cut journal is refused.
    pub compare_with_group: bool,
    /// A checkpoint is used only when the journal holds its commit, by number and hash.
    pub check_checkpoint: bool,
    /// State reaches the disk only after its commit succeeded.
    pub checkpoint_after_commit: bool,
    /// Input positions come from the journal, not from the group.
    pub positions_from_journal: bool,
    /// Journals and repartition topics are purged behind the official snapshot before the newest.
    pub purge_behind_previous: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            always_fence: true,
            commit_as_member: true,
            end_before_release: true,
            drop_on_revoke: true,
            drop_on_fence: true,
            settle_doubt: true,
            replace_repeated_writer: true,
            wait_for_pending: true,
            read_to_true_end: true,
            compare_with_group: true,
            check_checkpoint: true,
            checkpoint_after_commit: true,
            positions_from_journal: true,
            purge_behind_previous: true,
        }
    }
}
