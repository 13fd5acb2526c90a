//! The row of SNMP v1 and v2c.

use nameplate_field::guard::Snmp;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const MESSAGES_MAX: usize = 17;
/// Objects in one message, and repetitions of GetBulk (docs/read-only.md).
pub(super) const OBJECTS_MAX: usize = 10;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "snmp",
    port: 161,
    carrier: Carrier::Datagrams,
    settings: &[],
    fields: &[
        "snmp.version",
        "snmp.community",
        "snmp.data",
        "snmp.error_status",
        "snmp.error_index",
        "snmp.non_repeaters",
        "snmp.max_repetitions",
        "snmp.name",
        "snmp.valueType_element",
        "snmp.value.octets",
        "snmp.value.int",
        "_ws.malformed",
        "_ws.expert.message",
    ],
    allowed,
};

pub(super) const SYSTEM: [&str; 4] = ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0"];
const ENTRY: &str = "1.3.6.1.2.1.47.1.1.1.1.";
const COLUMNS: [&str; 11] = ["2", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"];

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[version, community, pdu, status, index, apart, repetitions, names, _, octets, int, malformed, expert] = cells else {
        return Err("the referee gave other columns");
    };
    let Granted::Snmp(Snmp { v1, community: own, objects, entities }) = &survivor.granted else { return Err("another protocol's permit") };
    rule(before.len() < MESSAGES_MAX.min(survivor.messages_max.into()), "more messages than the connection may have")?;
    rule(malformed.is_empty() && expert.is_empty(), "tshark cannot read it, or finds fault with it")?;
    rule(version == if *v1 { "0" } else { "1" }, "another version than the configured one")?;
    rule(community.as_bytes() == own.bytes(), "another community than the configured one")?;
    rule(octets.is_empty() && int.is_empty(), "a value in a question")?;
    let names: Vec<&str> = names.split(',').collect();
    rule(names.len() <= OBJECTS_MAX, "too many objects in one message")?;
    match pdu {
        "0" => {
            let listed: Vec<String> = objects.iter().map(|object| dotted(object)).collect();
            let of_list = listed.chunks(OBJECTS_MAX).any(|names_of_list| names_of_list == names);
            let system_before = before.iter().any(|cells| cells.get(7).is_some_and(|names| *names == SYSTEM.join(",")));
            rule(status == "0" && index == "0", "an error in a question")?;
            rule(of_list && !v1 || names == SYSTEM && !system_before, "objects that are not on the list, or twice")
        }
        "1" => rule(*v1 && *entities && status == "0" && index == "0" && rows(&names), "GetNext where nobody granted it"),
        "5" => {
            let few = repetitions.parse::<usize>().is_ok_and(|repetitions| repetitions <= OBJECTS_MAX);
            rule(!v1 && *entities && apart == "0" && few && rows(&names), "GetBulk where nobody granted it, or of too much")
        }
        _ => Err("a PDU that is not on the list"),
    }
}

/// Whether all are columns of entPhysicalTable, each at a row or at its beginning.
pub(super) fn rows(names: &[&str]) -> bool {
    names.iter().all(|name| {
        let mut numbers = name.strip_prefix(ENTRY).unwrap_or_default().split('.');
        let column = numbers.next().is_some_and(|column| COLUMNS.contains(&column));
        let row = numbers.next().is_none_or(|row| row.parse::<i32>().is_ok());
        column && row && numbers.next().is_none()
    })
}

/// A name as tshark writes it. X.690, 8.19.
fn dotted(name: &[u8]) -> String {
    let (first, rest) = name.split_first().map_or((0, &[][..]), |(first, rest)| (*first, rest));
    let (mut text, mut number) = (format!("{}.{}", first / 40, first % 40), 0_u64);
    for byte in rest {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            text += &format!(".{number}");
            number = 0;
        }
    }
    text
}
