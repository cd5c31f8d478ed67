//! Numbers that look like random ones, and are the same each time: SplitMix64, seeded by what they are for.

use super::Length;

/// A sequence of numbers.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence of one value: of a column, and of a row or what is in it.
    pub(super) fn new(seed: u64, salt: u64) -> Self {
        let mut first = Random(seed);
        Random(first.next() ^ Random(salt).next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1, which it never is.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number, both ends included.
    pub(super) fn between(&mut self, min: i128, max: i128) -> i128 {
        let choices = max.wrapping_sub(min) as u128;
        let drawn = u128::from(self.next());
        match u64::try_from(choices) {
            Ok(choices) => min + ((drawn * (u128::from(choices) + 1)) >> 64) as i128,
            // Few more are left out than there are numbers to draw.
            Err(_) => {
                let drawn = (drawn << 64) | u128::from(self.next());
                min.wrapping_add((drawn % choices.saturating_add(1).max(1)) as i128)
            }
        }
    }

    pub(super) fn length(&mut self, length: usize, varies: Length) -> usize {
        match varies {
            Length::Fixed => length,
            Length::Varies => self.between(1.min(length as i128), length as i128) as usize,
        }
    }

    /// Appends so many hexadecimal digits.
    pub(super) fn hexadecimal(&mut self, digits: usize, to: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let (mut bits, mut left) = (0, 0);
        for _ in 0..digits {
            if left == 0 {
                (bits, left) = (self.next(), 16);
            }
            to.push(DIGITS[(bits & 15) as usize]);
            (bits, left) = (bits >> 4, left - 1);
        }
    }
}
