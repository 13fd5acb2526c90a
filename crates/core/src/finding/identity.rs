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
}
