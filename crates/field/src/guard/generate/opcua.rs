//! OPC UA. Sizes, channel, session and nodes are written out here once more; what the server says first is made here, too.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Opcua, Permit, Refused};

/// OPC UA's way.
pub static MAKER: Maker = Maker {
    protocol: "opcua",
    cells: &[
        "message type",
        "chunk type",
        "size",
        "channel",
        "sequence does not rise",
        "upper bytes of a number",
        "write",
        "call",
        "history",
        "add or delete nodes",
        "subscription",
        "register nodes",
        "register server",
        "other service",
        "session",
        "header",
        "hello",
        "url",
        "security policy",
        "security mode",
        "renewed channel",
        "client",
        "session timeout",
        "user",
        "policy of users",
        "node of build",
        "attribute",
        "node",
        "references",
        "kind of reference",
        "keeps subscriptions",
        "message twice",
        "session not granted",
        "servers not granted",
        "bytes behind the message",
    ],
    start: |random, cell| {
        let (permit, asked) = permit(random, cell)?;
        let mut waiting = vec![Kind::Hello, Kind::Open, Kind::Endpoints];
        waiting.extend(asked.servers.then_some(Kind::Servers));
        let parts = 1 + random.below(28);
        if asked.session {
            let reads = (0..parts.div_ceil(16)).map(Kind::Device);
            waiting.extend([Kind::Create, Kind::Activate, Kind::Build, Kind::Set, Kind::Devices]);
            waiting.extend(reads);
        }
        // Ends are no messages too many.
        if cell != "request too many" {
            waiting.extend(asked.session.then_some(Kind::Close));
            waiting.push(Kind::CloseChannel);
        }
        let channel = (0..8).map(|_| random.byte()).collect();
        let devices = (0..1 + random.below(3)).map(|_| node(random)).collect();
        let nodes = (0..parts).map(|_| node(random)).collect();
        let (session, di, policy) = (node(random), 1 + random.below(200) as u8, format!("users{}", random.below(100)));
        let server = Server { channel, session, di, policy, devices, nodes };
        Ok((permit, Granted::Opcua(asked.clone()), Box::new(Messages { asked, server, waiting, done: Vec::new(), n: 1 })))
    },
};

/// Messages that may leave.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Hello,
    Open,
    Servers,
    Endpoints,
    Create,
    Activate,
    Build,
    Set,
    Devices,
    Device(usize),
    Close,
    CloseChannel,
}

/// Requests that must never leave (docs/read-only.md; NodeIds.csv), by cell.
const NEVER: [(&str, &[u16]); 8] = [
    ("write", &[673]),
    ("call", &[712]),
    ("history", &[664, 700]),
    ("add or delete nodes", &[488, 494, 500, 506]),
    ("subscription", &[751, 763, 769, 775, 781, 787, 793, 799, 826, 832, 841, 847]),
    ("register nodes", &[560, 566]),
    ("register server", &[437, 12211]),
    ("other service", &[479, 533, 554, 615, 621, 12193, 446, 452]),
];

fn permit(random: &mut Random, cell: &str) -> Result<(Permit, Opcua), Refused> {
    let needs_session = !matches!(cell, "session not granted" | "servers not granted");
    let session = cell != "session not granted" && (needs_session || random.one_in(2));
    let servers = cell != "servers not granted" && random.one_in(3);
    let asked = Opcua { url: format!("opc.tcp://192.0.2.{}:4840", 1 + random.below(200)), servers, session };
    let grant = asked.grant()?;
    let most = Limits::of(&grant);
    let few = 1 + random.below(5) as u8;
    let messages_max = if cell == "request too many" || random.one_in(4) { few } else { most.messages_max };
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 4840).into());
    Ok((Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?, asked))
}

/// What the server chose.
struct Server {
    channel: Vec<u8>,
    session: Vec<u8>,
    di: u8,
    policy: String,
    devices: Vec<Vec<u8>>,
    nodes: Vec<Vec<u8>>,
}

struct Messages {
    asked: Opcua,
    server: Server,
    waiting: Vec<Kind>,
    done: Vec<Kind>,
    n: u8,
}

