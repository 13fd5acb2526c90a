//! What others believe about a device is never the device's own word: captures in which the two differ, where the device wins, and what
//! clients say of themselves, which is never the server's. And a flash that was only seen: transfer, reset, silence, another release.

use std::collections::BTreeSet;
use std::path::PathBuf;

use nameplate_core::observation::unhex;
use nameplate_tests::pcap::{pcap_of, said_over_tcp};
use nameplate_tests::place::{needed, shared};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// The client and the server of captures that are written by hand.
const CLIENT: &str = "192.168.20.1";
const SERVER: &str = "192.168.20.2";

/// Bytes of hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    unhex(digits).expect("hexadecimal digits")
}

fn asks(bytes: Vec<u8>) -> (bool, Vec<u8>) {
    (false, bytes)
}

fn answers(bytes: Vec<u8>) -> (bool, Vec<u8>) {
    (true, bytes)
}

/// A capture as both formats tell it.
struct Told {
    claims: Vec<Value>,
    devices: Vec<Value>,
    said: String,
}

impl Told {
    fn of(product: &Product, file: &str) -> Self {
        let run = |format: &str| -> Ended { product.run(["listen", "--format", format, file]).expect(code::DONE) };
        let claims = run("claims");
        Self { claims: claims.lines(), devices: run("ndjson").lines(), said: claims.err }
    }

    fn by_hand(product: &Product, port: u16, messages: &[(bool, Vec<u8>)]) -> Self {
        let folder = State::new();
        Self::of(product, &folder.file("said.pcap", pcap_of(&said_over_tcp(port, messages))))
    }

    /// Values claimed for a field of whoever is at a place: an address, a path or a hardware address.
    fn claimed(&self, place: &str, field: &str) -> BTreeSet<&str> {
        let here = |line: &&Value| line["field"] == field && is_at(&line["address"], place);
        self.claims.iter().filter(here).filter_map(|line| line["value"].as_str()).collect()
    }

    /// The devices that answer at a place.
    fn at<'t>(&'t self, place: &'t str) -> impl Iterator<Item = &'t Value> {
        let here = move |line: &&Value| line["addresses"].as_array().is_some_and(|all| all.iter().any(|address| is_at(address, place)));
        self.devices.iter().filter(here)
    }

    /// True where a claim has that value, whoever makes it.
    fn claims_anywhere(&self, value: &str) -> bool {
        self.claims.iter().any(|line| line["value"].as_str().is_some_and(|claimed| claimed.contains(value)))
    }
}

fn is_at(address: &Value, place: &str) -> bool {
    // What stands behind an address is another place than the address.
    match address["path"].as_str() {
        Some(path) => path == place,
        None => address["ip"] == place || address["mac"] == place,
    }
}

/// The device's value is claimed, the believed one nowhere, and the device's record says that others take it for that.
fn check(told: &Told, place: &str, field: &str, own: &str, believed: &str) {
    assert_eq!(told.claimed(place, field), BTreeSet::from([own]), "{place} {field}: {:#?}", told.claims);
    assert!(!told.claims_anywhere(believed), "{believed:?} is claimed: {:#?}", told.claims);
    let remarks: Vec<&str> = told.at(place).flat_map(|line| line["remarks"].as_array()).flatten().filter_map(Value::as_str).collect();
    let words = [format!("its {field} for {believed:?}"), format!("says {own:?}")];
    assert!(remarks.iter().any(|remark| words.iter().all(|word| remark.contains(word))), "{place}: {remarks:?}");
    let fields = told.at(place).flat_map(|line| line["fields"].as_array()).flatten();
    let standing: BTreeSet<&str> = fields.filter(|line| line["field"] == field).filter_map(|line| line["value"].as_str()).collect();
    assert_eq!(standing, BTreeSet::from([own]), "{place} {field} in the catalog");
}

