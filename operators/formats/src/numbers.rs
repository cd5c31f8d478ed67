//! Numbers from text, as SQL types take them.
//!
//! Eight digits are read at a time where there are eight bytes to look at: a loop over digits leaves at a place that
//! the processor can't guess when numbers differ in length, and that wrong guess costs more than the arithmetic.

/// Powers of ten that fit 64 bits.
pub(crate) const POW10: [u64; 20] = {
    let mut powers = [1u64; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// How many of the first eight bytes are digits, and the number they make.
#[inline(always)]
pub(crate) fn digits8(bytes: &[u8; 8]) -> (usize, u64) {
    let digits = u64::from_le_bytes(*bytes) ^ ZEROS;
    // The high bit of the first byte above 9; bytes behind it may be wrong, through the carry.
    let others = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // Digits move to the end, zeros come before them.
    (count, join8(digits << (64 - 8 * count)))
}

/// The number of eight digits, the first in the lowest byte.
#[inline(always)]
fn join8(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

/// Reads digits from the front: how many there are, and their number modulo 2^64, which is exact up to 19 digits.
#[inline(always)]
pub(crate) fn digits(text: &[u8]) -> (usize, u64) {
    match text.first_chunk::<8>() {
        Some(bytes) => {
            let (count, value) = digits8(bytes);
            if count < 8 { (count, value) } else { more_digits(text, 8, value) }
        }
        None => more_digits(text, 0, 0),
    }
}

/// Goes on behind the first `length` digits, whose number is `value`.
#[inline(never)]
fn more_digits(text: &[u8], mut length: usize, mut value: u64) -> (usize, u64) {
    let mut rest = &text[length..];
    while let Some(bytes) = rest.first_chunk::<8>() {
        let (count, part) = digits8(bytes);
        value = value.wrapping_mul(POW10[count]).wrapping_add(part);
        length += count;
        if count < 8 {
            return (length, value);
        }
        rest = &rest[8..];
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        length += 1;
    }
    (length, value)
}

/// An integer with an optional sign, all of `text`; `None` when it is no such number, or out of range.
pub(crate) fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, rest) = split_sign(text);
    let (mut length, mut value) = digits(rest);
    if length != rest.len() || length == 0 {
        return None;
    }
    if length > 18 {
        let significant = rest.iter().position(|byte| *byte != b'0').unwrap_or(length);
        length -= significant;
        (_, value) = digits(&rest[significant..]);
    }
    match (length <= 19, negative) {
        (true, false) => i64::try_from(value).ok(),
        (true, true) => 0i64.checked_sub_unsigned(value),
        (false, _) => None,
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

/// A number in decimal notation without exponent, of up to 18 digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShortDecimal {
    negative: bool,
    digits: u64,
    /// How many of the digits are behind the point.
    places: usize,
}

impl ShortDecimal {
    /// As a double, where one division gives the nearest: both numbers are doubles themselves.
    #[inline(always)]
    pub(crate) fn as_f64(self) -> Option<f64> {
        let value = self.digits as f64 / POW10[self.places] as f64;
        (self.digits <= 1 << 53).then_some(if self.negative { -value } else { value })
    }

    /// As a float, under the same condition.
    #[inline(always)]
    pub(crate) fn as_f32(self) -> Option<f32> {
        let value = self.digits as f32 / POW10[self.places] as f32;
        let exact = self.digits <= 1 << 24 && self.places <= 10;
        exact.then_some(if self.negative { -value } else { value })
    }

    /// As the unscaled value of a decimal, where no digit has to go.
    #[inline(always)]
    pub(crate) fn unscaled(self, precision: u8, scale: i8) -> Option<i128> {
        let more = usize::try_from(scale).ok()?.checked_sub(self.places)?;
        let value = i128::from(self.digits) * i128::from(*POW10.get(more)?);
        let fits = value < 10i128.pow(u32::from(precision));
        fits.then_some(if self.negative { -value } else { value })
    }
}

/// Reads `[-] digits [. digits]` from the front, and what is behind it; `None` for more digits, and for no number.
#[inline(always)]
pub(crate) fn short_decimal(text: &[u8]) -> Option<(ShortDecimal, &[u8])> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        _ => (false, text),
    };
    let (length, mut value) = digits(unsigned);
    if length == 0 || length > 18 {
        return None;
    }
    let mut rest = &unsigned[length..];
    let mut places = 0;
    if let [b'.', fraction @ ..] = rest {
        let (more, fraction_value) = digits(fraction);
        if more == 0 || length + more > 18 {
            return None;
        }
        value = value * POW10[more] + fraction_value;
        places = more;
        rest = &fraction[more..];
    }
    Some((ShortDecimal { negative, digits: value, places }, rest))
}

