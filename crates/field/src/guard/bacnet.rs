//! What may leave as BACnet/IP: read-only.md section 2, row "BACnet/IP", as data.
//!
//! Layouts: ANSI/ASHRAE 135-2020, annex J.2 (BVLC), clauses 6.2 (NPDU), 20.1.2 (confirmed request), 15.5 (ReadProperty) and 20.2 (tags). One unicast
//! service to one device object; no broadcast, no distribution, no network message, no write is in here, so none can leave.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Is, Part, Row, Slot, Table, Width, any, bytes, granted},
};

/// Requests on one connection (read-only.md section 2, BACnet/IP: 9).
pub const BACNET_REQUESTS_MAX: u8 = 9;
/// The instance that stands for whichever device is there. Clause 15.5.2.
pub const INSTANCE_ANY: u32 = 0x3f_ffff;
/// The longest address behind a router that is asked: six bytes of IP or Ethernet.
const STATION_BYTES_MAX: usize = 6;

/// What one device may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bacnet {
    /// The instance of its device object, or [`INSTANCE_ANY`].
    pub instance: u32,
    /// Network number (1 to 65534) and address of a device behind a router.
    pub route: Option<(u16, Vec<u8>)>,
}

impl Bacnet {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.instance` or `permit.route`: a network or an address that means all of them.
    pub fn grant(&self) -> Result<Grant, Refused> {
        if self.instance > INSTANCE_ANY {
            return Err(Refused::before_any_byte("permit.instance", format!("instance {}, at most {INSTANCE_ANY}", self.instance)));
        }
        let station = if self.instance == INSTANCE_ANY { "any".to_owned() } else { self.instance.to_string() };
        let object = (DEVICE_OBJECT | self.instance).to_be_bytes();
        let Some((network, mac)) = &self.route else {
            return Ok(Grant::new(&TABLE, station).with(&OBJECT, object).with(&DIRECT, []));
        };
        // Length 0 is a broadcast on that network, network 65535 all of them. Clause 6.2.2.
        if !(1..u16::MAX).contains(network) || mac.is_empty() || mac.len() > STATION_BYTES_MAX || mac.iter().all(|byte| *byte == 0xff) {
            let why = format!("network {network}, address {}: one device on one network of 1 to 65534 is asked", super::hex(mac));
            return Err(Refused::before_any_byte("permit.route", why));
        }
        let route = [&network.to_be_bytes()[..], &[mac.len() as u8], mac].concat();
        let station = format!("{network}:{}:{station}", super::hex(mac).replace(' ', ""));
        Ok(Grant::new(&TABLE, station).with(&OBJECT, object).with(&ROUTE, route))
    }
}

/// The type of a device object, in the upper ten bits of an identifier. Clause 20.2.14.
const DEVICE_OBJECT: u32 = 8 << 22;

static OBJECT: Slot = Slot { name: "object", mark: "oo", needs: "", secret: false };
static DIRECT: Slot = Slot { name: "direct", mark: "", needs: "", secret: false };
static ROUTE: Slot = Slot { name: "route", mark: "rr..", needs: "the owner says that it is behind a router, and where", secret: false };

/// Object identifier, vendor name and identifier, model, firmware, application software, object name, serial number. Clause 21.
const PROPERTIES: Is =
    Is::OneOf(&[&[0x19, 75], &[0x19, 121], &[0x19, 120], &[0x19, 70], &[0x19, 44], &[0x19, 12], &[0x19, 77], &[0x1a, 1, 116]]);

const BVLC: [Part; 3] = [
    bytes(&[0x81], "bacnet.bvlc", "BACnet/IP"),
    bytes(&[0x0a], "bacnet.bvlc", "a unicast of our own, no broadcast and nothing forwarded"),
    Part {
        is: Is::Count { width: Width::Two, first: 0, last: usize::MAX, more: 0 },
        rule: "bacnet.length",
        meaning: "length of the datagram",
    },
];
const VERSION: Part = bytes(&[0x01], "bacnet.npdu", "NPDU version 1");
const READ: [Part; 5] = [
    any(1, "bacnet.invoke", "invoke id, free"),
    bytes(&[0x0c], "bacnet.service", "service 12: ReadProperty"),
    bytes(&[0x0c], "bacnet.object", "object identifier follows"),
    granted(&OBJECT, "bacnet.object", "the device object of the configured instance"),
    Part { is: PROPERTIES, rule: "bacnet.property", meaning: "the property" },
];
const CONFIRMED: Part = bytes(&[0x00], "bacnet.apdu", "confirmed request, nothing segmented");

static DIRECTLY: [Part; 12] = [
    BVLC[0],
    BVLC[1],
    BVLC[2],
    VERSION,
    bytes(&[0x04], "bacnet.npdu", "a reply is expected; no network message, nobody else's address"),
    CONFIRMED,
    bytes(&[0x05], "bacnet.apdu", "answers of up to 1,476 bytes"),
    READ[0],
    READ[1],
    READ[2],
    READ[3],
    READ[4],
];
static BEHIND_A_ROUTER: [Part; 14] = [
    BVLC[0],
    BVLC[1],
    BVLC[2],
    VERSION,
    bytes(&[0x24], "bacnet.npdu", "a reply is expected from the network that follows"),
    granted(&ROUTE, "bacnet.route", "network and address behind the router, as configured"),
    bytes(&[0xff], "bacnet.npdu", "hop count"),
    CONFIRMED,
    bytes(&[0x03], "bacnet.apdu", "answers of up to 480 bytes"),
    READ[0],
    READ[1],
    READ[2],
    READ[3],
    READ[4],
];

const fn row(needs: Option<&'static Slot>, parts: &'static [Part]) -> Row {
    let (question, asks) = ("bacnet.read_property", "one identity property of the device object");
    Row { question, asks, needs, parts, times_max: BACNET_REQUESTS_MAX, rises: None, goodbye: false }
}

static ROWS: [Row; 2] = [row(Some(&DIRECT), &DIRECTLY), row(None, &BEHIND_A_ROUTER)];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "bacnet",
    port: "UDP 47808",
    rows: &ROWS,
    messages_max: BACNET_REQUESTS_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "9 requests and 10 s; one in flight; ReadProperty of the device object by unicast, nothing else",
};

#[cfg(test)]
mod tests;
