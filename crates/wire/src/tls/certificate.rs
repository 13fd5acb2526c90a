//! The fields of a certificate that say whose it is.
//!
//! Sources: RFC 5280 clauses 4.1 (certificate, validity, names) and 4.2.1.6 (alternative names); X.520 (attributes).

use core::ops::Range;

use super::der::Elements;
use super::records::Flight;
use crate::{Malformed, Reading, Shape};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Constructed, of the context: version and extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Subject alternative name, 2.5.29.17.
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// Extensions and alternative names that are read: more than any device has.
const NAMES_MAX: usize = 32;

/// Takes what the certificate at `leaf` in the handshake says.
pub(super) fn facts(reading: &mut Reading, flight: &Flight, leaf: Range<usize>) -> Result<(), Malformed> {
    let bytes = flight.handshake();
    let mut fact = |path: &str, shape: Shape, at: Range<usize>| {
        if let Some(raw) = flight.raw(at).filter(|raw| !raw.is_empty()) {
            let path = format!("{}.{path}", reading.protocol);
            reading.fact(path, shape, raw);
        }
    };
    let mut body =
        Elements::of(bytes, leaf).inside(SEQUENCE, "a certificate (RFC 5280, 4.1)")?.inside(SEQUENCE, "its body (RFC 5280, 4.1)")?;
    if body.tag() == Some(VERSION) {
        body.next()?;
    }
    fact("serial", Shape::Hex, body.tagged(INTEGER, "serial number (RFC 5280, 4.1.2.2)")?);
    body.tagged(SEQUENCE, "signature algorithm (RFC 5280, 4.1.2.3)")?;
    name(bytes, &mut body, "issuer", &mut fact)?;
    let mut validity = body.inside(SEQUENCE, "validity (RFC 5280, 4.1.2.5)")?;
    for path in ["not_before", "not_after"] {
        if let (UTC_TIME | GENERALIZED_TIME, at) = validity.next()? {
            fact(path, Shape::Text, at);
        }
    }
    name(bytes, &mut body, "subject", &mut fact)?;
    while !body.is_empty() {
        if body.tag() == Some(EXTENSIONS) {
            let list = body.inside(EXTENSIONS, "extensions (RFC 5280, 4.1)")?.inside(SEQUENCE, "extensions (RFC 5280, 4.1)")?;
            return extensions(bytes, list, &mut fact);
        }
        body.next()?;
    }
    Ok(())
}

type Fact<'a> = dyn FnMut(&str, Shape, Range<usize>) + 'a;

/// A distinguished name: sets of attributes, each with one value.
fn name(bytes: &[u8], body: &mut Elements<'_>, whose: &str, fact: &mut Fact<'_>) -> Result<(), Malformed> {
    let mut sets = body.inside(SEQUENCE, "a name (RFC 5280, 4.1.2.4)")?;
    while !sets.is_empty() {
        let mut set = sets.inside(SET, "a relative name (RFC 5280, 4.1.2.4)")?;
        while !set.is_empty() {
            let mut attribute = set.inside(SEQUENCE, "an attribute (RFC 5280, 4.1.2.4)")?;
            let kind = attribute.tagged(OBJECT_ID, "an attribute's type (RFC 5280, 4.1.2.4)")?;
            let (tag, value) = attribute.next()?;
            let what = match bytes.get(kind).unwrap_or_default() {
                [0x55, 0x04, 3] => "cn",
                [0x55, 0x04, 5] => "serial",
                [0x55, 0x04, 10] => "o",
                [0x55, 0x04, 11] => "ou",
                [0x55, 0x04, 12] => "title",
                [0x55, 0x04, 13] => "description",
                _ => continue,
            };
            // UTF8, Printable, Teletex, IA5; BMP in UTF-16.
            let shape = match tag {
                0x0c | 0x13 | 0x14 | 0x16 => Shape::Text,
                0x1e => Shape::Utf16Be,
                _ => continue,
            };
            fact(&format!("{whose}.{what}"), shape, value);
        }
    }
    Ok(())
}

/// The alternative names: hosts, addresses, URIs (an OPC UA application's).
fn extensions(bytes: &[u8], mut list: Elements<'_>, fact: &mut Fact<'_>) -> Result<(), Malformed> {
    for _ in 0..NAMES_MAX {
        if list.is_empty() {
            break;
        }
        let mut extension = list.inside(SEQUENCE, "an extension (RFC 5280, 4.2)")?;
        let kind = extension.tagged(OBJECT_ID, "an extension's id (RFC 5280, 4.2)")?;
        if bytes.get(kind) != Some(ALTERNATIVE_NAME) {
            continue;
        }
        let mut value = extension.next()?;
        if value.0 != OCTETS {
            // Whether it is critical stands before.
            value = extension.next()?;
        }
        let mut names = Elements::of(bytes, value.1).inside(SEQUENCE, "alternative names (RFC 5280, 4.2.1.6)")?;
        for _ in 0..NAMES_MAX {
            if names.is_empty() {
                break;
            }
            match names.next()? {
                (0x82, at) => fact("alternative.host", Shape::Text, at),
                (0x86, at) => fact("alternative.uri", Shape::Text, at),
                (0x87, at) if at.len() == 4 => fact("alternative.ip", Shape::Dotted, at),
                (0x87, at) => fact("alternative.ip", Shape::Hex, at),
                _ => {}
            }
        }
    }
    Ok(())
}
