//! GOOSE and sampled values: who publishes what on a segment. They hold no identity but the names a publisher gives its messages; a
//! revision in them is that of the configuration.
//!
//! Sources: IEC 61850-8-1 (2011), annex A (GOOSE PDU) and annex C (link layer), Ed. 2.1 (2020), annex J (routed over UDP); IEC 61850-9-2 (2011), clause 8.5 and table 14.
//!
//! Publishers repeat themselves 1 to 4800 times a second, so that a message is compared by its names' bytes and read only where they are new.

use core::ops::Range;

use crate::ber::Value;
use crate::conversation::{Conversation, Coverage, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::{Address, Cursor, Malformed, Reading, Shape};

/// GOOSE.
pub static PROTOCOL: Protocol = Protocol {
    name: "goose",
    carries: &[],
    tcp: &[],
    udp: &[102],
    link: &[Kind::Ethertype(0x88b8)],
    likeness: |bytes, over| likeness(bytes, over, &GOOSE),
    start: |over| Box::new(Publisher::new(&GOOSE, over)),
};

/// Sampled values.
pub static SAMPLED_VALUES: Protocol = Protocol {
    name: "sv",
    carries: &[],
    tcp: &[],
    udp: &[102],
    link: &[Kind::Ethertype(0x88ba)],
    likeness: |bytes, over| likeness(bytes, over, &SV),
    start: |over| Box::new(Publisher::new(&SV, over)),
};

/// APPID, length, two reserved words. IEC 61850-8-1, C.2.
const HEADER_BYTES: usize = 8;
/// Connectionless transport and its user data, which start a routed message (RFC 1240; IEC 61850-8-1 Ed. 2.1, annex J); the kind of
/// session follows. Behind its header the first payload's length, kind, simulation, APPID and length.
const ROUTED: [u8; 2] = [0x01, 0x40];
const ROUTED_PAYLOAD_BYTES: usize = 10;
/// Control blocks of one sender that are told apart; a relay has up to 16, a merging unit 4.
const BLOCKS_MAX: usize = 64;
/// Bytes of the names that are remembered of each: a reference has at most 129 characters (IEC 61850-7-2, 6.2), and there are three.
const NAMES_BYTES_MAX: usize = 512;

/// Where a message's names stand.
#[derive(Debug)]
struct Form {
    name: &'static str,
    question: &'static str,
    /// Kind of session where it is routed.
    session: u8,
    /// Tag of the PDU, and the way from it to the fields.
    pdu: u32,
    way: &'static [u32],
    /// The field that names the control block, for the address.
    block: u32,
    /// Fields by tag: what their fact is called. They stand in rising order.
    fields: &'static [(u32, &'static str, Shape)],
}

/// IEC 61850-8-1, annex A: IECGoosePdu.
static GOOSE: Form = Form {
    name: "goose",
    question: "goose.announcement",
    session: 0xa1,
    pdu: 0x61,
    way: &[],
    block: 0x80,
    fields: &[
        (0x80, "goose.control_block", Shape::Text),
        (0x82, "goose.data_set", Shape::Text),
        (0x83, "goose.id", Shape::Text),
        (0x88, "goose.configuration_revision", Shape::Number),
    ],
};

/// IEC 61850-9-2, table 14: savPdu; the first of its ASDUs, which are all of one control block.
static SV: Form = Form {
    name: "sv",
    question: "sv.announcement",
    session: 0xa2,
    pdu: 0x60,
    way: &[0xa2, 0x30],
    block: 0x80,
    fields: &[(0x80, "sv.id", Shape::Text), (0x81, "sv.data_set", Shape::Text), (0x83, "sv.configuration_revision", Shape::Number)],
};

/// The messages of one sender.
#[derive(Debug)]
struct Publisher {
    form: &'static Form,
    over: Over,
    /// The fields' bytes of each control block that was told.
    told: Vec<Vec<u8>>,
    /// The one heard last: a sender's messages come in turns.
    last: usize,
    coverage: Coverage,
    broken: bool,
}

impl Publisher {
    const fn new(form: &'static Form, over: Over) -> Self {
        let coverage = Coverage { seen: 0, decoded: 0 };
        Self { form, over, told: Vec::new(), last: 0, coverage, broken: false }
    }

    /// True where exactly these fields were told.
    fn is_told(&mut self, message: &[u8], fields: &Fields) -> bool {
        let same = |told: &Vec<u8>| {
            let mut rest = told.as_slice();
            fields.iter().all(|range| {
                let Some(field) = range.as_ref().and_then(|range| message.get(range.clone())) else { return true };
                rest.strip_prefix(field).map(|left| rest = left).is_some()
            }) && rest.is_empty()
        };
        if self.told.get(self.last).is_some_and(same) {
            return true;
        }
        let found = self.told.iter().position(same);
        self.last = found.unwrap_or(self.last);
        found.is_some()
    }

