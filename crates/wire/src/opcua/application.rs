//! ApplicationDescriptions: what servers and clients say they are, in discovery and when a session is made (OPC 10000-4, 7.2).

use core::net::{IpAddr, SocketAddr};
use core::ops::Range;

use super::NAME;
use super::builtin::{count, each, is_good, localized, node_id, request_header, response_header, text};
use crate::conversation::Over;
use crate::gathered::Gathered;
use crate::{Address, Authority, Cursor, Malformed, Reading, Shape};

/// Applications told of one message: a discovery server may list hundreds, who says nothing of themselves there.
const APPLICATIONS_MAX: usize = 64;
/// The application type of a discovery server.
const DISCOVERY_SERVER: [u8; 4] = [3, 0, 0, 0];

/// One application, as far as it was read: where its fields stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Application {
    uri: Range<usize>,
    product: Range<usize>,
    name: Range<usize>,
    kind: Range<usize>,
    urls: Vec<Range<usize>>,
    /// Several endpoints of one application repeat it.
    endpoints: Vec<Range<usize>>,
}

/// Which message of discovery or of a session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    FindServers,
    GetEndpoints,
    CreateSession,
    ClientsSession,
    RegisterServer,
}

impl From {
    const fn question(self) -> &'static str {
        match self {
            Self::FindServers => "opcua.servers",
            Self::GetEndpoints => "opcua.endpoints",
            Self::CreateSession => "opcua.session",
            Self::ClientsSession => "opcua.client",
            Self::RegisterServer => "opcua.registration",
        }
    }
}

/// Reads the applications of a message: one reading each.
pub(super) fn read(from: From, message: &Gathered, whole: bool, speaker: &Address) -> Vec<Reading> {
    let mut applications = Vec::new();
    let cursor = Cursor::new(NAME, message.bytes());
    let mut listed = 0;
    let read = applications_of(from, cursor, message.bytes(), &mut listed, &mut applications);
    let bytes = |range: &Range<usize>| message.bytes().get(range.clone()).unwrap_or_default();
    let mut readings = Vec::new();
    for (index, application) in applications.iter().enumerate() {
        let own = match from {
            // A discovery server lists others; so do redundant and aggregating servers, and then nobody can tell who of them speaks.
            From::FindServers => listed == 1 || bytes(&application.kind) == DISCOVERY_SERVER,
            _ => index == 0,
        };
        let named = Some(String::from_utf8_lossy(bytes(&application.uri)).into_owned()).filter(|uri| !uri.is_empty());
        let (authority, place) = match from {
            From::ClientsSession => (Authority::Client, speaker.clone()),
            _ if own => (Authority::Device, speaker.clone()),
            _ => (Authority::Belief, application.urls.first().and_then(|url| place(bytes(url))).unwrap_or_default()),
        };
        let speaker = Address { name: named, ..place };
        let mut reading = Reading { authority, complete: whole, ..Reading::new(NAME, Over::Tcp, from.question(), speaker) };
        message.hand_to(&mut reading);
        for (field, range) in [("uri", &application.uri), ("product_uri", &application.product), ("name", &application.name)] {
            if !range.is_empty() {
                message.fact(&mut reading, format!("opcua.application.{field}"), Shape::Text, range.clone());
            }
        }
        message.fact(&mut reading, "opcua.application.type", Shape::NumberLe, application.kind.clone());
        let urls = application.urls.iter().map(|url| ("opcua.application.url", url));
        for (path, range) in urls.chain(application.endpoints.iter().map(|url| ("opcua.endpoint.url", url))) {
            message.fact(&mut reading, path, Shape::Text, range.clone());
        }
        if let Err(malformed) = &read {
            message.broken(&mut reading, malformed.clone());
        }
        readings.push(reading);
    }
    readings
}

/// Address and port of a URL that names them in numbers: `opc.tcp://192.168.1.2:4840/path`.
fn place(url: &[u8]) -> Option<Address> {
    let authority = core::str::from_utf8(url).ok()?.split_once("://")?.1.split('/').next()?;
    let (ip, port) = match authority.parse::<SocketAddr>() {
        Ok(place) => (place.ip(), Some(place.port())),
        Err(_) => (authority.parse::<IpAddr>().ok()?, None),
    };
    Some(Address { ip: Some(ip), port, ..Address::default() })
}

fn applications_of(
    from: From,
    mut cursor: Cursor<'_>,
    bytes: &[u8],
    listed: &mut u32,
    found: &mut Vec<Application>,
) -> Result<(), Malformed> {
    node_id(&mut cursor)?;
    let mut keep = |application: Application| {
        // The same application at the next endpoint: its fields have the same bytes.
        let uri = |application: &Application| bytes.get(application.uri.clone()).unwrap_or_default();
        match found.iter().position(|known| uri(known) == uri(&application)) {
            Some(known) => {
                let text = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
                let urls = &mut found[known].endpoints;
                let new = application.endpoints.into_iter().filter(|url| urls.iter().all(|known| text(known) != text(url)));
                let new: Vec<_> = new.collect();
                urls.extend(new);
            }
            None if found.len() < APPLICATIONS_MAX => found.push(application),
            None => {}
        }
    };
    if matches!(from, From::ClientsSession | From::RegisterServer) {
        request_header(&mut cursor)?;
        let read = if from == From::ClientsSession { application } else { registered };
        keep(read(&mut cursor)?);
        return Ok(());
    }
    if !is_good(response_header(&mut cursor)?) {
        return Ok(());
    }
    if from == From::CreateSession {
        node_id(&mut cursor)?;
        node_id(&mut cursor)?;
        cursor.take(8, "revised session timeout (OPC 10000-4, 5.7.2)")?;
        text(&mut cursor)?;
        text(&mut cursor)?;
    }
    *listed = count(&mut cursor.clone())?;
    each(&mut cursor, |cursor, _| {
        keep(if from == From::FindServers { application(cursor)? } else { endpoint(cursor)? });
        Ok(())
    })
}

