//! From a list's hosts to assets: by id, address, serial number, else by name. A host that is in no catalog becomes one that is known from the list.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::{Row, Statement};
use crate::catalog::{Catalog, Found, Index};
use crate::claim::Field;
use crate::observation::hex;
use crate::sheet::{Invalid, Sheet};

/// What says which host it is, by columns of the inventory file.
const HOST_COLUMNS: [&str; 6] = ["id", "tag", "ip", "mac", "manufacturer", "serial_number"];
/// What a host is that a patch server knows and nobody else does.
const HOST_CLASS: &str = "computer";
const DEVICE_CLASS: &str = "device_class";
/// Digits of a new asset's id.
const ID_DIGITS: usize = 24;

/// What became of the rows of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// What is said of which asset.
    pub statements: Vec<Statement>,
    /// Hosts that nobody knew, as rows of an inventory with an id each; to be taken in before the statements.
    pub new: Sheet,
    /// Rows that may be about any of several assets.
    pub left_out: Vec<Invalid>,
}

/// Matches each row with an asset.
#[must_use]
pub fn matched(rows: Vec<Row>, catalog: &Catalog) -> Matched {
    let hosts: Vec<Vec<String>> = rows.iter().map(|row| row.host.to_vec()).collect();
    let sheet = Sheet { columns: HOST_COLUMNS.map(str::to_owned).to_vec(), rows: hosts, left_out: Vec::new() };
    let (index, names) = (Index::of(catalog), Names::of(catalog));
    let columns = HOST_COLUMNS.into_iter().chain([DEVICE_CLASS]).map(str::to_owned).collect();
    let mut matched = Matched { new: Sheet { columns, ..Sheet::default() }, ..Matched::default() };
    // Each host is looked for once.
    let mut known: HashMap<Vec<String>, Result<String, String>> = HashMap::new();
    for (row, host) in rows.into_iter().zip(sheet.rows()) {
        let of = known.entry(row.host.to_vec()).or_insert_with(|| {
            let several = |ids: &[String]| Err(format!("it may be about any of {}; an id or an address would tell", ids.join(", ")));
            match index.find(catalog, &host) {
                Found::One(id) => Ok(id),
                Found::Several(ids) => several(&ids),
                Found::None => match names.find(host.cell("tag")) {
                    [] => {
                        let mut cells = row.host.to_vec();
                        let id = new_id(&cells);
                        cells[0].clone_from(&id);
                        cells.push(HOST_CLASS.to_owned());
                        matched.new.rows.push(cells);
                        Ok(id)
                    }
                    [id] => Ok(id.clone()),
                    ids => several(ids),
                },
            }
        });
        match of {
            Ok(id) => matched.statements.push(row.of(id.clone())),
            Err(why) => matched.left_out.push(Invalid { line: row.line, column: None, why: why.clone() }),
        }
    }
    matched
}

/// The id of a host that is new: the same for the same words.
fn new_id(cells: &[String]) -> String {
    let digits = hex(&Sha256::digest(format!("host\n{cells:?}")));
    format!("a-{}", digits.get(..ID_DIGITS).unwrap_or_default())
}

/// Assets by their names: tags of lists, and names that devices give themselves. Upper and lower case are one, as in the domain name system.
struct Names(BTreeMap<String, Vec<String>>);

impl Names {
    fn of(catalog: &Catalog) -> Self {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for asset in catalog.assets() {
            let own = asset.shown(Field::Name).map(|current| current.standing.claim.value.as_str());
            for name in asset.columns.get("tag").map(String::as_str).into_iter().chain(own) {
                names.entry(name.to_lowercase()).or_default().insert(asset.id.clone());
            }
        }
        Self(names.into_iter().map(|(name, ids)| (name, ids.into_iter().collect())).collect())
    }

    fn find(&self, name: Option<&str>) -> &[String] {
        name.and_then(|name| self.0.get(&name.to_lowercase())).map_or(&[], Vec::as_slice)
    }
}
