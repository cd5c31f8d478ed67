//! Decimals: a whole number and how many of its digits stand behind the point.
//!
//! The types of results are Flink's (`LogicalTypeMerging`): as many digits as the result may need, and where these are
//! more than 38, digits behind the point are given up, down to 6. Results are rounded half up, away from zero; one that
//! does not fit its type is null.

use arrow::datatypes::{DataType, i256};
use std::cmp::Ordering;

/// The most digits that a decimal has.
pub(crate) const PRECISION_MAX: u8 = 38;

/// Powers of ten up to what 128 bits hold.
const POWERS: [i128; 39] = {
    let mut powers = [1_i128; 39];
    let mut at = 1;
    while at < 39 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// 10 to the power of `digits`, where it fits.
pub(crate) fn power(digits: u32) -> Option<i128> {
    POWERS.get(digits as usize).copied()
}

/// Precision and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits {
    /// Digits in all.
    pub(crate) precision: u8,
    /// Digits behind the point.
    pub(crate) scale: u8,
}

impl Digits {
    /// A decimal's digits, or those of whole numbers.
    pub(crate) fn of(data_type: &DataType) -> Option<Digits> {
        let digits = |precision, scale| Some(Digits { precision, scale });
        match data_type {
            DataType::Int8 => digits(3, 0),
            DataType::Int16 => digits(5, 0),
            DataType::Int32 => digits(10, 0),
            DataType::Int64 => digits(19, 0),
            DataType::Decimal128(precision, scale) => digits(*precision, u8::try_from(*scale).ok()?),
            _ => None,
        }
    }

    /// The type.
    pub(crate) fn data_type(self) -> DataType {
        DataType::Decimal128(self.precision, self.scale as i8)
    }

    /// Whether a number has no more digits than these.
    pub(crate) fn hold(self, value: i128) -> bool {
        power(u32::from(self.precision)).is_some_and(|limit| value.unsigned_abs() < limit.unsigned_abs())
    }

    fn whole(self) -> u32 {
        u32::from(self.precision) - u32::from(self.scale)
    }

    /// So many digits, or what can be kept of them.
    fn adjusted(precision: u32, scale: u32) -> Digits {
        let max = u32::from(PRECISION_MAX);
        if precision <= max {
            return Digits { precision: precision as u8, scale: scale as u8 };
        }
        let whole = precision - scale;
        let scale = max.saturating_sub(whole).max(scale.min(6));
        Digits { precision: PRECISION_MAX, scale: scale as u8 }
    }

    /// Of a sum or a difference.
    pub(crate) fn sum(self, other: Digits) -> Digits {
        let scale = u32::from(self.scale.max(other.scale));
        Digits::adjusted(self.whole().max(other.whole()) + scale + 1, scale)
    }

    /// Of a product.
    pub(crate) fn product(self, other: Digits) -> Digits {
        let precision = u32::from(self.precision) + u32::from(other.precision) + 1;
        Digits::adjusted(precision, u32::from(self.scale) + u32::from(other.scale))
    }

    /// Of a quotient.
    pub(crate) fn quotient(self, other: Digits) -> Digits {
        let scale = (u32::from(self.scale) + u32::from(other.precision) + 1).max(6);
        Digits::adjusted(self.whole() + u32::from(other.scale) + scale, scale)
    }

    /// Of a remainder.
    pub(crate) fn remainder(self, other: Digits) -> Digits {
        let scale = u32::from(self.scale.max(other.scale));
        Digits::adjusted(self.whole().min(other.whole()) + scale, scale)
    }

    /// Of what holds both.
    pub(crate) fn union(self, other: Digits) -> Digits {
        let scale = u32::from(self.scale.max(other.scale));
        Digits::adjusted(self.whole().max(other.whole()) + scale, scale)
    }
}

/// A number with another scale, rounded half up; `None` where it does not fit `to`.
pub(crate) fn rescale(value: i128, from: u8, to: Digits) -> Option<i128> {
    let scaled = match to.scale.checked_sub(from) {
        Some(up) => value.checked_mul(power(u32::from(up))?)?,
        None => rounded_quotient(value, power(u32::from(from - to.scale))?),
    };
    to.hold(scaled).then_some(scaled)
}

/// `value / by`, rounded half up; `by` is greater than 0.
pub(crate) fn rounded_quotient(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    // A rest of half and more counts; doubled it could be too large.
    if rest.unsigned_abs() >= by.unsigned_abs() - rest.unsigned_abs() {
        quotient + value.signum()
    } else {
        quotient
    }
}

