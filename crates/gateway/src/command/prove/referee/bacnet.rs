//! The BACnet/IP row.

use nameplate_field::guard::Bacnet;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const REQUESTS_MAX: usize = 9;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "bacnet",
    port: 47_808,
    carrier: Carrier::Datagrams,
    settings: &[],
    fields: &[
        "udp.length",
        "bvlc.function",
        "bacnet.control",
        "bacnet.dnet",
        "bacnet.dlen",
        "bacnet.dadr_eth",
        "bacnet.dadr_mstp",
        "bacapp.type",
        "bacapp.confirmed_service",
        "bacapp.objectType",
        "bacapp.instance_number",
        "bacapp.property_identifier",
        "_ws.malformed",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[udp, function, control, network, station_bytes, ethernet, bus, kind, service, object, instance, property, malformed] = cells
    else {
        return Err("the referee gave other columns");
    };
    let Granted::Bacnet(Bacnet { instance: own, route }) = &survivor.granted else { return Err("another protocol's permit") };
    let number = |text: &str| text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok());
    rule(before.len() < REQUESTS_MAX.min(survivor.messages_max.into()), "more requests than the connection may make")?;
    rule(malformed.is_empty(), "tshark cannot read it")?;
    rule(number(function) == Some(0x0a), "no unicast of our own")?;
    // tshark shows the length of its header and not the one that stands in it (annex J.2); a UDP header has eight bytes.
    let stands = survivor.bytes.get(2..4).map(|length| u64::from(u16::from_be_bytes([length[0], length[1]])));
    rule(stands.map(|bytes| bytes + 8) == number(udp), "the length is not the datagram's")?;
    // Around the question stand four bytes of annex J, two or more of clause 6.2, four of clause 20.1.2; in it five of the object, and the property.
    let around = 4 + 4 + 5 + route.as_ref().map_or(2, |(_, station)| 6 + station.len() as u64);
    let property_bytes = if number(property).is_some_and(|property| property > 255) { 3 } else { 2 };
    rule(stands == Some(around + property_bytes), "bytes behind the question")?;
    match route {
        None => rule(number(control) == Some(0x04) && network.is_empty(), "another network, or a network message")?,
        Some((there, station)) => {
            let shown = if ethernet.is_empty() { bus.trim_start_matches("0x").to_owned() } else { ethernet.replace(':', "") };
            let wanted: String = station.iter().map(|byte| format!("{byte:02x}")).collect();
            let is_there = number(network) == Some(u64::from(*there)) && number(station_bytes) == Some(station.len() as u64);
            // tshark shows an address of one byte as a number.
            let same = shown == wanted || station.len() == 1 && number(bus) == station.first().map(|byte| u64::from(*byte));
            rule(number(control) == Some(0x24) && is_there && same, "another station than the configured one")?;
        }
    }
    rule(number(kind) == Some(0), "no confirmed request")?;
    rule(number(service) == Some(12), "another service than ReadProperty")?;
    rule(number(object) == Some(8) && number(instance) == Some(u64::from(*own)), "another object than the configured device")?;
    rule(matches!(property, "75" | "120" | "121" | "70" | "44" | "12" | "77" | "372"), "a property that is not on the list")
}
