//! Identities drawn at random. The seed is the whole of them: a run that failed can be run again.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

const WORDS: [&str; 12] =
    ["Acme", "Borealis", "Cirrus", "Dynamo", "Elektra", "Fulmen", "Galvan", "Helix", "Isar", "Juno", "Kelvin", "Lumen"];
/// Characters that nameplates use, without a blank: a text neither begins nor ends with what a reader may trim.
const CODE: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/.";
/// Registers of a persona.
const REGISTERS: usize = 32;
/// Two objects of this length never share a page of 253 bytes.
const LONG_BYTES: usize = 150;

/// What a server of the rig is told to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The unit id it answers to, 1 to 247.
    pub unit: u8,
    /// Whether it is silent for other units, where the server can be.
    pub silent_for_others: bool,
    /// FC 43/14 objects: 0 to 6, and private ones from 0x81.
    pub objects: BTreeMap<u8, String>,
    /// Holding registers from address 0.
    pub registers: Vec<u16>,
    /// What the servers of other protocols serve of an identity: each takes of it what its protocol has.
    pub plate: Plate,
}

/// A nameplate, with the secrets that some protocols ask for before they show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plate {
    /// The maker: two words with a blank between them.
    pub vendor: String,
    /// The product's name, as a person says it.
    pub model: String,
    /// The order code.
    pub code: String,
    /// The hardware's revision.
    pub hardware: String,
    /// The firmware's version.
    pub firmware: String,
    /// The version of the application, or of the second firmware.
    pub software: String,
    /// The serial number as a text.
    pub serial: String,
    /// What the plant calls it; letters, digits and `-` alone.
    pub name: String,
    /// Where it stands.
    pub location: String,
    /// One line that says what it is, with the firmware in it.
    pub description: String,
    /// The maker's number (CIP, BACnet, an enterprise of SNMP), 1 to 999.
    pub vendor_number: u16,
    /// The product's number, 1 to 32767: cpppo refuses every question where it is greater.
    pub product_number: u16,
    /// A profile of CIP, 1 to 99.
    pub device_type: u16,
    /// The firmware's major revision, 1 to 99.
    pub major: u8,
    /// The firmware's minor revision, 1 to 99.
    pub minor: u8,
    /// The serial number as a number, not 0.
    pub serial_number: u32,
    /// An instance of BACnet's device object, 1 to 4,000,000.
    pub instance: u32,
    /// SNMP's community.
    pub community: String,
    /// The secret that proves a user: SNMPv3's authentication, OPC UA's password. 16 characters.
    pub secret: String,
    /// The secret that hides what is said: SNMPv3's privacy. 16 characters.
    pub privacy: String,
}

impl Plate {
    fn random(seed: u64) -> Self {
        let mut draw = Draw(seed ^ 0x91A7E);
        let mut number = |end| u16::try_from(draw.below(end) + 1).unwrap_or(1);
        let (vendor_number, product_number, device_type) = (number(999), number(32_767), number(99));
        // Of a maker that no table or profile here has, so that what is read is what was served; some servers take it for signed.
        let vendor_number = 18_000 + vendor_number;
        let mut number = |end| u8::try_from(draw.below(end) + 1).unwrap_or(1);
        let (major, minor) = (number(99), number(99));
        let mut number = |end| u32::try_from(draw.below(end) + 1).unwrap_or(1);
        let (serial_number, instance) = (number(0xFFFF_FFFE), number(4_000_000));
        let model = format!("{}-{}", draw.word(), draw.below(10_000));
        let firmware = format!("V{major}.{minor:02}.{}", draw.below(1000));
        let vendor = format!("{} {}", draw.word(), draw.word());
        Self {
            description: format!("{vendor} {model}, SW: {firmware}, Ch: {}", draw.below(100)),
            code: draw.code(14),
            hardware: format!("HW-{}", draw.below(100)),
            software: format!("{}.{}.{}", draw.below(20), draw.below(100), draw.below(10_000)),
            serial: draw.code(12),
            name: format!("cell-{}-{}", draw.below(100), draw.word()),
            location: format!("Hall {} row {}", draw.below(100), draw.below(100)),
            community: format!("c{}", draw.number()),
            secret: format!("s{:015}", draw.below(1_000_000_000_000_000)),
            privacy: format!("p{:015}", draw.below(1_000_000_000_000_000)),
            vendor,
            model,
            firmware,
            vendor_number,
            product_number,
            device_type,
            major,
            minor,
            serial_number,
            instance,
        }
    }