/// An unconnected CIP message in its encapsulation (CIP volume 2, 2-3.1 and 2-6): session 7, the context given.
fn cip(context: u8, message: &str) -> Vec<u8> {
    let message = bytes(message);
    let length = u8::try_from(message.len()).expect("a short message");
    let header = [0x6F, 0, length + 16, 0, 7, 0, 0, 0, 0, 0, 0, 0, context, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    [&header[..], &[0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0, length, 0], &message].concat()
}

/// A Forward_Open (CIP volume 1, 3-5.5.2) along a path of so many words.
fn open(words: &str, path: &str) -> String {
    format!("54022006240107f91400008014 00fe8015000100443322110000000000127a00f44300127a00f443a3{words}{path}")
}

/// What the Identity object of a 1756-ENBT/A 4.3 says, and that of a 1756-L61/B 16.20.
const ENBT: &str = "8100000001000c003a0004033000c3ae51000b313735362d454e42542f41";
const L61: &str = "8100000001000e003600101460303f82510014313735362d4c36312f42204c4f47495835353631";
const IDENTITY_ASKED: &str = "010220012401";
/// The same through the backplane, to slot 3 (Unconnected_Send, 3-5.5.4).
const IDENTITY_ASKED_OF_SLOT_3: &str = "520220062401 069a 0600 010220012401 01000103";

#[test]
fn an_electronic_key_is_not_the_module_s_revision() {
    let Some(product) = needed("an_electronic_key_is_not_the_module_s_revision", Product::find()) else { return };
    // Vendor 1, device type 12, product code 58, revision 4.1.
    let messages = [asks(cip(1, &open("07", "340401000c003a00040120022401"))), asks(cip(2, IDENTITY_ASKED)), answers(cip(2, ENBT))];
    let told = Told::by_hand(&product, 44818, &messages);
    check(&told, SERVER, "firmware_revision", "4.3", "4.1");
    // A project made for another module: its product code is a belief, too.
    let messages = [asks(cip(1, &open("07", "340401000c005d00050220022401"))), asks(cip(2, IDENTITY_ASKED)), answers(cip(2, ENBT))];
    let told = Told::by_hand(&product, 44818, &messages);
    check(&told, SERVER, "firmware_revision", "4.3", "5.2");
    check(&told, SERVER, "product_code", "58", "93");
    // About a module in the backplane, with the key heard after the identity; the module with the address is not meant.
    let key = cip(3, &open("08", "0103340401000e003600140b20022401"));
    let messages =
        [asks(cip(1, IDENTITY_ASKED)), answers(cip(1, ENBT)), asks(cip(2, IDENTITY_ASKED_OF_SLOT_3)), answers(cip(2, L61)), asks(key)];
    let told = Told::by_hand(&product, 44818, &messages);
    check(&told, &format!("{SERVER}/1/3"), "firmware_revision", "16.20", "20.11");
    assert_eq!(told.claimed(SERVER, "firmware_revision"), BTreeSet::from(["4.3"]));
    assert!(told.at(SERVER).all(|line| line["remarks"] == Value::Array(vec![])), "{:#?}", told.devices);
}

#[test]
fn a_key_that_takes_any_minor_revision_or_a_compatible_one_contradicts_nobody() {
    let Some(product) = needed("a_key_that_takes_any_minor_revision_or_a_compatible_one_contradicts_nobody", Product::find()) else {
        return;
    };
    for revision in ["0400", "8401", "0000", "0403"] {
        let key = open("07", &format!("340401000c003a00{revision}20022401"));
        let told = Told::by_hand(&product, 44818, &[asks(cip(1, &key)), asks(cip(2, IDENTITY_ASKED)), answers(cip(2, ENBT))]);
        assert_eq!(told.claimed(SERVER, "firmware_revision"), BTreeSet::from(["4.3"]));
        assert!(told.devices.iter().all(|line| line["remarks"] == Value::Array(vec![])), "{revision}: {:#?}", told.devices);
    }
}

#[test]
fn a_name_that_is_set_is_not_the_station_s_own_until_it_says_it() {
    let parts = shared().and_then(|shared| Ok((shared, Product::find()?)));
    let Some((shared, product)) = needed("a_name_that_is_set_is_not_the_station_s_own_until_it_says_it", parts) else { return };
    for name in ["set_attack.pcap", "1-click-attack.pcap"] {
        let file = shared.join("captures/smehner1__ProfinetIO-DoS-attack/pcaps").join(name);
        let told = Told::of(&product, &file.to_string_lossy());
        check(&told, "ac:64:17:21:35:cf", "name", "et200sp", "mallory");
        assert!(told.said.contains("ac:64:17:21:35:cf: somebody wrote a name or an address into this device (pn-dcp, "), "{}", told.said);
    }
}

/// A packet of ISO transport with one DT TPDU (RFC 1006) around a message of S7comm-plus of that version, trailer behind it.
fn s7_plus(version: u8, message: &[u8]) -> Vec<u8> {
    let inner = u8::try_from(message.len()).expect("a short message");
    let length = inner + 15;
    [&[3, 0, 0, length, 2, 0xF0, 0x80, 0x72, version, 0, inner], message, &[0x72, version, 0, 0]].concat()
}

/// "Create an object", the session, with a text that names order number and version: asked with opcode 0x31, answered with 0x32.
fn s7_session(opcode: u8, text: &str) -> Vec<u8> {
    let head = [opcode, 0, 0, 0x04, 0xCA, 0, 0, 0, 1, 0x36, 0, 2, 0x87, 0x14, 0x87, 0x15, 0xA1, 0, 0, 1, 0x20];
    let attribute = [0xA3, 0x82, 0x32, 0, 0x17, 0, 0, 1, 0x3A, 0x82, 0x3F, 0, 0x15, u8::try_from(text.len()).expect("a short text")];
    s7_plus(1, &[&head[..], &attribute, text.as_bytes(), &[0xA2, 0, 0]].concat())
}

/// A question for an I&M0 record, and its answer: order number, serial number, hardware 10, firmware V4.3.1.
fn s7_record() -> [Vec<u8>; 2] {
    let digest = [&[0x20][..], &[0; 32]].concat();
    let asked = [&digest[..], &[0x31, 0, 0, 5, 0x86, 0, 0, 0, 0x44, 0, 0, 3, 0x90, 0x34]].concat();
    let answer = [&digest[..], &[0x32, 0, 0, 5, 0x86, 0, 0, 0, 0x44, 0x34], &[0, 0, 0, 0, 0x14, 0, 0x3C, 0, 0x20, 0, 0x38, 1, 0]].concat();
    let plate = [&[0, 0x2A][..], b"6ES7 215-1AG40-0XB0 ", b"S V-LOBM1432    ", &[0, 10, b'V', 4, 3, 1, 0, 0, 0, 0, 1, 1, 0, 0x0E]].concat();
    [s7_plus(3, &asked), s7_plus(3, &[answer, plate, vec![0; 4]].concat())]
}

#[test]
fn a_project_s_version_is_not_the_controller_s() {
    let Some(product) = needed("a_project_s_version_is_not_the_controller_s", Product::find()) else { return };
    let project = s7_session(0x31, "1;6ES7 215-1AG40-0XB0 ;V4.2");
    let [asked, record] = s7_record();
    let told = Told::by_hand(&product, 102, &[asks(project.clone()), asks(asked), answers(record)]);
    check(&told, SERVER, "firmware_revision", "V4.3.1", "V4.2");
    // The device says no more than two numbers of its release: they are its own all the same.
    let told = Told::by_hand(&product, 102, &[asks(project.clone()), answers(s7_session(0x32, "1;6ES7 215-1AG40-0XB0 ;V4.3"))]);
    check(&told, SERVER, "firmware_revision", "V4.3", "V4.2");
    // A controller that says nothing of itself has no firmware, whatever a project says.
    let told = Told::by_hand(&product, 102, &[asks(project)]);
    assert!(!told.claims_anywhere("V4.2"), "{:#?}", told.claims);
    let why: Vec<&str> = told.at(SERVER).filter_map(|line| line["firmware_unknown_because"].as_str()).collect();
    assert_eq!(why, ["others say what it is; it was not heard to say so itself"]);
}

/// A text of OPC UA (OPC 10000-6, 5.2.2.4).
fn ua_text(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).expect("a short text").to_le_bytes()[..], text.as_bytes()].concat()
}

