//! Questions to the catalog: which devices, in which order, from where on. The command line and whatever serves pages use the same.
//!
//! A page goes on behind the last device of the page before, named by what it was sorted by and by its id, not by a number: a device
//! that comes or goes in between moves no other from one page to the next.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::catalog::Asset;
use crate::claim::Field;
use crate::observation::{hex, rfc3339, unhex};
use crate::profile::ProfileSet;
use crate::sheet::Column;
use crate::version::Order;

/// Conditions of one question: each is looked at for each device.
const FILTERS_MAX: usize = 32;
/// Stands between the sort value and the id in a cursor; no text of a device has it.
const SEPARATOR: char = '\0';

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The same, in upper or lower case.
    Is,
    /// Not the same; also where there is none.
    IsNot,
    /// It stands somewhere in it, in upper or lower case.
    Contains,
    /// Before it.
    Less,
    /// Before it, or the same.
    AtMost,
    /// Behind it.
    More,
    /// Behind it, or the same.
    AtLeast,
}

/// In the order in which they are looked for: longer ones first.
const TESTS: [(&str, Test); 7] = [
    ("!=", Test::IsNot),
    ("<=", Test::AtMost),
    (">=", Test::AtLeast),
    ("=", Test::Is),
    ("~", Test::Contains),
    ("<", Test::Less),
    (">", Test::More),
];

/// One condition: `firmware_revision<3.2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    column: String,
    test: Test,
    value: String,
}

/// What devices are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    column: String,
    falling: bool,
}

/// The last device of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    key: String,
    id: String,
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All of them must hold.
    pub filters: Vec<Filter>,
    /// The order; without one by id.
    pub sort: Option<Sort>,
    /// Begin behind this device.
    pub after: Option<Cursor>,
    /// Devices of a page; `None` is all of them.
    pub limit: Option<usize>,
}

/// A page.
#[derive(Debug)]
pub struct Page<'a> {
    /// Its devices, in order.
    pub assets: Vec<&'a Asset>,
    /// How many fit the conditions, on all pages.
    pub matched: usize,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// A question that is none, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadQuery(pub String);

impl std::error::Error for BadQuery {}

impl fmt::Display for BadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a column as people spell it; what we do not know is a column of some sheet.
fn column(text: &str) -> Result<String, BadQuery> {
    match text.trim() {
        "" => Err(BadQuery("a condition begins with a column: firmware_revision<3.2".into())),
        name => Ok(Column::called(name).map_or_else(|| name.to_owned(), |column| column.name.to_owned())),
    }
}

impl FromStr for Filter {
    type Err = BadQuery;

    fn from_str(text: &str) -> Result<Self, BadQuery> {
        let at = text.find(['!', '<', '>', '=', '~']).unwrap_or(text.len());
        let (name, rest) = text.split_at(at);
        let found = TESTS.iter().find_map(|(sign, test)| rest.strip_prefix(sign).map(|value| (*test, value)));
        let (test, value) = found.ok_or_else(|| BadQuery(format!("{text:?} has none of = != ~ < <= > >=: write firmware_revision<3.2")))?;
        Ok(Self { column: column(name)?, test, value: value.trim().to_owned() })
    }
}

impl FromStr for Sort {
    type Err = BadQuery;

    /// `last_seen`, or `-last_seen` for the latest first.
    fn from_str(text: &str) -> Result<Self, BadQuery> {
        let rising = text.strip_prefix('-');
        Ok(Self { column: column(rising.unwrap_or(text))?, falling: rising.is_some() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(format!("{}{SEPARATOR}{}", self.key, self.id).as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = BadQuery;

    fn from_str(text: &str) -> Result<Self, BadQuery> {
        let bytes = unhex(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = bytes.as_deref().and_then(|text| text.rsplit_once(SEPARATOR));
        let (key, id) =
            parts.ok_or_else(|| BadQuery(format!("{text:?} is no place to go on from; it is what the page before ended with")))?;
        Ok(Self { key: key.to_owned(), id: id.to_owned() })
    }
}

/// What stands in a column of the inventory file for this device; empty where nothing does.
fn value<'a>(asset: &'a Asset, column: &str) -> Cow<'a, str> {
    let address = asset.address();
    let text = |value: Option<String>| Cow::Owned(value.unwrap_or_default());
    match column {
        "id" => asset.id.as_str().into(),
        "mac" => address.and_then(|address| address.mac.as_deref()).unwrap_or_default().into(),
        "ip" => text(address.and_then(|address| address.ip).map(|ip| ip.to_string())),
        "port" => text(address.and_then(|address| address.port).map(|port| port.to_string())),
        "unit" => text(address.and_then(|address| address.unit).map(|unit| unit.to_string())),
        "speaks" => asset.speaks.keys().map(String::as_str).collect::<Vec<_>>().join(" ").into(),
        "profile" => asset.profile.as_deref().unwrap_or_default().into(),
        "last_seen" if asset.is_listed_only() => "".into(),
        "last_seen" => rfc3339(asset.seen_ns.1).into(),
        "source" => if asset.is_listed_only() { "imported" } else { "read" }.into(),
        other => match Column::named(other).and_then(|column| column.field) {
            Some(field) => asset.shown(field).map(|current| current.standing.claim.value.as_str()).unwrap_or_default().into(),
            None => asset.columns.get(other).map(String::as_str).unwrap_or_default().into(),
        },
    }
}

/// True for a text that is `lower` in lower case. Most texts are ASCII, and need no copy.
fn is_alike(text: &str, lower: &str) -> bool {
    if text.is_ascii() { text.eq_ignore_ascii_case(lower) } else { text.to_lowercase() == lower }
}

/// True for a text in which `lower` stands, in lower case.
fn has_within(text: &str, lower: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(lower);
    }
    lower.is_empty() || text.as_bytes().windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower.as_bytes()))
}

