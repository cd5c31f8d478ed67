//! The codec against Kafka's own: what Java writes is read here, what is written here is read by Java.
#![allow(missing_docs)]

use bytes::Bytes;
use millstream_test_support::kafka::run_source;
use millstream_wire::batch::{BatchEncoder, Batches, Compression, Decompressor, HeaderIter, Stamp};
use std::fmt::Write as _;

const CODECS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

/// Prints, for each codec, a batch that it has made, and of each batch given as an argument what it finds in it.
const PROGRAM: &str = r#"
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;

public class Codec {
    static String hex(ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return HexFormat.of().formatHex(copy);
    }

    static String text(RecordBatch batch) {
        StringBuilder text = new StringBuilder();
        text.append(batch.producerId() + " " + batch.producerEpoch() + " " + batch.baseSequence() + " "
            + batch.isTransactional() + " " + batch.maxTimestamp() + " " + batch.lastOffset());
        for (org.apache.kafka.common.record.Record record : batch) {
            text.append("|" + record.offset() + " " + record.timestamp() + " " + hex(record.key()) + " " + hex(record.value()));
            for (Header header : record.headers()) {
                byte[] value = header.value();
                text.append(" " + header.key() + "=" + hex(value == null ? null : ByteBuffer.wrap(value)));
            }
        }
        return text.toString();
    }

    public static void main(String[] arguments) throws Exception {
        for (CompressionType type : List.of(CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY,
                CompressionType.LZ4, CompressionType.ZSTD)) {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
            MemoryRecordsBuilder builder = MemoryRecords.builder(buffer, (byte) 2, Compression.of(type).build(),
                TimestampType.CREATE_TIME, 42L, 1000L, 77L, (short) 3, 11, true, 5);
            for (int at = 0; at < 2000; at++) {
                byte[] key = at % 3 == 0 ? null : ("key " + at).getBytes();
                byte[] value = at % 5 == 0 ? null : ("the value of a record that repeats itself " + at).getBytes();
                Header[] headers = at % 7 == 0
                    ? new Header[] { new RecordHeader("h", ("" + at).getBytes()), new RecordHeader("n", (byte[]) null) }
                    : new Header[0];
                builder.append(1000L + at * 3, key, value, headers);
            }
            MemoryRecords records = builder.build();
            System.out.println(hex(records.buffer()));
            System.out.println(text(records.batches().iterator().next()));
        }
        for (String file : arguments) {
            ByteBuffer bytes = ByteBuffer.wrap(java.nio.file.Files.readAllBytes(java.nio.file.Path.of(file)));
            MemoryRecords records = MemoryRecords.readableRecords(bytes);
            for (MutableRecordBatch batch : records.batches()) {
                batch.ensureValid();
                System.out.println(text(batch));
            }
        }
    }
}
"#;

fn hex(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Bytes {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digit).collect()
}

/// As the program prints batches.
fn text(bytes: Bytes) -> String {
    let batch = Batches::new(bytes).next_batch().expect("a batch").expect("a whole one");
    let header = *batch.header();
    let mut text = format!(
        "{} {} {} {} {} {}",
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
        header.is_transactional,
        header.max_timestamp_ms,
        header.last_offset
    );
    let body = batch.open(&mut Decompressor::default()).expect("records");
    let buffer = body.buffer();
    let visited = body.for_each(|record| {
        let (key, value) = (hex(record.key.of(buffer)), hex(record.value.of(buffer)));
        let _ = write!(text, "|{} {} {key} {value}", record.offset, record.timestamp_ms);
        for (name, value) in HeaderIter::new(buffer, &record) {
            let _ = write!(text, " {}={}", String::from_utf8_lossy(name), hex(value));
        }
    });
    visited.expect("records");
    text
}

fn ours(codec: Compression) -> Bytes {
    let mut encoder = BatchEncoder::default();
    for at in 0..3_000i64 {
        let key = format!("key {at}");
        let value = format!("{{\"number\":{at},\"text\":\"the value of a record that repeats itself\"}}");
        let header = [(&b"name"[..], Some(key.as_bytes())), (b"none", None)];
        let (key, value) =
            ((at % 3 != 0).then_some(key.as_bytes()), (at % 5 != 0).then_some(value.as_bytes()));
        let headers = header.into_iter().take(if at % 7 == 0 { 2 } else { 0 });
        encoder.push(1_700_000_000_000 - at * at, key, value, headers).expect("small");
    }
    let stamp = Stamp { producer_id: 9, producer_epoch: 2, base_sequence: 17, is_transactional: true };
    encoder.seal(codec).expect("bytes that compress").stamp(&stamp)
}

#[test]
fn batches_of_kafkas_own_client_are_read_and_ours_are_read_by_it() {
    let dir = std::env::temp_dir().join(format!("millstream-wire-codec-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a temporary directory");
    let files = CODECS.map(|codec| {
        let path = dir.join(codec.name());
        std::fs::write(&path, ours(codec)).expect("a temporary file");
        path.display().to_string()
    });
    let printed = run_source("Codec.java", PROGRAM, &files.each_ref().map(String::as_str));
    let _ = std::fs::remove_dir_all(&dir);
    let Some(printed) = printed else { return };
    let mut lines = printed.lines();
    for codec in CODECS {
        let (bytes, expected) = (lines.next().expect("a batch"), lines.next().expect("its text"));
        assert!(text(from_hex(bytes)) == expected, "a batch of Java's by {codec}");
    }
    for codec in CODECS {
        assert!(text(ours(codec)) == lines.next().expect("a text"), "a batch of ours by {codec}");
    }
    assert_eq!(lines.next(), None);
}