impl Writer for Messages {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        if self.waiting.is_empty() {
            return None;
        }
        let kind = self.waiting.remove(random.below(self.waiting.len()));
        self.done.push(kind);
        Some(self.write(random, kind))
    }

    fn heard(&self) -> Option<Vec<u8>> {
        Some(self.server.said())
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        let wanted = |kind: &Kind| match cell {
            "message twice" => !matches!(kind, Kind::Device(_)),
            "sequence does not rise" => !matches!(kind, Kind::Hello | Kind::Open),
            _ => false,
        };
        let at = self.waiting.iter().position(wanted)?;
        let kind = self.waiting.remove(at);
        self.done.insert(0, kind);
        Some(self.write(random, kind))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        if let Some((_, services)) = NEVER.iter().find(|(known, _)| *known == cell) {
            let service = services[random.below(services.len())];
            let body = if service == 673 { self.value(random) } else { (0..random.below(60)).map(|_| random.byte()).collect() };
            let session = self.server.session.clone();
            return self.message(random, service, &session, &body);
        }
        match cell {
            "message twice" => match self.done.first().copied().filter(|kind| !matches!(kind, Kind::Device(_))) {
                Some(kind) => self.write(random, kind),
                None => self.message(random, 673, &[0, 0], &[]),
            },
            "sequence does not rise" => {
                self.n = 0;
                self.write(random, Kind::Endpoints)
            }
            "session not granted" if !self.asked.session => {
                let kind = [Kind::Create, Kind::Activate, Kind::Build, Kind::Set][random.below(4)];
                self.write(random, kind)
            }
            "servers not granted" if !self.asked.servers => self.write(random, Kind::Servers),
            "node" => self.other_nodes(random),
            _ => self.changed(random, cell),
        }
    }
}

impl Messages {
    /// One write of a value to one node.
    fn value(&self, random: &mut Random) -> Vec<u8> {
        let node = node(random);
        [&number(1)[..], &node, &[13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 6], &number(random.below(1 << 20) as u32)].concat()
    }

    /// A read or a browse of a node that nobody named; half of the time one more beside those that were.
    fn other_nodes(&self, random: &mut Random) -> Vec<u8> {
        let other = loop {
            let node = node(random);
            if !self.server.nodes.contains(&node) && !self.server.devices.contains(&node) {
                break node;
            }
        };
        let session = &self.server.session;
        if random.one_in(2) {
            let mut nodes = self.server.nodes.iter().take(15).cloned().collect::<Vec<_>>();
            nodes.truncate(if random.one_in(2) { nodes.len() } else { 0 });
            nodes.push(other);
            return message_of(random, self.n, &self.server.channel, 631, session, &values(&nodes));
        }
        message_of(random, self.n, &self.server.channel, 527, session, &browse(&[other], 16, 46, 2))
    }

    /// A message that may leave, changed in this cell.
    fn changed(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let kind = match cell {
            "hello" => Kind::Hello,
            "security policy" | "security mode" | "renewed channel" => Kind::Open,
            "url" => [Kind::Hello, Kind::Endpoints, Kind::Create][random.below(3)],
            "client" | "session timeout" => Kind::Create,
            "user" | "policy of users" => Kind::Activate,
            "session" | "attribute" | "node of build" => Kind::Build,
            "references" | "kind of reference" => Kind::Devices,
            "keeps subscriptions" => Kind::Close,
            _ => [Kind::Endpoints, Kind::Build, Kind::Set, Kind::CloseChannel][random.below(4)],
        };
        let mut message = self.write(random, kind);
        let (other, end, session) = (random.change().to_le_bytes()[0].max(1), message.len() - 1, self.server.session.len());
        let body = 24 + 4 + session + 27;
        match cell {
            "message type" => message[random.below(3)] ^= other,
            "chunk type" => message[3] = if random.one_in(2) { [b'C', b'A'][random.below(2)] } else { b'F' ^ other },
            "size" => message[4 + random.below(4)] ^= other,
            "channel" => message[8 + random.below(8)] ^= other,
            "upper bytes of a number" => message[[17, 18, 19, 21, 22, 23][random.below(6)]] ^= other,
            "session" => message[28 + random.below(session)] ^= other,
            // Of the last three messages above each has this many bytes behind the session.
            "header" => {
                let at = body - 27 + [0, 7, 9, 12, 15, 16, 19, 20, 22, 24, 25, 26][random.below(12)];
                let at = if kind == Kind::Endpoints || kind == Kind::CloseChannel { at + 2 - session } else { at };
                message[at] ^= other;
            }
            "hello" => message[8 + random.below(20)] ^= other,
            "url" => message[end - if kind == Kind::Create { 70 } else { 9 }] ^= other,
            "security policy" => {
                let policy = [b"Basic256Sha256".as_slice(), b"Basic128Rsa15", b"Aes128_Sha256_RsaOaep", b"nonE"][random.below(4)];
                message = self.open(policy, 1, 0);
            }
            "security mode" => message = self.open(b"None", 2 + random.below(2) as u32, 0),
            "renewed channel" => message = self.open(b"None", 1, 1),
            "client" => message[24 + 4 + 2 + 27 + random.below(48)] ^= other,
            "session timeout" => message[end - 4 - random.below(8)] ^= other,
            "user" => message[body + 16 + 2] = [0x44, 0x47, 0xac][random.below(3)],
            "policy of users" => message[end - 8] ^= other,
            "node of build" => message[body + 16 + 18 * random.below(7) + 2] ^= other,
            "attribute" => message[body + 16 + 18 * random.below(7) + 4] ^= other,
            "references" => message[body + 14 + random.below(4)] ^= other,
            "kind of reference" => message[end - 9] ^= other,
            "keeps subscriptions" => message[end] = if random.one_in(2) { 0 } else { other | 2 },
            _ => {
                let more: Vec<u8> = (0..1 + random.below(8)).map(|_| random.byte()).collect();
                message.extend(more);
                let size = number(message.len() as u32);
                message[4..8].copy_from_slice(&size);
            }
        }
        message
    }

