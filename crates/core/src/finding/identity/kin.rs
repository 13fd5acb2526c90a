//! To which family a device belongs: by its order number or by a word of its model. The table is data: `families.toml`.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::{label, word};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    vendor: String,
    #[serde(default)]
    orders: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    is: Vec<String>,
    #[serde(default)]
    related: bool,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kin: Vec<Row>,
}

/// A family.
pub(super) struct Family {
    /// The words of its names.
    pub(super) words: Vec<String>,
    /// True where a name means the device only if it says `related`.
    pub(super) related: bool,
    vendor: String,
    with: Vec<String>,
    without: Vec<String>,
}

/// A beginning of order numbers, or a mask over models, and the family that it leads to.
type Lead = (String, usize);

struct Families {
    all: Vec<Family>,
    // By maker and the first two characters, so that a device is held against few of them.
    orders: HashMap<[u8; 2], Vec<Lead>>,
    models: HashMap<[u8; 2], Vec<Lead>>,
}

static FAMILIES: LazyLock<Families> = LazyLock::new(|| {
    let rows = toml::from_str::<Table>(include_str!("families.toml")).unwrap_or_default().kin;
    let mut families = Families { all: Vec::new(), orders: HashMap::new(), models: HashMap::new() };
    for (at, row) in rows.into_iter().enumerate() {
        let makers = BTreeSet::from([row.vendor.clone()]);
        let words = row.is.iter().flat_map(|name| label::read(name, &makers).names).flatten().collect::<BTreeSet<String>>();
        families.all.push(Family {
            words: words.into_iter().collect(),
            related: row.related,
            vendor: row.vendor,
            with: row.with,
            without: row.without,
        });
        for (leads, texts, end) in [(&mut families.orders, row.orders, "*"), (&mut families.models, row.models, "")] {
            for text in texts {
                let pattern = text.strip_suffix('$').map_or_else(|| format!("{text}{end}"), str::to_owned);
                leads.entry(head(&text)).or_default().push((pattern, at));
            }
        }
    }
    families
});

fn head(text: &str) -> [u8; 2] {
    let bytes = text.as_bytes();
    [bytes.first().copied().unwrap_or_default(), bytes.get(1).copied().unwrap_or_default()]
}

/// All families, in the order of the table.
pub(super) fn all() -> &'static [Family] {
    &FAMILIES.all
}

/// The families of an order number of one of these makers, as places in [`all`].
pub(super) fn of_order(key: &str, makers: &BTreeSet<String>) -> Vec<usize> {
    led(&FAMILIES.orders, key, makers).filter(|(_, family)| family.with.is_empty()).map(|(at, _)| at).collect()
}

/// The families of a model, by its words.
pub(super) fn of_model(words: &[String], makers: &BTreeSet<String>) -> Vec<usize> {
    let fits = |family: &Family| {
        (family.with.is_empty() || family.with.iter().any(|word| words.contains(word)))
            && !family.without.iter().any(|word| words.contains(word))
    };
    words.iter().flat_map(|word| led(&FAMILIES.models, word, makers)).filter(|(_, family)| fits(family)).map(|(at, _)| at).collect()
}

fn led<'a>(
    leads: &'a HashMap<[u8; 2], Vec<Lead>>,
    text: &'a str,
    makers: &'a BTreeSet<String>,
) -> impl Iterator<Item = (usize, &'static Family)> + 'a {
    let few = leads.get(&head(text)).map(Vec::as_slice).unwrap_or_default();
    let fits = few.iter().filter(move |(pattern, _)| word::fits(pattern.as_bytes(), text.as_bytes()));
    let known = fits.filter_map(|(_, at)| FAMILIES.all.get(*at).map(|family| (*at, family)));
    known.filter(move |(_, family)| makers.is_empty() || makers.contains(&family.vendor))
}
