//! What stateful operators are made of: keys as bytes and as slots, rows as bytes.

pub mod keys;
pub(crate) mod rows;
