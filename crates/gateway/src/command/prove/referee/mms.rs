//! The MMS row.

use nameplate_field::guard::Mms;
use nameplate_field::guard::generate::Granted;

use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md), the conclusion among them.
const MESSAGES_MAX: usize = 8;
/// Variables on one connection (docs/read-only.md).
const VARIABLES_MAX: usize = 12;
/// Bytes of a domain's name (IEC 61850-7-2, 22.2).
const DOMAIN_BYTES_MAX: usize = 64;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "mms",
    port: 102,
    carrier: Carrier::Streams,
    settings: &[],
    fields: &[
        "_ws.malformed",
        "_ws.expert.message",
        "tcp.len",
        "tpkt.version",
        "tpkt.reserved",
        "tpkt.length",
        "cotp.type",
        "cotp.destref",
        "cotp.class",
        "cotp.src-tsap-bytes",
        "cotp.dst-tsap-bytes",
        "cotp.tpdu_size",
        "cotp.eot",
        "cotp.tpdu-number",
        "ses.type",
        "ses.called_session_selector",
        "pres.called_presentation_selector",
        "pres.presentation_context_identifier",
        "pres.abstract_syntax_name",
        "acse.aSO_context_name",
        "acse.ap_title_form2",
        "acse.aso_qualifier_form2",
        "acse.sender_acse_requirements",
        "acse.mechanism_name",
        "acse.calling_authentication_value",
        "acse.user_information",
        "mms.localDetailCalling",
        "mms.proposedMaxServOutstandingCalling",
        "mms.servicesSupportedCalling",
        "mms.confirmed_RequestPDU_element",
        "mms.conclude_RequestPDU_element",
        "mms.confirmedServiceRequest",
        "mms.objectClass",
        "mms.vmdSpecific_element",
        "mms.continueAfter",
        "mms.listOfData",
        "mms.listOfVariable",
        "mms.domainId",
        "mms.itemId",
    ],
    allowed,
};

/// Cells that say that a message is one packet of ISO transport, read without a remark.
const TRANSPORT: usize = 6;
/// One whole message in a DT of class 0.
const CONTENT: [(&str, &str); 4] = [("cotp.type", "0x0f"), ("cotp.destref", "0x0000"), ("cotp.eot", "1"), ("cotp.tpdu-number", "0x00")];
/// Session data, and presentation data of the context of MMS.
const DATA: [(&str, &str); 2] = [("ses.type", "1,1"), ("pres.presentation_context_identifier", "3")];
const QUESTION: (&str, &str) = ("mms.confirmed_RequestPDU_element", "1");
const CALL: [(&str, &str); 5] =
    [("cotp.type", "0x0e"), ("cotp.destref", "0x0000"), ("cotp.class", "0"), ("cotp.src-tsap-bytes", "0001"), ("cotp.tpdu_size", "1024")];
const ASSOCIATION: [(&str, &str); 10] = [
    ("ses.type", "13"),
    ("pres.presentation_context_identifier", "1,3,1"),
    ("pres.abstract_syntax_name", "2.2.1.0.1,1.0.9506.2.1"),
    ("acse.aSO_context_name", "1.0.9506.2.3"),
    ("acse.ap_title_form2", "1.1.1.999.1,1.1.1.999"),
    ("acse.aso_qualifier_form2", "12,12"),
    ("acse.user_information", "1"),
    ("mms.localDetailCalling", "16000"),
    ("mms.proposedMaxServOutstandingCalling", "1"),
    // Names, identity, read; the conclusion.
    ("mms.servicesSupportedCalling", "6800000000000000000010"),
];
/// The request for domains: TPKT 4, COTP 3, session 4, presentation 9, GetNameList 16. tshark 4.0 has no field for a name to go on behind.
const DOMAINS_BYTES: &str = "36";
const DEVICE: [&str; 8] = ["vendor", "hwRev", "swRev", "serNum", "model", "location", "name", "d"];
const NODE: [&str; 3] = ["vendor", "swRev", "configRev"];

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    Association,
    Identify,
    Domains,
    Device,
    Node,
    Conclusion,
}

