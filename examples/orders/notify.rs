//! A message for each order, once, to where its customer wants to have it.

use super::events::OrderPlaced;
use millstream::typed::Program;
use millstream::{Topology, TopologyError};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A record of `messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Where it goes.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// The job: reads `orders`, and addresses by customer from the compacted topic `contacts`; writes `messages`. Who has no
/// address gets none.
pub fn notify() -> Result<Topology, TopologyError> {
    let program = Program::new();
    let contacts = program.source::<String>("contacts").table::<String>();
    program
        .source::<OrderPlaced>("orders")
        .event_time(|order| order.at, Duration::from_secs(60))
        .stream()
        // A shop that does not know whether its order arrived sends it again.
        .key_by(|order| order.order.clone())
        .deduplicate(Duration::from_secs(24 * 3_600))
        .rows()
        .key_by(|order| order.customer.clone())
        .join(contacts, |order, to| {
            let articles: u64 = order.items.iter().map(|item| u64::from(item.quantity)).sum();
            Message {
                to: to.clone(),
                text: format!("Order {}: {articles} articles are on their way", order.order),
            }
        })
        .to("messages");
    program.topology()
}
