//! Tests across modules: formats against slow references, tables from records to batches.

#![allow(clippy::unwrap_used, reason = "a test")]

mod aggregate;
mod aggregate_model;
mod csv;
mod join;
mod join_model;
mod json;
mod json_differential;
mod materialize;
mod normalize;
mod raw;
mod round_trip;
mod sinks;
mod table;
mod temporal_join;
mod temporal_join_model;
mod window;
mod window_model;
