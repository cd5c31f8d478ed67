//! An operator over batches in the order of event time, timed.

use millstream_operators::testing::Harness;
use millstream_operators::{Batch, OperatorSpec, Port};
use std::time::Instant;

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 3;

/// Seconds that the fastest round took: the watermark follows each batch by `delay_ms`, and every so many batches are
/// committed.
pub(crate) fn fastest(spec: &dyn OperatorSpec, batches: &[Batch], delay_ms: i64, commit_every: usize) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let mut harness = Harness::new(spec);
        let begin = Instant::now();
        for (index, batch) in batches.iter().enumerate() {
            harness.process_batch(Port(0), batch.clone()).unwrap();
            harness.advance(*batch.times.last().unwrap() - delay_ms).unwrap();
            if index % commit_every == commit_every - 1 {
                harness.commit().unwrap();
            }
            harness.take();
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    best
}
