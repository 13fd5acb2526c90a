//! When vendors publish: schedules as data, and the days on which they fall.

use serde::Deserialize;
use toml::Spanned;

use super::Day;
use super::policy::{Invalid, Source};

/// The built-in calendar as text.
pub const BUILT_IN: &str = include_str!("calendar.toml");

/// A calendar is written by a person; the built-in one has 2 KiB.
const CALENDAR_BYTES_MAX: usize = 256 * 1024;
/// Five years: nobody plans further by the month.
pub const SPAN_DAYS_MAX: u32 = 1_827;

/// Ordinals of a weekday in its month; the last of five may be its fourth.
const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "last"];
/// Monday is 0, as [`Day::weekday`] has it.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// When one vendor publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Who.
    pub vendor: String,
    /// Of what; `None`: of all.
    pub products: Option<String>,
    /// Where this is known from.
    pub source: String,
    /// Places in [`ORDINALS`] and [`WEEKDAYS`].
    every: Vec<(usize, i32)>,
    months: Vec<i32>,
    on: Vec<Day>,
    since: Option<Day>,
    until: Option<Day>,
}

/// A day on which a vendor publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release<'s> {
    /// The day.
    pub day: Day,
    /// By which schedule.
    pub schedule: &'s Schedule,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    release: Vec<Spanned<ReleaseText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseText {
    vendor: String,
    products: Option<String>,
    #[serde(default)]
    every: Vec<Spanned<String>>,
    #[serde(default)]
    months: Vec<Spanned<i32>>,
    #[serde(default)]
    on: Vec<Spanned<String>>,
    since: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    source: String,
}

/// Reads a calendar.
///
/// # Errors
/// [`Invalid`] with the line: not TOML, or a word that is no day.
pub fn read(text: &str) -> Result<Vec<Schedule>, Invalid> {
    if text.len() > CALENDAR_BYTES_MAX {
        return Err(Invalid { line: None, why: format!("{} bytes; a calendar has at most {CALENDAR_BYTES_MAX}", text.len()) });
    }
    let source = Source(text);
    let read: Text = source.toml()?;
    read.release.iter().map(|release| schedule(&source, release)).collect()
}

fn schedule(source: &Source<'_>, release: &Spanned<ReleaseText>) -> Result<Schedule, Invalid> {
    let text = release.as_ref();
    let day = |text: &Spanned<String>| {
        Day::read(text.as_ref()).ok_or_else(|| source.bad(&text.span(), format!("{:?} is no day such as 2027-03-01", text.as_ref())))
    };
    let every = |text: &Spanned<String>| {
        let found = text.as_ref().split_once(' ').and_then(|(ordinal, weekday)| {
            let at = |words: &[&str], word: &str| words.iter().position(|known| word.trim().eq_ignore_ascii_case(known));
            Some((at(&ORDINALS, ordinal)?, i32::try_from(at(&WEEKDAYS, weekday)?).ok()?))
        });
        found.ok_or_else(|| source.bad(&text.span(), format!("{:?} is no day of a month such as \"second tuesday\"", text.as_ref())))
    };
    if let Some(month) = text.months.iter().find(|month| !(1..=12).contains(month.as_ref())) {
        return Err(source.bad(&month.span(), format!("{} is no month", month.as_ref())));
    }
    if text.every.is_empty() && text.on.is_empty() {
        return Err(source.bad(&release.span(), "neither every nor on says when".into()));
    }
    Ok(Schedule {
        vendor: text.vendor.clone(),
        products: text.products.clone(),
        source: text.source.clone(),
        every: text.every.iter().map(every).collect::<Result<_, _>>()?,
        months: text.months.iter().map(|month| *month.as_ref()).collect(),
        on: text.on.iter().map(day).collect::<Result<_, _>>()?,
        since: text.since.as_ref().map(day).transpose()?,
        until: text.until.as_ref().map(day).transpose()?,
    })
}

impl Schedule {
    /// Whether it publishes on this day.
    #[must_use]
    pub fn falls_on(&self, day: Day) -> bool {
        let (_, month, of_month) = day.parts();
        let inside = self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day <= until);
        let in_month = self.months.is_empty() || self.months.contains(&month);
        let is_last = day.plus(7).parts().1 != month;
        let nth = usize::try_from(of_month.saturating_sub(1) / 7).unwrap_or_default();
        let is = |(ordinal, weekday): &(usize, i32)| *weekday == day.weekday() && (*ordinal == nth || (*ordinal == 5 && is_last));
        inside && (self.on.contains(&day) || (in_month && self.every.iter().any(is)))
    }
}

