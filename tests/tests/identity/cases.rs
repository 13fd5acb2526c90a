//! The cases that people read, as far as they ask which product a device is. The numbers are those of the truth file.

use nameplate_core::finding::installed::Installed;

/// A device, a document, and what the document says of it.
#[derive(Clone, Copy, Default)]
pub struct Case {
    /// Its number in the truth file.
    pub number: u32,
    /// The document.
    pub advisory: &'static str,
    /// Who made it.
    pub manufacturer: &'static str,
    /// The model.
    pub model: &'static str,
    /// The order number.
    pub product_code: &'static str,
    /// The firmware.
    pub firmware: &'static str,
    /// The bundle.
    pub bundle: &'static str,
    /// Names of products that are the device.
    pub is: &'static [&'static str],
    /// Names of products that may be.
    pub may_be: &'static [&'static str],
    /// By what.
    pub step: &'static [&'static str],
    /// What the names say beside: lines and conditions.
    pub beside: &'static [&'static str],
    /// The document could be mistaken for one about the device.
    pub ruled_out: bool,
    /// Why.
    pub why: &'static str,
}

impl Case {
    /// The device.
    pub fn installed(&self) -> Installed {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut installed = Installed {
            manufacturer: text(self.manufacturer),
            model: text(self.model),
            product_code: text(self.product_code),
            firmware_revision: text(self.firmware),
            ..Installed::default()
        };
        if let Some(bundle) = text(self.bundle) {
            installed.facts.insert("bundle", vec![bundle]);
        }
        installed
    }
}

const NOTHING: Case = Case {
    number: 0,
    advisory: "",
    manufacturer: "",
    model: "",
    product_code: "",
    firmware: "",
    bundle: "",
    is: &[],
    may_be: &[],
    step: &[],
    beside: &[],
    ruled_out: false,
    why: "",
};

