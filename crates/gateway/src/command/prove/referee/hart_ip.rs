//! The HART-IP row.

use nameplate_field::guard::HartIp;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Commands in one session (docs/read-only.md).
const COMMANDS_MAX: usize = 6;

/// The row in tshark's terms. tshark reads the check byte and does not judge it, so the payload is asked for, too.
pub static ROW: Row = Row {
    protocol: "hart-ip",
    port: 5094,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &[
        "tcp.payload",
        "hart_ip.version",
        "hart_ip.message_type",
        "hart_ip.message_id",
        "hart_ip.status",
        "hart_ip.msg_length",
        "hart_ip.session_init.master_type",
        "hart_ip.session_init.inactivity_close_timer",
        "hart_ip.pt.delimiter",
        "hart_ip.pt.short_addr",
        "hart_ip.pt.long_address",
        "hart_ip.pt.command",
        "hart_ip.pt.length",
        "hart_ip.pt.payload",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[payload, version, kind, id, state, length, master, timer, delimiter, short, long, command, count, data] = cells else {
        return Err("the referee gave other columns");
    };
    let Granted::HartIp(HartIp { polling, io_system, sub_devices }) = &survivor.granted else {
        return Err("granted in another protocol");
    };
    let number = |text: &str| text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
    let bytes: Vec<u8> = (0..payload.len() / 2).filter_map(|at| u8::from_str_radix(payload.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    rule([(version, 1), (kind, 0), (state, 0)].into_iter().all(|(cell, is)| number(cell) == Some(is)), "not a request of version 1")?;
    rule(number(length).map(|length| length as usize) == Some(bytes.len()), "the length is not the message's")?;
    // Columns: message id, command, data.
    let again = |data: &str| before.iter().any(|cells| (cells[3], cells[11], cells[13]) == (id, command, data));
    let commands = before.iter().filter(|cells| number(cells[3]) == Some(3)).count();
    let open = before.iter().filter(|cells| number(cells[3]) != Some(1)).count();
    match number(id) {
        Some(0) => {
            rule(
                number(master) == Some(0) && number(timer) == Some(20_000) && bytes.len() == 13,
                "a session as another than a passing secondary master",
            )?;
            rule(!again(data), "a second session")?;
        }
        Some(1) => return rule(bytes.len() == 8 && !again(data), "a second end, or one that says more"),
        Some(3) => {
            let check = bytes.iter().skip(8).fold(0, |sum, byte| sum ^ byte);
            rule(check == 0, "a wrong check byte")?;
            rule(commands < COMMANDS_MAX, "more commands than a session may have")?;
            let secondary = u8::from_str_radix(long.get(..2).unwrap_or("ff"), 16).is_ok_and(|first| first & 0xc0 == 0);
            let listed = match (number(delimiter), number(command), number(count)) {
                (Some(2), Some(0), Some(0)) => number(short) == Some(u32::from(*polling)) && !again(data),
                (Some(0x82), Some(13 | 20), Some(0)) => secondary && !again(data),
                (Some(0x82), Some(74), Some(0)) => secondary && *io_system && !again(data),
                (Some(0x82), Some(84), Some(2)) => secondary && sub_devices.iter().any(|index| data == format!("{index:04x}")),
                _ => false,
            };
            rule(listed, "a command or address that is not on the list")?;
        }
        _ => return Err("a message that is not on the list"),
    }
    rule(open < survivor.messages_max.into(), "more messages than the connection may have")
}
