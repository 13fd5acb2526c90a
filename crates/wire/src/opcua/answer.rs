//! Answers as whoever asks needs them: which question they belong to, and what the next question needs from them. What they say of the device is
//! read by the conversation.

use super::application::{Endpoint, endpoints};
use super::builtin::{count, each, is_good, localized, node_id, qualified, response_header, text};
use super::nodes::{FAULT, property};
use super::question::{CHUNK_BYTES_MAX, Question};
use super::{Chunk, HEADER_BYTES, Kind, NAME};
use crate::{Cursor, Malformed};

/// The namespace of DI (OPC 10000-100).
const DI: &[u8] = b"http://opcfoundation.org/UA/DI/";
/// An object of the DeviceSet that is no device (OPC 10000-100, 5.2).
const NO_DEVICE: &[u8] = b"DeviceFeatures";
/// Bytes of a NodeId that is asked for.
const NODE_BYTES_MAX: usize = 128;

/// Where the chunk that starts here ends; `None` while that is not known.
///
/// # Errors
/// [`Malformed`] where it is no OPC UA, or longer than we said that we take.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let size = Chunk::read(bytes)?.map(|chunk| chunk.size);
    match size {
        Some(size) if size > CHUNK_BYTES_MAX as usize => {
            Err(Malformed::wrong(NAME, 4, "a chunk is not longer than the hello said (OPC 10000-6, 7.1.2.3)"))
        }
        size => Ok(size),
    }
}

/// A chunk of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// It takes our hello.
    Acknowledge,
    /// It leaves: why, as a StatusCode.
    Error(u32),
    /// A part of an answer.
    Of {
        /// The answer opens the channel.
        opens: bool,
        /// F the last part, C one before it, A none: the server broke off.
        last: u8,
        /// Number of the channel.
        channel: u32,
        /// Id of the request that it answers.
        request: u32,
        /// What is joined.
        body: &'a [u8],
    },
}

impl<'a> Part<'a> {
    /// Reads one whole chunk.
    ///
    /// # Errors
    /// [`Malformed`] where it is none, or none that a server sends.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let short = || Malformed::short(NAME, 0, HEADER_BYTES, bytes.len(), "a chunk has a header (7.1.2.2)");
        let chunk = Chunk::read(bytes)?.ok_or_else(short)?;
        let mut cursor = Cursor::new(NAME, bytes).from(HEADER_BYTES);
        match chunk.kind {
            Kind::Acknowledge => cursor.take(20, "acknowledge (7.1.2.4)").map(|_| Self::Acknowledge),
            Kind::Error => cursor.u32_le("error (7.1.2.5)").map(Self::Error),
            Kind::Open | Kind::Message => {
                let channel = cursor.u32_le("channel (6.7.2)")?;
                if chunk.kind == Kind::Open {
                    (0..3).try_for_each(|_| text(&mut cursor).map(drop))?;
                } else {
                    cursor.u32_le("token (6.7.2)")?;
                }
                cursor.u32_le("sequence number (6.7.2)")?;
                let request = cursor.u32_le("request id (6.7.2)")?;
                Ok(Self::Of { opens: chunk.kind == Kind::Open, last: chunk.last, channel, request, body: cursor.rest() })
            }
            _ => Err(Malformed::wrong(NAME, 0, "a message that servers send (7.1)")),
        }
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It does not do what was asked: a StatusCode.
    Fault(u32),
    /// Channel and token.
    Opened([u8; 8]),
    /// Its endpoints.
    Endpoints(Vec<Endpoint>),
    /// A session.
    Created {
        /// Its NodeId for our headers, as the server wrote it.
        session: Vec<u8>,
        /// Milliseconds for which the server keeps it without a word.
        timeout_ms: f64,
        /// Its endpoints once more.
        endpoints: Vec<Endpoint>,
    },
    /// The namespace of DI, of an answer that starts with the namespaces.
    Values(Option<u8>),
    /// Of each node asked: nodes and whether they are named as parts of a nameplate.
    Browsed(Vec<Vec<Child>>),
    /// Nothing that the next question needs.
    Done,
}

