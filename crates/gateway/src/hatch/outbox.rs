//! What the field side has to tell and nobody has kept yet.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::REPORT_BYTES_MAX;

/// Bytes of reports that wait for the desk: a site of 2,000 devices says about 4 MiB on its first day.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Numbered lines that wait until they are said to be kept. A desk that comes back is told again what it has not kept.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    last: u64,
    /// Up to here the desk that is there now has been told.
    told: u64,
    /// And these profiles.
    profiles: HashSet<Arc<str>>,
    given_up: u64,
}

/// A report that waits.
#[derive(Debug)]
struct Waiting {
    number: u64,
    /// In as much memory as it has bytes: that is what is counted.
    line: Box<str>,
    /// The profile that it rests on, by its SHA-256.
    profile: Option<Arc<str>>,
}

/// What the desk is to be told next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The text of this profile: a report rests on it.
    Profile(Arc<str>),
    /// A report, with its line end.
    Line(String),
}

impl Outbox {
    /// Puts the next report in, with the profile that it rests on; `line` makes it of its number. One for which there is no room is counted, not kept: what came first is what a plant was.
    pub fn put(&mut self, profile: Option<&str>, line: impl FnOnce(u64) -> String) {
        self.last = self.last.saturating_add(1);
        let line = line(self.last);
        // A line that the desk would cut would be told again for ever.
        if line.len() >= REPORT_BYTES_MAX || self.bytes.saturating_add(line.len()) > WAITING_BYTES_MAX {
            self.given_up = self.given_up.saturating_add(1);
            return;
        }
        self.bytes = self.bytes.saturating_add(line.len());
        // There are some dozen profiles, each in one place.
        let profile = profile.map(|sha256| self.profiles.get(sha256).cloned().unwrap_or_else(|| sha256.into()));
        self.waiting.push_back(Waiting { number: self.last, line: line.into_boxed_str(), profile });
    }

    /// A desk is there that has been told nothing.
    pub fn begin_again(&mut self) {
        self.told = 0;
        self.profiles.clear();
    }

    /// What the desk was not told, in order; a profile before the first report that rests on it.
    pub fn next_told(&mut self) -> Option<Next> {
        let at = self.waiting.partition_point(|waiting| waiting.number <= self.told);
        let Waiting { number, line, profile } = self.waiting.get(at)?;
        if let Some(profile) = profile.as_ref().filter(|profile| !self.profiles.contains(*profile)) {
            let profile = Arc::clone(profile);
            self.profiles.insert(Arc::clone(&profile));
            return Some(Next::Profile(profile));
        }
        self.told = *number;
        Some(Next::Line(line.to_string()))
    }

    /// The desk has all up to this one.
    pub fn kept(&mut self, number: u64) {
        // Only what it was told: a number out of thin air lets nothing go.
        while let Some(Waiting { number: first, line, .. }) = self.waiting.front()
            && *first <= number.min(self.told)
        {
            self.bytes = self.bytes.saturating_sub(line.len());
            self.waiting.pop_front();
        }
    }

    /// Reports for which there was no room.
    pub const fn given_up(&self) -> u64 {
        self.given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: u64) -> Outbox {
        let mut outbox = Outbox::default();
        (0..count).for_each(|_| outbox.put(None, |number| number.to_string()));
        outbox
    }

    fn told(outbox: &mut Outbox) -> Vec<String> {
        let said = |next| match next {
            Next::Line(line) => line,
            Next::Profile(profile) => format!("profile {profile}"),
        };
        std::iter::from_fn(|| outbox.next_told().map(said)).collect()
    }

    #[test]
    fn each_desk_is_told_a_profile_once_before_what_rests_on_it() {
        let mut outbox = Outbox::default();
        for profile in [None, Some("p"), Some("q"), Some("p")] {
            outbox.put(profile, |number| number.to_string());
        }
        assert_eq!(told(&mut outbox), ["1", "profile p", "2", "profile q", "3", "4"]);
        outbox.put(Some("q"), |number| number.to_string());
        assert_eq!(told(&mut outbox), ["5"]);
        outbox.kept(2);
        outbox.begin_again();
        assert_eq!(told(&mut outbox), ["profile q", "3", "profile p", "4", "5"]);
    }

    #[test]
    fn what_was_not_kept_is_told_again() {
        let mut outbox = of(4);
        assert_eq!(told(&mut outbox), ["1", "2", "3", "4"]);
        outbox.kept(2);
        outbox.begin_again();
        assert_eq!(told(&mut outbox), ["3", "4"]);
        outbox.put(None, |number| number.to_string());
        assert_eq!(told(&mut outbox), ["5"]);
        outbox.kept(5);
        outbox.begin_again();
        assert_eq!((told(&mut outbox), outbox.bytes), (Vec::new(), 0));
    }

    #[test]
    fn what_was_not_told_cannot_be_kept() {
        let mut outbox = of(3);
        outbox.next_told();
        outbox.kept(u64::MAX);
        outbox.begin_again();
        assert_eq!(told(&mut outbox), ["2", "3"]);
    }

    #[test]
    fn an_outbox_that_is_full_counts_what_it_gives_up() {
        let mut outbox = Outbox::default();
        let lines = WAITING_BYTES_MAX / (REPORT_BYTES_MAX / 2);
        for _ in 0..=lines {
            outbox.put(None, |_| "x".repeat(REPORT_BYTES_MAX / 2));
        }
        assert_eq!((outbox.given_up(), told(&mut outbox).len()), (1, lines));
    }

    #[test]
    fn what_the_desk_would_cut_does_not_block_what_comes_behind() {
        let mut outbox = Outbox::default();
        outbox.put(None, |_| "x".repeat(REPORT_BYTES_MAX));
        outbox.put(None, |number| number.to_string());
        assert_eq!((outbox.given_up(), told(&mut outbox)), (1, vec!["2".to_owned()]));
    }
}
