//! Files that a job writes: where they are, what they are called, and when they are whole.

use super::part::{PartWriter, in_file};
use super::position::Position;
use millstream_operators::Offset;
use millstream_operators::outlet::{Outlet, OutletPart, OutletWriter};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The directory below a table's path that belongs to the jobs which write there. Whoever reads files passes it over.
const OWN_DIRECTORY: &str = ".millstream";

/// When files are ended and others begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolling {
    /// `sink.rolling-policy.file-size`: when one of them has so many bytes.
    pub file_bytes: u64,
    /// `sink.rolling-policy.rollover-interval`: so long after they were begun, milliseconds.
    pub rollover_ms: u64,
    /// `sink.rolling-policy.inactivity-interval`: so long after their last record, milliseconds.
    pub inactivity_ms: u64,
    /// `sink.rolling-policy.check-interval`: how often the two before are looked at, milliseconds.
    pub check_ms: u64,
}

impl Default for Rolling {
    fn default() -> Self {
        let half_an_hour = 30 * 60_000;
        Rolling {
            file_bytes: 128 << 20,
            rollover_ms: half_an_hour,
            inactivity_ms: half_an_hour,
            check_ms: 60_000,
        }
    }
}

/// Records as lines of files below a directory: the key of each says in which directory below, its value is the line.
///
/// All files of a partition end together, at one offset, which then stands beside them in a hidden directory: so the log and
/// the files agree, and files that are half written are written again.
#[derive(Debug, Clone)]
pub struct FilesOutlet {
    path: PathBuf,
    table: String,
    ending: &'static str,
    rolling: Rolling,
}

impl FilesOutlet {
    /// Files at `path`, of a table, whose names end so.
    pub fn new(path: impl Into<PathBuf>, table: &str, ending: &'static str, rolling: Rolling) -> Self {
        FilesOutlet { path: path.into(), table: file_name_of(table), ending, rolling }
    }

    /// Where what is known of a partition stands.
    fn home(&self, part: &OutletPart) -> PathBuf {
        let of_table = self.path.join(OWN_DIRECTORY).join(&part.job).join(&self.table);
        of_table.join(part.partition.to_string())
    }

    /// What stands there, unless it is about other offsets.
    fn standing(&self, home: &Path, part: &OutletPart) -> Result<Position, String> {
        let new = Position { topic_id: part.topic_id.clone(), ..Position::default() };
        let position = Position::read(home)?.unwrap_or(new);
        if position.topic_id != part.topic_id {
            return Err(format!(
                "{} says that job \"{}\" has written files of a topic that is not there any more: the job's topics were \
                 deleted, and it begins anew. Move the files and {} away, or give the job another name (--job)",
                home.display(),
                part.job,
                self.path.join(OWN_DIRECTORY).join(&part.job).display()
            ));
        }
        Ok(position)
    }
}

/// A table's name as part of a file's: what may be something else in a path is replaced, and told apart by a number.
fn file_name_of(table: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if !table.is_empty() && table.len() <= 100 && table.chars().all(is_plain) {
        return table.to_owned();
    }
    let plain = table.chars().map(|char| if is_plain(char) { char } else { '-' });
    let number = xxhash_rust::xxh3::xxh3_64(table.as_bytes());
    format!("{}-{number:016x}", plain.take(80).collect::<String>())
}

impl Outlet for FilesOutlet {
    fn describe(&self) -> String {
        let Rolling { file_bytes, rollover_ms, inactivity_ms, .. } = self.rolling;
        format!(
            "files of {}, ended at {file_bytes} bytes, after {rollover_ms} ms or {inactivity_ms} ms without a record",
            self.path.display()
        )
    }

    fn open(&self, part: &OutletPart) -> Result<Option<Box<dyn OutletWriter>>, String> {
        let home = self.home(part);
        std::fs::create_dir_all(&home).map_err(in_file(&home))?;
        let path = home.join("lock");
        let lock = File::options().create(true).append(true).open(&path).map_err(in_file(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(in_file(&path)(error)),
        }
        let position = self.standing(&home, part)?;
        let name = format!("part-{}-{}-{}", part.job, self.table, part.partition);
        let writer = PartWriter::begin(&self.path, home, (name, self.ending), self.rolling, position, lock)?;
        Ok(Some(Box::new(writer)))
    }

    fn position(&self, part: &OutletPart) -> Result<Offset, String> {
        Ok(self.standing(&self.home(part), part)?.next)
    }
}

#[cfg(test)]
mod tests;
