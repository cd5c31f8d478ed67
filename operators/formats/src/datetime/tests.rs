//! Texts and what they are, and everything written read again.

use super::calendar::{checked_days, civil_of};
use super::read::{unusual, usual};
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
