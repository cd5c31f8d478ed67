//! Questions to a server.

use super::planner::{Place, problem};
use crate::cli::Failure;
use crate::cli::ask::{Next, Rows, answer};
use crate::cli::sql::shell::statements;
use millstream::MemoryPlan;
use millstream::sql::ask;
use millstream_server::{Answerer, Problem, QuestionText};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the rows of an answer may take while it is made.
const ROWS_BYTES_MAX: usize = 64 << 20;

/// Answers questions over the logs of a server's jobs.
pub(super) fn answerer(place: Arc<Place>) -> Answerer {
    Arc::new(move |asked: QuestionText<'_>| answered(&place, asked))
}

fn answered(place: &Place, asked: QuestionText<'_>) -> Result<String, Problem> {
    let begun = Instant::now();
    let (mut declared, rest) = statements(asked.text);
    let text = match rest.trim().is_empty() {
        true => declared.pop().unwrap_or_default(),
        // As it stands, so that places of mistakes are those of the text where nothing is declared in front.
        false => rest,
    };
    if text.trim().is_empty() {
        return Err(Problem::bad("the question is empty: send SELECT .. FROM .."));
    }
    let declared: String = declared.iter().map(|statement| format!("\n{statement};")).collect();
    let tables = format!("{}{declared}", asked.tables);
    let question = ask("the tables", &tables, &text, false).map_err(|errors| problem(&errors))?;
    let failed = |failure: Failure| match failure {
        Failure::Usage(detail) => Problem::bad(detail),
        other => Problem::failure(other.to_string()),
    };
    let log = place.log_of(&question.job, &MemoryPlan::new(0, 1)).map_err(failed)?;
    let rows = answer(&question, log, Rows::default(), |rows| {
        if rows.bytes() > ROWS_BYTES_MAX {
            let mib = ROWS_BYTES_MAX >> 20;
            return Err(Failure::Usage(format!(
                "the answer takes more than {mib} MiB: narrow it with WHERE"
            )));
        }
        if begun.elapsed() > asked.time_max {
            let most = asked.time_max.as_secs();
            return Err(Failure::Usage(format!(
                "the answer takes more than {most} s: narrow it, or ask with millstream sql"
            )));
        }
        Ok(Next::More)
    });
    let mut rows = rows.map_err(failed)?.answer(&question, asked.rows_max.saturating_add(1));
    let more = rows.len() > asked.rows_max;
    rows.truncate(asked.rows_max);
    Ok(json(&question.columns, &rows, more, begun.elapsed()))
}

/// The values are JSON already, and stay as they are: decimals have all their digits.
fn json(columns: &[(String, String)], rows: &[Vec<String>], more: bool, took: Duration) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let columns = columns
        .iter()
        .map(|(name, type_name)| format!("{{\"name\":{},\"type\":{}}}", text(name), text(type_name)));
    let columns = columns.collect::<Vec<_>>().join(",");
    let rows = rows.iter().map(|row| format!("[{}]", row.join(","))).collect::<Vec<_>>().join(",");
    let took = took.as_millis();
    format!("{{\"columns\":[{columns}],\"rows\":[{rows}],\"more\":{more},\"took_ms\":{took}}}")
}
