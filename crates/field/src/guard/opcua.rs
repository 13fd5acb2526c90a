//! What may leave as OPC UA, binary over TCP: read-only.md section 2, row "OPC UA", as data.
//!
//! Layouts: OPC 10000-6, 5.2 (fields), 6.7 and 7.1 (chunks); OPC 10000-4, 5.5 to 5.11 (services) and 7.33 (header of a request); numbers of types and
//! nodes: the foundation's NodeIds.csv. The rows judge each message in clear, with empty signatures and zeros for nonces; where the channel has
//! security the guard seals it behind the judgement (docs/decisions/0020). What is the server's to choose (channel, session, where DI's namespace
//! is, which nodes a browse named) may stand in a message only as a message of this connection said it. No service that writes, calls, subscribes,
//! reads history, registers or adds is in here.

mod said;
mod secured;

use std::sync::Arc;

use self::said::Said;
pub use self::secured::{NONCE_BYTES, OpcuaSecured, OpcuaUser};
use super::{
    Refused,
    permit::{Grant, Session},
    table::{Is, Part, Rises, Row, Slot, Table, Width, any, bytes, count, granted},
};

/// Messages on one connection (read-only.md section 2, OPC UA: 12). The ends of session and channel are two of them.
pub const MESSAGES_MAX: u8 = 10;
/// Seconds for which a connection may be ours (section 3: session protocols 20 s).
const HOLD_S_MAX: u64 = 20;
/// Bytes of a URL, of a user's name, of a password, of a certificate: what a message has room for.
const URL_BYTES_MAX: usize = 256;
/// Reads of the properties of devices.
const READS_MAX: u8 = 2;

/// What one server may be asked on a channel without security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opcua {
    /// Where it is, as the hello and a session name it: `opc.tcp://192.0.2.1:4840`.
    pub url: String,
    /// FindServers, too.
    pub servers: bool,
    /// A session, and what is read in it.
    pub session: bool,
}

