//! A patch server's word against the device's own.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Named, Patches, State, Stated};
use crate::catalog::{Asset, Catalog, Recorded};
use crate::claim::{Field, Grade};
use crate::observation::hex;
use crate::profile::ProfileSet;
use crate::version::Order;

/// Digits of a finding's id.
const ID_DIGITS: usize = 12;

/// How a patch server's word stands to the device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// It holds the patch for installed, and the device says an older release, or another one of which nobody can say whether it is older. Only a reading ends that.
    Contradicted,
    /// It holds the patch for installed, and the device never said its release.
    NotRead,
    /// It holds the patch for missing, and the device says its release or a newer one: the patch server does not know yet.
    Behind,
    /// The device says the release, or a newer one.
    Confirmed,
    /// It names no release that a device could say.
    NothingToRead,
    /// It does not say that the patch is installed, and the device does not either.
    Open,
}

impl Stand {
    /// All of them, in the order of their weight.
    pub const ALL: [Self; 6] = [Self::Contradicted, Self::NotRead, Self::Behind, Self::Confirmed, Self::NothingToRead, Self::Open];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::NotRead => "not_read",
            Self::Behind => "behind",
            Self::Confirmed => "confirmed",
            Self::NothingToRead => "nothing_to_read",
            Self::Open => "open",
        }
    }
}

/// What is said of one patch on one device, and what the device says.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged<'a> {
    /// The finding: the same for a device and a release however many patch servers say it, and in whatever order words came.
    pub id: String,
    /// The asset; `None` where a list's asset is gone.
    pub asset: Option<&'a Asset>,
    /// Its id when the first list was taken in.
    pub matched_as: &'a str,
    /// What the device should say: a field and a release.
    pub expects: Option<(Field, &'a str)>,
    /// Who says what.
    pub said: Vec<(&'a Named, &'a Stated)>,
    /// What the device itself said last.
    pub read: Option<&'a Recorded>,
    /// How they stand.
    pub stand: Stand,
    /// Since when both words were known, in nanoseconds since 1970; of a contradiction alone.
    pub since_ns: Option<u64>,
    /// The device said so before the patch server held the patch for installed, and nothing since: a fresh reading may end it.
    pub read_before: bool,
}

/// Holds every word against what devices say. One finding for a device and a release; for a device and a patch where no release is named.
#[must_use]
pub fn judge<'a>(patches: &'a Patches, catalog: &'a Catalog, profiles: &ProfileSet) -> Vec<Judged<'a>> {
    of_words(patches.iter(), catalog, profiles)
}

/// Only where a patch server and a device contradict each other: lists of hosts, of which most words name no release, cost little here.
#[must_use]
pub fn contradictions<'a>(patches: &'a Patches, catalog: &'a Catalog, profiles: &ProfileSet) -> Vec<Judged<'a>> {
    let mut found = of_words(patches.iter().filter(|(_, _, stated)| expects(stated).is_some()), catalog, profiles);
    found.retain(|one| one.stand == Stand::Contradicted);
    found
}

/// Only of one asset.
#[must_use]
pub fn judge_one<'a>(asset: &Asset, patches: &'a Patches, catalog: &'a Catalog, profiles: &ProfileSet) -> Vec<Judged<'a>> {
    let own = |matched_as: &str| matched_as == asset.id || asset.was.iter().any(|was| was == matched_as);
    of_words(patches.iter().filter(|(matched_as, _, _)| own(matched_as)), catalog, profiles)
}

fn of_words<'a>(
    words: impl Iterator<Item = (&'a str, &'a Named, &'a Stated)>,
    catalog: &'a Catalog,
    profiles: &ProfileSet,
) -> Vec<Judged<'a>> {
    let mut groups: BTreeMap<(String, String), Judged<'a>> = BTreeMap::new();
    for (matched_as, name, stated) in words {
        // Merged assets are found under the ids that they had.
        let asset = catalog.asset(matched_as);
        let expects = expects(stated);
        let about = expects.map_or_else(|| format!("patch {}", name.1), |(field, release)| format!("{} {release}", field.name()));
        let id = asset.map_or(matched_as, |asset| &asset.id).to_owned();
        let group = groups.entry((id.clone(), about.clone())).or_insert_with(|| {
            let digits = hex(&Sha256::digest(format!("patch finding\n{id}\n{about}")));
            let id = format!("h-{}", digits.get(..ID_DIGITS).unwrap_or_default());
            let read = expects.and_then(|(field, _)| own_word(asset?, field));
            Judged { id, asset, matched_as, expects, said: Vec::new(), read, stand: Stand::Open, since_ns: None, read_before: false }
        });
        group.said.push((name, stated));
    }
    let mut all: Vec<Judged<'a>> = groups.into_values().map(|judged| stand(judged, profiles)).collect();
    all.sort_by(|one, other| (one.stand, &one.id).cmp(&(other.stand, &other.id)));
    all
}

/// What the device should say, if the patch is on it.
fn expects(stated: &Stated) -> Option<(Field, &str)> {
    let once =
        stated.installed.as_ref().and_then(|installed| installed.expects.as_ref()).map(|(field, release)| (*field, release.as_str()));
    once.or_else(|| stated.last.field.zip(stated.last.release.as_deref()))
}

/// The device's own word: nothing that a list or a person says of it.
fn own_word(asset: &Asset, field: Field) -> Option<&Recorded> {
    asset.shown(field).map(|current| current.standing).filter(|read| read.claim.grade < Grade::Imported)
}

fn stand<'a>(judged: Judged<'a>, profiles: &ProfileSet) -> Judged<'a> {
    let held = judged.said.iter().filter_map(|(_, stated)| stated.installed.as_ref().map(|installed| installed.since_ns)).min();
    let order = |read: &Recorded| {
        let own = profiles.get(&read.claim.profile);
        own.or_else(|| judged.asset?.profile.as_deref().and_then(|id| profiles.get(id)))
            .map_or(Order::Opaque, |profile| profile.version_order)
    };
    let has = |release: &str, read: &Recorded| {
        matches!(order(read).compare(&read.claim.value, release), Some(Ordering::Equal | Ordering::Greater))
    };
    let stand = match (judged.expects, judged.read, held) {
        (None, _, _) => Stand::NothingToRead,
        (Some((_, release)), Some(read), _) if has(release, read) => {
            let is_known = judged.said.iter().any(|(_, stated)| matches!(stated.last.state, State::Installed | State::PendingRestart));
            if is_known { Stand::Confirmed } else { Stand::Behind }
        }
        (Some(_), Some(_), Some(_)) => Stand::Contradicted,
        (Some(_), None, Some(_)) => Stand::NotRead,
        (Some(_), _, None) => Stand::Open,
    };
    let since_ns = judged.read.zip(held).filter(|_| stand == Stand::Contradicted).map(|(read, held)| read.since_ns.max(held));
    let read_before = since_ns.is_some() && judged.read.zip(held).is_some_and(|(read, held)| read.time_ns < held);
    Judged { stand, since_ns, read_before, ..judged }
}
