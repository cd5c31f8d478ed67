//! Sales: what each article brought by the hour, and what each customer spent.

use super::events::OrderPlaced;
use millstream::typed::{Program, Windows};
use millstream::{Topology, TopologyError};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was sold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sold {
    /// How many.
    pub quantity: u64,
    /// For how much.
    pub cents: u64,
}

/// The job: reads `orders`, writes `sales-by-hour` and `spent-by-customer`.
pub fn sales() -> Result<Topology, TopologyError> {
    let program = Program::new();
    let orders = program
        .source::<OrderPlaced>("orders")
        .event_time(|order| order.at, Duration::from_secs(60))
        .stream();
    let items = orders.clone().flat_map(|order| order.items);
    let by_hour = Windows::tumbling(Duration::from_secs(3_600)).grace(Duration::from_secs(600));
    items
        .key_by(|item| item.article.clone())
        .windowed(by_hour)
        .aggregate(Sold::default(), |sold, item| Sold {
            quantity: sold.quantity + u64::from(item.quantity),
            cents: sold.cents + u64::from(item.quantity) * item.cents,
        })
        .to("sales-by-hour");
    orders
        .key_by(|order| order.customer.clone())
        .fold(0, |spent: u64, order| {
            spent + order.items.iter().map(|item| u64::from(item.quantity) * item.cents).sum::<u64>()
        })
        .to("spent-by-customer");
    program.topology()
}
