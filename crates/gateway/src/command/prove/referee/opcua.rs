//! The OPC UA row, on a channel without security: what the guard judges there is what it judges on any other before it seals it.

use nameplate_field::guard::Opcua;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection, its ends among them (docs/read-only.md).
const MESSAGES_MAX: usize = 12;
/// Nodes of a Read, and references of two browses.
const NODES_MAX: usize = 16;
const REFERENCES_MAX: u32 = 50;

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
    ],
    allowed,
};

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[kind, chunk, size, length, service, policy, mode, request, hello_url, ..] = cells else {
        return Err("the referee gave other columns");
    };
    let [.., password, channel, token, malformed] = cells else {
        return Err("the referee gave other columns");
    };
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
        return rule(hello_url == granted.url && service.is_empty(), "a hello to another place");
    }
    if kind == "OPN" {
        let none = policy == "http://opcfoundation.org/UA/SecurityPolicy#None" && (number(mode), number(request)) == (Some(1), Some(0));
        return rule(none && service == "446", "another channel than a new one without security");
    }
    let sequence = number(cells[12]);
    let spoken = || before.iter().filter(|cells| matches!(cells[0], "MSG" | "CLO"));
    let rises = spoken().all(|cells| number(cells[12]) < sequence);
    let same_channel = spoken().all(|cells| (&cells[20], &cells[21]) == (channel, token));
    rule(rises && same_channel, "a sequence number that does not rise, or another channel")?;
    asked(granted, cells)
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
    let listed = |text: &str| text.split(',').filter_map(number).collect::<Vec<u32>>();
    match (kind, service) {
        ("CLO", "452") => Ok(()),
        ("MSG", "422") => rule(*servers && url == own, "FindServers that nobody granted"),
        ("MSG", "428") => rule(url == own, "GetEndpoints of another place"),
        ("MSG", "461") => {
            let short = timeout.parse::<f64>().is_ok_and(|ms| (0.0..=30_000.0).contains(&ms));
            rule(url == own && short && client == "urn:nameplate:client", "a long session, elsewhere, or as another")
        }
        ("MSG", "467") => rule(listed(nodes).contains(&321), "another user than an anonymous one"),
        ("MSG", "631") => {
            let attributes = listed(attributes);
            rule((1..=NODES_MAX).contains(&attributes.len()), "a Read of more nodes than 16, or none")?;
            rule(attributes.iter().all(|attribute| *attribute == 13), "another attribute than the value")
        }
        ("MSG", "527") => {
            let each = number(references).unwrap_or(u32::MAX);
            let (directions, classes) = (listed(direction), listed(classes));
            let count = u32::try_from(directions.len()).unwrap_or(u32::MAX);
            rule(each > 0 && each.saturating_mul(count) <= REFERENCES_MAX, "a Browse of more than 50 references")?;
            rule(directions.iter().all(|direction| *direction == 0), "a Browse backwards")?;
            rule(classes.iter().all(|class| matches!(class, 1 | 2)), "a Browse of methods or types")
        }
        ("MSG", "473") => rule(delete == "1" || delete == "True", "an end that leaves subscriptions"),
        _ => Err("a service that is not on the list"),
    }
}

fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
}
