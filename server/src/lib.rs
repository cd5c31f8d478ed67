//! Jobs seen from outside, over HTTP: metrics for Prometheus, health for probes, status as JSON, and a page for people.
//!
//! ```text
//!   job --look--> Board <--read-- /metrics  /livez  /readyz  /startupz  /api/v1/jobs  /
//! ```
//! Whoever runs a job puts what its workers tell on the [`Board`] now and then; the [`Server`], on a thread of its own,
//! answers from there and never touches a job. So a slow or hostile reader costs a job nothing.
//!
//! Security: reading only. The server listens on the loopback interface, or needs a token ([`ServerOptions`]); requests
//! that name another host are refused, so that a page of somebody else's can't read it through a browser; no other
//! origin is let in; requests have a limit in number, size and time.

mod api;
mod board;
mod guard;
mod health;
mod http;
mod metrics;

pub use board::{Board, JobEnd, JobState, PlanNode};
pub use http::{Server, ServerError, ServerOptions};
pub use metrics::{JOB_METRICS, JobMetric, reference};
