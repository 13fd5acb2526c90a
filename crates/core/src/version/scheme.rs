//! Schemes of version texts: one table that a plant engineer can read, `schemes.toml`, one entry per vendor and product line.

use std::sync::LazyLock;

use serde::Deserialize;

/// What a letter right behind a number says (`10.0a`, `1.221F`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Letter {
    /// Nobody said: `1.0a` and `1.0b` have no order, and neither has one to `1.0`.
    #[default]
    Apart,
    /// A revision: `1.0` before `1.0a` before `1.0b`.
    Order,
}

/// What zeros at the end of the numbers say (`4.0` and `4.0.0`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zeros {
    /// Nobody said: `4.0.0` is `4.0` or comes behind it.
    #[default]
    Apart,
    /// Nothing: the vendor writes one release both ways.
    Same,
}

/// How the second of two numbers counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Minor {
    /// As a number: `1.31` after `1.4`.
    #[default]
    Number,
    /// By its digits from the left, as if zeros were left away at the end: `1.4` is `1.40`, after `1.31`.
    Fraction,
}

/// How a text of the line is built, where it is not numbers with marks behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Numbers, then service packs, letters, builds.
    #[default]
    Numbers,
    /// Cisco IOS: `15.2(7)E3`; the train (`E`) belongs to the line, and two trains have no order.
    Train,
    /// SEL's firmware identification: `SEL-751-R400-V1-Z012003-D20230428`; the relay before `-R` belongs to the line.
    Fid,
    /// WAGO: `02.07.07(10)`, where the number in parentheses is the release (`FW10`) and orders alone.
    Index,
    /// One to three letters alone are a release: `LF` behind `LE`.
    Letters,
}

/// How the versions of one product line are read and ordered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Its name, as verdicts show it.
    pub name: String,
    /// What vendor names begin with, in lower case; empty: any vendor.
    #[serde(default)]
    vendors: Vec<String>,
    /// Words of product names, in lower case; empty: any product of the vendor.
    #[serde(default)]
    products: Vec<String>,
    /// Letters in front of the first number that say nothing, beside `v` and `version`.
    #[serde(default)]
    prefixes: Vec<String>,
    /// Letters and digits in front of the first number that belong to the line.
    #[serde(default)]
    labels: Vec<String>,
    /// What comes on top of a release, the most weighty first: each tier is names with their other spellings, `hf=hotfix`. Two names of one
    /// tier have no order between them.
    #[serde(default)]
    levels: Vec<Vec<String>>,
    /// What a letter behind a number says.
    #[serde(default)]
    pub letter: Letter,
    /// What zeros at the end say.
    #[serde(default)]
    pub zeros: Zeros,
    /// How a text is built.
    #[serde(default)]
    pub form: Form,
    /// True where the one letter in front of the first number orders: `A1.5` before `B1.2`.
    #[serde(default)]
    pub label_orders: bool,
    /// Digits that the second number always has: with fewer of them nobody knows whether `9.4` is `9.04` or `9.40`.
    #[serde(default)]
    pub minor_digits: Option<usize>,
    /// True where zeros in front of the second number carry no order: `30.014` is `30.14`.
    #[serde(default)]
    pub padded: bool,
    /// How the second of two numbers counts, where it may have fewer than `minor_digits` digits.
    #[serde(default)]
    pub minor: Minor,
    /// True where dates written in one begin with the year: `16062014` is no day of June.
    #[serde(default)]
    pub year_first: bool,
    /// Words that stand for a dot: `3.1 Build 4022` is `3.1.4022`.
    #[serde(default)]
    dots: Vec<String>,
    /// Words that are read with their number and say nothing of the order.
    #[serde(default)]
    aside: Vec<String>,
    /// Where this is known from.
    pub source: String,
}

/// Spellings of what says nothing in front of a number, in every scheme.
const PREFIXES: [&str; 9] = ["version", "versions", "ver.", "ver", "v", "firmware", "firmware version", "software version", "fw version"];

static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Table {
        scheme: Vec<Scheme>,
    }
    // The table is part of the program, and a test reads it: it cannot fail where it passed that.
    toml::from_str::<Table>(include_str!("schemes.toml")).map(|table| table.scheme).unwrap_or_default()
});

impl Scheme {
    /// All schemes, in the order in which they are tried.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &SCHEMES
    }

    /// The scheme of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCHEMES.iter().find(|scheme| scheme.name == name)
    }

    /// The scheme of a product: the first of the table whose vendor and product words are those; the last one fits all.
    #[must_use]
    pub fn of(vendor: &str, product: &str) -> Option<&'static Self> {
        let (vendor, product) = (words(vendor), words(product));
        SCHEMES.iter().find(|scheme| scheme.fits(&vendor, &product))
    }

    fn fits(&self, vendor: &str, product: &str) -> bool {
        let starts =
            |name: &String| vendor.strip_prefix(name.as_str()).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        let has = |word: &String| at_word(product, word);
        (self.vendors.is_empty() || self.vendors.iter().any(starts)) && (self.products.is_empty() || self.products.iter().any(has))
    }

    /// The longest prefix that `folded` begins with.
    pub(super) fn prefix(&self, folded: &str) -> Option<usize> {
        let own = self.prefixes.iter().map(String::as_str);
        own.chain(PREFIXES).filter(|prefix| folded.starts_with(prefix)).map(str::len).max()
    }

    /// The label of the line that `folded` begins with.
    pub(super) fn label(&self, folded: &str) -> Option<&str> {
        self.labels.iter().map(String::as_str).find(|label| folded.starts_with(label))
    }

    /// The level that `folded` begins with: its tier, its place in it, and how long its name is. The longest name counts.
    pub(super) fn level(&self, folded: &str) -> Option<(u8, u8, usize)> {
        let tiers = self.levels.iter().enumerate();
        let names = tiers.flat_map(|(tier, names)| names.iter().enumerate().map(move |(place, name)| (tier, place, name)));
        let spelt = names.flat_map(|(tier, place, name)| name.split('=').map(move |spelling| (tier, place, spelling)));
        let (tier, place, spelling) =
            spelt.filter(|(.., spelling)| begins(folded, spelling)).max_by_key(|(.., spelling)| spelling.len())?;
        Some((u8::try_from(tier).ok()?, u8::try_from(place).ok()?, spelling.len()))
    }

    /// The name of a level.
    pub(super) fn level_name(&self, tier: u8, place: u8) -> &str {
        let names = self.levels.get(usize::from(tier)).and_then(|names| names.get(usize::from(place)));
        names.map_or("", |names| names.split('=').next().unwrap_or_default())
    }

    /// All spellings of its levels.
    #[cfg(test)]
    pub(super) fn level_names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().flatten().flat_map(|names| names.split('='))
    }

    /// How long the word is that stands for a dot at the start of `folded`.
    pub(super) fn dot(&self, folded: &str) -> Option<usize> {
        self.dots.iter().find(|word| begins(folded, word)).map(String::len)
    }

    /// True for a word that says nothing of the order.
    pub(super) fn is_aside(&self, word: &str) -> bool {
        self.aside.iter().any(|known| known == word)
    }
}

/// True where `word` begins the text and no letter goes on.
fn begins(folded: &str, word: &str) -> bool {
    folded.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// True where `word` stands in the text and no letter or digit is in front of it.
fn at_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text.get(..at).unwrap_or_default().ends_with(|c: char| c.is_ascii_alphanumeric()))
}

/// Lower case, with single blanks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