    fn write(&mut self, random: &mut Random, kind: Kind) -> Vec<u8> {
        if !matches!(kind, Kind::Hello | Kind::Open) {
            self.n = self.n.saturating_add(1 + random.below(3) as u8);
        }
        let url = text(self.asked.url.as_bytes());
        let (Server { session, di, policy, devices, nodes, .. }, nobody) = (&self.server, [0, 0]);
        let (service, session, body) = match kind {
            Kind::Hello => {
                let sizes = [0, 65_536, 65_536, 262_144, 16].map(u32::to_le_bytes).concat();
                return chunk(b"HELF", &[sizes, url].concat());
            }
            Kind::Open => return self.open(b"None", 1, 0),
            Kind::Servers => (422, &nobody[..], [url, vec![0xff; 8]].concat()),
            Kind::Endpoints => (428, &nobody[..], [url, vec![0xff; 8]].concat()),
            Kind::Create => {
                let (name, us) = (text(b"nameplate"), text(b"urn:nameplate:client"));
                let who = [us.clone(), us, vec![2], name.clone(), number(1), vec![0xff; 12]].concat();
                let limits = [30_000.0_f64.to_le_bytes().to_vec(), number(262_144)].concat();
                (461, &nobody[..], [who, vec![0xff; 4], url, name, vec![0xff; 8], limits].concat())
            }
            Kind::Activate => {
                let token = text(&text(policy.as_bytes()));
                (467, session.as_slice(), [vec![0xff; 16], vec![1, 0, 0x41, 1, 1], token, vec![0xff; 8]].concat())
            }
            Kind::Build => {
                let build = [2255, 2261, 2262, 2263, 2264, 2265, 2266_u16].map(|node| [&[1, 0][..], &node.to_le_bytes()].concat());
                (631, session.as_slice(), values(&build))
            }
            Kind::Set => (527, session.as_slice(), browse(&[vec![1, *di, 0x89, 0x13]], 50, 33, 1)),
            Kind::Devices => (527, session.as_slice(), browse(devices, 16, 46, 2)),
            Kind::Device(read) => (631, session.as_slice(), values(nodes.chunks(16).nth(read).unwrap_or_default())),
            Kind::Close => (473, session.as_slice(), vec![1]),
            Kind::CloseChannel => {
                let message = message_of(random, self.n, &self.server.channel, 452, &nobody, &[]);
                return [b"CLOF", &message[4..]].concat();
            }
        };
        message_of(random, self.n, &self.server.channel, service, session, &body)
    }

    fn open(&self, policy: &[u8], mode: u32, kind: u32) -> Vec<u8> {
        let policy = [b"http://opcfoundation.org/UA/SecurityPolicy#", policy].concat();
        let one = number(1);
        let security = [number(0), text(&policy), vec![0xff; 8], one.clone(), one.clone()].concat();
        let header = [&[1, 0, 0xbe, 1, 0, 0][..], &[0; 8], &one, &number(0), &[0xff; 4], &number(10_000), &[0, 0, 0]].concat();
        chunk(b"OPNF", &[security, header, number(0), number(kind), number(mode), vec![0xff; 4], number(60_000)].concat())
    }

    fn message(&mut self, random: &mut Random, service: u16, session: &[u8], body: &[u8]) -> Vec<u8> {
        self.n = self.n.saturating_add(1);
        message_of(random, self.n, &self.server.channel, service, session, body)
    }
}

