//! Keys: their encoding ([`KeyCodec`]) and their places in memory ([`SlotTable`]).

mod codec;
mod slots;

pub use codec::KeyCodec;
pub use slots::{Slot, SlotTable};
