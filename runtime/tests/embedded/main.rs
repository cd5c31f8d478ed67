//! The embedded log, beyond what the conformance suite asks of every log: what survives, what is refused, what other
//! processes see.

mod basics;
mod common;
mod groups;
mod retention;
mod transactions;
