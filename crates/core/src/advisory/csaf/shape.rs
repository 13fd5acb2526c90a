//! A CSAF 2.0 document as JSON has it: only the parts that are read, borrowed from the text where no escape stands in them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Longest name, id or version in bytes: the corpus' longest has under 400; parsers of ranges read each of them.
pub const NAME_BYTES_MAX: usize = 8 * 1024;
/// Longest running text in bytes: the corpus' longest has 3,164.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Entries of one list. The largest public documents name some 30,000 products.
pub const LIST_LENGTH_MAX: usize = 100_000;

/// Kinds of status in one vulnerability: the standard has eight.
const STATUSES_MAX: usize = 64;

/// A text of at most `MAX` bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text<'a, const MAX: usize = TEXT_BYTES_MAX>(pub Cow<'a, str>);

/// A name, an id, a version.
pub type Name<'a> = Text<'a, NAME_BYTES_MAX>;

/// A list of at most [`LIST_LENGTH_MAX`] entries.
#[derive(Debug)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A number as JSON has it, or as a text.
#[derive(Debug)]
pub enum Number<'a> {
    /// As the standard has it.
    Number(f64),
    /// In quotation marks.
    Text(Name<'a>),
}

/// `product_status`, in the order of the document.
#[derive(Debug, Default)]
pub struct Statuses<'a>(pub Vec<(Name<'a>, List<Name<'a>>)>);

struct TextVisitor<const MAX: usize>;

impl<const MAX: usize> TextVisitor<MAX> {
    fn short<E: Error>(text: &str) -> Result<(), E> {
        if text.len() <= MAX { Ok(()) } else { Err(E::custom(format!("a text of more than {MAX} bytes"))) }
    }
}

impl<'de, const MAX: usize> Visitor<'de> for TextVisitor<MAX> {
    type Value = Text<'de, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Self::short(text).map(|()| Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Self::short(text).map(|()| Text(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a, const MAX: usize> Deserialize<'de> for Text<'a, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor::<MAX>)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if list.len() == LIST_LENGTH_MAX {
                return Err(A::Error::custom(format!("a list of more than {LIST_LENGTH_MAX} entries")));
            }
            list.push(entry);
        }
        Ok(List(list))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::Number(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Number::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Number::Number(number as f64))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        TextVisitor.visit_borrowed_str(text).map(Number::Text)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TextVisitor.visit_str(text).map(Number::Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Number<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lists of products by status")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut statuses: Vec<(Name<'de>, List<Name<'de>>)> = Vec::new();
        while let Some((status, products)) = entries.next_entry()? {
            if statuses.iter().any(|(before, _)| *before == status) {
                return Err(A::Error::custom("a status stands there twice"));
            }
            if statuses.len() == STATUSES_MAX {
                return Err(A::Error::custom("more statuses than any standard has"));
            }
            statuses.push((status, products));
        }
        Ok(Statuses(statuses))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Statuses<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StatusesVisitor)
    }
}

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
    pub product_identification_helper: Option<Helper<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
pub struct Helper<'a> {
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
