//! Whole jobs under the test driver: declared in Rust, run by production workers, crashed and replayed.

#![allow(clippy::unwrap_used, reason = "a test")]

mod typed;
