//! Dates and times as text.
//!
//! ```text
//! DATE                       2015-07-15
//! TIME                       00:00:01  00:00:01.5
//! TIMESTAMP      SQL         2015-07-15 00:00:01.123
//!                ISO-8601    2015-07-15T00:00:01.123          seconds may be left out
//! TIMESTAMP_LTZ  both        the same with a Z behind it: always UTC
//! both           ..-OFFSET   2015-07-15T00:00:01.123+02:00    or Z
//! ```
//! A fraction has one to nine digits; what a column's unit can't hold is cut off. Years beyond 9999 have a sign and
//! up to nine digits. Days that a month does not have are refused.

use super::numbers::{POW10, digits};
use arrow::datatypes::TimeUnit;

/// How timestamps are written: `timestamp-format.standard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampStandard {
    /// `2015-07-15 00:00:01.123`, with a `Z` for `TIMESTAMP_LTZ`.
    #[default]
    Sql,
    /// `2015-07-15T00:00:01.123`, with a `Z` for `TIMESTAMP_LTZ`.
    Iso8601,
    /// `2015-07-15T00:00:01.123+02:00`, for both types.
    Iso8601WithOffset,
}

impl TimestampStandard {
    /// Between date and time.
    #[inline]
    fn separator(self) -> u8 {
        match self {
            TimestampStandard::Sql => b' ',
            TimestampStandard::Iso8601 | TimestampStandard::Iso8601WithOffset => b'T',
        }
    }
}

/// A point in time, or a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Since 1970, or since midnight.
    pub(crate) seconds: i64,
    /// Within the second.
    pub(crate) nanos: u32,
}

impl Instant {
    /// In units of a column; `None` when that is out of range.
    #[inline]
    pub(crate) fn in_unit(self, unit: TimeUnit) -> Option<i64> {
        let (per_second, nanos_per_unit) = match unit {
            TimeUnit::Second => return Some(self.seconds),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        let units = i64::from(self.nanos / nanos_per_unit);
        match self.seconds.checked_mul(per_second) {
            Some(whole) => whole.checked_add(units),
            // Just above the least value the second begins below it.
            None => i64::try_from(i128::from(self.seconds) * i128::from(per_second) + i128::from(units)).ok(),
        }
    }

    pub(crate) fn of_unit(value: i64, unit: TimeUnit) -> Instant {
        let (per_second, nanos_per_unit) = match unit {
            TimeUnit::Second => (1, 0),
            TimeUnit::Millisecond => (1_000, 1_000_000),
            TimeUnit::Microsecond => (1_000_000, 1_000),
            TimeUnit::Nanosecond => (1_000_000_000, 1),
        };
        let nanos = value.rem_euclid(per_second) as u32 * nanos_per_unit;
        Instant { seconds: value.div_euclid(per_second), nanos }
    }
}

const SECONDS_PER_DAY: i64 = 86_400;

/// Days since 1970 of a day of the Gregorian calendar, which must have that day.
#[inline]
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400) as u32;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + i64::from(day_of_era) - 719_468
}

/// Year, month and day of a day since 1970.
fn civil_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097) as u32;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (i64::from(year_of_era) + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days since 1970 of a date; `None` when the calendar does not have it.
#[inline]
fn checked_days(year: i64, month: u32, day: u32) -> Option<i64> {
    let known = (1..=12).contains(&month) && day >= 1 && (day <= 28 || day <= days_in_month(year, month));
    known.then(|| days_of(year, month, day))
}

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
fn usual<'t>(text: &'t [u8], separator: u8, last_date: &mut LastDate) -> Option<(Instant, &'t [u8])> {
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
fn unusual(text: &[u8], standard: TimestampStandard) -> Option<(Instant, &[u8])> {
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

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + at as u8 / 10, b'0' + at as u8 % 10];
        at += 1;
    }
    pairs
};

/// Appends a date.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_of(days);
    if (0..10_000).contains(&year) {
        let ([y1, y2], [y3, y4]) = (PAIRS[year as usize / 100], PAIRS[year as usize % 100]);
        let ([m1, m2], [d1, d2]) = (PAIRS[month as usize], PAIRS[day as usize]);
        out.extend_from_slice(&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]);
    } else {
        let sign = if year < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs()).as_bytes());
    }
}

