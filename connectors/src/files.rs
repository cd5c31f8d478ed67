//! `filesystem`: the lines of a file, or of all files below a directory, each a record; and the files that a job writes.
//!
//! The files are those that are there when the job first looks, one behind the other in the order of their names. The offset
//! of a record is where it begins in all of them together, so that reading can begin anywhere it has stopped. The job that
//! began with some files goes on with those and no others: what tells the feed from another one is their names and sizes.
//! Where a table is partitioned, the path of its file is the key of a record.

mod outlet;
mod part;
mod position;

pub use outlet::{FilesOutlet, Rolling};

use millstream_operators::feed::{Feed, FeedReader, NO_TIMESTAMP};
use millstream_operators::{Headers, Offset, Record, Records, RecordsBuilder};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use xxhash_rust::xxh3::Xxh3;

/// How long a record may be.
const RECORD_BYTES_MAX: usize = 16 << 20;
/// Bytes of a run after which no more records are added to it.
const RUN_BYTES: usize = 256 << 10;
/// Endings of files that would have to be decompressed.
const COMPRESSED: &[&str] = &["gz", "gzip", "bz2", "xz", "zst", "zstd", "deflate"];

/// The files of a table.
#[derive(Debug)]
pub struct Files {
    topic: String,
    path: PathBuf,
    /// The character that encloses a field which may have line breaks in it.
    quote: Option<u8>,
    /// Whether directories say something of their records.
    partitioned: bool,
    found: OnceLock<Result<Vec<FoundFile>, String>>,
}

/// A file, and where its records begin among those of all.
#[derive(Debug, Clone)]
struct FoundFile {
    path: PathBuf,
    begin: Offset,
    bytes: u64,
    /// The directories that it is in below the table's path, if they say something.
    directories: Option<String>,
}

impl Files {
    /// The files at a path, each called by `topic`.
    pub fn new(topic: impl Into<String>, path: impl Into<PathBuf>, quote: Option<u8>) -> Self {
        Files { topic: topic.into(), path: path.into(), quote, partitioned: false, found: OnceLock::new() }
    }

    /// The same where names of directories are values: each record has the path of its file below the table's as its key.
    #[must_use]
    pub fn partitioned(self) -> Self {
        Files { partitioned: true, ..self }
    }

    fn found(&self) -> Result<&[FoundFile], String> {
        let found = self.found.get_or_init(|| {
            let mut found = find(&self.path)?;
            if self.partitioned {
                for file in &mut found {
                    let below = file.path.strip_prefix(&self.path).unwrap_or(&file.path);
                    let directories = below.parent().unwrap_or(Path::new(""));
                    file.directories = Some(directories.to_string_lossy().into_owned());
                }
            }
            Ok(found)
        });
        found.as_deref().map_err(Clone::clone)
    }
}

impl Feed for Files {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn describe(&self) -> String {
        format!("{} (files of {})", self.topic, self.path.display())
    }

    fn identity(&self) -> Result<u128, String> {
        let mut hash = Xxh3::new();
        for file in self.found()? {
            let name = file.path.strip_prefix(&self.path).unwrap_or(&file.path);
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update(&[0]);
            hash.update(&file.bytes.to_be_bytes());
        }
        Ok(hash.digest128())
    }

    fn partitions(&self) -> u32 {
        1
    }

    fn end(&self, _partition: u32) -> Result<Option<Offset>, String> {
        Ok(Some(self.found()?.last().map_or(0, |last| last.begin + last.bytes)))
    }

    fn rate(&self) -> Option<f64> {
        None
    }

    fn open(&self, _partition: u32) -> Result<Box<dyn FeedReader>, String> {
        let (files, quote) = (self.found()?.to_vec(), self.quote);
        Ok(Box::new(Reading { files, quote, open: None, next: 0 }))
    }
}

/// All files at a path that are not hidden, by their names.
fn find(path: &Path) -> Result<Vec<FoundFile>, String> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let found = std::fs::metadata(&path).map_err(failed)?;
        if found.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let is_hidden = matches!(entry.file_name().as_encoded_bytes().first(), Some(b'.' | b'_'));
                open.extend((!is_hidden).then(|| entry.path()));
            }
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if COMPRESSED.contains(&ending) {
            return Err(format!("{} is compressed; decompress it first", path.display()));
        }
        // What is empty has no record, and no place among the others.
        if found.len() > 0 {
            files.push(FoundFile { path, begin: 0, bytes: found.len(), directories: None });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut begin = 0;
    for file in &mut files {
        file.begin = begin;
        begin += file.bytes;
    }
    Ok(files)
}

/// Reads one file after the other.
struct Reading {
    files: Vec<FoundFile>,
    quote: Option<u8>,
    open: Option<BufReader<File>>,
    /// Where the next record begins.
    next: Offset,
}

impl Reading {
    /// The file in which an offset is.
    fn file_at(&self, offset: Offset) -> Option<&FoundFile> {
        let at = self.files.partition_point(|file| file.begin + file.bytes <= offset);
        self.files.get(at)
    }

    /// Goes on at an offset where a record begins.
    fn seek(&mut self, to: Offset) -> Result<(), String> {
        (self.open, self.next) = (None, to);
        let Some(file) = self.file_at(to) else { return Ok(()) };
        let failed = |error: std::io::Error| format!("{}: {error}", file.path.display());
        let mut opened = File::open(&file.path).map_err(failed)?;
        opened.seek(SeekFrom::Start(to - file.begin)).map_err(failed)?;
        self.open = Some(BufReader::with_capacity(1 << 16, opened));
        Ok(())
    }

