//! What decoders of this crate do with bytes that are damaged or foreign: no panic, and no memory by a number that stands
//! in them.

use crate::RowCodec;
use crate::batch::{Batch, Ops, Payload};
use crate::exchange::{BlockContent, ColumnBlocks, PayloadCodec, decode_block, encode_block, peek_header};
use crate::formats::{self, Decoder};
use crate::keys::KeyCodec;
use crate::operator::TaskInfo;
use crate::origin::{Origin, Origins};
use crate::records::Headers;
use crate::testing::batch as parse_batch;
use crate::typed::exchange::RowsCodec;
use millstream_state::BytesColumn;
use millstream_test_support::mutation::survives;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const EVERY_TYPE: &str = "b:bool i:i32 l:i64 f:f64 s:utf8 y:bytes d:dec(20,3) t:ts r:row(a:i64,b:utf8) a:list(list(i64)) \
     m:map(utf8) | + true 1 2 1.5 abc AQI= 1.25 '2020-01-02T03:04:05' {\"a\":1,\"b\":\"x\"} [[1,2],[],null] {\"k\":\"v\"}  \
     - null null null null null null null null null null null";

fn keyed(text: &str) -> Batch {
    let mut batch = parse_batch(text);
    let keys: BytesColumn = (0..batch.len() as u32).map(u32::to_le_bytes).collect();
    batch.keys = Some(Arc::new(keys));
    batch
}

/// The record of a row as a block has it.
fn origin() -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend([5_u64, 6].map(u64::to_le_bytes).concat());
    for part in [Some(&b"letters"[..]), Some(b"t"), Some(b"key"), None, Some(Headers::NONE.as_bytes())] {
        bytes.extend(part.map_or(u32::MAX, |part| part.len() as u32).to_le_bytes());
        bytes.extend(part.unwrap_or_default());
    }
    bytes
}

fn block(batch: Batch, codec: &dyn PayloadCodec) -> Vec<u8> {
    let rows: Vec<(u32, u32)> = (0..batch.len() as u32).map(|row| (0, row)).collect();
    let (task, batches) = (TaskInfo { sub_topology: 1, partition: 2 }, [batch]);
    let content = BlockContent {
        task: &task,
        commit: 3,
        sequence: 4,
        watermark: 5,
        idle: false,
        batches: &batches,
        rows: &rows,
    };
    let mut bytes = Vec::new();
    encode_block(&content, codec, &mut bytes).expect("a block");
    bytes
}

/// Blocks are compressed: a byte of one stands for 255 at most, and those are read several times.
const OF_A_BLOCK: usize = 255 * 8;

#[test]
fn a_damaged_block_of_columns_costs_no_more_than_its_bytes() {
    let mut batch = keyed(EVERY_TYPE);
    batch.behind = Some(vec![1, 2].into());
    batch.origins =
        Some(Origins::Kept([Origin::decode(&mut origin().as_slice()).expect("an origin"), None].into()));
    let codec = ColumnBlocks::new(batch.columns().expect("columns").schema());
    let sound = block(batch, &codec);
    let read = |bytes: &[u8]| {
        let header = peek_header(bytes)?;
        decode_block(&header, bytes, &codec)
    };
    assert!(read(&sound).is_ok_and(|rows| rows.is_some_and(|rows| rows.batch.len() == 2)));
    survives("block", &sound, OF_A_BLOCK, |bytes| drop(read(bytes)));
}

