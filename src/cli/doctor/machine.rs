//! This machine: the disk that state is on, and its limits.

use super::{Finding, bad, good, poor};
use indicatif::BinaryBytes;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Free space below which an embedded log takes nothing more, and twice of that.
const FREE_BYTES_MIN: u64 = 256 << 20;
/// How often the disk is asked to keep something.
const SYNCS: usize = 20;
/// A disk that takes longer to keep something is slow.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// Open files that a job of some tasks needs: each has a database.
const FILES_MIN: u64 = 4_096;

pub(super) fn look(data: &Path) -> Vec<Finding> {
    // What is not there yet is made below what is.
    let place =
        data.ancestors().find(|place| place.is_dir()).map_or_else(|| PathBuf::from("."), Path::to_owned);
    let place = if place.as_os_str().is_empty() { PathBuf::from(".") } else { place };
    vec![space(&place), sync(&place), files(), memory()]
}

fn space(place: &Path) -> Finding {
    let shown = place.display();
    match fs4::available_space(place) {
        Err(error) => {
            bad("disk", format!("{shown}: {error}"), "name a directory that can be written with --log")
        }
        Ok(free) if free < FREE_BYTES_MIN => bad(
            "disk",
            format!("{} free at {shown}", BinaryBytes(free)),
            format!("the log takes nothing below {}: make room", BinaryBytes(FREE_BYTES_MIN)),
        ),
        Ok(free) if free < 4 * FREE_BYTES_MIN => {
            poor("disk", format!("{} free at {shown}", BinaryBytes(free)), "it fills soon: make room")
        }
        Ok(free) => good("disk", format!("{} free at {shown}", BinaryBytes(free))),
    }
}

/// How long the disk takes to keep what it was given.
fn sync(place: &Path) -> Finding {
    let path = place.join(format!(".millstream-doctor-{}", std::process::id()));
    let measured = measure(&path);
    let _ = std::fs::remove_file(&path);
    match measured {
        Err(error) => bad(
            "fsync",
            format!("{}: {error}", place.display()),
            "let this user write there, or name another directory with --log",
        ),
        Ok(times) => {
            let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
            let found = format!("{median:.1?} at the median, {longest:.1?} at most");
            match median > SYNC_SLOW {
                true => poor("fsync", found, "commits wait for this disk: a local SSD takes under 5 ms"),
                false => good("fsync", found),
            }
        }
    }
}

fn measure(path: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// A limit of this process, as the system lists it.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find(|line| line.starts_with(name))?;
    match line[name.len()..].split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn files() -> Finding {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match limit(&limits, "Max open files") {
        None => {
            poor("open files", "the system does not say how many", "see that there may be many: ulimit -n")
        }
        Some(files) if files < FILES_MIN => poor(
            "open files",
            format!("{files} at most"),
            "each task has a database of its own: ulimit -n 65536, or LimitNOFILE= in a unit",
        ),
        Some(u64::MAX) => good("open files", "as many as there are"),
        Some(files) => good("open files", format!("{files} at most")),
    }
}

fn memory() -> Finding {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = available.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    match kib.map(|kib| kib << 10) {
        None => poor(
            "memory",
            "the system does not say how much is free",
            "set millstream.memory to what may be used",
        ),
        Some(free) if free < 256 << 20 => poor(
            "memory",
            format!("{} free", BinaryBytes(free)),
            "a job plans with 1 GiB: SET 'millstream.memory' = '256 mb', or make room",
        ),
        Some(free) => good("memory", format!("{} free", BinaryBytes(free))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_system_lists_them() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max open files            1024                 1048576              files\n\
                    Max locked memory         unlimited            unlimited            bytes\n";
        assert_eq!(limit(text, "Max open files"), Some(1_024));
        assert_eq!(limit(text, "Max locked memory"), Some(u64::MAX));
        assert_eq!(limit(text, "Max nothing"), None);
    }

    #[test]
    fn a_place_that_is_not_there_is_looked_at_above() {
        let found = look(Path::new("/tmp/not/there/yet"));
        assert!(found[0].found.ends_with("at /tmp"), "{found:?}");
        let found = look(Path::new("./millstream-data-that-is-not-there"));
        assert!(found[1].help.is_none() || found[1].found.contains("median"), "{found:?}");
    }
}
