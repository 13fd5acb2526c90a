//! A change in each protocol that can be asked: opened, read before, flashed, read after. The device says what it is in its protocol's own words; where
//! those have no serial number, nobody can say that it is the same device.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nameplate_simulators::device::Device;
use nameplate_simulators::flash::{Flash, Phase};
use nameplate_simulators::greeting::{self, Server};
use nameplate_simulators::language::Language;
use nameplate_simulators::{bacnet, dnp3, enip, fins, hart_ip, http, mms, opcua, pn_io, s7, sel, slmp, snmp};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, TIME_FACTOR, block_on, code, settled};
use serde_json::Value;

type Persona = Arc<dyn Language>;

/// A protocol, and a device that speaks it.
struct Row {
    via: &'static str,
    /// What stands behind the address.
    station: &'static str,
    /// Options for `ask`, without dashes, and for `change open --way`.
    ways: &'static [&'static str],
    /// Those that no plan keeps: for each reading.
    anew: &'static [&'static str],
    /// The device with one of three releases: as it was, as it is to become, another one.
    device: fn(usize) -> Persona,
    /// What is expected, behind the asset's id.
    expect: &'static str,
    verdict: &'static str,
    why: &'static str,
}

const PROVEN: &str = "as_expected";
const UNPROVEN: &str = "identity_not_proven";
const NO_SERIAL: &str = "no serial number proves";
const SERIAL: &str = "same serial number";
const FIRMWARE: [&str; 3] = ["V2.60", "V2.70", "V2.71"];
const SECONDS: Duration = Duration::from_secs(600);

fn text(value: &str) -> Vec<u8> {
    value.as_bytes().to_vec()
}

fn controller(release: usize) -> Persona {
    let texts = [(121, "Example Air"), (70, "AHU-9"), (44, FIRMWARE[release]), (12, "1.0"), (77, "AHU north"), (372, "A-7")];
    Arc::new(bacnet::Persona::new(9, texts.map(|(property, value)| (property, text(value)))))
}

fn adapter(release: usize) -> Persona {
    let minor = u8::try_from(release).expect("one of three");
    Arc::new(enip::Persona::new(enip::Identity {
        vendor: 77,
        device_type: 0x0C,
        product_code: 7,
        revision: (2, minor),
        condition: 0x0030,
        serial: 0x1234_5678,
        name: text("Adapter 7"),
        state: 3,
    }))
}

fn cpu(release: usize) -> s7::Persona {
    let minor = u8::try_from(release).expect("one of three");
    let module = |index, version| s7::Module { index, order_number: text("6ES7 315-2EH14-0AB0"), kind: 0x00C0, version };
    s7::Persona::new([module(1, [0, 4, 0, 1]), module(7, [b'V', 3, 2, minor])], [(5, text("S C-C2UR28922012"))])
}

fn relay_of_iec_61850(release: usize) -> Persona {
    let plate = [("vendor", "Maker 9"), ("swRev", FIRMWARE[release]), ("serNum", "S-77"), ("model", "REL-3")];
    Arc::new(mms::Persona::new("AA1LD0", plate.map(|(name, value)| (name, text(value))), [("vendor", text("Maker 9"))]))
}

fn server_of_opcua(release: usize) -> Persona {
    let plate = [("Manufacturer", "Maker"), ("SoftwareRevision", FIRMWARE[release]), ("SerialNumber", "S-78")];
    let plate = plate.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let application = ["urn:press", "urn:maker:plc", "Press"].map(str::to_owned);
    let build = ["PLC", "urn:plc", "Maker", "4.5.2", "7"].map(str::to_owned);
    Arc::new(opcua::Persona { devices: vec![("PLC".to_owned(), plate)], ..opcua::Persona::new(application, build) })
}

fn transmitter(release: usize) -> Persona {
    Arc::new(hart_ip::Persona {
        device_type: 0x1001,
        device_id: 4711,
        universal_revision: 7,
        device_revision: 3,
        software_revision: 5 + u8::try_from(release).expect("one of three"),
        hardware_revision: 1,
        manufacturer: 38,
        distributor: 38,
        profile: 1,
        long_tag: text("FT-7 in unit 3"),
        descriptor: "FLOW 7".to_owned(),
        tag: "FT-7".to_owned(),
        date: [22, 11, 126],
        refuses: BTreeMap::new(),
        listed: BTreeMap::new(),
    })
}