/// The days from `from` on, so many of them (at most [`SPAN_DAYS_MAX`]), on which one of the schedules publishes, in their order.
#[must_use]
pub fn releases(schedules: &[Schedule], from: Day, days: u32) -> Vec<Release<'_>> {
    let days = (0..days.min(SPAN_DAYS_MAX)).map(|after| from.plus(after));
    days.flat_map(|day| schedules.iter().filter(move |schedule| schedule.falls_on(day)).map(move |schedule| Release { day, schedule }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, from: &str, days: u32, expected: &[&str]) {
        let text = format!("[[release]]\nvendor = \"x\"\nsource = \"x\"\n{rules}");
        let schedules = read(&text).unwrap_or_else(|invalid| panic!("{invalid}"));
        let said = releases(&schedules, Day::read(from).expect("a day"), days);
        let said: Vec<String> = said.iter().map(|release| release.day.to_string()).collect();
        assert_eq!(said, expected, "{rules}");
    }

    #[test]
    fn a_schedule_falls_on_the_days_that_it_names() {
        for (rules, from, days, expected) in [
            ("every = [\"second tuesday\"]", "2026-11-01", 61, &["2026-11-10", "2026-12-08"][..]),
            ("every = [\"second tuesday\"]\nsince = \"2026-11-11\"\nuntil = \"2026-12-31\"", "2026-11-01", 90, &["2026-12-08"]),
            ("every = [\"First Wednesday\", \"third wednesday\"]", "2026-12-01", 31, &["2026-12-02", "2026-12-16"]),
            ("every = [\"last friday\"]", "2027-01-01", 59, &["2027-01-29", "2027-02-26"]),
            ("every = [\"fifth friday\"]", "2027-01-01", 59, &["2027-01-29"]),
            ("every = [\"fourth wednesday\"]\nmonths = [3, 9]", "2026-01-01", 365, &["2026-03-25", "2026-09-23"]),
            ("on = [\"2027-03-01\", \"2026-12-24\"]", "2026-11-22", 100, &["2026-12-24", "2027-03-01"]),
            ("on = [\"2027-03-01\"]\nmonths = [1]", "2027-03-01", 1, &["2027-03-01"]),
            ("every = [\"second tuesday\"]", "2026-11-10", 1, &["2026-11-10"]),
            ("every = [\"second tuesday\"]", "2026-11-10", 0, &[]),
        ] {
            check(rules, from, days, expected);
        }
    }

    #[test]
    fn the_built_in_calendar_is_read() {
        let schedules = read(BUILT_IN).unwrap_or_else(|invalid| panic!("{invalid}"));
        let from = Day::read("2026-12-01").expect("a day");
        let said: Vec<_> =
            releases(&schedules, from, 31).iter().map(|release| (release.day.to_string(), &*release.schedule.vendor)).collect();
        let expected = [("02", "Cisco"), ("08", "Siemens"), ("08", "Schneider Electric"), ("08", "Microsoft"), ("16", "Cisco")];
        assert_eq!(said, expected.map(|(day, vendor)| (format!("2026-12-{day}"), vendor)));
    }

    #[test]
    fn what_is_no_schedule_is_said_with_its_line() {
        for (rules, line, why) in [
            ("every = [\"tuesday\"]", 4, "is no day of a month"),
            ("every = [\"sixth tuesday\"]", 4, "is no day of a month"),
            ("on = [\"1 March\"]", 4, "is no day such as"),
            ("every = [\"last monday\"]\nmonths = [0]", 5, "0 is no month"),
            ("", 1, "neither every nor on"),
            ("evry = []", 4, "unknown field"),
        ] {
            let invalid = read(&format!("[[release]]\nvendor = \"x\"\nsource = \"x\"\n{rules}")).expect_err(rules);
            assert!(invalid.line == Some(line) && invalid.why.contains(why), "{rules}: {invalid:?}");
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let schedules = read(BUILT_IN).expect("a calendar");
        let last = Day::of(9_999, 12, 31).expect("a day");
        assert!(releases(&schedules, last.plus(u32::MAX), u32::MAX).len() <= SPAN_DAYS_MAX as usize * schedules.len());
    }
}
