//! The state directory of a process: one owner at a time, and a name that stays.

use crate::error::JobError;
use crate::log::LogError;
use fs4::FileExt;
use millstream_state::StateError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Ownership of a state directory, until it is dropped.
#[derive(Debug)]
pub struct StateLock {
    instance: String,
    _file: File,
}

impl StateLock {
    /// Takes a directory, making it when it is not there. Only its owner can read it: it holds what users wrote.
    ///
    /// # Errors
    /// [`JobError::StateInUse`] names the process that has it.
    pub fn take(path: &Path) -> Result<Self, JobError> {
        let failed = |error: std::io::Error| {
            JobError::Log(LogError::Client(format!("state directory {}: {error}", path.display())))
        };
        create_private(path).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(failed)?;
        if !FileExt::try_lock(&file).is_ok_and(|()| true) {
            return Err(JobError::StateInUse {
                path: path.display().to_string(),
                owner: owner_of(&mut file),
            });
        }
        let command: Vec<String> = std::env::args().collect();
        let owner = format!("process {} ({})\n", std::process::id(), command.join(" "));
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
        file.write_all(owner.as_bytes()).map_err(failed)?;
        let instance = instance(path)?;
        Ok(StateLock { instance, _file: file })
    }

    /// A name that stays with the directory: group membership and transactions of its process are known by it.
    pub fn instance(&self) -> String {
        self.instance.clone()
    }
}

fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Bytes of the files of one line that are looked at.
const LINE_BYTES_MAX: u64 = 4_096;
/// How long the name of a directory may be: names of groups' members and of transactions begin with that of the job.
const INSTANCE_BYTES_MAX: usize = 64;

/// Who says in the lock file that it has the directory.
fn owner_of(lock: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = lock.take(LINE_BYTES_MAX).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).collect();
    if read.is_err() || text.is_empty() { "another process".to_owned() } else { text }
}

/// The directory's name, made when it is not there.
fn instance(path: &Path) -> Result<String, StateError> {
    let file = path.join("instance");
    let failed = |source: std::io::Error| StateError::Io { path: file.clone(), source };
    let mut bytes = Vec::new();
    match File::open(&file).and_then(|open| open.take(LINE_BYTES_MAX).read_to_end(&mut bytes)) {
        // What a power cut leaves of a file that was never on disk: nobody has gone by that name.
        Ok(0) => {}
        Ok(_) => return instance_of(&bytes).ok_or_else(|| damaged(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let instance = format!("{:016x}", rand::random::<u64>());
    let fresh = path.join("instance.new");
    // On disk before it has its name: a power cut leaves no empty one.
    let written = File::create(&fresh).and_then(|mut open| {
        open.write_all(format!("{instance}\n").as_bytes())?;
        open.sync_all()
    });
    written.and_then(|()| std::fs::rename(fresh, &file)).map_err(failed)?;
    Ok(instance)
}

/// A name as it is written: a line of letters and digits. Anything else may not be part of names elsewhere.
fn instance_of(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let is_name =
        (1..=INSTANCE_BYTES_MAX).contains(&line.len()) && line.iter().all(u8::is_ascii_alphanumeric);
    is_name.then(|| String::from_utf8_lossy(line).into_owned())
}

fn damaged(path: &Path) -> StateError {
    StateError::Damaged { path: path.into(), detail: "its file \"instance\" holds no name".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_with_its_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = StateLock::take(directory.path()).expect("taken").instance();
        let second = StateLock::take(directory.path()).expect("taken again").instance();
        assert_eq!(first, second);
        assert_eq!(first.len(), 16);
        std::fs::write(directory.path().join("instance"), "").expect("emptied");
        assert_ne!(StateLock::take(directory.path()).expect("taken").instance(), first);
    }

    /// Zeros ended the process in the name of a thread, and long text made its members wait for ever.
    #[test]
    fn an_instance_file_that_holds_no_name_is_refused_as_other_damage_is() {
        let long = "x".repeat(100_000);
        for content in ["\0".repeat(17).as_str(), &long, "\n", "a b\n", "a\nb\n", "ä\n", "../up\n"] {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::write(directory.path().join("instance"), content).expect("written");
            let refused = StateLock::take(directory.path()).map(|lock| lock.instance());
            let Err(JobError::State(error @ StateError::Damaged { .. })) = refused else {
                panic!("{content:?}: {refused:?}");
            };
            assert!(error.to_string().contains("instance"), "{error}");
        }
    }

    #[test]
    fn whoever_has_a_directory_is_named_whatever_the_file_says() {
        let directory = tempfile::tempdir().expect("a directory");
        let held = StateLock::take(directory.path()).expect("taken");
        let refused = StateLock::take(directory.path()).expect_err("in use").to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        for content in [vec![0xff; 1 << 20], vec![0; 100], Vec::new()] {
            std::fs::write(directory.path().join("lock"), content).expect("written");
            let refused = StateLock::take(directory.path()).expect_err("in use").to_string();
            assert!(refused.contains("in use by") && refused.len() < 20_000, "{}", refused.len());
        }
        drop(held);
    }
}