/// Appends a time of day: a fraction only where there is one, and no longer than it has to be.
#[inline]
pub(crate) fn write_time(time: Instant, out: &mut Vec<u8>) {
    let seconds = time.seconds as u32 % 86_400;
    let ([h1, h2], [m1, m2]) = (PAIRS[seconds as usize / 3_600], PAIRS[seconds as usize / 60 % 60]);
    let [s1, s2] = PAIRS[seconds as usize % 60];
    out.extend_from_slice(&[h1, h2, b':', m1, m2, b':', s1, s2]);
    if time.nanos != 0 {
        let (millis, below) = (time.nanos / 1_000_000, time.nanos % 1_000_000);
        let [m2, m3] = PAIRS[millis as usize % 100];
        out.extend_from_slice(&[b'.', b'0' + (millis / 100) as u8, m2, m3]);
        if below != 0 {
            let [first, second, third] =
                [below / 10_000, below / 100 % 100, below % 100].map(|pair| PAIRS[pair as usize]);
            out.extend_from_slice(&[first, second, third].concat());
        }
        let zeros = out.iter().rev().take_while(|byte| **byte == b'0').count();
        out.truncate(out.len() - zeros);
    }
}

/// The date written last: times of a stream are mostly of one day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastDateText {
    days: i64,
    text: [u8; 10],
}

impl Default for LastDateText {
    fn default() -> Self {
        LastDateText { days: 0, text: *b"1970-01-01" }
    }
}

