//! Lists that people make, taken into the catalog: each row is matched to an asset, and its cells are claims that never overwrite a
//! reading. A row that matches nothing is an asset of its own, known only from the list until a device answers where it says.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Asset, Catalog, ID_DIGITS, ID_PREFIX, Number, OWN_COMPONENT, Recorded};
use crate::claim::{Claim, Field, Grade};
use crate::observation::{Address, Source, hex};
use crate::sheet::{Column, DOUBTFUL, Import, Row};

/// What stands in the place of a profile for a claim from a list.
const IMPORT_PROFILE: &str = "sheet";
/// A serial number that more assets than this have is a filler, and tells none from another.
const SERIAL_ASSETS_MAX: usize = 16;
/// Digits of the id of an asset that has no reading: enough that two rows never get one by chance.
const LISTED_ID_DIGITS: usize = 24;
/// The owner's own id, where the column `id` of a list holds no id of ours; the inventory file gives it back in this column.
pub const OWNERS_ID: &str = "sheet_id";
/// Columns that are places, or that we work out ourselves.
const NOT_KEPT: [&str; 8] = ["id", OWNERS_ID, "mac", "ip", "port", "unit", "source", "last_seen"];

/// Assets that were never heard of, by the address that a list gives them.
pub(super) type Listed = HashMap<IpAddr, Vec<Place>>;

/// An asset and where it answers at an address; `None` fits any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    port: Option<u16>,
    unit: Option<u8>,
    id: String,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This asset.
    One(String),
    /// One of these; the row does not say which.
    Several(Vec<String>),
    /// No asset that is known.
    None,
}

/// A catalog's assets by what rows name them with.
#[derive(Debug)]
pub struct Index {
    ips: HashMap<IpAddr, Vec<Place>>,
    serials: HashMap<String, HashMap<String, Option<String>>>,
    owners_ids: HashMap<String, String>,
}

impl Index {
    /// Of all assets of a catalog.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        let mut index = Self { ips: catalog.listed.clone(), serials: HashMap::new(), owners_ids: HashMap::new() };
        for (ip, port, unit, number) in catalog.places.with_ip() {
            let asset = catalog.assets.get(number);
            index.ips.entry(ip).or_default().extend(asset.map(|asset| Place { port, unit, id: asset.id.clone() }));
        }
        catalog.assets().for_each(|asset| index.add(asset));
        index
    }

    /// The asset of a row: by its id, else by its address, else by its serial number.
    #[must_use]
    pub fn find(&self, catalog: &Catalog, row: &Row<'_>) -> Found {
        let by_id = row.cell("id").and_then(|id| catalog.assets.named(id)).map(|asset| asset.id.as_str());
        if let Some(id) = by_id.or_else(|| owners_id(row).and_then(|id| self.owners_ids.get(id).map(String::as_str))) {
            return Found::One(id.to_owned());
        }
        let here = self.at(&row.address());
        let with_serial = self.with_serial(row);
        let both: Vec<&String> = here.intersection(&with_serial).collect();
        match (here.len(), both.as_slice()) {
            (0, _) => {
                // Two rows with one serial number and two addresses are two, until a device says otherwise.
                let elsewhere =
                    |id: &String| row.address().ip.is_some() && catalog.asset(id).is_some_and(|a| a.is_listed_only() && a.has_ip());
                only(with_serial.into_iter().filter(|id| !elsewhere(id)).collect())
            }
            (1, _) => only(here),
            (_, [id]) => Found::One((*id).clone()),
            _ => Found::Several(here.into_iter().collect()),
        }
    }

    fn at(&self, address: &Address) -> BTreeSet<String> {
        let places = address.ip.and_then(|ip| self.ips.get(&ip));
        places.into_iter().flatten().filter(|place| place.fits(address)).map(|place| place.id.clone()).collect()
    }

    fn with_serial(&self, row: &Row<'_>) -> BTreeSet<String> {
        let named = row.cell("serial_number").filter(|serial| is_serial(serial)).and_then(|serial| self.serials.get(serial));
        let manufacturer = row.cell("manufacturer").map(str::to_lowercase);
        let fits = |own: &Option<String>| own.is_none() || manufacturer.is_none() || *own == manufacturer;
        let telling = named.filter(|assets| assets.len() <= SERIAL_ASSETS_MAX);
        telling.into_iter().flatten().filter(|(_, own)| fits(own)).map(|(id, _)| id.clone()).collect()
    }

    fn add(&mut self, asset: &Asset) {
        let text = |field| asset.shown(field).map(|current| current.standing.claim.value.clone());
        if let Some(serial) = text(Field::SerialNumber).filter(|serial| is_serial(serial)) {
            let manufacturer = text(Field::Manufacturer).map(|text| text.to_lowercase());
            self.serials.entry(serial).or_default().insert(asset.id.clone(), manufacturer);
        }
        if let Some(id) = asset.columns.get(OWNERS_ID) {
            self.owners_ids.insert(id.clone(), asset.id.clone());
        }
    }
}

