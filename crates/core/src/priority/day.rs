//! A day of the calendar: due dates and clocks count whole days, never hours or time zones.

use std::fmt;

/// Years that are read: four digits, and late enough that days can be taken off.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

/// A day of the Gregorian calendar, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day of a text that begins with one: `2026-11-22`, `2026-11-22T10:15:30Z` (of a time the day as written, whatever its offset).
    /// `None` where there is no such day.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (date, rest) = text.trim().split_at_checked(10)?;
        if !rest.is_empty() && !rest.starts_with(['T', 't', ' ']) {
            return None;
        }
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i32>().ok()).flatten();
        let mut parts = date.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if (year.len(), month.len(), day.len(), parts.next()) != (4, 2, 2, None) {
            return None;
        }
        Self::of(digits(year)?, digits(month)?, digits(day)?)
    }

    /// The day with this number in this month; `None` where there is none (30 February).
    #[must_use]
    pub fn of(year: i32, month: i32, day: i32) -> Option<Self> {
        let known = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        known.then(|| Self(days_since_1970(year, month, day)))
    }

    /// The day on which this moment falls in UTC, in nanoseconds since 1970.
    #[must_use]
    pub fn of_ns(time_ns: u64) -> Self {
        Self(i32::try_from(time_ns / 86_400_000_000_000).unwrap_or(i32::MAX))
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add(i32::try_from(days).unwrap_or(i32::MAX)))
    }

    /// Days from `earlier` to this one; negative where it is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// Day of the week: 0 is Monday.
    #[must_use]
    pub const fn weekday(self) -> i32 {
        self.0.saturating_add(3).rem_euclid(7)
    }

    /// Year, month and day.
    #[must_use]
    pub const fn parts(self) -> (i32, i32, i32) {
        // Days are counted from 1 March of year 0, so that the leap day is the last of its year; 146,097 days are 400 years.
        let days = self.0 as i64 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year + era * 400 + if month <= 2 { 1 } else { 0 };
        (year as i32, month as i32, day as i32)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

const fn days_of(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The inverse of [`Day::parts`]; for years of [`YEARS`] only, so nothing overflows.
const fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year % 400;
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_counted_and_written() {
        for (text, since_1970, weekday) in [
            ("1970-01-01", 0, 3),
            ("2000-02-29", 11_016, 1),
            ("2026-11-22", 20_779, 6),
            ("2024-08-01T15:32:06.669346Z", 19_936, 3),
            ("1969-12-31", -1, 2),
        ] {
            let day = Day::read(text).expect("a day");
            assert_eq!((day.0, day.weekday(), &*day.to_string()), (since_1970, weekday, &text[..10]), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-11-31",
            "2026-1-1",
            "22.11.2026",
            "2026-11-22x",
            "2026-11-2²",
            "+026-11-22",
            "1899-12-31",
        ] {
            assert_eq!(Day::read(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        let first = Day::of(1999, 12, 31).expect("a day");
        for days in 0..146_100 {
            let day = first.plus(days);
            let (year, month, of_month) = day.parts();
            assert_eq!(Day::of(year, month, of_month), Some(day));
            assert_eq!(i64::from(day.since(first)), i64::from(days));
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let last = Day::of_ns(u64::MAX).plus(u32::MAX);
        assert!(!last.to_string().is_empty() && last.since(Day(i32::MIN)) == i32::MAX && last.weekday() < 7);
    }
}
