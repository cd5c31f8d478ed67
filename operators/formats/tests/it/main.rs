//! Formats against slow references, against what Flink does, and against each other.

#![allow(clippy::unwrap_used, reason = "a test")]

mod avro;
mod changes;
mod csv;
mod debezium;
mod json;
mod json_differential;
mod protobuf;
mod raw;
mod round_trip;
mod run;
