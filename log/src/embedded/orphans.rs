//! Blob files that a killed process left half-written.
//!
//! RocksDB removes tables that belong to nothing when it opens a database, but keeps every blob file without a footer,
//! for the sake of a mode that is not used here. Each kill during a flush would leave tens of megabytes for ever. A
//! blob file that belongs to the database has its footer, unless it is damaged: so files without one are removed only
//! where those with one are all that the database knows of, by number and by size.

use rocksdb::DB;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Length of a blob file's footer, and the number it begins with.
const FOOTER_BYTES: u64 = 32;
const FOOTER_MAGIC: [u8; 4] = 2_395_959u32.to_le_bytes();

/// Removes blob files without a footer from a database that was just opened.
pub(crate) fn remove_orphans(db: &DB) {
    if let Err(error) = try_remove(db) {
        tracing::warn!(%error, db = %db.path().display(), "can't remove half-written blob files");
    }
}

fn try_remove(db: &DB) -> io::Result<()> {
    let mut torn: Vec<PathBuf> = Vec::new();
    let (mut whole_count, mut whole_bytes) = (0, 0);
    for file in fs::read_dir(db.path())? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "blob") {
            continue;
        }
        match footed_bytes(&path)? {
            Some(bytes) => {
                whole_count += 1;
                whole_bytes += bytes;
            }
            None => torn.push(path),
        }
    }
    let known = |name: &str| db.property_int_value(name).ok().flatten();
    let all_known = known("rocksdb.num-blob-files") == Some(whole_count)
        && known("rocksdb.live-blob-file-size") == Some(whole_bytes);
    if !torn.is_empty() && !all_known {
        tracing::warn!(files = torn.len(), "blob files without an end are kept: one of them may be needed");
        return Ok(());
    }
    torn.iter().try_for_each(fs::remove_file)
}

/// The length of a blob file that ends with a footer.
fn footed_bytes(path: &Path) -> io::Result<Option<u64>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes < FOOTER_BYTES {
        return Ok(None);
    }
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, bytes - FOOTER_BYTES)?;
    Ok((magic == FOOTER_MAGIC).then_some(bytes))
}
