//! The catalog as Asset Administration Shells: a shell for each device and each part of it that says what it is, and one for each software in them.
//!
//! Sources: the metamodel of IDTA 01001-3-0 in the JSON of IDTA 01001-3-0 clause 5; IDTA 02006-3-0-1 (Digital Nameplate), clause 3.1, for hardware;
//! IDTA 02007-1-0 (Software Nameplate), table 3, for software. What a template demands and no device ever said (a maker's address, an order number) stands
//! in it without a value: an element without one says "not known", and a made-up one would be believed.

use nameplate_core::catalog::{Asset, Catalog, Current, Parents, Recorded};
use nameplate_core::claim::{Field, OWN_COMPONENT};
use nameplate_core::observation::rfc3339;
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;
use serde_json::{Map, Value, json};

use super::Site;
use crate::lines::{device_class, place, way};

/// The longest text of a language (IDTA 01001-3-0, `MultiLanguageTextType`), in UTF-16 units at most.
const TEXT_CHARACTERS_MAX: usize = 1023;
/// A manufacturer's words are the same in every language; the template has one of them chosen.
const LANGUAGE: &str = "en";
/// What a property is called that no template has a name for (IDTA 02006-3-0-1, clause 3.4).
const ARBITRARY: &str = "https://admin-shell.io/SMT/General/ArbitraryProp";
const NAMEPLATE: &str = "https://admin-shell.io/idta/nameplate/3/0/Nameplate";
const SOFTWARE: &str = "https://admin-shell.io/idta/SoftwareNameplate/1/0";
const SOFTWARE_INSTANCE: &str = "https://admin-shell.io/idta/SoftwareNameplate/1/0/SoftwareNameplateInstance";
/// What `InstanceName` and `InstalledVersion` are meant by, behind their names.
const OF_INSTANCE: &str = "https://admin-shell.io/idta/SoftwareNameplate/1/0/SoftwareNameplate/SoftwareNameplateInstance/";

/// How an element of the Digital Nameplate holds its text.
#[derive(Clone, Copy)]
enum Holds {
    Languages,
    Text,
    Uri,
}

/// An element of the Digital Nameplate: its name, what it is meant by, how it holds it, the field it is of, and whether the template demands it.
struct Element {
    name: &'static str,
    /// IEC CDD, then ECLASS.
    meant: [&'static str; 2],
    holds: Holds,
    field: Option<Field>,
    demanded: bool,
}

impl Element {
    const fn demanded(name: &'static str, meant: [&'static str; 2], holds: Holds, field: Option<Field>) -> Self {
        Self { name, meant, holds, field, demanded: true }
    }

    const fn of(name: &'static str, meant: [&'static str; 2], field: Field) -> Self {
        Self { name, meant, holds: Holds::Text, field: Some(field), demanded: false }
    }
}

/// IDTA 02006-3-0-1, clause 3.1, as far as a device can say it.
const ELEMENTS: [Element; 8] = [
    // A maker's own link to this very product (IEC 61406): nothing that a device answers today.
    Element::demanded("URIOfTheProduct", ["0112/2///61987#ABN590#002", "0173-1#02-ABH173#003"], Holds::Uri, None),
    Element::demanded(
        "ManufacturerName",
        ["0112/2///61987#ABA565#009", "0173-1#02-AAO677#004"],
        Holds::Languages,
        Some(Field::Manufacturer),
    ),
    Element::demanded(
        "ManufacturerProductDesignation",
        ["0112/2///61987#ABA567#009", "0173-1#02-AAW338#003"],
        Holds::Languages,
        Some(Field::Model),
    ),
    Element::demanded(
        "OrderCodeOfManufacturer",
        ["0112/2///61987#ABA950#008", "0173-1#02-AAO227#004"],
        Holds::Text,
        Some(Field::ProductCode),
    ),
    Element::of("SerialNumber", ["0112/2///61987#ABA951#009", "0173-1#02-AAM556#004"], Field::SerialNumber),
    Element::of("HardwareVersion", ["0112/2///61987#ABA926#008", "0173-1#02-AAN270#004"], Field::HardwareRevision),
    Element::of("FirmwareVersion", ["0112/2///61987#ABA302#006", "0173-1#02-AAM985#004"], Field::FirmwareRevision),
    Element::of("SoftwareVersion", ["0112/2///61987#ABA601#008", "0173-1#02-AAM737#004"], Field::SoftwareRevision),
];

/// What is software of a part, and how it is called.
const SOFTWARES: [(Field, &str); 3] =
    [(Field::FirmwareRevision, "firmware"), (Field::SoftwareRevision, "software"), (Field::BootRevision, "boot loader")];

