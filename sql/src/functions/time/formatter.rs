//! Patterns as `java.time.format.DateTimeFormatter` has them, in English: for `DATE_FORMAT` and `TO_TIMESTAMP`.

use super::Moment;
use super::calendar::{Date, is_leap, month_days};
use super::pattern::{Fields, Item, MONTHS, Reader, WEEKDAYS, items, reserved, short};
use std::fmt::Write;

/// A pattern, read once.
#[derive(Debug, Clone)]
pub(crate) struct Formatter {
    items: Vec<Item>,
}

impl Formatter {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let items = items(pattern, true)?;
        for item in &items {
            let Item::Letter(letter, count) = item else { continue };
            if !is_known(*letter, *count) {
                let text: String = std::iter::repeat_n(*letter, *count).collect();
                return Err(format!(
                    "{text} in the pattern '{pattern}' means nothing for a time without a zone"
                ));
            }
        }
        Ok(Formatter { items })
    }

    /// Writes a time.
    pub(crate) fn format(&self, time: Moment, out: &mut String) {
        let (days, nanos) = time.day();
        let fields = Fields::new(days, nanos);
        for item in &self.items {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Letter(letter, count) => write_field(fields, *letter, *count, out),
                Item::Open | Item::Close => {}
            }
        }
    }

    /// The time that a text is; `None` where it does not fit the pattern or is none. What the pattern has not is that of
    /// 1970-01-01 00:00:00.
    pub(crate) fn parse(&self, text: &str) -> Option<Moment> {
        let mut reader = Reader { rest: text };
        let mut parsed = Parsed::default();
        read(&self.items, &mut reader, &mut parsed)?;
        if reader.rest.is_empty() { parsed.resolve() } else { None }
    }
}

fn is_known(letter: char, count: usize) -> bool {
    match letter {
        'y' | 'u' | 'Y' => count <= 19,
        'M' | 'L' | 'Q' | 'q' | 'E' | 'G' => count <= 5,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'w' => count <= 2,
        'e' => count <= 5,
        'c' => count != 2 && count <= 5,
        'D' => count <= 3,
        'a' | 'W' => count == 1,
        'S' => count <= 9,
        'A' | 'n' | 'N' => count <= 19,
        _ => false,
    }
}

fn write_field(fields: Fields, letter: char, count: usize, out: &mut String) {
    let year = if fields.date.year > 0 { fields.date.year } else { 1 - fields.date.year };
    let mut number = |value: i64| {
        let _ = write!(out, "{value:0count$}");
    };
    match (letter, count) {
        ('y', 2) => number(year % 100),
        ('u', 2) => number(fields.date.year.rem_euclid(100)),
        ('Y', 2) => number(fields.week().0.rem_euclid(100)),
        ('y', _) => write_year(year, count, out),
        ('u', _) => write_year(fields.date.year, count, out),
        ('Y', _) => write_year(fields.week().0, count, out),
        ('M' | 'L', 1 | 2) => number(fields.date.month),
        ('M' | 'L', _) => out.push_str(name(&MONTHS, fields.date.month, count)),
        ('Q' | 'q', 1 | 2) => number(fields.date.quarter()),
        ('Q' | 'q', 3) => {
            let _ = write!(out, "Q{}", fields.date.quarter());
        }
        ('Q' | 'q', 4) => {
            let quarter = fields.date.quarter();
            let th = ["st", "nd", "rd", "th"].get(quarter as usize - 1).copied().unwrap_or("th");
            let _ = write!(out, "{quarter}{th} quarter");
        }
        ('Q' | 'q', _) => {
            let _ = write!(out, "{}", fields.date.quarter());
        }
        ('d', _) => number(fields.date.day),
        ('D', _) => number(fields.date.of_year()),
        ('H', _) => number(fields.hour()),
        ('k', _) => number((fields.hour() + 23) % 24 + 1),
        ('K', _) => number(fields.hour() % 12),
        ('h', _) => number(fields.clock_hour()),
        ('m', _) => number(fields.minute()),
        ('s', _) => number(fields.second()),
        ('w', _) => number(fields.week().1),
        ('W', _) => number(fields.week_of_month()),
        ('e' | 'c', 1 | 2) => number(fields.us_weekday()),
        ('E' | 'e' | 'c', _) => out.push_str(name(&WEEKDAYS, fields.weekday(), count.max(3))),
        ('a', _) => out.push_str(fields.half()),
        ('G', 4) => out.push_str(if fields.date.year > 0 { "Anno Domini" } else { "Before Christ" }),
        ('G', 5) => out.push_str(if fields.date.year > 0 { "A" } else { "B" }),
        ('G', _) => out.push_str(if fields.date.year > 0 { "AD" } else { "BC" }),
        ('S', _) => {
            let digits = format!("{:09}", fields.nano());
            out.push_str(digits.get(..count).unwrap_or(&digits));
        }
        ('A', _) => number(fields.nanos / 1_000_000),
        ('n', _) => number(fields.nano()),
        ('N', _) => number(fields.nanos),
        _ => {}
    }
}

