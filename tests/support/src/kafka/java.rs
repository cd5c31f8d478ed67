//! Running Java with Kafka's jars.

use super::{available, fetch};
use std::path::Path;
use std::process::{Command, Stdio};

/// A Java command with Kafka's jars on the class path. Small and quick to start rather than fast for long.
pub(super) fn command(jars: &Path, heap_mb: u32) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xms64m", &format!("-Xmx{heap_mb}m"), "-XX:+UseSerialGC", "-Xshare:auto"])
        .arg("-cp")
        .arg(jars.join("*"))
        .stdin(Stdio::null());
    command
}

/// Whether Java is there.
pub(super) fn look() -> Result<(), String> {
    let found = Command::new("java").arg("-version").stdin(Stdio::null()).output();
    found.map(|_| ()).map_err(|error| format!("java can't be started: {error}"))
}

/// Runs a Java program of one source file with Kafka's jars on the class path and gives what it printed; `None` where
/// there is no Java or no Kafka.
///
/// # Panics
/// When the program fails.
pub fn run_source(file_name: &str, source: &str, arguments: &[&str]) -> Option<String> {
    let jars = available(look().and_then(|()| fetch::jars()))?;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join(file_name);
    std::fs::write(&path, source).expect("a temporary file");
    let output =
        command(&jars, 256).arg(&path).args(arguments).output().expect("java was there a moment ago");
    assert!(output.status.success(), "{file_name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
