//! What may leave as Modbus RTU towards a serial server: read-only.md section 2, row "Modbus RTU", as data.
//!
//! Layout: MODBUS over Serial Line V1.02, 2.5.1 (unit, PDU, check bytes); the PDUs are those of Modbus TCP. Two requests: each one keeps the line from
//! its master.

use super::{
    Refused, check,
    modbus::{REGISTERS, SERVER_ID_ASKED, UNIT},
    permit::{Grant, HOLD_S_MAX},
    table::{Is, Part, Rises, Row, Slot, Table, any, bytes, granted, granted_bytes},
};

/// Requests on one connection.
pub const LINE_REQUESTS_MAX: u8 = 2;
/// Units of a line; 0 is a broadcast, the rest is reserved. 2.2.
const UNIT_LAST: u8 = 247;

/// Turns what a unit may be asked over TCP into the same on a line.
///
/// # Errors
/// [`Refused`] by `permit.unit`: everybody, or nobody, has that number on a line.
pub(super) fn grant(unit: u8, grant: Grant) -> Result<Grant, Refused> {
    if !(1..=UNIT_LAST).contains(&unit) {
        return Err(Refused::before_any_byte("permit.unit", format!("unit {unit}: on a line a unit is 1 to {UNIT_LAST}")));
    }
    Ok(grant.by(&TABLE))
}

const UNIT_PART: Part = granted(&UNIT, "modbus-rtu.unit", "unit, as configured");
const FUNCTION: Part = bytes(&[0x2b], "modbus-rtu.function", "function code");
const MEI: Part = bytes(&[0x0e], "modbus-rtu.mei", "MEI type 0E: read device identification");

const fn check_of(last: usize) -> Part {
    Part { is: Is::Check { sum: check::Sum::ModbusRtu, first: 0, last }, rule: "modbus-rtu.check", meaning: "check bytes" }
}

/// `unit 2B 0E code object check`.
const fn identification(code: &'static [u8], object: Part) -> [Part; 6] {
    let code = bytes(code, "modbus-rtu.read_code", "read code: 1 basic, 2 regular, 3 extended, 4 one object");
    [UNIT_PART, FUNCTION, MEI, code, object, check_of(4)]
}

const FIRST_OBJECT: Part = bytes(&[0], "modbus-rtu.object", "object to start at");
const ANY_OBJECT: Part = any(1, "modbus-rtu.object", "object to start at");

static BASIC: [Part; 6] = identification(&[1], FIRST_OBJECT);
static REGULAR: [Part; 6] = identification(&[2], ANY_OBJECT);
static EXTENDED: [Part; 6] = identification(&[3], ANY_OBJECT);
static OBJECT: [Part; 6] = identification(&[4], ANY_OBJECT);
static SERVER_ID: [Part; 3] = [UNIT_PART, bytes(&[0x11], "modbus-rtu.function", "function code"), check_of(1)];
static READ: [Part; 5] = [
    UNIT_PART,
    granted_bytes(&REGISTERS, 0, 1, "modbus-rtu.function", "function code"),
    granted_bytes(&REGISTERS, 1, 3, "modbus-rtu.address", "first register"),
    granted_bytes(&REGISTERS, 3, 5, "modbus-rtu.quantity", "quantity of registers"),
    check_of(3),
];

/// As over TCP.
const OBJECT_RISES: Option<Rises> = Some(Rises { key: 3, value: 4, rule: "modbus-rtu.object_rises" });

const fn row(question: &'static str, asks: &'static str, needs: Option<&'static Slot>, parts: &'static [Part], rises: bool) -> Row {
    let rises = if rises { OBJECT_RISES } else { None };
    Row { question, asks, needs, parts, times_max: LINE_REQUESTS_MAX, rises, goodbye: false }
}

static ROWS: [Row; 6] = [
    row("modbus.identification.basic", "vendor, product code and revision", None, &BASIC, true),
    row("modbus.identification.regular", "the same and URL, product, model and application name", None, &REGULAR, true),
    row("modbus.identification.extended", "the same and the maker's own objects", None, &EXTENDED, true),
    row("modbus.identification.object", "one identification object", None, &OBJECT, true),
    row("modbus.server_id", "server id and run indicator", Some(&SERVER_ID_ASKED), &SERVER_ID, false),
    row("modbus.registers", "registers, literally", None, &READ, false),
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "modbus-rtu",
    port: "TCP, the port of a serial server",
    rows: &ROWS,
    messages_max: LINE_REQUESTS_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "2 requests and 10 s; one in flight; unit 1 to 247 as configured, never a broadcast",
};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::guard::{Endpoint, Judge, Limits, Modbus, Permit};

    fn permit() -> Permit {
        let grant = Modbus::unit(1).grant_on_a_line().expect("a grant");
        let limits = Limits::of(&grant);
        Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 4001).into()), grant, "WO-1", limits).expect("a permit")
    }

    /// Check bytes by pymodbus.
    #[test]
    fn a_frame_leaves_whole_and_checked_or_not_at_all() {
        let rule = |bytes: &[u8]| match Judge::new(&permit()).push(bytes, Duration::ZERO) {
            Ok(pushed) => {
                if pushed.message.is_some() {
                    "left"
                } else {
                    "held"
                }
            }
            Err(refused) => refused.rule,
        };
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x02, 0x00, 0x70, 0x87]), "left");
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x01, 0x00, 0x70, 0x77]), "left");
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x01, 0x00, 0x70]), "held");
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x01, 0x00, 0x70, 0x78]), "modbus-rtu.check");
        assert_eq!(rule(&[0x00, 0x2b, 0x0e, 0x01, 0x00]), "modbus-rtu.unit");
        assert_eq!(rule(&[0x01, 0x06, 0x00, 0x01, 0x00]), "modbus-rtu.function");
        assert_eq!(rule(&[0x01, 0x11]), "modbus-rtu.function");
        assert_eq!(rule(&[0x01, 0x2b, 0x0d]), "modbus-rtu.mei");
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x05]), "modbus-rtu.read_code");
        assert_eq!(rule(&[0x01, 0x2b, 0x0e, 0x01, 0x01]), "modbus-rtu.object");
    }

    #[test]
    fn nobody_and_everybody_is_no_unit() {
        for unit in [0, 248, 255] {
            let grant = Modbus { no_serial_side: true, ..Modbus::unit(unit) }.grant_on_a_line();
            assert_eq!(grant.expect_err("no unit of a line").rule, "permit.unit");
        }
    }

    #[test]
    fn the_third_request_is_refused() {
        let mut judge = Judge::new(&permit());
        for frame in [[0x01, 0x2b, 0x0e, 0x02, 0x00, 0x70, 0x87], [0x01, 0x2b, 0x0e, 0x01, 0x00, 0x70, 0x77]] {
            judge.push(&frame, Duration::ZERO).expect("on the allowlist");
            judge.answered();
        }
        let third = judge.push(&[0x01, 0x2b, 0x0e, 0x02, 0x00, 0x70, 0x87], Duration::ZERO);
        assert_eq!(third.expect_err("one too many").rule, "budget.requests");
    }
}
