//! What a snapshot consists of: the manifest of a checkpoint's files.
//!
//! A checkpoint's files never change once they are written, so a file is known by its content: its BLAKE3 hash in
//! hexadecimal, its *content name*. A [`SnapshotManifest`] lists the files with size and content name, and says whose
//! state they are and at which commit it stands. Where a file's bytes are kept is the business of whoever keeps them;
//! the manifest carries the name they have there.
//!
//! ```text
//! {                               JSON, for people too
//!   "format": 1, ..
//! }
//! blake3 <hash of the JSON>       the last line
//! ```

use crate::{CheckpointMark, StateError, StateIdentity};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Format of the manifest. Raised when a reader of the older format would misread the newer.
const FORMAT: u32 = 1;
/// What the last line begins with.
const CHECKSUM: &str = "blake3 ";

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Its name in the state directory.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its content name.
    pub content: String,
    /// What it is called where its bytes are kept.
    pub object: String,
}

/// The files of a checkpoint, whose they are, and the commit they stand at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotManifest {
    /// Format of the manifest.
    pub format: u32,
    /// Id of the log's cluster.
    pub cluster: String,
    /// Name of the job.
    pub job: String,
    /// The life of the job's internal topics, in hexadecimal.
    pub incarnation: String,
    /// Name of the task.
    pub task: String,
    /// Fingerprint of the plan, in hexadecimal.
    pub plan: String,
    /// Number of the commit.
    pub number: u64,
    /// Hash of its journal entry, in hexadecimal.
    pub hash: String,
    /// Where its entry begins in the journal.
    pub journal_offset: u64,
    /// The files.
    pub files: Vec<SnapshotFile>,
}

impl SnapshotManifest {
    /// The manifest of a checkpoint of `identity` at `mark`, made by the plan of this fingerprint.
    pub fn new(
        identity: &StateIdentity,
        plan: String,
        mark: CheckpointMark,
        files: Vec<SnapshotFile>,
    ) -> Self {
        let StateIdentity { cluster, job, incarnation, task } = identity.clone();
        let hash = format!("{:032x}", mark.hash);
        let (format, number, journal_offset) = (FORMAT, mark.number, mark.journal_offset);
        SnapshotManifest {
            format,
            cluster,
            job,
            incarnation,
            task,
            plan,
            number,
            hash,
            journal_offset,
            files,
        }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| file.bytes.saturating_add(sum))
    }

    /// Whose state it is.
    pub fn identity(&self) -> StateIdentity {
        let SnapshotManifest { cluster, job, incarnation, task, .. } = self.clone();
        StateIdentity { cluster, job, incarnation, task }
    }

    /// The commit it stands at; `None` when the hash is none.
    pub fn mark(&self) -> Option<CheckpointMark> {
        let hash = u128::from_str_radix(&self.hash, 16).ok()?;
        Some(CheckpointMark { number: self.number, hash, journal_offset: self.journal_offset })
    }

    /// The manifest as it is kept.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_string_pretty(self).expect("strings and numbers are JSON");
        text.push('\n');
        let checksum = content_name(text.as_bytes());
        text.push_str(CHECKSUM);
        text.push_str(&checksum);
        text.push('\n');
        text.into_bytes()
    }

    /// Reads what [`SnapshotManifest::encode`] wrote; `place` says where it came from.
    ///
    /// # Errors
    /// [`StateError::SnapshotDamaged`]: use another snapshot. [`StateError::Newer`]: run the newer millstream.
    pub fn decode(place: &str, bytes: &[u8]) -> Result<Self, StateError> {
        let damaged = |detail: &str| StateError::SnapshotDamaged {
            place: place.to_owned(),
            detail: format!("its manifest {detail}"),
        };
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("is no text"))?;
        let (body, checksum) = text.rsplit_once(CHECKSUM).ok_or_else(|| damaged("has no checksum"))?;
        if checksum.trim_end() != content_name(body.as_bytes()) {
            return Err(damaged("has another checksum than it says"));
        }
        let manifest: Self =
            serde_json::from_str(body).map_err(|error| damaged(&format!("can't be read: {error}")))?;
        if manifest.format > FORMAT {
            let (path, found, supported) = (Path::new(place).into(), manifest.format, FORMAT);
            return Err(StateError::Newer { path, found, supported });
        }
        match manifest.files.iter().find(|file| !is_plain_name(&file.name)) {
            Some(file) => Err(damaged(&format!("names a file \"{}\"", file.name))),
            None => Ok(manifest),
        }
    }
}

/// Works out the content name of bytes that come in pieces.
#[derive(Debug, Default)]
pub struct ContentHasher(blake3::Hasher);

impl ContentHasher {
    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The name.
    pub fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// The name that bytes have by their content.
pub fn content_name(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Whether a name is that of a file in its directory, and nothing else: manifests come from elsewhere.
fn is_plain_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(file: &str) -> SnapshotManifest {
        let identity = StateIdentity {
            cluster: "c".into(),
            job: "j".into(),
            incarnation: "1".into(),
            task: "0-0".into(),
        };
        let mark = CheckpointMark { number: 7, hash: 99, journal_offset: 12 };
        let (name, content, object) = (file.to_owned(), content_name(b"x"), "o".to_owned());
        let files = vec![SnapshotFile { name, bytes: 1, content, object }];
        SnapshotManifest::new(&identity, "ff".into(), mark, files)
    }

    #[test]
    fn a_manifest_survives_its_encoding() {
        let manifest = manifest("000007.sst");
        let read = SnapshotManifest::decode("here", &manifest.encode()).expect("decodes");
        assert_eq!(read, manifest);
        assert_eq!(read.mark().map(|mark| (mark.number, mark.hash, mark.journal_offset)), Some((7, 99, 12)));
    }

    #[test]
    fn a_manifest_with_a_changed_byte_is_refused() {
        let bytes = manifest("000007.sst").encode();
        for at in 0..bytes.len() - 1 {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(SnapshotManifest::decode("here", &changed).is_err(), "byte {at}");
        }
        for cut in 0..bytes.len() - 1 {
            assert!(SnapshotManifest::decode("here", &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_manifest_that_names_files_elsewhere_is_refused() {
        for name in ["../LOCK", "/etc/passwd", "", ".hidden", "a/b"] {
            let error = SnapshotManifest::decode("here", &manifest(name).encode()).expect_err("refused");
            assert!(error.to_string().contains("names a file"), "{error}");
        }
    }

    #[test]
    fn a_newer_manifest_is_refused() {
        let newer = SnapshotManifest { format: FORMAT + 1, ..manifest("a") };
        let error = SnapshotManifest::decode("here", &newer.encode()).expect_err("refused");
        assert!(matches!(error, StateError::Newer { .. }), "{error}");
    }
}
