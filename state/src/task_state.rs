//! The state of one task: open, read, absorb, checkpoint.

use crate::base::{Base, META, prefixed};
use crate::delta::key_hash;
use crate::export::{ContentCache, Exporter, remove_leftovers};
use crate::pending::{Pending, Walk};
use crate::rocks::{Rocks, RocksSettings};
use crate::{CheckpointMark, Delta, MemoryDisk, StateError, StateIdentity, StoreId};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

pub(crate) const IDENTITY: &[u8] = b"identity";
pub(crate) const MARK: &[u8] = b"mark";
pub(crate) const NOTE: &[u8] = b"note";

/// All stores of one task, standing at one commit. See the crate's head for its layers.
///
/// ```
/// use millstream_state::{CheckpointMark, Delta, MemoryDisk, StateIdentity, StoreId, TaskState};
/// let identity = StateIdentity {
///     cluster: "c".into(), job: "j".into(), incarnation: "i".into(), task: "0-0".into(),
/// };
/// let disk = MemoryDisk::default();
/// let mut state = TaskState::open_memory(&disk, &identity).unwrap();
/// let mut delta = Delta::default();
/// delta.block(StoreId(0)).put(b"key", b"value");
/// state.absorb(delta);
/// state.checkpoint(CheckpointMark { number: 1, hash: 7, journal_offset: 0 }).unwrap();
///
/// let mut again = TaskState::open_memory(&disk, &identity).unwrap();
/// assert_eq!(again.mark().unwrap().number, 1);
/// assert_eq!(again.get(StoreId(0), b"key").unwrap().as_deref(), Some(&b"value"[..]));
/// ```
#[derive(Debug)]
pub struct TaskState {
    base: Base,
    pending: Pending,
    mark: Option<CheckpointMark>,
    note: Vec<u8>,
    identity: StateIdentity,
    contents: ContentCache,
}

impl TaskState {
    /// Opens the state directory of a task, making it when it is not there.
    ///
    /// State of an earlier incarnation of the same task is dropped.
    ///
    /// # Errors
    /// [`StateError::Foreign`], [`StateError::Newer`] and [`StateError::Damaged`] refuse the directory and leave it
    /// as it is: tell the user. [`StateError::Storage`] and [`StateError::Io`] come from below: stop.
    pub fn open(path: &Path, identity: &StateIdentity, settings: &RocksSettings) -> Result<Self, StateError> {
        let rocks = Rocks::open(path, settings)?;
        remove_leftovers(path);
        Self::open_base(Base::Rocks(Arc::new(rocks)), identity)
    }

    /// Opens the last checkpoint of a task's directory to be read, also while the task runs. What is absorbed here is lost.
    ///
    /// # Errors
    /// [`StateError::Storage`] when it is no directory of a task; [`StateError::Damaged`] and [`StateError::Newer`].
    pub fn open_read_only(path: &Path) -> Result<Self, StateError> {
        let base = Base::Rocks(Arc::new(Rocks::open_read_only(path)?));
        let identity = base.get(&prefixed(META, IDENTITY))?.ok_or_else(|| StateError::Damaged {
            path: path.into(),
            detail: "it says nowhere whose it is".to_owned(),
        })?;
        let identity = StateIdentity::decode(path, &identity)?;
        Self::open_base(base, &identity)
    }

    /// Opens a [`MemoryDisk`] as [`TaskState::open`] opens a directory.
    ///
    /// # Errors
    /// The refusals of [`TaskState::open`].
    pub fn open_memory(disk: &MemoryDisk, identity: &StateIdentity) -> Result<Self, StateError> {
        Self::open_base(Base::Memory(disk.clone()), identity)
    }

    fn open_base(mut base: Base, identity: &StateIdentity) -> Result<Self, StateError> {
        let (mut mark, mut note) = (None, Vec::new());
        if let Some(found) = base.get(&prefixed(META, IDENTITY))? {
            let found = StateIdentity::decode(base.path(), &found)?;
            if identity.admits(base.path(), &found)? {
                let bytes = base.get(&prefixed(META, MARK))?;
                mark = bytes.map(|bytes| CheckpointMark::decode(base.path(), &bytes)).transpose()?;
                note = base.get(&prefixed(META, NOTE))?.unwrap_or_default();
            } else {
                base.clear()?;
            }
        }
        let (pending, identity) = (Pending::default(), identity.clone());
        Ok(TaskState { base, pending, mark, note, identity, contents: ContentCache::default() })
    }

    /// The commit the checkpoint on disk stands at; `None` when there is none.
    pub fn mark(&self) -> Option<CheckpointMark> {
        self.mark
    }

    /// What was written beside the checkpoint's mark; empty when there is none.
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// Whose state it is.
    pub fn identity(&self) -> &StateIdentity {
        &self.identity
    }

    /// A handle that exports checkpoints of this state, on another thread while this one goes on.
    pub fn exporter(&self) -> Exporter {
        Exporter { base: self.base.clone(), cache: Arc::clone(&self.contents) }
    }

