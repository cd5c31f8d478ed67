//! The producer against a real broker.
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod idempotent;
mod transactions;
mod world;