/// The message is taken apart by Arrow, which believes it.
#[test]
fn a_damaged_message_of_columns_costs_no_more_than_its_bytes() {
    let batch = keyed(EVERY_TYPE);
    let codec = ColumnBlocks::new(batch.columns().expect("columns").schema());
    let mut sound = Vec::new();
    codec.encode(&[batch], &[(0, 0), (0, 1)], &mut sound).expect("a message");
    assert!(codec.decode(&sound, 2).is_ok());
    survives("message", &sound, 100, |bytes| drop(codec.decode(bytes, 2)));
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Visit {
    page: String,
    counts: Vec<u64>,
    parts: Option<Box<Visit>>,
}

#[test]
fn a_damaged_block_of_typed_rows_costs_no_more_than_its_bytes() {
    let part = Visit { page: "q".to_owned(), counts: vec![], parts: None };
    let visit = Visit { page: "p".to_owned(), counts: vec![1, 1 << 40], parts: Some(Box::new(part)) };
    let rows = Payload::Rows(Box::new(vec![visit.clone(), visit]));
    let mut batch = Batch::new(rows, vec![1, 2].into(), Ops::Append);
    let keys: BytesColumn = (0..2_u32).map(u32::to_le_bytes).collect();
    batch.keys = Some(Arc::new(keys));
    let codec = RowsCodec::<Visit>::new();
    let sound = block(batch, &codec);
    survives("typed block", &sound, OF_A_BLOCK, |bytes| {
        if let Ok(header) = peek_header(bytes) {
            drop(decode_block(&header, bytes, &codec));
        }
    });
}

/// Depth costs stack: what nests further than a worker has room for is refused before it gets there.
#[test]
fn typed_rows_that_nest_without_end_are_refused() {
    let mut deep = vec![0x83];
    for _ in 0..200_000 {
        deep.extend([0xa5, b'p', b'a', b'r', b't', b's', 0x83]);
    }
    let read = move || RowsCodec::<Visit>::new().decode(&deep, 1).is_err();
    // As large as a worker's.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(read).expect("a thread");
    assert!(thread.join().expect("no overflow"));
}

#[test]
fn a_damaged_row_key_or_origin_costs_no_more_than_its_bytes() {
    let batch = parse_batch(EVERY_TYPE);
    let columns = batch.columns().expect("columns");
    let codec = RowCodec::new(columns.schema()).expect("a codec");
    let mut row = Vec::new();
    codec.writer(columns).expect("a writer").write(0, &mut row);
    survives("row", &row, 100, |bytes| drop(codec.read([bytes])));

    let keys = columns.project(&[0, 1, 2, 4, 6]).expect("some of them");
    let types = keys.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    let codec = KeyCodec::new(types).expect("key types");
    let encoded = codec.encode(keys.columns(), 1).expect("a key");
    survives("key", encoded.get(0), 100, |bytes| drop(codec.decode([bytes].into_iter())));

    survives("origin", &origin(), 100, |mut bytes| drop(Origin::decode(&mut bytes)));
}

/// The first row of a batch in a format.
fn encoded(format: &str, batch: Batch) -> Vec<u8> {
    let format = formats::parse(format, &Default::default()).expect("a format");
    let columns = batch.columns().expect("columns").clone();
    let mut encoder = format.encoder(columns.schema().fields()).expect("an encoder");
    let mut out = Vec::new();
    encoder.begin(&mut columns.columns().iter(), &[]).expect("columns");
    encoder.encode(0, &mut out).expect("a row");
    out
}

#[test]
fn a_damaged_payload_costs_no_more_than_its_bytes() {
    let fields = parse_batch(EVERY_TYPE).columns().expect("columns").schema().fields().clone();
    let flat = parse_batch("a:i64 b:utf8 c:dec(10,2) d:ts | ").columns().expect("columns").schema();
    let text = parse_batch("a:utf8 | ").columns().expect("columns").schema();
    let json = br#"{"b": true, "i": 1, "l": 2e3, "f": 1.5e-300, "s": "a\u00e9b", "y": "AQI=", "d": 1.25, "t": "2020-01-02 03:04:05",
        "r": {"a": 1, "b": "x"}, "a": [[1, 2], [], null], "m": {"k": "v"}}"#;
    let change = [br#"{"before": "#, &json[..], br#", "after": "#, json, br#", "op": "u"}"#].concat();
    let record = encoded("avro", parse_batch(EVERY_TYPE));
    let cases: [(&str, &arrow::datatypes::Fields, &[u8]); 5] = [
        ("json", &fields, json),
        ("debezium-json", &fields, &change),
        ("csv", flat.fields(), b"12,\"a \"\"b\"\"\",1e3,2020-01-02 03:04:05\n"),
        ("raw", text.fields(), "some täxt".as_bytes()),
        ("avro", &fields, &record),
    ];
    for (name, fields, sound) in cases {
        let format = formats::parse(name, &Default::default()).expect("a format");
        let decoder = || -> Box<dyn Decoder> { format.decoder(fields, fields).expect("a decoder") };
        assert!(decoder().decode(Some(sound)).is_ok(), "{name}");
        // A decoder that has read what is damaged reads on.
        let decoder = std::cell::RefCell::new(decoder());
        survives(name, sound, 200, |bytes| {
            let mut decoder = decoder.borrow_mut();
            let _ = decoder.decode(Some(bytes));
            decoder.finish();
        });
    }
}
