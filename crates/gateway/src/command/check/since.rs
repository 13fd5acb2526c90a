//! What became of findings between two moments: of devices, of advisories, or of both.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::finding::Verdict;
use serde::Serialize;

use super::findings::Found;
use crate::cli::Format;
use crate::print;

/// What a finding is known by, whatever is said of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    asset: String,
    component: String,
    publisher: String,
    advisory: String,
    cve: String,
}

/// The verdicts of one moment.
pub type Verdicts = BTreeMap<Key, Verdict>;

/// What became of a finding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    /// It was not there, and it was never open before.
    New,
    /// It was open once, closed then, and is open again.
    Reopened,
    /// It is there with another verdict.
    Changed,
    /// It was there, and no document names the device for it any more.
    Gone,
}

impl Became {
    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reopened => "re-opened",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    change: &'static str,
    asset: &'a str,
    component: &'a str,
    advisory: &'a str,
    publisher: &'a str,
    cve: &'a str,
    before: Option<&'static str>,
    verdict: Option<&'static str>,
}

const HEADER: [&str; 8] = ["change", "asset", "component", "advisory", "publisher", "cve", "before", "verdict"];

impl Line<'_> {
    fn cells(&self) -> Vec<String> {
        let [before, verdict] = [self.before, self.verdict].map(Option::unwrap_or_default);
        [self.change, self.asset, self.component, self.advisory, self.publisher, self.cve, before, verdict].map(str::to_owned).to_vec()
    }
}

/// Notes the verdict of a finding.
pub fn note(verdicts: &mut Verdicts, found: &Found<'_>) {
    let (installed, proof) = (&found.subject.installed, &found.proof);
    let key = Key {
        asset: installed.asset.clone(),
        component: installed.component.clone(),
        publisher: proof.publisher.clone(),
        advisory: proof.advisory.clone(),
        cve: proof.cve.clone(),
    };
    verdicts.insert(key, found.verdict);
}

/// True while somebody has to look at it.
const fn is_open(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::NotAffected)
}

/// What became of the findings of `before`; `earlier` are those that were open at some moment before that.
pub fn shown(before: &Verdicts, now: &Verdicts, earlier: &BTreeSet<Key>, format: Format) -> (String, String) {
    let mut counts = [Became::New, Became::Reopened, Became::Changed, Became::Gone].map(|became| (became, 0_u64));
    let mut lines = Vec::new();
    let keys: BTreeSet<&Key> = before.keys().chain(now.keys()).collect();
    for key in keys {
        let (was, is) = (before.get(key).copied(), now.get(key).copied());
        let opens = is.is_some_and(is_open) && !was.is_some_and(is_open);
        let became = match (was, is) {
            (was, is) if was == is => continue,
            (_, None) => Became::Gone,
            _ if opens && (earlier.contains(key)) => Became::Reopened,
            (None, Some(_)) => Became::New,
            (Some(_), Some(_)) => Became::Changed,
        };
        counts.iter_mut().filter(|(kind, _)| *kind == became).for_each(|(_, count)| *count += 1);
        let Key { asset, component, publisher, advisory, cve } = key;
        let (before, verdict) = (was.map(Verdict::name), is.map(Verdict::name));
        lines.push(Line { change: became.name(), asset, component, advisory, publisher, cve, before, verdict });
    }
    let counts: Vec<String> = counts.iter().map(|(became, count)| format!("{count} {}", became.name())).collect();
    let text = match format {
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
        Format::Csv => {
            let records = lines.iter().map(|line| print::csv_line(&line.cells()));
            print::csv_line(&HEADER.map(str::to_owned)) + &records.collect::<String>()
        }
        Format::Table => {
            let titles = HEADER.map(str::to_uppercase);
            print::table(&titles.each_ref().map(String::as_str), &lines.iter().map(Line::cells).collect::<Vec<_>>())
        }
    };
    (text, counts.join(", "))
}

/// The findings that are open in any of these.
pub fn open(moments: &[Verdicts]) -> BTreeSet<Key> {
    moments.iter().flatten().filter(|(_, verdict)| is_open(**verdict)).map(|(key, _)| key.clone()).collect()
}
