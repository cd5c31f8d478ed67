//! Parts of rows that serde would write otherwise: keys as bytes, and values that may not be there.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// The bytes of a key as part of a row: bytes on the wire, not a list of numbers.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct KeyBytes(pub(super) Box<[u8]>);

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

impl Serialize for KeyBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = KeyBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a key")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<KeyBytes, E> {
                Ok(KeyBytes(bytes.into()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// A value that may not be there. An `Option` of an `Option` would come back from its encoding as one of them: this is a
/// list of one, or of none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Maybe(None)
    }
}

impl<T: Serialize> Serialize for Maybe<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrNone<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrNone<T> {
            type Value = Maybe<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of one value or none")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Maybe<T>, A::Error> {
                list.next_element().map(Maybe)
            }
        }
        deserializer.deserialize_seq(OneOrNone(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::write_row;
    use super::*;

    #[test]
    fn what_is_there_and_what_is_not_survive_their_encoding() {
        for value in [Maybe(None), Maybe(Some(None)), Maybe(Some(Some(7_u64)))] {
            let mut bytes = Vec::new();
            write_row(&(value.clone(), KeyBytes([1, 200].into())), &mut bytes).unwrap();
            let read: (Maybe<Option<u64>>, KeyBytes) = rmp_serde::from_slice(&bytes).unwrap();
            assert_eq!(read, (value, KeyBytes([1, 200].into())));
        }
    }
}
