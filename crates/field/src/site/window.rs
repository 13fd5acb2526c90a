//! Hours in which devices may be asked.

use std::fmt;
use std::time::Duration;

const DAY_MINUTES: i64 = 24 * 60;
/// Days of a week, from Monday.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// 1970-01-01 was a Thursday.
const EPOCH_WEEKDAY: i64 = 3;
/// No clock on earth is further from UTC (Kiribati).
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

/// Hours of certain days, at a fixed offset from UTC: daylight saving time is not followed, as plants write their shifts in standard time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// As the owner calls it.
    pub name: String,
    /// On which days it opens, from Monday.
    days: [bool; 7],
    /// Minutes of the day; where it ends before it begins, it ends on the next day, and where both are the same it lasts a day.
    from: i64,
    until: i64,
    offset: i64,
}

/// A window that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadWindow {
    /// What is wrong.
    pub text: String,
    /// What to write instead.
    pub why: &'static str,
}

impl fmt::Display for BadWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.text, self.why)
    }
}

impl std::error::Error for BadWindow {}

impl Window {
    /// A window of these days (`mon` to `sun`; all where there is none), from and until these times (`22:00`), at this offset from UTC (`+01:00`, `Z`).
    ///
    /// # Errors
    /// [`BadWindow`] names the text that is none.
    pub fn read(name: &str, days: &[String], from: &str, until: &str, offset: &str) -> Result<Self, BadWindow> {
        let bad = |text: &str, why| BadWindow { text: text.to_owned(), why };
        let mut open = [days.is_empty(); 7];
        for day in days {
            let at = DAYS.iter().position(|known| known.eq_ignore_ascii_case(day));
            let day = at.and_then(|at| open.get_mut(at)).ok_or_else(|| bad(day, "a day is one of mon, tue, wed, thu, fri, sat, sun"))?;
            *day = true;
        }
        let time = |text: &str| minutes(text).filter(|time| *time < DAY_MINUTES).ok_or_else(|| bad(text, "a time is written as 22:00"));
        let bad_offset = || bad(offset, "an offset from UTC is written as +01:00, -05:00 or Z");
        let (sign, behind) = match offset.split_at_checked(1) {
            Some(("Z", "")) => (0, Some(0)),
            Some(("+", rest)) => (1, minutes(rest)),
            Some(("-", rest)) => (-1, minutes(rest)),
            _ => return Err(bad_offset()),
        };
        let offset = behind.filter(|behind| *behind <= OFFSET_MINUTES_MAX).ok_or_else(bad_offset)? * sign;
        Ok(Self { name: name.to_owned(), days: open, from: time(from)?, until: time(until)?, offset })
    }

    /// True where it is open `now` (since 1970-01-01T00:00:00Z).
    #[must_use]
    pub fn is_open(&self, now: Duration) -> bool {
        let (day, minute) = self.local(now);
        let today = self.opens_on(day) && minute >= self.from && (minute < self.until || self.ends_tomorrow());
        let since_yesterday = self.ends_tomorrow() && self.opens_on(day - 1) && minute < self.until;
        today || since_yesterday
    }

    /// When it opens next after `now`; `None` where it never does.
    #[must_use]
    pub fn opens_after(&self, now: Duration) -> Option<Duration> {
        let (today, _) = self.local(now);
        let openings = (today..=today + 8).filter(|day| self.opens_on(*day)).map(|day| (day * DAY_MINUTES + self.from - self.offset) * 60);
        openings.filter_map(|seconds| u64::try_from(seconds).ok().map(Duration::from_secs)).find(|opens| *opens > now)
    }

    /// Days since 1970 and minutes of the day, on the window's clock.
    fn local(&self, now: Duration) -> (i64, i64) {
        let minutes = i64::try_from(now.as_secs() / 60).unwrap_or(i64::MAX).saturating_add(self.offset);
        (minutes.div_euclid(DAY_MINUTES), minutes.rem_euclid(DAY_MINUTES))
    }

