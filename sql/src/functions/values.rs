//! Values: their texts, what texts mean, decimals, and casts between types. Flink's rules stand here and nowhere else.

pub(crate) mod cast;
pub(crate) mod decimal;
pub(crate) mod detail;
mod nested;
pub(crate) mod parse;
pub(crate) mod text;
