//! What is wrong, as clients are told: RFC 9457's problem details, with the planner's codes and places.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What is wrong with a request, or with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status of HTTP that says so best.
    pub status: u16,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Every mistake of a text of SQL, in the order of the text.
    pub mistakes: Vec<Mistake>,
}

/// A mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Its code, as `millstream explain` knows it.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where it begins and ends in the text, in bytes.
    pub span: (usize, usize),
    /// The line and column where it begins, from 1, in characters.
    pub place: (usize, usize),
    /// What to write at that place; empty for nothing.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without places.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem { status: status.as_u16(), detail: detail.into(), mistakes: Vec::new() }
    }

    /// What can't be done as things stand.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// A request that means nothing.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// What went wrong here or behind here.
    pub fn failure(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// A text of SQL with these mistakes.
    pub fn mistakes(detail: impl Into<String>, mistakes: Vec<Mistake>) -> Self {
        Problem { mistakes, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// The mistakes, for a client.
    pub(crate) fn mistakes_json(&self) -> Value {
        self.mistakes.iter().map(Mistake::json).collect()
    }
}

impl Mistake {
    fn json(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "line": self.place.0,
            "column": self.place.1,
            "start": self.span.0,
            "end": self.span.1,
            "label": self.label,
            "help": self.help,
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if !self.mistakes.is_empty() {
            body["errors"] = self.mistakes_json();
        }
        let mut answer = (status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}
