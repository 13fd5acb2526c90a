//! CSAF 2.0 (ISO/IEC 20153): the bytes of a document to an [`Advisory`], or to what is wrong and where.
//!
//! Source: OASIS Common Security Advisory Framework Version 2.0, 18 November 2022, section 3; what a clause number stands for is of that text.
//! Publishers do not keep to all of it. What is unclear ends the reading; what is merely unusual is read and listed, see [`tolerance::Kind`].

mod shape;
mod statements;
pub mod tolerance;
mod tree;

use std::fmt;

use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};

use self::shape::{Csaf, Name, Versioned};
use self::statements::Statements;
use self::tolerance::{Kind, Tolerances};
use self::tree::{Products, listed};
use super::Advisory;
use crate::observation::hex;

pub use self::statements::VULNERABILITIES_MAX;
pub(super) use self::statements::status_named;
pub use self::tree::PRODUCTS_MAX;

/// Largest document. The corpus' largest has 474 kB; a vendor's for all of its products some 20 MB.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// The version that is read.
const VERSION: &str = "2.0";
/// Longest JSON pointer that an error shows; one of a depth bomb would fill pages.
const POINTER_CHARS_MAX: usize = 200;
/// From this day on CISA no longer updates what it takes over from Siemens: the first version stays, and Siemens' own counts.
const SIEMENS_FROZEN_FROM: &str = "2023-01-10";
/// What CISA writes into a document that it made out of Siemens' own.
const CONVERTED: &str = "converted from Siemens ProductCERT";
/// Where Siemens' own stands.
const SIEMENS_OWN: &str = "https://cert-portal.siemens.com/productcert/";

/// Why a document is not read. Nothing of it counts then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where: a JSON pointer (RFC 6901), empty for the whole document; of a CSV `line 7, column cve`.
    pub at: String,
    /// What is wrong, as a sentence without its full stop.
    pub why: String,
}

impl Unread {
    pub(super) fn at(at: String, why: String) -> Self {
        Self { at, why }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.at, self.why) }
    }
}

impl std::error::Error for Unread {}

/// Reads a document.
///
/// # Errors
/// [`Unread`] for the first thing that cannot be read, is unclear, or is more than a limit allows.
pub fn read(bytes: &[u8]) -> Result<Advisory, Unread> {
    let whole = |why: String| Unread::at(String::new(), why);
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole(format!("the document has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| whole(format!("byte {} is not UTF-8", e.valid_up_to())))?;
    let mut tolerances = Tolerances::default();
    let text = text.strip_prefix('\u{feff}').map_or(text, |text| {
        tolerances.add(Kind::ByteOrderMark, String::new);
        text
    });
    let csaf: Csaf<'_> = serde_json::from_str(text).map_err(|e| unread(text, &e))?;
    check_version(&csaf.document.csaf_version)?;
    let mut advisory = head(&csaf, &mut tolerances);
    let products = csaf.product_tree.as_ref().map(|tree| Products::of(tree, &mut tolerances)).transpose()?;
    let products = products.unwrap_or_else(|| {
        tolerances.add(Kind::NoProductTree, String::new);
        Products::default()
    });
    let vulnerabilities = listed(csaf.vulnerabilities.as_ref());
    if vulnerabilities.is_empty() {
        tolerances.add(Kind::NoVulnerabilities, String::new);
    }
    advisory.vulnerabilities = Statements { products: &products, tolerances: &mut tolerances, references: 0 }.read(vulnerabilities)?;
    advisory.initial_version_only = is_initial_version_only(&csaf, &advisory, &products);
    if tolerances.too_many {
        return Err(whole(format!("it departs from the standard in more than {} places", tolerance::TOLERANCES_MAX)));
    }
    (advisory.products, advisory.tolerances) = (products.list, tolerances.list());
    advisory.sha256 = hex(&Sha256::digest(bytes));
    Ok(advisory)
}

/// What the document says of itself.
fn head(csaf: &Csaf<'_>, tolerances: &mut Tolerances) -> Advisory {
    let (document, tracking) = (&csaf.document, &csaf.document.tracking);
    if tracking.status.as_ref().is_some_and(|status| status.0 == "draft") {
        tolerances.add(Kind::Draft, || "/document/tracking/status".to_owned());
    }
    if document.title.is_none() {
        tolerances.add(Kind::NoTitle, || "/document".to_owned());
    }
    if tracking.initial_release_date.is_none() || tracking.current_release_date.is_none() {
        tolerances.add(Kind::NoDate, || "/document/tracking".to_owned());
    }
    let kept = |text: &Option<Name<'_>>| text.as_ref().map(|text| text.0.to_string()).unwrap_or_default();
    Advisory {
        publisher: document.publisher.name.0.to_string(),
        id: tracking.id.0.to_string(),
        title: tolerances.text(&kept(&document.title), || "/document/title".to_owned()),
        category: kept(&document.category),
        revision: tracking.version.0.to_string(),
        initial_release: kept(&tracking.initial_release_date),
        current_release: kept(&tracking.current_release_date),
        ..Advisory::default()
    }
}

fn check_version(version: &Name<'_>) -> Result<(), Unread> {
    let wrong = |why: String| Err(Unread::at("/document/csaf_version".to_owned(), why));
    match &*version.0 {
        VERSION => Ok(()),
        "2.1" => wrong("CSAF 2.1 is not read yet".to_owned()),
        other => wrong(format!("CSAF {other:?} is not read; 2.0 is")),
    }
}

/// Documents that CISA took over from Siemens and does not keep up to date. CISA says so in a note since May 2023; before, all that shows is
/// that every product is Siemens' and that Siemens' own document is referred to.
fn is_initial_version_only(csaf: &Csaf<'_>, advisory: &Advisory, products: &Products<'_>) -> bool {
    if advisory.publisher != "CISA" || *advisory.initial_release < *SIEMENS_FROZEN_FROM {
        return false;
    }
    let mut notes = listed(csaf.document.notes.as_ref()).iter().filter_map(|note| note.text.as_ref());
    let mut urls = listed(csaf.document.references.as_ref()).iter().filter_map(|reference| reference.url.as_ref());
    let siemens_alone = || !products.list.is_empty() && products.list.iter().all(|product| product.vendor == "Siemens");
    notes.any(|text| text.0.contains(CONVERTED)) || (siemens_alone() && urls.any(|url| url.0.starts_with(SIEMENS_OWN)))
}

/// Where a document stops being one: read once more, slower, with the path kept.
fn unread(text: &str, error: &serde_json::Error) -> Unread {
    // A document of another version may well have another shape; its version is what its reader has to know.
    if let Ok(versioned) = serde_json::from_str::<Versioned<'_>>(text)
        && let Err(unread) = check_version(&versioned.document.csaf_version)
    {
        return unread;
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let located = serde_path_to_error::deserialize::<_, Csaf<'_>>(&mut json);
    let at = located.err().map(|e| pointer(e.path())).unwrap_or_default();
    Unread::at(at, error.to_string())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer += &format!("/{index}"),
            Segment::Map { key } => pointer += &format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    if pointer.chars().count() <= POINTER_CHARS_MAX {
        return pointer;
    }
    pointer.chars().take(POINTER_CHARS_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
