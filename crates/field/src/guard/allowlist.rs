//! The table in print: for `nameplate prove`, and byte by byte for `ask --dry-run`.

use super::{
    Permit, Refused,
    judge::Judge,
    modbus::TABLE,
    table::{Needs, Reading, Row, Value, read},
};

/// One printed row of the allowlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// As contracts.md spells it.
    pub protocol: &'static str,
    /// The registered port.
    pub port: u16,
    /// The question's name.
    pub question: &'static str,
    /// Every byte in hex: `xx` is free, `uu` the configured unit, `ff`, `aa` and `qq` function, address and quantity as the profile lists them.
    pub pattern: String,
    /// What it asks.
    pub asks: &'static str,
    /// What the permit must grant first; empty where it belongs to the identity set.
    pub needs: &'static str,
    /// The protocol's caps.
    pub caps: &'static str,
}

/// One byte of a message that may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteMeaning {
    /// Its offset.
    pub offset: usize,
    /// The byte.
    pub byte: u8,
    /// What it says.
    pub meaning: &'static str,
}

/// All that may ever leave.
#[must_use]
pub fn allowlist() -> Vec<Allowed> {
    let row = |row: &'static Row| Allowed {
        protocol: TABLE.protocol,
        port: TABLE.port,
        question: row.question,
        pattern: pattern(row),
        asks: row.asks,
        needs: match row.needs {
            Needs::Nothing => "",
            Needs::ServerId => "the profile asks for it",
            Needs::Registers => "the profile lists function, address and quantity",
        },
        caps: TABLE.caps,
    };
    TABLE.rows.iter().map(row).collect()
}

/// What each byte of one message means, by the guard's own table, as the first message of a connection.
///
/// # Errors
/// [`Refused`] as on the wire: whatever this refuses would not have left. Bytes behind the message are `pipelining`, a cut message is `incomplete`.
pub fn meaning(permit: &Permit, message: &[u8]) -> Result<Vec<ByteMeaning>, Refused> {
    let mut judge = Judge::new(permit);
    let pushed = judge.push(message, std::time::Duration::ZERO)?;
    if let Some(refused) = judge.finish() {
        return Err(refused);
    }
    if pushed.taken < message.len() {
        judge.push(message.get(pushed.taken..).unwrap_or_default(), std::time::Duration::ZERO)?;
        return Err(judge.finish().unwrap_or_else(|| Refused::before_any_byte("incomplete", "more than one message")));
    }
    let Reading::Whole(row) = read(&TABLE.granted(permit), message) else { return Ok(Vec::new()) };
    let mut meanings: Vec<ByteMeaning> = row
        .cells
        .iter()
        .filter_map(|cell| Some(ByteMeaning { offset: cell.offset, byte: *message.get(cell.offset)?, meaning: cell.meaning }))
        .collect();
    meanings.sort_by_key(|meaning| meaning.offset);
    Ok(meanings)
}

fn pattern(row: &Row) -> String {
    let mut cells: Vec<_> = row.cells.iter().collect();
    cells.sort_by_key(|cell| cell.offset);
    let byte = |value: Value, mask: u8| match (value, mask) {
        (_, 0) => "xx".to_owned(),
        (Value::Is(byte), _) => format!("{byte:02x}"),
        (Value::Unit, _) => "uu".to_owned(),
        (Value::Function, _) => "ff".to_owned(),
        (Value::Address(_), _) => "aa".to_owned(),
        (Value::Quantity(_), _) => "qq".to_owned(),
    };
    let bytes: Vec<String> = cells.iter().map(|cell| byte(cell.value, cell.mask)).collect();
    bytes.join(" ")
}