impl Server {
    /// Its answers, as far as they count: a channel, a session, namespaces, two browses.
    fn said(&self) -> Vec<u8> {
        let good = |service: u16, body: &[u8]| {
            let header = [&[1, 0][..], &service.to_le_bytes(), &[0; 16], &[0], &number(0), &[0, 0, 0]].concat();
            [header, body.to_vec()].concat()
        };
        let answer = |service, body: &[u8]| chunk(b"MSGF", &[&self.channel, &[0; 8][..], &good(service, body)].concat());
        let opened = good(449, &[&number(0), &self.channel[..], &[0; 8], &number(60_000), &[0xff; 4]].concat());
        let none = text(b"http://opcfoundation.org/UA/SecurityPolicy#None");
        let open = chunk(b"OPNF", &[&self.channel[..4], &none, &[0xff; 8], &[0; 8], &opened].concat());
        let (null, empty) = (vec![0xff; 4], number(0));
        let application = [null.clone(), null.clone(), vec![0], empty.clone(), null.clone(), null.clone(), empty.clone()].concat();
        let user = [text(self.policy.as_bytes()), empty.clone(), vec![0xff; 12]].concat();
        let endpoint = [null.clone(), application, null.clone(), number(1), none, number(1), user, null.clone(), vec![0]].concat();
        let created =
            [&[0, 1][..], &self.session, &30_000.0_f64.to_le_bytes(), &[0xff; 8], &number(1), &endpoint, &empty, &[0xff; 8]].concat();
        let others = (0..self.di).flat_map(|_| text(b"urn:other")).collect::<Vec<u8>>();
        let array = [number(u32::from(self.di) + 1), others, text(b"http://opcfoundation.org/UA/DI/")].concat();
        let values = [number(1), vec![1, 0x8c], array, empty.clone()].concat();
        let named = |nodes: &[Vec<u8>], name: &[u8]| {
            let reference = |node: &Vec<u8>| [&[0, 46, 1][..], node, &[0, 0], &text(name), &[0], &number(0), &[0, 0]].concat();
            let references: Vec<u8> = nodes.iter().flat_map(reference).collect();
            [number(1), number(0), null.clone(), number(nodes.len() as u32), references, number(0)].concat()
        };
        let browsed = [answer(530, &named(&self.devices, b"PLC")), answer(530, &named(&self.nodes, b"SoftwareRevision"))].concat();
        [open, answer(464, &created), answer(634, &values), browsed].concat()
    }
}

fn message_of(random: &mut Random, n: u8, channel: &[u8], service: u16, session: &[u8], body: &[u8]) -> Vec<u8> {
    let (id, handle) = (random.byte(), random.byte());
    let head = [channel, &number(n.into()), &number(id.into()), &[1, 0], &service.to_le_bytes(), session].concat();
    let header = [&[0; 8][..], &number(handle.into()), &number(0), &[0xff; 4], &number(10_000), &[0, 0, 0]].concat();
    chunk(b"MSGF", &[head, header, body.to_vec()].concat())
}

fn chunk(word: &[u8; 4], rest: &[u8]) -> Vec<u8> {
    [&word[..], &number(rest.len() as u32 + 8), rest].concat()
}

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len() as u32)[..], bytes].concat()
}

fn values(nodes: &[Vec<u8>]) -> Vec<u8> {
    let of = |node: &Vec<u8>| [node, &[13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff][..]].concat();
    [vec![0; 8], number(3), number(nodes.len() as u32), nodes.iter().flat_map(of).collect()].concat()
}

fn browse(nodes: &[Vec<u8>], most: u32, kind: u8, class: u8) -> Vec<u8> {
    let of = |node: &Vec<u8>| [node, &[0, 0, 0, 0, 0, kind, 1, class, 0, 0, 0, 10, 0, 0, 0][..]].concat();
    [vec![0; 14], number(most), number(nodes.len() as u32), nodes.iter().flat_map(of).collect()].concat()
}

/// A node in one of the encodings.
fn node(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0 => vec![1, 1 + random.below(9) as u8, random.byte(), random.byte()],
        1 => [&[2, 1 + random.below(9) as u8, 0][..], &number(random.next() as u32)].concat(),
        2 => [&[3, 2, 0][..], &text(format!("node {}", random.below(1 << 30)).as_bytes())].concat(),
        _ => [&[4, 1, 0][..], &(0..16).map(|_| random.byte()).collect::<Vec<u8>>()].concat(),
    }
}
