//! How fast rows are joined: `cargo bench -p millstream-operators --bench join [filter]`.
//!
//! Batches of 4096 rows, a commit after every 64 of them. Rates are rows taken in from both sides per second, commits
//! included. "hot" leaves state in memory; "evicted" drops it after every commit, so that every key a commit touches is
//! read back (from the store in memory: what RocksDB costs comes on top).

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark")]

mod support;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::kernels::cmp::lt_eq;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use millstream_operators::aggregate::LatePolicy;
use millstream_operators::keys::KeyCodec;
use millstream_operators::source::Policy;
use millstream_operators::testing::{After, Function, Harness};
use millstream_operators::{
    Batch, IntervalJoin, Join, JoinKind, JoinOn, JoinSide, OperatorSpec, Ops, Port, Residual, StreamKind,
};
use std::sync::Arc;
use std::time::Instant;
use support::Random;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 4096;
const COMMIT_EVERY: usize = 64;
/// Batches of either side in a run.
const BATCHES: usize = 256;

fn schema(names: [&str; 3]) -> SchemaRef {
    let [key, time, text] = names;
    Arc::new(Schema::new(vec![
        Field::new(key, DataType::Int64, true),
        Field::new(time, DataType::Int64, true),
        Field::new(text, DataType::Utf8, true),
    ]))
}

fn batch(schema: &SchemaRef, keys: Vec<i64>, times: Vec<i64>, signs: Vec<i8>) -> Batch {
    let text: StringArray = keys.iter().map(|key| Some(format!("some text of row {key}"))).collect();
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(keys)), Arc::new(Int64Array::from(times.clone())), Arc::new(text)];
    let codec = KeyCodec::new(vec![DataType::Int64]).unwrap();
    let encoded = codec.encode(&columns[..1], times.len()).unwrap();
    let rows = RecordBatch::try_new(Arc::clone(schema), columns).unwrap();
    Batch { keys: Some(Arc::new(encoded)), ..Batch::changes(rows, times, Ops::from_signs(signs)) }
}

/// Rows of both sides in turn: as auctions (left, a new key each) and bids (right, for one of the last `open` keys),
/// eleven of these for one of those. A millisecond passes every ten rows.
fn auctions_and_bids(open: u64) -> Vec<(u8, Batch)> {
    let (left, right) = (schema(["k", "at", "item"]), schema(["rk", "rat", "bidder"]));
    let mut random = Random(1);
    let mut auctions = 0i64;
    let mut batches = Vec::new();
    for index in 0..BATCHES {
        let at = |row: usize| ((index * ROWS + row) / 10) as i64;
        let new: Vec<i64> = (0..ROWS / 12).map(|row| auctions + row as i64).collect();
        auctions += new.len() as i64;
        let bids: Vec<i64> =
            (0..ROWS - new.len()).map(|_| (auctions - 1 - (random.below(open)) as i64).max(0)).collect();
        let times = |rows: usize| (0..rows).map(at).collect::<Vec<i64>>();
        let signs = |rows: usize| vec![1; rows];
        batches.push((0, batch(&left, new.clone(), times(new.len()), signs(new.len()))));
        batches.push((1, batch(&right, bids.clone(), times(bids.len()), signs(bids.len()))));
    }
    batches
}

/// A changelog of `keys` rows on the right that are updated all the time, and insertions on the left that look one up.
fn updated_rows(keys: u64) -> Vec<(u8, Batch)> {
    let (left, right) = (schema(["k", "at", "item"]), schema(["rk", "rat", "bidder"]));
    let mut random = Random(1);
    let mut last = vec![0i64; keys as usize];
    let mut batches = Vec::new();
    for index in 0..BATCHES {
        let (mut keys_of, mut times, mut signs) = (Vec::new(), Vec::new(), Vec::new());
        while keys_of.len() + 1 < ROWS / 2 {
            let key = random.below(keys);
            let (old, new) = (last[key as usize], (index * ROWS + keys_of.len()) as i64);
            if old > 0 {
                keys_of.push(key as i64);
                times.push(old);
                signs.push(-1);
            }
            keys_of.push(key as i64);
            times.push(new + 1);
            signs.push(1);
            last[key as usize] = new + 1;
        }
        batches.push((1, batch(&right, keys_of, times, signs)));
        let looked_up: Vec<i64> = (0..ROWS / 2).map(|_| (random.below(keys * 50)) as i64).collect();
        let times = vec![(index * ROWS) as i64; looked_up.len()];
        batches.push((0, batch(&left, looked_up.clone(), times, vec![1; looked_up.len()])));
    }
    batches
}

