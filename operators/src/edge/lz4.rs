//! Blocks of LZ4 whose length stands beside them, read by a length that is not believed.

/// Bytes that one byte of a block can stand for, at most: the format has no more to say.
const RATIO_MAX: usize = 255;

/// The `length` bytes that a block stands for. A length that so few bytes can't have is refused before room is made for
/// it: both come from elsewhere.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn decompress(block: &[u8], length: u32) -> Result<Vec<u8>, String> {
    let length = length as usize;
    if length > block.len().saturating_mul(RATIO_MAX) {
        return Err(format!("{length} bytes can't come of a block of {}", block.len()));
    }
    lz4_flex::block::decompress(block, length).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_that_a_block_can_stand_for_comes_back_and_one_byte_more_is_refused() {
        let zeros = vec![0; 1 << 20];
        let block = lz4_flex::block::compress(&zeros);
        assert_eq!(decompress(&block, zeros.len() as u32).as_ref(), Ok(&zeros));
        assert!(block.len() * RATIO_MAX >= zeros.len());
        assert!(decompress(&block, (block.len() * RATIO_MAX + 1) as u32).is_err());
        assert!(decompress(&[], 1).is_err());
        assert_eq!(decompress(&lz4_flex::block::compress(&[]), 0), Ok(Vec::new()));
    }
}
