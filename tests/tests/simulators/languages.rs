//! Every protocol that is simulated: what a persona answers, tshark reads as the persona.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::SystemTime;

use nameplate_simulators::enip;
use nameplate_simulators::language::{Carrier, Language};
use nameplate_simulators::rehearsal::rehearse;
use nameplate_simulators::tap::{Station, Tap};
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
    let rows: Vec<Vec<String>> =
        read(story.fields, story.filter).into_iter().map(|row| row.into_iter().map(|cell| cell.replace(AND, "|")).collect()).collect();
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
