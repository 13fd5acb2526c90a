//! The EtherNet/IP-CIP row, without a session.

use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "enip",
    port: 44_818,
    carrier: Carrier::Datagrams,
    settings: &[],
    fields: &[
        "udp.length",
        "enip.command",
        "enip.length",
        "enip.session",
        "enip.status",
        "enip.listid_delay",
        "enip.context",
        "enip.options",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[udp_bytes, command, length, session, code, delay, context, options] = cells else {
        return Err("the referee gave other columns");
    };
    rule(matches!(survivor.granted, Granted::Enip(_)), "granted for another protocol")?;
    rule(before.is_empty() && survivor.messages_max == 1, "more than one message")?;
    rule(command == "0x0063", "a command other than ListIdentity")?;
    // Eight bytes of the datagram's own header.
    rule(udp_bytes == "32" && length == "0", "a body, or bytes behind the message")?;
    rule((session, code, options) == ("0x00000000", "0x00000000", "0x00000000"), "session, status or options are not 0")?;
    rule(delay == "500" && context == "000000000000", "a delay of more than 500 ms, or a context")
}
