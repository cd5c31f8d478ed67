//! Whole jobs, declared in Rust: under the test driver, run by production workers, crashed and replayed; and on an embedded
//! log whose disk is full.

#![allow(clippy::unwrap_used, reason = "a test")]

mod full_disk;
mod tables;
mod test_kit;
mod typed;
