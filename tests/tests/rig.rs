//! The rig itself, before anything of ours meets it: each server starts, and what it serves is the persona's. For Modbus TCP a raw client asks
//! with bytes written by hand, and tshark, not our decoder, says what was asked and what came back; for the others bytes stand against bytes,
//! or somebody else's client reads.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nameplate_tests::personas::{self, Persona, Plate};
use nameplate_tests::place::{needed, root};
use nameplate_tests::record::{self, AND, Recording};
use nameplate_tests::rig::{self, Kind, Server};
use serde_json::{Value, json};

/// Longer than any of these servers takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);

fn connect(port: u16) -> TcpStream {
    #[expect(clippy::disallowed_methods, reason = "the raw client of a test, towards the server it started")]
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

/// One question (a whole ADU) on a connection of its own; the whole ADU that came back.
fn ask(port: u16, question: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    stream.write_all(question).expect("written");
    let mut header = [0; 6];
    stream.read_exact(&mut header).expect("a header");
    let mut rest = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
    stream.read_exact(&mut rest).expect("the rest");
    [&header, rest.as_slice()].concat()
}

fn question(unit: u8, read_code: u8, object: u8) -> [u8; 11] {
    [0x4E, 0x50, 0, 0, 0, 5, unit, 0x2B, 0x0E, read_code, object]
}

/// Records this question to a server of this kind; tshark's reading of the answer.
fn check(kind: Kind, persona: &Persona, question: &[u8], fields: &[&str]) -> Vec<String> {
    let server = rig::start(kind, persona).expect("a server");
    let recording = Recording::start(&[server.port]).expect("a recording");
    ask(server.port, question);
    let file = recording.stop().expect("a capture");
    let filter = format!("mbtcp && tcp.srcport == {}", server.port);
    let rows = record::tshark(&file, fields, &filter, server.port).expect("tshark's reading");
    let [row] = rows.as_slice() else { panic!("{kind:?}: one answer, got {rows:?} in {}", file.display()) };
    row.clone()
}

fn ready(test: &str) -> bool {
    needed(test, rig::available().and_then(|()| record::available())).is_some()
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(&AND.to_string())
}

#[test]
fn servers_with_an_identity_tell_their_persona() {
    if !ready("servers_with_an_identity_tell_their_persona") {
        return;
    }
    let persona = personas::random(personas::seed());
    // modbus-serial answers a basic question with the regular objects too; pymodbus leaves an object out that has no text, and has none.
    for (kind, read_code, last) in [(Kind::Pymodbus, 1, 2), (Kind::Pymodbus, 2, 6), (Kind::ModbusSerial, 2, 6)] {
        let fields = ["modbus.object_id", "modbus.object_str_value", "modbus.conformity_level"];
        let row = check(kind, &persona, &question(persona.unit, read_code, 0), &fields);
        let objects = persona.between(0, last);
        let [ids, texts, _] = row.as_slice() else { panic!("three cells: {row:?}") };
        assert_eq!(*ids, joined(objects.iter().map(|(id, _)| id.to_string())), "{kind:?}");
        assert_eq!(*texts, joined(objects.iter().map(|(_, text)| text.clone())), "{kind:?}");
    }
}

#[test]
fn a_long_identity_comes_in_pages() {
    if !ready("a_long_identity_comes_in_pages") {
        return;
    }
    let persona = personas::paged(personas::seed());
    for kind in [Kind::Pymodbus, Kind::ModbusSerial] {
        let fields = ["modbus.more_follows", "modbus.next_object_id"];
        let row = check(kind, &persona, &question(persona.unit, 2, 0), &fields);
        let [more, next] = row.as_slice() else { panic!("two cells: {row:?}") };
        assert!(["255", "0xff"].contains(&more.as_str()), "{kind:?}: {row:?}");
        assert_eq!(next, "4", "{kind:?}: objects 0 to 3 fill the first page");
    }
}

#[test]
fn servers_without_identity_answer_with_exception_1() {
    if !ready("servers_without_identity_answer_with_exception_1") {
        return;
    }
    let persona = personas::random(personas::seed());
    for kind in [Kind::ModbusTk, Kind::Umodbus] {
        let row = check(kind, &persona, &question(persona.unit, 1, 0), &["modbus.exception_code"]);
        assert_eq!(row, ["1"], "{kind:?}");
    }
}

#[test]
fn registers_hold_what_the_persona_says() {
    if !ready("registers_hold_what_the_persona_says") {
        return;
    }
    let persona = personas::random(personas::seed());
    for kind in [Kind::Pymodbus, Kind::ModbusSerial, Kind::ModbusTk, Kind::Umodbus] {
        let row = check(kind, &persona, &[0, 7, 0, 0, 0, 6, persona.unit, 3, 0, 0, 0, 4], &["modbus.regval_uint16"]);
        assert_eq!(row, [joined(persona.registers.iter().take(4).map(u16::to_string))], "{kind:?}");
    }
}

/// A server of this kind with its persona, or the test is left out.
fn server(test: &str, kind: Kind) -> Option<(Server, Persona)> {
    needed(test, rig::available_for(kind))?;
    let persona = personas::random(personas::seed());
    Some((rig::start(kind, &persona).expect("a server"), persona))
}

/// One message on an open connection; so much of what came back.
fn exchange(stream: &mut (impl Read + Write), message: &[u8], bytes: usize) -> Vec<u8> {
    stream.write_all(message).expect("written");
    let mut answer = vec![0; bytes];
    stream.read_exact(&mut answer).expect("an answer");
    answer
}

fn udp(port: u16) -> std::io::Result<UdpSocket> {
    #[expect(clippy::disallowed_methods, reason = "the raw client of a test, towards the server it started")]
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port))
}

