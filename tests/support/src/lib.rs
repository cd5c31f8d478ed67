//! What the project's tests need of the world outside.
//!
//! [`kafka`] runs a real Apache Kafka: one process, fetched once, gone with the test that started it. [`memory`] counts
//! what is allocated, [`mutation`] damages bytes.

pub mod kafka;
pub mod memory;
pub mod mutation;
