//! Keys: their encoding ([`KeyCodec`]) and their places in memory ([`SlotTable`]).

mod codec;
mod order;
mod slots;

pub use codec::KeyCodec;
pub(crate) use order::OrderCodec;
pub use order::SortColumn;
pub use slots::{Slot, SlotTable};
