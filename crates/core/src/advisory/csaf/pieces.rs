//! What a document is made of, each with its limit: texts, borrowed from the document where no escape stands in them; lists; numbers; and the map
//! of statuses, whose order and unknown names are kept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Longest name, id or version in bytes: the corpus' longest has under 400; parsers of ranges read each of them.
pub const NAME_BYTES_MAX: usize = 8 * 1024;
/// Longest running text in bytes: the corpus' longest has 3,164.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Entries of one list. The largest public documents name some 30,000 products.
pub const LIST_ENTRIES_MAX: usize = 100_000;

/// Kinds of status in one vulnerability: the standard has eight.
const STATUSES_MAX: usize = 64;

/// A text of at most `MAX` bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text<'a, const MAX: usize = TEXT_BYTES_MAX>(pub Cow<'a, str>);

/// A name, an id, a version.
pub type Name<'a> = Text<'a, NAME_BYTES_MAX>;

/// A list of at most [`LIST_ENTRIES_MAX`] entries.
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
            if list.len() == LIST_ENTRIES_MAX {
                return Err(A::Error::custom(format!("a list of more than {LIST_ENTRIES_MAX} entries")));
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