    fn opens_on(&self, day: i64) -> bool {
        let weekday = usize::try_from(day.saturating_add(EPOCH_WEEKDAY).rem_euclid(7)).unwrap_or(0);
        self.days.get(weekday).copied().unwrap_or(false)
    }

    const fn ends_tomorrow(&self) -> bool {
        self.until <= self.from
    }
}

/// `22:00` as minutes.
fn minutes(text: &str) -> Option<i64> {
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i64>().ok()).flatten();
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
    Some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn seconds(text: &str) -> Duration {
        humantime::parse_rfc3339(text).expect("a time").duration_since(SystemTime::UNIX_EPOCH).expect("after 1970")
    }

    fn window(days: &str, from: &str, until: &str, offset: &str) -> Result<Window, BadWindow> {
        let days: Vec<String> = days.split_whitespace().map(str::to_owned).collect();
        Window::read("w", &days, from, until, offset)
    }

    #[test]
    fn a_window_opens_on_its_days_and_closes_on_time() {
        // 2026-11-21 is a Saturday.
        let check = |(days, from, until, offset): (&str, &str, &str, &str), now: &str, open: bool, next: &str| {
            let window = window(days, from, until, offset).expect("a window");
            assert_eq!(window.is_open(seconds(now)), open, "{days} {from}-{until}{offset} at {now}");
            assert_eq!(window.opens_after(seconds(now)), Some(seconds(next)), "{days} {from}-{until}{offset} after {now}");
        };
        let saturday = ("sat", "08:00", "10:00", "Z");
        check(saturday, "2026-11-21T07:59:59Z", false, "2026-11-21T08:00:00Z");
        check(saturday, "2026-11-21T08:00:00Z", true, "2026-11-28T08:00:00Z");
        check(saturday, "2026-11-21T09:59:59Z", true, "2026-11-28T08:00:00Z");
        check(saturday, "2026-11-21T10:00:00Z", false, "2026-11-28T08:00:00Z");
        check(saturday, "2026-11-22T08:30:00Z", false, "2026-11-28T08:00:00Z");
        let weekend_nights = ("sat Sun", "22:00", "05:00", "+01:00");
        check(weekend_nights, "2026-11-21T21:00:00Z", true, "2026-11-22T21:00:00Z");
        check(weekend_nights, "2026-11-22T03:59:59Z", true, "2026-11-22T21:00:00Z");
        check(weekend_nights, "2026-11-22T04:00:00Z", false, "2026-11-22T21:00:00Z");
        check(weekend_nights, "2026-11-23T03:59:59Z", true, "2026-11-28T21:00:00Z");
        check(weekend_nights, "2026-11-20T22:00:00Z", false, "2026-11-21T21:00:00Z");
        let west = ("mon", "00:00", "00:00", "-05:00");
        check(west, "2026-11-23T04:59:59Z", false, "2026-11-23T05:00:00Z");
        check(west, "2026-11-24T04:59:59Z", true, "2026-11-30T05:00:00Z");
        check(west, "2026-11-24T05:00:00Z", false, "2026-11-30T05:00:00Z");
    }

    #[test]
    fn a_bad_window_names_its_text() {
        let check = |days: &str, from: &str, until: &str, offset: &str, text: &str| {
            assert_eq!(window(days, from, until, offset).map_err(|bad| bad.text), Err(text.to_owned()), "{days} {from} {until} {offset}");
        };
        check("mon caturday", "08:00", "10:00", "Z", "caturday");
        check("", "8:00", "10:00", "Z", "8:00");
        check("", "08:00", "24:00", "Z", "24:00");
        check("", "08:60", "10:00", "Z", "08:60");
        check("", "+8:00", "10:00", "Z", "+8:00");
        check("", "08:00", "10:00", "CET", "CET");
        check("", "08:00", "10:00", "+15:00", "+15:00");
        check("", "08:00", "10:00", "", "");
    }
}
