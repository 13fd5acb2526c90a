//! Every protocol that is simulated: what a persona answers, tshark reads as the persona.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::SystemTime;

use nameplate_simulators::language::{Carrier, Language};
use nameplate_simulators::rehearsal::rehearse;
use nameplate_simulators::tap::{Station, Tap};
use nameplate_simulators::{bacnet, dnp3, enip, fins, hart_ip, mms, s7, snmp};
use nameplate_tests::place::{needed, scratch};
use nameplate_tests::record::{self, AND};

/// One conversation with a device, and what the referee must find in its answers.
struct Story<'a> {
    name: &'a str,
    persona: &'a dyn Language,
    over: Carrier,
    questions: &'a [Vec<u8>],
    /// Display filter of the frames that are looked at.
    filter: &'a str,
    fields: &'a [&'a str],
    /// A row for each frame, a cell for each field; several values of a field stand in one cell with a bar between them.
    rows: &'a [&'a [&'a str]],
}

fn station(last: u8) -> Station {
    Station { mac: [0x02, 0, 0, 0, 0, last], ip: Ipv4Addr::new(192, 168, 10, last) }
}

fn recorded(story: &Story) -> PathBuf {
    let heard = rehearse(story.persona, story.over, story.questions);
    assert_eq!(heard.trips, [], "{}", story.name);
    let tap = Tap::new(SystemTime::now());
    heard.record(&tap.link(station(11), station(2), station(1)), story.persona.port(), story.over);
    let file = scratch().expect("a folder").join(format!("{}-{}.pcap", story.name, std::process::id()));
    std::fs::write(&file, tap.pcap()).expect("written");
    file
}

#[track_caller]
fn check(story: &Story) {
    if needed(story.name, record::available()).is_none() {
        return;
    }
    let file = recorded(story);
    let read = |fields: &[&str], filter: &str| record::tshark(&file, fields, filter, 502).expect("tshark's reading");
    let cell = |(field, cell): (&&str, String)| {
        // Lines of tshark's tree that are no field of their own: those that name a property begin with a small letter.
        let is_told = |value: &&str| *field != "text" || value.starts_with(|first: char| first.is_ascii_lowercase());
        cell.split(AND).filter(is_told).collect::<Vec<_>>().join("|")
    };
    let row = |row: Vec<String>| story.fields.iter().zip(row).map(cell).collect();
    let rows: Vec<Vec<String>> = read(story.fields, story.filter).into_iter().map(row).collect();
    assert_eq!(rows, story.rows, "{}: {}", story.name, file.display());
    let flaws = "_ws.malformed || _ws.short || _ws.unreassembled || _ws.expert.severity >= 6291456";
    let flawed = read(&["frame.number", "_ws.expert.message", "_ws.col.Info"], flaws);
    assert_eq!(flawed, Vec::<Vec<String>>::new(), "{}: {}", story.name, file.display());
    std::fs::remove_file(file).expect("removed");
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("two digits")).collect()
}

fn drive(slot: u8) -> enip::Identity {
    enip::Identity {
        vendor: 283,
        device_type: 0x2B,
        product_code: 1_234 + u16::from(slot),
        revision: (3, 17),
        condition: 0x0060,
        serial: 0x00AB_CDEF,
        name: format!("Galvan {slot}").into_bytes(),
        state: 3,
    }
}

