//! Tests of the runtime as a whole.

mod partitioner;
mod stores;