/// A year of four digits and more has a sign where it has more than that.
fn write_year(year: i64, count: usize, out: &mut String) {
    let (sign, digits) = if year < 0 { ("-", -year) } else { ("", year) };
    let text = format!("{digits:0count$}");
    out.push_str(if count >= 4 && text.len() > count && year > 0 { "+" } else { sign });
    out.push_str(&text);
}

/// A name, counted from 1: three letters, all, or the first one.
fn name(names: &[&'static str], number: i64, count: usize) -> &'static str {
    let name = names.get(number as usize - 1).copied().unwrap_or("");
    match count {
        3 => short(name, 3),
        5 => short(name, 1),
        _ => name,
    }
}

/// What a text said.
#[derive(Debug, Clone, Default)]
struct Parsed {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    /// From 0 to 11.
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nano: Option<i64>,
}

/// Sets a field, which may be said twice but not two ways.
fn set(field: &mut Option<i64>, value: i64) -> Option<()> {
    match field {
        Some(other) if *other != value => None,
        _ => {
            *field = Some(value);
            Some(())
        }
    }
}

fn read(items: &[Item], reader: &mut Reader<'_>, parsed: &mut Parsed) -> Option<()> {
    let mut at = 0;
    while let Some(item) = items.get(at) {
        match item {
            Item::Text(text) => reader.take(text)?,
            Item::Open => {
                let close = closing(items, at)?;
                let (mut tried, mut found) = (*reader, parsed.clone());
                if read(items.get(at + 1..close)?, &mut tried, &mut found).is_some() {
                    (*reader, *parsed) = (tried, found);
                }
                at = close;
            }
            Item::Close => {}
            Item::Letter(letter, count) => {
                let behind = reserved(items.get(at + 1..)?, fixed_width);
                read_field(*letter, *count, behind, reader, parsed)?;
            }
        }
        at += 1;
    }
    Some(())
}

fn closing(items: &[Item], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, item) in items.iter().enumerate().skip(open) {
        depth += match item {
            Item::Open => 1,
            Item::Close => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// How many digits an item has, where it always has as many.
fn fixed_width(letter: char, count: usize) -> Option<usize> {
    match (letter, count) {
        ('y' | 'u', 2) | ('M' | 'L' | 'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's', 2) => Some(2),
        ('D', 3) => Some(3),
        _ => None,
    }
}

fn read_field(
    letter: char,
    count: usize,
    behind: usize,
    reader: &mut Reader<'_>,
    parsed: &mut Parsed,
) -> Option<()> {
    let shorts = |names: &[&'static str]| names.iter().map(|name| short(name, 3)).collect::<Vec<_>>();
    let fixed = fixed_width(letter, count);
    let (least, most) = match (letter, count) {
        (_, _) if fixed.is_some() => (fixed?, fixed?),
        ('y' | 'u', 4..) => (count, count),
        ('y' | 'u', _) => (count, 18),
        ('S', _) => (count, count),
        ('D', 2) => (2, 3),
        _ => (1, 18),
    };
    // Digits that the items behind need are left to them, where this one may have fewer.
    let most = if fixed.is_none() && behind > 0 {
        let all = reader.rest.bytes().take_while(u8::is_ascii_digit).count();
        most.min(all.saturating_sub(behind)).max(least)
    } else {
        most
    };
    match (letter, count) {
        ('M' | 'L', 3) => return set(&mut parsed.month, reader.one_of(&shorts(&MONTHS), false)? as i64 + 1),
        ('M' | 'L', 4) => return set(&mut parsed.month, reader.one_of(&MONTHS, false)? as i64 + 1),
        ('E', 1..=3) => return reader.one_of(&shorts(&WEEKDAYS), false).map(drop),
        ('E', 4) => return reader.one_of(&WEEKDAYS, false).map(drop),
        ('a', _) => {
            parsed.afternoon = Some(reader.one_of(&["AM", "PM"], false)? == 1);
            return Some(());
        }
        ('S', _) => {
            let digits = reader.digits(least, most)?;
            return set(&mut parsed.nano, digits.parse::<i64>().ok()? * 10_i64.pow(9 - digits.len() as u32));
        }
        _ => {}
    }
    let value: i64 = reader.digits(least, most)?.parse().ok()?;
    match letter {
        'y' | 'u' if count == 2 => set(&mut parsed.year, 2000 + value),
        'y' | 'u' => set(&mut parsed.year, value),
        'M' | 'L' if count <= 2 => set(&mut parsed.month, value),
        'd' => set(&mut parsed.day, value),
        'D' => set(&mut parsed.day_of_year, value),
        'H' => set(&mut parsed.hour, value),
        'k' if (1..=24).contains(&value) => set(&mut parsed.hour, value % 24),
        'K' => set(&mut parsed.half_hour, value),
        'h' if (1..=12).contains(&value) => set(&mut parsed.half_hour, value % 12),
        'm' => set(&mut parsed.minute, value),
        's' => set(&mut parsed.second, value),
        'n' => set(&mut parsed.nano, value),
        _ => None,
    }
}

/// Whether a text can be read by a pattern with these letters.
pub(crate) fn can_parse(pattern: &str) -> Result<(), String> {
    for item in items(pattern, true)? {
        if let Item::Letter(letter, count) = item
            && !matches!(
                (letter, count),
                ('y' | 'u' | 'd' | 'D' | 'H' | 'k' | 'K' | 'h' | 'm' | 's' | 'n' | 'S' | 'a', _)
                    | ('M' | 'L' | 'E', 1..=4)
                    | ('X' | 'x' | 'Z', 1..=3)
            )
        {
            return Err(format!("{letter} in the pattern '{pattern}' is not supported yet, to read a time"));
        }
    }
    Ok(())
}

/// A pattern that reads: offsets from UTC are read over, as Flink does.
#[derive(Debug, Clone)]
pub(crate) struct TimeParser {
    items: Vec<Item>,
}

impl TimeParser {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        can_parse(pattern)?;
        Ok(TimeParser { items: items(pattern, true)? })
    }

    /// The time that a text is, without its offset.
    pub(crate) fn parse(&self, text: &str) -> Option<Moment> {
        let has_offset = self.items.iter().any(|item| matches!(item, Item::Letter('X' | 'x' | 'Z', _)));
        if !has_offset {
            return Formatter { items: self.items.clone() }.parse(text);
        }
        let mut reader = Reader { rest: text };
        let mut parsed = Parsed::default();
        let mut from = 0;
        for (at, item) in self.items.iter().enumerate() {
            if let Item::Letter(letter @ ('X' | 'x' | 'Z'), count) = item {
                read(self.items.get(from..at)?, &mut reader, &mut parsed)?;
                reader.offset(*letter, *count)?;
                from = at + 1;
            }
        }
        read(self.items.get(from..)?, &mut reader, &mut parsed)?;
        if reader.rest.is_empty() { parsed.resolve() } else { None }
    }
}

impl Parsed {
    fn resolve(self) -> Option<Moment> {
        let in_range = |value: Option<i64>, range: std::ops::RangeInclusive<i64>| {
            value.is_none_or(|value| range.contains(&value))
        };
        let legal = in_range(self.month, 1..=12)
            && in_range(self.day, 1..=31)
            && in_range(self.minute, 0..=59)
            && in_range(self.second, 0..=59)
            && in_range(self.half_hour, 0..=11)
            && in_range(self.year, 0..=9999)
            && in_range(self.nano, 0..=999_999_999);
        let half_day = self.half_hour.zip(self.afternoon);
        let hour =
            self.hour.or_else(|| half_day.map(|(hour, afternoon)| hour + if afternoon { 12 } else { 0 }));
        let hour = hour.unwrap_or(0);
        let (minute, second, nano) =
            (self.minute.unwrap_or(0), self.second.unwrap_or(0), self.nano.unwrap_or(0));
        let midnight = hour == 24 && minute == 0 && second == 0 && nano == 0;
        if !legal || !(midnight || (0..24).contains(&hour)) {
            return None;
        }
        let days = self.days()?;
        Some(Moment { seconds: days * super::DAY_S + hour * 3600 + minute * 60 + second, nanos: nano })
    }

    fn days(&self) -> Option<i64> {
        let year = self.year.unwrap_or(1970);
        if let Some(day) = self.day_of_year {
            let last = if is_leap(year) { 366 } else { 365 };
            let days = Date { year, month: 1, day: 1 }.days() + day - 1;
            return (1..=last).contains(&day).then_some(days);
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let last = month_days(year, month);
        // A day that the month has not is its last one, where all three are said.
        let complete = self.year.is_some() && self.month.is_some();
        if day > last && !complete {
            return None;
        }
        Some(Date { year, month, day: day.min(last) }.days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pattern: &str, text: &str) -> Option<String> {
        let time = TimeParser::new(pattern).unwrap().parse(text)?;
        let mut out = String::new();
        Formatter::new("yyyy-MM-dd HH:mm:ss.SSS").unwrap().format(time, &mut out);
        Some(out)
    }

    #[test]
    fn a_text_is_read_by_its_pattern_or_is_none() {
        for (pattern, text, expected) in [
            ("yyyyMMddHHmmss", "20240229123456", Some("2024-02-29 12:34:56.000")),
            ("dd MMM yyyy hh:mm a", "09 Feb 2024 03:04 PM", Some("2024-02-09 15:04:00.000")),
            ("dd/MM/yyyy", "31/02/2024", Some("2024-02-29 00:00:00.000")),
            ("yyyy-DDD", "2024-060", Some("2024-02-29 00:00:00.000")),
            ("HH:mm", "12:34", Some("1970-01-01 12:34:00.000")),
            ("yyyy-MM-dd'T'HH:mm:ssX", "2024-02-29T12:34:56Z", Some("2024-02-29 12:34:56.000")),
            ("yyyy-MM-dd[ HH:mm]", "2024-02-29", Some("2024-02-29 00:00:00.000")),
            ("yyyy-MM-dd", "2024-02-29 extra", None),
            ("yyyy-MM-dd", "2024-13-01", None),
            ("yyyy-DDD", "2023-366", None),
        ] {
            assert_eq!(parsed(pattern, text).as_deref(), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn letters_that_mean_nothing_are_errors() {
        for pattern in ["x", "VV", "dd#MM", "'open", "bogus!"] {
            assert!(Formatter::new(pattern).is_err(), "{pattern}");
        }
    }
}
