//! A log's directory: who owns it, and which format it has.
//!
//! ```text
//! DIR/lock       held while a process owns the log; says which one
//! DIR/format     format version and cluster id, as text; written once the database is complete
//! DIR/db/        the database
//! DIR/synced     the last write known to be on disk
//! DIR/socket     where the owner serves other processes
//! ```
//!
//! The directory is for its owner's eyes only (mode 0700).

use super::EmbeddedOptions;
use crate::LogError;
use crate::clock::Clock;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The format that this build writes, and the newest it reads.
pub(crate) const FORMAT: u32 = 1;
/// The oldest format that this build reads.
const FORMAT_MIN: u32 = 1;

/// A directory that this process owns. Another process can have it once this is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    lock: File,
}

/// Who owns a directory, as its lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    pub(crate) command: String,
    pub(crate) started_ms: i64,
    /// Whether it serves other processes.
    pub(crate) serves: bool,
}

impl Owner {
    /// This process.
    fn this(clock: &dyn Clock, serves: bool) -> Self {
        let words: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
        Owner { pid: std::process::id(), command: words.join(" "), started_ms: clock.wall_ms(), serves }
    }

    /// The owner that the lock file of a directory names; `None` when it names none, or is being written.
    pub(crate) fn of(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&read_start(&dir.join(LOCK)).ok()?).ok()
    }
}

/// The directory of the log that is meant by `dir`: itself, or `log` below it, where the command keeps it beside the state of
/// jobs. `None` where there is none yet.
///
/// # Errors
/// [`LogError::Client`] when there is one in both.
pub(crate) fn find(dir: &Path) -> Result<Option<PathBuf>, LogError> {
    let holds_log = |dir: &Path| dir.join("format").exists() || dir.join("db").join("CURRENT").exists();
    let below = dir.join("log");
    match (holds_log(dir), holds_log(&below)) {
        (true, true) => Err(LogError::Client(format!(
            "there are two logs: one in {}, and one in {}; name the second by its own directory, or move one of them \
             elsewhere",
            dir.display(),
            below.display()
        ))),
        (true, false) => Ok(Some(dir.to_owned())),
        (false, true) => Ok(Some(below)),
        (false, false) => Ok(None),
    }
}

/// Tries to take the lock, and the pause between them: 200 ms.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
const LOCK: &str = "lock";
/// Bytes of the lock and the format file that are looked at: a command line is the longest of what stands there.
const SMALL_BYTES_MAX: u64 = 1 << 20;

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pid == std::process::id() {
            return write!(f, "this very process (pid {})", self.pid);
        }
        write!(f, "process {} ({})", self.pid, self.command)
    }
}

/// What the small files of a directory have, and no more of one that has become large.
fn read_start(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SMALL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes the lock, and tries again for a moment: where the process that closed the log was starting another program just
/// then, the child has the lock until it runs.
fn lock_patiently(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            taken => return taken,
        }
    }
    lock.try_lock()
}

impl Directory {
    /// Takes the directory, making it first where the options say so.
    ///
    /// # Errors
    /// [`LogError::InUse`] naming the owner.
    pub(crate) fn take(path: &Path, options: &EmbeddedOptions, clock: &dyn Clock) -> Result<Self, LogError> {
        let failed = |doing: &str, error: std::io::Error| {
            LogError::Client(format!("can't {doing} the log's directory {}: {error}", path.display()))
        };
        if options.create {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.map_err(|error| failed("make", error))?;
        } else if !path.join("format").exists() {
            return Err(LogError::Client(format!("there is no log in {}", path.display())));
        }
        let private = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
        private.map_err(|error| failed("protect", error))?;
        let mut file = OpenOptions::new();
        file.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = file.open(path.join(LOCK)).map_err(|error| failed("lock", error))?;
        match lock_patiently(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", error)),
        }
        let owner = Owner::this(clock, options.serve);
        let written = serde_json::to_vec(&owner).map_err(std::io::Error::other).and_then(|owner| {
            lock.set_len(0)?;
            lock.rewind()?;
            lock.write_all(&owner)
        });
        written.map_err(|error| failed("lock", error))?;
        Ok(Directory { path: path.to_owned(), lock })
    }