/// One datagram there, one back.
fn datagram(server: &Server, message: &[u8]) -> Vec<u8> {
    let socket = udp(0).expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket.send_to(message, (server.address, server.port)).expect("sent");
    let mut answer = vec![0; 2048];
    let length = socket.recv(&mut answer).expect("an answer");
    answer.truncate(length);
    answer
}

/// A checksum with the low bit first: RTU's with 0xA001 from 0xFFFF, DNP3's with 0xA6BC from 0 and turned over.
fn crc(bytes: &[u8], polynomial: u16, from: u16) -> u16 {
    bytes
        .iter()
        .fold(from, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ polynomial } else { crc >> 1 }))
}

fn rtu(frame: &[u8]) -> Vec<u8> {
    [frame, &crc(frame, 0xA001, 0xFFFF).to_le_bytes()].concat()
}

fn holds(answer: &[u8], part: &[u8]) -> bool {
    answer.windows(part.len()).any(|window| window == part)
}

#[test]
fn rtu_is_spoken_over_tcp_on_a_line_and_behind_a_device_server() {
    const TEST: &str = "rtu_is_spoken_over_tcp_on_a_line_and_behind_a_device_server";
    for kind in [Kind::PymodbusRtu, Kind::PymodbusSerial, Kind::PymodbusSer2net] {
        let Some((server, persona)) = server(TEST, kind) else { return };
        let mut wanted = vec![persona.unit, 0x2B, 0x0E, 2, 0x83, 0, 0, 7];
        for (id, text) in &persona.objects {
            wanted.extend([*id, u8::try_from(text.len()).expect("short")]);
            wanted.extend(text.as_bytes());
        }
        let (wanted, question) = (rtu(&wanted), rtu(&[persona.unit, 0x2B, 0x0E, 2, 0]));
        let bytes = wanted.len();
        let Some(line) = server.line.clone() else {
            assert_eq!(exchange(&mut connect(server.port), &question, bytes), wanted, "{kind:?}");
            continue;
        };
        // Nobody can give a line a time-out but its reader.
        let (heard, answer) = mpsc::channel();
        thread::spawn(move || {
            let mut line = File::options().read(true).write(true).open(line).expect("a line");
            heard.send(exchange(&mut line, &question, bytes))
        });
        assert_eq!(answer.recv_timeout(PATIENCE), Ok(wanted), "{kind:?}");
    }
}

