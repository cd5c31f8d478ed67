//! A client for Kafka's data path: it fetches and produces record batches, and does nothing else.
//!
//! Group membership and administration are somebody else's; so is everything that knows what records mean. What is
//! here is built around one observation: a client spends its time on records, so nothing may happen per record that can
//! happen per batch. A fetch answer is read into one buffer and handed out as it is.
//!
//! ```text
//! caller's thread (blocking, with deadlines)          I/O thread of the client (tokio, one thread)
//!   fetch::Fetcher  <-- bounded queues ---------------- one task per leader: Fetch sessions
//!   produce::..     --- bounded queues ---------------> one task per leader: Produce in order
//!                                                       cluster::Cluster: metadata, coordinators,
//!                                                         connection::Connection by broker (tls, sasl)
//! ```
//!
//! Of the Rust clients that there are, none was taken whole: `rskafka` speaks versions of 2022, without leader epochs,
//! sessions or transactions; `krafka` keeps its connections to itself; those of `kacrab` can be had, with its own
//! encoding of every message, an API that is months old, and a newer Rust than this project asks for; `tansu-client`
//! brings a broker along. All of them hand out counted buffers per record. Taken are the libraries below them:
//! `kafka-protocol` for every message but the record batch, `rustls` for TLS, `ring` (which `rustls` needs anyway) for
//! SCRAM, tokio for sockets and timers.
//!
//! Rules: nothing waits without a deadline; nothing is kept without a limit; nothing that comes from the network can make
//! it panic; an error tells whether the request may have been carried out ([`WireError`]).

pub mod batch;
mod bounds;
pub mod cluster;
pub mod config;
pub mod connection;
mod denied;
mod error;
pub mod fetch;
mod io;
pub mod look;
mod place;
mod pool;
pub mod produce;
mod sasl;
mod tls;

pub use config::Config;
pub use denied::{Denied, Resource};
pub use error::{At, Code, Kind, WireError};
pub use io::IoThread;
pub use kafka_protocol;
pub use place::Place;

/// Tests look at what bytes from a broker make the process ask for.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: millstream_test_support::memory::Counting = millstream_test_support::memory::Counting;
