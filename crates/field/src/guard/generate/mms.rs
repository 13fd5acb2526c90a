//! MMS.

use super::snmp::element;
use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Mms, Permit};

/// MMS's way.
pub static MAKER: Maker = Maker {
    protocol: "mms",
    cells: &[
        "packet length",
        "transport header",
        "transport class",
        "transport selector",
        "session selector",
        "presentation selector",
        "context",
        "password in the association",
        "services offered",
        "write",
        "other service",
        "other pdu",
        "named variable list",
        "names of variables",
        "names behind a name",
        "control object $CO$",
        "set point $SP$",
        "setting group $SG$",
        "setting group edited $SE$",
        "report $RP$",
        "buffered report $BR$",
        "substitution $SV$",
        "other constraint",
        "other plate",
        "other attribute",
        "other node",
        "domain not granted",
        "no domain's name",
        "variable too many",
        "variable too few",
        "invoke id",
        "length",
        "long length",
        "question again",
    ],
    start: |random, cell| {
        let named = cell == "domain not granted" || (cell != "no domain's name" && random.one_in(2));
        let selector = |random: &mut Random, most: usize| (0..=random.below(most)).map(|_| random.byte()).collect::<Vec<u8>>();
        let asked = Mms {
            transport: if random.one_in(2) { vec![0, 1] } else { selector(random, 8) },
            session: if random.one_in(2) { vec![0, 1] } else { selector(random, 8) },
            presentation: if random.one_in(2) { vec![0, 0, 0, 1] } else { selector(random, 8) },
            domain: named.then(|| name(random, 20)),
            node: if random.one_in(2) { "LPHD1".to_owned() } else { format!("{}LPHD{}", name(random, 4), random.below(10)) },
        };
        let grant = asked.grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 102).into()), grant, "generated", limits)?;
        Ok((permit, Granted::Mms(asked.clone()), Box::new(Packets { left: kinds(&asked), asked, sent: 0 })))
    },
};

/// Kinds of message. The first two go first: what follows means nothing without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connect,
    Initiate,
    Identify,
    Domains,
    Device,
    Node,
    Conclude,
}

fn kinds(asked: &Mms) -> Vec<Kind> {
    let mut kinds = vec![Kind::Connect, Kind::Initiate, Kind::Identify, Kind::Device, Kind::Node, Kind::Conclude];
    if asked.domain.is_none() {
        kinds.push(Kind::Domains);
    }
    kinds
}

const DEVICE: [&str; 8] = ["vendor", "hwRev", "swRev", "serNum", "model", "location", "name", "d"];
const NODE: [&str; 3] = ["vendor", "swRev", "configRev"];
/// Functional constraints (IEC 61850-7-2) that are no descriptions and stand in no cell of their own.
const CONSTRAINTS: [&str; 8] = ["ST", "MX", "CF", "EX", "GO", "LG", "US", "MS"];
/// Tags of confirmed services (ISO 9506-2): status, rename, attributes of variables and lists, domains, programs, files, journals.
const SERVICES: [u8; 12] = [0x80, 0xa3, 0xa6, 0xa7, 0xac, 0xad, 0xaa, 0xab, 0xb1, 0xb5, 0xbc, 0xbf];

struct Packets {
    asked: Mms,
    /// What may still leave.
    left: Vec<Kind>,
    sent: usize,
}

/// What a Read is made of.
struct Read {
    domain: String,
    node: String,
    constraint: String,
    plate: String,
    attributes: Vec<String>,
}

impl Writer for Packets {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let at = if self.sent < 2 { 0 } else { random.below(self.left.len()) };
        if at >= self.left.len() {
            return None;
        }
        self.sent += 1;
        let kind = self.left.remove(at);
        Some(self.packet(random, kind))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        (cell == "question again" && self.sent == 0).then(|| self.allowed(random)).flatten()
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        match cell {
            "question again" => self.packet(random, Kind::Connect),
            "packet length" | "transport header" | "long length" | "length" => self.mangled(random, cell),
            "transport class" | "transport selector" => self.connect(random, cell),
            "session selector" | "presentation selector" | "context" | "password in the association" | "services offered" => {
                self.initiate(random, cell)
            }
            "write"
            | "other service"
            | "other pdu"
            | "named variable list"
            | "names of variables"
            | "names behind a name"
            | "invoke id" => self.service(random, cell),
            name => self.named(random, name).write(random),
        }
    }
}

