//! Keys of typed streams, as bytes: on disk, on the wire, and in the records written.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A key. Its bytes are what a record's key holds, so other programs that key by the same text find their rows in the
/// same partition: strings are their own text, numbers their decimal digits.
pub trait Key: Clone + Debug + Send + Sync + 'static {
    /// Appends the key's bytes. Equal keys, and only they, have equal bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads what [`Key::write`] wrote; `None` when it is something else.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

macro_rules! text_keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.to_string().as_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                std::str::from_utf8(bytes).ok()?.parse().ok()
            }
        }
    )*};
}

text_keys!(bool, char, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128);

/// Any serde type as a key: its JSON. The fields of a struct are written in their order, so equal values have equal
/// bytes; a map has no order and makes no key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonKey<T>(pub T);

impl<T: Clone + Debug + Send + Sync + Serialize + DeserializeOwned + 'static> Key for JsonKey<T> {
    fn write(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, &self.0).expect("a key is plain data, and a buffer takes every byte");
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(JsonKey)
    }
}
