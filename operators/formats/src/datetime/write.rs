//! Dates and times written as text.

use super::calendar::{SECONDS_PER_DAY, civil_of};
use super::{Instant, TimestampStandard};

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
