//! A checkpoint as a set of files, and a state directory made from such a set.
//!
//! An [`Exporter`] is a handle that another thread may have: [`Exporter::export`] takes the newest checkpoint as hard
//! links (RocksDB) or as a copy (memory) while the task goes on, and gives an [`Export`], whose files stay as they are
//! until it is dropped. An [`Import`] is the way back: files are written one by one, each held against its size and
//! content name, and only when all are there do they take the place of the task's directory, in one rename. A crash
//! before leaves the directory that was there, or none: never half of one.

use crate::adopt::Adoption;
use crate::base::{Base, META, prefixed};
use crate::memory::MemoryDisk;
use crate::rocks::{Rocks, RocksSettings, SharedMemory};
use crate::snapshot::{SnapshotFile, content_name};
use crate::task_state::{MARK, NOTE};
use crate::{CheckpointMark, StateError};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How often an export is tried again because a checkpoint was written meanwhile.
const TRIES_MAX: usize = 100;
/// Files that a memory's pairs are spread over, so that an export of little change shares most of them.
const MEMORY_FILES: u64 = 8;

/// What the name of a directory ends with that was replaced and is to be removed.
const REPLACED: &str = ".replaced";

/// Content names of files that were read before, by name and size: a file of this name never changes.
pub(crate) type ContentCache = Arc<Mutex<BTreeMap<(String, u64), String>>>;

/// Exports checkpoints of one task. Holds its database open.
#[derive(Debug)]
pub struct Exporter {
    pub(crate) base: Base,
    pub(crate) cache: ContentCache,
}

/// The files of one checkpoint. Dropping it lets them go.
#[derive(Debug)]
pub struct Export {
    /// The commit it stands at.
    pub mark: CheckpointMark,
    /// What was written beside the mark.
    pub note: Vec<u8>,
    files: Vec<(SnapshotFile, Source)>,
    directory: Option<PathBuf>,
}

#[derive(Debug)]
enum Source {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
}

impl Exporter {
    /// Takes the newest checkpoint; `None` when there is none. Cheap but for what memtables hold, which is flushed;
    /// files that were not exported before are read once, for their content names.
    ///
    /// # Errors
    /// [`StateError::Storage`] and [`StateError::Io`]: try again later, the state is not touched.
    pub fn export(self) -> Result<Option<Export>, StateError> {
        for _ in 0..TRIES_MAX {
            let Some(mark) = self.mark()? else { return Ok(None) };
            let note = self.base.get(&prefixed(META, NOTE))?.unwrap_or_default();
            let mut export = Export { mark, note, files: Vec::new(), directory: None };
            match &self.base {
                Base::Memory(disk) => export.files = memory_files(disk),
                Base::Rocks(rocks) => export.directory = Some(rocks.link_checkpoint()?),
            }
            // A checkpoint that was written meanwhile may be in the files or not.
            if self.mark()? != Some(mark) {
                continue;
            }
            // Reading the files takes its time: the database may be closed by now.
            let Exporter { base, cache } = self;
            drop(base);
            if let Some(directory) = &export.directory {
                export.files = directory_files(directory, &cache)?;
            }
            return Ok(Some(export));
        }
        Ok(None)
    }

    fn mark(&self) -> Result<Option<CheckpointMark>, StateError> {
        let bytes = self.base.get(&prefixed(META, MARK))?;
        bytes.map(|bytes| CheckpointMark::decode(self.base.path(), &bytes)).transpose()
    }
}