/// The shells of a site, with all they refer to.
pub fn environment(site: &Site<'_>, catalog: &Catalog, profiles: &ProfileSet) -> Value {
    let parents = catalog.parents();
    let mut shells = Shells { site, shells: Vec::new(), submodels: Vec::new() };
    for asset in catalog.assets() {
        shells.device(asset, &parents, profiles);
        for part in asset.components() {
            if part != OWN_COMPONENT {
                shells.part(asset, part);
            }
            SOFTWARES.into_iter().for_each(|(field, kind)| shells.software(asset, part, field, kind));
        }
    }
    let mut environment = Map::new();
    // A list that is there has something in it (IDTA 01001-3-0, JSON schema): a site without devices has none.
    for (name, list) in [("assetAdministrationShells", shells.shells), ("submodels", shells.submodels)] {
        if !list.is_empty() {
            environment.insert(name.to_owned(), Value::Array(list));
        }
    }
    Value::Object(environment)
}

struct Shells<'a> {
    site: &'a Site<'a>,
    shells: Vec<Value>,
    submodels: Vec<Value>,
}

impl Shells<'_> {
    fn device(&mut self, asset: &Asset, parents: &Parents<'_>, profiles: &ProfileSet) {
        let shown = |field| asset.shown(field);
        let mut remarks = vec![arbitrary("device_class", device_class(asset, profiles))];
        remarks.extend(asset.addresses.iter().enumerate().map(|(n, address)| arbitrary(&format!("address_{n}"), place(address))));
        remarks.extend(asset.was.iter().enumerate().map(|(n, id)| arbitrary(&format!("was_{n}"), id)));
        if !asset.why_unknown.is_empty() {
            remarks.push(arbitrary("firmware_unknown_because", printable(&asset.why_unknown)));
        }
        if asset.is_listed_only() {
            remarks.push(arbitrary("only_in_a_sheet", "true"));
        } else {
            remarks.push(arbitrary("first_seen", rfc3339(asset.seen_ns.0)));
            remarks.push(arbitrary("last_seen", rfc3339(asset.seen_ns.1)));
        }
        let parent = parents.get(asset.id.as_str()).map(|parent| self.id(&[parent]));
        let id = self.id(&[&asset.id]);
        self.shell(&id, parent.as_deref(), serial(shown(Field::SerialNumber)), nameplate(shown, remarks));
    }

    /// A part that says nothing but versions is no hardware of its own.
    fn part(&mut self, asset: &Asset, part: &str) {
        let current = |field| asset.current(part, field);
        let identity = [Field::Manufacturer, Field::Model, Field::ProductCode, Field::SerialNumber, Field::HardwareRevision];
        if identity.into_iter().all(|field| current(field).is_none()) {
            return;
        }
        let whole = self.id(&[&asset.id]);
        let id = self.id(&[&asset.id, part]);
        let remarks = vec![arbitrary("part", printable(part))];
        self.shell(&id, Some(&whole), serial(current(Field::SerialNumber)), nameplate(current, remarks));
    }

    fn software(&mut self, asset: &Asset, part: &str, field: Field, kind: &str) {
        let Some(current) = asset.current(part, field) else { return };
        let said = |field| asset.current(part, field).or_else(|| asset.shown(field)).map(|current| value(current.standing));
        let name = said(Field::Model).or_else(|| said(Field::ProductCode)).unwrap_or_else(|| printable(part));
        let elements = json!([{
            "modelType": "SubmodelElementCollection",
            "idShort": "SoftwareNameplate_Instance",
            "semanticId": meant(SOFTWARE_INSTANCE),
            "value": [
                property("InstanceName", &format!("{OF_INSTANCE}InstanceName"), format!("{name} {kind}")),
                with_qualifiers(
                    property("InstalledVersion", &format!("{OF_INSTANCE}InstalledVersion"), value(current.standing)),
                    &current,
                ),
            ],
        }]);
        let submodel = json!({ "idShort": "SoftwareNameplate", "semanticId": meant(SOFTWARE), "submodelElements": elements });
        let whole = self.id(&[&asset.id]);
        let id = self.id(&[&asset.id, part, field.name()]);
        self.shell(&id, Some(&whole), None, submodel);
    }

    /// What is of one site is of no other one: a cloned number is told apart by the ledger's name.
    fn id(&self, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
        format!("{}/{}", self.site.origin, names.join("/"))
    }

    /// A shell and its one submodel. The asset's id is the shell's: there is one shell of each.
    fn shell(&mut self, id: &str, part_of: Option<&str>, serial: Option<String>, mut submodel: Value) {
        let submodel_id = format!("{id}#{}", submodel["idShort"].as_str().unwrap_or_default());
        let specific: Vec<Value> = [("partOf", part_of.map(str::to_owned)), ("serialNumber", serial)]
            .into_iter()
            .filter_map(|(name, value)| Some(json!({ "name": name, "value": value? })))
            .collect();
        let mut information = json!({ "assetKind": "Instance", "globalAssetId": id });
        if !specific.is_empty() {
            information["specificAssetIds"] = json!(specific);
        }
        self.shells.push(json!({
            "modelType": "AssetAdministrationShell",
            "id": id,
            "assetInformation": information,
            "submodels": [{ "type": "ModelReference", "keys": [{ "type": "Submodel", "value": submodel_id }] }],
        }));
        submodel["modelType"] = json!("Submodel");
        submodel["kind"] = json!("Instance");
        submodel["id"] = json!(submodel_id);
        self.submodels.push(submodel);
    }
}

