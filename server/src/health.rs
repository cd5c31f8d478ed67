//! Health that means something: what probes of Kubernetes, systemd and load balancers ask.
//!
//! | path | 200 when |
//! |---|---|
//! | `/livez` | whoever runs the jobs has looked at each in the last ten seconds: the process does not hang |
//! | `/startupz` | every job has had all of its tasks running at some time, or is restoring them |
//! | `/readyz` | every job runs, or has ended well |
//!
//! Anything else is a 503 whose body says, line by line, which job and why. In a process of many jobs one that has failed
//! is no reason to kill or to hide it, with its neighbours: it is named in the body of the 200.

use crate::board::{JobEnd, JobState, JobView};
use crate::http::Shared;
use axum::http::StatusCode;
use std::time::Duration;

/// A job that was not looked at for so long hangs.
const UNSEEN_MAX: Duration = Duration::from_secs(10);

/// A status, and why.
pub(crate) type Health = (StatusCode, String);

fn health(shared: &Shared, wrong: impl Fn(&JobView) -> Vec<String>) -> Health {
    let (mut reasons, mut failures) = (Vec::new(), Vec::new());
    let is_one_of_many = shared.fleet.is_some();
    for (name, view) in shared.board.now() {
        let line = |reason: String| format!("{name}: {reason}\n");
        match view.state() == JobState::Failed && is_one_of_many {
            true => failures.extend(failure(&view).into_iter().map(line)),
            false => reasons.extend(wrong(&view).into_iter().map(line)),
        }
    }
    match reasons.is_empty() {
        true => (StatusCode::OK, "ok\n".to_owned() + &failures.concat()),
        false => (StatusCode::SERVICE_UNAVAILABLE, reasons.concat() + &failures.concat()),
    }
}

pub(crate) fn live(shared: &Shared) -> Health {
    health(shared, |view| match view.unseen_for() > UNSEEN_MAX {
        true => vec![format!("not looked at for {} s", view.unseen_for().as_secs())],
        false => Vec::new(),
    })
}

pub(crate) fn started(shared: &Shared) -> Health {
    health(shared, |view| match view.state() {
        JobState::Starting if !view.has_run => view.waits(),
        JobState::Failed => failure(view),
        _ => Vec::new(),
    })
}

pub(crate) fn ready(shared: &Shared) -> Health {
    health(shared, |view| match view.state() {
        JobState::Starting | JobState::Restoring => view.waits(),
        JobState::Failed => failure(view),
        JobState::Running
        | JobState::Degraded
        | JobState::Paused
        | JobState::Finished
        | JobState::Stopped => Vec::new(),
    })
}

fn failure(view: &JobView) -> Vec<String> {
    match &view.end {
        // The first line: an error may quote records over many.
        Some(JobEnd::Failed(problem, _)) => {
            vec![format!("failed: {}", problem.detail.lines().next().unwrap_or_default())]
        }
        _ => Vec::new(),
    }
}
