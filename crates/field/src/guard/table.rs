//! A tiny interpreter for what may leave: rows of parts, each a run of bytes and what they must be. It knows no protocol.
//!
//! A permit turns each row that it grants into [`super::template::Template`]s, messages of one fixed length with a mask: what is left open there (a transaction
//! number, a session handle that the device chose) is all that the caller may fill in.

use super::check;

/// Something literal that only a permit can say: a unit, an address, a list of registers.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: &'static str,
    /// How its bytes are shown in print.
    pub mark: &'static str,
    /// When it is granted, for a person; empty where each permit has it.
    pub needs: &'static str,
    /// True for what no record may hold: a community, a password.
    pub secret: bool,
}

/// What a row needs that is itself an answer to the device: nobody waits for anything on it, so it does not keep the next message back.
pub static REPLY: Slot = Slot { name: "reply", mark: "", needs: "the device asks for it on our connection", secret: false };

/// What stands in the record in the place of each byte of a secret.
pub const HIDDEN: u8 = b'*';

/// What a run of bytes must be.
#[derive(Clone, Copy, Debug)]
pub enum Is {
    /// Exactly these.
    Bytes(&'static [u8]),
    /// One of these; a row has at most one such part.
    OneOf(&'static [&'static [u8]]),
    /// One byte of which these bits count.
    Bits {
        /// Which bits.
        mask: u8,
        /// What they are.
        value: u8,
    },
    /// So many bytes that nobody looks at.
    Any(usize),
    /// A number of an object's name (X.690, 8.19.2) below 2 to the 31st that the device chose, or none: whatever it is, the name stays
    /// below what stands before it. All of a message have the same count of bytes, so that there are few shapes of it.
    Number,
    /// A name that the device chose: letters, digits and underscores. All of a message are the same.
    Name,
    /// Bytes `from..to` of a literal that the permit grants; `to` may lie behind its end.
    Granted {
        /// Which literal; parts of one slot in a row belong to the same one.
        slot: &'static Slot,
        /// First byte of it.
        from: usize,
        /// Behind its last byte.
        to: usize,
    },
    /// How many bytes the parts `first..=last` have (`last` may lie behind the last part), and `more`.
    Count {
        /// How it is written.
        width: Width,
        /// First part that counts.
        first: usize,
        /// Last part that counts.
        last: usize,
        /// Added to it.
        more: usize,
    },
    /// Check bytes over the parts `first..=last`.
    Check {
        /// Which check.
        sum: check::Sum,
        /// First part.
        first: usize,
        /// Last part.
        last: usize,
    },
}

/// Bytes of [`Is::Number`]: seven bits each.
pub const NUMBER_BYTES_MAX: usize = 5;

/// Bytes of [`Is::Name`]: a logical device's (IEC 61850-7-2, 22.2).
pub const NAME_BYTES_MAX: usize = 64;

/// How a count is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    One,
    /// Two bytes, upper first.
    Two,
    /// Two bytes, lower first.
    TwoLe,
    /// Four bytes, upper first.
    Four,
    /// Four bytes, lower first.
    FourLe,
    /// As BER has lengths (X.690, 8.1.3), in the fewest bytes.
    Ber,
}

/// A run of bytes of a message.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What it must be.
    pub is: Is,
    /// The short id of the rule that it breaks.
    pub rule: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// One message that may leave, part by part in the order of the wire.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The question's name.
    pub question: &'static str,
    /// What it asks, for a person.
    pub asks: &'static str,
    /// What the permit must hold besides the slots that stand in the parts.
    pub needs: Option<&'static Slot>,
    /// Its bytes; none where the connection itself is the question, because the device speaks by itself.
    pub parts: &'static [Part],
    /// So often on one connection at most.
    pub times_max: u8,
    /// What must rise from message to message.
    pub rises: Option<Rises>,
    /// True where it ends a session: it frees what we hold at the device, so neither the hold nor the cap of messages keeps it back.
    pub goodbye: bool,
}

/// A value that must rise strictly among the messages of one connection with the same key.
#[derive(Clone, Copy, Debug)]
pub struct Rises {
    /// Offset of the key, one byte.
    pub key: usize,
    /// Offset of the value, one byte.
    pub value: usize,
    /// The short id of the rule.
    pub rule: &'static str,
}

