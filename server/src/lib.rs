//! Jobs seen and operated from outside, over HTTP: metrics for Prometheus, health for probes, status as JSON, a page for
//! people, and the jobs themselves.
//!
//! ```text
//!   job --look--> Board <--read-- /metrics  /livez  /readyz  /startupz  /api/v1/jobs  /
//!    ^                                                               |
//!    +--------------- Fleet <--orders-- POST, PUT, DELETE -----------+
//! ```
//! Whoever runs a job puts what its workers tell on the [`Board`] now and then; the [`Server`], on a thread of its own,
//! answers from there and never touches a job. So a slow or hostile reader costs a job nothing. A [`Fleet`] is many jobs in
//! one process, which can be told what to do.
//!
//! Security: the server listens on the loopback interface, or needs a token ([`ServerOptions`]); requests that name another
//! host are refused, so that a page of somebody else's can't read it through a browser; no other origin is let in.
//! Connections and requests have a limit in number, size and time. What changes a job asks for an `Operator`, which only
//! the guard gives out, for the right token: no route can forget to.

mod api;
mod board;
mod connections;
mod fleet;
mod guard;
mod health;
mod http;
mod metrics;
mod openapi;
mod problem;

pub use board::{Board, JobEnd, JobState, PlanNode};
pub use fleet::{Answerer, Fleet, FleetOptions, JobText, PlannedJob, Planner, QuestionText};
pub use http::{Server, ServerError, ServerOptions};
pub use metrics::{JOB_METRICS, JobMetric, reference};
pub use problem::{Mistake, Problem};