/// What a node is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// As a part of a nameplate (OPC 10000-100, 4.5).
    Part,
    /// As something that is known to be no device.
    NoDevice,
    /// Otherwise.
    Other,
}

impl Answer {
    /// Reads what was joined. `handle` is that of the question.
    ///
    /// # Errors
    /// [`Malformed`] where it is broken, or no answer to this question.
    pub fn read(body: &[u8], question: &Question<'_>, handle: u32) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(NAME, body);
        let kind = node_id(&mut cursor)?.standard().unwrap_or(0);
        if kind != question.answer() && kind != FAULT {
            return Err(Malformed::wrong(NAME, 0, "the answer's type is that of the question (OPC 10000-6, annex A)"));
        }
        let answered = cursor.from(cursor.at() + 8).u32_le("ResponseHeader (OPC 10000-4, 7.34)")?;
        if answered != handle {
            return Err(Malformed::wrong(NAME, cursor.at() + 8, "handle of the request that waits (OPC 10000-4, 7.34)"));
        }
        let result = response_header(&mut cursor)?;
        if !is_good(result) || kind == FAULT {
            return Ok(Self::Fault(result));
        }
        match question {
            Question::Open => {
                cursor.u32_le("protocol version (OPC 10000-6, 6.7.4)")?;
                Ok(Self::Opened(cursor.array("channel and token (OPC 10000-4, 5.6.2)")?))
            }
            Question::Endpoints => endpoints(&mut cursor, body).map(Self::Endpoints),
            Question::Create => created(cursor, body),
            Question::Build => Ok(Self::Values(di(cursor))),
            Question::Devices(_) | Question::Parts(_) => browsed(cursor, body).map(Self::Browsed),
            _ => Ok(Self::Done),
        }
    }
}

fn created(mut cursor: Cursor<'_>, body: &[u8]) -> Result<Answer, Malformed> {
    node_id(&mut cursor)?;
    let start = cursor.at();
    node_id(&mut cursor)?;
    let session = body.get(start..cursor.at()).unwrap_or_default().to_vec();
    if session.len() > NODE_BYTES_MAX {
        return Err(cursor.wrong("an authentication token of a hundred bytes or less"));
    }
    let timeout_ms = f64::from_le_bytes(cursor.array("revised session timeout (OPC 10000-4, 5.7.2)")?);
    text(&mut cursor)?;
    text(&mut cursor)?;
    Ok(Answer::Created { session, timeout_ms, endpoints: endpoints(&mut cursor, body)? })
}

/// Which of the namespaces, the first value, is DI's; none beyond 255, of which a NodeId of four bytes cannot speak.
fn di(mut cursor: Cursor<'_>) -> Option<u8> {
    const STRINGS: u8 = 0x8c;
    count(&mut cursor).ok().filter(|count| *count > 0)?;
    let mask = cursor.u8("").ok()?;
    let variant = cursor.u8("").ok()?;
    if mask & 1 == 0 || variant != STRINGS {
        return None;
    }
    (0..count(&mut cursor).ok()?.min(256)).find_map(|index| {
        let text = cursor.u32_le("").ok().and_then(|length| cursor.take(if length == u32::MAX { 0 } else { length as usize }, "").ok())?;
        (text == DI).then(|| u8::try_from(index).ok())
    })?
}

/// Its NodeId as it stands in the answer, and what it is called.
pub type Child = (Vec<u8>, Named);

fn browsed(mut cursor: Cursor<'_>, body: &[u8]) -> Result<Vec<Vec<Child>>, Malformed> {
    let mut nodes = Vec::new();
    each(&mut cursor, |cursor, _| {
        let mut of = Vec::new();
        cursor.take(4, "status of a BrowseResult (OPC 10000-4, 7.6)")?;
        text(cursor)?;
        each(cursor, |cursor, _| {
            node_id(cursor)?;
            let forward = cursor.u8("direction of a reference (OPC 10000-4, 7.30)")?;
            let start = cursor.at();
            node_id(cursor)?;
            let node = body.get(start..cursor.at()).unwrap_or_default();
            let name = body.get(qualified(cursor)?).unwrap_or_default();
            localized(cursor)?;
            cursor.take(4, "node class (OPC 10000-4, 7.30)")?;
            node_id(cursor)?;
            let named = match property(name) {
                Some(_) => Named::Part,
                None if name == NO_DEVICE => Named::NoDevice,
                None => Named::Other,
            };
            // A node of another server, or under a namespace that is written out, cannot be asked for as it stands.
            let is_local = node.first().is_some_and(|first| first & 0xc0 == 0);
            if forward != 0 && is_local && node.len() <= NODE_BYTES_MAX {
                of.push((node.to_vec(), named));
            }
            Ok(())
        })?;
        nodes.push(of);
        Ok(())
    })?;
    Ok(nodes)
}

