//! Buffers that large answers are read into, used again.
//!
//! Memory that is new to the process costs a page fault each 4 KiB, which is more than walking the records in it. A
//! buffer is used again when nobody has a part of it any more; until then the pool only remembers it.

use bytes::{Bytes, BytesMut};

/// Smaller answers come from the allocator, which keeps such sizes at hand.
const POOLED_BYTES_MIN: usize = 64 << 10;
/// Buffers that nobody uses and that are kept all the same.
const FREE_MAX: usize = 2;
/// Buffers that are remembered.
const KNOWN_MAX: usize = 64;
/// Capacities are multiples of this, so that answers of about the same size share buffers.
const ROUND_BYTES: usize = 128 << 10;

#[derive(Debug, Default)]
pub(super) struct Pool {
    known: Vec<Bytes>,
}

impl Pool {
    /// An empty buffer with room for `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> BytesMut {
        if length < POOLED_BYTES_MIN {
            return BytesMut::with_capacity(length);
        }
        let mut found = None;
        let mut free = 0;
        // The one that was used last may still be in the processor's cache.
        for at in (0..self.known.len()).rev() {
            if !self.known[at].is_unique() {
                continue;
            }
            match self.known.swap_remove(at).try_into_mut() {
                Ok(mut buffer) if found.is_none() => {
                    buffer.clear();
                    // What is too small is given back.
                    found = Some(buffer).filter(|buffer| buffer.capacity() >= length);
                }
                Ok(buffer) if free < FREE_MAX => {
                    free += 1;
                    self.known.push(buffer.freeze());
                }
                Ok(_) => {}
                Err(shared) => self.known.push(shared),
            }
        }
        found.unwrap_or_else(|| BytesMut::with_capacity(length.div_ceil(ROUND_BYTES) * ROUND_BYTES))
    }

    /// Remembers a buffer that was taken and filled.
    pub(super) fn remember(&mut self, filled: &Bytes) {
        if filled.len() >= POOLED_BYTES_MIN && self.known.len() < KNOWN_MAX {
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
    fn few_free_buffers_are_kept() {
        let mut pool = Pool::default();
        let all: Vec<Bytes> = (0..100).map(|_| filled(&mut pool, 100_000)).collect();
        assert_eq!(pool.known.len(), KNOWN_MAX);
        drop(all);
        drop(pool.take(100_000));
        assert!(pool.known.len() <= FREE_MAX, "{}", pool.known.len());
    }
}