/// Appends a timestamp.
#[inline]
pub(crate) fn write_timestamp(
    instant: Instant,
    standard: TimestampStandard,
    zoned: bool,
    last_date: &mut LastDateText,
    out: &mut Vec<u8>,
) {
    let (days, seconds) =
        (instant.seconds.div_euclid(SECONDS_PER_DAY), instant.seconds.rem_euclid(SECONDS_PER_DAY));
    if days == last_date.days {
        out.extend_from_slice(&last_date.text);
    } else {
        let start = out.len();
        write_date(days, out);
        if let Ok(text) = out[start..].try_into() {
            *last_date = LastDateText { days, text };
        }
    }
    out.push(standard.separator());
    write_time(Instant { seconds, nanos: instant.nanos }, out);
    if zoned || standard == TimestampStandard::Iso8601WithOffset {
        out.push(b'Z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TimestampStandard::{Iso8601, Iso8601WithOffset, Sql};
    use proptest::prelude::*;

    fn parse_timestamp(text: &[u8], standard: TimestampStandard, zoned: bool) -> Option<Instant> {
        let (instant, rest) = timestamp_prefix(text, standard, zoned, &mut LastDate::default())?;
        rest.is_empty().then_some(instant)
    }

    proptest! {
        #[test]
        fn timestamps_come_back(seconds in -400_000_000_000i64..400_000_000_000, nanos in 0..1_000_000_000u32, cut in 0..10u32) {
            let instant = Instant { seconds, nanos: nanos / 10u32.pow(cut) * 10u32.pow(cut) };
            for standard in [Sql, Iso8601, Iso8601WithOffset] {
                for zoned in [false, true] {
                    let mut text = Vec::new();
                    write_timestamp(instant, standard, zoned, &mut LastDateText::default(), &mut text);
                    prop_assert_eq!(parse_timestamp(&text, standard, zoned), Some(instant), "{:?}", String::from_utf8(text));
                }
            }
        }

        #[test]
        fn the_quick_way_and_the_slow_way_agree(
            digits in proptest::collection::vec(0..10u8, 14), fraction in "(\\.[0-9]{0,11})?", flaw in 0..40usize, with in any::<u8>()
        ) {
            let mut text = b"0000-00-00 00:00:00".to_vec();
            let places = text.iter().enumerate().filter(|(_, byte)| **byte == b'0').map(|(at, _)| at).collect::<Vec<_>>();
            for (place, digit) in places.into_iter().zip(digits) {
                text[place] += digit;
            }
            text.extend(fraction.bytes());
            if let Some(byte) = text.get_mut(flaw) {
                *byte = with;
            }
            // Something behind it, so that there are enough bytes for the quick way.
            text.push(b'"');
            let mut last_date = LastDate::default();
            for _ in 0..2 {
                if let Some(found) = usual(&text, b' ', &mut last_date) {
                    prop_assert_eq!(unusual(&text, Sql), Some(found));
                }
            }
        }

        #[test]
        fn any_day_is_found_again(days in -1_000_000i64..4_000_000) {
            let (year, month, day) = civil_of(days);
            prop_assert_eq!(checked_days(year, month, day), Some(days));
        }
    }

    #[test]
    fn timestamps_are_taken_as_their_standard_says() {
        let known = |seconds, nanos| Some(Instant { seconds, nanos });
        for (text, standard, zoned, expected) in [
            ("1970-01-01 00:00:00", Sql, false, known(0, 0)),
            ("1970-01-01 00:00:00.5", Sql, false, known(0, 500_000_000)),
            ("1970-01-01 00:00:00.123456789", Sql, false, known(0, 123_456_789)),
            ("1970-01-01 00:00:00.1234567891", Sql, false, None),
            ("1970-01-01 00:00:00.", Sql, false, None),
            ("1970-01-01T00:00:00", Sql, false, None),
            ("1970-01-01 00:00", Sql, false, None),
            ("1970-01-01 00:00:00Z", Sql, false, None),
            ("1970-01-01 00:00:00Z", Sql, true, known(0, 0)),
            ("1970-01-01 00:00:00", Sql, true, None),
            ("1970-01-01T00:00:01", Iso8601, false, known(1, 0)),
            ("1970-01-01t00:01", Iso8601, false, known(60, 0)),
            ("1970-01-01T00:01Z", Iso8601, true, known(60, 0)),
            ("1970-01-01T00:00:01+01:00", Iso8601, true, None),
            ("1970-01-01T01:00:01+01:00", Iso8601WithOffset, true, known(1, 0)),
            ("1970-01-01T01:00:01.5-01:30", Iso8601WithOffset, false, known(9_001, 500_000_000)),
            ("1970-01-01T00:00:01Z", Iso8601WithOffset, false, known(1, 0)),
            ("1970-01-01T00:00:01", Iso8601WithOffset, false, None),
            ("2016-02-29 00:00:00", Sql, false, known(1_456_704_000, 0)),
            ("2015-02-29 00:00:00", Sql, false, None),
            ("2015-13-01 00:00:00", Sql, false, None),
            ("2015-01-00 00:00:00", Sql, false, None),
            ("2015-01-01 24:00:00", Sql, false, None),
            ("2015-01-01 00:60:00", Sql, false, None),
            ("+12015-01-01 00:00:00", Sql, false, known(316_989_590_400, 0)),
            ("12015-01-01 00:00:00", Sql, false, None),
            ("-0001-01-01 00:00:00", Sql, false, known(-62_198_755_200, 0)),
            ("", Sql, false, None),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes(), standard, zoned), expected, "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_taken_whole() {
        assert_eq!(parse_date(b"1970-01-02"), Some(1));
        assert_eq!(parse_date(b"1970-1-2"), None);
        assert_eq!(parse_loose_date(b"1970-1-2"), Some(1));
        assert_eq!(parse_loose_date(b"1970-1-2-3"), None);
        assert_eq!(parse_date(b"1970-01-02 "), None);
        let time = |seconds, nanos| Some(Instant { seconds, nanos });
        assert_eq!(parse_time(b"01:02:03.25", false), time(3_723, 250_000_000));
        assert_eq!(parse_time(b"01:02", false), None);
        assert_eq!(parse_time(b"01:02", true), time(3_720, 0));
        assert_eq!(parse_time(b"1:02:03", true), None);
    }

    #[test]
    fn a_timestamp_beyond_its_unit_is_refused() {
        let far = parse_timestamp(b"9999-12-31 00:00:00", Sql, false).unwrap();
        assert_eq!(far.in_unit(TimeUnit::Nanosecond), None);
        assert_eq!(far.in_unit(TimeUnit::Millisecond), Some(253_402_214_400_000));
        assert_eq!(Instant::of_unit(-1, TimeUnit::Millisecond), Instant { seconds: -1, nanos: 999_000_000 });
    }
}
