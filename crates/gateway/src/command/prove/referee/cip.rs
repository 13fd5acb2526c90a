//! The EtherNet/IP-CIP row, in a session.

use nameplate_field::guard::Cip;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages beside one for each slot (docs/read-only.md).
const BESIDE_SLOTS: usize = 3;
const REGISTER: &str = "0x0065";
const UNREGISTER: &str = "0x0066";
const SEND_RR: &str = "0x006f";

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "cip",
    port: 44_818,
    carrier: Carrier::OneStream,
    settings: &[],
    fields: &[
        "enip.command",
        "tcp.len",
        "enip.length",
        "enip.session",
        "enip.status",
        "enip.context",
        "enip.options",
        "enip.rs.version",
        "enip.rs.flags",
        "enip.srrd.iface",
        "enip.cpf.typeid",
        "enip.cpf.length",
        "cip.service",
        "cip.epath",
        "cip.attribute",
        "cip.port",
        "cip.linkaddress.byte",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[command, tcp_bytes, length, session, code, context, options, ref body @ ..] = cells else {
        return Err("the referee gave other columns");
    };
    let Granted::Cip(asked) = &survivor.granted else { return Err("granted for another protocol") };
    let number = |text: &str| text.parse::<usize>().ok();
    let again = before.iter().any(|cells| cells.first() == Some(&command));
    // A goodbye frees the session: a tightened permit does not keep it back.
    let messages_max = usize::from(survivor.messages_max).min(BESIDE_SLOTS - 1 + asked.slots.len()) + usize::from(command == UNREGISTER);
    rule(before.len() < messages_max, "more messages than the connection may have")?;
    rule(number(length).and_then(|length| length.checked_add(24)) == number(tcp_bytes), "the length field is not the message's")?;
    rule((code, options) == ("0x00000000", "0x00000000"), "status or options are not 0")?;
    rule(context.get(2..) == Some("00000000000000"), "a context of more than one byte")?;
    match command {
        REGISTER => {
            let opens = body.starts_with(&["1", "0x0000"]) && length == "4";
            rule(opens && session == "0x00000000" && !again, "a session of another kind, or a second one")
        }
        UNREGISTER => rule(length == "0" && !again, "a second goodbye, or one with a body"),
        SEND_RR => identity(asked, body, before),
        _ => Err("a command that is not on the list"),
    }
}

/// Unconnected_Send to the Connection Manager, in it a read of the Identity object, along one word of a route.
fn identity(asked: &Cip, body: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[_, _, interface, items, lengths, services, paths, attribute, port, slot] = body else {
        return Err("the referee gave other columns");
    };
    rule(interface == "0x00000000" && items == "0x0000,0x00b2" && lengths.starts_with("0,"), "not one unconnected message")?;
    let number = |text: &str| text.parse::<u8>().ok();
    let slot_hex = number(slot).map_or_else(String::new, |slot| format!("{slot:02x}"));
    let attribute_hex = number(attribute).map_or_else(String::new, |attribute| format!("{attribute:02x}"));
    let all = services == "0x52,0x01" && paths == format!("20062401,20012401,01{slot_hex}");
    let one = services == "0x52,0x0e" && paths == format!("20062401,2001240130{attribute_hex},01{slot_hex}");
    rule(all || one, "a service, an object or a route that is not on the list")?;
    rule(all || number(attribute).is_some_and(|attribute| asked.attributes.contains(&attribute)), "an attribute that nobody granted")?;
    rule(port == "1" && number(slot).is_some_and(|slot| asked.slots.contains(&slot)), "a slot that nobody named")?;
    let twice = before.iter().any(|cells| cells.get(12) == Some(&services) && cells.last() == Some(&slot));
    rule(!twice, "a slot that was asked before")
}
