//! What may leave as Modbus TCP: read-only.md section 2, row "Modbus TCP", as data.
//!
//! Layouts: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, clause 3.1.3 (MBAP header); MODBUS Application Protocol V1.1b3, clauses 6.3 and 6.4
//! (read registers), 6.13 (report server id) and 6.21 (read device identification). No broadcast, no write, no other code is in here, so none can leave.

use super::table::{Cell, Needs, Row, Table, Value};

/// The MBAP header, whose protocol id and unit are explained first, whose length last: a write is refused for its function, not for its length.
const fn mbap(function: Value, pdu_bytes: u8) -> [Cell; 8] {
    [
        cell(2, Value::Is(0), "modbus.protocol", "protocol identifier 0 (Modbus), high byte"),
        cell(3, Value::Is(0), "modbus.protocol", "protocol identifier 0 (Modbus), low byte"),
        cell(6, Value::Unit, "modbus.unit", "unit identifier, as configured"),
        cell(7, function, "modbus.function", "function code"),
        cell(4, Value::Is(0), "modbus.length", "length of what follows, high byte"),
        // Unit and PDU; the PDU has at most 5 bytes.
        cell(5, Value::Is(pdu_bytes + 1), "modbus.length", "length of what follows, low byte"),
        Cell { mask: 0, ..cell(0, Value::Is(0), "modbus.transaction", "transaction identifier, free, high byte") },
        Cell { mask: 0, ..cell(1, Value::Is(0), "modbus.transaction", "transaction identifier, free, low byte") },
    ]
}

const fn cell(offset: usize, value: Value, rule: &'static str, meaning: &'static str) -> Cell {
    Cell { offset, mask: 0xff, value, rule, meaning }
}

/// `2B 0E code object`.
const fn identification(code: u8, object: Option<u8>) -> [Cell; 11] {
    let [protocol0, protocol1, unit, function, length0, length1, transaction0, transaction1] = mbap(Value::Is(0x2b), 4);
    let object = match object {
        Some(object) => cell(10, Value::Is(object), "modbus.object", "object to start at"),
        None => Cell { mask: 0, ..cell(10, Value::Is(0), "modbus.object", "object to start at") },
    };
    [
        protocol0,
        protocol1,
        unit,
        function,
        cell(8, Value::Is(0x0e), "modbus.mei", "MEI type 0E: read device identification"),
        cell(9, Value::Is(code), "modbus.read_code", "read code: 1 basic, 2 regular, 3 extended, 4 one object"),
        object,
        length0,
        length1,
        transaction0,
        transaction1,
    ]
}

/// `03`/`04` with one literal address and quantity of the permit.
const fn registers() -> [Cell; 12] {
    let [protocol0, protocol1, unit, function, length0, length1, transaction0, transaction1] = mbap(Value::Function, 5);
    [
        protocol0,
        protocol1,
        unit,
        function,
        cell(8, Value::Address(0), "modbus.address", "first register, high byte"),
        cell(9, Value::Address(1), "modbus.address", "first register, low byte"),
        cell(10, Value::Quantity(0), "modbus.quantity", "quantity of registers, high byte"),
        cell(11, Value::Quantity(1), "modbus.quantity", "quantity of registers, low byte"),
        length0,
        length1,
        transaction0,
        transaction1,
    ]
}

static BASIC: [Cell; 11] = identification(1, Some(0));
static REGULAR: [Cell; 11] = identification(2, None);
static EXTENDED: [Cell; 11] = identification(3, None);
static OBJECT: [Cell; 11] = identification(4, None);
static SERVER_ID: [Cell; 8] = mbap(Value::Is(0x11), 1);
static REGISTERS: [Cell; 12] = registers();

/// Read code and object: within one read code the object must rise, so a device that repeats itself cannot keep us.
const OBJECT_RISES: Option<(usize, usize)> = Some((9, 10));

static ROWS: [Row; 6] = [
    Row {
        question: "modbus.identification.basic",
        asks: "vendor, product code and revision",
        needs: Needs::Nothing,
        cells: &BASIC,
        rises: OBJECT_RISES,
    },
    Row {
        question: "modbus.identification.regular",
        asks: "the same and URL, product, model and application name",
        needs: Needs::Nothing,
        cells: &REGULAR,
        rises: OBJECT_RISES,
    },
    Row {
        question: "modbus.identification.extended",
        asks: "the same and the maker's own objects",
        needs: Needs::Nothing,
        cells: &EXTENDED,
        rises: OBJECT_RISES,
    },
    Row {
        question: "modbus.identification.object",
        asks: "one identification object",
        needs: Needs::Nothing,
        cells: &OBJECT,
        rises: OBJECT_RISES,
    },
    Row { question: "modbus.server_id", asks: "server id and run indicator", needs: Needs::ServerId, cells: &SERVER_ID, rises: None },
    Row {
        question: "modbus.registers",
        asks: "registers that a profile lists literally",
        needs: Needs::Registers,
        cells: &REGISTERS,
        rises: None,
    },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "modbus",
    port: 502,
    rows: &ROWS,
    requests_max: super::REQUESTS_MAX,
    caps: "8 requests and 10 s a connection; one in flight; object ids rise within a read code; at most 125 registers; unit as configured",
};
