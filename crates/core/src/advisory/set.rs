//! Documents by publisher, id and content. Of each the newest revision counts; what it replaces is kept. In which order they came makes no
//! difference.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Advisory;

/// Documents that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisories {
    /// By publisher and id; of each the revisions, oldest first, no two with the same bytes.
    documents: BTreeMap<(String, String), Vec<Advisory>>,
}

/// What a document was to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// Nothing of that publisher had this id.
    New,
    /// A newer revision than those before.
    Newer,
    /// An older revision than one that is there; it is kept and does not count.
    Older,
    /// These bytes were there.
    Unchanged,
    /// Other bytes under a revision that is there: its publisher changed it without saying so.
    ChangedWithoutRevision,
}

impl Taken {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Newer => "newer",
            Self::Older => "older",
            Self::Unchanged => "unchanged",
            Self::ChangedWithoutRevision => "changed_without_revision",
        }
    }
}

impl Advisories {
    /// Takes a document in.
    pub fn take(&mut self, advisory: Advisory) -> Taken {
        let revisions = self.documents.entry((advisory.publisher.clone(), advisory.id.clone())).or_default();
        if revisions.iter().any(|before| before.sha256 == advisory.sha256) {
            return Taken::Unchanged;
        }
        let same = revisions.iter().any(|before| revision_order(&before.revision, &advisory.revision) == Ordering::Equal);
        let at = revisions.partition_point(|before| order(before, &advisory) == Ordering::Less);
        let taken = match (same, revisions.len()) {
            (true, _) => Taken::ChangedWithoutRevision,
            (false, 0) => Taken::New,
            (false, length) if at == length => Taken::Newer,
            (false, _) => Taken::Older,
        };
        revisions.insert(at, advisory);
        taken
    }

    /// What counts: of each document the newest revision, by publisher and id.
    pub fn current(&self) -> impl Iterator<Item = &Advisory> {
        self.documents.values().filter_map(|revisions| revisions.last())
    }

    /// As [`Advisories::current`], given away.
    #[must_use]
    pub fn into_current(self) -> Vec<Advisory> {
        self.documents.into_values().filter_map(|mut revisions| revisions.pop()).collect()
    }