/// A message of OPC UA's binary protocol with the type id of what it holds (OPC 10000-6, 5.2.9 and 6.7.2).
fn ua(kind: u16, body: &[&[u8]]) -> Vec<u8> {
    let body = [&[7, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, 1, 0][..], &kind.to_le_bytes(), &body.concat()].concat();
    [b"MSGF", &u32::try_from(body.len() + 8).expect("a short message").to_le_bytes()[..], &body].concat()
}

/// An ApplicationDescription (OPC 10000-4, 7.2) of that type: 0 is a server, 1 a client.
fn ua_application(uri: &str, product: &str, name: &str, kind: u8) -> Vec<u8> {
    [&ua_text(uri)[..], &ua_text(product), &[2], &ua_text(name), &[kind, 0, 0, 0], &[0xFF; 8], &[0; 4]].concat()
}

#[test]
fn what_a_client_says_of_itself_is_never_the_server_s() {
    let Some(product) = needed("what_a_client_says_of_itself_is_never_the_server_s", Product::find()) else { return };
    // Headers of a request and of a response (OPC 10000-4, 7.33 and 7.34).
    let request = bytes("0000 0000000000000000 01000000 00000000 ffffffff 88130000 000000");
    let response = bytes("0000000000000000 01000000 00000000 00 ffffffff 000000");
    let desk = ua_application("urn:desk:hmi", "urn:maker:hmi:9.9.9", "HMI 9.9.9", 1);
    let session = ua(461, &[&request, &desk, &ua_text("urn:plant:press-4"), &ua_text("opc.tcp://press:4840"), &ua_text("session")]);
    let press = ua_application("urn:plant:press-4", "urn:maker:controller", "Press 4", 0);
    let servers = ua(425, &[&response, &[1, 0, 0, 0], &press]);
    let text = |text: &str| text.replace('\n', "\r\n").into_bytes();
    let page = text("HTTP/1.1 200 OK\nServer: GoAhead-Webs/2.5.0\nContent-Type: text/html\nContent-Length: 0\n\n");
    // Port, what passed, a field and the server's own value of it, a part of what the client says.
    let table = [
        (4840, vec![asks(session), answers(servers)], "product_code", "urn:maker:controller", "9.9.9"),
        (
            22,
            vec![asks(text("SSH-2.0-PuTTY_Release_0.99\n")), answers(text("SSH-2.0-OpenSSH_5.8p1 Debian-1\n"))],
            "description",
            "SSH-2.0-OpenSSH_5.8p1 Debian-1",
            "PuTTY",
        ),
        (
            80,
            vec![asks(text("GET / HTTP/1.1\nHost: plc\nUser-Agent: Engineering/9.9.9\n\n")), answers(page)],
            "description",
            "GoAhead-Webs/2.5.0",
            "9.9.9",
        ),
    ];
    for (port, messages, field, own, clients) in table {
        let told = Told::by_hand(&product, port, &messages);
        assert_eq!(told.claimed(SERVER, field), BTreeSet::from([own]), "port {port}: {:#?}", told.claims);
        let of_the_client = |line: &Value| line.to_string().contains(clients);
        assert!(told.claims.iter().all(|line| !is_at(&line["address"], SERVER) || !of_the_client(line)), "{port}: {:#?}", told.claims);
        assert!(told.at(SERVER).all(|line| !of_the_client(line)), "port {port}: {:#?}", told.devices);
        // It is somebody of its own.
        assert_eq!(told.at(CLIENT).count(), 1, "port {port}: {:#?}", told.devices);
    }
}

