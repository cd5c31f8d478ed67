//! Questions to a server.

use super::planner::{Place, problem};
use crate::cli::Failure;
use crate::cli::ask::limited::{Limits, Unanswered, limited};
use crate::cli::settings::defaults;
use crate::cli::sql::shell::statements;
use millstream::MemoryPlan;
use millstream_server::{Answerer, Problem, QuestionText};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let question = defaults().ask("the tables", &tables, &text, false).map_err(|errors| problem(&errors))?;
    let failed = |unanswered: Unanswered| match unanswered {
        Unanswered::Limit(detail) | Unanswered::Failed(Failure::Usage(detail)) => Problem::bad(detail),
        Unanswered::Cancelled => Problem::conflict("the question was cancelled"),
        Unanswered::Failed(other) => Problem::failure(other.to_string()),
    };
    let log =
        place.log_of(&question.job, &MemoryPlan::new(0, 1)).map_err(|failure| failed(failure.into()))?;
    let limits = Limits { rows_max: asked.rows_max, time_max: asked.time_max, begun, cancelled: None };
    let (rows, more) = limited(&question, log, limits).map_err(failed)?;
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
