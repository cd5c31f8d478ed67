//! Keys: their encoding ([`KeyCodec`]) and their places in memory ([`SlotTable`]).

mod codec;
mod order;
mod slots;

pub use codec::KeyCodec;
pub use order::SortColumn;
pub(crate) use order::{EncodedOrder, OrderCodec};
pub use slots::{Slot, SlotTable};