    /// As the servers read it, by the names of the fields.
    pub fn json(&self) -> Value {
        json!({
            "vendor": self.vendor, "model": self.model, "code": self.code, "hardware": self.hardware, "firmware": self.firmware,
            "software": self.software, "serial": self.serial, "name": self.name, "location": self.location,
            "description": self.description, "vendor_number": self.vendor_number, "product_number": self.product_number,
            "device_type": self.device_type, "major": self.major, "minor": self.minor, "serial_number": self.serial_number,
            "instance": self.instance, "community": self.community, "secret": self.secret, "privacy": self.privacy,
        })
    }
}

impl Persona {
    /// As the servers read it (tests/rig/README.md).
    pub fn json(&self) -> Value {
        let objects: BTreeMap<String, &str> = self.objects.iter().map(|(id, text)| (id.to_string(), text.as_str())).collect();
        let (registers, plate) = (&self.registers, self.plate.json());
        json!({ "unit": self.unit, "silent_for_others": self.silent_for_others, "objects": objects, "registers": registers, "plate": plate })
    }

    /// The objects from this id to that one, as (id, text).
    pub fn between(&self, first: u8, last: u8) -> Vec<(u8, String)> {
        self.objects.range(first..=last).map(|(id, text)| (*id, text.clone())).collect()
    }
}

/// A seed: `NAMEPLATE_SEED` where it is set, else the time. It is printed, so that a failed run can be repeated.
pub fn seed() -> u64 {
    let told = std::env::var("NAMEPLATE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs().wrapping_mul(1_000_000_007).wrapping_add(u64::from(since.subsec_nanos()))
    });
    eprintln!("NAMEPLATE_SEED={seed}");
    seed
}

/// A persona whose regular identity fits one page.
pub fn random(seed: u64) -> Persona {
    let mut draw = Draw(seed);
    let vendor = format!("{} {}", draw.word(), draw.word());
    let version = format!("V{}.{:02}.{}", draw.below(20), draw.below(100), draw.below(1000));
    let objects = BTreeMap::from([
        (0, vendor),
        (1, draw.code(12)),
        (2, version),
        (3, format!("https://{}.example", draw.code(8).to_lowercase().replace(['/', '.'], "-"))),
        (4, format!("{} {}", draw.word(), draw.code(4))),
        (5, draw.code(10)),
        (6, format!("line-{}", draw.below(100))),
    ]);
    let unit = u8::try_from(draw.below(247) + 1).unwrap_or(1);
    let registers = (0..REGISTERS).map(|_| u16::try_from(draw.below(65_536)).unwrap_or_default()).collect();
    Persona { unit, silent_for_others: false, objects, registers, plate: Plate::random(seed) }
}

/// A persona whose regular identity takes several pages, with private objects too.
pub fn paged(seed: u64) -> Persona {
    let mut draw = Draw(seed ^ 0x5EED);
    let mut persona = random(seed);
    for id in [3, 4, 5, 0x81, 0x97] {
        persona.objects.insert(id, draw.code(LONG_BYTES));
    }
    persona
}

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, good enough to draw names.
pub struct Draw(pub u64);

impl Draw {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.number() % end).unwrap_or_default()
    }

    fn word(&mut self) -> &'static str {
        let at = self.below(WORDS.len());
        WORDS.get(at).copied().unwrap_or("Acme")
    }

    fn code(&mut self, length: usize) -> String {
        let one = |draw: &mut Self| CODE.get(draw.below(CODE.len())).map_or('X', |byte| char::from(*byte));
        (0..length).map(|_| one(self)).collect()
    }
}