/// The sum, of numbers with these scales.
pub(crate) fn add(left: (i128, u8), right: (i128, u8), to: Digits) -> Option<i128> {
    let scale = left.1.max(right.1);
    let wide = |(value, from): (i128, u8)| wide_scaled(i256::from_i128(value), u32::from(scale - from));
    narrowed(wide(left)?.checked_add(wide(right)?)?, scale, to)
}

/// The product.
pub(crate) fn multiply(left: (i128, u8), right: (i128, u8), to: Digits) -> Option<i128> {
    let scale = left.1 + right.1;
    if scale == to.scale
        && let Some(product) = left.0.checked_mul(right.0)
    {
        return to.hold(product).then_some(product);
    }
    narrowed(i256::from_i128(left.0).checked_mul(i256::from_i128(right.0))?, scale, to)
}

/// The quotient; the divisor is not 0.
pub(crate) fn divide(left: (i128, u8), right: (i128, u8), to: Digits) -> Option<i128> {
    // left / 10^ls / (right / 10^rs) * 10^to, and one digit more to round by.
    let up = i32::from(to.scale) + 1 + i32::from(right.1) - i32::from(left.1);
    if let Some(above) =
        u32::try_from(up - 1).ok().and_then(power).and_then(|power| left.0.checked_mul(power))
    {
        let value = match right.0 {
            by if by > 0 => rounded_quotient(above, by),
            by => rounded_quotient(above.checked_neg()?, by.checked_neg()?),
        };
        return to.hold(value).then_some(value);
    }
    let (mut above, mut below) = (i256::from_i128(left.0), i256::from_i128(right.0));
    match u32::try_from(up) {
        Ok(up) => above = wide_scaled(above, up)?,
        Err(_) => below = wide_scaled(below, up.unsigned_abs())?,
    }
    // Cut towards zero: a digit of 5 and more is half and more of the exact quotient.
    let cut = above.checked_div(below)?;
    let value = rounded_wide(cut, i256::from_i128(10))?.to_i128()?;
    to.hold(value).then_some(value)
}

/// The remainder, with the sign of the dividend; the divisor is not 0.
pub(crate) fn remainder(left: (i128, u8), right: (i128, u8), to: Digits) -> Option<i128> {
    let scale = left.1.max(right.1);
    let wide = |(value, from): (i128, u8)| wide_scaled(i256::from_i128(value), u32::from(scale - from));
    narrowed(wide(left)?.checked_rem(wide(right)?)?, scale, to)
}

/// Which of two decimals is the larger.
pub(crate) fn order(left: (i128, u8), right: (i128, u8)) -> Ordering {
    if left.1 == right.1 {
        return left.0.cmp(&right.0);
    }
    let scale = left.1.max(right.1);
    // 38 digits and 38 more are fewer than 256 bits.
    let wide = |(value, from): (i128, u8)| {
        wide_scaled(i256::from_i128(value), u32::from(scale - from)).unwrap_or(i256::from_i128(value))
    };
    wide(left).cmp(&wide(right))
}

fn wide_scaled(value: i256, digits: u32) -> Option<i256> {
    let mut value = value;
    let mut left = digits;
    while left > 0 {
        let step = left.min(38);
        value = value.checked_mul(i256::from_i128(power(step)?))?;
        left -= step;
    }
    Some(value)
}

fn rounded_wide(value: i256, by: i256) -> Option<i256> {
    let (quotient, rest) = (value.checked_div(by)?, value.checked_rem(by)?);
    let rest = rest.wrapping_abs();
    match rest >= by.wrapping_sub(rest) {
        true if value.is_negative() => quotient.checked_sub(i256::ONE),
        true => quotient.checked_add(i256::ONE),
        false => Some(quotient),
    }
}

fn narrowed(value: i256, from: u8, to: Digits) -> Option<i128> {
    let value = match to.scale.checked_sub(from) {
        Some(up) => wide_scaled(value, u32::from(up))?,
        None => {
            let mut value = value;
            let mut down = u32::from(from - to.scale);
            // Cut all but the last digit, which rounds: half up of the exact value.
            while down > 38 {
                value = value.checked_div(i256::from_i128(power(38)?))?;
                down -= 38;
            }
            rounded_wide(value, i256::from_i128(power(down)?))?
        }
    };
    let value = value.to_i128()?;
    to.hold(value).then_some(value)
}

