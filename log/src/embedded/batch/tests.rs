//! Every batch comes back, and no damaged one does.

use super::encode::DATA_BYTES_MAX;
use super::*;
use millstream_records::{Headers, Record, Records, RecordsBuilder};
use proptest::prelude::*;

type Row = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300));
    let headers = proptest::collection::vec(("[a-z]{0,5}", bytes()), 0..3);
    proptest::collection::vec((any::<i64>(), bytes(), bytes(), headers), 1..20)
}

fn records(rows: &[Row]) -> Records {
    let mut builder = RecordsBuilder::default();
    for (timestamp_ms, key, value, headers) in rows {
        let (key, value) = (key.as_deref(), value.as_deref());
        let record = Record { offset: 0, timestamp_ms: *timestamp_ms, key, value, headers: Headers::NONE };
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
        builder.push_with_headers(record, headers);
    }
    builder.finish()
}

fn stored(rows: &[Row]) -> StoredBatch {
    let records = records(rows);
    one(Encoder::default().encode(&[records], None)).place(3, 4, 1_000)
}

fn one(mut batches: Vec<Unplaced>) -> Unplaced {
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

fn few() -> Vec<Row> {
    let header = ("h".to_owned(), Some(b"1".to_vec()));
    vec![
        (5, Some(b"key".to_vec()), Some(b"value".to_vec()), vec![header]),
        (-9, None, None, vec![]),
        (i64::MAX, Some(vec![]), Some(vec![7; 300]), vec![]),
    ]
}

proptest! {
    #[test]
    fn a_batch_gives_back_its_records(rows in rows()) {
        let batch = stored(&rows);
        let found = decode(&batch.bytes, 3, 4, Some(1_000)).expect("just encoded");
        let wanted = records(&rows);
        prop_assert_eq!(found.len(), rows.len());
        for ((found, wanted), offset) in found.iter().zip(wanted.iter()).zip(1_000..) {
            prop_assert_eq!(found.offset, offset);
            prop_assert_eq!(Record { offset: 0, ..found }, wanted);
        }
        let max = rows.iter().map(|row| row.0).max().expect("not empty");
        prop_assert_eq!(batch.max_timestamp_ms, max);
        prop_assert_eq!(batch.next(), 1_000 + rows.len() as u64);
        prop_assert_eq!(decode_own(&batch).expect("just encoded").checksum(), found.checksum());
    }

    #[test]
    fn any_changed_byte_is_found(rows in rows(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = stored(&rows).bytes.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode(&Bytes::from(bytes), 3, 4, Some(1_000)).is_err());
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&Bytes::from(bytes), 0, 0, None).is_err());
    }

    /// Checksums say nothing against a body that was malformed when it was summed up: no panic there either.
    #[test]
    fn a_malformed_body_never_panics(
        body in proptest::collection::vec(any::<u8>(), 0..100),
        data_bytes in 0u32..120,
        count in 0u32..50,
        base in any::<u64>(),
        version in APPENDED..=COMPACTED,
    ) {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes.extend(&body);
        let meta_bytes = (body.len() as u32).saturating_sub(data_bytes);
        let body_checksum = crc32c::crc32c(&body);
        let unplaced = Unplaced {
            version,
            bytes, count, data_bytes, meta_bytes, first_timestamp_ms: 0, max_timestamp_ms: 0, body_checksum,
        };
        let base = base.min(u64::MAX - 100);
        if let Ok(records) = decode(&unplaced.place(0, 0, base).bytes, 0, 0, Some(base)) {
            records.iter().for_each(|record| { record.headers.iter().count(); });
        }
    }
}

#[test]
fn a_compacted_batch_keeps_its_offsets_and_the_time_of_its_deletions() {
    let rows: Vec<Row> =
        (0..6).map(|n| (n, Some(vec![n as u8]), (n != 4).then(|| vec![9]), vec![])).collect();
    let whole = decode(&stored(&rows).bytes, 3, 4, Some(1_000)).unwrap();
    for (left, time) in
        [(vec![1, 4], Some(-5)), (vec![0, 5], None), (vec![3], Some(i64::MAX)), (vec![], None)]
    {
        let kept: Vec<Record<'_>> = left.iter().map(|index| whole.get(*index)).collect();
        let extent = Extent { base: 1_000, count: 6, deletions_kept_until_ms: time };
        let Some(batch) = Encoder::default().rewrite(&kept, &extent) else {
            assert!(left.is_empty());
            continue;
        };
        let batch = batch.place(3, 4, 1_000);
        assert_eq!((batch.next(), deletions_kept_until(&batch.bytes)), (1_006, time));
        let read = decode(&batch.bytes, 3, 4, Some(1_000)).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), kept);
        for end in 0..batch.bytes.len() {
            assert!(decode(&batch.bytes.slice(..end), 3, 4, Some(1_000)).is_err(), "cut at {end}");
        }
    }
    assert_eq!(deletions_kept_until(&stored(&rows).bytes), None);
}