impl Packets {
    fn packet(&self, random: &mut Random, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Connect => self.connect(random, ""),
            Kind::Initiate => self.initiate(random, ""),
            Kind::Identify => confirmed(random, &[0x82, 0]),
            Kind::Domains => confirmed(random, &element(0xa1, &[0xa0, 3, 0x80, 1, 9, 0xa1, 2, 0x80, 0])),
            Kind::Device | Kind::Node => self.read(random, kind).write(random),
            Kind::Conclude => content(&data(&[0x8b, 0])),
        }
    }

    fn connect(&self, random: &mut Random, cell: &str) -> Vec<u8> {
        let called = if cell == "transport selector" { other(random, &self.asked.transport, 32) } else { self.asked.transport.clone() };
        let class = if cell == "transport class" { random.other_than(&[0]) } else { 0 };
        let head = [0xe0, 0, 0, random.byte(), random.byte(), class, 0xc1, 2, 0, 1, 0xc2, called.len() as u8];
        let tpdu = [&head[..], &called, &[0xc0, 1, 0x0a]].concat();
        packet(&[&[tpdu.len() as u8][..], &tpdu].concat())
    }

    fn initiate(&self, random: &mut Random, cell: &str) -> Vec<u8> {
        let Mms { session, presentation, .. } = &self.asked;
        let session = if cell == "session selector" { other(random, session, 16) } else { session.clone() };
        let called = if cell == "presentation selector" { other(random, presentation, 16) } else { presentation.clone() };
        let context = if cell == "context" { 0x40 | random.byte() & 0x3f } else { 3 };
        let services = if cell == "services offered" { random.other_than(&[0x68]) } else { 0x68 };
        let parameters = [&[0x80, 1, 1, 0x81, 3, 5, 0xf1, 0, 0x82, 12, 3, services][..], &[0; 9], &[0x10]].concat();
        let sizes = [0x80, 2, 0x3e, 0x80, 0x81, 1, 1, 0x82, 1, 1, 0x83, 1, 5];
        let mms = element(0xa8, &[&sizes[..], &element(0xa4, &parameters)].concat());
        let external = element(0x28, &[&[6, 2, 0x51, 1, 2, 1, context][..], &element(0xa0, &mms)].concat());
        let titles = [
            &[0xa1, 7, 6, 5, 0x28, 0xca, 0x22, 2, 3, 0xa2, 7, 6, 5, 0x29, 1, 0x87, 0x67, 1, 0xa3, 3, 2, 1, 12][..],
            &[0xa6, 6, 6, 4, 0x29, 1, 0x87, 0x67, 0xa7, 3, 2, 1, 12],
        ];
        let password = if cell == "password in the association" {
            let secret: Vec<u8> = (0..1 + random.below(8)).map(|_| b'a' + random.below(26) as u8).collect();
            [&[0x8a, 2, 7, 0x80, 0x8b, 3, 0x52, 3, 1][..], &element(0xac, &element(0x80, &secret))].concat()
        } else {
            Vec::new()
        };
        let acse = element(0x60, &[&titles.concat()[..], &password, &element(0xbe, &external)].concat());
        let user = element(0x61, &element(0x30, &[&[2, 1, 1][..], &element(0xa0, &acse)].concat()));
        let contexts = [
            &[0xa4, 0x23, 0x30, 0x0f, 2, 1, 1, 6, 4, 0x52, 1, 0, 1, 0x30, 4, 6, 2, 0x51, 1][..],
            &[0x30, 0x10, 2, 1, context, 6, 5, 0x28, 0xca, 0x22, 2, 1, 0x30, 4, 6, 2, 0x51, 1],
        ];
        let normal = [&[0x81, 4, 0, 0, 0, 1][..], &element(0x82, &called), &contexts.concat(), &user].concat();
        let presentation = element(0x31, &[&[0xa0, 3, 0x80, 1, 1][..], &element(0xa2, &normal)].concat());
        let head = [5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x33, 2, 0, 1];
        let items = [&head[..], &[0x34, session.len() as u8], &session, &[0xc1, presentation.len() as u8], &presentation].concat();
        content(&[&[0x0d, items.len() as u8][..], &items].concat())
    }

    /// A Read that may leave.
    fn read(&self, random: &mut Random, kind: Kind) -> Read {
        let domain = self.asked.domain.clone().unwrap_or_else(|| name(random, 64));
        let owned = |attributes: &[&str]| attributes.iter().map(|attribute| (*attribute).to_owned()).collect();
        let (node, plate, attributes) = match kind {
            Kind::Node => ("LLN0".to_owned(), "NamPlt", owned(&NODE)),
            _ => (self.asked.node.clone(), "PhyNam", owned(&DEVICE)),
        };
        Read { domain, node, constraint: "DC".to_owned(), plate: plate.to_owned(), attributes }
    }

    /// A Read of which a name is wrong.
    fn named(&self, random: &mut Random, cell: &str) -> Read {
        let kind = if random.one_in(2) { Kind::Device } else { Kind::Node };
        let mut read = self.read(random, kind);
        match cell {
            "control object $CO$" if random.one_in(2) => {
                // What selects: Pos.SBO of a switch, among or in place of the attributes.
                (read.node, read.constraint, read.plate) = ("CSWI1".to_owned(), "CO".to_owned(), "Pos".to_owned());
                read.attributes = vec!["SBO".to_owned()];
            }
            "control object $CO$" => read.constraint = "CO".to_owned(),
            "set point $SP$" => read.constraint = "SP".to_owned(),
            "setting group $SG$" => read.constraint = "SG".to_owned(),
            "setting group edited $SE$" => read.constraint = "SE".to_owned(),
            "report $RP$" => read.constraint = "RP".to_owned(),
            "buffered report $BR$" => read.constraint = "BR".to_owned(),
            "substitution $SV$" => read.constraint = "SV".to_owned(),
            "other constraint" => read.constraint = CONSTRAINTS[random.below(CONSTRAINTS.len())].to_owned(),
            "other plate" => read.plate = ["PhyHealth", "Proxy", "Mod", "Beh", "Health", "Loc"][random.below(6)].to_owned(),
            "other attribute" => {
                let at = random.below(read.attributes.len());
                read.attributes[at] = ["owner", "latitude", "ldNs", "lnNs", "paramRev", "valRev"][random.below(6)].to_owned();
            }
            "other node" => read.node = ["LPHD77", "LLN1", "CSWI1", "XCBR1", "LGOS1", "PTRC1"][random.below(6)].to_owned(),
            "domain not granted" => read.domain.push('x'),
            "no domain's name" => {
                let at = random.below(read.domain.len());
                read.domain.replace_range(at..=at, ["$", "/", " ", ".", "-", "\0"][random.below(6)]);
            }
            "variable too many" => read.attributes.push(if random.one_in(2) { "owner".to_owned() } else { "vendor".to_owned() }),
            "variable too few" => {
                read.attributes.pop();
            }
            _ => {}
        }
        read
    }

    fn service(&self, random: &mut Random, cell: &str) -> Vec<u8> {
        let kind = if random.one_in(2) { Kind::Device } else { Kind::Node };
        let variables = self.read(random, kind).variables();
        let reading = element(0xa1, &element(0xa0, &variables));
        match cell {
            "write" => confirmed(random, &element(0xa5, &[element(0xa0, &variables), element(0xa0, &[0x83, 1, 1])].concat())),
            "other service" if random.one_in(2) => {
                let tag = SERVICES[random.below(SERVICES.len())];
                confirmed(random, &element(tag, &reading))
            }
            "other service" => {
                let tag = random.other_than(&[0x82, 0xa1, 0xa4]);
                confirmed(random, &[tag, 0])
            }
            "other pdu" => {
                let tag = random.other_than(&[0xa0, 0x8b]);
                content(&data(&element(tag, &[2, 1, 1, 0x82, 0])))
            }
            "named variable list" => confirmed(random, &element(0xa4, &element(0xa1, &element(0xa1, &element(0x80, b"list"))))),
            "names of variables" => {
                let class = [0, 1, 2, 3, 8, 10][random.below(6)];
                let domain = element(0x81, name(random, 20).as_bytes());
                let scope = if random.one_in(2) { vec![0x80, 0] } else { domain };
                confirmed(random, &element(0xa1, &[&[0xa0, 3, 0x80, 1, class][..], &element(0xa1, &scope)].concat()))
            }
            "names behind a name" => {
                let after = element(0x82, name(random, 20).as_bytes());
                confirmed(random, &element(0xa1, &[&[0xa0, 3, 0x80, 1, 9, 0xa1, 2, 0x80, 0][..], &after].concat()))
            }
            _ => {
                let pdu = [2, 1, 0x80 | random.byte(), 0x82, 0];
                content(&data(&element(0xa0, &pdu)))
            }
        }
    }

    /// A message that may leave, but for its lengths and its transport.
    fn mangled(&self, random: &mut Random, cell: &str) -> Vec<u8> {
        let kind = [Kind::Initiate, Kind::Identify, Kind::Device, Kind::Node, Kind::Conclude][random.below(5)];
        let mut packet = self.packet(random, kind);
        let change = random.change().to_be_bytes()[1].max(1);
        match cell {
            "packet length" => packet[random.below(4)] ^= change,
            "transport header" => packet[4 + random.below(3)] ^= change,
            // The first length that every message has: of the SPDU, or of the presentation's data.
            "length" => packet[if kind == Kind::Initiate { 8 } else { 12 }] ^= change & 0x7f | 1,
            _ => {
                let identify = confirmed(random, &[0x82, 0]);
                let long = [&identify[7..12], &[0x81], &identify[12..]].concat();
                packet = content(&long);
            }
        }
        packet
    }
}

