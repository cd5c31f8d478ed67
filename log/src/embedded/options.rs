//! How an embedded log is opened.

/// When written records reach the disk itself.
///
/// Whatever the policy, an acknowledged record survives the death of the process, `kill -9` included: its bytes are
/// with the operating system when it is acknowledged. The policy says what survives a power cut or a crash of the
/// operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPolicy {
    /// Each acknowledged record and transaction: acknowledging waits for the disk. Concurrent writers share a sync.
    Always,
    /// What was acknowledged up to [`EmbeddedOptions::sync_interval_ms`] ago. What is lost is a suffix of all writes
    /// of the log together, so nothing is torn: offsets a group committed never point beyond their records'
    /// transaction. Lost offsets are not given out again.
    #[default]
    Interval,
    /// What the operating system happened to write. Lost offsets are not given out again.
    Never,
}

/// Settings of an embedded log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// When written records reach the disk itself.
    pub sync: SyncPolicy,
    /// The longest time between a write and its sync with [`SyncPolicy::Interval`], milliseconds.
    pub sync_interval_ms: u64,
    /// Memory for records just written, from which those who follow closely are served.
    pub tail_bytes_max: usize,
    /// Memory for what the database has not written to its files yet.
    pub write_buffer_bytes: usize,
    /// The most bytes of one transaction: they are in memory until it is committed.
    pub transaction_bytes_max: usize,
    /// Free space below which nothing more is taken, so that the database can always finish what it began.
    pub free_bytes_min: u64,
    /// Bytes that compaction reads in a second at most.
    pub compaction_bytes_per_second: usize,
    /// Make the log where there is none.
    pub create: bool,
    /// Serve topic commands of other processes through a socket in the directory.
    pub serve: bool,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        EmbeddedOptions {
            sync: SyncPolicy::default(),
            sync_interval_ms: 50,
            tail_bytes_max: 64 << 20,
            write_buffer_bytes: 128 << 20,
            transaction_bytes_max: 256 << 20,
            free_bytes_min: 256 << 20,
            compaction_bytes_per_second: 32 << 20,
            create: true,
            serve: true,
        }
    }
}
