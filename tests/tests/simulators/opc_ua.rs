//! OPC UA before tshark.

use nameplate_simulators::language::Carrier;
use nameplate_simulators::opcua;

use super::languages::{Story, check, hex};

#[test]
fn opc_ua_tells_its_software_and_what_stands_behind_it() {
    let plate = vec![("SoftwareRevision".to_owned(), "V2.9".to_owned())];
    let build = ["PLC 1500", "urn:plc", "Galvan", "4.5.2", "7"].map(str::to_owned);
    let application = ["urn:press", "urn:galvan:plc", "Press 4"].map(str::to_owned);
    let persona = opcua::Persona { devices: vec![("PLC".to_owned(), plate)], ..opcua::Persona::new(application, build) };
    let (on, behind) = ("09000000 03000000", "0000000000000000 02000000 00000000 ffffffff 10270000 000000");
    let none = "2f000000 687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65";
    let (url, a) = ("18000000 6f70632e7463703a2f2f3139322e302e322e393a34383430", "01000000 61");
    let value = "0d000000 ffffffff 0000 ffffffff";
    let questions = [
        format!("48454c46 38000000 00000000 00000100 00000100 00000400 10000000 {url}"),
        format!(
            "4f504e46 84000000 00000000 {none} ffffffff ffffffff 01000000 01000000 0100be01 0000 {behind} 00000000 00000000 01000000 ffffffff \
             60ea0000"
        ),
        format!("4d534746 5d000000 {on} 02000000 02000000 0100ac01 0000 {behind} {url} ffffffff ffffffff"),
        format!(
            "4d534746 7b000000 {on} 03000000 03000000 0100cd01 0000 {behind} {a} {a} 02 {a} 01000000 ffffffff ffffffff ffffffff ffffffff {a} {a} \
             ffffffff ffffffff 00000000004cdd40 00000400"
        ),
        format!(
            "4d534746 6f000000 {on} 04000000 04000000 01007702 01013905 {behind} 0000000000000000 03000000 02000000 0100d808 {value} 0102e903 {value}"
        ),
        format!(
            "4d534746 64000000 {on} 05000000 05000000 01000f02 01013905 {behind} 0000 0000000000000000 00000000 32000000 01000000 01028913 00000000 0021 01 01000000 0a000000"
        ),
        format!("4d534746 3c000000 {on} 06000000 06000000 0100d901 01013905 {behind} 01"),
        format!("434c4f46 39000000 {on} 07000000 07000000 0100c401 0000 {behind}"),
    ];
    check(&Story {
        name: "opcua",
        persona: &persona,
        over: Carrier::Tcp,
        questions: &questions.map(|question| hex(&question)),
        filter: "tcp.srcport == 4840 && opcua",
        fields: &[
            "opcua.transport.type",
            "opcua.security.rqid",
            "opcua.servicenodeid.numeric",
            "opcua.ApplicationUri",
            "opcua.RevisedSessionTimeout",
            "opcua.String",
            "opcua.qualname.Name",
        ],
        rows: &[
            &["ACK", "", "", "", "", "", ""],
            &["OPN", "1", "449", "", "", "", ""],
            &["MSG", "2", "431", "urn:press", "", "", ""],
            &["MSG", "3", "464", "urn:press", "30000", "", ""],
            &["MSG", "4", "634", "", "", "4.5.2|V2.9", ""],
            &["MSG", "5", "530", "", "", "", "PLC"],
            &["MSG", "6", "476", "", "", "", ""],
        ],
    });
}
