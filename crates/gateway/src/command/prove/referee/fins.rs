//! The Omron FINS row.

use nameplate_field::guard::Fins;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const REQUESTS_MAX: usize = 2;

const FRAME: [&str; 12] = [
    "omron.icf",
    "omron.rsv",
    "omron.gct",
    "omron.dna",
    "omron.da1",
    "omron.da2",
    "omron.sna",
    "omron.sa1",
    "omron.sa2",
    "omron.sid",
    "omron.command",
    "omron.command.data",
];

/// The row in tshark's terms, over TCP.
pub static ROW: Row = Row {
    protocol: "fins",
    port: 9600,
    carrier: Carrier::OneStream,
    settings: &[],
    fields: &[
        "tcp.len",
        "omron.tcp.magic",
        "omron.tcp.length",
        "omron.tcp.command",
        "omron.tcp.error_code",
        "omron.tcp.client_node_address",
        FRAME[0],
        FRAME[1],
        FRAME[2],
        FRAME[3],
        FRAME[4],
        FRAME[5],
        FRAME[6],
        FRAME[7],
        FRAME[8],
        FRAME[9],
        FRAME[10],
        FRAME[11],
    ],
    allowed: over_tcp,
};

/// The row in tshark's terms, over UDP.
pub static ROW_UDP: Row = Row {
    protocol: "fins-udp",
    port: 9600,
    carrier: Carrier::Datagrams,
    settings: &[],
    fields: &[
        "udp.length",
        FRAME[0],
        FRAME[1],
        FRAME[2],
        FRAME[3],
        FRAME[4],
        FRAME[5],
        FRAME[6],
        FRAME[7],
        FRAME[8],
        FRAME[9],
        FRAME[10],
        FRAME[11],
    ],
    allowed: over_udp,
};

fn over_tcp(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[tcp_bytes, magic, length, command, error, own, ref frame @ ..] = cells else {
        return Err("the referee gave other columns");
    };
    rule(matches!(survivor.granted, Granted::Fins(Fins::Tcp)), "granted for another way")?;
    rule(before.len() < REQUESTS_MAX.min(survivor.messages_max.into()), "more messages than the connection may have")?;
    rule(!before.iter().any(|cells| cells.get(3) == Some(&command)), "the same question twice")?;
    rule(magic == "0x46494e53" && error == "0x00000000", "no FINS envelope, or one with an error")?;
    match command {
        "0x00000000" => rule((tcp_bytes, length, own) == ("20", "12", "0"), "a node address of our own choice"),
        "0x00000002" => {
            rule((tcp_bytes, length) == ("29", "21"), "the length is not the message's")?;
            controller_data(frame)
        }
        _ => Err("an envelope command that is not on the list"),
    }
}

fn over_udp(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[udp_bytes, ref frame @ ..] = cells else { return Err("the referee gave other columns") };
    let Granted::Fins(Fins::Udp { node }) = survivor.granted else { return Err("granted for another way") };
    rule(before.is_empty(), "a second datagram")?;
    // Eight bytes of the datagram's own header.
    rule(udp_bytes == "21", "bytes behind the message")?;
    rule(frame.get(4) == Some(&"0x00"), "another node than the one that has the network address")?;
    rule(frame.get(7) == Some(&format!("0x{node:02x}").as_str()), "another node of our own than the assigned one")?;
    controller_data(frame)
}

/// CONTROLLER DATA READ of the CPU on the local network.
fn controller_data(frame: &[&str]) -> Result<(), &'static str> {
    let &[icf, reserved, gateways, network, _, unit, own_network, _, own_unit, _, command, parameter] = frame else {
        return Err("the referee gave other columns");
    };
    rule((icf, reserved, gateways) == ("0x80", "0x00", "0x02"), "another header")?;
    rule([network, unit, own_network, own_unit] == ["0x00"; 4], "another network, or a unit that is not the CPU")?;
    rule(command == "0x0501" && parameter == "00", "a command or parameter that is not on the list")
}
