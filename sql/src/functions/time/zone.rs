//! Time zones: what a clock on the wall says at a moment, and the other way round.

use super::Moment;
use chrono::{FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Zone {
    /// One of the time zone database.
    Named(Tz),
    /// So many seconds ahead of UTC at all times.
    Ahead(i32),
}

/// The zone whose clocks show UTC.
pub(crate) const UTC: Zone = Zone::Ahead(0);

impl Zone {
    /// The zone of a name: one of the time zone database, `UTC`, `GMT+08:00`, `+02:00`.
    pub(crate) fn named(name: &str) -> Option<Zone> {
        if matches!(name, "UTC" | "GMT" | "Z" | "UT") {
            return Some(UTC);
        }
        let offset = ["UTC", "GMT", "UT", ""].iter().find_map(|prefix| offset(name.strip_prefix(prefix)?));
        offset.map(Zone::Ahead).or_else(|| name.parse().ok().map(Zone::Named))
    }

    /// What clocks show at a moment. Zones of the database are not asked for years that nobody has rules for.
    pub(crate) fn local(self, moment: Moment) -> Moment {
        let ahead = match self {
            Zone::Ahead(seconds) => i64::from(seconds),
            Zone::Named(zone) => match naive(moment) {
                Some(utc) => i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
                None => 0,
            },
        };
        Moment { seconds: moment.seconds.saturating_add(ahead), nanos: moment.nanos }
    }

    /// The moment at which clocks show this: the first one where there are two, and where clocks skip it as long behind
    /// the last moment before the gap.
    pub(crate) fn moment(self, local: Moment) -> Moment {
        self.moment_of(local, false)
    }

    /// The same, but of two moments the second: when clocks are back at standard time, as `java.util.Calendar` has it.
    pub(crate) fn last_moment(self, local: Moment) -> Moment {
        self.moment_of(local, true)
    }

    fn moment_of(self, local: Moment, last: bool) -> Moment {
        let back = |ahead: i64| Moment { seconds: local.seconds.saturating_sub(ahead), nanos: local.nanos };
        let zone = match self {
            Zone::Ahead(seconds) => return back(i64::from(seconds)),
            Zone::Named(zone) => zone,
        };
        let Some(time) = naive(local) else { return local };
        let ahead = |offset: FixedOffset| i64::from(offset.local_minus_utc());
        match zone.offset_from_local_datetime(&time) {
            MappedLocalTime::Single(offset) => back(ahead(offset.fix())),
            MappedLocalTime::Ambiguous(_, second) if last => back(ahead(second.fix())),
            MappedLocalTime::Ambiguous(first, _) => back(ahead(first.fix())),
            MappedLocalTime::None => {
                let before = back(i64::from(12 * 3600));
                let before = naive(before).map(|utc| zone.offset_from_utc_datetime(&utc).fix());
                back(before.map_or(0, ahead))
            }
        }
    }
}

/// `+02:00`, `-8`, `+0530`.
fn offset(text: &str) -> Option<i32> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = &text[1..];
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let number = |text: &str, most: i32| {
        let legal = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| legal && *number <= most)
    };
    Some(sign * (number(hours, 18)? * 3600 + number(minutes, 59)? * 60))
}

fn naive(moment: Moment) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp(moment.seconds, 0).map(|time| time.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment { seconds, nanos: 0 }
    }

    #[test]
    fn a_time_that_clocks_skip_is_behind_the_gap_and_one_they_show_twice_is_the_first() {
        let zone = Zone::named("America/New_York").unwrap();
        // 2024-03-10 02:30 is skipped: 03:30 EDT. 2024-11-03 01:30 is shown twice: EDT is first.
        assert_eq!(zone.moment(at(1_710_037_800)), at(1_710_055_800));
        assert_eq!(zone.moment(at(1_730_597_400)), at(1_730_611_800));
        assert_eq!(zone.local(at(1_730_611_800)), at(1_730_597_400));
    }

    #[test]
    fn names_of_zones() {
        assert_eq!(Zone::named("GMT+08:00"), Some(Zone::Ahead(8 * 3600)));
        assert_eq!(Zone::named("-0330"), Some(Zone::Ahead(-(3 * 3600 + 30 * 60))));
        assert_eq!(Zone::named("UTC"), Some(UTC));
        assert_eq!(Zone::named("Asia/Tokyo"), Some(Zone::Named(Tz::Asia__Tokyo)));
        for wrong in ["", "+", "+99:00", "Mars", "GMT+é"] {
            assert_eq!(Zone::named(wrong), None, "{wrong}");
        }
    }
}
