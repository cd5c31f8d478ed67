//! Tests of the runtime as a whole.

mod conformance;
mod late_end;
mod partitioner;
mod security;
mod stores;
