//! Tests of the runtime as a whole.

mod conformance;
mod partitioner;
mod stores;
