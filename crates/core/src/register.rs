//! Whose a number is: registers that standard bodies keep, as tables of numbers and names. Who made a device is inferred from them; which device
//! it is, and what runs in it, no register says.
//!
//! Each table names its source in its first line, and has a number and a name on each line behind it, in the order of the numbers. Of IANA's
//! register it has the makers of devices for industry, of the others whoever is registered. Numbers that are reserved or free are in none.

use serde::Deserialize;

/// A register of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Register {
    /// Private enterprise numbers (IANA): makers of devices for industry.
    IanaEnterprise,
    /// Vendor ids of CIP (ODVA).
    CipVendor,
    /// Vendor identifiers of BACnet (ASHRAE).
    BacnetVendor,
    /// Manufacturer identification codes of HART (FieldComm Group).
    HartMaker,
}

impl Register {
    /// Whose this number is, as he is called there; `None` for whom the table does not have.
    #[must_use]
    pub fn name(self, number: u32) -> Option<&'static str> {
        self.entries().find(|(known, _)| *known == number).map(|(_, name)| name)
    }

    fn entries(self) -> impl Iterator<Item = (u32, &'static str)> {
        self.table().lines().filter_map(|line| line.split_once('\t')).filter_map(|(number, name)| Some((number.parse().ok()?, name)))
    }

    const fn table(self) -> &'static str {
        match self {
            Self::IanaEnterprise => include_str!("register/iana-enterprise.tsv"),
            Self::CipVendor => include_str!("register/cip-vendor.tsv"),
            Self::BacnetVendor => include_str!("register/bacnet-vendor.tsv"),
            Self::HartMaker => include_str!("register/hart-maker.tsv"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_somebodys() {
        for (register, number, name) in [
            (Register::IanaEnterprise, 248, Some("Richard Hirschmann GmbH & Co.")),
            (Register::IanaEnterprise, 4329, Some("Siemens AG")),
            // An agent for whichever host.
            (Register::IanaEnterprise, 8072, None),
            (Register::CipVendor, 1, Some("Rockwell Automation/Allen-Bradley")),
            (Register::CipVendor, 0, None),
            (Register::BacnetVendor, 5, Some("Johnson Controls, Inc.")),
            (Register::HartMaker, 38, Some("ROSEMOUNT")),
            (Register::HartMaker, 26, Some("ABB")),
        ] {
            assert_eq!(register.name(number), name, "{register:?} {number}");
        }
    }

    #[test]
    fn tables_are_in_order_and_each_line_but_the_first_is_an_entry() {
        use Register::{BacnetVendor, CipVendor, HartMaker, IanaEnterprise};
        for register in [IanaEnterprise, CipVendor, BacnetVendor, HartMaker] {
            let table = register.table();
            assert!(table.lines().next().is_some_and(|line| line.contains("Source: ")), "{register:?}");
            assert_eq!(register.entries().count(), table.lines().count() - 1, "{register:?}");
            assert!(register.entries().zip(register.entries().skip(1)).all(|((one, _), (next, _))| one < next), "{register:?}");
            assert!(register.entries().all(|(_, name)| !name.is_empty() && name.trim() == name), "{register:?}");
        }
    }
}
