//! Patterns as `java.text.SimpleDateFormat` has them, in English: for `FROM_UNIXTIME`, `UNIX_TIMESTAMP` and `TO_DATE`.
//!
//! It is lenient: fields that are too large count on, and what stands behind the time is not looked at. A year of two
//! digits is of 1970 to 2069, where Java looks at the clock.

use super::calendar::Date;
use super::pattern::{Fields, Item, MONTHS, Reader, WEEKDAYS, items, short, write_offset};
use super::zone::Zone;
use super::{DAY_S, Moment};
use std::fmt::Write;

/// A pattern, read once.
#[derive(Debug, Clone)]
pub(crate) struct SimpleFormat {
    items: Vec<Item>,
}

impl SimpleFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let items = items(pattern, false)?;
        for item in &items {
            let Item::Letter(letter, count) = item else { continue };
            let known = match letter {
                'X' => *count <= 3,
                letter => "yYMLdDHkKhmsSEuaGwWFZ".contains(*letter),
            };
            if !known {
                return Err(format!("{letter} in the pattern '{pattern}' means nothing"));
            }
        }
        Ok(SimpleFormat { items })
    }

    /// Writes a moment as the clocks of a zone show it.
    pub(crate) fn format(&self, moment: Moment, zone: Zone, out: &mut String) {
        let local = zone.local(moment);
        let (days, nanos) = local.day();
        let fields = Fields::new(days, nanos);
        let ahead = local.seconds.saturating_sub(moment.seconds);
        for item in &self.items {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Letter(letter, count) => write_field(fields, *letter, *count, ahead, out),
                Item::Open | Item::Close => {}
            }
        }
    }

    /// The moment that a text begins with; `None` where it does not fit the pattern.
    pub(crate) fn parse(&self, text: &str, zone: Zone) -> Option<Moment> {
        let mut reader = Reader { rest: text };
        let mut parsed = Parsed::default();
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Text(text) => read_text(text, &mut reader)?,
                Item::Letter(letter, count) => {
                    // Numbers that follow each other have the width that is written.
                    let joined =
                        matches!(self.items.get(at + 1), Some(Item::Letter(next, _)) if is_number(*next, 1));
                    read_field(*letter, *count, joined, &mut reader, &mut parsed)?;
                }
                Item::Open | Item::Close => {}
            }
        }
        parsed.resolve(zone)
    }
}

fn write_field(fields: Fields, letter: char, count: usize, ahead: i64, out: &mut String) {
    let year = if fields.date.year > 0 { fields.date.year } else { 1 - fields.date.year };
    let mut number = |value: i64| {
        let _ = write!(out, "{value:0count$}");
    };
    match (letter, count) {
        ('y', 2) => number(year % 100),
        ('Y', 2) => number(fields.week().0.rem_euclid(100)),
        ('y', _) => number(year),
        ('Y', _) => number(fields.week().0),
        ('M' | 'L', 1 | 2) => number(fields.date.month),
        ('M' | 'L', 3) => out.push_str(short(named(&MONTHS, fields.date.month), 3)),
        ('M' | 'L', _) => out.push_str(named(&MONTHS, fields.date.month)),
        ('E', 1..=3) => out.push_str(short(named(&WEEKDAYS, fields.weekday()), 3)),
        ('E', _) => out.push_str(named(&WEEKDAYS, fields.weekday())),
        ('d', _) => number(fields.date.day),
        ('D', _) => number(fields.date.of_year()),
        ('F', _) => number((fields.date.day - 1) / 7 + 1),
        ('H', _) => number(fields.hour()),
        ('k', _) => number((fields.hour() + 23) % 24 + 1),
        ('K', _) => number(fields.hour() % 12),
        ('h', _) => number(fields.clock_hour()),
        ('m', _) => number(fields.minute()),
        ('s', _) => number(fields.second()),
        ('S', _) => number(fields.nano() / 1_000_000),
        ('u', _) => number(fields.weekday()),
        ('w', _) => number(fields.week().1),
        ('W', _) => number(fields.week_of_month()),
        ('a', _) => out.push_str(fields.half()),
        ('G', _) => out.push_str(if fields.date.year > 0 { "AD" } else { "BC" }),
        (letter, count) => {
            let _ = write_offset(ahead, letter, if letter == 'Z' { 1 } else { count }, out);
        }
    }
}

fn named(names: &[&'static str], number: i64) -> &'static str {
    names.get(number as usize - 1).copied().unwrap_or("")
}

#[derive(Debug, Default)]
struct Parsed {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    milli: i64,
    offset: Option<i64>,
}

fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count <= 2,
        letter => "yYdDHkKhmsSuwWF".contains(letter),
    }
}

/// A blank of the pattern stands for any number of them.
fn read_text(text: &str, reader: &mut Reader<'_>) -> Option<()> {
    for char in text.chars() {
        match char {
            ' ' => {
                reader.take(" ")?;
                reader.rest = reader.rest.trim_start_matches(' ');
            }
            char => reader.take(char.encode_utf8(&mut [0; 4]))?,
        }
    }
    Some(())
}

