//! Finding the bytes that matter in JSON text, sixteen at a time.
//!
//! Most of a record is the inside of strings, and most of the time goes into finding their ends. A [`Block`] answers
//! for sixteen bytes at once where the bytes of interest stand, as a bit mask. It stays inline in the loops around it:
//! a call into a routine chosen at run time costs more than scanning a string of usual length.

use wide::u8x16;

/// How many bytes a [`Block`] holds.
pub(crate) const BLOCK: usize = 16;

/// Sixteen bytes of text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block(u8x16);

impl Block {
    /// The first sixteen bytes of `text`, where there are as many.
    #[inline(always)]
    pub(crate) fn of(text: &[u8]) -> Option<(Block, &[u8; BLOCK])> {
        let bytes = text.first_chunk::<BLOCK>()?;
        Some((Block(u8x16::new(*bytes)), bytes))
    }

    /// The last sixteen bytes of `text`, where there are as many.
    #[inline(always)]
    pub(crate) fn last_of(text: &[u8]) -> Option<(Block, &[u8; BLOCK])> {
        let bytes = text.last_chunk::<BLOCK>()?;
        Some((Block(u8x16::new(*bytes)), bytes))
    }

    /// Whether all bytes are ASCII.
    #[inline(always)]
    pub(crate) fn is_ascii(self) -> bool {
        self.0.to_bitmask() == 0
    }

    /// The bits that are set in either.
    #[inline(always)]
    pub(crate) fn or(self, other: Block) -> Block {
        Block(self.0 | other.0)
    }

    /// Where a quote or a backslash stands: bit `n` for byte `n`.
    #[inline(always)]
    pub(crate) fn quote_or_backslash(self) -> u32 {
        let quotes = self.0.simd_eq(u8x16::splat(b'"'));
        (quotes | self.0.simd_eq(u8x16::splat(b'\\'))).to_bitmask()
    }

    /// Where a byte stands that can't be written into a JSON string as it is: a quote, a backslash, a control
    /// character.
    #[inline(always)]
    pub(crate) fn needs_escape(self) -> u32 {
        let controls = self.0.min(u8x16::splat(0x1f)).simd_eq(self.0);
        controls.to_bitmask() | self.quote_or_backslash()
    }

    /// Where a byte stands that is no space.
    #[inline(always)]
    pub(crate) fn not_space(self) -> u32 {
        self.0.simd_eq(u8x16::splat(b' ')).to_bitmask() ^ 0xffff
    }
}

/// The text from the next quote or backslash on; empty when there is none.
#[inline(always)]
pub(crate) fn find_quote_or_backslash(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let Some((block, _)) = Block::of(rest) {
        let found = block.quote_or_backslash();
        if found != 0 {
            return &rest[found.trailing_zeros() as usize..];
        }
        rest = &rest[BLOCK..];
    }
    find_in_tail(text, rest)
}

/// The same where fewer bytes are left than a block holds. The block that ends with the text is looked at again, and
/// of it what is new: bytes copied to a block of their own would have to reach memory before they can be read as one.
#[inline(always)]
pub(crate) fn find_in_tail<'t>(text: &'t [u8], rest: &'t [u8]) -> &'t [u8] {
    let at = match Block::last_of(text) {
        Some((block, _)) => (block.quote_or_backslash() >> (BLOCK - rest.len())).trailing_zeros() as usize,
        None => rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count(),
    };
    rest.get(at..).unwrap_or_default()
}

/// Whether all bytes of a text are ASCII. There is no way out before its end: nearly always they are.
#[inline]
pub(crate) fn is_ascii(text: &[u8]) -> bool {
    let (Some((last, _)), (blocks, _)) = (Block::last_of(text), text.as_chunks::<BLOCK>()) else {
        return text.is_ascii();
    };
    blocks.iter().fold(last, |all, block| all.or(Block(u8x16::new(*block)))).is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(bytes: &[u8; 16], matches: impl Fn(u8) -> bool) -> u32 {
        bytes.iter().enumerate().map(|(at, byte)| u32::from(matches(*byte)) << at).sum()
    }

    proptest! {
        #[test]
        fn masks_show_exactly_the_bytes_of_interest(bytes in any::<[u8; 16]>(), near in any::<[u8; 16]>()) {
            let near = near.map(|byte| [b'"', b'\\', 0, 0x1f, 0x20, 0x7f, 0x80, 0xff][byte as usize % 8]);
            for bytes in [bytes, near] {
                let (block, _) = Block::of(&bytes).unwrap();
                let quotes = naive(&bytes, |byte| byte == b'"' || byte == b'\\');
                let controls = naive(&bytes, |byte| byte < 0x20);
                prop_assert_eq!(block.quote_or_backslash(), quotes);
                prop_assert_eq!(block.needs_escape(), quotes | controls);
                prop_assert_eq!(block.not_space(), naive(&bytes, |byte| byte != b' '));
            }
        }
    }
}
