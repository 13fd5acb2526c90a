//! The S7comm row.

use nameplate_field::guard::S7comm;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const MESSAGES_MAX: usize = 6;
/// Cells that every message has.
const TRANSPORT: usize = 13;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "s7comm",
    port: 102,
    carrier: Carrier::OneStream,
    settings: &[],
    fields: &[
        "tcp.len",
        "tpkt.version",
        "tpkt.reserved",
        "tpkt.length",
        "cotp.li",
        "cotp.type",
        "cotp.destref",
        "cotp.class",
        "cotp.src-tsap",
        "cotp.dst-tsap",
        "cotp.tpdu_size",
        "cotp.eot",
        "cotp.tpdu-number",
        "s7comm.header.rosctr",
        "s7comm.header.redid",
        "s7comm.header.parlg",
        "s7comm.header.datlg",
        "s7comm.param.func",
        "s7comm.param.maxamq_calling",
        "s7comm.param.maxamq_called",
        "s7comm.param.pdu_length",
        "s7comm.param.userdata.head",
        "s7comm.param.userdata.length",
        "s7comm.param.userdata.reqres1",
        "s7comm.param.userdata.type",
        "s7comm.param.userdata.funcgroup",
        "s7comm.param.userdata.subfunc",
        "s7comm.param.userdata.dataunitref",
        "s7comm.param.userdata.lastdataunit",
        "s7comm.param.errcod",
        "s7comm.data.returncode",
        "s7comm.data.transportsize",
        "s7comm.data.length",
        "s7comm.data.userdata.szl_id",
        "s7comm.data.userdata.szl_index",
    ],
    allowed,
};

/// Class 0, no credit; a connection request.
const CALL: [&str; 13] = ["22", "3", "0", "22", "17", "0x0e", "0x0000", "0", "0x0300", "", "1024", "", ""];
/// Behind the transport: a setup, a question for a list without it, the next part of a list.
const SETUP: [&str; 22] = ["1", "0x0000", "8", "0", "0xf0", "1", "1", "480", "", "", "", "", "", "", "", "", "", "", "", "", "", ""];
const LIST: [&str; 20] = ["7", "0x0000", "8", "8", "", "", "", "", "0x000112", "4", "0x11", "4", "4", "1", "", "", "", "0xff", "0x09", "4"];
const PART: [&str; 22] =
    ["7", "0x0000", "12", "4", "", "", "", "", "0x000112", "8", "0x12", "4", "4", "1", "0", "0x00", "0x0000", "0x0a", "0x00", "0", "", ""];

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    Setup,
    Modules,
    Components,
    Part,
}

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::S7comm(S7comm { rack, slot, consent_001c }) = &survivor.granted else {
        return Err("another protocol's permit");
    };
    rule(before.len() < MESSAGES_MAX.min(survivor.messages_max.into()), "more messages than the connection may have")?;
    let kind = kind(cells, usize::from(*rack) * 32 + usize::from(*slot))?;
    let times_max = match kind {
        Kind::Call | Kind::Setup => 1,
        Kind::Modules => 2,
        Kind::Components => usize::from(*consent_001c),
        Kind::Part => 3,
    };
    let times = before.iter().filter(|earlier| self::kind(earlier, usize::from(*rack) * 32 + usize::from(*slot)) == Ok(kind)).count();
    rule(times < times_max, "a message more often than it may be, or list 001C without consent")
}

fn kind(cells: &[&str], place: usize) -> Result<Kind, &'static str> {
    if cells.len() != ROW.fields.len() {
        return Err("the referee gave other columns");
    }
    let (transport, message) = cells.split_at(TRANSPORT);
    if transport.get(5) == Some(&"0x0e") {
        let called = format!("0x{:04x}", 0x0300 + place);
        let same =
            transport.iter().zip(CALL).enumerate().all(|(at, (cell, expected))| if at == 9 { *cell == called } else { *cell == expected });
        rule(same && message.iter().all(|cell| cell.is_empty()), "a connection request that is not the configured one")?;
        return Ok(Kind::Call);
    }
    let [tcp_bytes, version, reserved, length, header @ ..] = transport else { return Err("the referee gave other columns") };
    rule((*version, *reserved, tcp_bytes) == ("3", "0", length), "not one packet of ISO transport")?;
    rule(header == ["2", "0x0f", "0x0000", "", "", "", "", "1", "0x00"], "not one whole message in a DT of class 0")?;
    match (*length, message) {
        ("25", message) if message == SETUP => Ok(Kind::Setup),
        ("33", message) if message == PART => Ok(Kind::Part),
        ("33", [list @ .., "0x0011", "0x0000" | "0x0001"]) if list == LIST => Ok(Kind::Modules),
        ("33", [list @ .., "0x001c", "0x0000"]) if list == LIST => Ok(Kind::Components),
        _ => Err("a message that is not on the list"),
    }
}
