//! Days, times of day and moments.

/// Days and microseconds from 1970, where Flink counts from, to 2000, where PostgreSQL does.
pub(super) const DAYS_TO_2000: i64 = 10_957;
pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// `-2024-02-29`: days since 1970.
pub(super) fn days(text: &str) -> Option<i64> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()?? * sign, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) || year.abs() > 300_000 {
        return None;
    }
    // Howard Hinnant's days_from_civil: years begin in March, so that the day of a leap year is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// How many days a month has.
fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `12:30:00.5`: microseconds since midnight.
pub(super) fn micros_of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    if !(0..=24).contains(&hours) || !(0..60).contains(&minutes) || !(0..=60).contains(&seconds) {
        return None;
    }
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros.parse::<i64>().ok()?)
}

/// `2024-02-29 12:30:00.5Z`: microseconds since 2000.
pub(super) fn micros(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once([' ', 'T'])?;
    (days(date)? - DAYS_TO_2000).checked_mul(DAY_MICROS)?.checked_add(micros_of_day(clock)?)
}

/// The date of a number of days since 1970.
pub(super) fn date(days: i64) -> String {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(super) fn clock(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60, micros % 1_000_000)
}

/// A moment with an offset where it may have one, in microseconds since 2000.
pub(super) fn moment(text: &str, zoned: bool) -> Option<i64> {
    let (text, offset) = match text.rfind(['+', '-', 'Z']) {
        Some(at) if zoned && at > 10 => {
            let (text, offset) = text.split_at(at);
            let minutes = |clock: &str| -> Option<i64> {
                let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
                let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
                ((0..=18).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
            };
            let offset = match offset.split_at(1) {
                ("+", clock) => minutes(clock)?,
                ("-", clock) => -minutes(clock)?,
                _ => 0,
            };
            (text.trim_end(), offset)
        }
        _ => (text, 0),
    };
    // A date is its first moment.
    let at = if text.len() <= 10 { micros(&format!("{text} 00:00:00"))? } else { micros(text)? };
    at.checked_sub(offset.checked_mul(60_000_000)?)
}
