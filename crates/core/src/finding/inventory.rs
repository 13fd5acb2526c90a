//! What an inventory says is installed: a row of a sheet, or an asset of the catalog.

use std::collections::BTreeMap;

use super::installed::Installed;
use crate::catalog::{Asset, OWNERS_ID};
use crate::claim::{Field, OWN_COMPONENT};
use crate::range::Facts;
use crate::sheet::{Column, Row};

/// The part that runs a controller: its release is the controller's.
const CPU_COMPONENT: &str = "cpu";
/// The column that names the part whose revisions a row has, where it is not the whole asset.
const COMPONENT_COLUMN: &str = "component";
/// The fact that says in which device a component is: of a module of an asset the asset itself.
const HOST: &str = "host";
/// How lists say that there is none.
const NONE: [&str; 3] = ["none", "-", "keine"];
/// Standard columns that say nothing an advisory could ask for.
const NOT_FACTS: [&str; 10] = ["id", OWNERS_ID, "tag", "mac", "ip", "port", "unit", "source", "last_seen", COMPONENT_COLUMN];

/// Of one row: one component. Cells of columns that are no field are facts; several values in one stand between semicolons.
#[must_use]
pub fn of_row(row: &Row<'_>) -> Installed {
    let cell = |column: &str| row.cell(column).map(str::to_owned);
    let owned = row.cells().filter(|(column, _)| Column::named(column).is_none_or(|column| column.field.is_none()));
    Installed {
        asset: cell("id").or_else(|| cell("tag")).unwrap_or_else(|| format!("row {}", row.number)),
        component: cell(COMPONENT_COLUMN).unwrap_or_else(|| OWN_COMPONENT.to_owned()),
        manufacturer: cell("manufacturer"),
        model: cell("model"),
        product_code: cell("product_code"),
        hardware_revision: cell("hardware_revision"),
        firmware_revision: cell("firmware_revision"),
        software_revision: cell("software_revision"),
        serial_number: cell("serial_number"),
        patches: row.cell("patches").map(several),
        conflicts: Vec::new(),
        facts: facts(owned),
    }
}

/// Of an asset: each of its components that says which product it is. The release that a controller's CPU says is the controller's.
#[must_use]
pub fn of_asset(asset: &Asset) -> Vec<Installed> {
    let components = asset.components();
    let own = part(asset, OWN_COMPONENT);
    let names_itself = |part: &Installed| part.model.is_some() || part.product_code.is_some();
    let has_release = |part: &Installed| part.firmware_revision.is_some() || part.software_revision.is_some();
    let others = components.into_iter().filter(|component| *component != OWN_COMPONENT);
    let mut parts: Vec<Installed> = Vec::new();
    let mut whole = own.clone();
    for mut part in others.map(|component| part(asset, component)) {
        if names_itself(&part) {
            part.manufacturer = part.manufacturer.or_else(|| own.manufacturer.clone());
            let host: Vec<String> = own.product_code.iter().chain(&own.model).cloned().collect();
            if part.facts.get(HOST).is_none() && !host.is_empty() {
                part.facts.insert(HOST, host);
            }
            parts.push(part);
        } else if part.component == CPU_COMPONENT && !has_release(&own) {
            whole.conflicts.append(&mut part.conflicts);
            whole.component = part.component;
            whole.firmware_revision = part.firmware_revision;
            whole.software_revision = part.software_revision;
            whole.hardware_revision = whole.hardware_revision.or(part.hardware_revision);
        }
    }
    if names_itself(&whole) || parts.is_empty() {
        parts.insert(0, whole);
    }
    parts
}

