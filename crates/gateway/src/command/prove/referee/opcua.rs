//! The OPC UA row, on a channel without security: what the guard judges there is what it judges on any other before it seals it.

use nameplate_field::guard::Opcua;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection, its ends among them (docs/read-only.md).
const MESSAGES_MAX: usize = 12;
/// Nodes of a Read (docs/read-only.md).
const NODES_MAX: usize = 16;
/// References of a Browse (docs/read-only.md).
const REFERENCES_MAX: u32 = 50;

/// What a hello offers: version, buffers, a message, chunks of one (OPC 10000-6, 7.1.2.3).
const HELLO: [(&str, &str); 5] = [
    ("opcua.transport.ver", "0"),
    ("opcua.transport.rbs", "65536"),
    ("opcua.transport.sbs", "65536"),
    ("opcua.transport.mms", "262144"),
    ("opcua.transport.mcc", "16"),
];
const HEADER: [(&str, &str); 3] = [("opcua.returndiag", "0x00000000"), ("opcua.AuditEntryId", ""), ("opcua.TimeoutHint", "10000")];
/// The namespaces, and BuildInfo's parts (OPC 10000-5, 12.4; OPC 10000-6, annex A).
const BUILD: [Option<u32>; 7] = [Some(2255), Some(2261), Some(2262), Some(2263), Some(2264), Some(2265), Some(2266)];
/// How each service's request ends: tshark says nothing of what stands behind its last field.
const ENDS: [(&str, &[u8]); 9] = [
    // Mode 1, no nonce; lifetime of the channel, 60,000 ms.
    ("446", &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x60, 0xea, 0, 0]),
    // No locales, no profiles.
    ("422", &[0xff; 8]),
    ("428", &[0xff; 8]),
    // The longest answer, 262,144 bytes.
    ("461", &[0, 0, 4, 0]),
    // No signature.
    ("467", &[0xff; 8]),
    // No range, no encoding.
    ("631", &[0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    // Direction and name.
    ("527", &[0x0a, 0, 0, 0]),
    // Its subscriptions, too, and before that ten seconds and nothing additional.
    ("473", &[0x10, 0x27, 0, 0, 0, 0, 0, 1]),
    ("452", &[0xff, 0xff, 0x10, 0x27, 0, 0, 0, 0, 0]),
];
/// tshark's word for no time at all.
const NO_TIME: &str = "Jan  1, 1970 00:00:00.000000000 UTC";
/// Encodings of a NodeId that is a number (OPC 10000-6, 5.2.2.9).
const NUMBERS: [&str; 3] = [NUMBER_OF_A_BYTE, "0x01", "0x02"];
const NUMBER_OF_A_BYTE: &str = "0x00";
/// Types of references (OPC 10000-5, 11).
const HIERARCHICAL: u32 = 33;
const HAS_PROPERTY: u32 = 46;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "opcua",
    port: 4840,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &[
        "opcua.transport.type",
        "opcua.transport.chunk",
        "opcua.transport.size",
        "tcp.len",
        "opcua.servicenodeid.numeric",
        "opcua.security.spu",
        "opcua.MessageSecurityMode",
        "opcua.SecurityTokenRequestType",
        "opcua.transport.endpoint",
        "opcua.EndpointUrl",
        "opcua.RequestedSessionTimeout",
        "opcua.ApplicationUri",
        "opcua.security.seq",
        "opcua.nodeid.numeric",
        "opcua.AttributeId",
        "opcua.RequestedMaxReferencesPerNode",
        "opcua.BrowseDirection",
        "opcua.nodeclassmask",
        "opcua.DeleteSubscriptions",
        "opcua.Password",
        "opcua.transport.scid",
        "opcua.security.tokenid",
        "_ws.malformed",
        "opcua.transport.ver",
        "opcua.transport.rbs",
        "opcua.transport.sbs",
        "opcua.transport.mms",
        "opcua.transport.mcc",
        "opcua.security.rqid",
        "opcua.RequestHandle",
        "opcua.returndiag",
        "opcua.AuditEntryId",
        "opcua.TimeoutHint",
        "opcua.Timestamp",
        "opcua.nodeid.encodingmask",
        "opcua.nodeid.nsindex",
        "opcua.extobj.mask",
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[kind, chunk, size, length, service, policy, mode, request, hello_url, ..] = cells else {
        return Err("the referee gave other columns");
    };
    let [password, malformed] = ["opcua.Password", "_ws.malformed"].map(|field| cell(cells, field));
    let Granted::Opcua(granted) = &survivor.granted else {
        return Err("granted in another protocol");
    };
    rule(chunk == "F" && size == length && malformed.is_empty(), "not one whole message")?;
    rule(before.len() < MESSAGES_MAX, "more messages than a connection may have")?;
    let ends = |cells: &[&str]| cells[4] == "473" || cells[4] == "452";
    let open = before.iter().filter(|cells| !ends(cells)).count();
    rule(ends(cells) || open < survivor.messages_max.into(), "more messages than this connection may have")?;
    // A Read of a device may come twice, and a browse.
    let same = before.iter().filter(|cells| (cells[0], cells[4]) == (kind, service)).count();
    rule(same < if service == "631" { 3 } else { 1 + usize::from(service == "527") }, "a message too often")?;
    rule(password.is_empty(), "a password in clear")?;
    if kind == "HEL" {
        rule(hello_url == granted.url && service.is_empty(), "a hello to another place")?;
        return rule(says(cells, &HELLO), "a hello that offers something else");
    }
    header(cells)?;
    let end = ENDS.iter().find(|(known, _)| *known == service).map_or(&[][..], |(_, end)| end);
    rule(survivor.bytes.ends_with(end), "bytes behind its last field")?;
    if kind == "OPN" {
        let none = policy == "http://opcfoundation.org/UA/SecurityPolicy#None" && (number(mode), number(request)) == (Some(1), Some(0));
        return rule(none && service == "446", "another channel than a new one without security");
    }
    let sequence = number(cells[12]);
    let spoken = || before.iter().filter(|cells| matches!(cells[0], "MSG" | "CLO"));
    let rises = spoken().all(|cells| number(cells[12]) < sequence);
    let channel = |of: &[&str]| ["opcua.transport.scid", "opcua.security.tokenid"].map(|field| cell(of, field).to_owned());
    let same_channel = spoken().all(|earlier| channel(earlier) == channel(cells));
    rule(rises && same_channel, "a sequence number that does not rise, or another channel")?;
    let read = nodes(cells).split_off(2.min(nodes(cells).len()));
    let of_build = service == "631" && read.iter().any(|node| BUILD.contains(node));
    rule(!of_build || read == BUILD, "a Read of the build and something else")?;
    asked(granted, cells)
}

/// What every request begins with: numbers of ours, which are small; no time, no diagnostics, no name for an audit; ten seconds; nothing additional.
fn header(cells: &[&str]) -> Result<(), &'static str> {
    let small = |field| number(cell(cells, field)).is_some_and(|number| number < 256);
    rule(["opcua.security.seq", "opcua.security.rqid", "opcua.RequestHandle"].into_iter().all(small), "a number that is not ours")?;
    let timeless = cell(cells, "opcua.Timestamp").replace(NO_TIME, "").bytes().all(|byte| byte == b',');
    rule(timeless && says(cells, &HEADER), "another header of a request")?;
    // The session's token, then the type of what is additional.
    let additional = cell(cells, "opcua.nodeid.encodingmask").split(',').nth(1);
    let nothing = additional == Some(NUMBER_OF_A_BYTE) && nodes(cells).get(1) == Some(&Some(0));
    rule(nothing && cell(cells, "opcua.extobj.mask").starts_with("0x00"), "something additional in the header of a request")
}

