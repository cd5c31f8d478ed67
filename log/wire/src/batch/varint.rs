//! Integers of variable length: 7 bits a byte, least significant first, signs folded in by zigzag.

/// Longest encoding of 32 and of 64 bits.
const BYTES_MAX_32: usize = 5;
const BYTES_MAX_64: usize = 10;

/// The integer at the beginning of `bytes` and how many bytes it takes; `None` when it is cut off or too long.
#[inline(always)]
pub(super) fn read_i32(bytes: &[u8]) -> Option<(i32, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((unzigzag_32(u32::from(first)), 1));
    }
    let second = *bytes.get(1)?;
    if second < 0x80 {
        return Some((unzigzag_32(u32::from(first & 0x7f) | u32::from(second) << 7), 2));
    }
    let (value, length) = read_long(bytes, BYTES_MAX_32)?;
    Some((unzigzag_32(u32::try_from(value).ok()?), length))
}

/// The same with 64 bits.
#[inline(always)]
pub(super) fn read_i64(bytes: &[u8]) -> Option<(i64, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((unzigzag_64(u64::from(first)), 1));
    }
    let (value, length) = read_long(bytes, BYTES_MAX_64)?;
    Some((unzigzag_64(value), length))
}

#[inline(never)]
fn read_long(bytes: &[u8], bytes_max: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(bytes_max).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * at as u32;
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if *byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

fn unzigzag_32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

fn unzigzag_64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn zigzag_64(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Bytes that the encoding of an integer takes.
#[inline(always)]
pub(super) fn bytes_of(value: i64) -> usize {
    let bits = 64 - (zigzag_64(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Appends the encoding of an integer. The same bytes whether it has 32 or 64 bits.
#[inline(always)]
pub(super) fn write(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag_64(value);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_come_back(value: i64, small in any::<i32>(), shift in 0u32..64) {
            for value in [value >> shift, i64::from(small >> (shift / 2))] {
                let mut bytes = Vec::new();
                write(&mut bytes, value);
                prop_assert_eq!(bytes.len(), bytes_of(value));
                prop_assert_eq!(read_i64(&bytes), Some((value, bytes.len())));
                let as_32 = i32::try_from(value).ok().map(|value| (value, bytes.len()));
                prop_assert_eq!(read_i32(&bytes), as_32);
                prop_assert_eq!(read_i64(&bytes[..bytes.len() - 1]), None);
                prop_assert_eq!(read_i32(&bytes[..bytes.len() - 1]), None);
            }
        }

        #[test]
        fn noise_is_an_integer_or_none(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            for length in [read_i32(&bytes).map(|(_, length)| length), read_i64(&bytes).map(|(_, length)| length)] {
                prop_assert!(length.is_none_or(|length| length <= bytes.len()));
            }
        }
    }

    #[test]
    fn more_bits_than_there_are_is_none() {
        assert_eq!(read_i32(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some((i32::MIN, 5)));
        assert_eq!(read_i32(&[0xff, 0xff, 0xff, 0xff, 0x1f]), None);
        assert_eq!(
            read_i64(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Some((i64::MIN, 10))
        );
        assert_eq!(read_i64(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None);
        assert_eq!(read_i64(&[0xff; 11]), None);
    }
}
