//! How fast patterns are found: `cargo bench -p millstream-operators --bench match_recognize [filter]`.
//!
//! Batches of 4096 rows of as many keys as the case says, a millisecond every ten rows, a watermark that is 50 behind, and a
//! commit after every 64 batches. Rates are rows per second, commits included.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

#[path = "support/rounds.rs"]
mod rounds;
mod support;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use millstream_operators::Batch;
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::keys::KeyCodec;
use millstream_operators::match_recognize::{
    AfterMatch, Condition, End, MatchRecognize, Quantifier, Rows, Source, Variable,
};
use millstream_operators::testing::Function;
use rounds::fastest;
use std::sync::Arc;
use support::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 4096;
const BATCHES: usize = 64;
const COMMIT_EVERY: usize = 64;
const PER_MS: usize = 10;
const DELAY_MS: i64 = 50;

fn schema() -> SchemaRef {
    let fields = [("k", DataType::Utf8), ("v", DataType::Int64)];
    Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()))
}

/// Keyed batches: text key, whole number.
fn batches(keys: u64) -> Vec<Batch> {
    let mut random = Random(1);
    let mut batch = |index: usize| {
        let names = (0..ROWS).map(|_| format!("key-{}", random.below(keys))).collect::<Vec<_>>();
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let values: Vec<i64> = (0..ROWS).map(|_| random.below(1000) as i64).collect();
        let columns: Vec<ArrayRef> = vec![Arc::clone(&names), Arc::new(Int64Array::from(values))];
        let times: Vec<i64> = (0..ROWS).map(|row| ((index * ROWS + row) / PER_MS) as i64).collect();
        let keys = KeyCodec::new(vec![DataType::Utf8]).unwrap().encode(&[names], ROWS).unwrap();
        let rows = RecordBatch::try_new(schema(), columns).unwrap();
        Batch { keys: Some(Arc::new(keys)), ..Batch::append(rows, times) }
    };
    (0..BATCHES).map(&mut batch).collect()
}

fn last(variable: usize) -> Source {
    Source::Row { of: Rows::Of(variable), from: End::Last, offset: 0, column: 1 }
}

/// `v < limit` or `v > limit`.
fn than(variable: usize, is_less: bool, limit: i64) -> Condition {
    let predicate = Function::new("v against a number", DataType::Boolean, move |rows, _| {
        let limit = Int64Array::new_scalar(limit);
        let compared = if is_less { lt(rows.column(0), &limit) } else { gt(rows.column(0), &limit) };
        compared.map(|mask| Arc::new(mask) as ArrayRef).map_err(|error| error.to_string())
    });
    Condition { sources: vec![last(variable)], predicate: Arc::new(predicate) }
}

/// `v.v > other.v`.
fn more_than(variable: usize, other: usize) -> Condition {
    let predicate = Function::new("v against the one before", DataType::Boolean, move |rows, _| {
        let [one, other] = [0, 1].map(|column| rows.column(column).as_primitive::<Int64Type>());
        gt(one, other).map(|mask| Arc::new(mask) as ArrayRef).map_err(|error| error.to_string())
    });
    Condition { sources: vec![last(variable), last(other)], predicate: Arc::new(predicate) }
}

fn spec(variables: Vec<(Quantifier, Option<Condition>)>, within_ms: Option<i64>) -> MatchRecognize {
    let first = |column| Source::Row { of: Rows::All, from: End::First, offset: 0, column };
    let variables = variables.into_iter().enumerate().map(|(number, (quantifier, condition))| Variable {
        name: format!("V{number}"),
        quantifier,
        condition,
    });
    MatchRecognize {
        input: schema(),
        keys: vec![("k".to_owned(), DataType::Utf8)],
        order: Vec::new(),
        variables: variables.collect(),
        after: AfterMatch::PastLastRow,
        within_ms,
        outputs: vec![("k".to_owned(), first(0)), ("v".to_owned(), first(1)), ("last".to_owned(), last(1))],
        late: LatePolicy::Skip,
    }
}

fn run(name: &str, spec: &MatchRecognize, batches: &[Batch]) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !name.contains(&filter)) {
        return;
    }
    let best = fastest(spec, batches, DELAY_MS, COMMIT_EVERY);
    println!("{name:44} {:8.2} M rows/s", (ROWS * BATCHES) as f64 / best / 1e6);
}

fn main() {
    let many = Quantifier { min: 1, max: None, greedy: true };
    for keys in [16, 10_000] {
        let rows = batches(keys);
        let of_row = vec![
            (Quantifier::ONE, Some(than(0, true, 500))),
            (many, Some(than(1, true, 700))),
            (Quantifier::ONE, Some(than(2, false, 900))),
        ];
        run(&format!("{keys} keys, A B+ C by the row alone"), &spec(of_row.clone(), None), &rows);
        run(&format!("{keys} keys, A B+ C within 100 ms"), &spec(of_row, Some(100)), &rows);
        let rising = vec![
            (Quantifier::ONE, None),
            (Quantifier::ONE, Some(more_than(1, 0))),
            (Quantifier::ONE, Some(more_than(2, 1))),
        ];
        run(&format!("{keys} keys, three that rise"), &spec(rising, None), &rows);
    }
}