#[test]
fn every_bit_of_a_batch_is_covered() {
    let good = stored(&few()).bytes;
    for bit in 0..good.len() * 8 {
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&Bytes::from(bytes), 3, 4, Some(1_000)).is_err(), "bit {bit}");
    }
    for length in 0..good.len() {
        assert!(decode(&good.slice(..length), 3, 4, Some(1_000)).is_err(), "cut at {length}");
    }
}

#[test]
fn a_batch_in_the_wrong_place_is_refused() {
    let batch = stored(&few());
    let misplaced = BatchError::Misplaced { topic: 3, partition: 4, base: 1_000 };
    assert_eq!(decode(&batch.bytes, 3, 4, Some(1_003)).expect_err("elsewhere"), misplaced);
    assert_eq!(decode(&batch.bytes, 3, 5, None).expect_err("elsewhere"), misplaced);
}

#[test]
fn a_newer_version_is_named() {
    let mut bytes = stored(&few()).bytes.to_vec();
    bytes[0] = VERSION + 1;
    let error = decode(&Bytes::from(bytes), 3, 4, None).expect_err("newer");
    assert_eq!(error, BatchError::Version(VERSION + 1));
}

#[test]
fn append_time_replaces_every_timestamp() {
    let records = records(&few());
    let batch = one(Encoder::default().encode(&[records], Some(77))).place(0, 0, 0);
    let found = decode(&batch.bytes, 0, 0, None).expect("just encoded");
    assert!(found.iter().all(|record| record.timestamp_ms == 77));
    assert_eq!(batch.max_timestamp_ms, 77);
}

#[test]
fn runs_are_joined_and_large_ones_split() {
    let mut encoder = Encoder::default();
    let (few, none) = (records(&few()), Records::default());
    let joined = one(encoder.encode(&[few.clone(), none.clone(), few.clone()], None));
    assert_eq!(joined.count(), 6);
    assert!(encoder.encode(&[none], None).is_empty());

    let mut large = RecordsBuilder::default();
    let value = vec![1; DATA_BYTES_MAX / 2 - 10];
    for _ in 0..5 {
        large.push(None, Some(&value), 0);
    }
    large.push(None, Some(&vec![2; DATA_BYTES_MAX * 2]), 0);
    large.push(None, Some(b"small"), 0);
    let batches = encoder.encode(&[large.finish()], None);
    let counts: Vec<u32> = batches.iter().map(Unplaced::count).collect();
    assert_eq!(counts, [2, 2, 1, 1, 1]);
}

/// Checksums keep out what went bad by itself; who writes them anew can put anything behind them.
#[test]
fn a_damaged_batch_with_right_checksums_costs_no_more_than_its_bytes() {
    use millstream_test_support::mutation::survives;
    let sealed = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if let Some((header, body)) = bytes.split_at_mut_checked(HEADER_BYTES) {
            header[36..40].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
            let checksum = header_checksum(header);
            header[4..8].copy_from_slice(&checksum.to_le_bytes());
        }
        Bytes::from(bytes)
    };
    let appended = stored(&few()).bytes;
    assert_eq!(sealed(&appended), appended);
    let all = records(&few());
    let kept: Vec<Record<'_>> =
        all.iter().skip(1).map(|record| Record { offset: record.offset + 5, ..record }).collect();
    let extent = Extent { base: 3, count: 20, deletions_kept_until_ms: Some(9) };
    let compacted = Encoder::default().rewrite(&kept, &extent).expect("a batch").place(3, 4, 3).bytes;
    for (what, sound) in [("appended", appended), ("compacted", compacted)] {
        survives(what, &sound, 50, |bytes| {
            let bytes = sealed(bytes);
            if let Ok(found) = decode(&bytes, 3, 4, None) {
                assert!(found.iter().all(|record| record.headers.iter().count() < 1_000));
            }
            let _ = deletions_kept_until(&bytes);
        });
    }
}