/// snmpget with these words; the value of each object, or what it says it could not do.
fn snmpget(port: u16, login: &[&str], objects: &[&str]) -> Result<Vec<String>, String> {
    let mut command = Command::new("snmpget");
    command.args(["-Oqvn", "-Ir", "-r", "0", "-t", "5", "-m", ""]).args(login).arg(format!("127.0.0.1:{port}")).args(objects);
    let run = command.output().expect("snmpget starts");
    let text = String::from_utf8_lossy(&run.stdout);
    let values = text.lines().map(|line| line.trim_matches('"').to_owned()).collect();
    if run.status.success() { Ok(values) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
}

#[test]
fn agents_tell_the_system_group_to_whom_they_know() {
    const TEST: &str = "agents_tell_the_system_group_to_whom_they_know";
    for kind in [Kind::Snmpd, Kind::Snmpsim, Kind::NetSnmp] {
        let Some((server, Persona { plate, .. })) = server(TEST, kind) else { return };
        let (secret, privacy, community) = (plate.secret.as_str(), plate.privacy.as_str(), plate.community.as_str());
        let v1 = ["-v1", "-c", community];
        let v2c = ["-v2c", "-c", community];
        let none = ["-v3", "-l", "noAuthNoPriv", "-u", "none"];
        let auth = ["-v3", "-l", "authNoPriv", "-u", "auth", "-a", "SHA-256", "-A", secret];
        let sha256 = ["-v3", "-l", "authPriv", "-u", "sha256", "-a", "SHA-256", "-A", secret, "-x", "AES", "-X", privacy];
        let sha512 = ["-v3", "-l", "authPriv", "-u", "sha512", "-a", "SHA-512", "-A", secret, "-x", "AES-256", "-X", privacy];
        let logins: &[&[&str]] = match kind {
            Kind::Snmpd => &[&v1, &v2c, &none, &auth, &sha256, &sha512],
            Kind::Snmpsim => &[&v1, &v2c, &sha256],
            _ => &[&v2c, &sha256],
        };
        let enterprise = format!(".1.3.6.1.4.1.{}.{}", plate.vendor_number, plate.product_number);
        for login in logins {
            let read = snmpget(server.port, login, &[".1.3.6.1.2.1.1.1.0", ".1.3.6.1.2.1.1.2.0", ".1.3.6.1.2.1.1.5.0"]);
            assert_eq!(read, Ok(vec![plate.description.clone(), enterprise.clone(), plate.name.clone()]), "{kind:?} {login:?}");
        }
    }
}

#[test]
fn agents_tell_a_row_of_parts_and_nothing_to_a_stranger() {
    const TEST: &str = "agents_tell_a_row_of_parts_and_nothing_to_a_stranger";
    for kind in [Kind::Snmpd, Kind::Snmpsim] {
        let Some((server, Persona { plate, .. })) = server(TEST, kind) else { return };
        let row = [5, 8, 9, 10, 11, 12, 13].map(|column| format!(".1.3.6.1.2.1.47.1.1.1.1.{column}.1"));
        let Plate { hardware, firmware, software, serial, vendor, model, .. } = plate.clone();
        let wanted = vec!["3".to_owned(), hardware, firmware, software, serial, vendor, model];
        let row = row.each_ref().map(String::as_str);
        assert_eq!(snmpget(server.port, &["-v2c", "-c", &plate.community], &row), Ok(wanted), "{kind:?}");
        let wrong = ["-v3", "-l", "authNoPriv", "-u", "sha256", "-a", "SHA-256", "-A", "not the secret"];
        assert!(snmpget(server.port, &wrong, &row).is_err(), "{kind:?}");
    }
}

#[test]
fn cpppo_tells_the_same_identity_by_tcp_and_by_udp() {
    let Some((server, Persona { plate, .. })) = server("cpppo_tells_the_same_identity_by_tcp_and_by_udp", Kind::Cpppo) else { return };
    let mut question = vec![0x63];
    question.resize(24, 0);
    let numbers = [plate.vendor_number, plate.device_type, plate.product_number].map(u16::to_le_bytes).concat();
    let name = plate.model.as_bytes();
    let length = u8::try_from(name.len()).expect("a short string");
    // CIP volume 2, table 2-4.4: after the socket address the identity; its status word is the library's own.
    let identity =
        [&numbers, [plate.major, plate.minor].as_slice(), &[0x60, 0x31], &plate.serial_number.to_le_bytes(), &[length], name].concat();
    let udp = datagram(&server, &question);
    assert!(holds(&udp, &identity), "{udp:02X?}");
    assert_eq!(exchange(&mut connect(server.port), &question, udp.len()), udp);
}

#[test]
fn snap7_tells_its_own_order_number_and_version() {
    let Some((server, _)) = server("snap7_tells_its_own_order_number_and_version", Kind::Snap7) else { return };
    let mut stream = connect(server.port);
    let connect = [3, 0, 0, 0x16, 0x11, 0xE0, 0, 0, 0, 1, 0, 0xC0, 1, 0x0A, 0xC1, 2, 1, 0, 0xC2, 2, 1, 2];
    assert_eq!(exchange(&mut stream, &connect, 22)[5], 0xD0, "connection confirm");
    let setup = [3, 0, 0, 0x19, 2, 0xF0, 0x80, 0x32, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0xF0, 0, 0, 1, 0, 1, 1, 0xE0];
    exchange(&mut stream, &setup, 27);
    let read = [0x32, 7, 0, 0, 0, 0, 0, 8, 0, 8, 0, 1, 0x12, 4, 0x11, 0x44, 1, 0, 0xFF, 9, 0, 4, 0, 0x11, 0, 0];
    let head = exchange(&mut stream, &[[3, 0, 0, 0x21, 2, 0xF0, 0x80].as_slice(), &read].concat(), 4);
    let list = exchange(&mut stream, &[], usize::from(u16::from_be_bytes([head[2], head[3]])) - 4);
    assert!(holds(&list, b"6ES7 315-2EH14-0AB0 ") && holds(&list, &[0x56, 3, 2, 6]), "{list:02X?}");
}

#[test]
fn bacpypes3_tells_its_device_object() {
    let Some((server, Persona { plate, .. })) = server("bacpypes3_tells_its_device_object", Kind::Bacpypes3) else { return };
    let object = (8 << 22 | plate.instance).to_be_bytes();
    // ASHRAE 135, clause 21: vendor-name, model-name, firmware-revision, application-software-version, serial-number.
    let properties: [(&[u8], &String); 5] = [
        (&[0x19, 121], &plate.vendor),
        (&[0x19, 70], &plate.model),
        (&[0x19, 44], &plate.firmware),
        (&[0x19, 12], &plate.software),
        (&[0x1A, 1, 0x74], &plate.serial),
    ];
    for (property, text) in properties {
        let asked = [&[1, 4, 0, 5, 1, 12, 0x0C], object.as_slice(), property].concat();
        let length = u8::try_from(asked.len() + 4).expect("short");
        let answer = datagram(&server, &[&[0x81, 0x0A, 0, length], asked.as_slice()].concat());
        let value = [&[0x3E, 0x75, u8::try_from(text.len() + 1).expect("short"), 0], text.as_bytes(), &[0x3F]].concat();
        assert!(answer.ends_with(&value), "{property:?}: {answer:02X?}");
    }
}

/// READ of group 0, all attributes of set 0, to this outstation; what stands from the application's header in its first block.
fn group_0(server: &Server, address: u8) -> Vec<u8> {
    let sum = |block: &[u8]| [block, &(!crc(block, 0xA6BC, 0)).to_le_bytes()].concat();
    let read = [sum(&[0x05, 0x64, 13, 0xC4, address, 0, 1, 0]), sum(&[0xC0, 0xC0, 1, 0, 254, 0, 0, 0])].concat();
    // Ten bytes of link header, one of transport; then control, function, two bytes of indications, the first object's group.
    exchange(&mut connect(server.port), &read, 16).split_off(11)
}

#[test]
fn outstations_without_group_0_say_so_or_tell_something_else() {
    const TEST: &str = "outstations_without_group_0_say_so_or_tell_something_else";
    let Some((points, persona)) = server(TEST, Kind::Dnp3py) else { return };
    let answer = group_0(&points, persona.unit);
    assert!(answer[1] == 0x81 && answer[3] & 2 == 2, "a response, object unknown: {answer:02X?}");
    let Some((wrong, persona)) = server(TEST, Kind::Dnp3Outstation) else { return };
    let answer = group_0(&wrong, persona.unit);
    assert_eq!(answer[1..], [0x81, answer[2], 0, 30], "a response with no bit set, of analogs");
}

#[test]
fn virtual_plc_tells_its_type_name() {
    let Some((server, Persona { plate, .. })) = server("virtual_plc_tells_its_type_name", Kind::VirtualPlc) else { return };
    let question = [0x50, 0, 0, 0xFF, 0xFF, 3, 0, 6, 0, 0x10, 0, 1, 1, 0, 0];
    let wanted = [&[0xD0, 0, 0, 0xFF, 0xFF, 3, 0, 20, 0, 0, 0], format!("{:\0<16}", plate.model).as_bytes(), &[0xFB, 0xFF]].concat();
    assert_eq!(exchange(&mut connect(server.port), &question, wanted.len()), wanted);
}

/// What a client of the rig prints.
fn client(script: &str, server: &Server, words: &[&str]) -> Value {
    let mut command = Command::new(rig::python());
    command.arg(root().join("tests/rig").join(script)).arg(server.port.to_string()).args(words).env("PYTHONDONTWRITEBYTECODE", "1");
    let run = command.output().expect("the rig's Python starts");
    assert!(run.status.success(), "{script}: {}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).expect("JSON")
}

#[test]
fn open61850_tells_its_name_plates() {
    let Some((server, Persona { plate, .. })) = server("open61850_tells_its_name_plates", Kind::Open61850) else { return };
    let physical = [plate.vendor.clone(), plate.hardware, plate.firmware, plate.serial, plate.model, plate.location];
    let logical = [plate.vendor, plate.software, plate.description, plate.code];
    let shown = |texts: &[String]| texts.iter().map(|text| format!("visible-string('{text}')")).collect::<Vec<_>>().join(", ");
    let wanted = json!({
        "LPHD1$DC$PhyNam": format!("structure([{}])", shown(&physical)), "LLN0$DC$NamPlt": format!("structure([{}])", shown(&logical)),
    });
    assert_eq!(client("mms_client.py", &server, &[]), wanted);
}

#[test]
fn servers_of_opc_ua_tell_what_was_built_and_their_device() {
    const TEST: &str = "servers_of_opc_ua_tell_what_was_built_and_their_device";
    let both = ["none", "secure"];
    for (kind, ways) in [(Kind::Asyncua, &both[..1]), (Kind::AsyncuaSecure, &both[1..]), (Kind::NodeOpcua, &both[..])] {
        let Some((server, Persona { plate, .. })) = server(TEST, kind) else { return };
        let build = [&plate.model, &format!("urn:{}", plate.name), &plate.vendor, &plate.firmware, &plate.software].map(|text| json!(text));
        let device = [&plate.vendor, &plate.model, &plate.firmware, &plate.hardware, &plate.serial].map(|text| json!(text));
        for way in ways {
            let said = client("opcua_client.py", &server, &[&server.folder.display().to_string(), way]);
            assert_eq!(["2261", "2262", "2263", "2264", "2265"].map(|node| said[node].clone()), build, "{kind:?} {way}");
            let names = ["Manufacturer", "Model", "SoftwareRevision", "HardwareRevision", "SerialNumber"];
            assert_eq!(names.map(|name| said[&plate.name][name].clone()), device, "{kind:?} {way}");
        }
    }
}

#[test]
fn a_program_behind_a_script_ends_with_it() {
    let Some((server, _)) = server("a_program_behind_a_script_ends_with_it", Kind::Snmpd) else { return };
    let (port, folder) = (server.port, server.folder.clone());
    assert!(udp(port).is_err(), "snmpd has the port");
    drop(server);
    let begun = Instant::now();
    // The kernel ends it when its parent ends, which takes a moment after that.
    while udp(port).is_err() {
        assert!(begun.elapsed() < PATIENCE, "snmpd still has the port");
        thread::yield_now();
    }
    assert!(!folder.exists());
}
