//! The operators of SQL's relations: each takes streams of rows and gives one.

pub mod aggregate;
pub(crate) mod assign_windows;
pub(crate) mod join;
pub(crate) mod key_by;
pub mod match_recognize;
pub(crate) mod project;
pub(crate) mod set_operation;
pub(crate) mod temporal_join;
pub(crate) mod top_n;
pub(crate) mod union;
pub(crate) mod unnest;
