//! A bundle for people: one page without a script that loads nothing, made of what the bundle holds and of nothing else. The same content
//! gives the same bytes, so that whoever verifies makes the page again (docs/decisions/0040). All that a device said is text.

mod changes;
pub mod readings;

use std::collections::BTreeMap;

use nameplate_core::evidence::{Checked, DECODER};
use nameplate_core::ledger::{Body, Entry, Keys};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use crate::handover;
use crate::print;
use crate::sheet::book::{Table, Tint};
use crate::sheet::page::{document, paragraph, tables};

/// Entries that are listed; the others are in the bundle. A page of more is not read by anybody.
const ENTRIES_ROWS_MAX: usize = 1_000;
/// Bytes of a maker's name, of a page that somebody else made.
const MAKER_BYTES_MAX: usize = 100;
/// Characters of one entry's line in that list.
const LINE_CHARS_MAX: usize = 300;

/// What a page is made of.
pub struct Content<'a> {
    /// What the bundle is about.
    pub subject: &'a str,
    /// Its entries but the last, which lists them.
    pub entries: &'a [Entry],
    /// The payloads by their SHA-256.
    pub payloads: &'a BTreeMap<String, Vec<u8>>,
    /// The profiles' texts by their SHA-256.
    pub profiles: &'a BTreeMap<String, String>,
    /// The log's keys.
    pub keys: &'a Keys,
    /// Index and time of the last entry.
    pub listed: (u64, u64),
}

/// How the page inside a bundle stands to the one that this program makes of the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Byte for byte the same.
    Same,
    /// It is no page for people, but a list of so many files.
    Files(usize),
    /// Another program made it; nothing was compared.
    OfAnother(String),
    /// This program's name stands on it, and it says something else.
    Different,
}

/// The page of a bundle that holds, as this program makes it; and how the one inside stands to it.
pub fn of_checked(checked: &Checked) -> (String, Inside) {
    let (last, others) = checked.entries.split_last().map_or((None, &[][..]), |(last, others)| (Some(last), others));
    let Checked { keys, subject, payloads, profiles, page: inside, .. } = checked;
    let listed = last.map_or((0, 0), |last| (last.index, last.time_ns));
    let page = page(&Content { subject, entries: others, payloads, profiles, keys, listed });
    let how = match maker(inside) {
        _ if page == *inside => Inside::Same,
        Some(maker) if maker != DECODER => Inside::OfAnother(maker.to_owned()),
        _ => handover::listed(inside).map_or(Inside::Different, |files| Inside::Files(files.len())),
    };
    (page, how)
}

/// The program that a page names as its maker.
fn maker(page: &str) -> Option<&str> {
    let (_, behind) = page.split_once(GENERATOR)?;
    behind.split_once('"').map(|(maker, _)| maker).filter(|maker| maker.len() <= MAKER_BYTES_MAX)
}

/// What stands before the maker's name; no text of a device can, because its quotation marks are escaped.
const GENERATOR: &str = "<meta name=\"generator\" content=\"";

/// The page.
pub fn page(content: &Content<'_>) -> String {
    let mut view = View::default();
    content.entries.iter().for_each(|entry| view.apply(entry));
    view.settle();
    let mut body: String = sentences(content).iter().map(|sentence| paragraph(sentence)).collect();
    body += &tables(&changes::tables(content, &view));
    body += &readings::section(content);
    body += &tables(&[profiles(content)]);
    body += &entries(content);
    let title = format!("Evidence about {}", content.subject);
    document(&title, &format!("{GENERATOR}{DECODER}\">\n"), &body)
}

fn sentences(content: &Content<'_>) -> Vec<String> {
    let Content { subject, entries, keys, listed: (index, time_ns), .. } = content;
    let times = entries.iter().map(|entry| entry.time_ns);
    let (first, last) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
    let key = match keys.first() == keys.current() {
        true => format!("Signed with the key whose fingerprint (SHA-256) is {}.", keys.first().fingerprint()),
        false => format!(
            "Signed with the key whose fingerprint (SHA-256) is {}, which took the place of the log's first, {}.",
            keys.current().fingerprint(),
            keys.first().fingerprint()
        ),
    };
    vec![
        format!(
            "{} of the log {} about {subject}, recorded from {} to {} by the recorder's clock. Entry {index} of the log, recorded at {}, lists \
             them and names this page by its SHA-256; the log's signed checkpoint of {} entries stands in the bundle.",
            if entries.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", entries.len()) },
            keys.origin(),
            rfc3339(first),
            rfc3339(last),
            rfc3339(*time_ns),
            index.saturating_add(1),
        ),
        key + " Whoever checks the bundle compares it with the one that the site gave to them on another way.",
        "This page shows what the bundle holds. By itself it proves nothing: the bundle does. To check it, without us and without the site: \
         nameplate evidence verify BUNDLE --key FINGERPRINT, or python3 verify_evidence.py BUNDLE --key FINGERPRINT; docs/evidence.md says how \
         to write a verifier of one's own. A device's values are what it reported; whether it tells the truth, nobody sees on the wire."
            .to_owned(),
    ]
}

