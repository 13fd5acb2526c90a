//! The built-in types in binary (OPC 10000-6, 5.2.2), read or passed over.

use core::fmt;
use core::ops::Range;

use crate::{Cursor, Malformed};

/// Variants, values and diagnostics can hold each other; 5.2.2.12 lets a decoder stop at a depth.
const NESTING_LEVELS_MAX: u8 = 8;

/// A node's number of namespace and identifier, whichever way it was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId<'a> {
    pub namespace: u16,
    pub identifier: Identifier<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identifier<'a> {
    Number(u32),
    Text(&'a [u8]),
    Guid(&'a [u8]),
    Opaque(&'a [u8]),
}

impl NodeId<'_> {
    /// The number of a node of the specification itself.
    pub fn standard(&self) -> Option<u32> {
        match self {
            Self { namespace: 0, identifier: Identifier::Number(number) } => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for NodeId<'_> {
    /// As 5.3.1.10 writes it: `ns=2;i=5001`. Letters of other alphabets are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace != 0 {
            write!(f, "ns={};", self.namespace)?;
        }
        match self.identifier {
            Identifier::Number(number) => write!(f, "i={number}"),
            Identifier::Text(text) => match core::str::from_utf8(text) {
                Ok(text) if !text.chars().any(char::is_control) => write!(f, "s={text}"),
                _ => write!(f, "s={}", text.escape_ascii()),
            },
            Identifier::Guid(bytes) | Identifier::Opaque(bytes) => {
                f.write_str(if bytes.len() == 16 { "g=" } else { "b=" })?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// A value that is one text, one number or one structure.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Range<usize>),
    Number(Range<usize>),
    /// Number of its encoding in namespace 0, and its body.
    Structure(u32, Range<usize>),
}

/// An array's length; -1 is an array that is not there.
pub(super) fn count(cursor: &mut Cursor<'_>) -> Result<u32, Malformed> {
    let count = cursor.u32_le("array length (5.2.5)")?;
    Ok(if i32::try_from(count).is_err() { 0 } else { count })
}

/// Passes over every element of an array.
pub(super) fn each<'a>(
    cursor: &mut Cursor<'a>,
    mut element: impl FnMut(&mut Cursor<'a>, u32) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    for index in 0..count(cursor)? {
        element(cursor, index)?;
    }
    Ok(())
}

/// A String, ByteString or XmlElement: where its bytes stand. A null one is empty.
pub(super) fn text(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Malformed> {
    let length = cursor.u32_le("string length (5.2.2.4)")?;
    let length = if length == u32::MAX { 0 } else { length as usize };
    cursor.range(length, "string length (5.2.2.4)")
}

/// A LocalizedText: where its text stands.
pub(super) fn localized(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Malformed> {
    let mask = cursor.u8("LocalizedText mask (5.2.2.14)")?;
    if mask & 1 != 0 {
        text(cursor)?;
    }
    if mask & 2 != 0 { text(cursor) } else { cursor.range(0, "") }
}

/// A QualifiedName: where its name stands.
pub(super) fn qualified(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Malformed> {
    cursor.u16_le("namespace of a QualifiedName (5.2.2.13)")?;
    text(cursor)
}

/// A NodeId or ExpandedNodeId.
pub(super) fn node_id<'a>(cursor: &mut Cursor<'a>) -> Result<NodeId<'a>, Malformed> {
    const SAID: &str = "NodeId (5.2.2.9)";
    let at = *cursor;
    let encoding = cursor.u8(SAID)?;
    let namespace = match encoding & 0x3f {
        0 => 0,
        1 => cursor.u8(SAID)?.into(),
        _ => cursor.u16_le(SAID)?,
    };
    let bytes = |cursor: &mut Cursor<'a>| {
        let length = cursor.u32_le(SAID)?;
        cursor.take(if length == u32::MAX { 0 } else { length as usize }, SAID)
    };
    let identifier = match encoding & 0x3f {
        0 => Identifier::Number(cursor.u8(SAID)?.into()),
        1 => Identifier::Number(cursor.u16_le(SAID)?.into()),
        2 => Identifier::Number(cursor.u32_le(SAID)?),
        3 => Identifier::Text(bytes(cursor)?),
        4 => Identifier::Guid(cursor.take(16, SAID)?),
        5 => Identifier::Opaque(bytes(cursor)?),
        _ => return Err(at.wrong("NodeId encodings are 0 to 5 (5.2.2.9)")),
    };
    if encoding & 0x80 != 0 {
        text(cursor)?;
    }
    if encoding & 0x40 != 0 {
        cursor.u32_le("server index (5.2.2.10)")?;
    }
    Ok(NodeId { namespace, identifier })
}

/// An ExtensionObject: number of its encoding (0 where it is not the specification's), and its body.
pub(super) fn structure(cursor: &mut Cursor<'_>) -> Result<(u32, Range<usize>), Malformed> {
    let kind = node_id(cursor)?.standard().unwrap_or(0);
    let at = *cursor;
    match cursor.u8("ExtensionObject encoding (5.2.2.15)")? {
        0 => Ok((kind, cursor.range(0, "")?)),
        1 => Ok((kind, text(cursor)?)),
        2 => text(cursor).map(|body| (0, body)),
        _ => Err(at.wrong("ExtensionObject encodings are 0 to 2 (5.2.2.15)")),
    }
}

/// Passes over a DiagnosticInfo.
pub(super) fn diagnostic(cursor: &mut Cursor<'_>, level: u8) -> Result<(), Malformed> {
    const SAID: &str = "DiagnosticInfo (5.2.2.12)";
    let at = *cursor;
    if level > NESTING_LEVELS_MAX {
        return Err(at.wrong("nested deeper than is read (5.2.2.12)"));
    }
    let mask = cursor.u8(SAID)?;
    // Symbolic id, namespace, locale and text are indices of four bytes.
    cursor.take(4 * (mask & 0x0f).count_ones() as usize, SAID)?;
    if mask & 0x10 != 0 {
        text(cursor)?;
    }
    if mask & 0x20 != 0 {
        cursor.u32_le(SAID)?;
    }
    if mask & 0x40 != 0 { diagnostic(cursor, level + 1) } else { Ok(()) }
}

/// A Variant; `None` for arrays and for types that hold no part of a nameplate.
pub(super) fn variant(cursor: &mut Cursor<'_>, level: u8) -> Result<Option<Value>, Malformed> {
    let at = *cursor;
    let mask = cursor.u8("Variant (5.2.2.16)")?;
    if level > NESTING_LEVELS_MAX {
        return Err(at.wrong("nested deeper than is read (5.2.2.12)"));
    }
    let kind = mask & 0x3f;
    if mask & 0x80 == 0 {
        return scalar(cursor, kind, level);
    }
    if kind == 0 {
        // An array of nothing could be endless.
        return Err(at.wrong("an array has a type (5.2.2.16)"));
    }
    each(cursor, |cursor, _| scalar(cursor, kind, level).map(drop))?;
    if mask & 0x40 != 0 {
        each(cursor, |cursor, _| cursor.u32_le("array dimension (5.2.2.16)").map(drop))?;
    }
    Ok(None)
}

/// One value of a built-in type (5.1.2, table 1).
fn scalar(cursor: &mut Cursor<'_>, kind: u8, level: u8) -> Result<Option<Value>, Malformed> {
    const SAID: &str = "value of a built-in type (5.1.2)";
    let at = *cursor;
    Ok(match kind {
        0 => None,
        1..=3 => Some(Value::Number(cursor.range(1, SAID)?)),
        4 | 5 => Some(Value::Number(cursor.range(2, SAID)?)),
        6 | 7 => Some(Value::Number(cursor.range(4, SAID)?)),
        8 | 9 | 13 => Some(Value::Number(cursor.range(8, SAID)?)),
        10 | 19 => cursor.take(4, SAID).map(|_| None)?,
        11 => cursor.take(8, SAID).map(|_| None)?,
        12 => Some(Value::Text(text(cursor)?)),
        14 => cursor.take(16, SAID).map(|_| None)?,
        15 | 16 => text(cursor).map(|_| None)?,
        17 | 18 => node_id(cursor).map(|_| None)?,
        20 => qualified(cursor).map(|_| None)?,
        21 => Some(Value::Text(localized(cursor)?)),
        22 => structure(cursor).map(|(kind, body)| Some(Value::Structure(kind, body)))?,
        23 => value(cursor, level + 1).map(|_| None)?,
        24 => variant(cursor, level + 1).map(|_| None)?,
        25 => diagnostic(cursor, level + 1).map(|()| None)?,
        _ => return Err(at.wrong("built-in types are 1 to 25 (5.1.2)")),
    })
}

/// A DataValue; `None` where it is bad, or holds no part of a nameplate.
pub(super) fn value(cursor: &mut Cursor<'_>, level: u8) -> Result<Option<Value>, Malformed> {
    const SAID: &str = "DataValue (5.2.2.17)";
    let mask = cursor.u8(SAID)?;
    let held = if mask & 1 != 0 { variant(cursor, level)? } else { None };
    let code = if mask & 2 != 0 { cursor.u32_le(SAID)? } else { 0 };
    for (bit, bytes) in [(4, 8), (16, 2), (8, 8), (32, 2)] {
        if mask & bit != 0 {
            cursor.take(bytes, SAID)?;
        }
    }
    Ok(held.filter(|_| is_good(code)))
}

/// Severity 0 of a StatusCode (OPC 10000-4, 7.39).
pub(super) const fn is_good(code: u32) -> bool {
    code >> 30 == 0
}

/// Passes over the header of a request (OPC 10000-4, 7.33), behind the type of its body.
pub(super) fn request_header(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    node_id(cursor)?;
    cursor.take(8 + 4 + 4, "RequestHeader (OPC 10000-4, 7.33)")?;
    text(cursor)?;
    cursor.u32_le("RequestHeader (OPC 10000-4, 7.33)")?;
    structure(cursor).map(drop)
}

/// Passes over the header of a response (OPC 10000-4, 7.34); the service's result.
pub(super) fn response_header(cursor: &mut Cursor<'_>) -> Result<u32, Malformed> {
    cursor.take(8 + 4, "ResponseHeader (OPC 10000-4, 7.34)")?;
    let result = cursor.u32_le("ResponseHeader (OPC 10000-4, 7.34)")?;
    diagnostic(cursor, 0)?;
    each(cursor, |cursor, _| text(cursor).map(drop))?;
    structure(cursor)?;
    Ok(result)
}
