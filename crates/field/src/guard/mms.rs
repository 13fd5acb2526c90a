//! What may leave as MMS: read-only.md section 2, row "IEC 61850 MMS", as data.
//!
//! Layouts: RFC 1006, clause 6, and X.224 (1995), 13.3 and 13.7 (the transport); ISO 8327-1, 8.2 and 8.3 (session), ISO 8823-1, 8.2 and 8.4
//! (presentation), ISO 8650-1, clause 9 (association), ISO 9506-2, clauses 7 to 9 and 14.2 (MMS), X.690 for BER in its shortest form. A Read names
//! twelve variables at most, each an attribute of a name plate with the functional constraint DC: reading a control object (`$CO$`, `SBO`) would
//! select it (H16), and no such name is in here, nor another service, so none can leave. No association has authentication.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Is, NAME_BYTES_MAX, Part, Row, Slot, Table, Width, any, ber_count, bytes, count, granted},
};

/// Messages on one connection (read-only.md section 2: 8, of which Conclude is one, and that leaves in any case).
const MESSAGES_MAX: u8 = 7;
/// Bytes of a transport selector: what stands in SCL files at most (IEC 61850-8-1, OSI-TSEL).
const TRANSPORT_SELECTOR_BYTES_MAX: usize = 32;
/// Bytes of a session or presentation selector (IEC 61850-8-1, OSI-SSEL, OSI-PSEL).
const SELECTOR_BYTES_MAX: usize = 16;
/// Bytes of a logical node's name: class of 4, prefix and number of 12 together (IEC 61850-7-2, 22.2).
const NODE_BYTES_MAX: usize = 16;

/// What one server may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mms {
    /// The transport selector that is called.
    pub transport: Vec<u8>,
    /// The session selector that is called.
    pub session: Vec<u8>,
    /// The presentation selector that is called.
    pub presentation: Vec<u8>,
    /// The logical device whose plates are read; without it one that the server lists.
    pub domain: Option<String>,
    /// The logical node with the device's plate, of class LPHD.
    pub node: String,
}