fn openics(name: &str) -> Result<(PathBuf, Product), String> {
    Ok((shared()?.join("captures/ITI__ICS-Security-Tools/pcaps/openics").join(name), Product::find()?))
}

#[test]
fn a_flash_is_seen_from_outside() {
    let Some((file, product)) = needed("a_flash_is_seen_from_outside", openics("EIP-FirmwareChange.pcap")) else { return };
    let told = Told::of(&product, &file.to_string_lossy());
    // Time, device, what was done: read off Wireshark's list of frames 31 and 10592.
    let events: Vec<&str> =
        told.said.lines().filter(|line| line.contains("somebody ")).map(|line| line.split(" (").next().unwrap()).collect();
    assert_eq!(
        events,
        [
            "2008-09-02T20:58:25.489745Z 192.168.10.120:44818: somebody began to write firmware into this device",
            "2008-09-02T20:58:59.415684Z 192.168.10.120:44818: somebody told this device to restart",
        ]
    );
    assert!(told.said.contains(", frame 31)") && told.said.contains(", frame 10592)"), "{}", told.said);
    let own = |field| told.claimed("192.168.10.120", field);
    assert_eq!((own("model"), own("firmware_revision")), (BTreeSet::from(["1756-ENBT/A"]), BTreeSet::from(["4.3"])));
    let after = told.claims.iter().find(|line| line["value"] == "4.3").expect("a claim");
    assert_eq!((&after["source"]["frame"], after["time"].as_str()), (&Value::from(10683), Some("2008-09-02T21:00:21.293121Z")));
}