#[test]
fn enip_tells_its_identity_and_that_of_its_slots() {
    let persona = enip::Persona { handle: 7, ..enip::Persona::new(drive(0)).with_slots([(4, drive(4))]) };
    check(&Story {
        name: "enip-list",
        persona: &persona,
        over: Carrier::Udp,
        questions: &[hex("6300 0000 00000000 00000000 6162636465666768 00000000")],
        filter: "udp.srcport == 44818",
        fields: &[
            "enip.command",
            "enip.lir.vendor",
            "enip.lir.devtype",
            "enip.lir.prodcode",
            "enip.lir.revision",
            "enip.lir.serial",
            "enip.lir.name",
            "enip.lir.state",
        ],
        // Major 3 and minor 17: tshark shows the two bytes as one number.
        rows: &[&["0x0063", "0x011b", "43", "1234", "785", "0x00abcdef", "Galvan 0", "0x03"]],
    });
    check(&Story {
        name: "enip-slot",
        persona: &persona,
        over: Carrier::Tcp,
        questions: &[
            hex("6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000"),
            hex("6F00 2400 07000000 00000000 0000000000000000 00000000 00000000 0500 0200 0000 0000 B200 1400
                 52 02 20 06 24 01 0A 05 0600 01 02 20 01 24 01 01 00 01 04"),
            hex("6600 0000 07000000 00000000 0000000000000000 00000000"),
        ],
        filter: "tcp.srcport == 44818 && enip",
        fields: &[
            "enip.command",
            "enip.session",
            "cip.genstat",
            "cip.id.vendor_id",
            "cip.id.major_rev",
            "cip.id.minor_rev",
            "cip.id.serial_number",
            "cip.id.product_name",
        ],
        rows: &[
            &["0x0065", "0x00000007", "", "", "", "", "", ""],
            &["0x006f", "0x00000007", "0x00", "0x011b", "3", "17", "0x00abcdef", "Galvan 4"],
        ],
    });
}

#[test]
fn s7_tells_its_lists() {
    let module = |index, version| s7::Module { index, order_number: b"6ES7 315-2EH14-0AB0".to_vec(), kind: 0x00C0, version };
    let modules = [module(1, [0, 4, 0, 1]), module(7, *b"V\x03\x02\x06")];
    let components = (1..=10).map(|index| (index, format!("component {index}").into_bytes()));
    let persona = s7::Persona { consents_to_001c: true, ..s7::Persona::new(modules, components) };
    let more = "03000021 02F080 320700000003000C0004 000112081244010200000000 0A000000";
    check(&Story {
        name: "s7",
        persona: &persona,
        over: Carrier::Tcp,
        questions: &[
            hex("03000016 11 E0 0000 0014 00 C1020100 C2020302 C0010A"),
            hex("03000019 02F080 32010000000000080000 F0000001000101E0"),
            hex("03000021 02F080 32070000000100080008 0001120411440100 FF090004 00110000"),
            hex("03000021 02F080 32070000000200080008 0001120411440100 FF090004 001C0000"),
            hex(more),
        ],
        filter: "tcp.srcport == 102 && (cotp || s7comm)",
        fields: &[
            "cotp.type",
            "s7comm.header.rosctr",
            "s7comm.param.pdu_length",
            "s7comm.data.userdata.szl_id",
            "s7comm.param.userdata.lastdataunit",
            "s7comm.szl.xy11.0001.anz",
            "s7comm.szl.xy11.0001.ausbg",
            "s7comm.szl.001c.0002.name",
            "s7comm.szl.001c.0005.serialn",
        ],
        rows: &[
            &["0x0d", "", "", "", "", "", "", "", ""],
            &["0x0f", "3", "240", "", "", "", "", "", ""],
            // The letter V and the first number in two bytes.
            &["0x0f", "7", "", "0x0011", "0x00", "6ES7 315-2EH14-0AB0 |6ES7 315-2EH14-0AB0 ", "4|22019", "", ""],
            &["0x0f", "7", "", "", "0x01", "", "", "", ""],
            &["0x0f", "7", "", "0x001c", "0x00", "", "", "component 2", "component 5"],
        ],
    });
}

#[test]
fn mms_tells_its_plates() {
    let text = |text: &str| text.as_bytes().to_vec();
    let persona = mms::Persona::new("IED1LD0", [("vendor", text("Galvan"))], [("swRev", text("3.1"))]);
    // The association as in ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap, frame 1.
    let association = "030000bf02f0800db60506130100160102140200023302000134020001c1a031819da003800101a28195810400000001820400000001a423
        300f0201010604520100013004060251013010020103060528ca22020130040602510161623060020101a05b6059a107060528ca220203a2
        0706052901876701a30302010ca606060429018767a70302010cbe33283106025101020103a028a826800300ff0081010a82010a830105
        a416800101810305f100820c03ee1c000004000000010118";
    let vendor = "4c504844312444432450687 94e616d2476656e646f72";
    check(&Story {
        name: "mms",
        persona: &persona,
        over: Carrier::Tcp,
        questions: &[
            hex("03000016 11E0 0000 0014 00 C1020001 C2020001 C0010A"),
            hex(association),
            hex("0300001b02f08001000100610e300c020103a007a0050201018200"),
            hex("0300002402f08001000100 6117 3015 020103 a010 a00e 020102 a109 a003800109 a1028000"),
            hex(&format!(
                "0300004602f08001000100 6139 3037 020103 a032 a030 020103 a42b a129 a027 3025 a023 a121 1a07 494544314c4430 1a16 {vendor}"
            )),
            hex("0300001602f08001000100 6109 3007 020103 a002 8b00"),
        ],
        filter: "tcp.srcport == 102 && cotp",
        fields: &[
            "cotp.type",
            "acse.result",
            "mms.localDetailCalled",
            "mms.vendorName",
            "mms.modelName",
            "mms.Identifier",
            "mms.data.visible-string",
        ],
        rows: &[
            &["0x0d", "", "", "", "", "", ""],
            &["0x0f", "0", "16000", "", "", "", ""],
            &["0x0f", "", "", "Stack", "MMS", "", ""],
            &["0x0f", "", "", "", "", "IED1LD0", ""],
            &["0x0f", "", "", "", "", "", "Galvan"],
            &["0x0f", "", "", "", "", "", ""],
        ],
    });
}

const SYSTEM_NAMES: &str = "1.3.6.1.2.1.1.1.0|1.3.6.1.2.1.1.2.0|1.3.6.1.2.1.1.3.0|1.3.6.1.2.1.1.5.0";

#[test]
fn snmp_tells_its_objects() {
    let entity = snmp::Entity { class: 3, software: b"6.1.0".to_vec(), ..snmp::Entity::default() };
    let persona = snmp::Persona::new(b"Galvan GX", &[1, 3, 6, 1, 4, 1, 248, 14, 10], b"gx-1", 1234).with_entities([(1, entity)]);
    let system = "300C06082B060102010101000500 300C06082B060102010102000500 300C06082B060102010103000500 300C06082B060102010105000500";
    let software = "300F060B2B060102012F010101010A0500";
    let get = |version: u8| hex(&format!("3050 0201{version:02x} 0406 7075626C6963 A043 020107 020100 020100 3038 {system}"));
    check(&Story {
        name: "snmp",
        persona: &persona,
        over: Carrier::Udp,
        questions: &[get(0), get(1), hex(&format!("3029 020101 0406 7075626C6963 A51C 020108 020100 020101 3011 {software}"))],
        filter: "udp.srcport == 161",
        fields: &[
            "snmp.version",
            "snmp.request_id",
            "snmp.error_status",
            "snmp.name",
            "snmp.value.octets",
            "snmp.value.oid",
            "snmp.value.timeticks",
        ],
        rows: &[
            &["0", "7", "0", SYSTEM_NAMES, "47616c76616e204758|67782d31", "1.3.6.1.4.1.248.14.10", "1234"],
            &["1", "7", "0", SYSTEM_NAMES, "47616c76616e204758|67782d31", "1.3.6.1.4.1.248.14.10", "1234"],
            &["1", "8", "0", "1.3.6.1.2.1.47.1.1.1.1.10.1", "362e312e30", "", ""],
        ],
    });
}

#[test]
fn bacnet_tells_its_device_object() {
    let mut persona = bacnet::Persona::new(2001, [(44, b"4.2.17".to_vec()), (372, b"SN-000123".to_vec())]);
    persona.properties.insert(120, bacnet::Value::Unsigned(260));
    let read = |invoke: u8, property: &str, length: &str| hex(&format!("810A 00{length} 0104 0005 {invoke:02x} 0C 0C020007D1 {property}"));
    check(&Story {
        name: "bacnet",
        persona: &persona,
        over: Carrier::Udp,
        questions: &[read(1, "194B", "11"), read(2, "192C", "11"), read(3, "1A0174", "12"), read(4, "1978", "11"), read(5, "1946", "11")],
        filter: "udp.srcport == 47808",
        fields: &["bacapp.type", "bacapp.invoke_id", "bacapp.instance_number", "bacapp.property_identifier", "bacapp.error_code", "text"],
        rows: &[
            &["3", "1", "2001|2001", "75", "", ""],
            &["3", "2", "2001", "44", "", "firmware-revision: UTF-8 '4.2.17'"],
            &["3", "3", "2001", "372", "", "serial-number: UTF-8 'SN-000123'"],
            &["3", "4", "2001", "120", "", "vendor-identifier: (Unsigned) 260"],
            &["5", "5", "", "", "32", ""],
        ],
    });
    let behind = bacnet::Persona { behind: Some((7, vec![0x2A])), ..persona };
    check(&Story {
        name: "bacnet-routed",
        persona: &behind,
        over: Carrier::Udp,
        questions: &[behind.sample()],
        filter: "udp.srcport == 47808",
        fields: &["bacnet.snet", "bacnet.sadr_mstp", "bacapp.invoke_id", "bacapp.instance_number"],
        rows: &[&["7", "42", "1", "2001|2001"]],
    });
}

#[test]
fn dnp3_tells_its_attributes() {
    let mut persona = dnp3::Persona::new([(242, vec![b'v'; 245]), (248, b"3001-7".to_vec()), (252, b"Galvan".to_vec())]);
    persona.attributes.insert(241, dnp3::Value::Unsigned(300));
    let relay = dnp3::Persona { indications: (0x80, 0), ..persona.clone() };
    let fields = ["dnp3.src", "dnp3.al.func", "dnp3.al.iin", "dnp3.al.obj", "dnp3.al.da.length", "dnp3.al.da.uint16", "dnp3.al.da.value"];
    check(&Story {
        name: "dnp3",
        persona: &relay,
        over: Carrier::Tcp,
        questions: &[relay.sample()],
        filter: "tcp.srcport == 20000 && dnp3.al.func",
        fields: &fields,
        rows: &[&["10", "129", "0x8000", "0x00f1|0x00f2|0x00f8|0x00fc", "2|245|6|6", "300", &format!("{}|3001-7|Galvan", "v".repeat(245))]],
    });
    let counted = dnp3::Persona { header: dnp3::Header::CountIndex, ..dnp3::Persona::new([(252, b"Galvan".to_vec())]) };
    check(&Story {
        name: "dnp3-counted",
        persona: &counted,
        over: Carrier::Tcp,
        questions: &[counted.sample()],
        filter: "tcp.srcport == 20000 && dnp3.al.func",
        fields: &fields,
        rows: &[&["10", "129", "0x0000", "0x00fc", "6", "", "Galvan"]],
    });
}

#[test]
fn hart_ip_tells_who_it_is_and_its_tags() {
    let persona = hart_ip::Persona {
        device_type: 0x264E,
        device_id: 0x0000D2,
        universal_revision: 7,
        device_revision: 4,
        software_revision: 11,
        hardware_revision: 3,
        manufacturer: 0x0026,
        distributor: 0x0027,
        profile: 1,
        tag: "FT-101".to_owned(),
        descriptor: "FLOW METER".to_owned(),
        date: [22, 11, 126],
        long_tag: b"Galvan flow".to_vec(),
        refuses: [].into(),
        listed: [].into(),
    };
    let questions = [
        "0100 0000 0001 000D 00 00004E20",
        "0100 0300 0002 000D 02 00 00 00 02",
        "0100 0300 0003 0011 82 264E0000D2 0D 00 35",
        "0100 0300 0004 0011 82 264E0000D2 14 00 2C",
        "0100 0100 0005 0008",
    ];
    for (name, over) in [("hart-tcp", Carrier::Tcp), ("hart-udp", Carrier::Udp)] {
        check(&Story {
            name,
            persona: &persona,
            over,
            questions: &questions.map(hex),
            filter: "hart_ip.message_type == 1",
            fields: &[
                "hart_ip.message_id",
                "hart_ip.transaction_id",
                "hart_ip.pt.command",
                "hart_ip.pt.rsp.expanded_device_type",
                "hart_ip.pt.rsp.hart_univ_rev",
                "hart_ip.pt.rsp.software_rev",
                "hart_ip.pt.rsp.device_id",
                "hart_ip.pt.rsp.manufacturer_Id",
                "hart_ip.pt.rsp.private_label",
                "hart_ip.pt.rsp.tag",
                "hart_ip.pt.rsp.descriptor",
                "hart_ip.pt.rsp.day",
            ],
            rows: &[
                &["0", "1", "", "", "", "", "", "", "", "", "", ""],
                &["3", "2", "0", "0x264e", "7", "11", "0000d2", "38", "39", "", "", ""],
                &["3", "3", "13", "", "", "", "", "", "", "FT-101  ", "FLOW METER      ", "22"],
                // tshark has the long tag in the field of the tag.
                &["3", "4", "20", "", "", "", "", "", "", "Galvan flow", "", ""],
                &["1", "5", "", "", "", "", "", "", "", "", "", ""],
            ],
        });
    }
}

#[test]
fn fins_tells_model_and_version() {
    let persona = fins::Persona { assigned: [0x63].into(), ..fins::Persona::new(b"CP1L-EL20DR-D", b"01.00") };
    check(&Story {
        name: "fins-tcp",
        persona: &persona,
        over: Carrier::Tcp,
        questions: &[
            hex("46494E53 0000000C 00000000 00000000 00000000"),
            hex("46494E53 00000015 00000002 00000000 80000200010000EF0005 050100"),
        ],
        filter: "tcp.srcport == 9600 && omron",
        fields: &[
            "omron.tcp.command",
            "omron.tcp.client_node_address",
            "omron.command",
            "omron.response.code",
            "omron.controller.model",
            "omron.controller.version",
        ],
        rows: &[&["0x00000001", "239", "", "", "", ""], &["0x00000002", "", "0x0501", "0x0000", "CP1L-EL20DR-D       ", "01.00"]],
    });
    check(&Story {
        name: "fins-udp",
        persona: &persona,
        over: Carrier::Udp,
        questions: &[hex("80000200010000630005 050100")],
        filter: "udp.srcport == 9600",
        fields: &["omron.da1", "omron.sid", "omron.controller.model", "omron.controller.version"],
        rows: &[&["0x63", "0x05", "CP1L-EL20DR-D       ", "01.00"]],
    });
}