/// A table with these titles.
fn table(name: &'static str, header: &[&str], rows: Vec<(Tint, Vec<String>)>) -> Table {
    Table { name, header: header.iter().map(|title| (*title).to_owned()).collect(), rows }
}

/// Which text of which profile said what the bytes mean.
fn profiles(content: &Content<'_>) -> Table {
    let mut used: BTreeMap<&str, (String, u64)> = BTreeMap::new();
    for entry in content.entries {
        let Body::Observation(observed) = &entry.body else { continue };
        if let Some(sha256) = &observed.profile_sha256 {
            let name = readings::profile(observed);
            used.entry(sha256).or_insert_with(|| (name, 0)).1 += 1;
        }
    }
    let row = |(sha256, (name, readings)): (&str, (String, u64))| {
        let bytes = content.profiles.get(sha256).map_or(0, String::len) as u64;
        (Tint::Plain, vec![name, sha256.to_owned(), print::count(readings, "reading"), print::count(bytes, "byte")])
    };
    table(
        "Profiles",
        &["profile", "SHA-256 of its text, which stands in the bundle", "used for", "text"],
        used.into_iter().map(row).collect(),
    )
}

/// All entries, a line each.
fn entries(content: &Content<'_>) -> String {
    let row = |entry: &Entry| {
        let (kind, said) = told(&entry.body);
        let cut = said.chars().count() > LINE_CHARS_MAX;
        let said: String = said.chars().take(LINE_CHARS_MAX).chain(cut.then_some('…')).collect();
        (Tint::Plain, vec![entry.index.to_string(), rfc3339(entry.time_ns), kind.to_owned(), said])
    };
    let rows = content.entries.iter().take(ENTRIES_ROWS_MAX).map(row).collect();
    let more = content.entries.len().saturating_sub(ENTRIES_ROWS_MAX);
    let more = if more == 0 { String::new() } else { paragraph(&format!("{more} more entries are in the bundle.")) };
    tables(&[table("Entries of the log", &["index", "recorded", "kind", "what"], rows)]) + &more
}

/// An entry's kind, and what it says in a few words.
pub fn told(body: &Body) -> (&'static str, String) {
    match body {
        Body::Key { public_key, .. } => ("key", format!("the log begins with the public key {public_key}")),
        Body::KeyChange { by, why, public_key, .. } => ("key_change", format!("{by}: {why}; the public key is {public_key} from here on")),
        Body::Observation(observed) => {
            let observation = &observed.observation;
            ("observation", format!("{} answering {}", crate::lines::place(&observation.address), observation.question))
        }
        Body::Touch { line } => ("touch", line.clone()),
        Body::Import(_) => ("import", "a list that somebody made".to_owned()),
        Body::Advisories(_) => ("advisories", String::new()),
        Body::Approval(approval) => ("approval", changes::decision(approval)),
        Body::Baseline(_) => ("baseline", String::new()),
        Body::Evaluation(_) => ("evaluation", String::new()),
        Body::Happening(_) => ("happening", String::new()),
        Body::Account(event) => ("account", event.to_string()),
        Body::Update(event) => ("update", event.to_string()),
        Body::Patches(report) => {
            ("patches", format!("{} said {} of patches", report.system, print::count(report.statements.len() as u64, "thing")))
        }
        Body::Hand(hand) => ("hand", format!("{}: {}", hand.by, hand.reason)),
        Body::Change(event) => {
            let (step, by, what) = changes::step(event);
            ("change", format!("{} {step} {by} {what}", event.order()))
        }
        Body::Evidence { subject, .. } => ("evidence", subject.clone()),
    }
}