impl Query {
    /// The page of a catalog's assets that it asks for.
    ///
    /// # Errors
    /// It has too many conditions.
    pub fn page<'a>(&self, assets: impl Iterator<Item = &'a Asset>, profiles: &ProfileSet) -> Result<Page<'a>, BadQuery> {
        if self.filters.len() > FILTERS_MAX {
            return Err(BadQuery(format!("more than {FILTERS_MAX} conditions")));
        }
        let filters: Vec<(&Filter, String)> = self.filters.iter().map(|filter| (filter, filter.value.to_lowercase())).collect();
        let fits = |asset: &&Asset| filters.iter().all(|(filter, lower)| filter.holds(asset, lower, profiles));
        let by = |asset: &'a Asset| self.sort.as_ref().map(|sort| value(asset, &sort.column)).unwrap_or_default();
        let mut found: Vec<(Cow<'_, str>, &Asset)> = assets.filter(fits).map(|asset| (by(asset), asset)).collect();
        let matched = found.len();
        if let Some(Cursor { key, id }) = &self.after {
            found.retain(|(own, asset)| self.compare((own, &asset.id), (key, id)).is_gt());
        }
        let order =
            |one: &(Cow<'_, str>, &Asset), other: &(Cow<'_, str>, &Asset)| self.compare((&one.0, &one.1.id), (&other.0, &other.1.id));
        let limit = self.limit.unwrap_or(usize::MAX);
        let goes_on = found.len() > limit;
        if goes_on {
            // Only the page is put in order.
            found.select_nth_unstable_by(limit, order);
            found.truncate(limit);
        }
        found.sort_unstable_by(order);
        let last = found.last().filter(|_| goes_on).map(|(key, asset)| Cursor { key: key.to_string(), id: asset.id.clone() });
        Ok(Page { assets: found.into_iter().map(|(_, asset)| asset).collect(), matched, next: last })
    }

    /// By the sort value, else by the id. Nothing stands behind everything, in both directions.
    fn compare(&self, one: (&str, &str), other: (&str, &str)) -> Ordering {
        let values = match (one.0.is_empty(), other.0.is_empty()) {
            (false, false) if self.sort.as_ref().is_some_and(|sort| sort.falling) => natural(other.0, one.0),
            (false, false) => natural(one.0, other.0),
            (one_is_empty, other_is_empty) => one_is_empty.cmp(&other_is_empty),
        };
        values.then_with(|| one.1.cmp(other.1))
    }
}

