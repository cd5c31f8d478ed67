//! Answers with limits: for those who ask over a network.

use super::{Next, Rows, answer};
use crate::cli::Failure;
use millstream::log::Log;
use millstream::sql::Question;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the rows of an answer may take while it is made.
const ROWS_BYTES_MAX: usize = 64 << 20;

/// How much an answer may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Limits<'a> {
    /// How many rows are wanted at most.
    pub(in crate::cli) rows_max: usize,
    /// How long it may take, from when it was asked.
    pub(in crate::cli) time_max: Duration,
    /// When it was asked.
    pub(in crate::cli) begun: Instant,
    /// Whether nobody waits for it any longer.
    pub(in crate::cli) cancelled: Option<&'a AtomicBool>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::cli) enum Unanswered {
    /// It takes more than it may.
    Limit(String),
    /// Nobody waits for it any longer.
    Cancelled,
    /// Something failed.
    Failed(Failure),
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Unanswered::Failed(failure)
    }
}

/// The rows of an answer, and whether there are more than were wanted.
pub(in crate::cli) fn limited(
    question: &Question,
    log: Arc<dyn Log>,
    limits: Limits<'_>,
) -> Result<(Vec<Vec<String>>, bool), Unanswered> {
    let mut stopped = None;
    let rows = answer(question, log, Rows::default(), |rows| {
        stopped = exceeded(rows, limits);
        Ok(if stopped.is_some() { Next::Enough } else { Next::More })
    })?;
    // An answer that was whole at the last look is one, whatever was looked at then.
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    let mut rows = rows.answer(question, limits.rows_max.saturating_add(1));
    let more = rows.len() > limits.rows_max;
    rows.truncate(limits.rows_max);
    Ok((rows, more))
}

fn exceeded(rows: &Rows, limits: Limits<'_>) -> Option<Unanswered> {
    if limits.cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
        return Some(Unanswered::Cancelled);
    }
    if rows.bytes() > ROWS_BYTES_MAX {
        let mib = ROWS_BYTES_MAX >> 20;
        return Some(Unanswered::Limit(format!(
            "the answer takes more than {mib} MiB: narrow it with WHERE"
        )));
    }
    if limits.begun.elapsed() > limits.time_max {
        let most = limits.time_max.as_secs();
        return Some(Unanswered::Limit(format!(
            "the answer takes more than {most} s: narrow it, or ask with millstream sql"
        )));
    }
    None
}
