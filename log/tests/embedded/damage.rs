//! Damaged and foreign files: an error that says what and where, never a wrong record, never a panic.

use crate::common::*;
use millstream_log::embedded::{EmbeddedLog, EmbeddedOptions};
use millstream_log::{Isolation, Log, LogError, Reader, RecordsBuilder, Run};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A closed log of two partitions, everything in files, with its contents.
fn filled(dir: &Path) -> Vec<Vec<(u64, String)>> {
    let log = open(dir);
    create(&log, "orders", 2);
    for round in 0..30 {
        for partition in 0..2 {
            let mut builder = RecordsBuilder::default();
            for record in 0..8 {
                // Partition 0 lives in blob files, partition 1 in tables.
                let padding = if partition == 0 { 1_000 } else { 50 };
                let value = format!("{partition} {round} {record} {}", "x".repeat(padding));
                builder.push(Some(b"key"), Some(value.as_bytes()), round * 10);
            }
            write(&log, &place("orders", partition), builder.finish());
        }
        if round % 16 == 15 {
            log.flush_files().expect("flushed");
        }
    }
    (0..2).map(|partition| committed(&log, &place("orders", partition))).collect()
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("db")).expect("listed").map(|file| file.expect("listed").path());
    let mut found: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    found.sort();
    found
}

/// Reads a partition to its end or the first error; every record that comes is right.
fn read_checked(log: &EmbeddedLog, partition: u32, wanted: &[(u64, String)]) -> Result<(), LogError> {
    let mut reader = reader(log, Isolation::ReadCommitted, &[(place("orders", partition), 0)]);
    let mut found = Vec::new();
    let ended = read_to_error(reader.as_mut(), &mut found);
    let found: Vec<(u64, String)> = found.iter().flat_map(|run| shown(&run.records)).collect();
    assert!(found.len() <= wanted.len() && found == wanted[..found.len()], "a wrong record");
    if ended.is_ok() {
        assert_eq!(found.len(), wanted.len(), "records are missing without an error");
    }
    ended
}

fn read_to_error(reader: &mut dyn Reader, found: &mut Vec<Run>) -> Result<(), LogError> {
    loop {
        let before = found.len();
        reader.poll(Duration::ZERO, found)?;
        if found.len() == before {
            return Ok(());
        }
    }
}

/// Damages copies of a closed log in many places of some files; gives how often an error told it.
fn fuzz(extension: &str, cases: usize) -> usize {
    let dir = tempfile::tempdir().expect("a directory");
    let wanted = filled(dir.path());
    let mut told = 0;
    for case in 0..cases {
        let copy = tempfile::tempdir().expect("a directory");
        copy_dir(dir.path(), copy.path());
        let files = files(copy.path(), extension);
        let path = &files[case % files.len()];
        let mut bytes = std::fs::read(path).expect("read");
        let at = (rand::random::<u64>() % bytes.len() as u64) as usize;
        bytes[at] ^= 1 << (case % 8);
        std::fs::write(path, bytes).expect("written");
        let error = match EmbeddedLog::open(copy.path(), &options()) {
            Err(error) => Some(error),
            Ok(log) => {
                let errors = (0..2u32)
                    .map(|partition| read_checked(&log, partition, &wanted[partition as usize]).err());
                errors.collect::<Vec<_>>().into_iter().flatten().next()
            }
        };
        if let Some(error) = error {
            assert!(matches!(error, LogError::Corrupt(_)), "byte {at} of {}: {error}", path.display());
            told += 1;
        }
    }
    told
}

#[test]
fn a_flipped_bit_in_a_blob_file_is_told() {
    let told = fuzz("blob", 60);
    // Which bytes are flipped is chance: of sixty, a few may hit what heads and ends a file.
    assert!(told >= 45, "{told} of 60: only heads and ends of files do not matter");
}

#[test]
fn a_flipped_bit_in_a_table_is_told() {
    let told = fuzz("sst", 40);
    assert!(told >= 13, "{told} of 40: parts of a table are not needed for reading");
}

#[test]
fn the_damaged_batch_is_named_and_those_before_it_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let wanted = filled(dir.path());
    for path in files(dir.path(), "blob") {
        let mut bytes = std::fs::read(&path).expect("read");
        let needle = b"0 15 3 xxx";
        if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
            bytes[at + 40] ^= 1;
            std::fs::write(&path, bytes).expect("written");
        }
    }
    let log = open(dir.path());
    let mut reader = reader(&log, Isolation::ReadCommitted, &[(place("orders", 0), 0)]);
    let mut found = Vec::new();
    let error = read_to_error(reader.as_mut(), &mut found).expect_err("damaged");
    let LogError::Corrupt(text) = &error else { panic!("{error:?}") };
    assert!(text.contains("orders/0") && text.contains("offset 120"), "{text}");
    let found: Vec<(u64, String)> = found.iter().flat_map(|run| shown(&run.records)).collect();
    assert_eq!(found, wanted[0][..120]);
    // The rest can be read.
    let after = contents(&log, &place("orders", 0), 128, Isolation::ReadCommitted);
    assert_eq!(after, wanted[0][128..]);
    assert_eq!(committed(&log, &place("orders", 1)), wanted[1]);
}

