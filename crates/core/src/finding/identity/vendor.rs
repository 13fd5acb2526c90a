//! Who made it: the names of makers, each in one spelling. The table is data: `vendors.toml`.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

/// Longer texts are cut: the longest of the corpus has 84 bytes.
const VENDOR_BYTES_MAX: usize = 256;

/// More makers in one text are not looked for: the most of the corpus is five.
const VENDORS_MAX: usize = 8;

/// What companies call their legal form: says nothing of who they are.
const FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "llc",
    "gmbh",
    "ag",
    "co",
    "ltd",
    "corp",
    "corporation",
    "limited",
    "kg",
    "sa",
    "spa",
    "bv",
    "company",
    "plc",
    "sas",
    "srl",
    "oy",
    "ab",
    "kgaa",
    "sp",
    "aktiebolag",
    "pty",
];

/// Words in the place of a maker's name that name none.
const NOBODY: &[&str] = &["multiple", "multiple open source", "n a", "various", "unknown", "none", "open source", "not set"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    vendor: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| toml::from_str::<Table>(include_str!("vendors.toml")).map(|table| table.vendor).unwrap_or_default());

static NAMES: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let rows = ROWS.iter().enumerate();
    rows.flat_map(|(at, row)| std::iter::once(&row.name).chain(&row.also).map(move |name| (name.as_str(), at))).collect()
});

/// A text in the place of a maker's name, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Makers {
    /// The names, each in one spelling; several where the text names several or one that belongs to another.
    pub(super) names: BTreeSet<String>,
    /// What was not understood: a text that names nobody, or one that was damaged on its way.
    pub(super) rest: bool,
}

/// Reads the name of a maker, or of several in one text (`Red Lion, AutomationDirect`).
pub(super) fn read(text: &str) -> Makers {
    let text = super::word::cut(text.trim(), VENDOR_BYTES_MAX);
    let whole = normal(text);
    if whole.is_empty() || NOBODY.contains(&whole.as_str()) {
        return Makers { names: BTreeSet::new(), rest: true };
    }
    let mut makers = Makers { names: BTreeSet::new(), rest: text.chars().any(damaged) };
    let known = add(&mut makers.names, &whole);
    if !known {
        let parts = text.split([',', '/', '(', ')', ';']).flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" - "));
        for part in parts.map(normal).filter(|part| !part.is_empty()).take(VENDORS_MAX) {
            add(&mut makers.names, &part);
        }
    }
    makers
}

/// Adds a name in the spelling of the table; false where the table does not know it.
fn add(names: &mut BTreeSet<String>, name: &str) -> bool {
    let Some(row) = NAMES.get(name).and_then(|at| ROWS.get(*at)) else {
        names.insert(name.to_owned());
        return false;
    };
    names.insert(row.name.clone());
    names.extend(row.with.iter().cloned());
    true
}

/// Lower case, words only, without the legal form.
fn normal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '+').filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let kept: Vec<&str> = words.iter().map(String::as_str).filter(|word| !FORMS.contains(word)).collect();
    if kept.is_empty() { words.join(" ") } else { kept.join(" ") }
}

/// Signs of UTF-8 that was read as Latin-1, or of bytes that were no text.
const fn damaged(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{c3}' | '\u{c2}' | '\u{e2}')
}

/// True where a word is the name of a maker: it says nothing of the model.
pub(super) fn is_name(word: &str) -> bool {
    NAMES.contains_key(word)
}
