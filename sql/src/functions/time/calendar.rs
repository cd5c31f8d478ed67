//! The Gregorian calendar, at all times.

/// A day of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    /// The year; 0 is the one before 1.
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    /// From 1.
    pub(crate) day: i64,
}

impl Date {
    /// The day, this many days behind 1970-01-01.
    pub(crate) fn of_days(days: i64) -> Date {
        // Eras of 400 years that begin in March, so that a leap day is the last one of its year.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Date { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    /// Days behind 1970-01-01. Days past the end of the month count on.
    pub(crate) fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * march + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day as many months later; the last one of the month, where the month has no such day.
    pub(crate) fn plus_months(self, months: i64) -> Option<Date> {
        let all = self.year.checked_mul(12)?.checked_add(self.month - 1)?.checked_add(months)?;
        let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
        Some(Date { year, month, day: self.day.min(month_days(year, month)) })
    }

    /// Days of the year, from 1.
    pub(crate) fn of_year(self) -> i64 {
        self.days() - Date { year: self.year, month: 1, day: 1 }.days() + 1
    }

    /// The quarter, from 1.
    pub(crate) fn quarter(self) -> i64 {
        (self.month - 1) / 3 + 1
    }
}

/// The year has a leap day.
pub(crate) fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

/// The last day of a month.
pub(crate) fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Monday is 1, Sunday 7.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The year and the week of it, by ISO 8601: week 1 is the one with the year's first Thursday.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - weekday(days) + 4;
    let date = Date::of_days(thursday);
    (date.year, (date.of_year() - 1) / 7 + 1)
}

/// The year and the week of it, where weeks begin on Sunday and week 1 is the one with January 1: as in the United States.
pub(crate) fn us_week(days: i64) -> (i64, i64) {
    let sunday = days - weekday(days) % 7;
    let saturday = Date::of_days(sunday + 6);
    let first = Date { year: saturday.year, month: 1, day: 1 }.days();
    let first_sunday = first - weekday(first) % 7;
    (saturday.year, (sunday - first_sunday) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn days_are_those_of_the_gregorian_calendar() {
        let mut days = -800_000;
        while days < 3_000_000 {
            let date = Date::of_days(days);
            let expected = NaiveDate::from_num_days_from_ce_opt(days as i32 + 719_163).unwrap();
            let found = (date.year as i32, date.month as u32, date.day as u32);
            assert_eq!(found, (expected.year(), expected.month(), expected.day()));
            assert_eq!(date.days(), days);
            assert_eq!(weekday(days), i64::from(expected.weekday().number_from_monday()));
            let week = expected.iso_week();
            assert_eq!(iso_week(days), (i64::from(week.year()), i64::from(week.week())));
            assert_eq!(date.of_year(), i64::from(expected.ordinal()));
            days += 173;
        }
    }

    #[test]
    fn a_month_later_is_at_most_its_last_day() {
        let date = |year, month, day| Date { year, month, day };
        assert_eq!(date(2024, 1, 31).plus_months(1), Some(date(2024, 2, 29)));
        assert_eq!(date(2024, 2, 29).plus_months(-12), Some(date(2023, 2, 28)));
        assert_eq!(date(2024, 2, 29).plus_months(i64::MAX), None);
    }
}
