//! Name plates of IEC 61850: which names lead to them, and which text is which attribute of them.
//!
//! A structure has no names in an answer. Its description (GetVariableAccessAttributes) gives them; without it only the first is known,
//! because every plate has a vendor there (IEC 61850-7-3, 7.9) and nearly everything behind is optional: the others are facts by number.

use crate::ber::Value;
use crate::{Cursor, Reading, Shape, iso};

/// An access result that is an error. ISO 9506-2, clause 14.4.2.
pub(super) const FAILURE: u32 = 0x80;
/// Data: a structure, a visible string, a string in UTF-8. ISO 9506-2, clause 14.4.2.
const STRUCTURE: u32 = 0xa2;
const TEXTS: [u32; 2] = [0x8a, 0x90];
/// Way from an answer's service to what is described (ISO 9506-2, 14.5), and from a structure to its components (14.3).
const DESCRIBED: u32 = 0xa2;
const COMPONENTS: u32 = 0xa1;
const COMPONENT: u32 = 0x30;
const COMPONENT_NAME: u32 = 0x80;
const COMPONENT_TYPE: u32 = 0xa1;
/// Names of a variable: logical node, functional constraint, data object, attribute.
const NAMES_MAX: usize = 4;
/// Letters of an attribute's name that becomes a fact's: the standard's longest has ten.
const ATTRIBUTE_BYTES_MAX: usize = 32;

/// True for the name of a name plate, of a part of it, or of something that contains one.
pub(super) fn leads_to(item: &[u8]) -> bool {
    let mut names = item.split(|b| *b == b'$');
    let node = names.next().unwrap_or_default();
    let Some((_, object)) = plate_of(node) else { return false };
    let constraint = names.next().is_none_or(|name| matches!(name, b"DC" | b"EX"));
    constraint && names.next().is_none_or(|name| name == object) && names.count() <= 1
}

/// What facts of a node's plate are called, and the data object that is its plate. LPHD is the physical device, LLN0 the logical one
/// (its revision is not the device's firmware), LINF ABB's own.
fn plate_of(node: &[u8]) -> Option<(&'static str, &'static [u8])> {
    let has = |class: &[u8]| node.windows(class.len()).any(|part| part == class);
    match node {
        b"LLN0" => Some(("mms.namplt", b"NamPlt")),
        _ if has(b"LPHD") => Some(("mms.phynam", b"PhyNam")),
        _ if has(b"LINF") => Some(("mms.linf", b"NamPlt")),
        _ => None,
    }
}

/// True where the description of `described` (domain, item) covers `name`.
pub(super) fn is_within(name: (&[u8], &[u8]), described: (&[u8], &[u8])) -> bool {
    let rest = name.1.strip_prefix(described.1);
    name.0 == described.0 && rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'$')
}

/// The components of a structure, in an answer that describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Description<'a> {
    packet: &'a [u8],
    components: Cursor<'a>,
}

impl<'a> Description<'a> {
    /// Of what is called `item`, in the recorded answer that describes `described`; `None` where it is no structure.
    pub fn of(described: &[u8], item: &[u8], packet: &'a [u8]) -> Option<Self> {
        let mut cursor = super::pdu(packet, iso::data_at(packet)?)?;
        let pdu = Value::next(&mut cursor).ok()?;
        let (_, service) = super::service(packet, pdu.inside(&cursor))?;
        let mut found = Self::structure(packet, Value::down(service.inside(&cursor), &[DESCRIBED])?)?;
        for name in item.strip_prefix(described)?.split(|b| *b == b'$').filter(|name| !name.is_empty()) {
            found = found.find_map(|(component, inside)| (component == name).then_some(inside))??;
        }
        Some(found)
    }

    fn structure(packet: &'a [u8], described: Cursor<'a>) -> Option<Self> {
        Some(Self { packet, components: Value::down(described, &[STRUCTURE, COMPONENTS])? })
    }
}

/// Each component's name, and what it consists of where it is a structure.
impl<'a> Iterator for Description<'a> {
    type Item = (&'a [u8], Option<Self>);

    fn next(&mut self) -> Option<Self::Item> {
        let value = Value::next(&mut self.components).ok().filter(|value| value.tag == COMPONENT)?;
        let inside = value.inside(&self.components);
        let name = Value::find(inside, COMPONENT_NAME).filter(|name| name.whole)?;
        let described = Value::down(inside, &[COMPONENT_TYPE])?;
        Some((self.packet.get(name.contents)?, Self::structure(self.packet, described)))
    }
}

/// Takes the facts out of the value of what is called `item`; `cursor` is over the reading's last message.
pub(super) fn read(reading: &mut Reading, item: &[u8], value: &Value, cursor: &Cursor<'_>, description: Option<Description<'_>>) {
    let names: Vec<&[u8]> = item.split(|b| *b == b'$').collect();
    match (value.tag, names.as_slice()) {
        (STRUCTURE, names) if names.len() < NAMES_MAX => structure(reading, item, names.len(), &value.inside(cursor), description),
        (tag, [node, _, _, attribute]) if TEXTS.contains(&tag) && value.whole => {
            let Some((plate, _)) = plate_of(node) else { return };
            // The name may come from the wire: letters and digits are all that goes into a fact's.
            let letters = attribute.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            if let Some(name) = core::str::from_utf8(attribute).ok().filter(|name| letters && name.len() <= ATTRIBUTE_BYTES_MAX) {
                reading.fact(format!("{plate}.{}", name.to_ascii_lowercase()), Shape::Text, value.contents.clone());
            }
        }
        _ => {}
    }
}

/// A structure's values in turn, each under its name.
fn structure(reading: &mut Reading, item: &[u8], names: usize, inside: &Cursor<'_>, mut description: Option<Description<'_>>) {
    let mut rest = *inside;
    for number in 1.. {
        let Ok(value) = Value::next(&mut rest) else { return };
        let numbered = format!("component_{number}");
        let (name, described) = match &mut description {
            Some(description) => match description.next() {
                Some(named) => named,
                None => return,
            },
            None if names + 1 < NAMES_MAX => return,
            None if number == 1 => (b"vendor".as_slice(), None),
            None => (numbered.as_bytes(), None),
        };
        let item = [item, name].join(&b'$');
        if leads_to(&item) {
            read(reading, &item, &value, inside, described);
        }
    }
}