/// All of them.
pub const CASES: &[Case] = &[
    Case {
        number: 8,
        advisory: "icsa-22-354-02",
        manufacturer: "Rockwell Automation/Allen-Bradley",
        model: "ControlLogix 5570",
        bundle: "redundancy",
        is: &["ControlLogix5570 redundancy"],
        step: &["model"],
        why: "the bundle is the redundancy track, and ControlLogix5570 is ControlLogix 5570",
        ..NOTHING
    },
    Case {
        number: 9,
        advisory: "icsa-22-354-02",
        manufacturer: "Rockwell Automation",
        model: "ControlLogix 5570",
        is: &["ControlLogix 5570"],
        step: &["model"],
        why: "the document lists the redundancy track by itself",
        ..NOTHING
    },
    Case {
        number: 14,
        advisory: "icsa-21-110-02",
        manufacturer: "Rockwell Automation",
        product_code: "1783-BMS10CGL",
        is: &["Stratix 5700"],
        step: &["family"],
        why: "1783-BMS is the Stratix 5700",
        ..NOTHING
    },
    Case {
        number: 15,
        advisory: "icsa-19-094-03",
        manufacturer: "Rockwell Automation",
        model: "Stratix 8300",
        is: &["Allen-Bradley Stratix 8300"],
        step: &["model"],
        why: "the brand in front says nothing",
        ..NOTHING
    },
    Case {
        number: 16,
        advisory: "icsa-24-095-02",
        manufacturer: "SEL",
        firmware: "SEL-751-R400-V1-Z012003-D20230428",
        is: &["SEL-751 Feeder Protection Relay"],
        step: &["model"],
        why: "the identification holds the model",
        ..NOTHING
    },
    Case {
        number: 18,
        advisory: "icsa-24-095-02",
        firmware: "SEL-710-5-R302-V0-Z007002-D20220101",
        is: &["SEL-710-5 Motor Protection Relay"],
        step: &["model"],
        why: "the identification shows who made it, too",
        ..NOTHING
    },
    Case {
        number: 19,
        advisory: "icsa-23-341-02",
        manufacturer: "Schweitzer Engineering Laboratories",
        firmware: "SEL-411L-R121-V1-Z010004-D20160216",
        is: &["R118", "R119", "R120", "R121", "R122", "R123", "R124", "R125", "R126", "R127", "R128", "R129"],
        step: &["title"],
        beside: &["R118", "R119", "R120", "R121", "R122", "R123", "R124", "R125", "R126", "R127", "R128", "R129"],
        why: "the products are release lines, the title names the relay",
        ..NOTHING
    },
    Case {
        number: 20,
        advisory: "icsa-23-341-02",
        manufacturer: "SEL",
        firmware: "SEL-351S-7-R121-V1-Z103103-D20110429",
        ruled_out: true,
        why: "R121 of another relay than the title's",
        ..NOTHING
    },
    Case {
        number: 21,
        advisory: "icsa-22-041-01",
        manufacturer: "Siemens",
        product_code: "6ES7516-3AN01-0AB0",
        is: &["SIMATIC S7-1500 CPU family (incl. related ET200 CPUs and SIPLUS variants)"],
        step: &["family"],
        why: "6ES7 51x is an S7-1500 CPU",
        ..NOTHING
    },
    Case {
        number: 22,
        advisory: "icsa-22-041-01",
        manufacturer: "Siemens",
        product_code: "6AG1516-3AN01-7AB0",
        is: &["SIMATIC S7-1500 CPU family (incl. related ET200 CPUs and SIPLUS variants)"],
        step: &["family"],
        why: "6AG1 is the SIPLUS variant, included by name",
        ..NOTHING
    },
    Case {
        number: 23,
        advisory: "icsa-20-042-11",
        manufacturer: "Siemens",
        model: "SIMATIC S7-1500 Software Controller",
        is: &["SIMATIC S7-1500 Software Controller"],
        step: &["model"],
        why: "the software controller is no CPU of the family",
        ..NOTHING
    },
    Case {
        number: 24,
        advisory: "icsa-17-129-02",
        manufacturer: "Siemens",
        product_code: "6ES7 315-2EH14-0AB0",
        is: &["SIMATIC S7-300 CPU family (incl. related ET200 CPUs and SIPLUS variants)"],
        step: &["family"],
        why: "6ES7 31x is an S7-300 CPU",
        ..NOTHING
    },
    Case {
        number: 26,
        advisory: "icsa-17-339-01",
        manufacturer: "Siemens",
        model: "SINAMICS G130 V4.7 w. PN",
        is: &["SINAMICS G130 V4.7 w. PN", "SINAMICS G130 V4.8 w. PN"],
        step: &["model"],
        beside: &["V4.7", "V4.8"],
        why: "both lines are the drive: its version tells which",
        ..NOTHING
    },
    Case {
        number: 29,
        advisory: "icsa-19-318-02",
        product_code: "6ES7288-1ST20-0AA0",
        is: &["SIMATIC S7-200 SMART CPU ST20 (6ES7 288-1ST20-0AA0)"],
        step: &["product_code"],
        why: "an order number needs no manufacturer",
        ..NOTHING
    },
    Case {
        number: 30,
        advisory: "icsa-19-318-02",
        manufacturer: "Siemens",
        product_code: "6ES7214-1AG40-0XB0",
        is: &["SIMATIC S7-1200 CPU family V4.x (incl. SIPLUS variants)", "SIMATIC S7-1200 CPU family < V4.x (incl. SIPLUS variants)"],
        step: &["family"],
        beside: &["V4.x", "< V4.x"],
        why: "6ES7 21x is an S7-1200 CPU",
        ..NOTHING
    },
    Case {
        number: 31,
        advisory: "icsa-24-074-01",
        manufacturer: "Siemens",
        product_code: "7KM3220-0BA01-1DA0",
        is: &["SENTRON 7KM PAC3220 AC/DC (7KM3220-0BA01-1DA0)"],
        step: &["product_code"],
        why: "the DC variant has another number",
        ..NOTHING
    },
    Case {
        number: 32,
        advisory: "icsa-22-195-18",
        manufacturer: "Siemens",
        model: "RMC8388",
        is: &["RUGGEDCOM RMC8388 V4.X", "RUGGEDCOM RMC8388 V5.X"],
        step: &["model"],
        beside: &["V4.X", "V5.X"],
        why: "RMC8388NC is another device",
        ..NOTHING
    },
    Case {
        number: 35,
        advisory: "icsa-23-325-01",
        manufacturer: "WAGO",
        product_code: "750-8214",
        is: &["PFC200"],
        step: &["family"],
        why: "750-82xx is a PFC200",
        ..NOTHING
    },
    Case {
        number: 36,
        advisory: "icsa-20-308-01",
        manufacturer: "WAGO",
        product_code: "750-331/000-002",
        is: &["750-331/xxx-xxx"],
        step: &["product_code"],
        why: "xxx stands for any variant",
        ..NOTHING
    },
    Case {
        number: 37,
        advisory: "icsa-22-314-07",
        manufacturer: "Omron",
        model: "NJ501-1300",
        is: &["NJ/NX-series Machine Automation Controllers"],
        step: &["family"],
        why: "the models were lost: all three nodes have one name",
        ..NOTHING
    },
    Case {
        number: 39,
        advisory: "icsa-17-117-01b",
        manufacturer: "GE Multilin",
        model: "369",
        is: &["369 Motor Protection Relay", "369 Motor Protection Relay firmware"],
        step: &["model"],
        why: "both nodes are the relay",
        ..NOTHING
    },
    Case {
        number: 44,
        advisory: "icsa-23-143-03",
        manufacturer: "Mitsubishi",
        model: "FX5U-32MT/ES",
        is: &["MELSEC iQ-F Series FX5U-32MT/ES, Serial number 17X**** or later"],
        step: &["model"],
        beside: &["Serial number 17X**** or later"],
        why: "the serial number is a condition beside the model",
        ..NOTHING
    },
    Case {
        number: 46,
        advisory: "icsa-24-051-03",
        manufacturer: "Mitsubishi Electric",
        model: "Wire-cut EDM MV1200S D-CUBES",
        is: &["Wire-cut EDM MV Series MV1200S D-CUBES Series Standard system BRD-B60W000"],
        step: &["model"],
        why: "a machine of which nobody says that it is special has the standard system",
        ..NOTHING
    },
    Case {
        number: 50,
        advisory: "icsa-18-184-01",
        manufacturer: "Rockwell Automation",
        product_code: "1783-SAD4T0SBK9",
        is: &["Allen-Bradley Stratix 5950"],
        step: &["catalogue"],
        why: "the version slot holds the catalogue number",
        ..NOTHING
    },
    Case {
        number: 51,
        advisory: "icsa-21-313-01",
        manufacturer: "APC",
        model: "Rack PDU using NMC2",
        is: &["APC Rack Power Distribution Units (PDU) using NMC2"],
        step: &["model"],
        why: "the card is part of the name, and NMC3 is another",
        ..NOTHING
    },
];
