//! Dates and times read from text. Timestamps of the usual length go word by word, others part by part.

use super::calendar::{SECONDS_PER_DAY, checked_days};
use super::{Instant, TimestampStandard};
use crate::numbers::{POW10, digits};

/// A date, all of `text`.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let (days, length) = date(text)?;
    (length == text.len()).then(|| i32::try_from(days).ok()).flatten()
}

/// A date whose month and day may have one digit, all of `text`.
pub(crate) fn parse_loose_date(text: &[u8]) -> Option<i32> {
    let mut parts = text.split(|byte| *byte == b'-');
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next()?;
        let (length, value) = digits(part);
        (length == part.len() && lengths.contains(&length)).then_some(value)
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    let days = checked_days(year as i64, month as u32, day as u32)?;
    parts.next().is_none().then(|| i32::try_from(days).ok()).flatten()
}

/// A time of day, all of `text`. Seconds may be left out when `short`.
pub(crate) fn parse_time(text: &[u8], short: bool) -> Option<Instant> {
    let (time, length) = time(text, short)?;
    (length == text.len()).then_some(time)
}

/// A timestamp at the front of `text`, and what is behind it. `zoned` for `TIMESTAMP_LTZ`.
#[inline]
pub(crate) fn timestamp_prefix<'t>(
    text: &'t [u8],
    standard: TimestampStandard,
    zoned: bool,
    last_date: &mut LastDate,
) -> Option<(Instant, &'t [u8])> {
    let (instant, rest) = match usual(text, standard.separator(), last_date) {
        Some(found) => found,
        None => unusual(text, standard)?,
    };
    match (standard, zoned) {
        (TimestampStandard::Iso8601WithOffset, _) => {
            let (offset, length) = offset(rest)?;
            Some((Instant { seconds: instant.seconds - offset, ..instant }, &rest[length..]))
        }
        (_, true) => Some((instant, rest.strip_prefix(b"Z")?)),
        (_, false) => Some((instant, rest)),
    }
}

/// The date read last, as it was written: times of a stream are mostly of one day.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastDate {
    year_month: u64,
    day: u16,
    midnight: i64,
}

/// Bytes of `2015-07-` that have to be digits.
const YEAR_MONTH: u64 = 0x00ff_ff00_ffff_ffff;
/// Bytes of `00:00:01` that have to be digits.
const TIME: u64 = 0xffff_00ff_ff00_ffff;

/// `2015-07-15 00:00:01.123` word by word. `None` for what it does not know, which need not be wrong.
#[inline(always)]
pub(super) fn usual<'t>(
    text: &'t [u8],
    separator: u8,
    last_date: &mut LastDate,
) -> Option<(Instant, &'t [u8])> {
    let bytes = text.first_chunk::<20>()?;
    let (year_month, rest) = bytes.split_first_chunk::<8>()?;
    let (day, rest) = rest.split_first_chunk::<2>()?;
    let ([between], rest) = rest.split_first_chunk::<1>()?;
    let (time, _) = rest.split_first_chunk::<8>()?;
    let (year_month, day) = (u64::from_le_bytes(*year_month), u16::from_le_bytes(*day));
    let time = u64::from_le_bytes(*time);

    let midnight = match (last_date.year_month, last_date.day) == (year_month, day) {
        true => last_date.midnight,
        false => {
            let midnight = usual_date(year_month, day)?;
            *last_date = LastDate { year_month, day, midnight };
            midnight
        }
    };
    let digits = digits_of(time, TIME, *b"\0\0:\0\0:\0\0")?;
    let (hour, minute, second) = (pair(digits, 0), pair(digits, 3), pair(digits, 6));
    if *between != separator || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = midnight + i64::from(hour * 3_600 + minute * 60 + second);
    let (nanos, rest) = match &text[19..] {
        [b'.', rest @ ..] => {
            let (nanos, length) = fraction(rest)?;
            (nanos, &rest[length..])
        }
        rest => (0, rest),
    };
    Some((Instant { seconds, nanos }, rest))
}