/// A StatusCode in words, where it is one that servers often give (OPC 10000-6, annex A; the foundation's StatusCode.csv).
#[must_use]
pub fn said(code: u32) -> &'static str {
    const CODES: [(u32, &str); 38] = [
        (0x8002_0000, "the server says BadInternalError"),
        (0x8003_0000, "the server says BadOutOfMemory"),
        (0x8004_0000, "the server says BadResourceUnavailable"),
        (0x8007_0000, "the server says BadDecodingError: it could not read the question"),
        (0x8008_0000, "the server says BadEncodingLimitsExceeded"),
        (0x800a_0000, "the server says BadTimeout"),
        (0x800b_0000, "the server says BadServiceUnsupported: it has no such service"),
        (0x800c_0000, "the server says BadShutdown: it is going down"),
        (0x800d_0000, "the server says BadServerNotConnected"),
        (0x800e_0000, "the server says BadServerHalted: it is stopped"),
        (0x8010_0000, "the server says BadTooManyOperations"),
        (0x8012_0000, "the server says BadCertificateInvalid: it does not take our certificate"),
        (
            0x8013_0000,
            "the server says BadSecurityChecksFailed: it does not take our certificate or our signature; its owner may have to trust it",
        ),
        (0x8014_0000, "the server says BadCertificateTimeInvalid: our certificate is not valid by its clock"),
        (0x8017_0000, "the server says BadCertificateUriInvalid: it does not take our certificate"),
        (0x8018_0000, "the server says BadCertificateUseNotAllowed: it does not take our certificate"),
        (0x801a_0000, "the server says BadCertificateUntrusted: its owner has to trust our certificate first"),
        (0x801f_0000, "the server says BadUserAccessDenied"),
        (0x8020_0000, "the server says BadIdentityTokenInvalid: it does not take this user"),
        (0x8021_0000, "the server says BadIdentityTokenRejected: it does not take this user"),
        (0x8022_0000, "the server says BadSecureChannelIdInvalid"),
        (0x8023_0000, "the server says BadInvalidTimestamp: it wants the time in our messages"),
        (0x8024_0000, "the server says BadNonceInvalid"),
        (0x8025_0000, "the server says BadSessionIdInvalid"),
        (0x8026_0000, "the server says BadSessionClosed"),
        (0x8027_0000, "the server says BadSessionNotActivated"),
        (0x8054_0000, "the server says BadSecurityModeRejected: it has no such mode"),
        (0x8055_0000, "the server says BadSecurityPolicyRejected: it has no such policy"),
        (0x8056_0000, "the server says BadTooManySessions: it has no session free"),
        (0x8057_0000, "the server says BadUserSignatureInvalid"),
        (0x8058_0000, "the server says BadApplicationSignatureInvalid"),
        (0x807e_0000, "the server says BadTcpMessageTypeInvalid"),
        (0x807d_0000, "the server says BadTcpServerTooBusy"),
        (0x8080_0000, "the server says BadTcpMessageTooLarge"),
        (0x8081_0000, "the server says BadTcpNotEnoughResources"),
        (0x8083_0000, "the server says BadTcpEndpointUrlInvalid"),
        (0x80b8_0000, "the server says BadRequestTooLarge"),
        (0x80b9_0000, "the server says BadResponseTooLarge: its answer is longer than we take"),
    ];
    CODES
        .iter()
        .find(|(known, _)| *known == code & 0xffff_0000)
        .map_or("the server says no (a code that has no name here)", |(_, said)| said)
}
