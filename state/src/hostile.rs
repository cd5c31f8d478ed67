//! What decoders of this crate do with bytes that are damaged or foreign: no panic, and no memory by a number that stands
//! in them.

use crate::export::read_pairs;
use crate::{CheckpointMark, Delta, SnapshotFile, SnapshotManifest, StateIdentity, StoreId, content_name};
use millstream_test_support::mutation::survives;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn a_damaged_delta_costs_no_more_than_its_bytes() {
    let mut delta = Delta::default();
    for row in 0..20_u32 {
        delta.block(StoreId(3)).put(&row.to_be_bytes(), &vec![7; row as usize]);
        delta.block(StoreId(1)).delete(&row.to_le_bytes());
    }
    let mut bytes = Vec::new();
    delta.encode(&mut bytes);
    survives("delta", &bytes, 300, |bytes| {
        // What is read is used as well.
        if let Some(delta) = Delta::decode(bytes) {
            for (_, block) in delta.blocks() {
                assert!((0..block.len()).all(|row| block.row(row).0.len() <= bytes.len()));
                block.sorted();
            }
        }
    });
}

#[test]
fn a_damaged_identity_or_mark_costs_no_more_than_its_bytes() {
    let name = |text: &str| text.to_owned();
    let (cluster, job, incarnation, task) = (name("cluster"), name("job"), name("17"), name("0-0"));
    let identity = StateIdentity { cluster, job, incarnation, task };
    let path = Path::new("here");
    survives("identity", &identity.encode(), 10, |bytes| drop(StateIdentity::decode(path, bytes)));
    let mark = CheckpointMark { number: 7, hash: 8, journal_offset: 9 };
    survives("mark", &mark.encode(), 10, |bytes| drop(CheckpointMark::decode(path, bytes)));
}

#[test]
fn a_damaged_manifest_costs_no_more_than_its_bytes() {
    let name = |text: &str| text.to_owned();
    let (cluster, job, incarnation, task) = (name("cluster"), name("job"), name("17"), name("0-0"));
    let identity = StateIdentity { cluster, job, incarnation, task };
    let files = (0..5).map(|number| SnapshotFile {
        name: format!("{number:06}.sst"),
        bytes: 99,
        content: content_name(&[number]),
        object: format!("o/{number}"),
    });
    let mark = CheckpointMark { number: 7, hash: 8, journal_offset: 9 };
    let manifest = SnapshotManifest::new(&identity, name("ff"), mark, files.collect());
    let sound = manifest.encode();
    survives("manifest", &sound, 100, |bytes| drop(SnapshotManifest::decode("here", bytes)));
    // A stranger knows how to make the checksum.
    let body = &sound[..sound.len() - "blake3 ".len() - 64 - 1];
    survives("manifest with a right checksum", body, 100, |body| {
        let sealed = [body, b"blake3 ", content_name(body).as_bytes(), b"\n"].concat();
        if let Ok(manifest) = SnapshotManifest::decode("here", &sealed) {
            let _ = (manifest.bytes(), manifest.mark());
        }
    });
}

#[test]
fn a_damaged_file_of_pairs_costs_no_more_than_its_bytes() {
    let mut pairs = Vec::new();
    for part in ["key", "value", "", "", "other key", "v"] {
        pairs.extend((part.len() as u32).to_le_bytes());
        pairs.extend(part.as_bytes());
    }
    survives("pairs", &pairs, 100, |bytes| read_pairs(bytes, &mut BTreeMap::new()));
}
