//! Stock by article: what orders take and deliveries bring; orders that can't be met wait for the next delivery.

use super::events::{Delivered, OrderPlaced};
use millstream::typed::{Context, ListState, ProcessFunction, Program, Side, States, ValueState};
use millstream::{Topology, TopologyError};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that changes the stock of an article.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    Ordered { order: String, quantity: u32 },
    Delivered { quantity: u32 },
}

/// A record of `reservations`: articles were set aside for an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reserved {
    /// The order.
    pub order: String,
    /// The article.
    pub article: String,
    /// How many were set aside.
    pub quantity: u32,
    /// How many there are left.
    pub left: u32,
}

/// A record of `shortages`: an order waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Short {
    /// The order.
    pub order: String,
    /// The article.
    pub article: String,
    /// How many are missing.
    pub missing: u32,
}

struct Stock {
    there: ValueState<u32>,
    waiting: ListState<(String, u32)>,
    short: Side<Short>,
}

impl Stock {
    fn reserve(&self, cx: &mut Context<'_, Reserved>, article: &str, order: String, quantity: u32) {
        let left = self.there.get(cx).copied().unwrap_or(0) - quantity;
        self.there.set(cx, left);
        cx.emit(Reserved { order, article: article.to_owned(), quantity, left });
    }
}

impl ProcessFunction<String, (String, Change)> for Stock {
    type Out = Reserved;

    fn row(&mut self, cx: &mut Context<'_, Reserved>, article: &String, (_, change): (String, Change)) {
        let there = self.there.get(cx).copied().unwrap_or(0);
        match change {
            // Who came first is served first.
            Change::Ordered { order, quantity } if quantity <= there && self.waiting.get(cx).is_empty() => {
                self.reserve(cx, article, order, quantity);
            }
            Change::Ordered { order, quantity } => {
                let missing = quantity.saturating_sub(there);
                let short = Short { order: order.clone(), article: article.clone(), missing };
                cx.emit_to(&self.short, short);
                self.waiting.push(cx, (order, quantity));
            }
            Change::Delivered { quantity } => {
                self.there.set(cx, there.saturating_add(quantity));
                while let Some((order, quantity)) = self.waiting.get(cx).first().cloned()
                    && quantity <= self.there.get(cx).copied().unwrap_or(0)
                {
                    self.waiting.update(cx, |waiting| waiting.remove(0));
                    self.reserve(cx, article, order, quantity);
                }
            }
        }
    }
}

/// The job: reads `orders` and `deliveries`, writes `reservations` and `shortages`.
pub fn inventory() -> Result<Topology, TopologyError> {
    let program = Program::new();
    let patience = Duration::from_secs(60);
    let orders = program.source::<OrderPlaced>("orders").event_time(|order| order.at, patience).stream();
    let ordered = orders.flat_map(|OrderPlaced { order, items, .. }| {
        items.into_iter().map(move |item| {
            (item.article, Change::Ordered { order: order.clone(), quantity: item.quantity })
        })
    });
    let deliveries = program.source::<Delivered>("deliveries").event_time(|it| it.at, patience).stream();
    let delivered = deliveries.map(|it| (it.article, Change::Delivered { quantity: it.quantity }));
    let (reserved, sides) = ordered
        .merge(delivered)
        .key_by(|(article, _)| article.clone())
        .process_with_sides(|states: &mut States| Stock {
            there: states.value("there"),
            waiting: states.list("waiting"),
            short: states.side("short"),
        });
    reserved.to("reservations");
    sides.get::<Short>("short").to("shortages");
    program.topology()
}
