//! Tests across modules: operators against slow references, tables from records to batches.

#![allow(clippy::unwrap_used, reason = "a test")]

mod aggregate;
mod aggregate_model;
mod current_join;
mod join;
mod join_model;
mod match_model;
mod match_recognize;
mod materialize;
mod normalize;
mod over;
mod over_model;
mod own;
mod session;
mod set_operation;
mod sinks;
mod sorted_over;
mod table;
mod temporal_join;
mod temporal_join_model;
mod top_n;
mod values;
mod window;
mod window_join;
mod window_model;
mod window_top_n;
