//! `/api/v1/jobs`: looked at, and where there is a fleet operated.

use super::Shared;
use crate::api;
use crate::fleet::{Fleet, Wanted};
use crate::guard::Role;
use crate::problem::Problem;
use axum::Json;
use axum::extract::rejection::StringRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) type Answer = Result<Response, Problem>;
pub(super) type Body = Result<String, StringRejection>;

/// What a text of SQL is sent as. No page of another origin can, without being allowed to first.
const SQL: &str = "application/sql";

pub(super) async fn list(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.board.now().iter().map(|(name, view)| api::summary(name, view)).collect())
}

pub(super) async fn show(State(shared): State<Shared>, Path(name): Path<String>) -> Answer {
    let jobs = shared.board.now();
    match jobs.get(&name) {
        Some(view) => Ok(Json(api::detail(&name, view)).into_response()),
        None => {
            let known: Vec<&str> = jobs.keys().map(String::as_str).collect();
            Err(Problem::new(
                StatusCode::NOT_FOUND,
                format!("there is no such job here; there are: {}", known.join(", ")),
            ))
        }
    }
}

/// What is done with a fleet may write to disk and plan: on a thread that may wait.
pub(super) async fn with_fleet<T: Send + 'static>(
    shared: Shared,
    work: impl FnOnce(&Fleet) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let fleet = shared.fleet.ok_or_else(|| Problem::failure("nothing can be changed here"))?;
    let done = tokio::task::spawn_blocking(move || work(&fleet)).await;
    done.unwrap_or_else(|error| Err(Problem::failure(format!("a defect of millstream: {error}"))))
}

pub(super) fn sql_of(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != SQL {
        let detail = format!("send the text of the job as the body, with Content-Type: {SQL}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

fn name_of(query: &BTreeMap<String, String>) -> Result<String, Problem> {
    let name = query.get("name").filter(|name| !name.is_empty());
    name.cloned().ok_or_else(|| Problem::bad("name the job: ?name=NAME"))
}

pub(super) async fn submit(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    put(shared, role, name_of(&query), headers, body, false).await
}

pub(super) async fn replace(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    put(shared, role, Ok(name), headers, body, true).await
}

async fn put(
    shared: Shared,
    role: Role,
    name: Result<String, Problem>,
    headers: HeaderMap,
    body: Body,
    replace: bool,
) -> Answer {
    let operator = role.operator()?;
    let (name, text) = (name?, sql_of(&headers, body)?);
    let called = name.clone();
    let is_new = with_fleet(shared, move |fleet| fleet.submit(&operator, &called, &text, replace)).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(header::LOCATION, format!("/api/v1/jobs/{name}"))];
    Ok((status, location, Json(json!({ "name": name }))).into_response())
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Path(name): Path<String>,
) -> Answer {
    let operator = role.operator()?;
    with_fleet(shared, move |fleet| fleet.remove(&operator, &name)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn act(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Path((name, action)): Path<(String, String)>,
) -> Answer {
    let operator = role.operator()?;
    let (wanted, again) = match action.as_str() {
        "pause" => (Wanted::Paused, false),
        "resume" => (Wanted::Running, false),
        "stop" => (Wanted::Stopped, false),
        "restart" => (Wanted::Running, true),
        _ => {
            let detail = "a job can be asked to pause, resume, stop and restart";
            return Err(Problem::new(StatusCode::NOT_FOUND, detail));
        }
    };
    let called = name.clone();
    with_fleet(shared, move |fleet| fleet.want(&operator, &called, wanted, again)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "name": name }))).into_response())
}

pub(super) async fn log(State(shared): State<Shared>, Path(name): Path<String>) -> Answer {
    Ok(Json(with_fleet(shared, move |fleet| fleet.diary(&name)).await?).into_response())
}

/// The text as it is, passwords and all: for those who could have written it.
pub(super) async fn text(
    State(shared): State<Shared>,
    Extension(role): Extension<Role>,
    Path(name): Path<String>,
) -> Answer {
    let operator = role.operator()?;
    let text = with_fleet(shared, move |fleet| fleet.text(&operator, &name)).await?;
    Ok(([(header::CONTENT_TYPE, SQL)], text).into_response())
}

pub(super) async fn check(
    State(shared): State<Shared>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let name = name_of(&query).unwrap_or_else(|_| "job".to_owned());
    let text = sql_of(&headers, body)?;
    let warnings = with_fleet(shared, move |fleet| fleet.check(&name, &text)).await?;
    Ok(Json(json!({ "warnings": warnings })).into_response())
}
