//! The server as clients see it: over a socket, and by PostgreSQL's own `psql`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod backend;
mod client;
mod protocol;
mod psql;