fn only(ids: BTreeSet<String>) -> Found {
    let mut ids: Vec<String> = ids.into_iter().collect();
    match (ids.len(), ids.pop()) {
        (1, Some(id)) => Found::One(id),
        (_, None) => Found::None,
        (_, Some(last)) => Found::Several(ids.into_iter().chain([last]).collect()),
    }
}

/// `N/A`, `-` and `0000` are how sheets say that there is none.
fn is_serial(text: &str) -> bool {
    text.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// An id that is not of our making.
fn owners_id<'a>(row: &Row<'a>) -> Option<&'a str> {
    row.cell("id").filter(|id| !is_ours(id)).or_else(|| row.cell(OWNERS_ID))
}

fn is_ours(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.strip_prefix(ID_PREFIX).is_some_and(|digits| (ID_DIGITS..=64).contains(&digits.len()) && digits.bytes().all(is_digit))
}

impl Place {
    fn fits(&self, address: &Address) -> bool {
        let same = |one: Option<u16>, other: Option<u16>| one.is_none() || other.is_none() || one == other;
        same(self.port, address.port) && same(self.unit.map(u16::from), address.unit.map(u16::from))
    }
}

impl Catalog {
    /// Takes a list that somebody made: its rows are claims of the grade `imported`. `entry` is its index in the ledger.
    pub fn import(&mut self, import: &Import, time_ns: u64, entry: Option<u64>) {
        self.fold_import(import, time_ns, entry);
        self.taken.import(import, time_ns, entry);
    }

    /// The assets that the rows are about, each with the id that the row gives one that was not known before.
    pub(super) fn fold_import(&mut self, import: &Import, time_ns: u64, entry: Option<u64>) -> Vec<(Number, String)> {
        let mut named = Vec::new();
        let mut index = Index::of(self);
        let mut rows: HashMap<String, (u64, u64)> = HashMap::new();
        let mut alike: HashMap<[u8; 32], u64> = HashMap::new();
        for row in import.sheet.rows() {
            let found = index.find(self, &row);
            let number = match &found {
                Found::One(id) => self.assets.number(id),
                Found::Several(_) | Found::None => Some(self.listed_asset(&row, &mut alike, time_ns)),
            };
            let Some(number) = number else { continue };
            let Some(asset) = self.assets.get_mut(number) else { continue };
            named.push((number, if matches!(found, Found::One(_)) { row_id(&row, &mut HashMap::new()) } else { asset.id.clone() }));
            if let Found::Several(ids) = &found {
                asset.remark(format!("row {} of {} may be one of {}; give port and unit", row.number, import.file, ids.join(", ")));
            }
            let (first, times) = rows.entry(asset.id.clone()).or_insert((row.number, 0));
            *times += 1;
            if *times == 2 {
                asset.remark(format!("rows {first} and {} of {} are about one device", row.number, import.file));
            }
            asset.take_row(&row, import, time_ns, entry);
            index.add(asset);
            let address = row.address();
            if let (true, Some(ip)) = (asset.is_listed_only(), address.ip) {
                let place = Place { port: address.port, unit: address.unit, id: asset.id.clone() };
                for places in [self.listed.entry(ip).or_default(), index.ips.entry(ip).or_default()] {
                    if !places.contains(&place) {
                        places.push(place.clone());
                    }
                }
            }
        }
        named
    }

    /// The asset of a row that matches none: under its own id where that is one of ours, else under one made of what the row says.
    fn listed_asset(&mut self, row: &Row<'_>, alike: &mut HashMap<[u8; 32], u64>, time_ns: u64) -> Number {
        self.assets.add(Asset::new(row_id(row, alike), time_ns))
    }

    /// The only asset that a list, and nothing but a list, puts at this address.
    pub(super) fn listed_at(&self, address: &Address) -> Option<Number> {
        let mut places = self.listed.get(&address.ip?)?.iter().filter(|place| place.fits(address));
        places.next().filter(|_| places.next().is_none()).and_then(|place| self.assets.number(&place.id))
    }

