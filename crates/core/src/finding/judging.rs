//! Many components judged one after the other: which products they are is found out once for all that bear the same name.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Finding;
use super::identity::{Found, RuledOut};
use super::installed::Installed;
use super::library::Library;

/// Products that are kept for components of the same identity: 48 bytes each, so that a small box can hold them.
const HITS_MAX: usize = 1 << 20;

/// Which products of which documents a component is or may be, and which it is not though they read alike.
#[derive(Debug)]
pub struct Named<'a> {
    /// Ordered by document.
    pub hits: Vec<Found<'a>>,
    pub ruled_out: Vec<(usize, Vec<RuledOut>)>,
}

/// A run over many components. It remembers, within bounds, which products a name means.
#[derive(Debug)]
pub struct Judging<'a> {
    library: &'a Library,
    named: HashMap<u64, Vec<(Installed, Rc<Named<'a>>)>>,
    held: usize,
}

impl<'a> Judging<'a> {
    pub(super) fn of(library: &'a Library) -> Self {
        Self { library, named: HashMap::new(), held: 0 }
    }

    /// See [`Library::judge`]: the same findings.
    pub fn judge(&mut self, installed: &Installed) -> Vec<Finding<'a>> {
        let library = self.library;
        library.judge_with(installed, |one| self.named(one))
    }

    fn named(&mut self, installed: &Installed) -> Rc<Named<'a>> {
        let hash = hash(installed);
        let known = self.named.get(&hash).and_then(|held| held.iter().find(|(one, _)| is_named_alike(one, installed)));
        if let Some((_, named)) = known {
            return named.clone();
        }
        let named = Rc::new(self.library.named(installed));
        self.held = self.held.saturating_add(named.hits.len()).saturating_add(1);
        if self.held > HITS_MAX {
            self.named.clear();
            self.held = 0;
        }
        self.named.entry(hash).or_default().push((identity(installed), named.clone()));
        named
    }
}

/// What names a component: all else may differ.
fn identity(one: &Installed) -> Installed {
    Installed {
        manufacturer: one.manufacturer.clone(),
        model: one.model.clone(),
        product_code: one.product_code.clone(),
        hardware_revision: one.hardware_revision.clone(),
        firmware_revision: one.firmware_revision.clone().filter(|text| is_identification(text)),
        facts: one.facts.clone(),
        ..Installed::default()
    }
}

fn is_named_alike(held: &Installed, one: &Installed) -> bool {
    held.model == one.model
        && held.product_code == one.product_code
        && held.manufacturer == one.manufacturer
        && held.hardware_revision == one.hardware_revision
        && held.firmware_revision.as_ref() == one.firmware_revision.as_ref().filter(|text| is_identification(text))
        && held.facts == one.facts
}

fn hash(one: &Installed) -> u64 {
    let mut hasher = DefaultHasher::new();
    let firmware = one.firmware_revision.as_ref().filter(|text| is_identification(text));
    (&one.model, &one.product_code, &one.manufacturer, firmware).hash(&mut hasher);
    hasher.finish()
}

/// A firmware text that may say which device it is, as SEL's identification does: letters, a dash, and more.
pub fn is_identification(text: &str) -> bool {
    let letters = text.trim_start().bytes().take_while(u8::is_ascii_alphabetic).count();
    letters > 0 && (text.contains("-R") || text.contains("-r"))
}
