//! A CSAF 2.0 document as JSON has it: only the parts that are read.

use super::pieces::{List, Name, Number, Statuses, Text};

/// The whole.
#[derive(Debug, serde::Deserialize)]
pub struct Csaf<'a> {
    #[serde(borrow)]
    pub document: Document<'a>,
    #[serde(borrow)]
    pub product_tree: Option<Tree<'a>>,
    #[serde(borrow)]
    pub vulnerabilities: Option<List<Vulnerability<'a>>>,
}

/// Enough of a document to tell its version, whatever else stands in it.
#[derive(Debug, serde::Deserialize)]
pub struct Versioned<'a> {
    #[serde(borrow)]
    pub document: VersionedDocument<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct VersionedDocument<'a> {
    #[serde(borrow)]
    pub csaf_version: Name<'a>,
}

/// 3.2.1.
#[derive(Debug, serde::Deserialize)]
pub struct Document<'a> {
    #[serde(borrow)]
    pub csaf_version: Name<'a>,
    #[serde(borrow)]
    pub publisher: Publisher<'a>,
    #[serde(borrow)]
    pub tracking: Tracking<'a>,
    #[serde(borrow)]
    pub title: Option<Name<'a>>,
    #[serde(borrow)]
    pub category: Option<Name<'a>>,
    #[serde(borrow)]
    pub notes: Option<List<Note<'a>>>,
    #[serde(borrow)]
    pub references: Option<List<Reference<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Publisher<'a> {
    #[serde(borrow)]
    pub name: Name<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Tracking<'a> {
    #[serde(borrow)]
    pub id: Name<'a>,
    #[serde(borrow)]
    pub version: Name<'a>,
    #[serde(borrow)]
    pub status: Option<Name<'a>>,
    #[serde(borrow)]
    pub initial_release_date: Option<Name<'a>>,
    #[serde(borrow)]
    pub current_release_date: Option<Name<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Note<'a> {
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Reference<'a> {
    #[serde(borrow)]
    pub url: Option<Text<'a>>,
}

/// 3.2.2.
#[derive(Debug, serde::Deserialize)]
pub struct Tree<'a> {
    #[serde(borrow)]
    pub branches: Option<List<Branch<'a>>>,
    #[serde(borrow)]
    pub full_product_names: Option<List<FullName<'a>>>,
    #[serde(borrow)]
    pub product_groups: Option<List<Group<'a>>>,
    #[serde(borrow)]
    pub relationships: Option<List<Related<'a>>>,
}

/// 3.1.2.
#[derive(Debug, serde::Deserialize)]
pub struct Branch<'a> {
    #[serde(borrow)]
    pub category: Name<'a>,
    #[serde(borrow)]
    pub name: Name<'a>,
    #[serde(borrow)]
    pub branches: Option<List<Branch<'a>>>,
    #[serde(borrow)]
    pub product: Option<FullName<'a>>,
}

/// 3.1.3: a product's full name, with its id.
#[derive(Debug, serde::Deserialize)]
pub struct FullName<'a> {
    #[serde(borrow)]
    pub name: Name<'a>,
    #[serde(borrow)]
    pub product_id: Name<'a>,
    #[serde(borrow)]
    pub product_identification_helper: Option<Identification<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct Identification<'a> {
    #[serde(borrow)]
    pub cpe: Option<Name<'a>>,
    #[serde(borrow)]
    pub purl: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub model_numbers: Option<List<Name<'a>>>,
    #[serde(borrow, default)]
    pub serial_numbers: Option<List<Name<'a>>>,
    #[serde(borrow, default)]
    pub skus: Option<List<Name<'a>>>,
    pub hashes: Option<serde::de::IgnoredAny>,
    pub sbom_urls: Option<serde::de::IgnoredAny>,
    pub x_generic_uris: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Group<'a> {
    #[serde(borrow)]
    pub group_id: Name<'a>,
    #[serde(borrow)]
    pub product_ids: List<Name<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Related<'a> {
    #[serde(borrow)]
    pub category: Name<'a>,
    #[serde(borrow)]
    pub full_product_name: FullName<'a>,
    #[serde(borrow)]
    pub product_reference: Name<'a>,
    #[serde(borrow)]
    pub relates_to_product_reference: Name<'a>,
}

/// 3.2.3.
#[derive(Debug, serde::Deserialize)]
pub struct Vulnerability<'a> {
    #[serde(borrow)]
    pub cve: Option<Name<'a>>,
    #[serde(borrow)]
    pub ids: Option<List<Id<'a>>>,
    #[serde(borrow)]
    pub title: Option<Text<'a>>,
    #[serde(borrow)]
    pub cwe: Option<Cwe<'a>>,
    #[serde(borrow)]
    pub product_status: Option<Statuses<'a>>,
    #[serde(borrow)]
    pub remediations: Option<List<Remediation<'a>>>,
    #[serde(borrow)]
    pub scores: Option<List<Score<'a>>>,
    #[serde(borrow)]
    pub flags: Option<List<Flag<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Id<'a> {
    #[serde(borrow)]
    pub text: Name<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Cwe<'a> {
    #[serde(borrow)]
    pub id: Name<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Remediation<'a> {
    #[serde(borrow)]
    pub category: Name<'a>,
    #[serde(borrow)]
    pub details: Option<Text<'a>>,
    #[serde(borrow)]
    pub url: Option<Text<'a>>,
    #[serde(borrow)]
    pub restart_required: Option<Restart<'a>>,
    pub entitlements: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    pub product_ids: Option<List<Name<'a>>>,
    #[serde(borrow)]
    pub group_ids: Option<List<Name<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Restart<'a> {
    #[serde(borrow)]
    pub category: Name<'a>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Score<'a> {
    #[serde(borrow)]
    pub cvss_v2: Option<Cvss<'a>>,
    #[serde(borrow)]
    pub cvss_v3: Option<Cvss<'a>>,
    #[serde(borrow)]
    pub cvss_v4: Option<Cvss<'a>>,
    #[serde(borrow, default)]
    pub products: Option<List<Name<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Cvss<'a> {
    #[serde(borrow, rename = "vectorString")]
    pub vector: Option<Name<'a>>,
    #[serde(borrow, rename = "baseScore")]
    pub base: Option<Number<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub struct Flag<'a> {
    #[serde(borrow)]
    pub label: Name<'a>,
    #[serde(borrow)]
    pub product_ids: Option<List<Name<'a>>>,
    #[serde(borrow)]
    pub group_ids: Option<List<Name<'a>>>,
}
