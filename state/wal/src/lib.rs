//! Making write-ahead logs safe to open.
//!
//! RocksDB reads a log in blocks of 32 KiB of records: `checksum u32 | length u16 | type u8 | payload`. A log that does
//! not reuse an older file has no records of the types for such files. Where a byte that went bad on disk makes one of
//! them, RocksDB (up to 11 at least, `log::Reader::ReadPhysicalRecord`) reports a bad record without going past it, and
//! its caller asks again: opening the database never ends. [`cut_endless_logs`] looks for such a record first. The rule:
//! it cuts where recovery to a point in time would stop, at a record that is damaged, so nothing is lost that could have
//! been read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;

/// Cuts the logs of a database directory before a record that RocksDB would read for ever. Returns the logs that it has
/// cut, with their new lengths in bytes. A directory that is not there has none.
///
/// # Errors
/// When a file can't be read or cut; [`io::ErrorKind::InvalidData`] when such a record is in a manifest, which can't be
/// cut: the database is damaged.
pub fn cut_endless_logs(directory: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut cut = Vec::new();
    if !directory.exists() {
        return Ok(cut);
    }
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (is_log, is_manifest) = (name.ends_with(".log"), name.starts_with("MANIFEST-"));
        if !is_log && !is_manifest {
            continue;
        }
        let Some(length) = endless_at(&mut File::open(&path)?)? else { continue };
        if is_manifest {
            let message = format!("{} is damaged at byte {length}", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        replace_by_its_start(&path, length)?;
        cut.push((path, length));
    }
    Ok(cut)
}

/// Puts the first bytes of a file in its place. It is not cut where it is: whoever has kept the damaged file by a hard
/// link keeps all of it.
fn replace_by_its_start(path: &Path, length: u64) -> io::Result<()> {
    let start = path.with_extension("cut");
    let mut file = File::create(&start)?;
    io::copy(&mut File::open(path)?.take(length), &mut file)?;
    file.sync_all()?;
    std::fs::rename(start, path)
}

/// Where a record of a type for reused logs stands in a log that began without one.
fn endless_at(log: &mut impl Read) -> io::Result<Option<u64>> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let (mut start, mut is_first) = (0, true);
    loop {
        block.clear();
        log.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        let mut at = 0;
        while let Some(header) = block.get(at..at + HEADER_BYTES) {
            let is_reused = matches!(header[6], 5..=8 | 11 | 131);
            if is_reused && is_first {
                return Ok(None);
            }
            if is_reused {
                return Ok(Some(start + at as u64));
            }
            is_first = false;
            at += HEADER_BYTES + usize::from(u16::from_le_bytes([header[4], header[5]]));
        }
        if block.len() < BLOCK_BYTES {
            return Ok(None);
        }
        start += BLOCK_BYTES as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocksdb::{DB, Options};

    fn database(directory: &Path) -> PathBuf {
        let mut options = Options::default();
        options.create_if_missing(true);
        let db = DB::open(&options, directory).unwrap();
        for number in 0..2_000_u32 {
            db.put(number.to_be_bytes(), [7; 40]).unwrap();
        }
        drop(db);
        let logs = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        logs.filter(|path| path.extension().is_some_and(|kind| kind == "log")).max().unwrap()
    }

    /// Where the records of a log stand.
    fn records(bytes: &[u8]) -> Vec<usize> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at + HEADER_BYTES <= bytes.len() {
            if BLOCK_BYTES - at % BLOCK_BYTES < HEADER_BYTES {
                at += BLOCK_BYTES - at % BLOCK_BYTES;
                continue;
            }
            found.push(at);
            at += HEADER_BYTES + usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
        }
        found
    }

    #[test]
    fn a_log_with_a_record_type_gone_bad_opens_and_has_what_stands_before_it() {
        for kind in [5, 6, 7, 8, 11, 131] {
            for number in [1, 900, 1_990] {
                let directory = tempfile::tempdir().unwrap();
                let log = database(directory.path());
                let mut bytes = std::fs::read(&log).unwrap();
                let places = records(&bytes);
                let place = places[number];
                // A pair that crosses blocks is two records or more, the last of type 4; the first record is of no pair.
                let pairs =
                    places[..number].iter().filter(|place| matches!(bytes[*place + 6], 1 | 4)).count();
                bytes[place + 6] = kind;
                std::fs::write(&log, bytes).unwrap();
                let cut = cut_endless_logs(directory.path()).unwrap();
                assert_eq!(cut, [(log, place as u64)], "type {kind} of record {number}");
                let db = DB::open(&Options::default(), directory.path()).unwrap();
                let found = db.iterator(rocksdb::IteratorMode::Start).count();
                assert!((pairs - 1..=pairs).contains(&found), "{found} of {pairs}");
            }
        }
    }

    #[test]
    fn a_damaged_log_that_was_kept_by_a_link_stays_whole() {
        let directory = tempfile::tempdir().unwrap();
        let log = database(directory.path());
        let mut bytes = std::fs::read(&log).unwrap();
        let place = records(&bytes)[900];
        bytes[place + 6] = 7;
        std::fs::write(&log, &bytes).unwrap();
        let kept = directory.path().join("kept");
        std::fs::hard_link(&log, &kept).unwrap();
        assert_eq!(cut_endless_logs(directory.path()).unwrap(), [(log.clone(), place as u64)]);
        assert_eq!(std::fs::read(&log).unwrap(), bytes[..place]);
        assert_eq!(std::fs::read(&kept).unwrap(), bytes);
    }

    #[test]
    fn a_sound_log_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let log = database(directory.path());
        let before = std::fs::read(&log).unwrap();
        assert!(before.len() > BLOCK_BYTES, "the log has more than a block");
        assert!(cut_endless_logs(directory.path()).unwrap().is_empty());
        assert_eq!(std::fs::read(&log).unwrap(), before);
        assert!(cut_endless_logs(&directory.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn a_damaged_manifest_is_named() {
        let directory = tempfile::tempdir().unwrap();
        database(directory.path());
        let entries = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_manifest = |path: &PathBuf| path.to_string_lossy().contains("MANIFEST-");
        let manifest = entries.filter(is_manifest).max().unwrap();
        let mut bytes = std::fs::read(&manifest).unwrap();
        let place = records(&bytes)[1];
        bytes[place + 6] = 6;
        std::fs::write(&manifest, bytes).unwrap();
        let error = cut_endless_logs(directory.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("MANIFEST-"), "{error}");
    }
}
