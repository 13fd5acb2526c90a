//! The columns of the inventory file, and what other people call them.

use crate::claim::Field;

/// A column of the inventory file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in our files.
    pub name: &'static str,
    /// The nameplate field of which its cells are claims; `None` for what only the owner knows.
    pub field: Option<Field>,
    /// Other names, in lower case, letters and digits only.
    aliases: &'static [&'static str],
}

const fn column(name: &'static str, field: Option<Field>, aliases: &'static [&'static str]) -> Column {
    Column { name, field, aliases }
}

/// Header of the inventory file, import and export, in its order.
pub const COLUMNS: [Column; 24] = [
    column("id", None, &["assetid"]),
    column("tag", None, &["tagname", "tagno", "tagnumber", "devicename", "hostname", "kks", "bmk", "betriebsmittelkennzeichen"]),
    column("site", None, &["plant", "werk", "standort"]),
    column("zone", None, &[]),
    column("location", Some(Field::Location), &[]),
    column(
        "manufacturer",
        Some(Field::Manufacturer),
        &["vendor", "vendorname", "maker", "make", "hersteller", "fabricant", "oem", "brand"],
    ),
    column("model", Some(Field::Model), &["modelname", "modelno", "modelnumber", "devicetype", "gerätetyp", "typ"]),
    column(
        "product_code",
        Some(Field::ProductCode),
        &[
            "orderno",
            "ordernumber",
            "ordercode",
            "mlfb",
            "catno",
            "catalogno",
            "catalognumber",
            "partno",
            "partnumber",
            "articleno",
            "articlenumber",
            "bestellnummer",
            "bestellnr",
            "artikelnummer",
            "artikelnr",
        ],
    ),
    column("hardware_revision", Some(Field::HardwareRevision), &["hardware", "hw", "hardwareversion", "hwversion", "hwrevision"]),
    column(
        "firmware_revision",
        Some(Field::FirmwareRevision),
        &[
            "firmware",
            "fw",
            "version",
            "firmwareversion",
            "fwversion",
            "fwrevision",
            "fwrev",
            "fid",
            "firmwarestand",
            "fwstand",
            "installedfirmware",
            "currentfirmware",
        ],
    ),
    column("software_revision", Some(Field::SoftwareRevision), &["software", "sw", "softwareversion", "swversion", "swrevision"]),
    column("serial_number", Some(Field::SerialNumber), &["serial", "serialno", "sn", "seriennummer", "seriennr"]),
    column("patches", Some(Field::Patch), &["patch"]),
    column("mac", None, &["macaddress", "macadresse", "hardwareaddress"]),
    column("ip", None, &["ipaddress", "ipv4", "ipv4address", "ipadresse", "adresseip"]),
    column("port", None, &["tcpport"]),
    column("unit", None, &["unitid", "slaveid"]),
    column("parent", None, &[]),
    column("slot", None, &[]),
    column("device_class", Some(Field::DeviceClass), &["deviceclass"]),
    column("criticality", None, &[]),
    column("exposure", None, &[]),
    column("source", None, &[]),
    column("last_seen", None, &["lastseen"]),
];

impl Column {
    /// The column that a header cell means: in upper or lower case, with or without blanks, dots and dashes (`Order No.`).
    #[must_use]
    pub fn called(header: &str) -> Option<&'static Self> {
        let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let header = plain(header);
        COLUMNS.iter().find(|column| plain(column.name) == header || column.aliases.contains(&header.as_str()))
    }

    /// The column of that name in our files.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|column| column.name == name)
    }
}