impl Opcua {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.url`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let grant = channel(&self.url, self.servers, self.session)?;
        let none = b"http://opcfoundation.org/UA/SecurityPolicy#None";
        let grant = grant.with(&POLICY, text(none)).with(&CERTIFICATE, NULL).with(&THUMBPRINT, NULL);
        let grant = grant.with(&MODE, 1_u32.to_le_bytes()).with(&NONCE, NULL);
        let grant = if self.session { grant.with(&ANONYMOUS, []) } else { grant };
        Ok(grant.in_session(Arc::new(Said::new(1, none.to_vec(), 0))))
    }
}

impl Session for Said {
    fn seal(&self, plain: &[u8], _: u64) -> Result<Vec<u8>, &'static str> {
        Ok(plain.to_vec())
    }

    fn learn(&self, message: &[u8]) -> Vec<(&'static Slot, Vec<u8>)> {
        self.hear(message)
    }
}

/// What channels with and without security have in common. What the device will say is empty until it does.
fn channel(url: &str, servers: bool, session: bool) -> Result<Grant, Refused> {
    let sound = url.starts_with("opc.tcp://") && url.len() <= URL_BYTES_MAX && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound {
        let why = format!("a URL begins with opc.tcp:// and has at most {URL_BYTES_MAX} letters of ASCII");
        return Err(Refused::before_any_byte("permit.url", why));
    }
    let grant = Grant::new(&TABLE, String::new()).with(&URL, text(url.as_bytes())).with(&CHANNEL, [0; 8]);
    let grant = if servers { grant.with(&SERVERS_ASKED, []) } else { grant };
    if !session {
        return Ok(grant);
    }
    let none = 0_u32.to_le_bytes();
    let grant = grant.with(&SESSION_ASKED, []).with(&SESSION, [0, 0]).with(&USER_POLICY, NULL).with(&DI, [0]);
    Ok(grant.with(&DEVICES, none).with(&NODES, none))
}

/// A null String or ByteString.
const NULL: [u8; 4] = [0xff; 4];

/// A String or ByteString.
fn text(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes()[..], bytes].concat()
}

const fn slot(name: &'static str, mark: &'static str, needs: &'static str) -> Slot {
    Slot { name, mark, needs, secret: false }
}

static URL: Slot = slot("url", "url", "");
static POLICY: Slot = slot("policy", "policy", "");
static CERTIFICATE: Slot = slot("certificate", "certificate", "");
static THUMBPRINT: Slot = slot("thumbprint", "thumbprint", "");
static MODE: Slot = slot("mode", "mode", "");
static NONCE: Slot = slot("nonce", "nonce", "");
static CHANNEL: Slot = slot("channel", "channel", "");
static SERVERS_ASKED: Slot = slot("servers", "", "the owner asks for FindServers");
static SESSION_ASKED: Slot = slot("session.asked", "", "a session is asked for");
static SESSION: Slot = slot("session", "session", "");
static USER_POLICY: Slot = slot("user_policy", "policy", "");
static ANONYMOUS: Slot = slot("anonymous", "", "a session is asked for, for no user");
static NAMED_USER: Slot = slot("user.named", "", "the site's list names a user, on a channel with security");
static USER: Slot = slot("user", "user", "");
static PASSWORD: Slot = Slot { name: "password", mark: "password", needs: "", secret: true };
static CERTIFIED_USER: Slot = slot("user.certified", "", "the site's list has a user's certificate and key, on a channel with security");
static USER_CERTIFICATE: Slot = slot("user.certificate", "certificate", "");
static DI: Slot = slot("di", "di", "");
static DEVICES: Slot = slot("devices", "devices", "the device names them in answer to the browse before");
static NODES: Slot = slot("nodes", "nodes", "the device names them in answer to the browse before");

const SIZE: Part = count(Width::FourLe, 0, "opcua.size", "size of the whole message");
const ID: Part = any(1, "opcua.id", "ours: rises from message to message");
const ID_REST: Part = bytes(&[0, 0, 0], "opcua.id", "upper bytes of a number below 256");
const THE_URL: Part = granted(&URL, "opcua.url", "where the server is, as configured");

/// Parts behind the type and the session of a request: OPC 10000-4, 7.33.
const HEADER: [Part; 6] = [
    bytes(&[0; 8], "opcua.time", "no time"),
    ID,
    ID_REST,
    bytes(&[0; 4], "opcua.diagnostics", "no diagnostics"),
    bytes(&[0xff, 0xff, 0xff, 0xff, 0x10, 0x27, 0, 0], "opcua.header", "no audit entry; we wait for 10 s"),
    bytes(&[0, 0, 0], "opcua.header", "no further header"),
];
const NOBODY: Part = bytes(&[0, 0], "opcua.session", "outside of a session");
const IN_SESSION: Part = granted(&SESSION, "opcua.session", "the session, as the server named it on this connection");

const fn service(number: &'static [u8; 4], meaning: &'static str) -> Part {
    bytes(number, "opcua.service", meaning)
}

/// Parts of every message on a channel before what its service has.
const HEAD: usize = 9 + HEADER.len();

/// A message on a channel.
const fn message<const N: usize>(word: &'static [u8; 4], service: Part, session: Part, body: &[Part]) -> [Part; N] {
    let mut parts = [any(0, "", ""); N];
    let head = [
        bytes(word, "opcua.message", "MSG a service, CLO the channel's end; F: whole"),
        SIZE,
        granted(&CHANNEL, "opcua.channel", "channel and token, as the server gave them on this connection"),
        ID,
        ID_REST,
        ID,
        ID_REST,
        service,
        session,
    ];
    let mut at = 0;
    while at < N {
        parts[at] = if at < head.len() {
            head[at]
        } else if at < HEAD {
            HEADER[at - head.len()]
        } else {
            body[at - HEAD]
        };
        at += 1;
    }
    parts
}

static HELLO: [Part; 5] = [
    bytes(b"HELF", "opcua.message", "hello"),
    SIZE,
    bytes(&[0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0], "opcua.hello", "version 0; chunks of 65,536 bytes in and out"),
    bytes(&[0, 0, 4, 0, 0x10, 0, 0, 0], "opcua.hello", "an answer has at most 262,144 bytes in 16 chunks"),
    THE_URL,
];

static OPEN: [Part; 15] = [
    bytes(b"OPNF", "opcua.message", "opens a channel"),
    SIZE,
    bytes(&[0; 4], "opcua.channel", "no channel yet"),
    granted(&POLICY, "opcua.policy", "the channel's security policy, as configured"),
    granted(&CERTIFICATE, "opcua.certificate", "our certificate; none without security"),
    granted(&THUMBPRINT, "opcua.thumbprint", "SHA-1 of the server's certificate; none without security"),
    bytes(&[1, 0, 0, 0, 1, 0, 0, 0], "opcua.id", "message 1, request 1"),
    service(&[1, 0, 0xbe, 1], "OpenSecureChannel"),
    bytes(&[0; 10], "opcua.header", "outside of a session; no time"),
    bytes(&[1, 0, 0, 0, 0, 0, 0, 0], "opcua.header", "request 1, no diagnostics"),
    bytes(&[0xff, 0xff, 0xff, 0xff, 0x10, 0x27, 0, 0, 0, 0, 0], "opcua.header", "no audit entry; we wait for 10 s; no further header"),
    bytes(&[0; 8], "opcua.issue", "version 0; a new channel"),
    granted(&MODE, "opcua.mode", "1 no security, 2 signed, 3 signed and encrypted; as configured"),
    granted(&NONCE, "opcua.nonce", "zeros; the guard writes random bytes over them; none without security"),
    bytes(&[0x60, 0xea, 0, 0], "opcua.lifetime", "for 60 s"),
];

const NO_LISTS: Part = bytes(&[0xff; 8], "opcua.filter", "in any language, over any transport");
static SERVERS: [Part; HEAD + 2] = message(b"MSGF", service(&[1, 0, 0xa6, 1], "FindServers"), NOBODY, &[THE_URL, NO_LISTS]);
static ENDPOINTS: [Part; HEAD + 2] = message(b"MSGF", service(&[1, 0, 0xac, 1], "GetEndpoints"), NOBODY, &[THE_URL, NO_LISTS]);

/// Our name, twice, as a String.
const US: &[u8] = b"\x14\0\0\0urn:nameplate:client\x14\0\0\0urn:nameplate:client";
static CREATE: [Part; HEAD + 9] = message(
    b"MSGF",
    service(&[1, 0, 0xcd, 1], "CreateSession"),
    NOBODY,
    &[
        bytes(US, "opcua.client", "who we are: urn:nameplate:client, twice"),
        bytes(b"\x02\x09\0\0\0nameplate\x01\0\0\0", "opcua.client", "who we are: nameplate, a client"),
        bytes(&[0xff; 16], "opcua.client", "no gateway, no discovery, and no certain server"),
        THE_URL,
        bytes(b"\x09\0\0\0nameplate", "opcua.session_name", "the session's name: nameplate"),
        granted(&NONCE, "opcua.nonce", "zeros; the guard writes random bytes over them; none without security"),
        granted(&CERTIFICATE, "opcua.certificate", "our certificate; none without security"),
        bytes(&[0, 0, 0, 0, 0, 0x4c, 0xdd, 0x40], "opcua.timeout", "the server ends the session itself after 30,000 ms (a double)"),
        bytes(&[0, 0, 4, 0], "opcua.hello", "an answer has at most 262,144 bytes"),
    ],
);

const fn back_count(first: usize, last: usize) -> Part {
    Part { is: Is::Count { width: Width::FourLe, first, last, more: 0 }, rule: "opcua.token", meaning: "length of what says who asks" }
}

const ACTIVATION: Part = service(&[1, 0, 0xd3, 1], "ActivateSession");
const NO_SIGNATURE: Part = bytes(&[0xff; 16], "opcua.signature", "no signature (the guard writes it), no certificates, no languages");
const POLICY_OF_USER: Part = granted(&USER_POLICY, "opcua.token", "id of the server's own policy for users");
const NO_TOKEN_SIGNATURE: Part = bytes(&[0xff; 8], "opcua.signature", "no signature of a user");
static ACTIVATE: [Part; HEAD + 5] = message(
    b"MSGF",
    ACTIVATION,
    IN_SESSION,
    &[
        NO_SIGNATURE,
        bytes(&[1, 0, 0x41, 1, 1], "opcua.token", "an anonymous user"),
        back_count(HEAD + 3, HEAD + 3),
        POLICY_OF_USER,
        NO_TOKEN_SIGNATURE,
    ],
);
static ACTIVATE_USER: [Part; HEAD + 9] = message(
    b"MSGF",
    ACTIVATION,
    IN_SESSION,
    &[
        NO_SIGNATURE,
        bytes(&[1, 0, 0x44, 1, 1], "opcua.token", "a user with a password"),
        back_count(HEAD + 3, HEAD + 7),
        POLICY_OF_USER,
        granted(&USER, "opcua.user", "the user's name, as configured"),
        back_count(HEAD + 6, HEAD + 6),
        granted(&PASSWORD, "opcua.user", "the password, a secret; the guard encrypts it for the server alone"),
        bytes(&[0xff; 4], "opcua.user", "how it is encrypted (the guard writes it)"),
        NO_TOKEN_SIGNATURE,
    ],
);

static ACTIVATE_CERTIFIED: [Part; HEAD + 6] = message(
    b"MSGF",
    ACTIVATION,
    IN_SESSION,
    &[
        NO_SIGNATURE,
        bytes(&[1, 0, 0x47, 1, 1], "opcua.token", "a user by his certificate"),
        back_count(HEAD + 3, HEAD + 4),
        POLICY_OF_USER,
        granted(&USER_CERTIFICATE, "opcua.user", "the user's certificate, as configured"),
        bytes(&[0xff; 8], "opcua.signature", "no signature of the user (the guard writes it)"),
    ],
);

const READ: Part = service(&[1, 0, 0x77, 2], "Read");
const VALUES: Part = bytes(&[0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0], "opcua.read", "of any age, without times");

/// Seven nodes, and of each attribute 13 (value), of all of it, in any encoding.
const BUILD_NODES: &[u8] = &[
    7, 0, 0, 0, //
    1, 0, 0xcf, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xd5, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xd6, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xd7, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xd8, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xd9, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, //
    1, 0, 0xda, 0x08, 13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff,
];
static BUILD: [Part; HEAD + 2] = message(
    b"MSGF",
    READ,
    IN_SESSION,
    &[VALUES, bytes(BUILD_NODES, "opcua.nodes", "values of i=2255 (namespaces) and i=2261 to i=2266 (BuildInfo)")],
);
static DEVICE: [Part; HEAD + 2] = message(
    b"MSGF",
    READ,
    IN_SESSION,
    &[VALUES, granted(&NODES, "opcua.nodes", "values of at most 16 properties that the browse before named as parts of a nameplate")],
);

const BROWSE: Part = service(&[1, 0, 0x0f, 2], "Browse");
const NO_VIEW: Part = bytes(&[0; 14], "opcua.browse", "no view");
static BROWSE_SET: [Part; HEAD + 6] = message(
    b"MSGF",
    BROWSE,
    IN_SESSION,
    &[
        NO_VIEW,
        bytes(&[50, 0, 0, 0, 1, 0, 0, 0], "opcua.browse", "at most 50 references of one node"),
        bytes(&[1], "opcua.nodes", "a NodeId of four bytes"),
        granted(&DI, "opcua.nodes", "the namespace of DI, as the server's own list has it"),
        bytes(&[0x89, 0x13], "opcua.nodes", "i=5001: DeviceSet"),
        bytes(&[0, 0, 0, 0, 0, 33, 1, 1, 0, 0, 0, 10, 0, 0, 0], "opcua.browse", "forward, hierarchical, objects, with their names"),
    ],
);
static BROWSE_DEVICES: [Part; HEAD + 3] = message(
    b"MSGF",
    BROWSE,
    IN_SESSION,
    &[
        NO_VIEW,
        bytes(&[16, 0, 0, 0], "opcua.browse", "at most 16 references of each node"),
        granted(&DEVICES, "opcua.nodes", "properties, with their names, of at most 3 nodes that the browse before named"),
    ],
);

static CLOSE: [Part; HEAD + 1] = message(
    b"MSGF",
    service(&[1, 0, 0xd9, 1], "CloseSession"),
    IN_SESSION,
    &[bytes(&[1], "opcua.delete", "with its subscriptions, of which we have none")],
);
static CLOSE_CHANNEL: [Part; HEAD] = message(b"CLOF", service(&[1, 0, 0xc4, 1], "CloseSecureChannel"), NOBODY, &[]);

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    // The `F` of every message is the key; the sequence number's lowest byte the value.
    let rises = Some(Rises { key: 3, value: 16, rule: "opcua.sequence" });
    Row { question, asks, needs: None, parts, times_max: 1, rises, goodbye: false }
}

/// A row in a session.
const fn in_session(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    Row { needs: Some(&SESSION_ASKED), ..row(question, asks, parts) }
}

static ROWS: [Row; 14] = [
    Row { rises: None, ..row("opcua.hello", "nothing: how long messages may be", &HELLO) },
    Row { rises: None, ..row("opcua.channel", "nothing: a channel", &OPEN) },
    Row { needs: Some(&SERVERS_ASKED), ..row("opcua.servers", "which servers there are", &SERVERS) },
    row("opcua.endpoints", "which endpoints it has, who it is", &ENDPOINTS),
    in_session("opcua.session", "nothing: a session of 30 s", &CREATE),
    Row { needs: Some(&ANONYMOUS), ..in_session("opcua.session.activate", "nothing: the session's user, anonymous", &ACTIVATE) },
    Row { needs: Some(&NAMED_USER), ..in_session("opcua.session.activate", "nothing: the session's user", &ACTIVATE_USER) },
    Row { needs: Some(&CERTIFIED_USER), ..in_session("opcua.session.activate", "nothing: the session's user", &ACTIVATE_CERTIFIED) },
    in_session("opcua.build", "namespaces, and BuildInfo of the server", &BUILD),
    in_session("opcua.devices", "what stands in the DeviceSet", &BROWSE_SET),
    in_session("opcua.device.parts", "which properties its devices have", &BROWSE_DEVICES),
    Row { times_max: READS_MAX, ..in_session("opcua.device", "the nameplates of its devices", &DEVICE) },
    Row { goodbye: true, ..in_session("opcua.session.close", "nothing: the end of the session", &CLOSE) },
    Row { goodbye: true, ..row("opcua.channel.close", "nothing: the end of the channel", &CLOSE_CHANNEL) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "opcua",
    port: "TCP 4840",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "12 messages and 20 s, with the ends of session and channel; one in flight; a session of 30 s; 16 nodes a Read; two browses of at most 50 references",
};

#[cfg(test)]
mod tests;
