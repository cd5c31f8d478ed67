//! What the logs promise, and what Kafka does to its clients at its worst.

mod conformance;
mod late_end;
mod rights;
mod security;