    fn tell(&mut self, said: &Said<'_>, message: &[u8], fields: &Fields, out: &mut dyn FnMut(Heard)) {
        let all: Vec<u8> = fields.iter().flatten().filter_map(|range| message.get(range.clone())).flatten().copied().collect();
        if all.is_empty() || all.len() > NAMES_BYTES_MAX || self.told.len() == BLOCKS_MAX {
            return;
        }
        let name = self.form.fields.iter().zip(fields).find(|((tag, ..), _)| *tag == self.form.block);
        let name = name.and_then(|(_, range)| core::str::from_utf8(message.get(range.clone()?)?).ok());
        // A VisibleString (X.680, 41): anything else is no name to file a publisher under.
        let name = name.filter(|name| !name.is_empty() && name.bytes().all(|b| matches!(b, b' '..=b'~')));
        let speaker = Address { name: name.map(str::to_owned), ..said.speaker() };
        if name.is_some() {
            out(Heard::Present { protocol: self.form.name, role: Role::Publisher, speaker: speaker.clone(), at: said.at });
        }
        let mut reading = Reading::of(self.form.name, self.over, self.form.question, speaker, said.at, message);
        for ((_, path, shape), range) in self.form.fields.iter().zip(fields) {
            if let Some(range) = range {
                reading.fact(*path, *shape, range.clone());
            }
        }
        out(Heard::Reading(reading));
        self.last = self.told.len();
        self.told.push(all);
    }
}

impl Conversation for Publisher {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        match fields(self.form, self.over, said.bytes) {
            Ok((message, fields)) => {
                self.coverage.decoded += 1;
                if !self.is_told(message, &fields) {
                    self.tell(said, message, &fields, out);
                }
            }
            // A cut frame is the capture's fault; a broken one is said once.
            Err(malformed) => {
                if said.missing == 0 && !core::mem::replace(&mut self.broken, true) {
                    out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
                }
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(self.form.name, self.coverage);
    }
}

/// Where the fields of a form stand, in its order; `None` for one that is absent.
type Fields = [Option<Range<usize>>; 4];

/// Reads as far as the last field of the form; what follows is data.
fn fields<'a>(form: &Form, over: Over, bytes: &'a [u8]) -> Result<(&'a [u8], Fields), Malformed> {
    let (at, end) = if over == Over::Udp { routed(form, bytes)? } else { framed(form, bytes)? };
    let message = bytes.get(..end).unwrap_or(bytes);
    let mut cursor = Cursor::new(form.name, message).from(at);
    let pdu = Value::next(&mut cursor)?;
    if pdu.tag != form.pdu || !pdu.whole {
        return Err(Malformed::wrong(form.name, at, "one PDU of this kind, whole"));
    }
    let mut inside = pdu.inside(&cursor);
    if !form.way.is_empty() {
        inside = Value::down(inside, form.way).ok_or_else(|| Malformed::wrong(form.name, HEADER_BYTES, "a sequence of ASDUs"))?;
    }
    let mut found = Fields::default();
    let last = form.fields.last().map_or(0, |(tag, ..)| *tag);
    while !inside.is_empty() {
        let value = Value::next(&mut inside)?;
        if value.tag > last {
            break;
        }
        if let Some(at) = form.fields.iter().position(|(tag, ..)| *tag == value.tag).filter(|_| value.whole) {
            found[at].get_or_insert(value.contents);
        }
    }
    Ok((message, found))
}

/// Where the PDU and the message end in a frame; padding may follow.
fn framed(form: &Form, bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    const SAID_BY: &str = "APPID and length (IEC 61850-8-1, C.2)";
    let mut cursor = Cursor::new(form.name, bytes);
    cursor.take(2, SAID_BY)?;
    let length = usize::from(cursor.u16_be(SAID_BY)?);
    if length < HEADER_BYTES || length > bytes.len() {
        return Err(Malformed::short(form.name, 2, length, bytes.len(), SAID_BY));
    }
    Ok((HEADER_BYTES, length))
}

/// The same in a datagram: a session header of its own length, then the first payload's length, kind, simulation, APPID and length.
fn routed(form: &Form, bytes: &[u8]) -> Result<(usize, usize), Malformed> {
    const SAID_BY: &str = "session header and payload (IEC 61850-8-1 Ed. 2.1, annex J)";
    let mut cursor = Cursor::new(form.name, bytes);
    if cursor.array(SAID_BY)? != [ROUTED[0], ROUTED[1], form.session] {
        return Err(Malformed::wrong(form.name, 0, SAID_BY));
    }
    let header = usize::from(cursor.u8(SAID_BY)?);
    cursor.take(header, SAID_BY)?;
    cursor.take(ROUTED_PAYLOAD_BYTES, SAID_BY)?;
    Ok((cursor.at(), bytes.len()))
}

/// On a link layer the EtherType says it; in a datagram the session header and a PDU whose names can be read.
fn likeness(bytes: &[u8], over: Over, form: &Form) -> Likeness {
    match fields(form, over, bytes) {
        Ok((_, fields)) if over == Over::Udp && fields.iter().flatten().count() > 1 => Likeness::Certain,
        _ if over == Over::Udp && !bytes.starts_with(&ROUTED) => Likeness::No,
        _ => Likeness::Possible,
    }
}

#[cfg(test)]
mod tests;
