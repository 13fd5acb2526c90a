//! The row of SNMP v3. tshark is told the user's passwords, and so reads what the guard sealed.

use nameplate_field::guard::SnmpV3;
use nameplate_field::guard::generate::Granted;

use super::snmp::{OBJECTS_MAX, SYSTEM, rows};
use super::{Carrier, Row, Survivor, rule};

/// Messages on one connection (docs/read-only.md).
const MESSAGES_MAX: usize = 19;

/// The row in tshark's terms.
pub static ROW: Row = Row {
    protocol: "snmp-v3",
    port: 161,
    carrier: Carrier::Datagrams,
    settings: &["-o", "uat:snmp_users:\"\",\"referee\",\"SHA2-256\",\"a password that proves\",\"AES\",\"a password that hides\""],
    fields: &[
        "snmp.msgVersion",
        "snmp.msgFlags",
        "snmp.msgUserName",
        "snmp.data",
        "snmp.error_status",
        "snmp.error_index",
        "snmp.non_repeaters",
        "snmp.max_repetitions",
        "snmp.name",
        "snmp.value.octets",
        "snmp.encryptedPDU",
        "snmp.msgAuthenticationParameters",
        "snmp.msgPrivacyParameters",
        "snmp.contextName",
        "_ws.malformed",
        "_ws.expert.message",
    ],
    allowed,
};

/// What tshark may remark: nothing, that the key is right, and that an engine's id (the engine's own) has another form than it should.
const REMARKS: [&str; 4] = ["", "SNMP Authentication OK", "Data not conforming to RFC1910", "Data not conforming to RFC3411"];

fn allowed(survivor: &Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str> {
    let &[version, flags, user, pdu, status, index, apart, repetitions, names, octets, encrypted, digest, salt, context, malformed, expert] =
        cells
    else {
        return Err("the referee gave other columns");
    };
    let Granted::SnmpV3(SnmpV3 { user: own, .. }) = &survivor.granted else { return Err("another protocol's permit") };
    rule(before.len() < MESSAGES_MAX.min(survivor.messages_max.into()), "more messages than the connection may have")?;
    let fine = expert.split(',').all(|remark| REMARKS.contains(&remark));
    rule(malformed.is_empty() && fine, "tshark cannot read it, or finds fault with it")?;
    rule(version == "3" && octets.is_empty(), "another version, or a value in a question")?;
    let flags = u8::from_str_radix(flags.trim_start_matches("0x"), 16).map_err(|_| "no flags")?;
    // RFC 3414, 6.3.1 and RFC 7860 (SHA-256: 24 bytes); RFC 3826, 3.1.2.1 (8). In hexadecimal digits.
    let parameters = (if flags & 1 == 0 { 0 } else { 48 }, if flags & 2 == 0 { 0 } else { 16 });
    // tshark's word for a field without bytes.
    let digits = |cell: &str| if cell == "<MISSING>" { 0 } else { cell.len() };
    rule((digits(digest), digits(salt)) == parameters, "a digest or a salt of another length than its protection has")?;
    rule(digits(context) == 0, "another context than that without a name")?;
    if flags == 4 && user.is_empty() {
        return rule(pdu == "0" && names.is_empty() && encrypted.is_empty(), "a discovery that asks for something");
    }
    rule(user.as_bytes() == own.name && flags == own.flags(), "another user, or less protection, than configured")?;
    rule(encrypted.is_empty() == (flags & 2 == 0), "in clear where it was to be encrypted")?;
    let names: Vec<&str> = names.split(',').collect();
    rule(names.len() <= OBJECTS_MAX, "too many objects in one message")?;
    match pdu {
        "0" => {
            let system_before = before.iter().filter(|cells| cells.get(8).is_some_and(|names| *names == SYSTEM.join(","))).count();
            rule(status == "0" && index == "0" && names == SYSTEM && system_before < 2, "objects that are not on the list, or too often")
        }
        "5" => {
            let few = repetitions.parse::<usize>().is_ok_and(|repetitions| repetitions <= OBJECTS_MAX);
            rule(apart == "0" && few && rows(&names), "GetBulk of too much")
        }
        _ => Err("a PDU that is not on the list"),
    }
}
