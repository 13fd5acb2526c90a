//! The Modbus TCP row.

use nameplate_field::guard::Modbus;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const REQUESTS_MAX: usize = 8;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "modbus",
    port: 502,
    carrier: Carrier::OneStream,
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

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[tcp_bytes, protocol, length, unit, function, mei, code, object, address, quantity] = cells else {
        return Err("the referee gave other columns");
    };
    let number = |text: &str| text.parse::<usize>().ok();
    let Granted::Modbus(Modbus { unit: own, server_id, registers, .. }) = &survivor.granted else {
        return Err("another protocol's permit");
    };
    rule(before.len() < REQUESTS_MAX.min(survivor.messages_max.into()), "more requests than the connection may make")?;
    rule(protocol == "0", "not one Modbus TCP message with protocol id 0")?;
    rule(number(length).and_then(|length| length.checked_add(6)) == number(tcp_bytes), "the length field is not the message's")?;
    rule(unit == own.to_string(), "another unit than the configured one")?;
    match function {
        "43" => {
            let asked = |cells: &Vec<&str>| match cells.as_slice() {
                [.., earlier, object, _, _] if *earlier == code => number(object),
                _ => None,
            };
            let rising = before.iter().filter_map(asked).all(|earlier| Some(earlier) < number(object));
            rule(length == "5" && mei == "14", "function 43 other than 43/14")?;
            rule(matches!((code, object), ("1", "0") | ("2" | "3" | "4", _)), "a read code or object that is not on the list")?;
            rule(rising, "object ids do not rise")
        }
        "17" => rule(length == "2" && *server_id, "function 17 that nobody granted"),
        "3" | "4" => {
            let listed = registers.iter().any(|granted| {
                (granted.function.to_string().as_str(), granted.address.to_string().as_str(), granted.quantity.to_string().as_str())
                    == (function, address, quantity)
            });
            rule(length == "6" && listed, "registers that no profile lists")
        }
        _ => Err("a function that is not on the list"),
    }
}
