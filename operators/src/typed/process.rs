//! Functions over the rows of one key, with state, timers and side outputs: what windows and joins are made of, for what
//! they are not enough for.
//!
//! ```
//! use millstream_operators::typed::{Context, EventTime, ProcessFunction, Program, States, ValueState};
//! use serde::{Deserialize, Serialize};
//! use std::time::Duration;
//!
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct Order { id: String, at: i64, is_paid: bool }
//!
//! /// Orders that nobody paid within an hour.
//! struct Unpaid { open: ValueState<Order> }
//!
//! impl ProcessFunction<String, Order> for Unpaid {
//!     type Out = Order;
//!
//!     fn row(&mut self, cx: &mut Context<'_, Order>, _id: &String, order: Order) {
//!         if order.is_paid {
//!             return self.open.clear(cx);
//!         }
//!         cx.set_timer(order.at + 3_600_000);
//!         self.open.set(cx, order);
//!     }
//!
//!     fn timer(&mut self, cx: &mut Context<'_, Order>, _id: &String, _time: EventTime) {
//!         if let Some(order) = self.open.take(cx) {
//!             cx.emit(order);
//!         }
//!     }
//! }
//!
//! let program = Program::new();
//! program.source::<Order>("orders")
//!     .event_time(|order| order.at, Duration::from_secs(5))
//!     .stream()
//!     .key_by(|order| order.id.clone())
//!     .process(|states: &mut States| Unpaid { open: states.value("open") })
//!     .to("unpaid");
//! program.topology().unwrap();
//! ```
//!
//! Everything a function keeps from one row to the next stands in the states that it declares. What it holds in fields of
//! its own is gone after a crash, and when memory is short; a job that depends on it comes out differently when its commits
//! are run again, which the test kit does.

mod context;
mod handles;
mod logic;
mod output;
mod running;
mod states;

pub use context::{Context, RecordInfo};
pub use handles::{ListState, MapState, ReducingState, ValueState};
pub(super) use logic::{Logic, Processed};
pub(super) use output::pick;
pub use output::{Side, Sides};
pub(super) use running::Processing;
pub use states::{States, stored_value};

use super::{Key, Row};
use crate::batch::EventTime;

/// What becomes of the rows of a key, one after the other; see [the module](self) for an example.
///
/// It must depend on nothing but its arguments and its states: no clock, no random number, no I/O.
pub trait ProcessFunction<K: Key, T: Row>: Send + 'static {
    /// What it emits.
    type Out: Row;

    /// A row of `key` comes.
    fn row(&mut self, cx: &mut Context<'_, Self::Out>, key: &K, value: T);

    /// A timer of `key` that was set for `time` fires: the watermark has reached it, and every row that came before it did.
    fn timer(&mut self, cx: &mut Context<'_, Self::Out>, key: &K, time: EventTime) {
        let _ = (cx, key, time);
    }
}
