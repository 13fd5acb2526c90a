//! What we ask over OPC UA, as it reads in clear: on a channel with security the guard seals it. Layouts: OPC 10000-6, 6.7 and 7.1 (chunks), 5.2 (fields);
//! OPC 10000-4, 5.5 to 5.11 and 7 (services, types). Numbers of types and nodes: the foundation's NodeIds.csv.

use super::application::text_bytes as text;

/// Our own name as a client; our certificate has it, too.
pub const CLIENT_URI: &str = "urn:nameplate:client";
/// Milliseconds without a word after which the server may end the session itself (OPC 10000-4, 5.7.2).
pub const SESSION_MS: f64 = 30_000.0;
/// References that we take of a node of the first browse, and of a device.
pub const DEVICES_REFERENCES_MAX: u32 = 50;
/// References that we take of one device.
pub const PARTS_REFERENCES_MAX: u32 = 16;
/// Bytes of the longest chunk that we take, and of the longest message.
pub const CHUNK_BYTES_MAX: u32 = 65_536;
/// Chunks of the longest message that we take.
pub const CHUNKS_MAX: u32 = 16;
/// Bytes of the longest message that we take.
pub const MESSAGE_BYTES_MAX: u32 = 256 << 10;

/// The policy of a channel without security.
pub const POLICY_NONE: &str = "http://opcfoundation.org/UA/SecurityPolicy#None";

/// A null String or ByteString.
const NULL: [u8; 4] = [0xff; 4];
/// Milliseconds that we wait, as the server is told (a hint).
const TIMEOUT_MS: u32 = 10_000;
/// Milliseconds of a channel that is not renewed: longer than any hold.
const CHANNEL_MS: u32 = 60_000;
/// Value, of the attributes of a node.
const VALUE: u32 = 13;
/// The namespace array, then BuildInfo: product name, product URI, manufacturer, software version, build number, build date.
const BUILD: [u16; 7] = [2255, 2261, 2262, 2263, 2264, 2265, 2266];
/// DeviceSet in the namespace of DI (OPC 10000-100, 4.2).
const DEVICE_SET: u16 = 5001;
const HIERARCHICAL: u8 = 33;
const HAS_PROPERTY: u8 = 46;
const OBJECTS: u32 = 1;
const VARIABLES: u32 = 2;
/// Of a reference: whether it is forward, and the node's name.
const FORWARD_AND_NAME: u32 = 2 | 8;

/// How a channel and its session stand: what the owner configured, and what the device said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where the server is: `opc.tcp://192.0.2.1:4840`.
    pub url: String,
    /// URI of the channel's policy.
    pub policy: String,
    /// 1 none, 2 sign, 3 sign and encrypt.
    pub mode: u32,
    /// Our certificate (DER), where the channel has security.
    pub certificate: Option<Vec<u8>>,
    /// SHA-1 of the server's certificate, likewise.
    pub thumbprint: Option<Vec<u8>>,
    /// Bytes of our nonces; zeros stand for them until the guard writes them.
    pub nonce_bytes: usize,
    /// Channel and token, four bytes each, as the server gave them.
    pub channel: [u8; 8],
    /// The session's NodeId, as the server gave it; `[0, 0]` while there is none.
    pub session: Vec<u8>,
}

