//! One record, and where its parts stand.

use crate::{Headers, Offset};
use rapidhash::v3::rapidhash_v3;

/// Where a key, a value or the headers of a record stand in the data; [`Span::NULL`] for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: u32,
    /// Bytes it takes.
    pub length: u32,
}

impl Span {
    /// There is none.
    pub const NULL: Span = Span { start: 0, length: u32::MAX };

    #[inline]
    pub(crate) fn of<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        (*self != Span::NULL).then(|| &data[self.start as usize..(self.start + self.length) as usize])
    }
}

/// One record of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its offset; 0 in records that are still to be produced.
    pub offset: Offset,
    /// Its timestamp, milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
}

impl Record<'_> {
    /// Bytes of its key, value and headers.
    #[inline]
    pub fn data_bytes(&self) -> usize {
        let headers = if self.headers.is_empty() { 0 } else { self.headers.bytes.len() };
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + headers
    }

    /// The checksum of records that had `state` so far, with everything in this one. Each part is hashed at once, because
    /// every byte that a task reads goes through here. Says whether records are the same ones, not whether somebody has
    /// forged them.
    #[inline]
    pub(crate) fn digest(&self, state: u64) -> u64 {
        let mut state = mix(mix(state, self.offset), self.timestamp_ms as u64);
        for part in [self.key, self.value] {
            state = mix(state, part.map_or(0, |part| rapidhash_v3(part) | 1));
        }
        if self.headers.is_empty() { state } else { mix(state, rapidhash_v3(self.headers.bytes)) }
    }
}

/// Takes a word into a hash, so that the order of words counts: the two halves of a product, as rapidhash and wyhash do.
#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xd1b5_4a32_d192_ed03);
    (product as u64 ^ (product >> 64) as u64).wrapping_add(state.rotate_left(23))
}