    /// Drops the checkpoint and everything pending: the state of a task that never committed.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn reset(&mut self) -> Result<(), StateError> {
        self.pending.clear();
        self.mark = None;
        self.note.clear();
        self.base.clear()
    }

    /// Bytes of deltas that no checkpoint holds yet.
    pub fn pending_bytes(&self) -> usize {
        self.pending.bytes()
    }

    /// Takes in the delta of a commit that succeeded.
    pub fn absorb(&mut self, delta: Delta) {
        self.pending.absorb(delta);
    }

    /// The value of one key.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn get(&mut self, store: StoreId, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let mut found = None;
        self.get_many(store, &[key], |_, value| found = value.map(<[u8]>::to_vec))?;
        Ok(found)
    }

    /// The values of many keys: `each(index, value)` is called once per key, in no particular order.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn get_many(
        &mut self,
        store: StoreId,
        keys: &[&[u8]],
        mut each: impl FnMut(usize, Option<&[u8]>),
    ) -> Result<(), StateError> {
        let blocks = self.pending.blocks(store);
        // The keys that no block has, as the base has them, one behind the other.
        let mut missing: Vec<(usize, usize)> = Vec::new();
        let mut bytes = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let hash = if blocks.is_empty() { 0 } else { key_hash(key) };
            match blocks.iter().rev().find_map(|block| block.find(key, hash)) {
                Some(value) => each(index, value),
                None => {
                    bytes.extend(store.0.to_be_bytes());
                    bytes.extend(*key);
                    missing.push((index, bytes.len()));
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let starts = std::iter::once(0).chain(missing.iter().map(|(_, end)| *end));
        let below: Vec<&[u8]> = starts.zip(&missing).map(|(start, (_, end))| &bytes[start..*end]).collect();
        self.base.get_many(&below, |at, value| each(missing[at].0, value))
    }

    /// Walks the keys of a store from `lower` up to but without `upper` (`None`: to the store's end), in order, until
    /// `each` breaks.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn scan(
        &mut self,
        store: StoreId,
        lower: &[u8],
        upper: Option<&[u8]>,
        mut each: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let mut overlay = Walk::new(self.pending.blocks(store), lower, upper);
        let from = prefixed(store, lower);
        let to = upper.map_or_else(|| (store.0 + 1).to_be_bytes().to_vec(), |upper| prefixed(store, upper));
        let mut broke = false;
        self.base.scan(&from, &to, &mut |key, value| {
            let key = &key[2..];
            while overlay.peek().is_some_and(|above| above <= key)
                && let Some((above, newer)) = overlay.next()
            {
                let covers = above == key;
                if let Some(newer) = newer
                    && each(above, newer).is_break()
                {
                    broke = true;
                    return ControlFlow::Break(());
                }
                if covers {
                    return ControlFlow::Continue(());
                }
            }
            let flow = each(key, value);
            broke = flow.is_break();
            flow
        })?;
        if !broke {
            for (key, value) in overlay {
                if let Some(value) = value
                    && each(key, value).is_break()
                {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes everything pending and the mark in one atomic batch. Call it right after the commit that `mark` names,
    /// with nothing absorbed since.
    ///
    /// # Errors
    /// [`StateError::Storage`]; the disk then still shows the checkpoint before.
    pub fn checkpoint(&mut self, mark: CheckpointMark) -> Result<(), StateError> {
        self.checkpoint_with_note(mark, Vec::new())
    }

    /// The same with a note: bytes that are found again beside the mark, also in exports.
    ///
    /// # Errors
    /// As [`TaskState::checkpoint`].
    pub fn checkpoint_with_note(&mut self, mark: CheckpointMark, note: Vec<u8>) -> Result<(), StateError> {
        let mut writes = self.base.writes();
        self.pending.for_each_newest(|store, key, value| writes.push(store, key, value));
        writes.push(META, IDENTITY, Some(&self.identity.encode()));
        writes.push(META, MARK, Some(&mark.encode()));
        writes.push(META, NOTE, Some(&note));
        self.base.write(writes)?;
        self.pending.clear();
        self.mark = Some(mark);
        self.note = note;
        Ok(())
    }

    /// Has the last checkpoint brought to the disk, beside whatever comes next. Checkpoints that are not asked to are
    /// there after some megabytes of them, and when the state is dropped; a kill before that leaves an earlier one, whole.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn flush_soon(&self) -> Result<(), StateError> {
        self.base.flush_soon()
    }

    /// Every pair of every store, in order, as a test compares two states.
    ///
    /// # Errors
    /// [`StateError::Storage`].
    pub fn dump(&mut self, stores: u16) -> Result<Vec<(StoreId, Vec<u8>, Vec<u8>)>, StateError> {
        let mut out = Vec::new();
        for store in (0..stores).map(StoreId) {
            self.scan(store, &[], None, |key, value| {
                out.push((store, key.to_vec(), value.to_vec()));
                ControlFlow::Continue(())
            })?;
        }
        Ok(out)
    }
}
