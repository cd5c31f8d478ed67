//! Bytes in several pieces, written as if they were one.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Pieces of a request, in order.
#[derive(Debug, Default)]
pub struct Parts {
    parts: VecDeque<Bytes>,
    remaining: usize,
}

impl Parts {
    /// Adds a piece at the end.
    pub fn push(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.remaining += part.len();
            self.parts.push_back(part);
        }
    }

    /// Adds a piece at the beginning.
    pub fn prepend(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.remaining += part.len();
            self.parts.push_front(part);
        }
    }

    /// Adds all pieces of another at the end.
    pub fn append(&mut self, other: Parts) {
        self.remaining += other.remaining;
        self.parts.extend(other.parts);
    }
}

impl From<Bytes> for Parts {
    fn from(part: Bytes) -> Parts {
        let mut parts = Parts::default();
        parts.push(part);
        parts
    }
}

impl Buf for Parts {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part.as_ref())
    }

    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        let both = to.iter_mut().zip(&self.parts);
        both.map(|(slice, part)| *slice = IoSlice::new(part)).count()
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.remaining, "advanced beyond the end");
        self.remaining -= count;
        while let Some(part) = self.parts.front_mut() {
            if count < part.len() {
                part.advance(count);
                return;
            }
            count -= part.len();
            self.parts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_as_one() {
        let mut parts = Parts::from(Bytes::from_static(b"cd"));
        parts.push(Bytes::new());
        parts.push(Bytes::from_static(b"efg"));
        parts.prepend(Bytes::from_static(b"ab"));
        assert_eq!(parts.remaining(), 7);
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(parts.chunks_vectored(&mut slices), 3);
        parts.advance(3);
        assert_eq!((parts.chunk(), parts.remaining()), (&b"d"[..], 4));
        assert_eq!(parts.copy_to_bytes(4), "defg");
        assert!(!parts.has_remaining());
    }
}
