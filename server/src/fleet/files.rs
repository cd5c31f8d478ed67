//! Jobs that are files of a directory: one that is added, changed or removed is taken up.
//!
//! A change is taken up once a file has stayed as it is for a moment: an editor writes it in steps. A directory that can't be
//! read changes nothing: it is not empty.

use super::orders::Text;
use super::{Entry, Fleet, Origin, TEXT_BYTES_MAX};
use crate::problem::Problem;
use axum::http::StatusCode;
use millstream_operators::records::names::job_name;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often the directory is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A file as it was when it was looked at: what changes when it does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Seen { length: metadata.len(), modified: metadata.modified().ok(), inode: metadata.ino() }
    }
}

/// The files of the directory that are jobs, by name.
fn found(directory: &Path) -> std::io::Result<BTreeMap<String, (PathBuf, Seen)>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_sql = path.extension().is_some_and(|extension| extension == "sql");
        let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let (Some(name), true) = (name, is_sql) else { continue };
        // A file that goes while it is looked at is gone; editors hide what they write.
        let metadata = std::fs::metadata(&path).ok().filter(|metadata| metadata.is_file());
        if let (Some(metadata), false) = (metadata, name.starts_with('.')) {
            files.insert(name, (path, Seen::of(&metadata)));
        }
    }
    Ok(files)
}

/// Takes up what is in the directory, and begins to look at it.
pub(super) fn look(fleet: Fleet, directory: PathBuf) -> Result<JoinHandle<()>, Problem> {
    let failed = |error: std::io::Error| {
        Problem::bad(format!("the directory of jobs, {}: {error}", directory.display()))
    };
    let mut files = Files { fleet, taken: BTreeMap::new(), seen: found(&directory).map_err(failed)? };
    files.take(&files.seen.clone());
    let thread = std::thread::Builder::new().name("files".to_owned());
    let directory = directory.clone();
    let look = move || {
        while !files.fleet.is_ending() {
            std::thread::sleep(LOOK);
            files.look(&directory);
        }
    };
    thread.spawn(look).map_err(|error| Problem::failure(format!("a thread for files: {error}")))
}

struct Files {
    fleet: Fleet,
    /// As they were taken up.
    taken: BTreeMap<String, Seen>,
    /// As they were at the last look.
    seen: BTreeMap<String, (PathBuf, Seen)>,
}

impl Files {
    fn look(&mut self, directory: &Path) {
        match found(directory) {
            Ok(now) => {
                let before = std::mem::replace(&mut self.seen, now.clone());
                let gone: Vec<String> =
                    self.taken.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
                gone.iter().for_each(|name| self.give_up(name));
                let at_rest = now.into_iter().filter(|(name, seen)| before.get(name) == Some(seen));
                self.take(&at_rest.collect());
            }
            Err(error) => tracing::warn!(%error, "can't look at the directory of jobs"),
        }
    }

    /// Takes up the files that are otherwise than they were.
    fn take(&mut self, files: &BTreeMap<String, (PathBuf, Seen)>) {
        for (name, (path, seen)) in files {
            if self.taken.insert(name.clone(), seen.clone()).as_ref() == Some(seen) || self.fleet.is_ending()
            {
                continue;
            }
            let origin = Origin::File(path.clone());
            let text = match job_name(name) {
                Ok(()) => read(path),
                Err(why) => Err(Problem::bad(format!(
                    "no job can be called as the file {} is: {why}",
                    path.display()
                ))),
            };
            let mut jobs = self.fleet.jobs();
            match jobs.get(name) {
                Some(Entry { origin: Origin::Submitted, diary, .. }) => {
                    let text = format!(
                        "{} is not taken up: a job of this name was submitted; remove that, or rename the file",
                        path.display()
                    );
                    tracing::warn!(job = name, "{text}");
                    diary.note(&text);
                }
                // It was removed, and is there again before the job has ended.
                Some(entry) if entry.is_going() => {
                    self.taken.remove(name);
                }
                Some(entry) => {
                    entry.diary.note("its file has changed");
                    entry.orders.give(|order| order.text = text);
                }
                None => {
                    if let Err(problem) = self.fleet.add(&mut jobs, name, origin.clone(), text) {
                        self.fleet.refuse(name, &origin, problem);
                    }
                }
            }
        }
    }

    fn give_up(&mut self, name: &str) {
        self.taken.remove(name);
        let jobs = self.fleet.jobs();
        match jobs.get(name).map(|entry| &entry.origin) {
            Some(Origin::File(_)) => self.fleet.forget(&jobs, name),
            Some(Origin::Submitted) => {}
            // It was refused.
            None => self.fleet.inner.board.forget(name),
        }
    }
}

fn read(path: &Path) -> Text {
    let failed = |detail: String| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{}: {detail}", path.display()))
    };
    let bytes = std::fs::metadata(path).and_then(|metadata| match metadata.len() <= TEXT_BYTES_MAX as u64 {
        true => std::fs::read(path),
        false => Err(std::io::Error::other(format!("it is longer than {TEXT_BYTES_MAX} bytes"))),
    });
    let bytes = bytes.map_err(|error| failed(error.to_string()))?;
    let text =
        String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8; save it as UTF-8".to_owned()))?;
    Ok(text.into())
}
