//! What the topics hold.

use serde::{Deserialize, Serialize};

/// Topics that the jobs read, and that others write.
pub const TOPICS: [&str; 3] = ["orders", "deliveries", "contacts"];

/// A record of `orders`: a customer has ordered something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order: String,
    /// Who ordered.
    pub customer: String,
    /// When, milliseconds since 1970.
    pub at: i64,
    /// What.
    pub items: Vec<Item>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The article.
    pub article: String,
    /// How many of it.
    pub quantity: u32,
    /// What one costs.
    pub cents: u64,
}

/// A record of `deliveries`: articles have come into stock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// The article.
    pub article: String,
    /// How many of it.
    pub quantity: u32,
    /// When, milliseconds since 1970.
    pub at: i64,
}