fn on(kind: JoinKind, right: StreamKind, residual: Option<Residual>) -> JoinOn {
    let side = |names, input| JoinSide { schema: schema(names), keys: vec![0], input };
    JoinOn {
        left: side(["k", "at", "item"], StreamKind::Append),
        right: side(["rk", "rat", "bidder"], right),
        kind,
        on: "k = rk".to_owned(),
        residual,
        bad: Policy::Fail,
    }
}

/// `at <= rat`.
fn later() -> Residual {
    let predicate = Function::new("at <= rat", DataType::Boolean, |rows, _| {
        let met: BooleanArray = lt_eq(rows.column(0), rows.column(1)).map_err(|error| error.to_string())?;
        Ok(Arc::new(met))
    });
    Residual { columns: vec![1, 4], predicate: Arc::new(predicate) }
}

fn run(name: &str, spec: &dyn OperatorSpec, batches: &[(u8, Batch)], after: After) {
    let name = format!("{name}, {}", if after == After::Evict { "evicted" } else { "hot" });
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| !name.contains(&filter)) {
        return;
    }
    let rows: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
    let (mut best, mut emitted, mut memory) = (f64::INFINITY, 0, 0);
    for _ in 0..3 {
        let mut harness = Harness::with(spec, after, 0);
        emitted = 0;
        let begin = Instant::now();
        for (index, (port, batch)) in batches.iter().enumerate() {
            harness.process_batch(Port(*port), batch.clone()).unwrap();
            if *port == 1 && spec.describe().name == "IntervalJoin" {
                harness.advance(*batch.times.last().unwrap() - 1).unwrap();
            }
            if index % COMMIT_EVERY == COMMIT_EVERY - 1 {
                harness.commit().unwrap();
                emitted += harness.take().iter().map(Batch::len).sum::<usize>();
            }
        }
        best = best.min(begin.elapsed().as_secs_f64());
        memory = harness.memory_bytes() >> 20;
    }
    let rate = rows as f64 / best / 1e6;
    println!("{name:48} {rate:6.2} M rows/s  {emitted:9} rows emitted, {memory:4} MiB held");
}

fn main() {
    use JoinKind::{Inner, Left};
    use StreamKind::{Append, Changelog};
    let updated = updated_rows(10_000);
    let bids = auctions_and_bids(1_000);
    for after in [After::Nothing, After::Evict] {
        let join = |kind, right, residual, ttl_ms: Option<i64>| Join {
            on: on(kind, right, residual),
            ttl_ms: [ttl_ms; 2],
        };
        run("bids on auctions, inner", &join(Inner, Append, None, None), &bids, after);
        run(
            "bids on auctions, inner with condition",
            &join(Inner, Append, Some(later()), None),
            &bids,
            after,
        );
        run("bids on auctions, left with condition", &join(Left, Append, Some(later()), None), &bids, after);
        run("bids on auctions, inner with TTL", &join(Inner, Append, None, Some(1_000_000)), &bids, after);
        run("10000 updated rows, left", &join(Left, Changelog, None, None), &updated, after);
        for kind in [Inner, Left] {
            let (lower_ms, upper_ms) = (-1_000, 0);
            let on = on(kind, Append, None);
            let interval = IntervalJoin { on, lower_ms, upper_ms, late: [LatePolicy::Skip; 2] };
            run(&format!("interval of 1 s, {kind:?}").to_lowercase(), &interval, &bids, after);
        }
    }
}
