//! A sheet against what was read. A device that was not seen is never called gone: all that is known is where we looked.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{COLUMNS, DOUBTFUL, Row, Sheet};
use crate::catalog::{Asset, Catalog, Found, Index};
use crate::claim::{Field, Grade};
use crate::finding::identity::makers;
use crate::profile::ProfileSet;
use crate::version::Order;

/// How one row stands to what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing that was read differs, and where the sheet names a firmware it was read.
    Match,
    /// At least one field differs.
    Differs,
    /// Something answers there, but whether it is as the sheet says cannot be told.
    Undecided,
    /// Not seen where we looked.
    NotSeen,
    /// Seen, and in no row of the sheet.
    OnlyOnTheWire,
}

impl Outcome {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differs => "differs",
            Self::Undecided => "undecided",
            Self::NotSeen => "not-seen",
            Self::OnlyOnTheWire => "only-on-the-wire",
        }
    }
}

/// What was read, seen from the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// What was read is the newer one.
    Newer,
    /// What was read is the older one.
    Older,
    /// It is another one; their order is not known, or there is none.
    Unknown,
}

impl Relation {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Newer => "newer",
            Self::Older => "older",
            Self::Unknown => "unknown",
        }
    }
}

/// One field in which a row and a reading differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The column.
    pub column: &'static str,
    /// The sheet's word.
    pub sheet: String,
    /// What was read.
    pub seen: String,
    /// How the one that was read stands to the sheet's.
    pub relation: Relation,
}

/// One row, or one asset that no row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The row's number, from 1; `None` where no row is about the asset.
    pub row: Option<u64>,
    /// The asset's id, where one was found.
    pub asset: Option<String>,
    /// How they stand to each other.
    pub outcome: Outcome,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Columns that the sheet fills and no reading says anything about.
    pub not_said: Vec<&'static str>,
    /// True where what it was compared with is from a list, too; no reading says it.
    pub listed_only: bool,
    /// What else there is to say, in words; empty where nothing.
    pub reason: String,
}

/// Compares every row with a catalog, then names the assets that were seen and are in no row. `looked_in` says in words where the
/// catalog comes from.
#[must_use]
pub fn compare(sheet: &Sheet, catalog: &Catalog, profiles: &ProfileSet, looked_in: &str) -> Vec<Compared> {
    let index = Index::of(catalog);
    let mut rows_of: BTreeMap<String, u64> = BTreeMap::new();
    let mut compared: Vec<Compared> = Vec::with_capacity(sheet.rows.len());
    for row in sheet.rows() {
        let mut outcome = match index.find(catalog, &row) {
            Found::One(id) => {
                let asset = catalog.asset(&id);
                asset.map_or_else(|| not_seen(&row, catalog, looked_in), |asset| with_asset(&row, asset, profiles))
            }
            Found::Several(ids) => {
                let reason = format!("the row may be about any of {}; port and unit would tell", ids.join(", "));
                // Each of them may be the row's, so none is in no row.
                for id in ids {
                    rows_of.entry(id).or_insert(row.number);
                }
                Compared { reason, ..nothing(&row, Outcome::Undecided) }
            }
            Found::None => not_seen(&row, catalog, looked_in),
        };
        if let Some(id) = &outcome.asset {
            let first = *rows_of.entry(id.clone()).or_insert(row.number);
            if first != row.number {
                outcome.reason =
                    [outcome.reason, format!("row {first} is about the same device")].join("; ").trim_start_matches("; ").to_owned();
            }
        }
        compared.push(outcome);
    }
    for asset in catalog.assets().filter(|asset| !asset.is_listed_only() && !rows_of.contains_key(&asset.id)) {
        compared.push(Compared {
            row: None,
            asset: Some(asset.id.clone()),
            outcome: Outcome::OnlyOnTheWire,
            differences: Vec::new(),
            not_said: Vec::new(),
            listed_only: false,
            reason: if sheet.left_out.is_empty() {
                "no row of the sheet is about it"
            } else {
                "no row of the sheet that could be read is about it"
            }
            .into(),
        });
    }
    compared
}

fn nothing(row: &Row<'_>, outcome: Outcome) -> Compared {
    let (differences, not_said) = (Vec::new(), Vec::new());
    Compared { row: Some(row.number), asset: None, outcome, differences, not_said, listed_only: false, reason: String::new() }
}

