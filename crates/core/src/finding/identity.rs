//! Whether a product of an advisory is this device: order number, then catalogue number and series, then model, then family, then the
//! document's title.

use super::installed::Installed;
use crate::advisory::{Advisory, ProductIndex};

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
    /// What is missing to be sure: a fact's name (`product_code`, `model`, `hardware_revision`). `None`: it is the device.
    pub missing: Option<&'static str>,
    /// The evidence in words: what of the document met what of the device.
    pub because: String,
    /// What the product's own name says of its releases, as written: `V4.X`, `v15`, `V4.7 SP1`, `prior to V4.7`, `R121`. The product is
    /// this device only while its version belongs there.
    pub line: Option<String>,
    /// What else the product's own name demands, as written: `Serial number 17X**** or later`, `w. PN`, `Series B`. A demand that the
    /// step has settled is not repeated.
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

/// The documents, searchable by what devices say of themselves.
#[derive(Debug, Default)]
pub struct Index {}

impl Index {
    /// Of documents in any order.
    #[must_use]
    pub fn of(_advisories: &[Advisory]) -> Self {
        Self {}
    }

    /// For each document that names the device, by its place: its products that are or may be it.
    #[must_use]
    pub fn hits(&self, _advisories: &[Advisory], _installed: &Installed) -> Vec<(usize, Vec<Hit>)> {
        Vec::new()
    }

    /// For each document that could be mistaken for one about the device, by its place: the products that are not it, with the reason.
    /// Only where the document's title names another family of the same maker and the product's name is a release line that the device
    /// has too: `R121` of a SEL-411L, and the device is a SEL-351S with R121.
    #[must_use]
    pub fn ruled_out(&self, _advisories: &[Advisory], _installed: &Installed) -> Vec<(usize, Vec<RuledOut>)> {
        Vec::new()
    }
}