/// Seconds since 1970 of `2015-07-` and `15`.
#[inline(never)]
fn usual_date(year_month: u64, day: u16) -> Option<i64> {
    let year_month = digits_of(year_month, YEAR_MONTH, *b"\0\0\0\0-\0\0-")?;
    let day = digits_of(day.into(), 0xffff, [0; 8])?;
    let year = pair(year_month, 0) * 100 + pair(year_month, 2);
    Some(checked_days(year.into(), pair(year_month, 5), pair(day, 0))? * SECONDS_PER_DAY)
}

/// The digits of a word with zeros between them, if it has digits and `others` where it must.
#[inline(always)]
fn digits_of(word: u64, digits: u64, others: [u8; 8]) -> Option<u64> {
    let found = (word ^ 0x3030_3030_3030_3030) & digits;
    let above_nine = (found.wrapping_add(0x7676_7676_7676_7676) | found) & 0x8080_8080_8080_8080;
    (above_nine == 0 && word & !digits == u64::from_le_bytes(others)).then_some(found)
}

/// The number that the digits at `at` and behind it make.
#[inline(always)]
fn pair(digits: u64, at: u32) -> u32 {
    let pairs = (digits * 10).wrapping_add(digits >> 8);
    u32::from((pairs >> (8 * at)) as u8)
}

/// Nanoseconds of a fraction, and its length without the point.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(u32, usize)> {
    let (length, value) = digits(text);
    if length == 0 || length > 9 {
        return None;
    }
    Some((value as u32 * POW10[9 - length] as u32, length))
}

/// A timestamp part by part.
#[inline(never)]
pub(super) fn unusual(text: &[u8], standard: TimestampStandard) -> Option<(Instant, &[u8])> {
    let (days, before) = date(text)?;
    let separator = *text.get(before)?;
    let iso = standard.separator() == b'T';
    if separator != standard.separator() && !(iso && separator == b't') {
        return None;
    }
    let (time, length) = time(&text[before + 1..], iso)?;
    let seconds = days.checked_mul(SECONDS_PER_DAY)? + time.seconds;
    Some((Instant { seconds, nanos: time.nanos }, &text[before + 1 + length..]))
}

/// A date at the front of `text`.
fn date(text: &[u8]) -> Option<(i64, usize)> {
    let signed = matches!(text.first()?, b'+' | b'-');
    let year_start = usize::from(signed);
    let (length, year) = digits(&text[year_start..]);
    let known = if signed { (4..=9).contains(&length) } else { length == 4 };
    if !known {
        return None;
    }
    let year = if text[0] == b'-' { -(year as i64) } else { year as i64 };
    let rest = &text[year_start + length..];
    let [b'-', m1, m2, b'-', d1, d2, ..] = rest else { return None };
    let days = checked_days(year, two(*m1, *m2)?, two(*d1, *d2)?)?;
    Some((days, year_start + length + 6))
}

/// A time of day at the front of `text`.
fn time(text: &[u8], short: bool) -> Option<(Instant, usize)> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let (second, mut nanos, mut length) = match rest {
        [b':', s1, s2, ..] => (two(*s1, *s2)?, 0, 8),
        _ if short => (0, 0, 5),
        _ => return None,
    };
    if length == 8 && text.get(8) == Some(&b'.') {
        let (found, more) = fraction(&text[9..])?;
        nanos = found;
        length += more + 1;
    }
    let known = hour < 24 && minute < 60 && second < 60;
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    known.then_some((Instant { seconds, nanos }, length))
}

/// An offset from UTC in seconds at the front of `text`: `Z`, `+02:00` or `+02:00:30`.
fn offset(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'Z' | b'z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [h1, h2, b':', m1, m2, rest @ ..] = &text[1..] else { return None };
    let (second, length) = match rest {
        [b':', s1, s2, ..] => (two(*s1, *s2)?, 9),
        _ => (0, 6),
    };
    let (hour, minute) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let seconds = hour * 3_600 + minute * 60 + second;
    (minute < 60 && second < 60 && seconds <= 18 * 3_600).then_some((sign * i64::from(seconds), length))
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}
