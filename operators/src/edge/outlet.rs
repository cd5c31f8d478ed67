//! Output that is no topic: an outlet.
//!
//! A commit is one transaction of the log, and what is outside of the log has no part in it. So a job writes such rows into a
//! topic of its own, with its commit, and an [`Outlet`] takes the committed records of that topic to where they are to be. It
//! keeps there up to which offset it has done so, and whoever is killed, the next goes on at that offset: a record is at the
//! target once. The runtime reads the topic and tells an outlet when to do what.

use crate::records::{Offset, Record};
use std::fmt::Debug;

/// Where records of a job's own topic go.
pub trait Outlet: Debug + Send + Sync {
    /// Where that is and how records get there, in one line.
    fn describe(&self) -> String;

    /// What takes the records of a partition there; `None` as long as another process does.
    ///
    /// # Errors
    /// A sentence that says why that can't be, and what to do.
    fn open(&self, part: &OutletPart) -> Result<Option<Box<dyn OutletWriter>>, String>;

    /// The offset before which all records of a partition are there, whoever has taken them.
    ///
    /// # Errors
    /// As [`Outlet::open`].
    fn position(&self, part: &OutletPart) -> Result<Offset, String>;
}

/// A partition of a job's own topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutletPart {
    /// The job.
    pub job: String,
    /// What tells the topic from others of its name, if the log says.
    pub topic_id: String,
    /// The partition.
    pub partition: u32,
}

/// Takes the records of one partition to where they are to be.
pub trait OutletWriter: Send {
    /// The offset before which all records are there, whole and for good.
    fn position(&self) -> Offset;

    /// Takes the next record. It need not be there before [`OutletWriter::publish`].
    ///
    /// # Errors
    /// A sentence that says what failed. Nothing more is to be written then; opened again, it goes on at its position.
    fn write(&mut self, record: &Record<'_>, now_ms: u64) -> Result<(), String>;

    /// Whether what was written is to be published now. `now_ms` never goes back.
    fn is_due(&mut self, now_ms: u64) -> bool;

    /// Has all that was written be there, which is all before the offset `to`.
    ///
    /// # Errors
    /// As [`OutletWriter::write`].
    fn publish(&mut self, to: Offset) -> Result<(), String>;
}
