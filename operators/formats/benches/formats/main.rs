//! What decoding and encoding a row costs, beside `arrow-json` and the tape of `simd-json`.
//!
//! ```text
//! cargo bench -p millstream-formats --bench formats                      all cases
//! cargo bench -p millstream-formats --bench formats -- bid               cases whose names contain `bid`
//! perf stat -e instructions:u target/release/deps/formats-* bid all ours passes=1000
//! ```
//! Records are made from a fixed seed; instructions tell more where time is noisy. Every case decodes the same runs again
//! and again and shows the fastest and the median pass, columns finished once per run.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

mod rows;
#[path = "../../../benches/support/mod.rs"]
mod support;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use millstream_formats::csv::{CsvDecoder, CsvEncoder, CsvOptions};
use millstream_formats::json::{JsonDecoder, JsonEncoder, JsonOptions};
use millstream_formats::{Absent, Encoder, PayloadDecoder, Run};
use millstream_operators::source::{DecodeCx, DecoderSpec};
use millstream_operators::table::{ColumnFrom, Part, TableColumn, TableDecoderSpec};
use millstream_operators::{
    Expression, ExpressionCx, OperatorError, Records, RecordsBuilder, StreamKind, TopicPartition,
};
use rows::{Generator, bid, event_fields, line, mixed, number_fields, numbers, small, small_fields, spaced};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUN: usize = 1024;
const RUNS: usize = 16;

fn main() {
    let words = || std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let passes = words().find_map(|word| word.strip_prefix("passes=")?.parse().ok()).unwrap_or(41);
    let names: Vec<String> = words().filter(|word| !word.starts_with("passes=")).collect();
    let bench = Bench { names, passes };
    decode_json(&bench);
    encode_json(&bench);
    decode_table(&bench);
    csv(&bench);
    avro(&bench);
}

/// What is to be run.
struct Bench {
    names: Vec<String>,
    passes: usize,
}

impl Bench {
    fn wanted(&self, name: &str) -> bool {
        self.names.iter().all(|word| name.contains(word.as_str()))
    }
}

fn decode_json(bench: &Bench) {
    let all = event_fields(&|_| true);
    let three = event_fields(&|name| ["bid", "auction", "price", "dateTime"].contains(&name));
    let three = Fields::from(vec![Arc::clone(&three[three.len() - 1])]);
    let cases: [(&str, Generator, &Fields); 6] = [
        ("json bid all", bid, &all),
        ("json bid three", bid, &three),
        ("json mixed all", mixed, &all),
        ("json mixed three", mixed, &three),
        ("json spaced all", spaced, &all),
        ("json small all", small, &small_fields()),
    ];
    for (name, record, fields) in cases {
        let case = |who: &str| format!("decode {name} {who}");
        let wanted = |name: &str| bench.wanted(name);
        if !["ours", "arrow-json", "simd-json tape only"].iter().any(|who| wanted(&case(who))) {
            continue;
        }
        let records = &Random(7).records(RUN * RUNS, record);
        let bytes: usize = records.iter().map(String::len).sum();
        let measure = |name: &str, pass: &mut dyn FnMut()| {
            if wanted(name) {
                measure(name, bench.passes, records.len(), bytes, pass);
            }
        };
        let mut decoder = JsonDecoder::new(fields, &JsonOptions::default()).unwrap();
        measure(&case("ours"), &mut || {
            for run in records.chunks(RUN) {
                decoder.reserve(run.len());
                for record in run {
                    decoder.decode(record.as_bytes()).unwrap();
                }
                black_box(decoder.finish());
            }
        });
        let schema = Arc::new(Schema::new(fields.clone()));
        let mut decoder =
            arrow::json::ReaderBuilder::new(schema).with_batch_size(RUN).build_decoder().unwrap();
        measure(&case("arrow-json"), &mut || {
            for run in records.chunks(RUN) {
                for record in run {
                    decoder.decode(record.as_bytes()).unwrap();
                }
                let batch: RecordBatch = decoder.flush().unwrap().unwrap();
                assert_eq!(batch.num_rows(), run.len());
                black_box(batch);
            }
        });
        let mut buffers = simd_json::Buffers::new(4096);
        let mut scratch = Vec::new();
        measure(&case("simd-json tape only"), &mut || {
            for record in records {
                // It parses in place, and the record belongs to somebody else.
                scratch.clear();
                scratch.extend_from_slice(record.as_bytes());
                let tape = simd_json::to_tape_with_buffers(&mut scratch, &mut buffers).unwrap();
                black_box(tape.0.len());
            }
        });
    }
}

