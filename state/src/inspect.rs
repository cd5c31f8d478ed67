//! Looking at a task's directory from outside, also while the task runs.

use crate::base::{Base, META, prefixed};
use crate::rocks::Rocks;
use crate::task_state::{IDENTITY, MARK, NOTE};
use crate::{CheckpointMark, StateError, StateIdentity};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// What a task's directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSummary {
    /// Whose it is.
    pub identity: StateIdentity,
    /// The commit its checkpoint stands at.
    pub mark: Option<CheckpointMark>,
    /// What was written beside the mark.
    pub note: Vec<u8>,
    /// Pairs of all stores and the bytes of their keys and values, where everything was read.
    pub pairs: Option<(u64, u64)>,
}

/// Looks at a task's directory without changing it. With `read_all` every pair is read, and every block's checksum
/// checked on the way.
///
/// # Errors
/// [`StateError::Storage`] when it is no directory of a task, or a block is damaged; [`StateError::Damaged`] and
/// [`StateError::Newer`] for what can't be understood.
pub fn inspect(path: &Path, read_all: bool) -> Result<StateSummary, StateError> {
    let base = Base::Rocks(Arc::new(Rocks::open_read_only(path)?));
    let damaged = |detail: &str| StateError::Damaged { path: path.into(), detail: detail.to_owned() };
    let get = |name: &[u8]| base.get(&prefixed(META, name));
    let identity = get(IDENTITY)?.ok_or_else(|| damaged("it says nowhere whose it is"))?;
    let identity = StateIdentity::decode(path, &identity)?;
    let mark = get(MARK)?.map(|bytes| CheckpointMark::decode(path, &bytes)).transpose()?;
    let note = get(NOTE)?.unwrap_or_default();
    let mut pairs = None;
    if read_all {
        let (mut count, mut bytes) = (0, 0);
        base.scan(&[], &META.0.to_be_bytes(), &mut |key, value| {
            count += 1;
            bytes += (key.len() + value.len()) as u64;
            ControlFlow::Continue(())
        })?;
        pairs = Some((count, bytes));
    }
    Ok(StateSummary { identity, mark, note, pairs })
}
