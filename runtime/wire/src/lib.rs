//! A small, fast client for the data path of Apache Kafka: fetching and producing record batches.

pub mod batch;
