//! The socket's place. A socket's address holds about a hundred bytes of path; a directory's path may be longer.

use std::io;
use std::path::{Path, PathBuf};

/// Name of the socket in the log's directory.
pub(crate) const SOCKET: &str = "socket";
/// Lengths of path that every system takes.
const PATH_BYTES_MAX: usize = 100;

/// A path to the socket of a directory that fits an address.
#[derive(Debug)]
pub(crate) struct SocketPath {
    path: PathBuf,
    /// What the path goes through: it is valid while this is open.
    #[cfg(target_os = "linux")]
    _dir: Option<std::fs::File>,
}

impl SocketPath {
    /// The path for `dir`.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let path = dir.join(SOCKET);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(SocketPath { path, _dir: None });
        }
        // The directory by its descriptor: short, and for this process only.
        let dir = std::fs::File::open(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()));
        Ok(SocketPath { path, _dir: Some(dir) })
    }

    /// The path for `dir`.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(dir: &Path) -> io::Result<Self> {
        let path = dir.join(SOCKET);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(SocketPath { path });
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a socket's path has at most {PATH_BYTES_MAX} bytes here: use a shorter directory"),
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
