//! What stateful operators are made of.

pub(crate) mod bags;
pub mod keys;
pub(crate) mod late;
pub(crate) mod rows;
pub(crate) mod sequence;
pub(crate) mod sorted;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod timers;
pub(crate) mod waiting;
