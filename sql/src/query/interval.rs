//! Texts of intervals: `'1-2' YEAR TO MONTH`, `'1 02:03:04.5' DAY TO SECOND`.

/// What an interval spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// Months; a year has 12.
    Months(i64),
    /// Milliseconds; a day has 24 hours.
    Millis(i64),
}

/// Fields from the largest, with what stands in front of them in a text and what they are made of.
const YEARS: [(&str, char, i64); 2] = [("YEAR", ' ', 12), ("MONTH", '-', 1)];
const DAYS: [(&str, char, i64); 4] =
    [("DAY", ' ', 86_400_000), ("HOUR", ' ', 3_600_000), ("MINUTE", ':', 60_000), ("SECOND", ':', 1000)];

/// Reads the text of an interval. `digits` is how many the first field may have.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str, first: &str, last: Option<&str>, digits: u64) -> Result<Span, String> {
    let first = first.to_uppercase();
    let first = first.strip_suffix('S').unwrap_or(&first);
    let last = last.map(str::to_uppercase).unwrap_or_else(|| first.to_owned());
    let last = last.strip_suffix('S').unwrap_or(&last);
    if first == "WEEK" || first == "QUARTER" {
        let number = count(text.trim_start_matches(['-', '+']), digits)?;
        let number = if text.starts_with('-') { -number } else { number };
        return Ok(if first == "WEEK" {
            Span::Millis(number * 7 * 86_400_000)
        } else {
            Span::Months(number * 3)
        });
    }
    let range = |fields: &'static [(&'static str, char, i64)]| {
        let from = fields.iter().position(|(name, ..)| *name == first)?;
        let to = fields.iter().position(|(name, ..)| *name == last)?;
        fields.get(from..=to)
    };
    match (range(&YEARS), range(&DAYS)) {
        (Some(fields), _) => Ok(Span::Months(sum(text, fields, digits)?)),
        (_, Some(fields)) => Ok(Span::Millis(sum(text, fields, digits)?)),
        _ => Err("has no such unit of time".to_owned()),
    }
}

fn count(text: &str, digits: u64) -> Result<i64, String> {
    let legal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !legal {
        return Err("is not written like one of its unit".to_owned());
    }
    if text.trim_start_matches('0').len() as u64 > digits.min(10) {
        return Err(format!(
            "has more than {digits} digits: write the number of digits behind the unit, as DAY(3)"
        ));
    }
    text.parse().map_err(|_| "is too long".to_owned())
}

/// The sum of the fields, each behind the sign that separates it from the one before.
fn sum(text: &str, fields: &[(&str, char, i64)], digits: u64) -> Result<i64, String> {
    let (negative, mut rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim().strip_prefix('+').unwrap_or(text.trim())),
    };
    let mut total: i64 = 0;
    for (index, (name, _, factor)) in fields.iter().enumerate() {
        let (part, behind) = match fields.get(index + 1) {
            Some((_, separator, _)) => {
                rest.split_once(*separator).ok_or("is not written like one of its units")?
            }
            None => (rest, ""),
        };
        rest = behind;
        let (whole, fraction) = match *name {
            "SECOND" => part.split_once('.').unwrap_or((part, "")),
            _ => (part, ""),
        };
        total += count(whole, if index == 0 { digits } else { 2 })? * factor + millis(fraction)?;
    }
    Ok(if negative { -total } else { total })
}

/// Digits behind the second, of which milliseconds are kept.
fn millis(fraction: &str) -> Result<i64, String> {
    if fraction.is_empty() {
        return Ok(0);
    }
    let digits = count(fraction, 9)?;
    Ok(digits * 10_i64.pow(9_u32.saturating_sub(fraction.len() as u32)) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_the_fields_of_its_units() {
        for (text, first, last, digits, span) in [
            ("1", "DAY", None, 2, Some(Span::Millis(86_400_000))),
            ("1.5", "SECOND", None, 2, Some(Span::Millis(1500))),
            ("0.123456", "SECOND", None, 2, Some(Span::Millis(123))),
            ("-1-2", "YEAR", Some("MONTH"), 2, Some(Span::Months(-14))),
            ("1 02:03:04.5", "DAY", Some("SECOND"), 2, Some(Span::Millis(93_784_500))),
            ("2:30", "HOUR", Some("MINUTE"), 2, Some(Span::Millis(9_000_000))),
            ("100", "DAY", None, 3, Some(Span::Millis(8_640_000_000))),
            ("1", "WEEK", None, 2, Some(Span::Millis(604_800_000))),
            ("100", "DAY", None, 2, None),
            ("1", "DAY", Some("SECOND"), 2, None),
            ("x", "DAY", None, 2, None),
        ] {
            assert_eq!(parse(text, first, last, digits).ok(), span, "{text} {first}");
        }
    }
}
