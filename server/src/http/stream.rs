//! Events: `/api/v1/jobs/stream` tells what has changed, as long as somebody listens.
//!
//! An event is made when its reader has room for it, of what is known then: there is no queue, and a slow reader misses
//! what was in between. One that reads nothing for half a minute is dropped with its connection.

use super::Shared;
use crate::api;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How many listen at once.
pub(super) const LISTENERS_MAX: usize = 32;
/// How often it is looked whether anything has changed.
const LOOK: Duration = Duration::from_secs(1);
/// How often something is sent although nothing has: less than connections may be silent for.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// What is known of the jobs, whenever it has changed.
struct Changes {
    shared: Shared,
    looks: Interval,
    last: String,
    _place: OwnedSemaphorePermit,
}

impl Stream for Changes {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            ready!(self.looks.poll_tick(cx));
            let jobs = self.shared.board.now();
            let jobs: serde_json::Value = jobs.iter().map(|(name, view)| api::summary(name, view)).collect();
            let jobs = jobs.to_string();
            if jobs != self.last {
                self.last.clone_from(&jobs);
                return Poll::Ready(Some(Ok(Event::default().event("jobs").data(jobs))));
            }
        }
    }
}

/// Listens to what becomes of jobs.
pub(super) async fn jobs(State(shared): State<Shared>) -> Response {
    let Ok(place) = Arc::clone(&shared.listeners).try_acquire_owned() else {
        let detail = format!("{LISTENERS_MAX} listen already; ask for /api/v1/jobs now and then");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let changes = Changes { shared, looks, last: String::new(), _place: place };
    Sse::new(changes).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}
