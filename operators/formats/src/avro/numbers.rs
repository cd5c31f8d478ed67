//! Numbers of Avro as those of columns: other units of time, other scales.

use arrow::datatypes::TimeUnit;

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A number of units as one of other units, rounded down.
#[inline(always)]
pub(crate) fn in_unit(value: i64, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    let (from, to) = (per_second(from), per_second(to));
    if from == to {
        Some(value)
    } else if from > to {
        Some(value.div_euclid(from / to))
    } else {
        value.checked_mul(to / from)
    }
}

/// As [`in_unit`], of a time of day.
pub(crate) fn time_of_day(value: i64, from: TimeUnit, to: TimeUnit) -> Option<i64> {
    let is_one = (0..86_400 * per_second(from)).contains(&value);
    in_unit(value, from, to).filter(|_| is_one)
}

/// The number that bytes are, the highest first, in two's complement.
pub(crate) fn unscaled(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let sign = if negative { 0xff } else { 0 };
    let (front, last) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut number = [sign; 16];
    number[16 - last.len()..].copy_from_slice(last);
    let value = i128::from_be_bytes(number);
    (front.iter().all(|byte| *byte == sign) && (value < 0) == negative).then_some(value)
}

/// An unscaled value with another scale, if it then is one of this precision. What is behind its last digit is rounded.
pub(crate) fn rescaled(value: i128, from: u8, to: i8, precision: u8) -> Option<i128> {
    let power = |digits: i32| 10i128.checked_pow(u32::try_from(digits).ok()?);
    let more = i32::from(to) - i32::from(from);
    let value = match more {
        0 => value,
        1.. => value.checked_mul(power(more)?)?,
        _ => match power(-more) {
            Some(divisor) => {
                let (whole, left) = (value / divisor, value % divisor);
                let half = left.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2);
                whole + if half { value.signum() } else { 0 }
            }
            None => 0,
        },
    };
    (value.unsigned_abs() < power(precision.into())?.unsigned_abs()).then_some(value)
}

/// `123e4567-e89b-12d3-a456-426614174000`
pub(crate) fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(b"0123456789abcdef"[usize::from(digit)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_of_any_length_and_round_to_their_scale() {
        assert_eq!(unscaled(&[0xfe, 0xd4]), Some(-300));
        assert_eq!(unscaled(&[]), Some(0));
        assert_eq!(unscaled(&[0; 40]), Some(0));
        assert_eq!(unscaled(&[0xff; 40]), Some(-1));
        assert_eq!(unscaled(&[&[1u8][..], &[0; 16]].concat()), None);
        assert_eq!(unscaled(&[&[0u8][..], &[0xff; 16]].concat()), None);
        assert_eq!(rescaled(12345, 2, 4, 10), Some(1_234_500));
        assert_eq!(rescaled(-12345, 2, 1, 10), Some(-1235));
        assert_eq!(rescaled(12344, 2, 1, 10), Some(1234));
        assert_eq!(rescaled(12345, 2, 2, 4), None);
        assert_eq!(rescaled(i128::MAX, 255, 0, 4), Some(0));
    }
}