impl Line {
    /// A channel without security, before anything was said.
    #[must_use]
    pub fn plain(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            policy: POLICY_NONE.to_owned(),
            mode: 1,
            certificate: None,
            thumbprint: None,
            nonce_bytes: 0,
            channel: [0; 8],
            session: vec![0, 0],
        }
    }

    fn nonce(&self) -> Vec<u8> {
        if self.nonce_bytes == 0 { NULL.to_vec() } else { bytes(&vec![0; self.nonce_bytes]) }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password, in clear: the guard encrypts it.
    Password(&'a [u8], &'a [u8]),
    /// A user by his certificate (DER); the guard signs for him.
    Certificate(&'a [u8]),
}

/// One message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// Hello: how long messages may be.
    Hello,
    /// Opens the channel.
    Open,
    /// Which servers there are (FindServers).
    Servers,
    /// Which endpoints it has, how secured (GetEndpoints).
    Endpoints,
    /// A session.
    Create,
    /// The session's user, by a policy of which the server said the id (a whole String).
    Activate(&'a [u8], Token<'a>),
    /// The namespaces, and BuildInfo.
    Build,
    /// What stands in the DeviceSet; DI's namespace is this one.
    Devices(u8),
    /// Properties of these devices, NodeIds as the server wrote them.
    Parts(&'a [Vec<u8>]),
    /// Values of these properties.
    Device(&'a [Vec<u8>]),
    /// The end of the session.
    Close,
    /// The end of the channel.
    CloseChannel,
}

impl Question<'_> {
    /// Its name on the allowlist.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello => "opcua.hello",
            Self::Open => "opcua.channel",
            Self::Servers => "opcua.servers",
            Self::Endpoints => "opcua.endpoints",
            Self::Create => "opcua.session",
            Self::Activate(..) => "opcua.session.activate",
            Self::Build => "opcua.build",
            Self::Devices(_) => "opcua.devices",
            Self::Parts(_) => "opcua.device.parts",
            Self::Device(_) => "opcua.device",
            Self::Close => "opcua.session.close",
            Self::CloseChannel => "opcua.channel.close",
        }
    }

    /// The number of its answer's type; 0 where it has none, or none with a type.
    #[must_use]
    pub const fn answer(&self) -> u32 {
        match self {
            Self::Hello | Self::CloseChannel => 0,
            Self::Open => 449,
            Self::Servers => 425,
            Self::Endpoints => 431,
            Self::Create => 464,
            Self::Activate(..) => 470,
            Self::Build | Self::Device(_) => 634,
            Self::Devices(_) | Self::Parts(_) => 530,
            Self::Close => 476,
        }
    }

    /// Message `n` of a connection (the hello is none of them), in one chunk; `n` is its sequence number, request id and request handle.
    #[must_use]
    pub fn encode(&self, line: &Line, n: u8) -> Vec<u8> {
        let n = number(n.into());
        let none = vec![0, 0];
        let body = match self {
            Self::Hello => {
                let sizes = [0, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX, MESSAGE_BYTES_MAX, CHUNKS_MAX].map(u32::to_le_bytes).concat();
                return chunk(*b"HELF", &[sizes, text(&line.url)].concat());
            }
            Self::Open => {
                let optional = |of: &Option<Vec<u8>>| of.as_ref().map_or(NULL.to_vec(), |of| bytes(of));
                let security =
                    [number(0), text(&line.policy), optional(&line.certificate), optional(&line.thumbprint), n.clone(), n.clone()];
                let asks = [number(0), number(0), number(line.mode), line.nonce(), number(CHANNEL_MS)];
                return chunk(*b"OPNF", &[security.concat(), header(446, &none, &n), asks.concat()].concat());
            }
            Self::Servers => [header(422, &none, &n), text(&line.url), NULL.to_vec(), NULL.to_vec()].concat(),
            Self::Endpoints => [header(428, &none, &n), text(&line.url), NULL.to_vec(), NULL.to_vec()].concat(),
            Self::Create => create(line, &n),
            Self::Activate(policy, token) => [header(467, &line.session, &n), activate(policy, token)].concat(),
            Self::Build => {
                let nodes: Vec<Vec<u8>> = BUILD.iter().map(|node| node_id(0, *node)).collect();
                [header(631, &line.session, &n), values(&nodes)].concat()
            }
            Self::Device(nodes) => [header(631, &line.session, &n), values(nodes)].concat(),
            Self::Devices(di) => {
                let nodes = [node_id(*di, DEVICE_SET)];
                [header(527, &line.session, &n), browse(&nodes, DEVICES_REFERENCES_MAX, HIERARCHICAL, OBJECTS)].concat()
            }
            Self::Parts(devices) => {
                [header(527, &line.session, &n), browse(devices, PARTS_REFERENCES_MAX, HAS_PROPERTY, VARIABLES)].concat()
            }
            Self::Close => [header(473, &line.session, &n), vec![1]].concat(),
            Self::CloseChannel => header(452, &none, &n),
        };
        let word = if *self == Self::CloseChannel { *b"CLOF" } else { *b"MSGF" };
        chunk(word, &[line.channel.to_vec(), n.clone(), n, body].concat())
    }
}