impl Mms {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.selector`, `permit.domain` or `permit.node`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        let Self { transport, session, presentation, domain, node } = self;
        let within = |selector: &Vec<u8>, most: usize| (1..=most).contains(&selector.len());
        if !within(transport, TRANSPORT_SELECTOR_BYTES_MAX) || ![session, presentation].iter().all(|one| within(one, SELECTOR_BYTES_MAX)) {
            let why = format!(
                "a transport selector has 1 to {TRANSPORT_SELECTOR_BYTES_MAX} bytes, those of session and presentation 1 to {SELECTOR_BYTES_MAX}"
            );
            return no("permit.selector", why);
        }
        if domain.as_ref().is_some_and(|domain| !is_a_name(domain, NAME_BYTES_MAX)) {
            return no("permit.domain", format!("a logical device has a name of 1 to {NAME_BYTES_MAX} letters, digits and underscores"));
        }
        if !is_a_name(node, NODE_BYTES_MAX) || !node.contains("LPHD") {
            return no(
                "permit.node",
                format!("a node with a device's plate is called LPHD, at most {NODE_BYTES_MAX} letters and digits in all"),
            );
        }
        let grant = Grant::new(&TABLE, String::new()).with(&TRANSPORT, transport.as_slice()).with(&SESSION, session.as_slice());
        let grant = grant.with(&PRESENTATION, presentation.as_slice()).with(&NODE, node.as_bytes());
        Ok(match domain {
            Some(domain) => grant.with(&DOMAIN, domain.as_bytes()),
            None => grant.with(&ANY_DOMAIN, []),
        })
    }
}

/// Without `$`, which would begin the name's next part.
fn is_a_name(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

static TRANSPORT: Slot = Slot { name: "transport", mark: "tsel", needs: "", secret: false };
static SESSION: Slot = Slot { name: "session", mark: "ssel", needs: "", secret: false };
static PRESENTATION: Slot = Slot { name: "presentation", mark: "psel", needs: "", secret: false };
static DOMAIN: Slot = Slot { name: "domain", mark: "domain", needs: "the logical device is named", secret: false };
static ANY_DOMAIN: Slot = Slot { name: "any_domain", mark: "", needs: "no logical device is named", secret: false };
static NODE: Slot = Slot { name: "node", mark: "node", needs: "", secret: false };

const PACKET: Part = bytes(&[3, 0], "mms.packet", "packet of ISO transport");
const PACKET_LENGTH: Part = count(Width::Two, 0, "mms.packet", "length of the packet");
const CONTENT: Part = bytes(&[2, 0xf0, 0x80], "mms.tpdu", "content, whole");

const fn one_byte_count(first: usize, last: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Count { width: Width::One, first, last, more: 0 }, rule, meaning }
}

const fn length(first: usize) -> Part {
    ber_count(first, usize::MAX, "mms.length", "length of what follows")
}

static CONNECT: [Part; 12] = [
    PACKET,
    PACKET_LENGTH,
    one_byte_count(3, usize::MAX, "mms.tpdu", "length of what follows"),
    bytes(&[0xe0], "mms.tpdu", "connection request"),
    bytes(&[0, 0], "mms.tpdu", "destination reference 0"),
    any(2, "mms.reference", "our reference, free"),
    bytes(&[0], "mms.class", "transport class 0"),
    bytes(&[0xc1, 2, 0, 1, 0xc2], "mms.calling", "calling selector 0001; then the called one"),
    one_byte_count(9, 9, "mms.transport", "length of the called selector"),
    granted(&TRANSPORT, "mms.transport", "called transport selector, as configured"),
    bytes(&[0xc0, 1], "mms.tpdu_size", "size of TPDUs"),
    bytes(&[0x0a], "mms.tpdu_size", "1,024 bytes"),
];

/// Contexts 1 (ACSE) and 3 (MMS), in BER.
const CONTEXTS: &[u8] = &[
    0xa4, 0x23, 0x30, 0x0f, 2, 1, 1, 6, 4, 0x52, 1, 0, 1, 0x30, 4, 6, 2, 0x51, 1, 0x30, 0x10, 2, 1, 3, 6, 5, 0x28, 0xca, 0x22, 2, 1, 0x30,
    4, 6, 2, 0x51, 1,
];

static INITIATE: [Part; 30] = [
    PACKET,
    PACKET_LENGTH,
    CONTENT,
    bytes(&[0x0d], "mms.session", "session: connect"),
    one_byte_count(5, usize::MAX, "mms.session", "length of what follows"),
    bytes(&[5, 6, 0x13, 1, 0, 0x16, 1, 2], "mms.session", "no options, version 2"),
    bytes(&[0x14, 2, 0, 2], "mms.session", "both ways at once"),
    bytes(&[0x33, 2, 0, 1, 0x34], "mms.session", "calling selector 0001; then the called one"),
    one_byte_count(9, 9, "mms.session", "length of the called selector"),
    granted(&SESSION, "mms.session", "called session selector, as configured"),
    bytes(&[0xc1], "mms.session", "user data"),
    one_byte_count(12, usize::MAX, "mms.session", "length of what follows"),
    bytes(&[0x31], "mms.presentation", "presentation: connect"),
    length(14),
    bytes(&[0xa0, 3, 0x80, 1, 1, 0xa2], "mms.presentation", "normal mode"),
    length(16),
    bytes(&[0x81, 4, 0, 0, 0, 1, 0x82], "mms.presentation", "calling selector 00000001; then the called one"),
    one_byte_count(18, 18, "mms.presentation", "length of the called selector"),
    granted(&PRESENTATION, "mms.presentation", "called presentation selector, as configured"),
    bytes(CONTEXTS, "mms.presentation", "contexts 1, ACSE, and 3, MMS"),
    bytes(&[0x61, 0x61, 0x30, 0x5f, 2, 1, 1, 0xa0, 0x5a], "mms.presentation", "data of context 1"),
    bytes(&[0x60, 0x58, 0xa1, 7, 6, 5, 0x28, 0xca, 0x22, 2, 3], "mms.association", "associate, for MMS"),
    bytes(&[0xa2, 7, 6, 5, 0x29, 1, 0x87, 0x67, 1, 0xa3, 3, 2, 1, 12], "mms.association", "called: 1.1.1.999.1, 12"),
    // Authentication would stand behind this: requirements, mechanism, value. It is not here.
    bytes(&[0xa6, 6, 6, 4, 0x29, 1, 0x87, 0x67, 0xa7, 3, 2, 1, 12], "mms.association", "calling: 1.1.1.999, 12; no authentication"),
    bytes(&[0xbe, 0x32, 0x28, 0x30, 6, 2, 0x51, 1, 2, 1, 3, 0xa0, 0x27], "mms.association", "with it, of context 3"),
    bytes(&[0xa8, 0x25], "mms.initiate", "MMS: initiate"),
    bytes(&[0x80, 2, 0x3e, 0x80, 0x81, 1, 1, 0x82, 1, 1], "mms.initiate", "answers of 16,000 bytes; one question at a time"),
    bytes(&[0x83, 1, 5, 0xa4, 0x16, 0x80, 1, 1, 0x81, 3, 5, 0xf1, 0], "mms.initiate", "version 1 and its parameters"),
    bytes(&[0x82, 12, 3, 0x68, 0, 0, 0, 0, 0, 0, 0], "mms.initiate", "services: names, identity, read;"),
    bytes(&[0, 0, 0x10], "mms.initiate", "and the association's end"),
];

/// Parts before a confirmed service.
const HEAD_PARTS: usize = 13;

/// Content, session and presentation around a confirmed service.
const HEAD: [Part; HEAD_PARTS] = [
    PACKET,
    PACKET_LENGTH,
    CONTENT,
    bytes(&[1, 0, 1, 0, 0x61], "mms.session", "session data; presentation data"),
    length(5),
    bytes(&[0x30], "mms.presentation", "one list of values"),
    length(7),
    bytes(&[2, 1, 3, 0xa0], "mms.presentation", "of context 3"),
    length(9),
    bytes(&[0xa0], "mms.pdu", "a confirmed request"),
    length(11),
    bytes(&[2, 1], "mms.invoke", "invoke id of one byte"),
    Part { is: Is::Bits { mask: 0x80, value: 0 }, rule: "mms.invoke", meaning: "invoke id, free below 128" },
];

/// The head, then a service.
const fn confirmed<const N: usize>(service: &[Part]) -> [Part; N] {
    let mut parts = [any(0, "", ""); N];
    let mut at = 0;
    while at < N {
        parts[at] = if at < HEAD_PARTS { HEAD[at] } else { service[at - HEAD_PARTS] };
        at += 1;
    }
    parts
}

static IDENTIFY: [Part; HEAD_PARTS + 1] = confirmed(&[bytes(&[0x82, 0], "mms.service", "identify")]);
static DOMAINS: [Part; HEAD_PARTS + 3] = confirmed(&[
    bytes(&[0xa1, 9], "mms.service", "list of names"),
    bytes(&[0xa0, 3, 0x80, 1, 9], "mms.names", "of domains"),
    bytes(&[0xa1, 2, 0x80, 0], "mms.names", "of the whole server, from the first"),
]);

/// Before the variables: the service, how they are named, their list.
const READ_PARTS: usize = HEAD_PARTS + 6;
/// Of one variable.
const VARIABLE_PARTS: usize = 14;

/// The head, Read, and a variable for each attribute of one plate.
const fn read<const N: usize>(domain: Part, node: Part, plate: &'static [u8], attributes: &[(&'static [u8], &'static str)]) -> [Part; N] {
    let mut parts = [any(0, "", ""); N];
    let mut at = 0;
    while at < HEAD_PARTS {
        parts[at] = HEAD[at];
        at += 1;
    }
    parts[at] = bytes(&[0xa4], "mms.service", "read");
    parts[at + 1] = length(at + 2);
    parts[at + 2] = bytes(&[0xa1], "mms.variables", "of variables,");
    parts[at + 3] = length(at + 4);
    parts[at + 4] = bytes(&[0xa0], "mms.variables", "listed one by one");
    parts[at + 5] = length(at + 6);
    at += 6;
    let mut next = 0;
    while next < attributes.len() {
        let last = at + VARIABLE_PARTS - 1;
        parts[at] = bytes(&[0x30], "mms.variable", "a variable");
        parts[at + 1] = ber_count(at + 2, last, "mms.length", "length of what follows");
        parts[at + 2] = bytes(&[0xa0], "mms.variable", "by its name");
        parts[at + 3] = ber_count(at + 4, last, "mms.length", "length of what follows");
        parts[at + 4] = bytes(&[0xa1], "mms.variable", "in a domain");
        parts[at + 5] = ber_count(at + 6, last, "mms.length", "length of what follows");
        parts[at + 6] = bytes(&[0x1a], "mms.variable", "name of the domain");
        parts[at + 7] = ber_count(at + 8, at + 8, "mms.length", "length of what follows");
        parts[at + 8] = domain;
        parts[at + 9] = bytes(&[0x1a], "mms.variable", "name of the item");
        parts[at + 10] = ber_count(at + 11, last, "mms.length", "length of what follows");
        parts[at + 11] = node;
        parts[at + 12] = bytes(plate, "mms.plate", "the name plate, with the functional constraint DC");
        let (name, meaning) = attributes[next];
        parts[at + 13] = bytes(name, "mms.attribute", meaning);
        (at, next) = (at + VARIABLE_PARTS, next + 1);
    }
    parts
}

/// Of the device's plate: IEC 61850-7-3, 7.9 (DPL).
const OF_DEVICE: [(&[u8], &str); 8] = [
    (b"$vendor", "maker"),
    (b"$hwRev", "hardware revision"),
    (b"$swRev", "software revision"),
    (b"$serNum", "serial number"),
    (b"$model", "model"),
    (b"$location", "location"),
    (b"$name", "name"),
    (b"$d", "description"),
];
/// Of the logical device's: IEC 61850-7-3, 7.9 (LPL).
const OF_NODE: [(&[u8], &str); 3] =
    [(b"$vendor", "maker"), (b"$swRev", "software revision"), (b"$configRev", "revision of the configuration")];

const DEVICE_PARTS: usize = READ_PARTS + OF_DEVICE.len() * VARIABLE_PARTS;
const NODE_PARTS: usize = READ_PARTS + OF_NODE.len() * VARIABLE_PARTS;
const CONFIGURED: Part = granted(&DOMAIN, "mms.domain", "the logical device, as configured");
const LISTED: Part = Part { is: Is::Name, rule: "mms.domain", meaning: "a logical device that the server lists" };
const DEVICE: Part = granted(&NODE, "mms.node", "the node with the device's plate, as configured");
const FIRST_NODE: Part = bytes(b"LLN0", "mms.node", "the logical device's first node");
const PHY_NAM: &[u8] = b"$DC$PhyNam";
const NAM_PLT: &[u8] = b"$DC$NamPlt";

static DEVICE_CONFIGURED: [Part; DEVICE_PARTS] = read(CONFIGURED, DEVICE, PHY_NAM, &OF_DEVICE);
static DEVICE_LISTED: [Part; DEVICE_PARTS] = read(LISTED, DEVICE, PHY_NAM, &OF_DEVICE);
static NODE_CONFIGURED: [Part; NODE_PARTS] = read(CONFIGURED, FIRST_NODE, NAM_PLT, &OF_NODE);
static NODE_LISTED: [Part; NODE_PARTS] = read(LISTED, FIRST_NODE, NAM_PLT, &OF_NODE);

static CONCLUDE: [Part; 7] = [
    PACKET,
    PACKET_LENGTH,
    CONTENT,
    bytes(&[1, 0, 1, 0], "mms.session", "session data"),
    bytes(&[0x61, 9, 0x30, 7], "mms.presentation", "presentation data, one list of values"),
    bytes(&[2, 1, 3, 0xa0, 2], "mms.presentation", "of context 3"),
    bytes(&[0x8b, 0], "mms.pdu", "conclude"),
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    Row { question, asks, needs: None, parts, times_max: 1, rises: None, goodbye: false }
}

const DEVICE_PLATE: &str = "the device's name plate: maker, model, revisions, serial number, location, name, description";
const NODE_PLATE: &str = "the logical device's name plate: maker, software, configuration";

static ROWS: [Row; 9] = [
    row("mms.connect", "a transport connection", &CONNECT),
    row("mms.initiate", "an association, without a password", &INITIATE),
    row("mms.identify", "maker, model and revision of the MMS server", &IDENTIFY),
    Row { needs: Some(&ANY_DOMAIN), ..row("mms.domains", "the names of its logical devices, the first page", &DOMAINS) },
    row("mms.read.nameplate", DEVICE_PLATE, &DEVICE_CONFIGURED),
    Row { needs: Some(&ANY_DOMAIN), ..row("mms.read.nameplate", DEVICE_PLATE, &DEVICE_LISTED) },
    row("mms.read.nameplate.node", NODE_PLATE, &NODE_CONFIGURED),
    Row { needs: Some(&ANY_DOMAIN), ..row("mms.read.nameplate.node", NODE_PLATE, &NODE_LISTED) },
    Row { goodbye: true, ..row("mms.conclude", "nothing: the end of the association", &CONCLUDE) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "mms",
    port: "TCP 102",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "7 messages, each once, and 10 s in one association, which is concluded; one in flight; 11 variables, all with the constraint DC",
};

#[cfg(test)]
mod tests;
