//! What is known to be on disk, written down beside the database.
//!
//! The database recovers as much of its write-ahead log as is intact and says nothing about the rest. After a power
//! cut that is right: what is missing was not synced. But a damaged byte further up would take acknowledged and
//! synced records with it, silently. So each sync leaves the number of the last write it covered in the file
//! `synced`, and a database that comes back with less is refused.
//!
//! The file is not synced itself: an older number only makes the check weaker. While the database is opened, the
//! write-ahead logs are kept under `recovery`, because the database drops them once it has read them.

use crate::LogError;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "synced";
const RECOVERY: &str = "recovery";

/// The file with the number.
#[derive(Debug)]
pub(crate) struct SyncedMark {
    dir: PathBuf,
    file: File,
    /// What it said when it was opened.
    found: u64,
}

impl SyncedMark {
    /// Opens the file in `dir`, and keeps the write-ahead logs of the database there until [`SyncedMark::check`].
    pub(crate) fn open(dir: &Path) -> Result<Self, LogError> {
        let failed = |error: std::io::Error| {
            LogError::Client(format!("can't open {}: {error}", dir.join(FILE).display()))
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(dir.join(FILE)).map_err(failed)?;
        let mut bytes = Vec::new();
        // A byte more than it has tells that it is not one.
        (&mut file).take(13).read_to_end(&mut bytes).map_err(failed)?;
        let mark = SyncedMark { dir: dir.to_owned(), file, found: decode(&bytes).unwrap_or(0) };
        mark.keep_logs().map_err(failed)?;
        Ok(mark)
    }

    fn keep_logs(&self) -> std::io::Result<()> {
        let files = match fs::read_dir(self.dir.join("db")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            files => files?,
        };
        let recovery = self.dir.join(RECOVERY);
        // What an earlier attempt kept stays: the database may have dropped the original since.
        ignore(fs::create_dir(&recovery), ErrorKind::AlreadyExists)?;
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "log")
                && let Some(name) = path.file_name()
            {
                ignore(fs::hard_link(&path, recovery.join(name)), ErrorKind::AlreadyExists)?;
            }
        }
        Ok(())
    }

    /// Compares with the last write that the database has.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when writes are missing that were on disk.
    pub(crate) fn check(&self, latest: u64) -> Result<(), LogError> {
        if latest < self.found {
            return Err(LogError::Corrupt(format!(
                "the log in {dir} has lost its last {lost} writes, which had been synced: its write-ahead log is \
                 damaged (a copy is in {dir}/{RECOVERY}). Go back to a copy of the directory, or delete {dir}/{FILE} \
                 to go on without them",
                dir = self.dir.display(),
                lost = self.found - latest,
            )));
        }
        if let Err(error) = ignore(fs::remove_dir_all(self.dir.join(RECOVERY)), ErrorKind::NotFound) {
            tracing::warn!(%error, "can't remove the copy of the write-ahead log");
        }
        Ok(())
    }

    /// Writes the number down.
    pub(crate) fn set(&mut self, number: u64) {
        if let Err(error) = self.file.write_all_at(&encode(number), 0) {
            tracing::warn!(%error, "can't note what is synced");
        }
    }
}

fn ignore(result: std::io::Result<()>, kind: ErrorKind) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        result => result,
    }
}

fn encode(number: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..8]);
    bytes[8..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let (number, checksum) = bytes.split_first_chunk::<8>()?;
    let checksum = u32::from_le_bytes(checksum.try_into().ok()?);
    (checksum == crc32c::crc32c(number)).then(|| u64::from_le_bytes(*number))
}