fn device_of_profinet(release: usize) -> Persona {
    let minor = u8::try_from(release).expect("one of three");
    Arc::new(pn_io::Persona { software: (b'V', [2, minor, 0]), ..pn_io::Persona::new(b"ET200SP", b"6ES7 155-6AU01-0BN0", b"S C-7") })
}

/// Its description has the release in it, too.
fn agent(release: usize) -> snmp::Persona {
    let description = format!("Example Press P7, SW: {}, Ch: 2", FIRMWARE[release]);
    let chassis = snmp::Entity {
        description: text("Press P7"),
        class: 3,
        firmware: text(FIRMWARE[release]),
        serial: text("S-79"),
        manufacturer: text("Example Presses"),
        model: text("P7"),
        ..snmp::Entity::default()
    };
    snmp::Persona::new(description.as_bytes(), &[1, 3, 6, 1, 4, 1, 99_999, 7], b"press", 86_400_000).with_entities([(1, chassis)])
}

fn relay_of_sel(release: usize) -> Persona {
    let firmware =
        ["FID=SEL-700G-R200-V0-Z006003-D20180629", "FID=SEL-700G-R201-V0-Z006003-D20190629", "FID=SEL-700G-R199-V0-Z006003-D20170629"];
    Arc::new(sel::Persona::new(&[firmware[release], "BFID=BOOTLDR-R501-V0-Z000000-D20140224", "PARTNO=0700G12B1B1B7281A230"]))
}

fn greets(server: Server, release: usize) -> Persona {
    let line = match server {
        Server::Ssh => format!("SSH-2.0-Acme_{}", &FIRMWARE[release][1..]),
        Server::Ftp | Server::Telnet => format!("Acme press, release {}", FIRMWARE[release]),
    };
    let prompt: &[u8] = if server == Server::Telnet { b"login: " } else { b"" };
    Arc::new(greeting::Persona::new(server, &[line.as_bytes()], prompt))
}

