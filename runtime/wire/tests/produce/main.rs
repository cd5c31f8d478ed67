//! The producer against a real broker.
#![allow(missing_docs)]

mod idempotent;
mod transactions;
mod world;
