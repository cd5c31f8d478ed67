//! How fast rows are aggregated: `cargo bench -p millstream-operators --bench aggregate [filter]`.
//!
//! Batches of 4096 rows over as many groups as the case says, a commit after every 64 of them. Rates are rows per
//! second, commits included.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

mod support;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use millstream_operators::aggregate::{
    Aggregate, AggregateCall, AggregateFunction, LatePolicy, Window, WindowAggregate,
};
use millstream_operators::keys::KeyCodec;
use millstream_operators::testing::Harness;
use millstream_operators::{Batch, OperatorSpec, Ops, Port, StreamKind};
use std::sync::Arc;
use std::time::Instant;
use support::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 4096;
const BATCHES: usize = 512;
const COMMIT_EVERY: usize = 64;

fn call(function: AggregateFunction, argument: usize, argument_type: DataType) -> AggregateCall {
    let name = format!("{function:?} {argument}");
    AggregateCall { function, argument: Some(argument), argument_type, distinct: false, filter: None, name }
}

fn calls() -> Vec<AggregateCall> {
    use AggregateFunction::{Count, Max, Sum};
    vec![
        call(Count, 1, DataType::Int64),
        call(Sum, 1, DataType::Int64),
        call(Sum, 2, DataType::Float64),
        call(Max, 1, DataType::Int64),
    ]
}

/// Keyed batches: text key, whole number below `values`, floating-point number; a millisecond passes every `per_ms` rows.
fn batches(groups: u64, values: u64, changelog: bool, per_ms: usize) -> Vec<Batch> {
    let fields = [("k", DataType::Utf8), ("v", DataType::Int64), ("f", DataType::Float64)];
    let schema = Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()));
    let mut random = Random(1);
    let mut batch = |index: usize| {
        let mut keys: Vec<u64> = (0..ROWS).map(|_| random.below(groups)).collect();
        let mut values: Vec<i64> = (0..ROWS).map(|_| random.below(values) as i64).collect();
        let mut signs = vec![1; ROWS];
        if changelog {
            // Every second row takes the one before it back.
            for row in (1..ROWS).step_by(2) {
                (keys[row], values[row], signs[row]) = (keys[row - 1], values[row - 1], -1);
            }
        }
        let floats: Vec<f64> = values.iter().map(|value| *value as f64 / 4.0).collect();
        let keys: ArrayRef =
            Arc::new(StringArray::from_iter_values(keys.iter().map(|key| format!("key-{key}"))));
        let columns: Vec<ArrayRef> =
            vec![Arc::clone(&keys), Arc::new(Int64Array::from(values)), Arc::new(Float64Array::from(floats))];
        let times: Vec<i64> = (0..ROWS).map(|row| ((index * ROWS + row) / per_ms) as i64).collect();
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let codec = KeyCodec::new(vec![DataType::Utf8]).unwrap();
        let encoded = codec.encode(&[keys], ROWS).unwrap();
        Batch { keys: Some(Arc::new(encoded)), ..Batch::changes(rows, times, Ops::from_signs(signs)) }
    };
    (0..BATCHES).map(&mut batch).collect()
}

fn run(name: &str, spec: &dyn OperatorSpec, batches: &[Batch]) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !name.contains(&filter)) {
        return;
    }
    let mut best = f64::INFINITY;
    let mut emitted = 0;
    for _ in 0..3 {
        let mut harness = Harness::new(spec);
        let begin = Instant::now();
        for (index, batch) in batches.iter().enumerate() {
            harness.process_batch(Port(0), batch.clone()).unwrap();
            harness.advance(*batch.times.last().unwrap()).unwrap();
            if index % COMMIT_EVERY == COMMIT_EVERY - 1 {
                harness.commit().unwrap();
            }
        }
        best = best.min(begin.elapsed().as_secs_f64());
        emitted = harness.take().iter().map(Batch::len).sum::<usize>();
    }
    let rate = (ROWS * BATCHES) as f64 / best / 1e6;
    println!("{name:34} {rate:8.1} M rows/s  {emitted:9} rows emitted");
}

fn main() {
    let keys = vec![("k".to_owned(), DataType::Utf8)];
    for groups in [16, 10_000, 1_000_000] {
        for input in [StreamKind::Append, StreamKind::Changelog] {
            let rows = batches(groups, 1000, input == StreamKind::Changelog, 1000);
            for output in [StreamKind::Changelog, StreamKind::Upsert] {
                let spec = Aggregate { keys: keys.clone(), calls: calls(), input, output };
                run(&format!("{groups} groups, {input} to {output}"), &spec, &rows);
            }
        }
    }
    distinct(&keys);
    let rows = batches(10_000, 1000, false, 100);
    for (name, size, slide) in [("tumbling", 1000, 1000), ("hopping 10 panes", 1000, 100)] {
        let window = Window::new(size, slide, 0).unwrap();
        let spec = WindowAggregate {
            window,
            keys: keys.clone(),
            calls: calls(),
            input: StreamKind::Append,
            late: LatePolicy::Skip,
        };
        run(&format!("10000 groups, {name}"), &spec, &rows);
    }
}

/// Values that mostly come again, and values that are mostly new.
fn distinct(keys: &[(String, DataType)]) {
    let count = AggregateCall { distinct: true, ..call(AggregateFunction::Count, 1, DataType::Int64) };
    let sum = AggregateCall { distinct: true, ..call(AggregateFunction::Sum, 1, DataType::Int64) };
    for (groups, values) in [(16, 10_000), (1000, 1_000_000)] {
        let rows = batches(groups, values, false, 1000);
        let calls = vec![count.clone(), sum.clone()];
        let (input, output) = (StreamKind::Append, StreamKind::Upsert);
        let spec = Aggregate { keys: keys.to_vec(), calls, input, output };
        run(&format!("{groups} groups, {values} distinct"), &spec, &rows);
    }
}