/// Every protocol but Modbus, which has tests/change.rs. `via` is what it was heard to speak; with `ways` it is chosen.
const ROWS: [Row; 19] = [
    Row { device: controller, expect: "self.firmware_revision=V2.60->V2.70", ..row("bacnet", "9", PROVEN, SERIAL) },
    Row {
        device: adapter,
        expect: "self.firmware_revision=2.0->2.1",
        ..row("enip", "", PROVEN, "same serial number, and nothing else changed; it is running")
    },
    Row { device: adapter, ways: &["enip-tcp"], expect: "self.firmware_revision=2.0->2.1", ..row("enip", "", PROVEN, SERIAL) },
    Row {
        device: |release| Arc::new(cpu(release)),
        expect: "self.firmware_revision=V3.2.0->V3.2.1",
        ..row("s7comm", "0.2", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: |release| Arc::new(s7::Persona { consents_to_001c: true, ..cpu(release) }),
        ways: &["s7-consent-001c"],
        expect: "self.firmware_revision=V3.2.0->V3.2.1",
        ..row("s7comm", "0.2", PROVEN, SERIAL)
    },
    Row {
        device: |release| Arc::new(dnp3::Persona::new([(242, text(FIRMWARE[release])), (248, text("S-76")), (252, text("Acme"))])),
        ways: &["dnp3-master=1"],
        expect: "self.firmware_revision=V2.60->V2.70",
        ..row("dnp3", "10", PROVEN, SERIAL)
    },
    Row { device: relay_of_iec_61850, expect: "self.firmware_revision=V2.60->V2.70", ..row("mms", "", PROVEN, SERIAL) },
    Row { device: server_of_opcua, expect: "self.software_revision=V2.60->V2.70", ..row("opcua", "", PROVEN, SERIAL) },
    Row { device: transmitter, expect: "self.software_revision=5->6", ..row("hart-ip", "", UNPROVEN, "it is running") },
    Row {
        device: |release| Arc::new(fins::Persona::new(b"CP1L-EL20DR-D", FIRMWARE[release].as_bytes())),
        expect: "self.firmware_revision=V2.60->V2.70",
        ..row("fins", "", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: |release| {
            Arc::new(slmp::Persona { name: text(["Q02UCPU", "Q03UDCPU", "Q04UDHCPU"][release]), code: 0x0263, refuses: None })
        },
        expect: "self.model=Q02UCPU->Q03UDCPU",
        ..row("slmp", "", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: device_of_profinet,
        anew: &["pn-consent=Ada"],
        expect: "self.firmware_revision=V2.0.0->V2.1.0",
        ..row("pn-io", "", PROVEN, SERIAL)
    },
    Row {
        device: |release| Arc::new(agent(release)),
        ways: &["snmp-community-public", "snmp-entity"],
        expect: "self.firmware_revision=V2.60->V2.70",
        ..row("snmp", "", PROVEN, SERIAL)
    },
    Row {
        device: |release| Arc::new(agent(release)),
        ways: &["snmp-community-public", "snmp-version=1", "snmp-entity"],
        expect: "self.firmware_revision=V2.60->V2.70",
        ..row("snmp", "", PROVEN, SERIAL)
    },
    Row { device: relay_of_sel, expect: "self.firmware_revision=R200-V0->R201-V0", ..row("sel-ascii", "", UNPROVEN, NO_SERIAL) },
    Row {
        device: |release| Arc::new(http::Persona::new(format!("Embed/{}", &FIRMWARE[release][1..]).as_bytes(), b"Press P7")),
        expect: "self.description=Embed/2.60->Embed/2.70",
        ..row("http", "", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: |release| greets(Server::Ftp, release),
        expect: "self.description=Acme~press,~release~V2.60->Acme~press,~release~V2.70",
        ..row("ftp", "", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: |release| greets(Server::Telnet, release),
        expect: "self.description=Acme~press,~release~V2.60->Acme~press,~release~V2.70",
        ..row("telnet", "", UNPROVEN, NO_SERIAL)
    },
    Row {
        device: |release| greets(Server::Ssh, release),
        expect: "self.description=SSH-2.0-Acme_2.60->SSH-2.0-Acme_2.70",
        ..row("ssh", "", UNPROVEN, NO_SERIAL)
    },
];

const fn row(via: &'static str, station: &'static str, verdict: &'static str, why: &'static str) -> Row {
    Row { via, station, ways: &[], anew: &[], device: controller, expect: "", verdict, why }
}

/// What becomes of the device between before and after, its verdict, and the code of the command's end.
enum End {
    Flashed,
    WrongRelease,
    Silent,
}

async fn check(product: &Product, row: &Row, end: End) {
    let state = State::new();
    let run = async |words: Vec<String>| {
        let (product, place) = (product.clone(), state.text());
        let words: Vec<String> = words.into_iter().chain(["--state".to_owned(), place]).collect();
        tokio::task::spawn_blocking(move || product.run(words)).await.expect("an end")
    };
    let words = |text: &str| text.split_whitespace().map(|word| word.replace('~', " ")).collect::<Vec<String>>();
    let device = Device::new((row.device)(0)).start(Device::<Persona>::ANYWHERE).await.expect("a port on loopback");
    let target = if row.station.is_empty() { device.address.to_string() } else { format!("{}/{}", device.address, row.station) };
    let options = row.ways.iter().chain(row.anew).map(|option| format!("--{option} ")).collect::<String>();
    let asked = run(words(&format!("ask --reason WO-0 --time-factor {TIME_FACTOR} --via {} {options} {target}", row.via))).await;
    asked.expect(code::DONE);
    let listed = run(words("devices --format ndjson")).await.expect(code::DONE).lines();
    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    let ways = |options: &[&str]| options.iter().map(|option| format!("--way {option} ")).collect::<String>();
    let (kept, anew) = (ways(row.ways), ways(row.anew));
    let open = format!("change open WO-1 --asset {id} --until 2100-01-01T00:00:00Z --by Ada {kept} {anew}");
    run([words(&open), vec!["--expect".to_owned(), format!("{id}:{}", row.expect.replace('~', " "))]].concat()).await.expect(code::DONE);
    let read = format!("WO-1 --time-factor {TIME_FACTOR} --format ndjson {anew}");
    run(words(&format!("change before {read}"))).await.expect(code::DONE);
    let (phases, release, verdict, why, ends) = match end {
        End::Flashed if row.verdict == PROVEN => (Vec::new(), 1, row.verdict, row.why, code::DONE),
        End::Flashed => (Vec::new(), 1, row.verdict, row.why, code::FAILED),
        End::WrongRelease => (Vec::new(), 2, "wrong_release", ", not ", code::FAILED),
        End::Silent => (vec![Phase::Refuses(SECONDS)], 1, "unreadable", "no sound answer after the change", code::FAILED),
    };
    device.flash(Flash { phases, release: (row.device)(release) }).await;
    let ended = run(words(&format!("change after --patience 0 {read}"))).await;
    let said = |key: &str| ended.lines().iter().find_map(|line: &Value| line[key].as_str().map(str::to_owned)).unwrap_or_default();
    let told = format!("{} {:?}: {}\n{}", row.via, row.ways, ended.out, ended.err);
    assert_eq!((said("verdict").as_str(), ended.code), (verdict, ends), "{told}");
    assert!(said("why").contains(why), "{told}");
    let report = settled(device).await;
    assert_eq!(report.trips, [], "{told}");
}

fn all(test: &str, end: fn() -> End) {
    let Some(product) = needed(test, Product::find()) else { return };
    block_on(async {
        for row in &ROWS {
            check(&product, row, end()).await;
        }
    });
}

#[test]
fn a_device_that_was_flashed_is_as_expected_in_every_protocol() {
    all("a_device_that_was_flashed_is_as_expected_in_every_protocol", || End::Flashed);
}

#[test]
fn a_wrong_release_is_named_in_every_protocol() {
    all("a_wrong_release_is_named_in_every_protocol", || End::WrongRelease);
}

#[test]
fn a_device_that_does_not_come_back_is_unreadable_in_every_protocol() {
    all("a_device_that_does_not_come_back_is_unreadable_in_every_protocol", || End::Silent);
}

/// What is said, how that ends, and what is said of it.
type Said = (&'static str, i32, &'static str);

#[test]
fn how_a_device_is_asked_is_settled_when_a_change_is_opened() {
    let Some(product) = needed("how_a_device_is_asked_is_settled_when_a_change_is_opened", Product::find()) else { return };
    block_on(async {
        let device = Device::new(agent(0)).start(Device::<snmp::Persona>::ANYWHERE).await.expect("a port on loopback");
        let (state, target) = (State::new(), device.address.to_string());
        let run = async |line: String| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let (product, place) = (product.clone(), state.text());
            tokio::task::spawn_blocking(move || product.run(words.into_iter().chain(["--state".to_owned(), place]))).await.expect("an end")
        };
        run(format!("ask --reason WO-0 --time-factor {TIME_FACTOR} --via snmp --snmp-community-public {target}")).await.expect(code::DONE);
        let id = run("devices --format ndjson".to_owned()).await.expect(code::DONE).lines()[0]["id"].as_str().expect("an id").to_owned();
        let secret = state.file("community", "public");
        std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
        let open = |order: &str, ways: &str| {
            let expect = format!("{id}:self.description=a->b");
            format!("change open {order} --asset {id} --until 2100-01-01T00:00:00Z --by Ada --expect {expect} {ways}")
        };
        let close = |order: &str| format!("change leave {order} --asset {id} --as failed --reason none --by Ada");
        for (order, ways, (plan, ends, why)) in [
            ("WO-1", "--way snmp-comunity-public", ("", code::USAGE, "snmp-comunity-public")),
            ("WO-1", "--way via=carrier-pigeon", ("", code::USAGE, "carrier-pigeon")),
            ("WO-1", "--way via=snmp", ("", code::USAGE, "SNMP needs a community")),
            ("WO-1", "", ("nobody asks it", code::DONE, "is not asked over snmp: SNMP needs a community")),
            ("WO-2", "--way snmp-community-public --way dnp3-master=3", ("over snmp", code::DONE, "is open for 1 device")),
        ] as [(&str, &str, Said); 5]
        {
            let ended = run(open(order, ways)).await;
            assert!(ended.code == ends && ended.err.contains(why), "{ways}: {}", ended.err);
            if !plan.is_empty() {
                let shown = run(format!("change plan {order} --format table")).await.expect(code::DONE);
                assert!(shown.out.contains(plan), "{ways}: {}", shown.out);
                run(close(order)).await.expect(code::DONE);
                run(format!("change close {order} --by Ada")).await.expect(code::FAILED);
            }
        }
        run(open("WO-3", &format!("--way snmp-community-file={secret}"))).await.expect(code::DONE);
        for (ways, (_, ends, why)) in [
            (String::new(), ("", code::USAGE, "SNMP needs a community")),
            ("--way snmp-version=1".to_owned(), ("", code::USAGE, "was settled when the change was opened")),
            (format!("--way snmp-community-file={secret}"), ("", code::DONE, "answered")),
        ] as [(String, Said); 3]
        {
            let ended = run(format!("change before WO-3 --time-factor {TIME_FACTOR} {ways}")).await;
            assert!(ended.code == ends && ended.err.contains(why), "{ways}: {} {}", ended.code, ended.err);
        }
        let shown = run("change plan WO-3".to_owned()).await.expect(code::DONE).out;
        assert!(shown.contains(&target) && !shown.contains("community"), "{shown}");
        assert_eq!(settled(device).await.trips, []);
    });
}