/// Says what was looked for, and what else answers at its address.
fn not_seen(row: &Row<'_>, catalog: &Catalog, looked_in: &str) -> Compared {
    let address = row.address();
    let port = address.port.map(|port| format!(":{port}")).unwrap_or_default();
    let unit = address.unit.map(|unit| format!("/{unit}")).unwrap_or_default();
    let place = address.ip.map(|ip| format!("{ip}{port}{unit}"));
    let serial = row.cell("serial_number").map(|serial| format!("serial number {serial}"));
    let named: Vec<String> = row.cell("id").map(|id| format!("id {id}")).into_iter().chain(place).chain(serial).collect();
    let reason = if named.is_empty() {
        "the row names no id, address or serial number, so there is nothing to look for".to_owned()
    } else {
        let others: Vec<String> = address.ip.map(|ip| catalog.at(ip).map(|asset| asset.id.clone()).collect()).unwrap_or_default();
        let instead = if others.is_empty() { String::new() } else { format!("; at that address: {}", sorted(others).join(", ")) };
        format!("looked for {} in {looked_in}; not there{instead}", named.join(", "))
    };
    Compared { reason, ..nothing(row, Outcome::NotSeen) }
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids.dedup();
    ids
}

fn with_asset(row: &Row<'_>, asset: &Asset, profiles: &ProfileSet) -> Compared {
    let mut compared = Compared { asset: Some(asset.id.clone()), listed_only: asset.is_listed_only(), ..nothing(row, Outcome::Match) };
    let mut equal = 0_usize;
    let compares = |field: Field| !matches!(field, Field::Location | Field::DeviceClass);
    for column in &COLUMNS {
        let Some((field, listed)) = column.field.filter(|field| compares(*field)).zip(row.cell(column.name)) else { continue };
        let Some(current) = asset.shown(field) else {
            compared.not_said.push(column.name);
            continue;
        };
        let read = current.standing;
        if read.claim.grade >= Grade::Imported && !compared.listed_only {
            // An earlier list is no witness for this one.
            compared.not_said.push(column.name);
            continue;
        }
        let profile = profiles.get(&read.claim.profile).or_else(|| asset.profile.as_deref().and_then(|id| profiles.get(id)));
        match relation(field, listed, &read.claim.value, profile.map_or(Order::Opaque, |profile| profile.version_order)) {
            None => equal += 1,
            Some(relation) => {
                let (sheet, seen) = (listed.to_owned(), read.claim.value.clone());
                compared.differences.push(Difference { column: column.name, sheet, seen, relation });
            }
        }
    }
    compared.differences.extend(moved(row, asset));
    let firmware_not_said = compared.not_said.contains(&Field::FirmwareRevision.name());
    let doubtful: Vec<&str> = row.cells().filter_map(|(column, _)| column.strip_suffix(DOUBTFUL)).collect();
    compared.outcome = if !compared.differences.is_empty() {
        Outcome::Differs
    } else if firmware_not_said || !doubtful.is_empty() || (equal == 0 && !compared.not_said.is_empty()) {
        Outcome::Undecided
    } else {
        Outcome::Match
    };
    compared.reason = if compared.listed_only {
        "known from an earlier list only; no reading".to_owned()
    } else if compared.not_said.is_empty() {
        String::new()
    } else {
        let why = if asset.why_unknown.is_empty() { String::new() } else { format!(" ({})", asset.why_unknown) };
        format!("it never said its {}{why}", compared.not_said.join(", "))
    };
    if !doubtful.is_empty() {
        let doubt = format!("the sheet's {} is doubtful, a spreadsheet has changed it, and was not compared", doubtful.join(", "));
        compared.reason = if compared.reason.is_empty() { doubt } else { format!("{doubt}; {}", compared.reason) };
    }
    compared
}

/// How what was read stands to the sheet's word; `None` where they are the same. Serial numbers and patches are the same letter by
/// letter, other names in upper or lower case, and makers by any of their names (`Allen-Bradley`, `Rockwell Automation`).
fn relation(field: Field, listed: &str, read: &str, order: Order) -> Option<Relation> {
    let is_ordered = field.is_revision() && !matches!(field, Field::SerialNumber | Field::Patch);
    if !is_ordered {
        let same = listed == read
            || (!field.is_revision() && listed.to_lowercase() == read.to_lowercase())
            || (field == Field::Manufacturer && is_one_maker(listed, read));
        return (!same).then_some(Relation::Unknown);
    }
    match order.compare(read, listed) {
        Some(Ordering::Equal) => None,
        Some(Ordering::Greater) => Some(Relation::Newer),
        Some(Ordering::Less) => Some(Relation::Older),
        None => Some(Relation::Unknown),
    }
}

/// Both names are understood, and mean the same.
fn is_one_maker(listed: &str, read: &str) -> bool {
    let ((listed, listed_whole), (read, read_whole)) = (makers(listed), makers(read));
    listed_whole && read_whole && listed == read
}

/// Another address than the sheet's: found by its id or serial number.
fn moved(row: &Row<'_>, asset: &Asset) -> Option<Difference> {
    let listed = row.address().ip?;
    let last = asset.address()?.ip?;
    let known = asset.addresses.iter().any(|address| address.ip == Some(listed));
    (!known).then(|| Difference { column: "ip", sheet: listed.to_string(), seen: last.to_string(), relation: Relation::Unknown })
}
