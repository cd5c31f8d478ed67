//! What may change between two runs of a job, and what happens to its state then: `docs/upgrades.md`, tested pair by pair.
//!
//! A pair is a file, what it becomes, and what has to come of it: the second run goes on and its output is that of a run
//! of the second file over all input, or it is refused, in words that name what changed. A job that was refused goes on with
//! the file it had. Pairs run after a restart and from a savepoint, on the log in memory, the embedded one and Kafka.

#![allow(clippy::unwrap_used, reason = "a test")]

mod check;
mod generated;
mod inputs;
mod kafka;
mod old;
mod pairs;
mod remains;
mod world;