    /// All revisions of a document, oldest first; the last counts.
    #[must_use]
    pub fn revisions(&self, publisher: &str, id: &str) -> &[Advisory] {
        self.documents.get(&(publisher.to_owned(), id.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    /// Documents whose content changed without a revision, oldest first: those of one publisher, id and revision with different bytes.
    #[must_use]
    pub fn changed_without_revision(&self) -> Vec<&[Advisory]> {
        let same = |a: &Advisory, b: &Advisory| revision_order(&a.revision, &b.revision) == Ordering::Equal;
        self.documents.values().flat_map(|revisions| revisions.chunk_by(same)).filter(|group| group.len() > 1).collect()
    }

    /// How many documents count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

impl FromIterator<Advisory> for Advisories {
    fn from_iter<I: IntoIterator<Item = Advisory>>(documents: I) -> Self {
        let mut set = Self::default();
        for advisory in documents {
            set.take(advisory);
        }
        set
    }
}

/// By revision, then the date of this revision; what is left makes no more than a fixed order.
fn order(a: &Advisory, b: &Advisory) -> Ordering {
    let dated = |advisory: &Advisory| instant_ns(&advisory.current_release);
    revision_order(&a.revision, &b.revision).then_with(|| dated(a).cmp(&dated(b))).then_with(|| a.sha256.cmp(&b.sha256))
}

/// Revisions are whole numbers or semantic versions (CSAF 2.0, 3.1.11): number by number, and a pre-release before its release. A text that
/// is neither stands before all that are.
#[must_use]
pub fn revision_order(a: &str, b: &str) -> Ordering {
    numbers(a).cmp(&numbers(b))
}

/// The numbers of a revision, whether it is a release, and what is behind them; of what is no revision the text.
fn numbers(revision: &str) -> (Vec<u64>, bool, String) {
    let text = revision.trim();
    let text = text.split('+').next().unwrap_or(text);
    let (front, pre) = text.split_once('-').map_or((text, ""), |(front, pre)| (front, pre));
    let numbers: Option<Vec<u64>> = front.split('.').map(|number| number.parse().ok()).collect();
    numbers.map_or_else(
        || (Vec::new(), false, text.to_owned()),
        |mut numbers| {
            // `2` and `2.0.0` are one revision.
            while numbers.len() > 1 && numbers.last() == Some(&0) {
                numbers.pop();
            }
            (numbers, pre.is_empty(), pre.to_owned())
        },
    )
}

/// Nanoseconds since 1970 of `2024-10-24T06:00:00.5Z` or `...+02:00`; `None` for what is no date.
#[must_use]
pub fn instant_ns(date: &str) -> Option<i128> {
    let date = date.trim();
    let (front, offset_minutes) = match date.get(date.len().checked_sub(6)?..) {
        Some(zone) if zone.starts_with(['+', '-']) && zone.as_bytes().get(3) == Some(&b':') => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = hours.parse::<i128>().ok()? * 60 + minutes.parse::<i128>().ok()?;
            (date.get(..date.len().checked_sub(6)?)?, if zone.starts_with('-') { -minutes } else { minutes })
        }
        _ => (date.strip_suffix(['Z', 'z']).unwrap_or(date), 0),
    };
    let front = if front.contains(['T', 't', ' ']) { front.replacen(['t', ' '], "T", 1) } else { format!("{front}T00:00:00") };
    let since = humantime::parse_rfc3339(&format!("{front}Z")).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(i128::try_from(since.as_nanos()).ok()? - offset_minutes * 60_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, revision: &str, date: &str, content: &str) -> Advisory {
        let text = str::to_owned;
        Advisory {
            publisher: "P".into(),
            id: text(id),
            revision: text(revision),
            current_release: text(date),
            sha256: text(content),
            ..Advisory::default()
        }
    }

    #[test]
    fn the_newest_revision_counts_and_the_others_are_kept() {
        let mut set = Advisories::default();
        for (revision, date, content, expected) in [
            ("2", "2024-02-01T00:00:00Z", "b", Taken::New),
            ("2", "2024-02-01T00:00:00Z", "b", Taken::Unchanged),
            ("10", "2024-03-01T00:00:00Z", "c", Taken::Newer),
            ("1", "2024-01-01T00:00:00Z", "a", Taken::Older),
            ("10", "2024-03-02T00:00:00Z", "d", Taken::ChangedWithoutRevision),
        ] {
            assert_eq!(set.take(document("X", revision, date, content)), expected, "{revision} {content}");
        }
        assert_eq!(set.current().map(|advisory| &*advisory.sha256).collect::<Vec<_>>(), ["d"]);
        assert_eq!(set.revisions("P", "X").len(), 4);
        let changed: Vec<Vec<&str>> =
            set.changed_without_revision().iter().map(|group| group.iter().map(|advisory| &*advisory.sha256).collect()).collect();
        assert_eq!(changed, [["c", "d"]]);
        assert_eq!(set.take(Advisory { publisher: "Q".into(), ..document("X", "1", "", "q") }), Taken::New, "another publisher's id");
    }

    #[test]
    fn the_order_in_which_documents_come_makes_no_difference() {
        let revisions = ["1", "1.0.0", "2", "10", "2.0.0-rc.1", "unknown", ""];
        let dates = ["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+02:00", "", "2024"];
        let mut documents = Vec::new();
        for (at, revision) in revisions.iter().enumerate() {
            for (nth, date) in dates.iter().enumerate() {
                documents.push(document(["X", "Y"][nth % 2], revision, date, &format!("{at}{nth}")));
            }
        }
        let expected: Advisories = documents.iter().cloned().collect();
        // A permutation for each seed, by a linear congruence (Numerical Recipes' constants).
        let mut seed = 1_u64;
        for _ in 0..500 {
            for last in (1..documents.len()).rev() {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                documents.swap(last, (seed >> 33) as usize % (last + 1));
            }
            assert_eq!(documents.iter().cloned().collect::<Advisories>(), expected);
        }
    }

    #[test]
    fn revisions_are_ordered_as_numbers_and_dates_as_moments() {
        for (low, high) in [("9", "10"), ("1.9.0", "1.10.0"), ("2.0.0-rc.1", "2.0.0"), ("", "1"), ("draft", "0.1.0")] {
            assert_eq!(revision_order(low, high), Ordering::Less, "{low} {high}");
        }
        assert_eq!(revision_order("2", "2.0.0"), Ordering::Equal);
        for (date, expected) in [
            ("1970-01-01T00:00:01Z", Some(1_000_000_000)),
            ("1970-01-01T02:00:00+02:00", Some(0)),
            ("1970-01-02", Some(86_400_000_000_000)),
            ("1970-01-01T00:00:00.5z", Some(500_000_000)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(instant_ns(date), expected, "{date}");
        }
    }
}
