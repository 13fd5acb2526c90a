//! Whether a product of an advisory is this device: order number, then catalogue number and series, then model, then family, then the
//! document's title.
//!
//! Names of products and models of devices are read as words ([`pieces`] shows how); what makers call the same, which words say nothing, and
//! which order numbers and models belong to a family are tables: `vendors.toml`, `words.toml`, `families.toml`. A word is one or it is
//! not, never a part of another: SEL-351 is no SEL-351S. The rules are argued in docs/decisions/0028 and shown to users in docs/findings.md.

mod build;
mod device;
mod expand;
mod joined;
mod kin;
mod label;
mod line;
mod list;
mod order;
mod reader;
mod seek;
mod sibling;
#[cfg(test)]
mod tests;
mod vendor;
mod word;

use std::collections::HashMap;

use super::installed::Installed;
use crate::advisory::{Advisory, ProductIndex};
pub use label::{Piece, Role};

/// By what a product of a document was recognised, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The order number (MLFB, article number), blanks, dashes and case aside, or a mask that takes it in.
    ProductCode,
    /// The catalogue number, with the series where the document names one.
    Catalogue,
    /// The model.
    Model,
    /// The family that the document names, of which the device is a member.
    Family,
    /// The document's title: the product's own name does not say which device it is.
    Title,
}

impl Step {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductCode => "product_code",
            Self::Catalogue => "catalogue",
            Self::Model => "model",
            Self::Family => "family",
            Self::Title => "title",
        }
    }
}

/// A product of a document that is, or may be, the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place in the document.
    pub product: ProductIndex,
    /// By what.
    pub step: Step,
    /// What is missing to be sure: a fact's name (`product_code`, `model`, `manufacturer`, `hardware_revision`, `bundle`, `variant`, `host`).
    /// `None`: it is the device.
    pub missing: Option<&'static str>,
    /// The evidence in words: what of the document met what of the device.
    pub because: String,
    /// What the product's own name says of its releases, as written: `V4.X`, `v15`, `V4.7 SP1`, `prior to V4.7`, `R121`. The product is
    /// this device only while its version belongs there.
    pub line: Option<String>,
    /// What else the product's own name demands, as written: `Serial number 17X**** or later`, `w. PN`. A demand that the step has
    /// settled is not repeated.
    pub conditions: Vec<String>,
    /// The part of the device to which the product's version belongs, where the name tells it: `BIOS`, `NMC2`.
    pub part: Option<String>,
    /// True where the version slot holds an order number or a model by which the device was recognised: then it is no version, and
    /// every release is meant.
    pub release_is_model: bool,
}

/// A product of a document that speaks of the device's maker and release, and yet of another family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    /// Its place in the document.
    pub product: ProductIndex,
    /// Why it is not the device.
    pub because: String,
}

/// What a product's name says beside which device it is.
#[derive(Debug, Default)]
pub struct Said {
    /// The name as written.
    pub name: String,
    /// See [`Hit::line`].
    pub line: Option<String>,
    /// Demands that no order number settles: serial numbers, options.
    pub conditions: Vec<String>,
    /// Demands on the variant of a device.
    pub variants: Vec<String>,
    /// See [`Hit::part`].
    pub part: Option<String>,
    /// See [`Hit::release_is_model`].
    pub release_is_model: bool,
}

/// A [`Hit`] as it lies in the index, without a copy of its texts: for many devices at once.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The place of the document.
    pub document: usize,
    /// The product's place in the document.
    pub product: ProductIndex,
    /// By what.
    pub step: Step,
    /// What is missing to be sure.
    pub missing: Option<&'static str>,
    /// What the name says beside.
    pub said: &'a Said,
    /// True where the demands on the variant are not settled.
    pub variants_open: bool,
}

impl Found<'_> {
    /// What the name demands and the step did not settle.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        let open = self.said.variants.iter().filter(|_| self.variants_open);
        self.said.conditions.iter().chain(open).map(String::as_str)
    }

    /// The evidence in words.
    #[must_use]
    pub fn because(&self, installed: &Installed) -> String {
        let code = installed.product_code.as_deref().or(installed.model.as_deref()).unwrap_or_default();
        let model = installed.model.as_deref().or(installed.firmware_revision.as_deref()).unwrap_or(code);
        let name = &self.said.name;
        let may = if self.missing.is_some() { "may be" } else { "is" };
        match self.step {
            Step::ProductCode | Step::Catalogue => format!("{code} {may} \"{name}\" by its order number"),
            Step::Model => format!("{model} {may} \"{name}\" by its model"),
            Step::Family => format!("{} {may} a member of \"{name}\"", if installed.model.is_some() { model } else { code }),
            Step::Title => format!("{model} {may} what the document's title names; the product's name is \"{name}\""),
        }
    }

    fn hit(&self, installed: &Installed) -> Hit {
        Hit {
            product: self.product,
            step: self.step,
            missing: self.missing,
            because: self.because(installed),
            line: self.said.line.clone(),
            conditions: self.conditions().map(str::to_owned).collect(),
            part: self.said.part.clone(),
            release_is_model: self.said.release_is_model,
        }
    }
}

