//! How fast rows get what is in their frames: `cargo bench -p millstream-operators --bench over [filter]`.
//!
//! Batches of 4096 rows of as many keys as the case says, a millisecond every ten rows, a watermark that is 50 behind, and a
//! commit after every 64 batches. Rates are rows per second, commits included.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

#[path = "support/rounds.rs"]
mod rounds;
mod support;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use millstream_operators::Batch;
use millstream_operators::aggregate::{AggregateCall, AggregateFunction, Frame, LatePolicy, Over, OverCall};
use millstream_operators::keys::KeyCodec;
use rounds::fastest;
use std::sync::Arc;
use support::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 4096;
const BATCHES: usize = 256;
const COMMIT_EVERY: usize = 64;
const PER_MS: usize = 10;
const DELAY_MS: i64 = 50;

fn call(function: AggregateFunction, argument: usize, argument_type: DataType) -> OverCall {
    let name = format!("{function:?} {argument}");
    let (argument, distinct, filter) = (Some(argument), false, None);
    OverCall::Aggregate(AggregateCall { function, argument, argument_type, distinct, filter, name })
}

fn schema() -> SchemaRef {
    let fields = [("k", DataType::Utf8), ("v", DataType::Int64), ("f", DataType::Float64)];
    Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()))
}

/// Keyed batches: text key, whole number, floating-point number.
fn batches(keys: u64) -> Vec<Batch> {
    let mut random = Random(1);
    let mut batch = |index: usize| {
        let names = (0..ROWS).map(|_| format!("key-{}", random.below(keys))).collect::<Vec<_>>();
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let values: Vec<i64> = (0..ROWS).map(|_| random.below(1000) as i64).collect();
        let floats: Vec<f64> = values.iter().map(|value| *value as f64 / 4.0).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::clone(&names),
            Arc::new(Int64Array::from(values)),
            Arc::new(Float64Array::from(floats)),
        ];
        let times: Vec<i64> = (0..ROWS).map(|row| ((index * ROWS + row) / PER_MS) as i64).collect();
        let keys = KeyCodec::new(vec![DataType::Utf8]).unwrap().encode(&[names], ROWS).unwrap();
        let rows = RecordBatch::try_new(schema(), columns).unwrap();
        Batch { keys: Some(Arc::new(keys)), ..Batch::append(rows, times) }
    };
    (0..BATCHES).map(&mut batch).collect()
}

fn run(name: &str, frame: Frame, calls: Vec<OverCall>, batches: &[Batch]) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !name.contains(&filter)) {
        return;
    }
    let keys = vec![("k".to_owned(), DataType::Utf8)];
    let spec = Over { input: schema(), keys, frame, calls, late: LatePolicy::Skip };
    let best = fastest(&spec, batches, DELAY_MS, COMMIT_EVERY);
    println!("{name:34} {:8.2} M rows/s", (ROWS * BATCHES) as f64 / best / 1e6);
}

fn main() {
    use AggregateFunction::{Count, Max, Sum};
    for keys in [16, 10_000] {
        let rows = batches(keys);
        let sums = || {
            vec![
                call(Count, 1, DataType::Int64),
                call(Sum, 1, DataType::Int64),
                call(Sum, 2, DataType::Float64),
            ]
        };
        let most = || vec![call(Max, 1, DataType::Int64)];
        run(&format!("{keys} keys, running sums"), Frame::Range(None), sums(), &rows);
        run(&format!("{keys} keys, sums of 10 rows"), Frame::Rows(Some(9)), sums(), &rows);
        run(&format!("{keys} keys, sums of a second"), Frame::Range(Some(1000)), sums(), &rows);
        run(&format!("{keys} keys, maxima of 10 rows"), Frame::Rows(Some(9)), most(), &rows);
        run(&format!("{keys} keys, maxima of a second"), Frame::Range(Some(1000)), most(), &rows);
        let (argument, offset, default, name) = (1, 1, None, "lag".to_owned());
        let lag = OverCall::Lag { argument, data_type: DataType::Int64, offset, default, name };
        run(&format!("{keys} keys, the row before"), Frame::Rows(Some(1)), vec![lag], &rows);
    }
}