impl Export {
    /// The files; their `object` is empty.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &SnapshotFile> {
        self.files.iter().map(|(file, _)| file)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// When there is no file of this index.
    pub fn open(&self, index: usize) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.files[index].1 {
            Source::Path(path) => Box::new(File::open(path)?),
            Source::Bytes(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
        })
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            // What stays behind is removed when the task's state is opened next.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

fn directory_files(
    directory: &Path,
    cache: &ContentCache,
) -> Result<Vec<(SnapshotFile, Source)>, StateError> {
    let failed = |source| StateError::Io { path: directory.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let bytes = std::fs::metadata(&path).map_err(failed)?.len();
        // A write-ahead log is empty after the flush that every checkpoint begins with.
        if name.is_empty() || (name.ends_with(".log") && bytes == 0) {
            continue;
        }
        let known = (name.clone(), bytes);
        let cached = cache.lock().unwrap_or_else(PoisonError::into_inner).get(&known).cloned();
        let content = match cached {
            Some(content) => content,
            None => {
                let content = content_of(&path).map_err(failed)?;
                // Numbers of tables are used once in the life of a database; other names come again.
                if name.ends_with(".sst") {
                    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                    cache.insert(known, content.clone());
                }
                content
            }
        };
        files.push((SnapshotFile { name, bytes, content, object: String::new() }, Source::Path(path)));
    }
    files.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    // What is gone from the database does not come back.
    let is_there = |name: &str| files.binary_search_by(|(file, _)| file.name.as_str().cmp(name)).is_ok();
    cache.lock().unwrap_or_else(PoisonError::into_inner).retain(|(name, _), _| is_there(name));
    Ok(files)
}

fn content_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn memory_files(disk: &MemoryDisk) -> Vec<(SnapshotFile, Source)> {
    let mut contents = vec![Vec::new(); MEMORY_FILES as usize];
    disk.each(|key, value| {
        let out: &mut Vec<u8> = &mut contents[(xxhash_rust::xxh3::xxh3_64(key) % MEMORY_FILES) as usize];
        for part in [key, value] {
            out.extend((part.len() as u32).to_le_bytes());
            out.extend(part);
        }
    });
    let file = |(index, content): (usize, Vec<u8>)| {
        let (name, bytes) = (format!("pairs-{index}"), content.len() as u64);
        let file = SnapshotFile { name, bytes, content: content_name(&content), object: String::new() };
        (file, Source::Bytes(content.into()))
    };
    contents.into_iter().enumerate().filter(|(_, content)| !content.is_empty()).map(file).collect()
}

/// A task's directory in the making. See the module's head.
#[derive(Debug)]
pub struct Import {
    target: Target,
}

#[derive(Debug)]
enum Target {
    Directory { path: PathBuf, fresh: PathBuf },
    Memory { disk: MemoryDisk, files: BTreeMap<String, Vec<u8>> },
}

/// A file of an import, while it is written.
pub struct ImportFile<'a> {
    file: SnapshotFile,
    out: Box<dyn Write + 'a>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Import {
    /// An import that will replace the directory `path`. Nobody may have it open.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn into_directory(path: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Io { path: path.into(), source };
        let fresh = beside(path, ".import");
        remove(&fresh).map_err(failed)?;
        std::fs::create_dir_all(&fresh).map_err(failed)?;
        Ok(Import { target: Target::Directory { path: path.into(), fresh } })
    }

    /// An import that will replace the content of a disk in memory.
    pub fn into_memory(disk: &MemoryDisk) -> Self {
        Import { target: Target::Memory { disk: disk.clone(), files: BTreeMap::new() } }
    }

    /// Begins a file; write its bytes, then call [`ImportFile::finish`].
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn file(&mut self, file: &SnapshotFile) -> Result<ImportFile<'_>, StateError> {
        let out: Box<dyn Write + '_> = match &mut self.target {
            Target::Directory { fresh, .. } => {
                let path = fresh.join(&file.name);
                Box::new(File::create(&path).map_err(|source| StateError::Io { path, source })?)
            }
            Target::Memory { files, .. } => {
                let content = files.entry(file.name.clone()).or_default();
                content.clear();
                Box::new(content)
            }
        };
        Ok(ImportFile { file: file.clone(), out, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Puts the files into the place of what was there.
    ///
    /// # Errors
    /// [`StateError::Io`], [`StateError::SnapshotDamaged`].
    pub fn finish(self) -> Result<(), StateError> {
        match self.target {
            Target::Directory { path, fresh } => replace(&path, &fresh),
            Target::Memory { disk, files } => {
                disk.replace_with(&disk_of(&files)?);
                Ok(())
            }
        }
    }

    /// The same for state of another identity, which is adopted before it takes the place.
    ///
    /// # Errors
    /// As [`Import::finish`]; [`StateError::SnapshotDamaged`] also for other state than the adoption expects.
    pub fn finish_adopted(self, adoption: &Adoption) -> Result<(), StateError> {
        match self.target {
            Target::Directory { path, fresh } => {
                let settings = RocksSettings::new(SharedMemory::new(8 << 20, 1 << 20));
                adoption.apply(&mut Base::Rocks(Arc::new(Rocks::open(&fresh, &settings)?)))?;
                replace(&path, &fresh)
            }
            Target::Memory { disk, files } => {
                let fresh = disk_of(&files)?;
                adoption.apply(&mut Base::Memory(fresh.clone()))?;
                disk.replace_with(&fresh);
                Ok(())
            }
        }
    }
}

/// Puts a directory into the place of another. What was there is moved away first: a process that dies while it removes
/// files must not leave half a database behind.
fn replace(path: &Path, fresh: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::Io { path: path.into(), source };
    let old = beside(path, REPLACED);
    remove(&old).map_err(failed)?;
    match std::fs::rename(path, &old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::fs::rename(fresh, path).map_err(failed)?;
    remove(&old).map_err(failed)
}

fn disk_of(files: &BTreeMap<String, Vec<u8>>) -> Result<MemoryDisk, StateError> {
    let place = "(memory)".to_owned();
    let damaged = || StateError::SnapshotDamaged { place, detail: "its pairs can't be read".to_owned() };
    let mut pairs = BTreeMap::new();
    for content in files.values() {
        read_pairs(content, &mut pairs).ok_or_else(damaged.clone())?;
    }
    let disk = MemoryDisk::default();
    disk.replace_pairs(pairs);
    Ok(disk)
}

pub(crate) fn read_pairs(mut content: &[u8], pairs: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Option<()> {
    while !content.is_empty() {
        let mut part = || {
            let (length, rest) = content.split_first_chunk::<4>()?;
            let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            content = rest;
            Some(part.to_vec())
        };
        pairs.insert(part()?, part()?);
    }
    Some(())
}

impl Write for ImportFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whatever it is, it is not the file: counted, so that the end finds out, and not kept.
        if bytes.len() as u64 > self.file.bytes.saturating_sub(self.bytes) {
            self.bytes = self.bytes.saturating_add(bytes.len() as u64);
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl ImportFile<'_> {
    /// Ends the file: it has to be what the manifest says.
    ///
    /// # Errors
    /// [`StateError::SnapshotDamaged`]: use another snapshot. [`StateError::Io`].
    pub fn finish(mut self) -> Result<(), StateError> {
        let place = self.file.object.clone();
        self.out.flush().map_err(|source| StateError::Io { path: self.file.name.clone().into(), source })?;
        let damaged = |detail: String| Err(StateError::SnapshotDamaged { place, detail });
        if self.bytes != self.file.bytes {
            return damaged(format!("it has {} bytes instead of {}", self.bytes, self.file.bytes));
        }
        if self.hasher.finalize().to_hex().as_str() != self.file.content {
            return damaged("its content is not what its name says".to_owned());
        }
        Ok(())
    }
}

impl std::fmt::Debug for ImportFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportFile").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A path beside a directory, with more at its end.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Removes a directory that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what exports and imports of a task left behind when their process died.
pub(crate) fn remove_leftovers(path: &Path) {
    let _ = remove(&beside(path, REPLACED));
    let Some(prefix) = beside(path, ".export-").file_name().map(|name| name.to_string_lossy().into_owned())
    else {
        return;
    };
    let Some(Ok(entries)) = path.parent().map(std::fs::read_dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
