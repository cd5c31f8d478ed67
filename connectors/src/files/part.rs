//! One partition's files: written under other names, and given their own when they are whole.
//!
//! ```text
//! PATH/.millstream/JOB/TABLE/0/lock               who holds it writes the partition
//!                             /position           up to where records are in files
//!                             /100-0.tmp          what is being written
//! PATH/day=2024-05-01/part-JOB-TABLE-0-100-250.json
//! ```
//! To publish is, in this order: bring what was written to the disk; replace the position, which names the files; give them
//! their names. Killed before the second, the files are written again from the log; killed behind it, whoever comes next gives
//! them their names. So each record is in one file, and a file is there whole or not at all.

use super::outlet::Rolling;
use super::position::Position;
use millstream_operators::outlet::OutletWriter;
use millstream_operators::{Offset, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Files that are open at once: with one more directory all are ended.
const OPEN_MAX: usize = 128;
/// What is held back of each before it is written.
const BUFFER_BYTES: usize = 32 << 10;

/// Writes the files of a partition.
#[derive(Debug)]
pub(super) struct PartWriter {
    path: PathBuf,
    home: PathBuf,
    /// What names of files begin and end with.
    name: (String, &'static str),
    rolling: Rolling,
    position: Position,
    /// By directory below the path.
    open: BTreeMap<String, OpenFile>,
    /// When the first of them was begun, and when the last record came.
    times_ms: (u64, u64),
    checked_ms: u64,
    /// Whether one of them has its bytes, or they are as many as may be.
    is_full: bool,
    _lock: File,
}

/// A file that is being written.
#[derive(Debug)]
struct OpenFile {
    temporary: PathBuf,
    out: BufWriter<File>,
    bytes: u64,
}

impl PartWriter {
    /// Goes on where a partition stands: gives files their names that have none yet, and removes those that were not whole.
    pub(super) fn begin(
        path: &Path,
        home: PathBuf,
        name: (String, &'static str),
        rolling: Rolling,
        position: Position,
        lock: File,
    ) -> Result<Self, String> {
        let writer = PartWriter {
            path: path.to_owned(),
            home,
            name,
            rolling,
            position,
            open: BTreeMap::new(),
            times_ms: (0, 0),
            checked_ms: 0,
            is_full: false,
            _lock: lock,
        };
        writer.give_names()?;
        for entry in std::fs::read_dir(&writer.home).map_err(in_file(&writer.home))? {
            let path = entry.map_err(in_file(&writer.home))?.path();
            if path.extension().is_some_and(|ending| ending == "tmp") {
                step()?;
                std::fs::remove_file(&path).map_err(in_file(&path))?;
            }
        }
        Ok(writer)
    }

    /// What a file is called that begins at an offset until it is whole.
    fn temporary(&self, from: Offset, index: usize) -> PathBuf {
        self.home.join(format!("{from}-{index}.tmp"))
    }

    /// Gives the files that the position names their names. One that has it already, or that somebody has taken away since,
    /// has no other any more.
    fn give_names(&self) -> Result<(), String> {
        let Position { from, files, .. } = &self.position;
        let mut directories = BTreeSet::new();
        for (index, file) in files.iter().enumerate() {
            let (temporary, named) = (self.temporary(*from, index), self.path.join(file));
            step()?;
            match std::fs::rename(&temporary, &named) {
                Ok(()) => {}
                // The directory may be missing, too, which is somebody else's doing as well.
                Err(_) if !temporary.exists() => {}
                Err(error) => return Err(in_file(&named)(error)),
            }
            directories.extend(Path::new(file).ancestors().skip(1));
        }
        directories.into_iter().try_for_each(|below| {
            let directory = self.path.join(below);
            if directory.exists() { sync_directory(&directory) } else { Ok(()) }
        })
    }

    /// The file of a directory, begun if it is not there.
    fn file(&mut self, directory: &str, now_ms: u64) -> Result<&mut OpenFile, String> {
        if !self.open.contains_key(directory) {
            if self.open.is_empty() {
                self.times_ms.0 = now_ms;
            }
            let temporary = self.temporary(self.position.next, self.open.len());
            step()?;
            let file =
                File::options().write(true).create_new(true).open(&temporary).map_err(in_file(&temporary))?;
            let out = BufWriter::with_capacity(BUFFER_BYTES, file);
            self.open.insert(directory.to_owned(), OpenFile { temporary, out, bytes: 0 });
        }
        self.open.get_mut(directory).ok_or_else(|| "a file that was opened is not open".to_owned())
    }

    /// Brings all that was written to the disk, in the order of the temporary names; the directories of the files.
    fn bring_to_disk(&mut self) -> Result<Vec<String>, String> {
        let mut files: Vec<(PathBuf, String)> = Vec::with_capacity(self.open.len());
        for (directory, file) in std::mem::take(&mut self.open) {
            let OpenFile { temporary, out, .. } = file;
            step()?;
            let file = out.into_inner().map_err(|error| in_file(&temporary)(error.into_error()))?;
            file.sync_all().map_err(in_file(&temporary))?;
            let below = self.path.join(&directory);
            std::fs::create_dir_all(&below).map_err(in_file(&below))?;
            files.push((temporary, directory));
        }
        sync_directory(&self.home)?;
        // Their numbers are those of the order in which they were begun.
        let number =
            |path: &Path| -> Option<usize> { path.file_stem()?.to_str()?.rsplit_once('-')?.1.parse().ok() };
        files.sort_by_key(|(temporary, _)| number(temporary));
        Ok(files.into_iter().map(|(_, directory)| directory).collect())
    }
}

/// Where a record goes: directories whose names are columns and values, and nothing that leads elsewhere.
fn directory_of<'r>(record: &Record<'r>) -> Result<&'r str, String> {
    let Some(key) = record.key else { return Ok("") };
    let path = std::str::from_utf8(key).ok();
    let is_below = |path: &&str| {
        path.split('/').all(|name| name.contains('=') && !name.contains('\0') && !name.contains('\n'))
    };
    path.filter(is_below).ok_or_else(|| {
        let key = String::from_utf8_lossy(key);
        format!(
            "the record at offset {} is for no directory of the table: \"{}\"",
            record.offset,
            key.escape_debug()
        )
    })
}

impl OutletWriter for PartWriter {
    fn position(&self) -> Offset {
        self.position.next
    }

    fn write(&mut self, record: &Record<'_>, now_ms: u64) -> Result<(), String> {
        let directory = directory_of(record)?;
        if self.open.len() >= OPEN_MAX && !self.open.contains_key(directory) {
            self.publish(record.offset)?;
        }
        let file_bytes = self.rolling.file_bytes;
        let file = self.file(directory, now_ms)?;
        let value = record.value.unwrap_or_default();
        let written = file.out.write_all(value).and_then(|()| file.out.write_all(b"\n"));
        written.map_err(in_file(&file.temporary))?;
        file.bytes += value.len() as u64 + 1;
        self.is_full |= file.bytes >= file_bytes || self.open.len() >= OPEN_MAX;
        self.times_ms.1 = now_ms;
        Ok(())
    }

    fn is_due(&mut self, now_ms: u64) -> bool {
        if self.open.is_empty() || self.is_full {
            return self.is_full;
        }
        if now_ms.saturating_sub(self.checked_ms) < self.rolling.check_ms {
            return false;
        }
        self.checked_ms = now_ms;
        let (begun, written) = self.times_ms;
        now_ms.saturating_sub(begun) >= self.rolling.rollover_ms
            || now_ms.saturating_sub(written) >= self.rolling.inactivity_ms
    }

    fn publish(&mut self, to: Offset) -> Result<(), String> {
        if self.open.is_empty() && to <= self.position.next {
            return Ok(());
        }
        let from = self.position.next;
        let (name, ending) = &self.name;
        let file = format!("{name}-{from}-{to}{ending}");
        let directories = self.bring_to_disk()?;
        let file_in = |directory: &String| match directory.as_str() {
            "" => file.clone(),
            directory => format!("{directory}/{file}"),
        };
        let files = directories.iter().map(file_in).collect();
        let topic_id = std::mem::take(&mut self.position.topic_id);
        self.position = Position { topic_id, from, next: to, files };
        self.is_full = false;
        self.position.store(&self.home)?;
        self.give_names()
    }
}

/// What went wrong with a file, with its name.
pub(super) fn in_file(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

/// Has the names in a directory survive a power cut.
pub(super) fn sync_directory(path: &Path) -> Result<(), String> {
    step()?;
    File::open(path).and_then(|directory| directory.sync_all()).map_err(in_file(path))
}

// Steps until a test ends the writer: everything that is done to the disk is one.
#[cfg(test)]
thread_local! {
    pub(super) static STEPS_LEFT: std::cell::Cell<u32> = const { std::cell::Cell::new(u32::MAX) };
}

/// One more step.
#[cfg(test)]
pub(super) fn step() -> Result<(), String> {
    let left = STEPS_LEFT.get();
    STEPS_LEFT.set(left.saturating_sub(1));
    if left == 0 { Err("killed".to_owned()) } else { Ok(()) }
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "a test ends a writer here")]
pub(super) fn step() -> Result<(), String> {
    Ok(())
}