/// As it is written: `-0.0500` for -500 with a scale of 4.
pub(crate) fn write(value: i128, scale: u8, out: &mut String) {
    use std::fmt::Write;
    let scale = usize::from(scale);
    if value < 0 {
        out.push('-');
    }
    let digits = value.unsigned_abs();
    if scale == 0 {
        let _ = write!(out, "{digits}");
        return;
    }
    let text = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    out.push_str(whole);
    out.push('.');
    out.push_str(fraction);
}

/// The nearest number with a point that floats.
pub(crate) fn to_f64(value: i128, scale: u8) -> f64 {
    // Both are exact, and so a division rounds once.
    if value.unsigned_abs() <= 1 << 53 && scale <= 22 {
        return value as f64 / 10_f64.powi(i32::from(scale));
    }
    let mut text = String::new();
    write(value, scale, &mut text);
    text.parse().unwrap_or(f64::NAN)
}

/// A text as a decimal, as `BigDecimal` reads it; `None` where it is none. Rounded half up to `to`; `Some(None)` where it
/// does not fit.
pub(crate) fn parse(text: &str, to: Digits) -> Option<Option<i128>> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Some(placed(whole, fraction, exponent, to).map(|value| if negative { -value } else { value }))
}

/// The digits of a number with its point `exponent` further right, with the scale of `to`.
fn placed(whole: &str, fraction: &str, exponent: i32, to: Digits) -> Option<i128> {
    let digits = || whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0'));
    let mut digits = digits().skip_while(|digit| *digit == 0);
    let count = digits.clone().count() as i64;
    // How many digits, counted from the first that is not 0, stand in front of where `to` ends.
    let kept = count - fraction.len() as i64 + i64::from(exponent) + i64::from(to.scale);
    if count == 0 || kept < 0 {
        return Some(0);
    }
    if kept > i64::from(PRECISION_MAX) {
        return None;
    }
    let mut value: i128 = 0;
    for _ in 0..kept {
        value = value.checked_mul(10)?.checked_add(digits.next().unwrap_or(0))?;
    }
    value += i128::from(digits.next().is_some_and(|digit| digit >= 5));
    to.hold(value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn digits(precision: u8, scale: u8) -> Digits {
        Digits { precision, scale }
    }

    #[test]
    fn results_have_the_digits_that_flink_gives_them() {
        assert_eq!(digits(38, 18).sum(digits(38, 10)), digits(38, 9));
        assert_eq!(digits(10, 2).product(digits(5, 3)), digits(16, 5));
        assert_eq!(digits(38, 18).product(digits(38, 10)), digits(38, 6));
        assert_eq!(digits(10, 2).quotient(digits(5, 3)), digits(19, 8));
        assert_eq!(digits(10, 2).remainder(digits(5, 3)), digits(5, 3));
    }

    #[test]
    fn a_quotient_is_rounded_half_up_and_what_does_not_fit_is_null() {
        assert_eq!(divide((200, 2), (300, 2), digits(23, 13)), Some(6_666_666_666_667));
        assert_eq!(divide((-1, 0), (3, 0), digits(38, 6)), Some(-333_333));
        let nines = POWERS[38] - 1;
        assert_eq!(add((nines, 0), (1, 0), digits(38, 0)), None);
        assert_eq!(multiply((nines, 0), (nines, 0), digits(38, 0)), None);
        assert_eq!(rescale(1_005, 3, digits(5, 2)), Some(101));
        assert_eq!(rescale(-1_005, 3, digits(5, 2)), Some(-101));
        assert_eq!(rescale(nines, 0, digits(38, 2)), None);
    }

    #[test]
    fn texts_are_decimals_when_they_are_written_like_numbers() {
        let to = digits(5, 2);
        for (text, value) in [
            ("1.999", Some(Some(200))),
            ("-0.005", Some(Some(-1))),
            ("1e2", Some(Some(10_000))),
            ("1000", Some(None)),
            ("1e999999999", Some(None)),
            ("0e999999999", Some(Some(0))),
            ("1e-99999", Some(Some(0))),
            (".5", Some(Some(50))),
            ("5.", Some(Some(500))),
            (".", None),
            ("", None),
            ("t", None),
            ("1d", None),
            ("1_000", None),
        ] {
            assert_eq!(parse(text, to), value, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_written_with_all_its_digits() {
        for (value, scale, text) in [(-500, 4, "-0.0500"), (0, 0, "0"), (123, 0, "123"), (5, 1, "0.5")] {
            let mut out = String::new();
            write(value, scale, &mut out);
            assert_eq!(out, text);
        }
    }
}
