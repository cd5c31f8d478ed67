//! Kafka's jars, from Maven into a cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names the version; what has to be fetched.
const POM: &str = include_str!("../../kafka/pom.xml");
/// Written beside the jars: from which pom they are.
const POM_NAME: &str = "pom.xml";

/// The directory with the jars. Fetches them if they are not there: into a directory that gets its name only when it
/// is complete, one process at a time.
pub(super) fn jars() -> Result<PathBuf, String> {
    let version = between(POM, "<kafka.version>", "</kafka.version>").ok_or("the pom names no version")?;
    let cache = cache_dir()?;
    let jars = cache.join(format!("kafka-{version}"));
    if is_complete(&jars) {
        return Ok(jars);
    }
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    let path = cache.join(format!("kafka-{version}.lock"));
    let lock = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    lock.lock().map_err(|error| format!("{}: {error}", path.display()))?;
    if !is_complete(&jars) {
        fetch(&cache, &jars)?;
    }
    Ok(jars)
}

fn is_complete(jars: &Path) -> bool {
    fs::read_to_string(jars.join(POM_NAME)).is_ok_and(|pom| pom == POM)
}

fn fetch(cache: &Path, jars: &Path) -> Result<(), String> {
    eprintln!("fetching Kafka into {}", jars.display());
    let failed = |error: std::io::Error| format!("{}: {error}", cache.display());
    let place = tempfile::Builder::new().prefix("kafka-").tempdir_in(cache).map_err(failed)?;
    fs::write(place.path().join(POM_NAME), POM).map_err(failed)?;
    let output = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=."])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("mvn (Apache Maven) can't be started: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        let said: Vec<&str> = said.lines().take(8).collect();
        return Err(format!("mvn could not fetch it ({}): {}", output.status, said.join("\n")));
    }
    // Jars of another pom, if any.
    let _ = fs::remove_dir_all(jars);
    fs::rename(place.path(), jars).map_err(failed)
}

fn cache_dir() -> Result<PathBuf, String> {
    if let Some(cache) = std::env::var_os("MILLSTREAM_TEST_CACHE") {
        return Ok(cache.into());
    }
    let home = std::env::var_os("HOME").ok_or("neither MILLSTREAM_TEST_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/millstream"))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
