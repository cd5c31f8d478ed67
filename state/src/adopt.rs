//! State of one job's life that becomes the state of another's: what a savepoint is started from.
//!
//! The files of an export say whose state they are and at which commit it stands. An [`Adoption`] checks that they are
//! what was expected, and has them say something else, before they take the place of the task's directory. So a crash
//! leaves either what was there before or state that belongs to the task.

use crate::base::{Base, META, prefixed};
use crate::task_state::{IDENTITY, MARK, NOTE};
use crate::{CheckpointMark, StateError, StateIdentity};

/// Whose state is taken over, and whose it is from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// Whose it has to be.
    pub from: StateIdentity,
    /// The commit at which it has to stand.
    pub from_mark: CheckpointMark,
    /// Whose it is to be.
    pub to: StateIdentity,
    /// The commit at which it is to stand.
    pub to_mark: CheckpointMark,
    /// What is to be found beside the mark.
    pub note: Vec<u8>,
}

impl Adoption {
    /// Checks and rewrites a base that nobody has open.
    ///
    /// # Errors
    /// [`StateError::SnapshotDamaged`] when it is other state than expected; what stands below for the rest.
    pub(crate) fn apply(&self, base: &mut Base) -> Result<(), StateError> {
        let path = base.path().to_owned();
        let get = |name: &[u8]| base.get(&prefixed(META, name));
        let identity = get(IDENTITY)?.map(|bytes| StateIdentity::decode(&path, &bytes)).transpose()?;
        let mark = get(MARK)?.map(|bytes| CheckpointMark::decode(&path, &bytes)).transpose()?;
        if identity.as_ref() != Some(&self.from) || mark != Some(self.from_mark) {
            let place = self.from.to_string();
            let found = identity.map_or_else(|| "nobody's state".to_owned(), |found| found.to_string());
            let at = mark.map_or(0, |mark| mark.number);
            let detail =
                format!("it holds {found} at commit {at}, expected commit {}", self.from_mark.number);
            return Err(StateError::SnapshotDamaged { place, detail });
        }
        let mut writes = base.writes();
        writes.push(META, IDENTITY, Some(&self.to.encode()));
        writes.push(META, MARK, Some(&self.to_mark.encode()));
        writes.push(META, NOTE, Some(&self.note));
        base.write(writes)?;
        match base {
            Base::Memory(_) => Ok(()),
            // What is lost in a power cut would leave the state of somebody else.
            Base::Rocks(rocks) => rocks.flush(),
        }
    }
}
