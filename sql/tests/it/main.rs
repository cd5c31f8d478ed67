//! The planner from outside: whole files, most of them wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod bounds;
mod generated;
mod pages;
mod statements;
