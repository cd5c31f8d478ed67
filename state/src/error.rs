//! What can go wrong with a task's state, and what the caller should do about it.

use std::path::PathBuf;

/// An error of the state directory. None of them changed what is on disk.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory belongs to another job, cluster or task. Point the job at its own directory.
    #[error(
        "state directory {path} belongs to {found}, but this is {expected}; \
         give each job its own --state directory, or delete this one to restore it from the journal"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Whose state it holds.
        found: String,
        /// Whose state was asked for.
        expected: String,
    },
    /// The directory was written by a newer version of millstream. Run that version, or delete the directory.
    #[error(
        "state directory {path} has format {found}, this version reads up to {supported}; \
         run the newer millstream again, or delete the directory to restore it from the journal"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Newest format this version reads.
        supported: u32,
    },
    /// The directory's content can't be understood. Delete it: the journal holds everything in it.
    #[error("state directory {path} is damaged: {detail}; delete it to restore it from the journal")]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A snapshot is not what it says it is. Use another one.
    #[error("snapshot {place} is damaged: {detail}")]
    SnapshotDamaged {
        /// The object.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// The task's state is open already in this process: whoever had it is about to close it. Try again.
    #[error("state directory {path} is still open")]
    StillOpen {
        /// The directory.
        path: PathBuf,
    },
    /// The storage engine refused or failed. The process should stop; a restart opens the last checkpoint.
    #[error("state directory {path}: {source}")]
    Storage {
        /// The directory.
        path: PathBuf,
        /// What RocksDB said.
        #[source]
        source: rocksdb::Error,
    },
    /// The directory can't be created or read.
    #[error("state directory {path}: {source}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}