#[test]
fn a_missing_file_is_named() {
    for extension in ["blob", "sst"] {
        let dir = tempfile::tempdir().expect("a directory");
        let wanted = filled(dir.path());
        let missing = files(dir.path(), extension).remove(0);
        std::fs::remove_file(&missing).expect("removed");
        let error = match EmbeddedLog::open(dir.path(), &options()) {
            Err(error) => error,
            Ok(log) => read_checked(&log, 0, &wanted[0]).expect_err("it is missed"),
        };
        let name = missing.file_stem().and_then(|name| name.to_str()).expect("named");
        let text = error.to_string();
        assert!(text.contains(name) || text.contains("orders/0"), "{extension}: {text}");
    }
}

/// RocksDB keeps them; each kill during a flush would leave one.
#[test]
fn half_written_blob_files_are_removed_and_damaged_ones_are_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let wanted = filled(dir.path());
    // What was in the write-ahead log is in a file of its own now.
    drop(open(dir.path()));
    let whole = files(dir.path(), "blob");
    let torn = [(3, 0), (5, 20), (990_000, 100_000)].map(|(number, length)| {
        let path = dir.path().join(format!("db/{number:06}.blob"));
        std::fs::write(&path, vec![0; length]).expect("written");
        path
    });
    drop(open(dir.path()));
    assert!(torn.iter().all(|path| !path.exists()) && whole.iter().all(|path| path.exists()));
    let bytes = std::fs::read(&whole[0]).expect("read");
    std::fs::write(&whole[0], &bytes[..bytes.len() - 10]).expect("written");
    let log = open(dir.path());
    assert!(whole[0].exists(), "the damaged one is still there");
    assert!(matches!(read_checked(&log, 0, &wanted[0]), Err(LogError::Corrupt(_))));
}

#[test]
fn other_formats_and_other_logs_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()));
    let format = dir.path().join("format");
    let good = std::fs::read_to_string(&format).expect("read");
    let opened = |text: &str| {
        std::fs::write(&format, text).expect("written");
        EmbeddedLog::open(dir.path(), &options()).map(|_| ())
    };
    let newer = opened(&good.replace("format 1", "format 2")).expect_err("newer");
    assert!(matches!(&newer, LogError::Unsupported(text) if text.contains("newer build")), "{newer}");
    let older = opened(&good.replace("format 1", "format 0")).expect_err("older");
    assert!(matches!(older, LogError::Unsupported(_)), "{older}");
    assert!(matches!(opened("hello"), Err(LogError::Corrupt(_))));
    let other = opened(&good.replace("embedded-", "embedded-0")).expect_err("of another log");
    assert!(matches!(&other, LogError::Corrupt(text) if text.contains("same log")), "{other}");
    opened(&good).expect("as it was");
    // Lost beside an intact database: written again.
    std::fs::remove_file(&format).expect("removed");
    let cluster = open(dir.path()).info().cluster;
    assert!(good.contains(&cluster));
    std::fs::remove_dir_all(dir.path().join("db")).expect("removed");
    let gone = EmbeddedLog::open(dir.path(), &options()).map(|_| ()).expect_err("no database");
    assert!(matches!(&gone, LogError::Corrupt(text) if text.contains("no database")), "{gone}");
}

#[test]
fn a_log_is_only_made_where_it_is_wanted() {
    let dir = tempfile::tempdir().expect("a directory");
    let existing = EmbeddedOptions { create: false, ..options() };
    let missing = EmbeddedLog::open(dir.path().join("none"), &existing).map(|_| ()).expect_err("none");
    assert!(missing.to_string().contains("there is no log"), "{missing}");
    assert!(!dir.path().join("none").exists());
    let path = dir.path().join("some/where");
    drop(open(&path));
    drop(EmbeddedLog::open(&path, &existing).expect("it is there now"));
    let mode = std::fs::metadata(&path).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn one_process_has_it_and_others_are_told_who() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path());
    match EmbeddedLog::open(dir.path(), &options()).map(|_| ()) {
        Err(LogError::InUse { path, owner, advice }) => {
            assert_eq!(path, dir.path().display().to_string());
            assert!(owner.contains(&std::process::id().to_string()), "{owner}");
            assert!(advice.contains("use the one"), "{advice}");
        }
        other => panic!("{other:?}"),
    }
    // A client keeps it.
    let reader = reader(&log, Isolation::ReadCommitted, &[]);
    drop(log);
    assert!(matches!(EmbeddedLog::open(dir.path(), &options()), Err(LogError::InUse { .. })));
    drop(reader);
    drop(open(dir.path()));
    let name = std::fs::read_to_string(dir.path().join("lock")).expect("read");
    assert_eq!(name, "", "nobody's name stays");
}