/// ApplicationDescription (OPC 10000-4, 7.2).
fn application(cursor: &mut Cursor<'_>) -> Result<Application, Malformed> {
    let (uri, product, name) = (text(cursor)?, text(cursor)?, localized(cursor)?);
    let kind = cursor.range(4, "application type (OPC 10000-4, 7.4)")?;
    text(cursor)?;
    text(cursor)?;
    let mut urls = Vec::new();
    each(cursor, |cursor, _| {
        let url = text(cursor)?;
        if urls.len() < APPLICATIONS_MAX {
            urls.push(url);
        }
        Ok(())
    })?;
    Ok(Application { uri, product, name, kind, urls, endpoints: Vec::new() })
}

/// EndpointDescription (OPC 10000-4, 7.14).
fn endpoint(cursor: &mut Cursor<'_>) -> Result<Application, Malformed> {
    let url = text(cursor)?;
    let described = application(cursor)?;
    text(cursor)?;
    cursor.u32_le("security mode (OPC 10000-4, 7.20)")?;
    text(cursor)?;
    each(cursor, |cursor, _| {
        text(cursor)?;
        cursor.u32_le("user token type (OPC 10000-4, 7.43)")?;
        (0..3).try_for_each(|_| text(cursor).map(drop))
    })?;
    text(cursor)?;
    cursor.u8("security level (OPC 10000-4, 7.14)")?;
    Ok(Application { endpoints: vec![url], ..described })
}

/// An endpoint as whoever asks needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The server's certificate (DER); empty where it gives none.
    pub certificate: Vec<u8>,
    /// 1 none, 2 sign, 3 sign and encrypt.
    pub mode: u32,
    /// URI of its policy.
    pub policy: Vec<u8>,
    /// How users may say who they are.
    pub users: Vec<UserPolicy>,
    /// How safe the server thinks it is.
    pub level: u8,
}

/// A way in which users may say who they are (OPC 10000-4, 7.42).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPolicy {
    /// Its id, a whole String.
    pub id: Vec<u8>,
    /// 0 anonymous, 1 user and password, 2 certificate, 3 issued token.
    pub kind: u32,
    /// Policy by which a secret is encrypted; empty where the channel's own is.
    pub policy: Vec<u8>,
}

/// Endpoints kept of one answer: policies times modes times a few addresses.
const ENDPOINTS_MAX: usize = 64;
/// Ways for users kept of one endpoint.
const USER_POLICIES_MAX: usize = 16;

/// A list of endpoints, for whoever asks.
pub(super) fn endpoints(cursor: &mut Cursor<'_>, bytes: &[u8]) -> Result<Vec<Endpoint>, Malformed> {
    let of = |range: Range<usize>| bytes.get(range).unwrap_or_default().to_vec();
    let mut found = Vec::new();
    each(cursor, |cursor, _| {
        text(cursor)?;
        application(cursor)?;
        let certificate = of(text(cursor)?);
        let mode = cursor.u32_le("security mode (OPC 10000-4, 7.20)")?;
        let policy = of(text(cursor)?);
        let mut users = Vec::new();
        each(cursor, |cursor, _| {
            let start = cursor.at();
            text(cursor)?;
            let id = of(start..cursor.at());
            let kind = cursor.u32_le("user token type (OPC 10000-4, 7.43)")?;
            text(cursor)?;
            text(cursor)?;
            let policy = of(text(cursor)?);
            if users.len() < USER_POLICIES_MAX {
                users.push(UserPolicy { id, kind, policy });
            }
            Ok(())
        })?;
        text(cursor)?;
        let level = cursor.u8("security level (OPC 10000-4, 7.14)")?;
        if found.len() < ENDPOINTS_MAX {
            found.push(Endpoint { certificate, mode, policy, users, level });
        }
        Ok(())
    })?;
    Ok(found)
}

/// A String as it is written.
pub(super) fn text_bytes(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap_or(0).to_le_bytes()[..], text.as_bytes()].concat()
}

/// RegisteredServer (OPC 10000-4, 7.32): a server about itself, to a discovery server.
fn registered(cursor: &mut Cursor<'_>) -> Result<Application, Malformed> {
    let (uri, product) = (text(cursor)?, text(cursor)?);
    let mut name = None;
    each(cursor, |cursor, _| {
        let next = localized(cursor)?;
        name.get_or_insert(next);
        Ok(())
    })?;
    let kind = cursor.range(4, "application type (OPC 10000-4, 7.4)")?;
    text(cursor)?;
    let mut urls = Vec::new();
    each(cursor, |cursor, _| {
        let url = text(cursor)?;
        if urls.len() < APPLICATIONS_MAX {
            urls.push(url);
        }
        Ok(())
    })?;
    Ok(Application { uri, product, name: name.unwrap_or(0..0), kind, urls, endpoints: Vec::new() })
}

/// BuildInfo (OPC 10000-5, 12.4) at the cursor, into facts.
pub(super) fn build(cursor: &mut Cursor<'_>, message: &Gathered, reading: &mut Reading) -> Result<(), Malformed> {
    for field in ["product_uri", "manufacturer", "product_name", "software_version", "build_number"] {
        let range = text(cursor)?;
        if !range.is_empty() {
            message.fact(reading, format!("opcua.build.{field}"), Shape::Text, range);
        }
    }
    let date = cursor.range(8, "build date (OPC 10000-5, 12.4)")?;
    message.fact(reading, "opcua.build.date", Shape::NumberLe, date);
    Ok(())
}