impl Read {
    fn variables(&self) -> Vec<u8> {
        let variable = |attribute: &String| {
            let item = [&self.node, &self.constraint, &self.plate, attribute].map(String::as_str).join("$");
            let name = [element(0x1a, self.domain.as_bytes()), element(0x1a, item.as_bytes())].concat();
            element(0x30, &element(0xa0, &element(0xa1, &name)))
        };
        self.attributes.iter().flat_map(variable).collect()
    }

    fn write(&self, random: &mut Random) -> Vec<u8> {
        confirmed(random, &element(0xa4, &element(0xa1, &element(0xa0, &self.variables()))))
    }
}

/// RFC 1006, clause 6.
fn packet(tpdu: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &(tpdu.len() as u16 + 4).to_be_bytes(), tpdu].concat()
}

/// X.224, 13.7.
fn content(body: &[u8]) -> Vec<u8> {
    packet(&[&[2, 0xf0, 0x80], body].concat())
}

/// ISO 8327-1, 8.3, and ISO 8823-1, 8.4.
fn data(pdu: &[u8]) -> Vec<u8> {
    let list = element(0x30, &[&[2, 1, 3][..], &element(0xa0, pdu)].concat());
    [&[1, 0, 1, 0][..], &element(0x61, &list)].concat()
}

/// ISO 9506-2, clause 7.
fn confirmed(random: &mut Random, service: &[u8]) -> Vec<u8> {
    content(&data(&element(0xa0, &[&[2, 1, random.byte() & 0x7f][..], service].concat())))
}

/// Letters, digits and underscores, 1 to `most`.
fn name(random: &mut Random, most: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    (0..=random.below(most)).map(|_| char::from(LETTERS[random.below(LETTERS.len())])).collect()
}

/// Another selector: a byte changed, one more, or one less.
fn other(random: &mut Random, selector: &[u8], most: usize) -> Vec<u8> {
    let mut other = selector.to_vec();
    let at = random.below(other.len());
    match random.below(3) {
        0 if other.len() > 1 => {
            other.pop();
        }
        1 if other.len() < most => other.push(random.byte()),
        _ => other[at] ^= random.change().to_be_bytes()[1].max(1),
    }
    other
}
