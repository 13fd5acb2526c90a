//! The tables in print: for `nameplate prove`, and byte by byte for `ask --dry-run`.

use super::{
    Permit, Refused, TABLES,
    judge::Judge,
    table::{Is, Part, Row, Table},
    template::{Reading, read},
};

/// One printed row of the allowlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// As contracts.md spells it.
    pub protocol: &'static str,
    /// Where it is asked: `TCP 502`.
    pub port: &'static str,
    /// The question's name.
    pub question: &'static str,
    /// Every byte in hex: `xx` is free, `xx...` is free in length, too, `nn` counts, `cc` checks; other letters stand for what the permit says literally.
    pub pattern: String,
    /// What it asks.
    pub asks: &'static str,
    /// What the permit must grant first; empty where it belongs to the identity set.
    pub needs: String,
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
    let printed = |table: &'static Table, row: &'static Row| Allowed {
        protocol: table.protocol,
        port: table.port,
        question: row.question,
        pattern: if row.parts.is_empty() {
            NOTHING.to_owned()
        } else {
            row.parts.iter().map(pattern).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        },
        asks: row.asks,
        needs: row.needs(),
        caps: table.caps,
    };
    TABLES.iter().flat_map(|table| table.rows.iter().map(move |row| printed(table, row))).collect()
}

/// The bytes of a question that the connection itself is.
const NOTHING: &str = "no byte: the connection";

/// What each byte of one message means, by the guard's own table, as the first message of a connection; what has to go before it, has gone.
///
/// # Errors
/// [`Refused`] as on the wire: whatever this refuses would not have left. Bytes behind the message are `pipelining`, a cut message is `incomplete`.
pub fn meaning(permit: &Permit, message: &[u8]) -> Result<Vec<ByteMeaning>, Refused> {
    if message.is_empty() && permit.table().asked_by_connecting().is_some() {
        return Ok(Vec::new());
    }
    let mut judge = Judge::of_one(permit);
    let pushed = judge.push(message, std::time::Duration::ZERO)?;
    if let Some(refused) = judge.finish() {
        return Err(refused);
    }
    if pushed.taken < message.len() {
        judge.push(message.get(pushed.taken..).unwrap_or_default(), std::time::Duration::ZERO)?;
        return Err(judge.finish().unwrap_or_else(|| Refused::before_any_byte("incomplete", "more than one message")));
    }
    let templates = permit.table().templates(permit);
    let Reading::Whole(template) = read(&templates, message) else { return Ok(Vec::new()) };
    let bytes = message.iter().zip(template.meanings()).enumerate();
    Ok(bytes.map(|(offset, (byte, meaning))| ByteMeaning { offset, byte: *byte, meaning }).collect())
}

fn pattern(part: &Part) -> String {
    let repeat = |mark: &str, count: usize| vec![mark; count].join(" ");
    match part.is {
        Is::Bytes(bytes) => super::hex(bytes),
        Is::OneOf(list) => list.iter().map(|one| super::hex(one)).collect::<Vec<_>>().join(" | "),
        Is::Bits { mask, value } => format!("{value:02x}&{mask:02x}"),
        Is::Any(count) => repeat("xx", count),
        Is::Number | Is::Name => "xx...".to_owned(),
        // A literal of any length is a mark with dots.
        Is::Granted { slot, to: usize::MAX, .. } if slot.mark.len() > 2 => format!("{}...", slot.mark),
        Is::Granted { slot, .. } if slot.mark.is_empty() => String::new(),
        Is::Granted { slot, from, to } => repeat(slot.mark, if to == usize::MAX { 1 } else { to.saturating_sub(from) }),
        Is::Count { width, .. } => repeat("nn", width.bytes()),
        Is::Check { sum, .. } => repeat("cc", sum.bytes()),
    }
}
