//! Runs of records: layout, limits, checksums.

use super::*;
use crate::headers::encode_headers;
use bytes::Bytes;

#[test]
fn records_give_back_what_was_pushed() {
    let mut builder = RecordsBuilder::default();
    builder.push(None, None, 5);
    let record =
        Record { offset: 9, timestamp_ms: -1, key: Some(b""), value: Some(b"v"), headers: Headers::NONE };
    builder.push_with_headers(record, [("a", Some(&b"1"[..])), ("b", None), ("a", Some(b"2"))]);
    let start = builder.open_value().len();
    builder.open_value().extend(b"written");
    builder.seal(start, Some(b"k"), 7);

    let records = builder.finish();
    assert_eq!(records.len(), 3);
    assert_eq!((records.get(0).key, records.get(0).value), (None, None));
    let second = records.get(1);
    assert_eq!((second.offset, second.key, second.value), (9, Some(&b""[..]), Some(&b"v"[..])));
    let headers: Vec<_> = second.headers.iter().collect();
    assert_eq!(headers, [("a", Some(&b"1"[..])), ("b", None), ("a", Some(b"2"))]);
    assert_eq!(second.headers.get("a"), Some(&b"2"[..]));
    assert_eq!(records.get(2).value, Some(&b"written"[..]));
    assert_eq!(records.get(2).key, Some(&b"k"[..]));
}

#[test]
fn the_checksum_does_not_depend_on_the_layout() {
    let mut whole = RecordsBuilder::default();
    whole.push(Some(b"a"), Some(b"b"), 1);
    let mut pieces = RecordsBuilder::default();
    pieces.open_value().push(b'b');
    pieces.seal(0, Some(b"a"), 1);
    let mut shifted = RecordsBuilder::default();
    shifted.push(Some(b"ab"), Some(b""), 1);
    let (whole, pieces, shifted) = (whole.finish(), pieces.finish(), shifted.finish());
    assert_eq!(whole.checksum(), pieces.checksum());
    assert_ne!(whole.checksum(), shifted.checksum());
    // Journals have it: it may not change between versions.
    assert_eq!(whole.checksum(), 3_890_606_568_176_185_821);
}

#[test]
fn everything_in_a_record_counts_for_the_checksum() {
    let record = |offset, timestamp_ms, key, value| Record {
        offset,
        timestamp_ms,
        key,
        value,
        headers: Headers::NONE,
    };
    let plain = record(1, 2, Some(&b"k"[..]), Some(&b"v"[..]));
    let headed =
        Record { headers: Headers::from_bytes(&[1, 0, 1, 0, b'n', 1, 0, 0, 0, b'v']).unwrap(), ..plain };
    let runs: [&[Record<'_>]; 10] = [
        &[plain],
        &[headed],
        &[Record { offset: 2, ..plain }],
        &[Record { timestamp_ms: 1, ..plain }],
        &[Record { key: None, ..plain }],
        &[Record { key: Some(b""), ..plain }],
        &[Record { value: None, ..plain }],
        &[Record { value: Some(b"w"), ..plain }],
        &[plain, headed],
        &[headed, plain],
    ];
    let sums: std::collections::BTreeSet<u64> =
        runs.iter().map(|run| run.iter().fold(0, |state, record| record.digest(state))).collect();
    assert_eq!(sums.len(), runs.len());
}

#[test]
fn records_over_a_buffer_refuse_what_does_not_fit() {
    let over = |bytes: &'static [u8]| RecordsOver::new(Bytes::from_static(bytes), 1).expect("small");
    assert!(over(b"abc").push(0, 0, Some(2), Some(2), 0).is_none(), "beyond the buffer");
    assert!(over(b"abc").push(0, 0, Some(u32::MAX), Some(u32::MAX), 0).is_none(), "beyond any buffer");
    assert!(over(b"a").push(0, 0, None, None, 1).is_none(), "headers need two bytes");
    assert!(over(&[1, 0, 1, 0, b'n', 9, 0, 0, 0]).push(0, 0, None, None, 9).is_none(), "torn header");
    let mut rest = over(b"abc");
    rest.push(0, 0, Some(1), None, 0).expect("fits");
    assert!(rest.finish().is_none(), "two bytes belong to no record");
}

#[test]
fn records_within_a_buffer_refuse_what_does_not_fit() {
    let mut within = RecordsWithin::new(Bytes::from_static(b"abc"), 1);
    let span = |start, length| Span { start, length };
    assert!(within.push(0, 0, span(0, 4), Span::NULL).is_none(), "beyond the buffer");
    assert!(within.push(0, 0, Span::NULL, span(u32::MAX, 2)).is_none(), "beyond any buffer");
    within.push(0, 0, span(3, 0), Span::NULL).expect("an empty key at the end");
    within.push(1, 0, Span::NULL, span(1, 2)).expect("within");
    within.headers([("a", Some(&b"1"[..])), ("b", None)]);
    let records = within.finish();
    assert_eq!((records.get(0).key, records.get(0).value), (Some(&b""[..]), None));
    assert!(records.get(0).headers.is_empty());
    assert_eq!(records.get(1).headers.iter().collect::<Vec<_>>(), [("a", Some(&b"1"[..])), ("b", None)]);
    assert_eq!(records.data_bytes(), 2 + records.get(1).headers.as_bytes().len());
    let mut copied = RecordsBuilder::default();
    records.iter().for_each(|record| copied.push_record(record));
    assert_eq!(copied.finish().checksum(), records.checksum());
}

#[test]
fn headers_come_back_from_their_encoding() {
    let bytes = encode_headers([("a", Some(&b"1"[..])), ("b", None)]);
    let headers = Headers::from_bytes(&bytes).expect("an encoding");
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", Some(&b"1"[..])), ("b", None)]);
    assert_eq!(headers.as_bytes(), bytes);
    assert!(Headers::from_bytes(&bytes[..bytes.len() - 1]).is_none());
    assert!(Headers::from_bytes(&[]).is_none());
}
