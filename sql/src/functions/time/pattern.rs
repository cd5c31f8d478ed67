//! Patterns of times in Java's letters: `yyyy-MM-dd HH:mm:ss`, and what both kinds of them share.

use super::calendar::{Date, us_week, weekday};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A letter, so many times.
    Letter(char, usize),
    /// Characters that stand for themselves.
    Text(String),
    /// `[`: what follows may be missing.
    Open,
    /// `]`.
    Close,
}

/// The pieces of a pattern. With `optional`, brackets are no text.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn items(pattern: &str, optional: bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut chars = pattern.chars().peekable();
    let mut depth = 0;
    while let Some(char) = chars.next() {
        match char {
            'a'..='z' | 'A'..='Z' => {
                let mut count = 1;
                while chars.next_if_eq(&char).is_some() {
                    count += 1;
                }
                items.push(Item::Letter(char, count));
            }
            '\'' => quoted(&mut chars, &mut items, pattern)?,
            '[' if optional => {
                depth += 1;
                items.push(Item::Open);
            }
            ']' if optional => {
                if depth == 0 {
                    return Err(format!("the pattern '{pattern}' has a ] without a ["));
                }
                depth -= 1;
                items.push(Item::Close);
            }
            '{' | '}' | '#' if optional => {
                return Err(format!(
                    "the pattern '{pattern}' has a {char}, which means nothing: quote it as '{char}'"
                ));
            }
            char => push_text(&mut items, char),
        }
    }
    items.extend(std::iter::repeat_n(Item::Close, depth));
    Ok(items)
}

fn push_text(items: &mut Vec<Item>, char: char) {
    match items.last_mut() {
        Some(Item::Text(text)) => text.push(char),
        _ => items.push(Item::Text(char.to_string())),
    }
}

/// What stands behind a quote, up to the next; two quotes are one of the text.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    items: &mut Vec<Item>,
    pattern: &str,
) -> Result<(), String> {
    if chars.next_if_eq(&'\'').is_some() {
        push_text(items, '\'');
        return Ok(());
    }
    loop {
        match chars.next() {
            Some('\'') if chars.next_if_eq(&'\'').is_some() => push_text(items, '\''),
            Some('\'') => return Ok(()),
            Some(char) => push_text(items, char),
            None => return Err(format!("the pattern '{pattern}' ends within quotes")),
        }
    }
}

/// Names of months.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of days of the week, from Monday.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The first letters of a name: so many of them, or all.
pub(crate) fn short(name: &'static str, letters: usize) -> &'static str {
    name.get(..letters).unwrap_or(name)
}

/// What letters stand for, of one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub(crate) date: Date,
    /// Days since 1970.
    pub(crate) days: i64,
    /// Nanoseconds since midnight.
    pub(crate) nanos: i64,
}

impl Fields {
    pub(crate) fn new(days: i64, nanos: i64) -> Self {
        Fields { date: Date::of_days(days), days, nanos }
    }

    pub(crate) fn hour(self) -> i64 {
        self.nanos / 3_600_000_000_000
    }

    pub(crate) fn minute(self) -> i64 {
        self.nanos / 60_000_000_000 % 60
    }

    pub(crate) fn second(self) -> i64 {
        self.nanos / 1_000_000_000 % 60
    }

    pub(crate) fn nano(self) -> i64 {
        self.nanos % 1_000_000_000
    }

    /// Monday is 1.
    pub(crate) fn weekday(self) -> i64 {
        weekday(self.days)
    }

    /// Sunday is 1.
    pub(crate) fn us_weekday(self) -> i64 {
        self.weekday() % 7 + 1
    }

    /// The week of the month, where weeks begin on Sunday and the first may be short.
    pub(crate) fn week_of_month(self) -> i64 {
        let first = self.days - self.date.day + 1;
        (self.date.day - 1 + weekday(first) % 7) / 7 + 1
    }

    /// The year of the week, and the week of it, as in the United States.
    pub(crate) fn week(self) -> (i64, i64) {
        us_week(self.days)
    }

    /// The hour from 1 to 12.
    pub(crate) fn clock_hour(self) -> i64 {
        (self.hour() + 11) % 12 + 1
    }

    pub(crate) fn half(self) -> &'static str {
        if self.hour() < 12 { "AM" } else { "PM" }
    }
}

/// `+05:30` in the shape of an offset letter: `X`, `XX`, `XXX`, `x..` and `Z` of one to three.
pub(crate) fn write_offset(seconds: i64, letter: char, count: usize, out: &mut String) -> Option<()> {
    use std::fmt::Write;
    if seconds == 0 && letter == 'X' {
        out.push('Z');
        return Some(());
    }
    let (sign, seconds) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = match (letter, count) {
        ('X' | 'x', 1) if minutes == 0 => write!(out, "{sign}{hours:02}"),
        ('X' | 'x', 1 | 2) | ('Z', 1..=3) => write!(out, "{sign}{hours:02}{minutes:02}"),
        ('X' | 'x', 3) => write!(out, "{sign}{hours:02}:{minutes:02}"),
        _ => return None,
    };
    Some(())
}

/// What is left of a text, read from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Digits, from `least` to `most` of them.
    pub(crate) fn digits(&mut self, least: usize, most: usize) -> Option<&'a str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits)
    }

    pub(crate) fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// One of these names; the place of the longest that fits.
    pub(crate) fn one_of(&mut self, names: &[&str], any_case: bool) -> Option<usize> {
        let fits = |name: &&&str| {
            let start = self.rest.get(..name.len());
            start.is_some_and(
                |start| if any_case { start.eq_ignore_ascii_case(name) } else { start == **name },
            )
        };
        let name = names.iter().filter(fits).max_by_key(|name| name.len())?;
        self.rest = self.rest.get(name.len()..)?;
        names.iter().position(|other| other == name)
    }

    /// An offset from UTC, seconds.
    pub(crate) fn offset(&mut self, letter: char, count: usize) -> Option<i64> {
        if letter == 'X' && self.take("Z").is_some() {
            return Some(0);
        }
        let sign = if self.take("+").is_some() { 1 } else { self.take("-").map(|()| -1)? };
        let hours: i64 = self.digits(2, 2)?.parse().ok()?;
        let minutes = match (letter, count) {
            ('X' | 'x', 1) => self.digits(2, 2).or(Some("0")),
            ('X' | 'x', 2) | ('Z', 1..=3) => self.digits(2, 2),
            ('X' | 'x', 3) => self.take(":").and_then(|()| self.digits(2, 2)),
            _ => None,
        };
        let minutes: i64 = minutes?.parse().ok()?;
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// A fixed number of digits that the items from here on take, where they follow each other without anything between.
pub(crate) fn reserved(items: &[Item], width: impl Fn(char, usize) -> Option<usize>) -> usize {
    let widths = items.iter().map_while(|item| match item {
        Item::Letter(letter, count) => width(*letter, *count),
        _ => None,
    });
    widths.sum()
}