#[test]
fn a_device_that_takes_another_address_is_one_device_and_modules_behind_it_are_others() {
    let name = "a_device_that_takes_another_address_is_one_device_and_modules_behind_it_are_others";
    let Some((file, product)) = needed(name, openics("EIP-IPAddressChangeAttempt.pcap")) else { return };
    let told = Told::of(&product, &file.to_string_lossy());
    let field = |line: &Value, name: &str| -> Option<String> {
        let fields = line["fields"].as_array()?;
        fields.iter().find(|field| field["field"] == name)?["value"].as_str().map(str::to_owned)
    };
    let with_serial =
        |serial: &str| told.devices.iter().filter(|line| field(line, "serial_number").as_deref() == Some(serial)).collect::<Vec<_>>();
    let places = |line: &Value| -> BTreeSet<String> {
        let address = |address: &Value| address["path"].as_str().or(address["ip"].as_str()).map(str::to_owned);
        line["addresses"].as_array().into_iter().flatten().filter_map(address).collect()
    };
    // Serial number, model, firmware, slot.
    let modules = [
        ("0x0051823f", "1756-L61/B LOGIX5561", "16.20", 0),
        ("0x0051aec3", "1756-ENBT/A", "4.7", 1),
        ("0x0000ad77", "MVI56 ProSoft Technology, Inc.", "1.2", 2),
        ("0x0000ad5e", "MVI56 ProSoft Technology, Inc.", "1.2", 3),
    ];
    for (serial, model, firmware, slot) in modules {
        let devices = with_serial(serial);
        let [device] = devices[..] else { panic!("{serial}: {devices:#?}") };
        assert_eq!((field(device, "model").as_deref(), field(device, "firmware_revision").as_deref()), (Some(model), Some(firmware)));
        let mut expected: BTreeSet<String> = ["120", "125"].iter().map(|host| format!("192.168.10.{host}/1/{slot}")).collect();
        if slot == 1 {
            // It is the one that has the address.
            expected.extend(["192.168.10.120".to_owned(), "192.168.10.125".to_owned()]);
        }
        assert_eq!(places(device), expected, "{serial}");
    }
}
