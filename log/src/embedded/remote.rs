//! The log for other processes: topic commands reach the process that owns a log through a Unix socket in its
//! directory.
//!
//! One thread and one bounded queue per connection: a request is answered before the next is read, so a connection
//! holds one request and one answer at a time, and a slow client slows nobody else. What belongs to the life of a job
//! (members of groups, transactions) is not served: its fate has to be tied to the process that owns the log.
//!
//! ```text
//! client: magic, versions ->          <- magic, version
//! then frames, both ways: length u32 | head length u32 | head (postcard) | body (batches, as they are stored)
//! ```

mod client;
mod frame;
mod messages;
mod server;
mod session;
mod socket;

pub use client::EmbeddedClient;
pub(crate) use server::Server;
