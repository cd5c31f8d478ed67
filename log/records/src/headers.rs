//! Headers of records, encoded one behind the other.

use std::fmt;

/// The headers of a record, in their order; names may repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    pub(crate) bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// No headers.
    pub const NONE: Headers<'static> = Headers { bytes: &[0, 0] };

    /// Headers from their encoding, see the crate's head; `None` when the bytes are not one.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first_chunk::<2>()?;
        for _ in 0..u16::from_le_bytes(*count) {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (name, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            std::str::from_utf8(name).ok()?;
            let (length, tail) = tail.split_first_chunk::<4>()?;
            rest = match u32::from_le_bytes(*length) {
                u32::MAX => tail,
                length => tail.get(length as usize..)?,
            };
        }
        rest.is_empty().then_some(Headers { bytes })
    }

    /// The encoding of the headers, see the crate's head.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of headers.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[0], self.bytes[1]]))
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name and value of each header.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + Clone + use<'a> {
        let mut rest = &self.bytes[2..];
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (name, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let length = u32::from_le_bytes(*length);
            let (value, tail) = match length {
                u32::MAX => (None, tail),
                _ => {
                    let (value, tail) = tail.split_at_checked(length as usize)?;
                    (Some(value), tail)
                }
            };
            rest = tail;
            Some((std::str::from_utf8(name).unwrap_or("\u{fffd}"), value))
        })
    }

    /// The value of the last header called `name`.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(found, _)| *found == name).last().and_then(|(_, value)| value)
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The encoding of headers, as in the crate's head.
///
/// More than 65 535 headers or a name beyond 65 535 bytes can't be written; what is over is left out.
pub(crate) fn encode_headers<'h>(headers: impl IntoIterator<Item = (&'h str, Option<&'h [u8]>)>) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    let mut count = 0u16;
    for (name, value) in headers {
        let Ok(length) = u16::try_from(name.len()) else { continue };
        let Some(next) = count.checked_add(1) else { break };
        count = next;
        bytes.extend(length.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(value.map_or(u32::MAX, |value| value.len() as u32).to_le_bytes());
        bytes.extend(value.unwrap_or_default());
    }
    bytes[..2].copy_from_slice(&count.to_le_bytes());
    bytes
}
