//! The `millstream` command, as users run it: the built binary, in processes of its own.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bucket;
mod bundle;
mod command;
mod connectors;
mod dead_letters;
mod file_tests;
mod files;
mod help;
mod http;
mod jobs;
mod kafka;
mod looks;
mod loopback;
mod mended;
mod object_storage;
mod postgres;
mod processes;
mod registry;
mod savepoints;
mod serve;
mod settings;
mod sql;
mod state;
mod tls;
mod topics;