const KINDS: [Kind; 7] = [Kind::Call, Kind::Association, Kind::Identify, Kind::Domains, Kind::Device, Kind::Node, Kind::Conclusion];

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let Granted::Mms(asked) = &survivor.granted else { return Err("another protocol's permit") };
    rule(before.len() < MESSAGES_MAX, "more messages than the connection may have")?;
    rule(cells.len() == ROW.fields.len(), "the referee gave other columns")?;
    let kind = kind(asked, cells).ok_or("a message that is not on the list")?;
    rule(before.iter().all(|earlier| self::kind(asked, earlier) != Some(kind)), "a message more often than once")?;
    let variables = |cells: &[&str]| cell(cells, "mms.itemId").split(',').filter(|item| !item.is_empty()).count();
    let all: usize = before.iter().map(|earlier| variables(earlier)).sum::<usize>() + variables(cells);
    rule(all <= VARIABLES_MAX, "more variables than one reading may have")
}

fn cell<'a>(cells: &[&'a str], field: &str) -> &'a str {
    ROW.fields.iter().position(|known| *known == field).and_then(|at| cells.get(at)).copied().unwrap_or_default()
}

fn kind(asked: &Mms, cells: &[&str]) -> Option<Kind> {
    let [malformed, remark, bytes, version, reserved, length, ..] = cells else { return None };
    if !malformed.is_empty() || !remark.is_empty() || (*version, *reserved) != ("3", "0") || bytes != length {
        return None;
    }
    let domain = cell(cells, "mms.domainId").split(',').next().unwrap_or_default();
    let is_domain = |domain: &str| {
        let letters = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        letters && (1..=DOMAIN_BYTES_MAX).contains(&domain.len())
    };
    let is_granted = asked.domain.as_ref().map_or_else(|| is_domain(domain), |granted| granted == domain);
    KINDS.into_iter().find(|kind| {
        let names_one = matches!(kind, Kind::Device | Kind::Node);
        let in_time = *kind != Kind::Domains || (asked.domain.is_none() && *bytes == DOMAINS_BYTES);
        let expected = expected(*kind, asked, domain);
        // Whatever is not expected is not there.
        let says = |field: &str| expected.iter().find(|(known, _)| *known == field).map_or("", |(_, value)| value.as_str());
        let same = ROW.fields.iter().zip(cells).skip(TRANSPORT).all(|(field, cell)| says(field) == *cell);
        same && in_time && (!names_one || is_granted)
    })
}

/// What tshark says of such a message, cell by cell.
fn expected(kind: Kind, asked: &Mms, domain: &str) -> Vec<(&'static str, String)> {
    let read = |node: &str, plate: &str, attributes: &[&str]| {
        let items: Vec<String> = attributes.iter().map(|attribute| format!("{node}$DC${plate}${attribute}")).collect();
        let count = attributes.len();
        vec![
            ("mms.confirmedServiceRequest", "4".to_owned()),
            ("mms.listOfVariable", count.to_string()),
            ("mms.domainId", vec![domain; count].join(",")),
            ("mms.itemId", items.join(",")),
        ]
    };
    let own = match kind {
        Kind::Call => vec![("cotp.dst-tsap-bytes", digits(&asked.transport))],
        Kind::Association => vec![
            ("ses.called_session_selector", digits(&asked.session)),
            ("pres.called_presentation_selector", digits(&asked.presentation)),
        ],
        Kind::Identify => vec![("mms.confirmedServiceRequest", "2".to_owned())],
        Kind::Domains => {
            let cells = [("mms.confirmedServiceRequest", "1"), ("mms.objectClass", "9"), ("mms.vmdSpecific_element", "1")];
            cells.map(|(field, value)| (field, value.to_owned())).to_vec()
        }
        Kind::Device => read(&asked.node, "PhyNam", &DEVICE),
        Kind::Node => read("LLN0", "NamPlt", &NODE),
        Kind::Conclusion => vec![("mms.conclude_RequestPDU_element", "1".to_owned())],
    };
    let shared: Vec<(&str, &str)> = match kind {
        Kind::Call => CALL.to_vec(),
        Kind::Association => [&CONTENT[..], &ASSOCIATION].concat(),
        Kind::Conclusion => [&CONTENT[..], &DATA].concat(),
        _ => [&CONTENT[..], &DATA, &[QUESTION]].concat(),
    };
    shared.into_iter().map(|(field, value)| (field, value.to_owned())).chain(own).collect()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