/// A floating-point number, all of `text`: decimal notation with an optional exponent, `NaN`, `Infinity`. `None` when
/// it is none of these.
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some((number, [])) = short_decimal(text)
        && let Some(value) = number.as_f64()
    {
        return Some(value);
    }
    let (negative, rest) = split_sign(text);
    let special = match rest {
        b"NaN" => f64::NAN,
        b"Infinity" => f64::INFINITY,
        _ => {
            let mantissa = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
            if !rest.first()?.is_ascii_digit() && rest[0] != b'.' || !rest.iter().all(mantissa) {
                return None;
            }
            std::str::from_utf8(rest).ok()?.parse().ok()?
        }
    };
    Some(if negative { -special } else { special })
}

/// Why text is no value of a `DECIMAL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDecimal {
    /// It is no number.
    Text,
    /// It has more digits before the point than the type.
    Range,
}

/// The parts of a number in decimal notation.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

/// Splits `[sign] digits [. digits] [e [sign] digits]`, all of `text`.
fn split(text: &[u8]) -> Option<Parts<'_>> {
    let (negative, rest) = split_sign(text);
    let run = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, mut rest) = rest.split_at(run(rest));
    let mut fraction: &[u8] = &[];
    if let [b'.', tail @ ..] = rest {
        (fraction, rest) = tail.split_at(run(tail));
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', digits @ ..] => {
            let (negative, digits) = split_sign(digits);
            if digits.is_empty() || run(digits) != digits.len() {
                return None;
            }
            // Far beyond what any DECIMAL holds it no longer matters how far.
            let value =
                digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1 << 32));
            if negative { -value } else { value }
        }
        _ => return None,
    };
    (whole.len() + fraction.len() > 0).then_some(Parts { negative, whole, fraction, exponent })
}

/// The unscaled value of a number for a `DECIMAL(precision, scale)`, rounded half up: away from zero, as SQL does.
pub(crate) fn parse_decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, NotDecimal> {
    let Parts { negative, whole, fraction, exponent } = split(text).ok_or(NotDecimal::Text)?;
    let mut all = whole.iter().chain(fraction).skip_while(|digit| **digit == b'0');
    let leading = whole.iter().chain(fraction).take_while(|digit| **digit == b'0').count();
    let count = (whole.len() + fraction.len() - leading) as i64;
    // The number is `count` digits with its point `exponent - fraction` places behind the last of them; those up to
    // `scale` places behind the point stay.
    let kept = count + exponent - fraction.len() as i64 + i64::from(scale);
    if count == 0 || kept < 0 {
        return Ok(0);
    }
    if kept > i64::from(precision) {
        return Err(NotDecimal::Range);
    }
    let mut value = 0i128;
    for _ in 0..kept {
        value = value * 10 + all.next().map_or(0, |digit| i128::from(digit - b'0'));
    }
    if all.next().is_some_and(|digit| *digit >= b'5') {
        value += 1;
    }
    if value >= 10i128.pow(u32::from(precision)) {
        return Err(NotDecimal::Range);
    }
    Ok(if negative { -value } else { value })
}

/// The whole part of a number in decimal notation, `None` when it is no number or not in range.
pub(crate) fn parse_whole(text: &[u8]) -> Option<i64> {
    let Parts { negative, whole, fraction, exponent } = split(text)?;
    let leading = whole.iter().chain(fraction).take_while(|digit| **digit == b'0').count();
    let mut all = whole.iter().chain(fraction).skip(leading);
    let kept = (whole.len() as i64 + exponent - leading as i64).max(0);
    if leading == whole.len() + fraction.len() {
        return Some(0);
    }
    if kept > 19 {
        return None;
    }
    let mut value = 0i128;
    for _ in 0..kept {
        value = value * 10 + all.next().map_or(0, |digit| i128::from(digit - b'0'));
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

/// Text without the spaces and control characters at both ends, as Java's `trim` leaves it.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [0..=b' ', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., 0..=b' '] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
