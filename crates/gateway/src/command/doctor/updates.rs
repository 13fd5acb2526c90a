//! Who is trusted to publish updates, and how old is what came last.

use std::path::{Path, PathBuf};

use nameplate_core::observation::rfc3339;
use nameplate_core::update::{Kind, Updates};

use super::Finding;
use crate::print::count;
use crate::store::{Store, now_ns};
use crate::update::program::Machine;
use crate::update::{DAY_NS, Publishers, WARNING_DAYS_MIN, left};

/// Who may publish what, and whether others could write that.
pub fn publishers(directory: &Path) -> Finding {
    let what = "publishers";
    match Publishers::read(directory) {
        Err(failure) => Finding::wrong(what, failure.why, "who can write there decides what this gateway believes"),
        Ok(publishers) => {
            let named: Vec<String> = publishers
                .iter()
                .map(|(name, named)| format!("{name} ({})", named.kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")))
                .collect();
            let told = if named.is_empty() { "nobody: every update is refused".to_owned() } else { named.join("; ") };
            Finding::ok(what, format!("{}: {told}", directory.display()))
        }
    }
}

/// An update of the program that was begun and is not over.
pub fn begun(updates: &Path) -> Option<Finding> {
    let what = "update of the program";
    let machine = Machine { updates: updates.to_owned(), state: PathBuf::new(), field_state: PathBuf::new() };
    match machine.journal() {
        Ok(None) => None,
        Ok(Some(journal)) => {
            let told = format!("{} {} of {} was begun and is not over", journal.offer.kind, journal.to, journal.offer.publisher);
            Some(Finding::wrong(what, told, "nameplate update resume --state DIR"))
        }
        Err(failure) => Some(Finding::wrong(what, failure.why, "run `nameplate doctor` as root")),
    }
}

/// As [`applied`], of a state on the disk. What cannot be read was said of the ledger.
pub fn of_state(desk: &Path) -> Vec<Finding> {
    let view = Store::read(desk).ok().flatten().and_then(|store| store.view(None).ok());
    view.map(|view| applied(&view.updates, now_ns())).unwrap_or_default()
}

/// What was applied last of advisories and profiles, and until when it is good.
pub fn applied(updates: &Updates, now_ns: u64) -> Vec<Finding> {
    let of = |kind, what: &'static str| {
        let all = updates.last().filter(move |one| one.offer.kind == kind);
        all.map(move |one| {
            let (offer, age_ns) = (&one.offer, now_ns.saturating_sub(one.offer.made_ns));
            let told = format!(
                "version {} of {}, made {} ago, {} ({})",
                offer.version,
                offer.publisher,
                count(age_ns / DAY_NS, "day"),
                left(offer.expires_ns, now_ns),
                rfc3339(offer.expires_ns)
            );
            if now_ns >= offer.expires_ns {
                Finding::wrong(what, told, "nobody knows here what was published since: have the next update brought on a stick")
            } else if offer.expires_ns - now_ns < WARNING_DAYS_MIN * DAY_NS {
                Finding::look(what, told, "have the next update brought on a stick")
            } else {
                Finding::ok(what, told)
            }
        })
    };
    of(Kind::Advisories, "advisories").chain(of(Kind::Profiles, "profiles")).collect()
}
