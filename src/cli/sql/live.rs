//! Answers that go on.

use crate::cli::Failure;
use crate::cli::ask::format::{Format, object};
use crate::cli::ask::{Next, Rows, answer};
use crate::cli::output::{counted, print};
use crate::cli::progress::Panel;
use millstream::log::Log;
use millstream::sql::Question;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the table is drawn again.
const DRAW: Duration = Duration::from_millis(250);
/// How many rows of it are shown.
const ROWS_SHOWN: usize = 20;
/// How many there may be.
const ROWS_MAX: usize = 1_000_000;

/// Shows how the answer changes, until it is to end: as a table that moves on a terminal, change by change elsewhere.
pub(super) fn follow(
    question: &Question,
    log: Arc<dyn Log>,
    format: Format,
    asked_to_end: &AtomicBool,
) -> Result<(), Failure> {
    match format == Format::Table && std::io::stderr().is_terminal() {
        true => moving(question, log, asked_to_end),
        false => changes(question, log, asked_to_end),
    }
}

fn moving(question: &Question, log: Arc<dyn Log>, asked_to_end: &AtomicBool) -> Result<(), Failure> {
    let panel = Panel::new();
    let (begun, mut drawn, mut shown) = (Instant::now(), Instant::now() - DRAW, None);
    let rows = answer(question, log, Rows::default(), |rows| {
        if rows.len() > ROWS_MAX {
            return Err(too_many());
        }
        if drawn.elapsed() >= DRAW && shown != Some(rows.changes()) {
            (drawn, shown) = (Instant::now(), Some(rows.changes()));
            let table = Format::Table.text(question, &rows.answer(question, ROWS_SHOWN))?;
            let rate = rows.changes() as f64 / begun.elapsed().as_secs_f64().max(0.001);
            let rows = counted(rows.len() as u64, "row");
            panel.show(format!("{rows}, {rate:.0} changes/s; Ctrl-C ends it\n{table}"));
        }
        Ok(next(asked_to_end))
    });
    drop(panel);
    let rows = rows?;
    print(&Format::Table.text(question, &rows.answer(question, ROWS_SHOWN))?)
}

/// Each change is an object with what it is, `+I` or `-D`, and the row.
fn changes(question: &Question, log: Arc<dyn Log>, asked_to_end: &AtomicBool) -> Result<(), Failure> {
    answer(question, log, Rows::passing(), |rows| {
        let changes = rows.passed(question.columns.len());
        let lines = changes.iter().map(|(comes, row)| {
            let kind = if *comes { "+I" } else { "-D" };
            format!("{{\"op\":\"{kind}\",\"row\":{}}}\n", object(question, row))
        });
        print(&lines.collect::<String>())?;
        Ok(next(asked_to_end))
    })?;
    Ok(())
}

fn next(asked_to_end: &AtomicBool) -> Next {
    if asked_to_end.load(Ordering::Relaxed) { Next::Enough } else { Next::More }
}

fn too_many() -> Failure {
    Failure::Usage(format!("the answer has more than {ROWS_MAX} rows; narrow it with WHERE, or GROUP BY"))
}