/// The nodes that a message names, in its order; those of namespace 0 that are numbers with it.
fn nodes(cells: &[&str]) -> Vec<Option<u32>> {
    let mut named = numbers(cell(cells, "opcua.nodeid.numeric")).into_iter();
    let mut spaces = numbers(cell(cells, "opcua.nodeid.nsindex")).into_iter();
    let node = |mask| {
        // A number of one byte stands in namespace 0, and says none.
        let space = if mask == NUMBER_OF_A_BYTE { Some(0) } else { spaces.next() };
        let number = if NUMBERS.contains(&mask) { named.next() } else { None };
        number.filter(|_| space == Some(0))
    };
    cell(cells, "opcua.nodeid.encodingmask").split(',').map(node).collect()
}

fn says(cells: &[&str], expected: &[(&str, &str)]) -> bool {
    expected.iter().all(|(field, value)| cell(cells, field) == *value)
}

fn cell<'a>(cells: &[&'a str], field: &str) -> &'a str {
    ROW.fields.iter().position(|known| *known == field).and_then(|at| cells.get(at)).copied().unwrap_or_default()
}

/// A service and its arguments.
fn asked(granted: &Opcua, cells: &[&str]) -> Result<(), &'static str> {
    let &[kind, _, _, _, service, _, _, _, _, url, timeout, client, _, nodes, attributes, references, direction, classes, delete, ..] =
        cells
    else {
        return Err("the referee gave other columns");
    };
    let Opcua { url: own, servers, session } = granted;
    rule(*session || matches!(service, "422" | "428" | "452"), "a service in a session that nobody granted")?;
    match (kind, service) {
        ("CLO", "452") => Ok(()),
        ("MSG", "422") => rule(*servers && url == own, "FindServers that nobody granted"),
        ("MSG", "428") => rule(url == own, "GetEndpoints of another place"),
        ("MSG", "461") => {
            let short = timeout.parse::<f64>().is_ok_and(|ms| (0.0..=30_000.0).contains(&ms));
            rule(url == own && short && client == "urn:nameplate:client", "a long session, elsewhere, or as another")
        }
        ("MSG", "467") => rule(numbers(nodes).contains(&321), "another user than an anonymous one"),
        ("MSG", "631") => {
            let attributes = numbers(attributes);
            rule((1..=NODES_MAX).contains(&attributes.len()), "a Read of more nodes than 16, or none")?;
            rule(attributes.iter().all(|attribute| *attribute == 13), "another attribute than the value")
        }
        ("MSG", "527") => {
            // Behind token, header and view stand pairs: a node, and which references of it.
            let kinds = self::nodes(cells).into_iter().skip(4).step_by(2);
            rule(kinds.into_iter().all(|kind| matches!(kind, Some(HIERARCHICAL | HAS_PROPERTY))), "a Browse of other references")?;
            browse(number(references), &numbers(direction), &numbers(classes))
        }
        ("MSG", "473") => rule(delete == "1" || delete == "True", "an end that leaves subscriptions"),
        _ => Err("a service that is not on the list"),
    }
}

fn browse(each: Option<u32>, directions: &[u32], classes: &[u32]) -> Result<(), &'static str> {
    let (each, count) = (each.unwrap_or(u32::MAX), u32::try_from(directions.len()).unwrap_or(u32::MAX));
    rule(each > 0 && each.saturating_mul(count) <= REFERENCES_MAX, "a Browse of more than 50 references")?;
    rule(directions.iter().all(|direction| *direction == 0), "a Browse backwards")?;
    rule(classes.iter().all(|class| matches!(class, 1 | 2)), "a Browse of methods or types")
}

fn numbers(text: &str) -> Vec<u32> {
    text.split(',').filter_map(number).collect()
}

fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
}