fn encode_json(bench: &Bench) {
    let cases: [(&str, Generator, &Fields); 3] = [
        ("json small", small, &small_fields()),
        ("json numbers", numbers, &number_fields()),
        ("json bid", bid, &event_fields(&|_| true)),
    ];
    for (name, record, fields) in cases {
        let case = |who: &str| format!("encode {name} {who}");
        let wanted = |name: &str| bench.wanted(name);
        if !["ours", "arrow-json"].iter().any(|who| wanted(&case(who))) {
            continue;
        }
        let records = Random(7).records(RUN * RUNS, record);
        let mut decoder = JsonDecoder::new(fields, &JsonOptions::default()).unwrap();
        let batches: Vec<RecordBatch> = records
            .chunks(RUN)
            .map(|run| {
                for record in run {
                    decoder.decode(record.as_bytes()).unwrap();
                }
                let schema = Arc::new(Schema::new(fields.clone()));
                RecordBatch::try_new(schema, decoder.finish()).unwrap()
            })
            .collect();
        let bytes: usize = records.iter().map(String::len).sum();
        let measure = |name: &str, pass: &mut dyn FnMut()| {
            if wanted(name) {
                measure(name, bench.passes, records.len(), bytes, pass);
            }
        };
        let mut encoder = JsonEncoder::new(fields, &JsonOptions::default()).unwrap();
        let mut out = Vec::new();
        measure(&case("ours"), &mut || {
            for batch in &batches {
                out.clear();
                encoder.begin(&mut batch.columns().iter(), &[]).unwrap();
                for row in 0..batch.num_rows() {
                    encoder.encode(row, &mut out).unwrap();
                }
                black_box(&out);
            }
        });
        let mut out = Vec::new();
        measure(&case("arrow-json"), &mut || {
            for batch in &batches {
                out.clear();
                let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
                writer.write(batch).unwrap();
                writer.finish().unwrap();
                black_box(&out);
            }
        });
    }
}

/// Records of a topic as batches of a table: three columns of the value, one of them the event time.
fn decode_table(bench: &Bench) {
    let name = "decode table bid three ours";
    if !bench.wanted(name) {
        return;
    }
    let records = Random(7).records(RUN * RUNS, bid);
    let runs: Vec<Records> = records
        .chunks(RUN)
        .map(|run| {
            let mut builder = RecordsBuilder::default();
            run.iter().for_each(|record| builder.push(None, Some(record.as_bytes()), 0));
            builder.finish()
        })
        .collect();
    let all = event_fields(&|_| true);
    let three = event_fields(&|name| ["bid", "auction", "price", "dateTime"].contains(&name));
    let bid = three[three.len() - 1].as_ref().clone();
    let time = Field::new("dateTime", DataType::Timestamp(TimeUnit::Millisecond, None), true);
    let part = Part { format: Arc::new(JsonOptions::default()), declared: all };
    let columns = vec![
        TableColumn { field: bid, from: ColumnFrom::Value("bid".to_owned()) },
        TableColumn { field: time, from: ColumnFrom::Computed(Arc::new(TimeOfBid)) },
    ];
    let spec = TableDecoderSpec::new(StreamKind::Append, part, None, columns, vec![0, 1], Some(1)).unwrap();
    let mut decoder = spec.build().unwrap();
    let place = TopicPartition::new("bids", 0);
    let bytes: usize = records.iter().map(String::len).sum();
    measure(name, bench.passes, records.len(), bytes, &mut || {
        for run in &runs {
            let decoded = decoder.decode(&place, run, &DecodeCx { now_ms: 0 }).unwrap();
            assert!(decoded.bad.is_empty());
            black_box(decoded);
        }
    });
}

/// `bid.dateTime`.
#[derive(Debug)]
struct TimeOfBid;

impl Expression for TimeOfBid {
    fn evaluate(&self, rows: &RecordBatch, _cx: &ExpressionCx) -> Result<ArrayRef, OperatorError> {
        Ok(Arc::clone(rows.column(0).as_struct().column_by_name("dateTime").unwrap()))
    }

    fn data_type(&self) -> &DataType {
        &DataType::Timestamp(TimeUnit::Millisecond, None)
    }

    fn sql(&self) -> &str {
        "bid.dateTime"
    }

    fn meaning(&self, _column: &dyn Fn(usize) -> String) -> String {
        self.sql().to_owned()
    }
}

