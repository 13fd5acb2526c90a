//! What publishers say of products: a document as every later step reads it, whatever file it came from.
//!
//! Texts stand as they were written; nothing is normalised here. Products, vulnerabilities and remediations refer to products by their
//! place in [`Advisory::products`].

pub mod bulletin;
pub mod compiled;
pub mod csaf;
mod delivery;
pub mod exploitation;
mod set;

use serde::{Deserialize, Serialize};

pub use self::delivery::{Changes, Delivery, Held, ListReference, Reference};
pub use self::set::{Advisories, Taken, revision_order};

/// Place of a product in [`Advisory::products`].
pub type ProductIndex = u32;

/// One document: CSAF 2.0 (ISO/IEC 20153), or a vendor's bulletin in our CSV form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// `document.publisher.name`.
    pub publisher: String,
    /// `document.tracking.id`, as written.
    pub id: String,
    /// `document.title`.
    pub title: String,
    /// `document.category`.
    pub category: String,
    /// `document.tracking.version`, as written.
    pub revision: String,
    /// `document.tracking.initial_release_date`, as written.
    pub initial_release: String,
    /// `document.tracking.current_release_date`, as written.
    pub current_release: String,
    /// SHA-256 of the file's bytes, lower case hexadecimal: a document is its publisher, its id and this.
    pub sha256: String,
    /// True where the document is only the first version of a vendor's own, which wins: ICSA documents converted from Siemens' after
    /// 10 January 2023.
    pub initial_version_only: bool,
    /// What was not as the standard has it, and how it was taken.
    pub tolerances: Vec<Tolerance>,
    /// The products, in the order of the tree.
    pub products: Vec<Product>,
    /// Where in a vendor's own paper a bulletin stands that was read by hand: `p. 12`. Documents that a program reads have none.
    #[serde(default)]
    pub page: Option<String>,
    /// The vulnerabilities, in the document's order.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// A place where a document is not as the standard has it, and was read all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Where: a JSON pointer (RFC 6901), or a line of a CSV.
    pub path: String,
    /// What, in one of a closed list of sentences.
    pub what: String,
}

/// One product that has an id: a leaf of the product tree, or a relationship's product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `product_id`.
    pub id: String,
    /// The name of the `vendor` branch above; empty where there is none.
    pub vendor: String,
    /// The name of the `product_family` branch above, where there is one.
    pub family: Option<String>,
    /// The name of the `product_name` branch; where there is none, the product's full name.
    pub name: String,
    /// `product.name`, the full name.
    pub full_name: String,
    /// The version, the range of versions, or none.
    pub release: Release,
    /// `product_identification_helper.model_numbers`.
    pub model_numbers: Vec<String>,
    /// `product_identification_helper.skus`.
    pub skus: Vec<String>,
    /// `product_identification_helper.serial_numbers`.
    pub serial_numbers: Vec<String>,
    /// `product_identification_helper.cpe`.
    pub cpe: Option<String>,
    /// `product_identification_helper.purl`.
    pub purl: Option<String>,
    /// Branches above it of categories that have no field here, outermost first: category and name (`host_name`, `service_pack`, ...). Each
    /// narrows the product further than the rest says.
    #[serde(default)]
    pub qualifiers: Vec<(String, String)>,
    /// Where this product is one of another (`default_component_of`, `installed_on`, ...): the relationship's category and the two.
    pub relationship: Option<Relationship>,
}

/// A product made of two: a component on a platform. Its name, family and release are the component's; what is said of it is said where the
/// component stands on that platform, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// `installed_on`, `default_component_of`, `installed_with`, `external_component_of`, `optional_component_of`.
    pub category: String,
    /// The component.
    pub component: ProductIndex,
    /// What it is installed on or part of.
    pub platform: ProductIndex,
}

/// The version slot of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// The tree names none: every release of the product.
    #[default]
    Every,
    /// A `product_version` branch: publishers write ranges and catalogue numbers here, too. Of a product outside the branches its full name,
    /// which may tell a release or none.
    Version(String),
    /// A `product_version_range` branch.
    Range(String),
}

/// One vulnerability of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// `cve`; where there is none, the first of `ids`, else a name made of the title.
    pub cve: String,
    /// `title`.
    pub title: String,
    /// `cwe.id`.
    pub cwe: Option<String>,
    /// What is said of which products, in the document's order: a product may stand under several.
    pub statuses: Vec<(Status, Vec<ProductIndex>)>,
    /// What is offered; product groups are resolved.
    pub remediations: Vec<Remediation>,
    /// CVSS, per products.
    pub scores: Vec<Score>,
    /// `flags`: why a product is not affected (`component_not_present`, ...).
    pub flags: Vec<(String, Vec<ProductIndex>)>,
}

/// CSAF 2.0, 3.2.3.9: product status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The first release that is affected.
    FirstAffected,
    /// The first release with the fix.
    FirstFixed,
    /// Has the fix.
    Fixed,
    /// Is affected.
    KnownAffected,
    /// Is not affected.
    KnownNotAffected,
    /// The last release that is affected.
    LastAffected,
    /// The releases that the vendor recommends.
    Recommended,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// What a publisher offers against a vulnerability (CSAF 2.0, 3.2.3.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// `vendor_fix`, `mitigation`, `workaround`, `none_available`, `no_fix_planned`, as written.
    pub category: String,
    /// The text.
    pub details: String,
    /// Where more is said.
    pub url: Option<String>,
    /// `restart_required.category`.
    pub restart: Option<String>,
    /// For which products; empty where the document does not say: then it is for all of the vulnerability.
    pub products: Vec<ProductIndex>,
}

/// A CVSS score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// `CVSS:3.1/AV:N/...`, or the vector of version 2 or 4 as written.
    pub vector: String,
    /// The base score as written, `9.8`.
    pub base: String,
    /// For which products.
    pub products: Vec<ProductIndex>,
}