impl Filter {
    /// `lower` is its value in lower case.
    fn holds(&self, asset: &Asset, lower: &str, profiles: &ProfileSet) -> bool {
        let own = value(asset, &self.column);
        match self.test {
            Test::Is => is_alike(&own, lower),
            Test::IsNot => !is_alike(&own, lower),
            Test::Contains => has_within(&own, lower),
            _ if own.is_empty() => false,
            test => {
                let order = match Column::named(&self.column).and_then(|column| column.field).filter(|field| is_ordered(*field)) {
                    Some(field) => release_order(asset, field, profiles).compare(&own, &self.value),
                    None => Some(natural(&own, &self.value)),
                };
                // A release whose order nobody knows is neither before nor behind.
                order.is_some_and(|order| match test {
                    Test::Less => order.is_lt(),
                    Test::AtMost => order.is_le(),
                    Test::More => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
        }
    }
}

/// Releases have the order that the device's profile names, not that of texts.
const fn is_ordered(field: Field) -> bool {
    field.is_revision() && !matches!(field, Field::SerialNumber | Field::Patch)
}

fn release_order(asset: &Asset, field: Field, profiles: &ProfileSet) -> Order {
    let by_claim = asset.shown(field).and_then(|current| profiles.get(&current.standing.claim.profile));
    let profile = by_claim.or_else(|| asset.profile.as_deref().and_then(|id| profiles.get(id)));
    profile.map_or(Order::Opaque, |profile| profile.version_order)
}

/// The order in which people sort texts: digits as numbers, so that 10.0.0.9 stands before 10.0.0.10. Of releases it is no judgement.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one_rest, mut other_rest) = (one.as_bytes(), other.as_bytes());
    loop {
        match (one_rest.first(), other_rest.first()) {
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let (a, b) = (digits(&mut one_rest), digits(&mut other_rest));
                let order = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
                if order.is_ne() {
                    return order;
                }
            }
            (Some(a), Some(b)) => {
                let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
                if order.is_ne() {
                    return order;
                }
                (one_rest, other_rest) = (&one_rest[1..], &other_rest[1..]);
            }
            (None, None) => return one.cmp(other),
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

/// Takes the digits at the front; returns them without leading zeros.
fn digits<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (all, behind) = rest.split_at(end);
    *rest = behind;
    let zeros = all.iter().position(|byte| *byte != b'0').unwrap_or(all.len());
    all.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sheet::{Import, read};

    fn catalog() -> Catalog {
        let text = "tag,ip,manufacturer,model,serial,Ort\nP-2,10.0.0.10,Wurm,X1,S1,Nord\nP-10,10.0.0.9,wurm,X2,S2,Süd\nP-1,10.0.1.1,Computec,X1,,\n\
                    P-3,,Computec,,S4,Nord\n";
        let mut catalog = Catalog::default();
        let sheet = read(text.as_bytes()).unwrap().sheet;
        catalog.import(&Import { file: "a".into(), sha256: String::new(), sheet }, 1, None);
        catalog
    }

    fn query(filters: &[&str], sort: Option<&str>) -> Query {
        let filters = filters.iter().map(|filter| filter.parse().unwrap()).collect();
        Query { filters, sort: sort.map(|sort| sort.parse().unwrap()), ..Query::default() }
    }

    #[test]
    fn conditions_and_orders_are_those_of_people() {
        let (catalog, profiles) = (catalog(), ProfileSet::built_in().unwrap());
        for (filters, sort, expected) in [
            (&[][..], Some("tag"), &["P-1", "P-2", "P-3", "P-10"][..]),
            (&[], Some("-tag"), &["P-10", "P-3", "P-2", "P-1"]),
            (&[], Some("IP address"), &["P-10", "P-2", "P-1", "P-3"]),
            (&[], Some("-ip"), &["P-1", "P-2", "P-10", "P-3"]),
            (&["vendor=WURM"], Some("tag"), &["P-2", "P-10"]),
            (&["vendor!=wurm"], Some("tag"), &["P-1", "P-3"]),
            (&["model~x", "Ort=nord"], Some("tag"), &["P-2"]),
            (&["serial="], Some("tag"), &["P-1"]),
            (&["serial!="], Some("tag"), &["P-2", "P-3", "P-10"]),
            (&["ip<10.0.0.10"], Some("tag"), &["P-10"]),
            (&["ip>=10.0.0.10"], Some("tag"), &["P-1", "P-2"]),
            (&["tag<=P-2"], Some("tag"), &["P-1", "P-2"]),
            // The order of these releases is not known: neither side has them.
            (&["firmware<9"], Some("tag"), &[]),
            (&["source=imported", "port="], Some("tag"), &["P-1", "P-2", "P-3", "P-10"]),
        ] {
            let page = query(filters, sort).page(catalog.assets(), &profiles).unwrap();
            let tags: Vec<&str> = page.assets.iter().map(|asset| asset.columns["tag"].as_str()).collect();
            assert_eq!((&tags[..], page.matched), (expected, expected.len()), "{filters:?} {sort:?}");
        }
        for bad in ["", "model", "=x", "model!x"] {
            bad.parse::<Filter>().expect_err(bad);
        }
    }

    #[test]
    fn pages_follow_each_other_whatever_comes_or_goes() {
        let (catalog, profiles) = (catalog(), ProfileSet::built_in().unwrap());
        for sort in [None, Some("tag"), Some("-model"), Some("Ort")] {
            let whole = query(&[], sort).page(catalog.assets(), &profiles).unwrap();
            assert!(whole.next.is_none());
            for limit in 1..=5 {
                let (mut after, mut seen) = (None, Vec::new());
                loop {
                    let page =
                        Query { limit: Some(limit), after: after.take(), ..query(&[], sort) }.page(catalog.assets(), &profiles).unwrap();
                    assert_eq!(page.matched, 4);
                    seen.extend(page.assets.iter().map(|asset| &asset.id));
                    let Some(next) = page.next else { break };
                    assert_eq!(next.to_string().parse::<Cursor>(), Ok(next.clone()));
                    after = Some(next);
                }
                assert_eq!(seen, whole.assets.iter().map(|asset| &asset.id).collect::<Vec<_>>(), "{sort:?} {limit}");
            }
        }
        // The device it ended with need not be there any more.
        let gone = Cursor { key: "P-4".into(), id: "a-ffffffffffff".into() };
        let page = Query { after: Some(gone), ..query(&[], Some("tag")) }.page(catalog.assets(), &profiles).unwrap();
        assert_eq!(page.assets.len(), 1);
        for bad in ["zz", "", "00ff"] {
            bad.parse::<Cursor>().expect_err(bad);
        }
    }
}