    /// The cluster id of the log in it; `None` when the format file has not been written yet.
    ///
    /// # Errors
    /// [`LogError::Unsupported`] for a format of another build, [`LogError::Corrupt`] for what is not one.
    pub(crate) fn cluster(&self) -> Result<Option<String>, LogError> {
        let path = self.path.join("format");
        let text = match read_start(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(LogError::Client(format!("can't read {}: {error}", path.display())));
            }
        };
        parse_format(&text).map(Some).map_err(|problem| problem.named(&path))
    }

    /// Says that the database is complete.
    pub(crate) fn set_cluster(&self, cluster: &str) -> Result<(), LogError> {
        let text = format!("{TITLE} {FORMAT}\ncluster {cluster}\n");
        let (path, draft) = (self.path.join("format"), self.path.join("format.new"));
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.path)?.sync_all()
        });
        written.map_err(|error| LogError::Client(format!("can't write {}: {error}", path.display())))
    }

    /// Whether a database has been begun in it.
    pub(crate) fn has_database(&self) -> bool {
        self.path.join("db").join("CURRENT").exists()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nobody is misled by the name of an owner that is gone: the lock decides. But a clean file is clearer.
        let _ = self.lock.set_len(0);
    }
}

const TITLE: &str = "millstream embedded log, format";

#[derive(Debug, PartialEq, Eq)]
enum FormatProblem {
    Newer(u32),
    Older(u32),
    Unreadable,
}

impl FormatProblem {
    fn named(&self, path: &Path) -> LogError {
        let path = path.display();
        match self {
            FormatProblem::Newer(found) => LogError::Unsupported(format!(
                "{path}: the log has format {found}, this build reads up to {FORMAT}; use the newer build that wrote \
                 it"
            )),
            FormatProblem::Older(found) => LogError::Unsupported(format!(
                "{path}: the log has format {found}, this build reads {FORMAT_MIN} and newer; read it with the build \
                 that wrote it and copy its topics"
            )),
            FormatProblem::Unreadable => LogError::Corrupt(format!(
                "{path} does not say which format the log has: it is damaged, or the directory is not a log's"
            )),
        }
    }
}

fn parse_format(text: &str) -> Result<String, FormatProblem> {
    let mut lines = text.lines();
    let format = lines.next().and_then(|line| line.strip_prefix(TITLE)?.trim().parse::<u32>().ok());
    match format.ok_or(FormatProblem::Unreadable)? {
        newer if newer > FORMAT => Err(FormatProblem::Newer(newer)),
        older if older < FORMAT_MIN => Err(FormatProblem::Older(older)),
        _ => {
            let cluster = lines.next().and_then(|line| line.strip_prefix("cluster "));
            cluster.map(str::to_owned).ok_or(FormatProblem::Unreadable)
        }
    }
}

fn in_use(path: &Path) -> LogError {
    let owner = Owner::of(path);
    let advice = match &owner {
        Some(owner) if owner.pid == std::process::id() => "use the one that is open".to_owned(),
        Some(owner) if owner.serves => format!(
            "stop it first (kill {}, or Ctrl-C where it runs), or put the statements of both jobs into one file: one \
             process at a time runs jobs on an embedded log, topic commands reach it through that process",
            owner.pid
        ),
        Some(owner) => format!("stop it first (kill {}, or Ctrl-C where it runs)", owner.pid),
        None => "stop it first".to_owned(),
    };
    LogError::InUse {
        path: path.display().to_string(),
        owner: owner.map_or_else(|| "another process".to_owned(), |owner| owner.to_string()),
        advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart() {
        let text = |format: u32| format!("{TITLE} {format}\ncluster abc\n");
        assert_eq!(parse_format(&text(FORMAT)), Ok("abc".to_owned()));
        assert_eq!(parse_format(&text(FORMAT + 1)), Err(FormatProblem::Newer(FORMAT + 1)));
        assert_eq!(parse_format(&text(0)), Err(FormatProblem::Older(0)));
        assert_eq!(parse_format("something else"), Err(FormatProblem::Unreadable));
        assert_eq!(parse_format(&format!("{TITLE} 1\n")), Err(FormatProblem::Unreadable));
    }
}