    /// An asset answers, or is about to be made for one that does: a list's word on where it stands is no longer needed.
    pub(super) fn is_heard_of(&mut self, number: Number) {
        if self.listed.is_empty() {
            return;
        }
        let Some(asset) = self.assets.get_mut(number).filter(|asset| asset.is_listed_only()) else { return };
        // Its times begin with its first reading.
        asset.seen_ns = (u64::MAX, 0);
        asset.why_unknown.clear();
        for address in asset.addresses.drain(..) {
            let Some(ip) = address.ip else { continue };
            if let Some(places) = self.listed.get_mut(&ip) {
                places.retain(|place| place.id != asset.id);
                if places.is_empty() {
                    self.listed.remove(&ip);
                }
            }
        }
    }
}

impl Asset {
    /// True for an asset that stands in a list and was never heard of.
    #[must_use]
    pub fn is_listed_only(&self) -> bool {
        self.observations == 0
    }

    fn has_ip(&self) -> bool {
        self.addresses.iter().any(|address| address.ip.is_some())
    }

    pub(super) fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn take_row(&mut self, row: &Row<'_>, import: &Import, time_ns: u64, entry: Option<u64>) {
        let address = row.address();
        if self.is_listed_only() {
            self.addresses.retain(|known| *known != address);
            self.addresses.extend(Some(address.clone()).filter(|address| *address != Address::default()));
            self.why_unknown = format!("only in the sheet {}; never heard of", import.file);
        }
        if let Some(id) = owners_id(row) {
            self.columns.insert(OWNERS_ID.to_owned(), id.to_owned());
        }
        for (column, cell) in row.cells().filter(|(column, _)| !NOT_KEPT.contains(column)) {
            let Some(field) = Column::named(column).and_then(|known| known.field) else {
                self.columns.insert(column.to_owned(), cell.to_owned());
                continue;
            };
            let claim = Claim {
                component: OWN_COMPONENT.to_owned(),
                field,
                value: cell.to_owned(),
                normal: None,
                grade: Grade::Imported,
                profile: IMPORT_PROFILE.to_owned(),
                rule: format!("{IMPORT_PROFILE}.{column}"),
                message: 0,
                offset: 0,
                length: 0,
            };
            let source = Source::Imported { file: import.file.clone(), row: row.number };
            // A word that can be trusted again takes the place of the doubtful one.
            self.columns.remove(&format!("{column}{DOUBTFUL}"));
            let recorded = Recorded {
                claim: Arc::new(claim),
                observation: None,
                entry,
                time_ns,
                since_ns: time_ns,
                first: (None, entry),
                times: 1,
                source,
                address: Arc::new(address.clone()),
            };
            match self.imported.binary_search_by_key(&field, |earlier| earlier.claim.field) {
                Ok(at) => self.imported[at] = recorded,
                Err(at) => self.imported.insert(at, recorded),
            }
        }
        self.join_imported();
    }

    /// What a list says of the device is about the part that says the same field itself, else about the first part that speaks.
    pub(super) fn join_imported(&mut self) {
        let Self { imported, claims, .. } = self;
        for recorded in imported {
            let part = claims.iter().find(|own| own.claim.field == recorded.claim.field).or_else(|| claims.first());
            let component = part.map_or(OWN_COMPONENT, |own| &own.claim.component);
            if recorded.claim.component != component {
                Arc::make_mut(&mut recorded.claim).component = component.to_owned();
            }
        }
    }
}

/// The id of an asset that a row is the first to tell of.
fn row_id(row: &Row<'_>, alike: &mut HashMap<[u8; 32], u64>) -> String {
    row.cell("id").filter(|id| is_ours(id)).map_or_else(|| made_id(row, alike), str::to_owned)
}

/// An id made of the row: its address, serial number or tag where it has one, else all of it; the next of several that are alike gets
/// another, so that two spare parts stay two.
fn made_id(row: &Row<'_>, alike: &mut HashMap<[u8; 32], u64>) -> String {
    const KEYS: [&[&str]; 4] = [&["id", OWNERS_ID], &["ip", "port", "unit"], &["manufacturer", "serial_number"], &["tag"]];
    let named = KEYS.into_iter().find(|key| row.cells().any(|(column, cell)| key.contains(&column) && is_telling(column, cell)));
    let mut told: Vec<(&str, &str)> = row.cells().filter(|(column, _)| named.is_none_or(|key| key.contains(column))).collect();
    told.sort_unstable();
    let digest: [u8; 32] = Sha256::digest(format!("row\n{told:?}")).into();
    let earlier = alike.entry(digest).or_default();
    let digits = hex(&Sha256::digest([&digest[..], &earlier.to_be_bytes()].concat()));
    *earlier += 1;
    format!("{ID_PREFIX}{}", &digits[..LISTED_ID_DIGITS])
}

/// Of maker and serial number, only the number tells one device from another.
fn is_telling(column: &str, cell: &str) -> bool {
    column != "manufacturer" && (column != "serial_number" || is_serial(cell))
}