fn read_field(
    letter: char,
    count: usize,
    joined: bool,
    reader: &mut Reader<'_>,
    parsed: &mut Parsed,
) -> Option<()> {
    reader.rest = reader.rest.trim_start_matches([' ', '\t']);
    let shorts = |names: &[&'static str]| names.iter().map(|name| short(name, 3)).collect::<Vec<_>>();
    let named = |reader: &mut Reader<'_>, names: &[&'static str]| {
        reader.one_of(names, true).or_else(|| reader.one_of(&shorts(names), true))
    };
    match letter {
        'M' | 'L' if count >= 3 => {
            parsed.month = Some(named(reader, &MONTHS)? as i64 + 1);
            return Some(());
        }
        'E' => return named(reader, &WEEKDAYS).map(drop),
        'G' => return reader.one_of(&["AD", "BC"], true).map(drop),
        'a' => {
            parsed.afternoon = reader.one_of(&["AM", "PM"], true)? == 1;
            return Some(());
        }
        // One X are hours without minutes.
        'X' if count == 1 && !reader.rest.starts_with('Z') => {
            let sign = if reader.take("+").is_some() { 1 } else { reader.take("-").map(|()| -1)? };
            parsed.offset = Some(sign * reader.digits(2, 2)?.parse::<i64>().ok()? * 3600);
            return Some(());
        }
        'X' | 'Z' => {
            parsed.offset = Some(reader.offset(letter, if letter == 'Z' { 1 } else { count })?);
            return Some(());
        }
        _ => {}
    }
    let negative = reader.take("-").is_some();
    let digits = reader.digits(1, if joined { count } else { 18 })?;
    let value: i64 = digits.parse().ok()?;
    let value = if negative { -value } else { value };
    match letter {
        'y' | 'Y' if count <= 2 && digits.len() == 2 && !negative => {
            parsed.year = Some(if value < 70 { 2000 + value } else { 1900 + value });
        }
        'y' | 'Y' => parsed.year = Some(value),
        'M' | 'L' => parsed.month = Some(value),
        'd' => parsed.day = Some(value),
        'D' => parsed.day_of_year = Some(value),
        'H' => parsed.hour = Some(value),
        'k' => parsed.hour = Some(if value == 24 { 0 } else { value }),
        'K' => parsed.half_hour = Some(value),
        'h' => parsed.half_hour = Some(if value == 12 { 0 } else { value }),
        'm' => parsed.minute = value,
        's' => parsed.second = value,
        'S' => parsed.milli = value,
        _ => {}
    }
    Some(())
}

impl Parsed {
    fn resolve(self, zone: Zone) -> Option<Moment> {
        let year = self.year.unwrap_or(1970);
        let first = Date { year, month: 1, day: 1 };
        let in_range = |value: i64| (-1_000_000..=1_000_000_000_000).contains(&value);
        let fields =
            [year, self.minute, self.second, self.milli, self.day.unwrap_or(0), self.hour.unwrap_or(0)];
        if !fields.into_iter().all(in_range) || year.abs() > 1_000_000 {
            return None;
        }
        let days = match self.day_of_year {
            Some(day) => first.days().checked_add(day)? - 1,
            None => {
                let month = first.plus_months(self.month.unwrap_or(1) - 1)?;
                month.days().checked_add(self.day.unwrap_or(1))? - 1
            }
        };
        let half = self.half_hour.map(|hour| hour + if self.afternoon { 12 } else { 0 });
        let hour = self.hour.or(half).unwrap_or(0);
        let seconds =
            hour.checked_mul(3600)?.checked_add(self.minute.checked_mul(60)?)?.checked_add(self.second)?;
        let seconds =
            days.checked_mul(DAY_S)?.checked_add(seconds)?.checked_add(self.milli.div_euclid(1000))?;
        let local = Moment { seconds, nanos: self.milli.rem_euclid(1000) * 1_000_000 };
        Some(match self.offset {
            Some(offset) => Moment { seconds: local.seconds.checked_sub(offset)?, ..local },
            None => zone.last_moment(local),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::zone::UTC;
    use super::*;

    #[test]
    fn it_is_lenient() {
        for (pattern, text, seconds) in [
            ("dd/MM/yyyy", "31/02/2024", Some(1_709_337_600)),
            ("yyyyMMddHHmmss", "20240229123456", Some(1_709_210_096)),
            ("dd MMM yyyy hh:mm a", "09 Feb 2024 03:04 PM", Some(1_707_491_040)),
            ("yyyy-DDD", "2024-060", Some(1_709_164_800)),
            ("yyyy-MM-dd HH:mm:ss X", "2024-02-29 12:34:56 +0530", Some(1_709_192_096)),
            ("yyyy-MM-dd HH:mm:ss XX", "2024-02-29 12:34:56 +0530", Some(1_709_190_296)),
            ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2024-02-29 12:34:56.123456", Some(1_709_210_219)),
            ("yyyy-MM-dd", "2024-02-29 extra", Some(1_709_164_800)),
            ("yyyy-MM-dd", "extra", None),
            ("yyyy", "999999999999999999", None),
        ] {
            let found = SimpleFormat::new(pattern).unwrap().parse(text, UTC);
            assert_eq!(found.map(|moment| moment.seconds), seconds, "{pattern} {text}");
        }
        assert!(SimpleFormat::new("bogus!").is_err());
    }
}
