//! Health that means something: what probes of Kubernetes, systemd and load balancers ask.
//!
//! | path | 200 when |
//! |---|---|
//! | `/livez` | whoever runs the jobs has looked at each in the last ten seconds: the process does not hang |
//! | `/startupz` | every job has had all of its tasks running at some time, or is restoring them |
//! | `/readyz` | every job runs, or has ended well |
//!
//! Anything else is a 503 whose body says, line by line, which job and why.

use crate::board::{Board, JobEnd, JobState, JobView};
use axum::http::StatusCode;
use std::time::Duration;

/// A job that was not looked at for so long hangs.
const UNSEEN_MAX: Duration = Duration::from_secs(10);

/// A status, and why.
pub(crate) type Health = (StatusCode, String);

fn health(board: &Board, wrong: impl Fn(&JobView) -> Vec<String>) -> Health {
    let mut reasons = Vec::new();
    for (name, view) in board.now() {
        reasons.extend(wrong(&view).into_iter().map(|reason| format!("{name}: {reason}\n")));
    }
    match reasons.is_empty() {
        true => (StatusCode::OK, "ok\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, reasons.concat()),
    }
}

pub(crate) fn live(board: &Board) -> Health {
    health(board, |view| match view.end.is_none() && view.unseen_for() > UNSEEN_MAX {
        true => vec![format!("not looked at for {} s", view.unseen_for().as_secs())],
        false => Vec::new(),
    })
}

pub(crate) fn started(board: &Board) -> Health {
    health(board, |view| match view.state() {
        JobState::Starting if !view.has_run => view.waits(),
        JobState::Failed => failure(view),
        _ => Vec::new(),
    })
}

pub(crate) fn ready(board: &Board) -> Health {
    health(board, |view| match view.state() {
        JobState::Starting | JobState::Restoring => view.waits(),
        JobState::Failed => failure(view),
        JobState::Running | JobState::Finished | JobState::Stopped => Vec::new(),
    })
}

fn failure(view: &JobView) -> Vec<String> {
    match &view.end {
        // The first line: an error may quote records over many.
        Some(JobEnd::Failed(error)) => {
            vec![format!("failed: {}", error.lines().next().unwrap_or_default())]
        }
        _ => Vec::new(),
    }
}