    /// The next record, without its line break, and where it begins; `None` behind the last one.
    fn record(&mut self, record: &mut Vec<u8>) -> Result<Option<Offset>, String> {
        loop {
            let Some(file) = self.file_at(self.next).cloned() else { return Ok(None) };
            if self.open.is_none() || self.next == file.begin {
                self.seek(self.next)?;
            }
            record.clear();
            let (begin, end) = (self.next, file.begin + file.bytes);
            let bytes =
                self.line(record, end - begin).map_err(|why| format!("{}: {why}", file.path.display()))?;
            if bytes == 0 {
                return Err(format!("{} has become shorter", file.path.display()));
            }
            self.next = begin + bytes;
            while matches!(record.last(), Some(b'\n' | b'\r')) {
                record.pop();
            }
            if !record.is_empty() {
                return Ok(Some(begin));
            }
        }
    }

    /// Reads up to a line break outside of quotes, at most so many bytes; how many there were.
    fn line(&mut self, record: &mut Vec<u8>, left: u64) -> Result<u64, String> {
        let Some(open) = &mut self.open else { return Ok(0) };
        let mut quoted = false;
        loop {
            let from = record.len();
            let room = (RECORD_BYTES_MAX as u64 + 1).min(left).saturating_sub(from as u64);
            let read = std::io::Read::take(&mut *open, room).read_until(b'\n', record);
            let read = read.map_err(|error| error.to_string())?;
            if let Some(quote) = self.quote {
                quoted ^= record[from..].iter().filter(|byte| **byte == quote).count() % 2 == 1;
            }
            let at_end = read == 0 || record.len() as u64 == left || record.last() != Some(&b'\n');
            if record.len() > RECORD_BYTES_MAX {
                return Err(format!("a line is longer than {RECORD_BYTES_MAX} bytes"));
            }
            if at_end || !quoted {
                return Ok(record.len() as u64);
            }
        }
    }
}

impl FeedReader for Reading {
    fn read(&mut self, from: Offset, records_max: usize) -> Result<Records, String> {
        let mut record = Vec::new();
        // Reading goes on behind the record that begins one offset before.
        if self.open.is_none() || from > self.next {
            self.seek(from.saturating_sub(1))?;
            if from > 0 {
                self.record(&mut record)?;
            }
        }
        let mut records = RecordsBuilder::default();
        while records.len() < records_max && records.data_bytes() < RUN_BYTES {
            let Some(offset) = self.record(&mut record)? else { break };
            let key = self.file_at(offset).and_then(|file| file.directories.as_deref());
            let (key, value, headers) = (key.map(str::as_bytes), Some(record.as_slice()), Headers::NONE);
            records.push_record(Record { offset, timestamp_ms: NO_TIMESTAMP, key, value, headers });
        }
        Ok(records.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(contents: &[(&str, &str)], quote: Option<u8>) -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in contents {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let files = Files::new("filesystem:t", directory.path(), quote);
        (directory, files)
    }

    /// All records from an offset on, read so many at once.
    fn read(files: &Files, mut from: Offset, at_once: usize) -> Vec<(Offset, String)> {
        let mut reader = files.open(0).unwrap();
        let mut all = Vec::new();
        loop {
            let records = reader.read(from, at_once).unwrap();
            let Some(last) = records.iter().last() else { return all };
            from = last.offset + 1;
            let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
            all.extend(records.iter().map(|record| (record.offset, text(record.value))));
        }
    }

    /// Lines come in the order of the files' names, and the same ones wherever reading goes on.
    #[test]
    fn every_line_comes_once_wherever_reading_begins() {
        let contents = [
            ("b.json", "three\n\nfour"),
            ("a/x.json", "one\r\ntwo\n"),
            ("_hidden", "no"),
            (".also", "no"),
            ("c.json", ""),
            ("d.json", "\nfive\n"),
        ];
        let (_directory, files) = files(&contents, None);
        let all = read(&files, 0, 100);
        let lines: Vec<&str> = all.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, ["one", "two", "three", "four", "five"]);
        for (index, (offset, _)) in all.iter().enumerate() {
            for at_once in [1, 2, 100] {
                assert_eq!(read(&files, offset + 1, at_once), all[index + 1..], "behind {offset}");
            }
        }
        let end = files.end(0).unwrap().unwrap();
        assert!(all.iter().all(|(offset, _)| *offset < end));
        assert!(read(&files, end, 1).is_empty());
    }

    #[test]
    fn a_line_break_in_quotes_is_part_of_a_record() {
        let (_directory, files) = files(&[("a.csv", "1,\"a\nb\"\n2,c\n")], Some(b'"'));
        let lines: Vec<String> = read(&files, 0, 1).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["1,\"a\nb\"", "2,c"]);
    }

    #[test]
    fn other_files_are_another_feed() {
        let one = files(&[("a", "x\n")], None).1.identity();
        assert_eq!(one, files(&[("a", "y\n")], None).1.identity());
        assert_ne!(one, files(&[("a", "xy\n")], None).1.identity());
        assert_ne!(one, files(&[("b", "x\n")], None).1.identity());
        assert_ne!(one, files(&[("a", "x\n"), ("b", "x\n")], None).1.identity());
    }
}
