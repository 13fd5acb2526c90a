//! A tiny interpreter for what may leave: rows of offset/mask/value cells. It knows no protocol.

use super::{Permit, Registers};

/// What a byte must be, after the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Exactly this.
    Is(u8),
    /// The permit's unit.
    Unit,
    /// The permit's register read: function code.
    Function,
    /// Its first register, byte 0 (high) or 1 (low).
    Address(usize),
    /// Its quantity, byte 0 (high) or 1 (low).
    Quantity(usize),
}

/// One byte of a message and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where it stands.
    pub offset: usize,
    /// Which of its bits are compared; 0 leaves it free.
    pub mask: u8,
    /// What they must be.
    pub value: Value,
    /// The rule's short id.
    pub rule: &'static str,
    /// What the byte means.
    pub meaning: &'static str,
}

/// What a row needs from the permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is in the identity set.
    Nothing,
    /// [`super::Grants::server_id`].
    ServerId,
    /// One of [`super::Grants::registers`]; the row holds once for each.
    Registers,
}

/// One message that may leave. Its cells cover every byte once, in the order in which a refusal is explained.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The question's name.
    pub question: &'static str,
    /// What it asks, for a person.
    pub asks: &'static str,
    /// What the permit must say.
    pub needs: Needs,
    /// Every byte.
    pub cells: &'static [Cell],
    /// Offsets of a key and of a value that must rise strictly among the messages of one connection with the same key.
    pub rises: Option<(usize, usize)>,
}

/// A protocol's row on the allowlist.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// As contracts.md spells it.
    pub protocol: &'static str,
    /// The registered port.
    pub port: u16,
    /// The messages.
    pub rows: &'static [Row],
    /// Messages on one connection.
    pub requests_max: u8,
    /// The caps, in words.
    pub caps: &'static str,
}

/// A row as one permit grants it.
#[derive(Clone, Copy, Debug)]
pub struct Granted {
    /// The row.
    pub row: &'static Row,
    unit: u8,
    registers: Option<Registers>,
}

/// What the bytes that are held so far can become.
#[derive(Clone, Debug)]
pub enum Reading {
    /// A whole message; whatever stands behind it is not part of it.
    Whole(&'static Row),
    /// The beginning of at least one message that may leave.
    Partial,
    /// Nothing that may leave.
    Never(Blame),
}

/// The byte that is to blame, and what it could have been.
#[derive(Clone, Debug)]
pub struct Blame {
    /// The cell that no row was left for.
    pub cell: &'static Cell,
    /// What the rows that fitted up to here wanted.
    pub wanted: Vec<u8>,
}

impl Row {
    /// Bytes of the message: a row has one length.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.cells.len()
    }
}

impl Table {
    /// The rows this permit grants.
    #[must_use]
    pub fn granted(&self, permit: &Permit) -> Vec<Granted> {
        let mut granted = Vec::new();
        for row in self.rows {
            let one = Granted { row, unit: permit.unit(), registers: None };
            match row.needs {
                Needs::Nothing => granted.push(one),
                Needs::ServerId if permit.grants().server_id => granted.push(one),
                Needs::ServerId => {}
                Needs::Registers => granted.extend(permit.grants().registers.iter().map(|read| Granted { registers: Some(*read), ..one })),
            }
        }
        granted
    }
}

/// Reads what is held (at least one byte).
#[must_use]
pub fn read(granted: &[Granted], held: &[u8]) -> Reading {
    let mut partial = false;
    for one in granted {
        if one.row.cells.iter().all(|cell| one.fits(cell, held)) {
            if held.len() >= one.row.bytes() {
                return Reading::Whole(one.row);
            }
            partial = true;
        }
    }
    if partial { Reading::Partial } else { Reading::Never(blame(granted, held)) }
}

/// Walks the cells in the order of explanation and stops where the last rows that still fitted drop out. The order makes a write be refused for
/// its function code and not for its length, which stands before it on the wire.
fn blame(granted: &[Granted], held: &[u8]) -> Blame {
    let mut left: Vec<&Granted> = granted.iter().collect();
    let mut blame = Blame { cell: &NOTHING_GRANTED, wanted: Vec::new() };
    let depth = granted.iter().map(|one| one.row.bytes()).max().unwrap_or(0);
    for index in 0..depth {
        let Some(cell) = left.iter().find_map(|one| one.row.cells.get(index)) else { continue };
        let mut wanted: Vec<u8> = left.iter().filter_map(|one| one.row.cells.get(index).map(|cell| one.wanted(cell))).collect();
        wanted.sort_unstable();
        wanted.dedup();
        blame = Blame { cell, wanted };
        left.retain(|one| one.row.cells.get(index).is_none_or(|cell| one.fits(cell, held)));
        if left.is_empty() {
            break;
        }
    }
    blame
}

/// What is to blame where no row is granted.
static NOTHING_GRANTED: Cell = Cell { offset: 0, mask: 0, value: Value::Is(0), rule: "permit.empty", meaning: "what the permit grants" };

impl Granted {
    /// What the cell must be under this permit.
    #[must_use]
    pub fn wanted(&self, cell: &Cell) -> u8 {
        let read = self.registers.unwrap_or(Registers { function: 0, address: 0, quantity: 0 });
        match cell.value {
            Value::Is(byte) => byte,
            Value::Unit => self.unit,
            Value::Function => read.function,
            Value::Address(half) => read.address.to_be_bytes().get(half).copied().unwrap_or(0),
            Value::Quantity(half) => read.quantity.to_be_bytes().get(half).copied().unwrap_or(0),
        }
    }

    /// A byte that has not come yet fits.
    fn fits(&self, cell: &Cell, held: &[u8]) -> bool {
        held.get(cell.offset).is_none_or(|byte| byte & cell.mask == self.wanted(cell) & cell.mask)
    }
}