/// Word, size, the rest.
fn chunk(word: [u8; 4], rest: &[u8]) -> Vec<u8> {
    [&word[..], &number(u32::try_from(rest.len() + 8).unwrap_or(u32::MAX)), rest].concat()
}

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&number(u32::try_from(bytes.len()).unwrap_or(0)), bytes].concat()
}

/// A NodeId of four bytes (5.2.2.9).
fn node_id(namespace: u8, number: u16) -> Vec<u8> {
    [&[1, namespace][..], &number.to_le_bytes()].concat()
}

/// Type of the body and RequestHeader (OPC 10000-4, 7.33): session, no time, handle, no diagnostics, no audit entry, our patience, nothing more.
fn header(service: u16, session: &[u8], n: &[u8]) -> Vec<u8> {
    [&node_id(0, service), session, &[0; 8], n, &number(0), &NULL[..], &number(TIMEOUT_MS), &[0, 0, 0]].concat()
}

/// CreateSession (OPC 10000-4, 5.7.2): who we are, for how long.
fn create(line: &Line, n: &[u8]) -> Vec<u8> {
    let us =
        [text(CLIENT_URI), text(CLIENT_URI), vec![2], text("nameplate"), number(1), NULL.to_vec(), NULL.to_vec(), NULL.to_vec()].concat();
    let certificate = line.certificate.as_ref().map_or(NULL.to_vec(), |of| bytes(of));
    let session = [NULL.to_vec(), text(&line.url), text("nameplate"), line.nonce(), certificate];
    let limits = [SESSION_MS.to_le_bytes().to_vec(), number(MESSAGE_BYTES_MAX)];
    [header(461, &[0, 0], n), us, session.concat(), limits.concat()].concat()
}

/// ActivateSession (OPC 10000-4, 5.7.3): no signatures (the guard writes them), no locales, the user.
fn activate(policy: &[u8], token: &Token<'_>) -> Vec<u8> {
    let (kind, token) = match token {
        Token::Anonymous => (321, policy.to_vec()),
        Token::Certificate(certificate) => (327, [policy, &bytes(certificate)].concat()),
        Token::Password(user, password) => (324, [policy, &bytes(user), &bytes(password), &NULL].concat()),
    };
    let nobody = [NULL, NULL].concat();
    [nobody.clone(), NULL.to_vec(), NULL.to_vec(), node_id(0, kind), vec![1], bytes(&token), nobody].concat()
}

fn list(elements: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let count = number(u32::try_from(elements.len()).unwrap_or(0));
    [count, elements.flatten().collect()].concat()
}

/// Read (OPC 10000-4, 5.11.2): of any age, without times, the values of these nodes.
fn values(nodes: &[Vec<u8>]) -> Vec<u8> {
    let value = |node: &Vec<u8>| [node, &number(VALUE)[..], &NULL, &[0, 0], &NULL].concat();
    [vec![0; 8], number(3), list(nodes.iter().map(value))].concat()
}

/// Browse (OPC 10000-4, 5.9.2): no view; of each node so many references, forward, of this kind and its subtypes, to nodes of this class.
fn browse(nodes: &[Vec<u8>], most: u32, kind: u8, class: u32) -> Vec<u8> {
    let description = |node: &Vec<u8>| [node, &number(0)[..], &[0, kind, 1], &number(class), &number(FORWARD_AND_NAME)].concat();
    [vec![0; 14], number(most), list(nodes.iter().map(description))].concat()
}

#[cfg(test)]
mod tests;
