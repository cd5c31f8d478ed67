//! The embedded log, beyond what the conformance suite asks of every log: what survives, what is refused, what other
//! processes see.

mod basics;
mod common;
mod compaction;
mod crash;
mod damage;
mod groups;
mod power;
mod retention;
mod socket;
mod transactions;
