//! What a fleet keeps over restarts: a directory with a file for each thing.
//!
//! `NAME.sql` is a text that was submitted; `NAME.wanted` says `paused` or `stopped` of any job, and is not there for one
//! that is to run. A file is written beside its place, made to survive a power cut, and moved there: it is old or new.

use super::TEXT_BYTES_MAX;
use super::orders::Wanted;
use crate::problem::Problem;
use millstream_operators::records::names::job_name;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a file of the directory is read to at most.
const FILE_BYTES_MAX: u64 = TEXT_BYTES_MAX as u64;

#[derive(Debug)]
pub(super) struct Kept {
    directory: PathBuf,
}

impl Kept {
    /// What is kept in a directory, which is there.
    pub(super) fn open(directory: &Path) -> Result<Self, Problem> {
        let kept = Kept { directory: directory.to_owned() };
        // What a process that was killed left half written.
        kept.each(|name| {
            if name.ends_with(".new") {
                let _ = std::fs::remove_file(directory.join(name));
            }
        })?;
        Ok(kept)
    }

    fn failed(&self, what: &str, error: &std::io::Error) -> Problem {
        Problem::failure(format!("{}: {error}", self.directory.join(what).display()))
    }

    fn each(&self, mut of: impl FnMut(&str)) -> Result<(), Problem> {
        let entries = std::fs::read_dir(&self.directory).map_err(|error| self.failed("", &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| self.failed("", &error))?;
            // Names that are no text are not ours.
            entry.file_name().to_str().into_iter().for_each(&mut of);
        }
        Ok(())
    }

    /// The texts that were submitted, by name.
    pub(super) fn submitted(&self) -> Result<BTreeMap<String, String>, Problem> {
        let mut names = Vec::new();
        self.each(|file| {
            let name = file.strip_suffix(".sql").filter(|name| job_name(name).is_ok());
            names.extend(name.map(str::to_owned));
        })?;
        let mut texts = BTreeMap::new();
        for name in names {
            let text = self.read(&format!("{name}.sql"))?;
            texts.extend(text.map(|text| (name, text)));
        }
        Ok(texts)
    }

    /// What is wanted of a job. What can't be read counts as stopped: a job that somebody has stopped is not run by guess.
    pub(super) fn wanted(&self, name: &str) -> Wanted {
        match self.read(&format!("{name}.wanted")) {
            Ok(None) => Wanted::Running,
            Ok(Some(word)) if word.trim() == Wanted::Paused.name() => Wanted::Paused,
            Ok(Some(_)) => Wanted::Stopped,
            Err(problem) => {
                tracing::warn!("{}", problem.detail);
                Wanted::Stopped
            }
        }
    }

    pub(super) fn keep_text(&self, name: &str, text: &str) -> Result<(), Problem> {
        self.write(&format!("{name}.sql"), text)
    }

    pub(super) fn keep_wanted(&self, name: &str, wanted: Wanted) -> Result<(), Problem> {
        let file = format!("{name}.wanted");
        match wanted {
            Wanted::Running => self.remove(&file),
            Wanted::Paused | Wanted::Stopped => self.write(&file, wanted.name()),
        }
    }

    /// Forgets a job. What stays of it after an error comes back at the next start, and is said.
    pub(super) fn forget(&self, name: &str) {
        for file in [format!("{name}.sql"), format!("{name}.wanted")] {
            if let Err(problem) = self.remove(&file) {
                tracing::warn!("{}", problem.detail);
            }
        }
    }

    fn read(&self, file: &str) -> Result<Option<String>, Problem> {
        let open = match File::open(self.directory.join(file)) {
            Ok(open) => open,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(file, &error)),
        };
        let mut text = String::new();
        open.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| self.failed(file, &error))?;
        Ok(Some(text))
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Problem> {
        let (path, new) = (self.directory.join(file), self.directory.join(format!("{file}.new")));
        let write = || {
            // A text may hold a password.
            let mut open =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            open.write_all(text.as_bytes())?;
            open.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|error| self.failed(file, &error))
    }

    fn remove(&self, file: &str) -> Result<(), Problem> {
        match std::fs::remove_file(self.directory.join(file)) {
            Ok(()) => File::open(&self.directory).and_then(|open| open.sync_all()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| self.failed(file, &error))
    }
}
