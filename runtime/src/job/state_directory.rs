//! The state directory of a process: one owner at a time, and a name that stays.

use crate::error::JobError;
use crate::log::LogError;
use fs4::FileExt;
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
            let mut owner = String::new();
            let read = file.read_to_string(&mut owner);
            let owner = read.ok().map(|_| owner.trim().to_owned()).filter(|owner| !owner.is_empty());
            let owner = owner.unwrap_or_else(|| "another process".to_owned());
            return Err(JobError::StateInUse { path: path.display().to_string(), owner });
        }
        let command: Vec<String> = std::env::args().collect();
        let owner = format!("process {} ({})\n", std::process::id(), command.join(" "));
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
        file.write_all(owner.as_bytes()).map_err(failed)?;
        let instance = instance(path).map_err(failed)?;
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

/// The directory's name, made when it is not there.
fn instance(path: &Path) -> std::io::Result<String> {
    let file = path.join("instance");
    match std::fs::read_to_string(&file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let instance = format!("{:016x}", rand::random::<u64>());
    let fresh = path.join("instance.new");
    std::fs::write(&fresh, format!("{instance}\n"))?;
    std::fs::rename(fresh, file)?;
    Ok(instance)
}