fn part(asset: &Asset, component: &str) -> Installed {
    let mut conflicts = Vec::new();
    let mut text = |field: Field| {
        let current = asset.current(component, field)?;
        let value = current.standing.claim.value.clone();
        if !current.conflicting.is_empty() {
            let others = current.conflicting.iter().map(|other| other.claim.value.clone());
            conflicts.push((field.name().to_owned(), std::iter::once(value.clone()).chain(others).collect()));
        }
        Some(value)
    };
    let mut installed = Installed {
        asset: asset.id.clone(),
        component: component.to_owned(),
        manufacturer: text(Field::Manufacturer),
        model: text(Field::Model),
        product_code: text(Field::ProductCode),
        hardware_revision: text(Field::HardwareRevision),
        firmware_revision: text(Field::FirmwareRevision),
        software_revision: text(Field::SoftwareRevision),
        serial_number: text(Field::SerialNumber),
        patches: text(Field::Patch).as_deref().map(several),
        conflicts: Vec::new(),
        facts: facts(asset.columns.iter().map(|(column, cell)| (column.as_str(), cell.as_str()))),
    };
    installed.conflicts = conflicts;
    installed
}

fn facts<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Facts {
    let mut facts = Facts::default();
    // A column twice, in other letters, says both.
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (column, cell) in cells.filter(|(column, _)| !NOT_FACTS.contains(column)) {
        by_name.entry(column).or_default().extend(several(cell));
    }
    by_name.into_iter().for_each(|(column, values)| facts.insert(column, values));
    facts
}

/// Values between semicolons; a word for none is no value.
fn several(cell: &str) -> Vec<String> {
    let values = cell.split(';').map(str::trim).filter(|value| !value.is_empty());
    values.filter(|value| !NONE.iter().any(|none| value.eq_ignore_ascii_case(none))).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::sheet::{self, Import};

    const SHEET: &str = "id;vendor;Cat. No.;FW;patches;Function State;bundle;component\n\
                         p1;Rockwell Automation;1756-L73;33.051;;;redundancy;\n\
                         ;Siemens;6ES7 214-1AG40-0XB0;V4.4.1;none;11;;\n\
                         p3;Mitsubishi Electric;;B12;BRD-C62W003-A0; ;;NMC2\n";

    #[test]
    fn a_row_is_one_component_and_its_other_columns_are_facts() {
        let sheet = sheet::read(SHEET.as_bytes()).unwrap().sheet;
        let installed: Vec<Installed> = sheet.rows().map(|row| of_row(&row)).collect();
        let shown = |one: &Installed| {
            let parts = [&one.asset, &one.component, one.product_code.as_ref().unwrap_or(&String::new())].map(String::clone);
            (parts.join(" "), one.patches.clone())
        };
        assert_eq!(shown(&installed[0]), ("p1 self 1756-L73".into(), None));
        assert_eq!(shown(&installed[1]), ("row 2 self 6ES7 214-1AG40-0XB0".into(), Some(vec![])));
        assert_eq!(shown(&installed[2]), ("p3 NMC2 ".into(), Some(vec!["BRD-C62W003-A0".into()])));
        let fact = |at: usize, name| installed[at].facts.get(name).map(<[String]>::to_vec);
        assert_eq!(fact(0, "bundle"), Some(vec!["redundancy".into()]));
        assert_eq!(fact(1, "function_state"), Some(vec!["11".into()]));
        assert_eq!((fact(0, "function_state"), fact(0, "id"), fact(2, "component")), (None, None, None));
    }

    #[test]
    fn an_asset_that_a_sheet_lists_says_what_its_row_says() {
        let sheet = sheet::read(SHEET.as_bytes()).unwrap().sheet;
        let rows: Vec<Installed> = sheet.rows().map(|row| of_row(&row)).collect();
        let mut catalog = Catalog::default();
        catalog.import(&Import { file: "s.csv".into(), sha256: String::new(), sheet }, 1, Some(1));
        for row in &rows[..2] {
            let found: Vec<Installed> = catalog.assets().flat_map(of_asset).filter(|one| one.product_code == row.product_code).collect();
            let [one] = found.as_slice() else { panic!("{found:?}") };
            let same = (&one.firmware_revision, &one.manufacturer) == (&row.firmware_revision, &row.manufacturer);
            assert!(same && one.facts.get("bundle") == row.facts.get("bundle"), "{one:?}");
        }
    }
}
