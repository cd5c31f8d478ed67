//! Whose state a directory holds, and at which commit it stands.

use crate::StateError;
use std::path::Path;

/// Format of the state directory. Raised when a reader of the older format would misread the newer.
pub(crate) const FORMAT: u32 = 1;

/// Whose state it is. A directory refuses to open for anybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateIdentity {
    /// Id of the log's cluster, as the log reports it.
    pub cluster: String,
    /// Name of the job.
    pub job: String,
    /// One life of the job's internal topics; state of an earlier life is stale, not foreign.
    pub incarnation: String,
    /// Name of the task: sub-topology and partition.
    pub task: String,
}

impl StateIdentity {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = FORMAT.to_be_bytes().to_vec();
        for field in [&self.cluster, &self.job, &self.incarnation, &self.task] {
            put_string(&mut out, field);
        }
        out
    }

    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, StateError> {
        let damaged =
            || StateError::Damaged { path: path.into(), detail: "its identity can't be read".into() };
        let mut input = bytes;
        let format = u32::from_be_bytes(take(&mut input).ok_or_else(damaged)?);
        if format > FORMAT {
            return Err(StateError::Newer { path: path.into(), found: format, supported: FORMAT });
        }
        let mut field = || take_string(&mut input).ok_or_else(damaged);
        Ok(StateIdentity { cluster: field()?, job: field()?, incarnation: field()?, task: field()? })
    }

    /// Whether state of `found` may be used for `self`: `Ok(false)` says that it is stale and must be dropped.
    pub(crate) fn admits(&self, path: &Path, found: &StateIdentity) -> Result<bool, StateError> {
        let same = (&found.cluster, &found.job, &found.task) == (&self.cluster, &self.job, &self.task);
        if !same {
            let (found, expected) = (found.to_string(), self.to_string());
            return Err(StateError::Foreign { path: path.into(), found, expected });
        }
        Ok(found.incarnation == self.incarnation)
    }
}

impl std::fmt::Display for StateIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "task {} of job \"{}\" on cluster {}", self.task, self.job, self.cluster)
    }
}

/// The commit that a checkpoint stands at. Usable only while `(number, hash)` is in the task's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointMark {
    /// Number of the commit.
    pub number: u64,
    /// Hash of its journal entry.
    pub hash: u128,
    /// Offset of the entry's first record in the journal partition, where a restore begins to read.
    pub journal_offset: u64,
}

impl CheckpointMark {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.number.to_be_bytes().to_vec();
        out.extend(self.hash.to_be_bytes());
        out.extend(self.journal_offset.to_be_bytes());
        out
    }

    pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Self, StateError> {
        let mut input = bytes;
        let mut read = || {
            Some(CheckpointMark {
                number: u64::from_be_bytes(take(&mut input)?),
                hash: u128::from_be_bytes(take(&mut input)?),
                journal_offset: u64::from_be_bytes(take(&mut input)?),
            })
        };
        read()
            .ok_or_else(|| StateError::Damaged { path: path.into(), detail: "its mark can't be read".into() })
    }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u32).to_be_bytes());
    out.extend(text.as_bytes());
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

fn take_string(input: &mut &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(take(input)?) as usize;
    let head = input.get(..length)?;
    *input = &input[length..];
    String::from_utf8(head.to_vec()).ok()
}