fn csv(bench: &Bench) {
    let fields = small_fields();
    let names = ["decode csv small ours", "decode csv small arrow-csv", "encode csv small ours"];
    if !names.iter().any(|name| bench.wanted(name)) {
        return;
    }
    let lines = Random(7).records(RUN * RUNS, line);
    let bytes: usize = lines.iter().map(String::len).sum();
    let measure = |name: &str, pass: &mut dyn FnMut()| {
        if bench.wanted(name) {
            measure(name, bench.passes, lines.len(), bytes, pass);
        }
    };
    let mut decoder = CsvDecoder::new(&fields, &fields, &CsvOptions::default()).unwrap();
    let mut batches = Vec::new();
    measure(names[0], &mut || {
        batches.clear();
        for run in lines.chunks(RUN) {
            decoder.reserve(run.len());
            for line in run {
                decoder.decode(line.as_bytes()).unwrap();
            }
            let schema = Arc::new(Schema::new(fields.clone()));
            batches.push(RecordBatch::try_new(schema, decoder.finish()).unwrap());
        }
    });
    let schema = Arc::new(Schema::new(fields.clone()));
    let mut theirs = arrow::csv::ReaderBuilder::new(schema).with_batch_size(RUN).build_decoder();
    measure(names[1], &mut || {
        for run in lines.chunks(RUN) {
            for line in run {
                assert_eq!(theirs.decode(line.as_bytes()).unwrap(), line.len());
                assert_eq!(theirs.decode(b"\n").unwrap(), 1);
            }
            let batch = theirs.flush().unwrap().unwrap();
            assert_eq!(batch.num_rows(), run.len());
            black_box(batch);
        }
    });
    let mut encoder = CsvEncoder::new(&fields, &CsvOptions::default()).unwrap();
    let mut out = Vec::new();
    measure(names[2], &mut || {
        for batch in &batches {
            out.clear();
            encoder.begin(&mut batch.columns().iter(), &[]).unwrap();
            for row in 0..batch.num_rows() {
                encoder.encode(row, &mut out).unwrap();
            }
            black_box(&out);
        }
    });
}

/// The events of `decode json bid`, as Avro in the schema of their table.
fn avro(bench: &Bench) {
    let names = ["encode avro bid ours", "decode avro bid all ours", "decode avro bid three ours"];
    if !names.iter().any(|name| bench.wanted(name)) {
        return;
    }
    let all = event_fields(&|_| true);
    let three = event_fields(&|name| ["bid", "auction", "price", "dateTime"].contains(&name));
    let three = Fields::from(vec![Arc::clone(&three[three.len() - 1])]);
    let format = millstream_formats::parse("avro", &Default::default()).unwrap();
    let mut json = JsonDecoder::new(&all, &JsonOptions::default()).unwrap();
    let mut batches: Vec<Vec<ArrayRef>> = Vec::new();
    for run in Random(7).records(RUN * RUNS, bid).chunks(RUN) {
        run.iter().for_each(|record| assert!(json.decode(record.as_bytes()).is_ok()));
        batches.push(json.finish());
    }
    let mut encoder = format.encoder(&all).unwrap();
    let mut encode = |batch: &Vec<ArrayRef>, out: &mut Vec<u8>, ends: &mut Vec<usize>| {
        encoder.begin(&mut batch.iter(), &[]).unwrap();
        for row in 0..batch[0].len() {
            encoder.encode(row, out).unwrap();
            ends.push(out.len());
        }
    };
    let mut runs: Vec<Vec<Vec<u8>>> = Vec::new();
    for batch in &batches {
        let (mut out, mut ends) = (Vec::new(), vec![0]);
        encode(batch, &mut out, &mut ends);
        runs.push(ends.windows(2).map(|ends| out[ends[0]..ends[1]].to_vec()).collect());
    }
    let bytes: usize = runs.iter().flatten().map(Vec::len).sum();
    let measure = |name: &str, pass: &mut dyn FnMut()| {
        if bench.wanted(name) {
            measure(name, bench.passes, RUN * RUNS, bytes, pass);
        }
    };
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    measure(names[0], &mut || {
        for batch in &batches {
            out.clear();
            ends.clear();
            encode(batch, &mut out, &mut ends);
            black_box(&out);
        }
    });
    let runs: Vec<Vec<Option<&[u8]>>> =
        runs.iter().map(|run| run.iter().map(|record| Some(record.as_slice())).collect()).collect();
    for (name, needed) in [(names[1], &all), (names[2], &three)] {
        let mut decoder = format.decoder(&all, needed).unwrap();
        measure(name, &mut || {
            for payloads in &runs {
                let mut run = Run::default();
                decoder.decode_run(payloads, Absent::AsItIs, &mut run);
                assert!(run.bad.is_empty());
                black_box((decoder.finish(), run));
            }
        });
    }
}

/// Runs a case and prints what it cost.
fn measure(name: &str, passes: usize, rows: usize, bytes: usize, pass: &mut dyn FnMut()) {
    let mut times = Vec::with_capacity(passes);
    for _ in 0..passes {
        let start = Instant::now();
        pass();
        times.push(start.elapsed().as_nanos() as f64);
    }
    times.sort_by(f64::total_cmp);
    let (fastest, median) = (times[0], times[passes / 2]);
    println!(
        "{name:44} {:7.1} ns/row {:7.1} median {:7.0} MB/s {:5} bytes/row",
        fastest / rows as f64,
        median / rows as f64,
        bytes as f64 / fastest * 1e3,
        bytes / rows,
    );
}