/// A message that may leave only behind another one of the same connection.
#[derive(Debug)]
pub struct Order {
    /// Its question.
    pub question: &'static str,
    /// The question that must have been let out before.
    pub behind: &'static str,
    /// Whether nothing may stand between them.
    pub directly: bool,
    /// The short id of the rule.
    pub rule: &'static str,
}

/// A protocol's row on the allowlist of docs/read-only.md.
#[derive(Debug)]
pub struct Table {
    /// As contracts.md spells it.
    pub protocol: &'static str,
    /// Where it is asked, in words: `TCP 502`.
    pub port: &'static str,
    /// The messages.
    pub rows: &'static [Row],
    /// Messages on one connection.
    pub messages_max: u8,
    /// Seconds for which a connection may be ours.
    pub hold_s_max: u64,
    /// What may leave only behind something else.
    pub order: &'static [Order],
    /// The caps, in words.
    pub caps: &'static str,
}

/// A part that must be these bytes.
pub const fn bytes(bytes: &'static [u8], rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Bytes(bytes), rule, meaning }
}

/// A part that nobody looks at.
pub const fn any(count: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Any(count), rule, meaning }
}

/// A whole literal of the permit.
pub const fn granted(slot: &'static Slot, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Granted { slot, from: 0, to: usize::MAX }, rule, meaning }
}

/// How many bytes the parts `first..=last` have, as BER writes it.
pub const fn ber_count(first: usize, last: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Count { width: Width::Ber, first, last, more: 0 }, rule, meaning }
}

/// Bytes of a literal of the permit.
pub const fn granted_bytes(slot: &'static Slot, from: usize, to: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Granted { slot, from, to }, rule, meaning }
}

/// How many bytes the parts from `first` on have, up to the end of the message.
pub const fn count(width: Width, first: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Count { width, first, last: usize::MAX, more: 0 }, rule, meaning }
}

impl Table {
    /// The question that the connection itself is, where the device speaks by itself.
    pub fn asked_by_connecting(&self) -> Option<&'static str> {
        self.rows.iter().find(|row| row.parts.is_empty()).map(|row| row.question)
    }
}

impl Row {
    /// The slots that a permit must fill for it.
    pub fn slots(&self) -> Vec<&'static Slot> {
        let mut slots: Vec<&'static Slot> = self.needs.into_iter().collect();
        for part in self.parts {
            if let Is::Granted { slot, .. } = part.is
                && !slots.iter().any(|known| known.name == slot.name)
            {
                slots.push(slot);
            }
        }
        slots
    }

    /// True for what answers the device and is not answered.
    pub fn is_reply(&self) -> bool {
        self.needs.is_some_and(|slot| slot.name == REPLY.name)
    }

    /// What must be granted for it, for a person.
    pub fn needs(&self) -> String {
        let needs: Vec<&str> = self.slots().into_iter().map(|slot| slot.needs).filter(|needs| !needs.is_empty()).collect();
        needs.join(", ")
    }
}

impl Width {
    /// Bytes that it usually has.
    pub const fn bytes(self) -> usize {
        match self {
            Self::One | Self::Ber => 1,
            Self::Two | Self::TwoLe => 2,
            Self::Four | Self::FourLe => 4,
        }
    }

    /// Bytes that this count has.
    pub const fn bytes_of(self, count: usize) -> usize {
        match (self, count) {
            (Self::Ber, 0x80..=0xff) => 2,
            (Self::Ber, 0x100..) => 3,
            _ => self.bytes(),
        }
    }

    /// A length of which no permit can be granted more than fits; what would not fit matches no message.
    pub fn write(self, count: usize) -> Vec<u8> {
        let word = u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes();
        let [_, _, upper, lower] = word;
        match (self, count) {
            (Self::One, _) | (Self::Ber, ..=0x7f) => vec![lower],
            (Self::Two, _) => vec![upper, lower],
            (Self::TwoLe, _) => vec![lower, upper],
            (Self::Four, _) => word.to_vec(),
            (Self::FourLe, _) => word.iter().rev().copied().collect(),
            (Self::Ber, ..=0xff) => vec![0x81, lower],
            (Self::Ber, _) => vec![0x82, upper, lower],
        }
    }
}