/// A word, by its number.
type WordId = u32;
/// A maker, by its number; [`ANY`] is nobody in particular.
type MakerId = u32;
/// The place of a name among the index's labels.
type LabelId = u32;
/// Where a device of a name is found: the label, and which of its devices.
type Lead = (LabelId, u32);

/// The maker under which all names are found by devices whose maker nobody knows.
const ANY: MakerId = 0;

/// In a lead: not one of the label's devices, but the card in them to which the version belongs.
const CARD: u32 = u32::MAX;

/// One device that a name means.
#[derive(Debug, Default)]
struct Name {
    words: Vec<WordId>,
    /// Words with signs that stand for others, as patterns.
    masks: Vec<Box<str>>,
}

/// A product's name with the products that bear it.
#[derive(Debug, Default)]
struct Labelled {
    said: Said,
    makers: Vec<MakerId>,
    names: Vec<Name>,
    card: Vec<WordId>,
    orders: Vec<order::Order>,
    series: Vec<char>,
    except: Vec<Vec<WordId>>,
    includes: Vec<WordId>,
    family: bool,
    siplus: bool,
    related: bool,
    by_title: bool,
    /// The device that it has to be in.
    host: Option<joined::Host>,
    targets: Vec<(u32, ProductIndex)>,
}

/// The documents, searchable by what devices say of themselves.
#[derive(Debug, Default)]
pub struct Index {
    words: HashMap<Box<str>, WordId>,
    /// Words that make another product of the one they follow.
    apart: Vec<bool>,
    makers: HashMap<Box<str>, MakerId>,
    labels: Vec<Labelled>,
    by_order: HashMap<Box<str>, Vec<LabelId>>,
    by_core: HashMap<Box<str>, Vec<LabelId>>,
    by_mask: HashMap<[u8; 2], Vec<(Box<str>, LabelId)>>,
    /// Each device of a name under its rarest word: found by a device that says all of it.
    by_rarest: HashMap<(MakerId, WordId), Vec<Lead>>,
    /// Each under all of its words and what they begin with: found by a device that says less.
    by_word: HashMap<(MakerId, WordId), Vec<Lead>>,
    /// Names with a masked word, under how it begins.
    by_masked_word: HashMap<(MakerId, [u8; 2]), Vec<Lead>>,
    /// What each word begins with, up to a dash or a slash.
    heads: Vec<Box<[WordId]>>,
    /// Labels whose name is a release line alone, under that line in lower case.
    by_line: HashMap<Box<str>, Vec<LabelId>>,
    /// What the documents themselves call an order number.
    learned: HashMap<Box<str>, Vec<WordId>>,
    /// The words of each family of the table.
    families: Vec<Vec<WordId>>,
    /// Documents that list SIPLUS devices of their own.
    lists_siplus: Vec<bool>,
}

impl Index {
    /// Of documents in any order.
    #[must_use]
    pub fn of(advisories: &[Advisory]) -> Self {
        build::index(advisories)
    }

    /// For each document that names the device, by its place: its products that are or may be it.
    #[must_use]
    pub fn hits(&self, _advisories: &[Advisory], installed: &Installed) -> Vec<(usize, Vec<Hit>)> {
        let mut hits: Vec<(usize, Vec<Hit>)> = Vec::new();
        for found in self.seek(installed) {
            let hit = found.hit(installed);
            match hits.last_mut().filter(|(document, _)| *document == found.document) {
                Some((_, held)) => held.push(hit),
                None => hits.push((found.document, vec![hit])),
            }
        }
        hits
    }

    /// The same without a copy of any text, ordered by document and product. What comes back depends only on the manufacturer, model,
    /// product code, hardware revision and bundle, and on the firmware where it is an SEL identification: assets that agree in these can
    /// share it.
    #[must_use]
    pub fn seek(&self, installed: &Installed) -> Vec<Found<'_>> {
        seek::found(self, &device::Device::read(installed))
    }

    /// For each document that could be mistaken for one about the device, by its place: the products that are not it, with the reason.
    /// Only where the document's title names another family of the same maker and the product's name is a release line that the device
    /// has too: `R121` of a SEL-411L, and the device is a SEL-351S with R121.
    #[must_use]
    pub fn ruled_out(&self, _advisories: &[Advisory], installed: &Installed) -> Vec<(usize, Vec<RuledOut>)> {
        seek::ruled_out(self, installed)
    }
}

/// How a product's name is read: its pieces, in its order, without gaps. `vendor` is the name of the maker's branch.
#[must_use]
pub fn pieces(vendor: &str, name: &str) -> Vec<Piece> {
    label::read(name, &vendor::read(vendor).names).pieces
}

/// The release line that a component's own model names.
pub(super) fn line(installed: &Installed) -> Option<String> {
    let makers = vendor::read(installed.manufacturer.as_deref().unwrap_or_default()).names;
    label::read(word::cut(installed.model.as_deref()?, label::NAME_BYTES_MAX), &makers).line
}

/// How the name of a maker is read: its spellings in the table, and whether all of it was understood.
#[must_use]
pub fn makers(vendor: &str) -> (Vec<String>, bool) {
    let makers = vendor::read(vendor);
    (makers.names.into_iter().collect(), !makers.rest)
}
