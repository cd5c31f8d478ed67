//! `/api/v1/query`: questions over the tables of a job.
//!
//! A question reads topics, and may name a cluster: it is for operators.

use super::Shared;
use super::jobs::{Answer, Body, sql_of, with_fleet};
use crate::guard::{ANSWER_MAX, Role};
use crate::problem::Problem;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many questions are answered at once.
pub(super) const QUESTIONS_MAX: usize = 4;
/// How many rows an answer has when nothing else is said, and at most.
const ROWS: usize = 1_000;
const ROWS_MAX: usize = 10_000;
/// What the rest of a request takes.
const SLACK: Duration = Duration::from_secs(1);

pub(super) async fn ask(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let operator = role.operator()?;
    let text = sql_of(&headers, body)?;
    let rows_max = match query.get("rows").map(|rows| rows.parse::<usize>()) {
        None => ROWS,
        Some(Ok(rows @ 1..=ROWS_MAX)) => rows,
        Some(_) => return Err(Problem::bad(format!("rows is a number from 1 to {ROWS_MAX}"))),
    };
    let Ok(place) = shared.questions.clone().try_acquire_owned() else {
        let detail = "too many questions are being answered; try again";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    };
    let job = query.get("job").cloned().filter(|job| !job.is_empty());
    let answer = with_fleet(shared, move |fleet| {
        // Held until it is answered, also for who does not wait for that.
        let _place = place;
        fleet.ask(&operator, job.as_deref(), &text, rows_max, ANSWER_MAX - SLACK)
    });
    let answer = answer.await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}