/// The Digital Nameplate of what `current` says.
fn nameplate<'a>(current: impl Fn(Field) -> Option<Current<'a>>, remarks: Vec<Value>) -> Value {
    let mut elements: Vec<Value> = ELEMENTS.iter().filter_map(|element| of_element(element, &current)).collect();
    elements.push(json!({
        "modelType": "SubmodelElementCollection",
        "idShort": "AddressInformation",
        "semanticId": meant("https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation"),
        "supplementalSemanticIds": [
            meant("https://admin-shell.io/smt-dropin/smt-dropin-use/1/0"),
            meant("0112/2///61360_7#AAS002#001"),
            meant("0173-1#02-AAQ837#008/0173-1#01-ADR448#008"),
        ],
    }));
    elements.push(json!({
        "modelType": "SubmodelElementCollection",
        "idShort": "AssetSpecificProperties",
        "semanticId": meant("0173-1#02-ABI218#003/0173-1#01-AGZ672#004"),
        "value": remarks,
    }));
    json!({ "idShort": "Nameplate", "semanticId": meant(NAMEPLATE), "submodelElements": elements })
}

fn of_element<'a>(element: &Element, current: &impl Fn(Field) -> Option<Current<'a>>) -> Option<Value> {
    let said = element.field.and_then(current);
    if said.is_none() && !element.demanded {
        return None;
    }
    let [cdd, eclass] = element.meant;
    let mut json = json!({ "idShort": element.name, "semanticId": meant(cdd), "supplementalSemanticIds": [meant(eclass)] });
    json["modelType"] = json!(if matches!(element.holds, Holds::Languages) { "MultiLanguageProperty" } else { "Property" });
    match element.holds {
        Holds::Languages => {}
        Holds::Text => json["valueType"] = json!("xs:string"),
        Holds::Uri => json["valueType"] = json!("xs:anyURI"),
    }
    let Some(said) = said else { return Some(json) };
    let text = value(said.standing);
    json["value"] = match element.holds {
        Holds::Languages => json!([{ "language": LANGUAGE, "text": cut(&text) }]),
        Holds::Text | Holds::Uri => json!(text),
    };
    Some(with_qualifiers(json, &said))
}

/// A text of a language has no more room; the whole of it stands in the other files.
fn cut(text: &str) -> String {
    if text.encode_utf16().count() <= TEXT_CHARACTERS_MAX {
        return text.to_owned();
    }
    // Half of it at most counts twice.
    text.chars().take(TEXT_CHARACTERS_MAX / 2).chain(['…']).collect()
}

/// When it was read, how, how good that is, where the evidence of it is, and what contradicts it.
fn with_qualifiers(mut element: Value, current: &Current<'_>) -> Value {
    let standing = current.standing;
    let mut qualifiers = vec![
        qualifier("time", rfc3339(standing.time_ns)),
        qualifier("method", way(&standing.source)),
        qualifier("grade", standing.claim.grade.name()),
        qualifier("rule", printable(&standing.claim.rule)),
    ];
    qualifiers.extend(standing.entry.map(|entry| qualifier("ledger_entry", entry.to_string())));
    // The types of an element's qualifiers differ (Constraint AASd-021).
    let others = current.conflicting.iter().enumerate();
    qualifiers.extend(others.map(|(n, other)| qualifier(&format!("conflicting_{n}"), value(other))));
    element["qualifiers"] = json!(qualifiers);
    element
}

fn qualifier(name: &str, value: impl Into<String>) -> Value {
    json!({ "kind": "ValueQualifier", "type": format!("nameplate:{name}"), "valueType": "xs:string", "value": value.into() })
}

fn property(name: &str, is: &str, value: String) -> Value {
    json!({ "modelType": "Property", "idShort": name, "semanticId": meant(is), "valueType": "xs:string", "value": value })
}

fn arbitrary(name: &str, value: impl Into<String>) -> Value {
    property(name, ARBITRARY, value.into())
}

fn meant(by: &str) -> Value {
    json!({ "type": "ExternalReference", "keys": [{ "type": "GlobalReference", "value": by }] })
}

fn serial(current: Option<Current<'_>>) -> Option<String> {
    current.map(|current| value(current.standing)).filter(|serial| !serial.is_empty())
}

fn value(recorded: &Recorded) -> String {
    printable(&recorded.claim.value)
}
