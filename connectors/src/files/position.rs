//! Up to where a partition's records are in files, as it stands on the disk beside them.
//!
//! ```text
//! millstream files 1
//! topic tsN8..          the topic whose offsets these are
//! from 100              the files below have the records from here
//! next 250              up to here, and all before
//! file day=2024-05-01/part-job-table-0-100-250.json
//! check 8d1f..          over the lines before
//! ```
//! It is replaced as a whole, and with that the files it names count as there: those that still have to be given their names
//! are given them by whoever reads it next.

use super::part::{in_file, step, sync_directory};
use millstream_operators::Offset;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// The file's name.
const NAME: &str = "position";
/// Its first line.
const HEAD: &str = "millstream files 1";
/// More than it can ever have.
const BYTES_MAX: u64 = 4 << 20;

/// Where a partition stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// What tells the topic from others.
    pub(super) topic_id: String,
    /// Where the files begin.
    pub(super) from: Offset,
    /// The offset before which all records are in files.
    pub(super) next: Offset,
    /// The files with the records from `from` to `next`, below the table's path.
    pub(super) files: Vec<String>,
}

impl Position {
    /// What stands in a directory; `None` where nothing does.
    pub(super) fn read(home: &Path) -> Result<Option<Self>, String> {
        let path = home.join(NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(in_file(&path)(error)),
        };
        let mut text = String::new();
        file.take(BYTES_MAX).read_to_string(&mut text).map_err(in_file(&path))?;
        match Self::parse(&text) {
            Some(position) => Ok(Some(position)),
            None => Err(format!(
                "{} is damaged: up to where records are in files is lost. Give it back as it was; or start the job under \
                 another name (--job)",
                path.display()
            )),
        }
    }

    /// Replaces what stands in a directory.
    pub(super) fn store(&self, home: &Path) -> Result<(), String> {
        let (path, new) = (home.join(NAME), home.join("position.new"));
        step()?;
        let mut file = File::create(&new).map_err(in_file(&new))?;
        file.write_all(self.text().as_bytes()).map_err(in_file(&new))?;
        file.sync_all().map_err(in_file(&new))?;
        step()?;
        std::fs::rename(&new, &path).map_err(in_file(&path))?;
        sync_directory(home)
    }

    fn text(&self) -> String {
        let Position { topic_id, from, next, files } = self;
        let mut text = format!("{HEAD}\ntopic {topic_id}\nfrom {from}\nnext {next}\n");
        for file in files {
            text.push_str(&format!("file {file}\n"));
        }
        let check = xxh3_64(text.as_bytes());
        text.push_str(&format!("check {check:016x}\n"));
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let (lines, check) = text.split_at(text.rfind("check ")?);
        if check != format!("check {:016x}\n", xxh3_64(lines.as_bytes())) {
            return None;
        }
        let mut lines = lines.lines();
        let mut line = |word: &str| lines.next()?.strip_prefix(word);
        line(HEAD)?;
        let topic_id = line("topic ")?.to_owned();
        let from = line("from ")?.parse().ok()?;
        let next = line("next ")?.parse().ok()?;
        let files = lines.map(|line| line.strip_prefix("file ").map(str::to_owned));
        Some(Position { topic_id, from, next, files: files.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_and_a_damaged_one_is_named() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Position::read(directory.path()), Ok(None));
        let position = Position {
            topic_id: "tsN8".to_owned(),
            from: 7,
            next: 19,
            files: vec!["a=check /part-1".to_owned(), "part-2".to_owned()],
        };
        position.store(directory.path()).unwrap();
        assert_eq!(Position::read(directory.path()), Ok(Some(position.clone())));
        let whole = position.text().into_bytes();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(std::str::from_utf8(&damaged).ok().and_then(Position::parse).is_none(), "byte {at}");
            assert!(
                std::str::from_utf8(&whole[..at]).ok().and_then(Position::parse).is_none(),
                "cut at {at}"
            );
        }
        std::fs::write(directory.path().join(NAME), &whole[..40]).unwrap();
        assert!(Position::read(directory.path()).unwrap_err().contains("is damaged"));
    }
}
