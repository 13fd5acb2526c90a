//! Many components judged one after the other: what is the same of two of them is found out once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Finding;
use super::identity::Found;
use super::installed::Installed;
use super::library::Library;

/// Findings that are kept for a component that says the same: 64 bytes each, so that a small box can hold them.
const FINDINGS_MAX: usize = 1 << 20;
/// Products that are kept for components of the same identity: 48 bytes each.
const HITS_MAX: usize = 1 << 20;

/// A run over many components. It remembers what it found for components that say the same of themselves, within bounds.
#[derive(Debug)]
pub struct Judging<'a> {
    library: &'a Library,
    verdicts: Kept<Rc<[Finding<'a>]>>,
    hits: Kept<Rc<[Found<'a>]>>,
}

/// What was found for components, under what they say of themselves.
#[derive(Debug)]
struct Kept<T> {
    by_hash: HashMap<u64, Vec<(Installed, T)>>,
    /// What all of it weighs.
    weight: usize,
    weight_max: usize,
}

impl<'a> Judging<'a> {
    pub(super) fn of(library: &'a Library) -> Self {
        Self { library, verdicts: Kept::within(FINDINGS_MAX), hits: Kept::within(HITS_MAX) }
    }

    /// See [`Library::judge`]: the same findings.
    pub fn judge(&mut self, installed: &Installed) -> Rc<[Finding<'a>]> {
        let all = |one: &Installed| Installed { asset: String::new(), ..one.clone() };
        let same = |one: &Installed, other: &Installed| says_the_same(one, other);
        if let Some(known) = self.verdicts.get(hash(installed), |held| same(held, installed)) {
            return known.clone();
        }
        let library = self.library;
        let hits = &mut self.hits;
        let findings: Rc<[Finding<'a>]> = library.judge_with(installed, |one| hits_of(library, hits, one)).into();
        self.verdicts.keep(hash(installed), all(installed), findings.len(), findings.clone());
        findings
    }
}

/// The products that are or may be the component.
fn hits_of<'a>(library: &'a Library, hits: &mut Kept<Rc<[Found<'a>]>>, installed: &Installed) -> Rc<[Found<'a>]> {
    let identity = |one: &Installed| Installed {
        manufacturer: one.manufacturer.clone(),
        model: one.model.clone(),
        product_code: one.product_code.clone(),
        hardware_revision: one.hardware_revision.clone(),
        firmware_revision: fid(one).cloned(),
        facts: one.facts.clone(),
        ..Installed::default()
    };
    let mut hasher = DefaultHasher::new();
    (&installed.manufacturer, &installed.model, &installed.product_code, fid(installed)).hash(&mut hasher);
    let hash = hasher.finish();
    let same = |held: &Installed| {
        held.manufacturer == installed.manufacturer
            && held.model == installed.model
            && held.product_code == installed.product_code
            && held.hardware_revision == installed.hardware_revision
            && held.firmware_revision.as_ref() == fid(installed)
            && held.facts == installed.facts
    };
    if let Some(known) = hits.get(hash, same) {
        return known.clone();
    }
    let found: Rc<[Found<'a>]> = library.index().seek(installed).into();
    hits.keep(hash, identity(installed), found.len(), found.clone());
    found
}

/// A firmware text that may say which device it is: with letters in front of the first number, as SEL's identification.
fn fid(installed: &Installed) -> Option<&String> {
    let named = |text: &&String| text.bytes().take_while(u8::is_ascii_alphabetic).count() > 1 || installed.model.is_none();
    installed.firmware_revision.as_ref().filter(named)
}

fn says_the_same(one: &Installed, other: &Installed) -> bool {
    one.component == other.component
        && one.manufacturer == other.manufacturer
        && one.model == other.model
        && one.product_code == other.product_code
        && one.hardware_revision == other.hardware_revision
        && one.firmware_revision == other.firmware_revision
        && one.software_revision == other.software_revision
        && one.serial_number == other.serial_number
        && one.patches == other.patches
        && one.conflicts == other.conflicts
        && one.facts == other.facts
}

fn hash(installed: &Installed) -> u64 {
    let mut hasher = DefaultHasher::new();
    let identity = (&installed.manufacturer, &installed.model, &installed.product_code, &installed.component);
    let releases = (&installed.firmware_revision, &installed.software_revision, &installed.hardware_revision, &installed.serial_number);
    (identity, releases, &installed.patches).hash(&mut hasher);
    hasher.finish()
}

impl<T> Kept<T> {
    fn within(weight_max: usize) -> Self {
        Self { by_hash: HashMap::new(), weight: 0, weight_max }
    }

    fn get(&self, hash: u64, is: impl Fn(&Installed) -> bool) -> Option<&T> {
        self.by_hash.get(&hash)?.iter().find(|(held, _)| is(held)).map(|(_, found)| found)
    }

    /// Keeps one more; where it gets too heavy, all that was kept goes first.
    fn keep(&mut self, hash: u64, installed: Installed, weight: usize, found: T) {
        let weight = weight.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
        if self.weight > self.weight_max {
            self.by_hash.clear();
            self.weight = weight;
        }
        self.by_hash.entry(hash).or_default().push((installed, found));
    }
}
