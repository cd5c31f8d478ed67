//! Stream processing over a durable log: SQL and typed Rust jobs, exactly once, on Kafka or on an embedded log.
//!
//! This crate is the facade: it re-exports what an embedding program needs.
//!
//! - [`typed`]: declare a job over serde structs
//! - [`sql`]: plan a job from a SQL file
//! - [`log`]: the logs a job runs on: [`log::embedded`], [`log::kafka`], and [`log::memory`] for tests
//! - [`job`]: run a job on threads of this process
//! - [`snapshot`]: where a job's state is kept beside its machines
//! - [`savepoint`]: a copy of a job, taken by request, that another job can be started from
//! - [`driver`]: run a job in a test, under a clock that the test moves
//! - [`exit_now`]: end a process whose job is over, before the libraries beneath it are taken down
//! - [`replay`]: run a job's commits again and compare; read a whole partition
//!
//! `docs/ARCHITECTURE.md` is the map of the code behind it.

pub use millstream_operators as operators;
pub use millstream_operators::typed;
pub use millstream_operators::{Topology, TopologyError};
pub use millstream_runtime::job::{Job, JobSettings, Until};
pub use millstream_runtime::{
    JobError, MEMORY_BYTES_MIN, MemoryPlan, TaskId, driver, exit_now, job, log, replay, savepoint, snapshot,
    topics, worker,
};
pub use millstream_sql as sql;
