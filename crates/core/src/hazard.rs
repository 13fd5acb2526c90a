//! Device classes that are not asked over a protocol, because a read disturbs them. What is known before the first packet decides:
//! what was heard, a hardware address, a sheet.

/// A class that must not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// The rule's id in refusals.
    pub rule: &'static str,
    /// The protocol over which it must not be asked.
    pub protocol: &'static str,
    /// Manufacturer as devices write it, lower case; a text that begins so belongs to the class.
    manufacturer: &'static str,
    /// First three octets of its hardware addresses, as `00:30:de` (IEEE registry).
    oui: &'static str,
    /// What happens, and the source.
    pub why: &'static str,
}

/// The classes. A row leaves when a profile can state the mode that makes it safe.
const HAZARDS: [Hazard; 1] = [Hazard {
    rule: "hazard.wago-watchdog",
    protocol: "modbus",
    manufacturer: "wago",
    oui: "00:30:de",
    why: "a WAGO 750/PFC may take any Modbus request as a sign of life of its master, and the first one can start its watchdog: on expiry \
          outputs go to 0 (750-8207 manual, p. 300; 750-342 manual, p. 164). No profile states the watchdog mode of this device: listen \
          to it, or read it over another channel",
}];

/// The hazard of a device that is known by its manufacturer's text or its hardware address.
#[must_use]
pub fn hazard(protocol: &str, manufacturer: Option<&str>, mac: Option<&str>) -> Option<&'static Hazard> {
    let manufacturer = manufacturer.map(str::to_lowercase);
    HAZARDS.iter().find(|hazard| {
        hazard.protocol == protocol
            && (manufacturer.as_deref().is_some_and(|text| text.starts_with(hazard.manufacturer))
                || mac.is_some_and(|mac| mac.to_lowercase().starts_with(hazard.oui)))
    })
}

/// Systems that keep people alive. They are never contacted: what is to be known of them comes from lists.
static SAFETY_SYSTEM: Hazard = Hazard {
    rule: "hazard.safety-system",
    protocol: "",
    manufacturer: "",
    oui: "",
    why: "it is a safety system (SIS), and nobody asks one: import what is known of it",
};

/// Makers of nothing else, as devices write them, lower case; a text that begins so belongs to them.
const SAFETY_MAKERS: [&str; 4] = ["hima", "triconex", "ics triplex", "safety manager"];
/// Words of product names, lower case: HIMA HIMax, HIMatrix, HIQuad; Triconex Tricon, Trident; Yokogawa ProSafe-RS; Honeywell Safety Manager; Emerson
/// DeltaV SIS; Rockwell AADvance; ABB AC 800M HI.
const SAFETY_MODELS: [&str; 11] =
    ["himax", "himatrix", "hiquad", "triconex", "tricon", "trident", "prosafe", "safety manager", "deltav sis", "aadvance", "800m hi"];

/// The hazard of a safety system, known by its maker or by its product's name.
#[must_use]
pub fn safety_system(manufacturer: Option<&str>, model: Option<&str>) -> Option<&'static Hazard> {
    let by_maker = manufacturer.map(str::to_lowercase).is_some_and(|text| SAFETY_MAKERS.iter().any(|maker| text.starts_with(maker)));
    let by_model = model.map(str::to_lowercase).is_some_and(|text| SAFETY_MODELS.iter().any(|word| text.contains(word)));
    (by_maker || by_model).then_some(&SAFETY_SYSTEM)
}

/// Catalogue numbers begin so that are those of Logix controllers.
const LOGIX: [&str; 4] = ["1756-L", "1768-L", "1769-L", "5069-L"];

/// True where a product name is that of a safety controller by its own word: GuardLogix and Compact GuardLogix controllers and safety partners
/// have an S behind the L of their catalogue number (1756-L73S, 1756-L84ES, 1756-LSP, 1769-L30ERMS, 5069-L306ERS2), others say it in words.
#[must_use]
pub fn is_safety_controller(product: &str) -> bool {
    let product = product.trim().to_ascii_uppercase();
    let number = product.split([' ', '/']).next().unwrap_or_default();
    let is_guard = |prefix: &&str| number.strip_prefix(*prefix).is_some_and(|rest| rest.contains('S'));
    product.contains("SAFETY") || product.contains("GUARDLOGIX") || LOGIX.iter().any(is_guard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wago_is_known_by_what_it_says_or_by_its_hardware_address() {
        for (protocol, manufacturer, mac, expected) in [
            ("modbus", Some("WAGO Kontakttechnik"), None, true),
            ("modbus", None, Some("00:30:DE:01:02:03"), true),
            ("modbus", Some("Schneider Electric"), Some("00:80:f4:00:00:01"), false),
            ("snmp", Some("WAGO"), None, false),
            ("modbus", None, None, false),
        ] {
            assert_eq!(hazard(protocol, manufacturer, mac).is_some(), expected, "{protocol} {manufacturer:?} {mac:?}");
        }
    }

    #[test]
    fn a_safety_system_is_known_by_its_maker_or_its_name() {
        for (manufacturer, model, expected) in [
            (Some("HIMA Paul Hildebrandt GmbH"), None, true),
            (Some("Schneider Electric"), Some("Tricon CX"), true),
            (None, Some("ProSafe-RS"), true),
            (Some("Schneider Electric"), Some("BMX P34 2020"), false),
            (Some("Himel"), Some("HME"), false),
            (None, None, false),
        ] {
            assert_eq!(safety_system(manufacturer, model).is_some(), expected, "{manufacturer:?} {model:?}");
        }
    }

    #[test]
    fn a_safety_controller_is_known_by_its_catalogue_number_or_its_words() {
        let safety = ["1756-L73S/B LOGIX5573SAFETY", "1756-L84ES/B", "1756-LSP/B", "1769-L30ERMS/A", "5069-L306ERS2/A", "NX Safety CPU"];
        let others =
            ["1756-L61/B LOGIX5561", "1756-L83E/B", "1756-ENBT/A", "1769-L35E/A", "5069-L306ER/A", "1756-L81EP/B", "1756-IB16S/A", ""];
        assert!(safety.iter().all(|product| is_safety_controller(product)), "{safety:?}");
        assert!(!others.iter().any(|product| is_safety_controller(product)), "{others:?}");
    }
}
