//! What the project's tests need of the world outside.
//!
//! [`kafka`] runs a real Apache Kafka: one process, fetched once, gone with the test that started it.

pub mod kafka;
