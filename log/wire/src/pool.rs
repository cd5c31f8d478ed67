//! Buffers that large answers are read into, and records decompressed, used again.
//!
//! Memory that is new to the process costs a page fault each 4 KiB, which is more than walking the records in it. A
//! buffer is used again when nobody has a part of it any more; until then the pool only remembers it.

use bytes::{Bytes, BytesMut};

/// Smaller answers come from the allocator, which keeps such sizes at hand.
const POOLED_BYTES_MIN: usize = 64 << 10;
/// Larger ones are rare, and too much to keep.
pub(crate) const POOLED_BYTES_MAX: usize = 16 << 20;
/// Buffers that nobody uses and that are kept all the same.
const FREE_MAX: usize = 2;
/// Buffers that are remembered.
const KNOWN_MAX: usize = 64;
/// Capacities are multiples of this, so that answers of about the same size share buffers.
const ROUND_BYTES: usize = 128 << 10;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    known: Vec<Bytes>,
}

impl Pool {
    /// An empty buffer with room for `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> BytesMut {
        if length < POOLED_BYTES_MIN {
            return BytesMut::with_capacity(length);
        }
        let found = self.find(|buffer| {
            buffer.clear();
            buffer.capacity() >= length
        });
        found.unwrap_or_else(|| BytesMut::with_capacity(length.div_ceil(ROUND_BYTES) * ROUND_BYTES))
    }

    /// A buffer of at least `length` bytes, whatever they are.
    pub(crate) fn take_full(&mut self, length: usize) -> BytesMut {
        if length < POOLED_BYTES_MIN {
            return BytesMut::zeroed(length);
        }
        let found = self.find(|buffer| buffer.len() >= length);
        found.unwrap_or_else(|| BytesMut::zeroed(length.div_ceil(ROUND_BYTES) * ROUND_BYTES))
    }

    /// A buffer that nobody uses. One that is not fit is given back, and so are all but a few of the others.
    fn find(&mut self, is_fit: impl Fn(&mut BytesMut) -> bool) -> Option<BytesMut> {
        let mut found = None;
        let mut free = 0;
        // The one that was used last may still be in the processor's cache.
        for at in (0..self.known.len()).rev() {
            if !self.known[at].is_unique() {
                continue;
            }
            match self.known.swap_remove(at).try_into_mut() {
                Ok(mut buffer) if found.is_none() => found = is_fit(&mut buffer).then_some(buffer),
                Ok(buffer) if free < FREE_MAX => {
                    free += 1;
                    self.known.push(buffer.freeze());
                }
                Ok(_) => {}
                Err(shared) => self.known.push(shared),
            }
        }
        found
    }

    /// Remembers a buffer that was taken and filled.
    pub(crate) fn remember(&mut self, filled: &Bytes) {
        if (POOLED_BYTES_MIN..=POOLED_BYTES_MAX).contains(&filled.len()) && self.known.len() < KNOWN_MAX {
            self.known.push(filled.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pool: &mut Pool, length: usize) -> Bytes {
        let mut buffer = pool.take(length);
        assert!(buffer.is_empty() && buffer.capacity() >= length);
        buffer.resize(length, 7);
        let bytes = buffer.freeze();
        pool.remember(&bytes);
        bytes
    }

    #[test]
    fn a_buffer_is_used_again_when_nobody_has_a_part_of_it() {
        let mut pool = Pool::default();
        let first = filled(&mut pool, 1 << 20);
        let (at, part) = (first.as_ptr(), first.slice(100..200));
        drop(first);
        let second = filled(&mut pool, 1 << 20);
        assert_ne!(second.as_ptr(), at, "a part of it is in use");
        assert!(part.iter().all(|byte| *byte == 7));
        drop(part);
        let third = filled(&mut pool, (1 << 20) - 5_000);
        assert_eq!(third.as_ptr(), at);
        drop(second);
        let fourth = filled(&mut pool, 3 << 20);
        assert_eq!(fourth.len(), 3 << 20);
    }

    #[test]
    fn a_full_buffer_stays_full() {
        let mut pool = Pool::default();
        let whole = pool.take_full(300_000).freeze();
        assert!(whole.len() >= 300_000);
        pool.remember(&whole);
        let at = whole.as_ptr();
        drop(whole);
        let again = pool.take_full(200_000);
        assert!(again.as_ptr() == at && again.len() >= 300_000);
        assert_eq!(pool.take_full(10).len(), 10);
    }

    #[test]
    fn few_free_buffers_are_kept() {
        let mut pool = Pool::default();
        let all: Vec<Bytes> = (0..100).map(|_| filled(&mut pool, 100_000)).collect();
        assert_eq!(pool.known.len(), KNOWN_MAX);
        drop(all);
        drop(pool.take(100_000));
        assert!(pool.known.len() <= FREE_MAX, "{}", pool.known.len());
    }
}
