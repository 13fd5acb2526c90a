//! The rows of Modbus: over TCP, and in frames of a line.

use nameplate_field::guard::Modbus;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const REQUESTS_MAX: usize = 8;
/// The same on a line.
const LINE_REQUESTS_MAX: usize = 2;
/// Bytes up to the end of the MBAP length field.
const MBAP_LENGTH_END: usize = 6;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "modbus",
    port: 502,
    carrier: Carrier::OneStream,
    settings: &[],
    fields: &[
        "tcp.len",
        "mbtcp.prot_id",
        "mbtcp.len",
        "mbtcp.unit_id",
        "modbus.func_code",
        "modbus.mei",
        "modbus.read_device_id",
        "modbus.object_id",
        "modbus.reference_num",
        "modbus.word_cnt",
    ],
    allowed,
};

/// The row of Modbus RTU in tshark's terms.
pub static LINE_ROW: Row = Row {
    protocol: "modbus-rtu",
    port: 4_001,
    carrier: Carrier::OneStream,
    // By the preference and not by decode-as: by it alone tshark knows which end asks.
    settings: &["-o", "mbrtu.tcp.port:4001", "-o", "mbrtu.crc_verification:TRUE", "-o", "mbrtu.desegment:FALSE"],
    fields: &[
        "tcp.len",
        "mbrtu.crc16.status",
        "_ws.malformed",
        "mbrtu.unit_id",
        "modbus.func_code",
        "modbus.mei",
        "modbus.read_device_id",
        "modbus.object_id",
        "modbus.reference_num",
        "modbus.word_cnt",
    ],
    allowed: allowed_on_a_line,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[tcp_bytes, protocol, length, _, _, _, _, _, _, _] = cells else { return Err("the referee gave other columns") };
    rule(before.len() < REQUESTS_MAX.min(survivor.messages_max.into()), "more requests than the connection may make")?;
    rule(protocol == "0", "not one Modbus TCP message with protocol id 0")?;
    let number = |text: &str| text.parse::<usize>().ok();
    rule(
        number(length).and_then(|length| length.checked_add(MBAP_LENGTH_END)) == number(tcp_bytes),
        "the length field is not the message's",
    )?;
    pdu_allowed(survivor, cells, before, MBAP_LENGTH_END + 1)
}

fn allowed_on_a_line(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[_, check, malformed, unit, _, _, _, _, _, _] = cells else { return Err("the referee gave other columns") };
    rule(before.len() < LINE_REQUESTS_MAX.min(survivor.messages_max.into()), "more requests than the connection may make")?;
    if let (&[to, 0x11, c0, c1], Granted::Modbus(granted)) = (survivor.bytes.as_slice(), &survivor.granted) {
        // tshark 4.0 reads no frame of four bytes: this one is read by hand.
        rule([c0, c1] == line_check(&[to, 0x11]), "no frame with right check bytes")?;
        return rule(to == granted.unit && granted.server_id, "function 17 that nobody granted, or of another unit");
    }
    rule(check == "1" && malformed.is_empty(), "no frame with right check bytes")?;
    rule(unit != "0", "a broadcast")?;
    // Unit before, check bytes behind the PDU.
    pdu_allowed(survivor, cells, before, 3)
}

/// MODBUS over serial line V1.02, 6.2.2, bit by bit.
fn line_check(bytes: &[u8]) -> [u8; 2] {
    let mut rest = u16::MAX;
    for byte in bytes {
        rest ^= u16::from(*byte);
        for _ in 0..8 {
            rest = if rest % 2 == 1 { (rest / 2) ^ 0xa001 } else { rest / 2 };
        }
    }
    rest.to_le_bytes()
}

/// The question itself; `around` is how many bytes of the segment are not its PDU.
fn pdu_allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>], around: usize) -> Result<(), &'static str> {
    let &[tcp_bytes, _, _, unit, function, mei, code, object, address, quantity] = cells else {
        return Err("the referee gave other columns");
    };
    let number = |text: &str| text.parse::<usize>().ok();
    let Granted::Modbus(Modbus { unit: own, server_id, registers, .. }) = &survivor.granted else {
        return Err("another protocol's permit");
    };
    let pdu_bytes = number(tcp_bytes).and_then(|bytes| bytes.checked_sub(around));
    rule(unit == own.to_string(), "another unit than the configured one")?;
    match function {
        "43" => {
            let asked = |cells: &Vec<&str>| match cells.as_slice() {
                [.., earlier, object, _, _] if *earlier == code => number(object),
                _ => None,
            };
            let rising = before.iter().filter_map(asked).all(|earlier| Some(earlier) < number(object));
            rule(pdu_bytes == Some(4) && mei == "14", "function 43 other than 43/14")?;
            rule(matches!((code, object), ("1", "0") | ("2" | "3" | "4", _)), "a read code or object that is not on the list")?;
            rule(rising, "object ids do not rise")
        }
        "17" => rule(pdu_bytes == Some(1) && *server_id, "function 17 that nobody granted"),
        "3" | "4" => {
            let listed = registers.iter().any(|granted| {
                (granted.function.to_string().as_str(), granted.address.to_string().as_str(), granted.quantity.to_string().as_str())
                    == (function, address, quantity)
            });
            rule(pdu_bytes == Some(5) && listed, "registers that no profile lists")
        }
        _ => Err("a function that is not on the list"),
    }
}
