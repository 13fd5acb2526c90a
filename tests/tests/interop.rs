//! The interop matrix: every server that we did not write x every identity field that it serves, exact, live and from the recording of that exchange.
//! Personas are drawn at random per run.

use nameplate_tests::interop::{Interop, ready};
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::code;
use nameplate_tests::record;
use nameplate_tests::rig::Kind;

#[test]
fn bacnet_of_bacpypes3_is_exact() {
    let Some(product) = needed("bacnet_of_bacpypes3_is_exact", ready(Kind::Bacpypes3)) else { return };
    let persona = personas::random(personas::seed());
    let plate = &persona.plate;
    let interop = Interop::new(Kind::Bacpypes3, &persona, "bacnet", plate.instance);
    let exchange = interop.exact(
        &product,
        &[
            ("manufacturer", &plate.vendor),
            ("model", &plate.model),
            ("firmware_revision", &plate.firmware),
            ("software_revision", &plate.software),
            ("name", &plate.name),
            ("serial_number", &plate.serial),
        ],
    );
    let services = record::tshark(&exchange.file, &["bacapp.confirmed_service"], "bacapp.type == 0", 502).expect("tshark's reading");
    assert_eq!(services, vec![vec!["12"]; 6], "six properties, one ReadProperty each");
    exchange.ended.expect(code::DONE);

    // Its object is not at the wildcard: an answer, and nothing more is asked.
    let exchange = Interop::new(Kind::Bacpypes3, &persona, "bacnet", "").exact(&product, &[]);
    assert!(exchange.ended.err.contains("not asked any more"), "{}", exchange.ended.err);
}

#[test]
fn enip_and_cip_of_cpppo_are_exact() {
    let Some(product) = needed("enip_and_cip_of_cpppo_are_exact", ready(Kind::Cpppo)) else { return };
    let persona = personas::random(personas::seed());
    let plate = &persona.plate;
    let (number, serial) = (plate.product_number.to_string(), format!("0x{:08x}", plate.serial_number));
    let revision = format!("{}.{}", plate.major, plate.minor);
    // The vendor is a number in the protocol, and no name for it is claimed.
    let served = [("model", plate.model.as_str()), ("product_code", &number), ("firmware_revision", &revision), ("serial_number", &serial)];
    let ways: [(&str, &[&str], &str); 3] = [
        ("enip", &[], "1 device, 1 connection, 1 request, 24 bytes out, 0 refused"),
        ("enip", &["--enip-tcp"], "1 device, 1 connection, 1 request, 24 bytes out, 0 refused"),
        // Session, one slot, goodbye. cpppo is the same module in each slot.
        ("cip", &["--cip-slot", "0"], "1 device, 1 connection, 3 requests, 112 bytes out, 0 refused"),
    ];
    for (via, more, touched) in ways {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        let interop = Interop { more, protocol: "enip", ..Interop::new(Kind::Cpppo, &persona, via, "") };
        let exchange = interop.exact(&product, &served);
        assert!(exchange.ended.err.contains(touched), "{via}: {}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
}

/// Regular objects as claims, after V1.1b3, 6.21: vendor, product code, revision, product name, model name, application.
fn modbus_identity(persona: &Persona) -> Vec<(&'static str, &str)> {
    let fields = [(0, "manufacturer"), (1, "product_code"), (2, "firmware_revision"), (4, "description"), (5, "model"), (6, "name")];
    fields.iter().map(|(id, field)| (*field, persona.objects[id].as_str())).collect()
}

/// SunSpec's common model as registers from 40000 on (sunspec/models, model_1.json), written by hand: marker, 1, length, texts filled up with 0.
fn common_model(texts: [(&str, usize); 5], pad: bool) -> Vec<u16> {
    let mut registers = vec![0; 40_000];
    registers.extend([0x5375, 0x6e53, 1, if pad { 66 } else { 65 }]);
    for (text, width) in texts {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(width * 2, 0);
        registers.extend(bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
    }
    // Device address; pad; the end of the models, which is the number FFFF without registers.
    registers.push(1);
    registers.extend(pad.then_some(0x8000));
    registers.extend([0xffff, 0]);
    registers
}

#[test]
fn sunspec_registers_of_pymodbus_are_exact_over_tcp_and_on_a_line() {
    let kinds = [(Kind::Pymodbus, "modbus", true), (Kind::PymodbusRtu, "modbus-rtu", false), (Kind::PymodbusSerial, "modbus-rtu", true)];
    for (kind, via, pad) in kinds {
        let test = "sunspec_registers_of_pymodbus_are_exact_over_tcp_and_on_a_line";
        let Some(product) = needed(test, ready(kind)) else { return };
        let mut persona = personas::random(personas::seed());
        let text = |object: u8, bytes: usize| persona.objects[&object].chars().take(bytes).collect::<String>().trim().to_owned();
        let [maker, model, version, serial] = [text(0, 32), text(1, 32), text(2, 16), format!("SN-{}", persona.plate.serial_number)];
        persona.registers = common_model([(&maker, 16), (&model, 16), ("rs485", 8), (&version, 8), (&serial, 16)], pad);
        let more = vec!["--question".to_owned(), "sunspec".to_owned()];
        let served = [
            ("manufacturer", maker.as_str()),
            ("model", &model),
            ("description", "rs485"),
            ("firmware_revision", &version),
            ("serial_number", &serial),
        ];
        let exchange = Interop { more, ..Interop::new(kind, &persona, via, persona.unit) }.exact(&product, &served);
        assert!(exchange.ended.err.contains("1 device, 1 connection, 1 request"), "{}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
}

/// Registers with these from their addresses on, and what else stands there: nothing.
fn with_registers(blocks: &[(usize, Vec<u8>)]) -> Vec<u16> {
    let mut registers = vec![0; 65_000];
    for (address, bytes) in blocks {
        for (register, pair) in registers[*address..].iter_mut().zip(bytes.chunks(2)) {
            *register = u16::from_be_bytes([pair[0], pair[1]]);
        }
    }
    registers
}

/// A text as it stands in so many registers.
fn registers_of(text: &str, width: usize, filling: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(width * 2, filling);
    bytes
}

/// Values are drawn; where they stand is written by hand from the maker's lists.
#[test]
fn registers_of_families_out_of_pymodbus_are_exact_over_tcp_and_on_a_line() {
    for (kind, via) in [(Kind::Pymodbus, "modbus"), (Kind::PymodbusRtu, "modbus-rtu"), (Kind::PymodbusSerial, "modbus-rtu")] {
        let test = "registers_of_families_out_of_pymodbus_are_exact_over_tcp_and_on_a_line";
        let Some(product) = needed(test, ready(kind)) else { return };
        let drawn = personas::random(personas::seed());
        let plate = &drawn.plate;
        let [x, y, z] = [plate.major, plate.minor, drawn.unit].map(|number| [0, number]);
        let (model, order) = (format!("PM55{:02}", plate.minor % 100), format!("7KM{:04}-0BA00", plate.serial_number % 10_000));
        let serial = format!("A{:07}", plate.serial_number % 10_000_000);
        let names = [registers_of(&plate.name, 20, 0), registers_of(&model, 20, 0), registers_of("Schneider Electric", 20, 0)].concat();
        let firmware = [[0x0a, 0x85], x, y, z, [0, 3]].concat();
        let im = [&[0, 42][..], &registers_of(&order, 10, b' '), &registers_of(&serial, 8, b' '), &z, b"V", &[x[1], y[1], z[1]], &[0; 10]]
            .concat();
        // F13: a letter by its number; F14: digits. Harsh environment and the like stand between.
        let relay =
            [&[0, 32, 0, 1 + x[1] % 26, 0x07, 0x41, 0, 0, 0x03, 0x20, 0x80, 0x10][..], serial.as_bytes(), &[11, 29, 7, 217]].concat();
        let dotted = format!("{}.{}.{}", x[1], y[1], z[1]);
        let (letter, v) = (char::from(b'A' + x[1] % 26).to_string(), format!("V{dotted}"));
        let hardware = drawn.unit.to_string();
        let meter =
            [("name", plate.name.as_str()), ("model", &model), ("manufacturer", "Schneider Electric"), ("firmware_revision", &dotted)];
        let pac =
            [("product_code", order.as_str()), ("serial_number", &serial), ("hardware_revision", &hardware), ("firmware_revision", &v)];
        let sr =
            [("hardware_revision", letter.as_str()), ("firmware_revision", "7.41"), ("boot_revision", "3.20"), ("serial_number", &serial)];
        let families: [(&str, Vec<(usize, Vec<u8>)>, &[(&str, &str)], &str); 3] = [
            ("schneider-electric/powerlogic-pm5000", vec![(29, names), (1_636, firmware)], &meter, "2 requests"),
            ("siemens/sentron-pac", vec![(64_001, im)], &pac, "1 request"),
            ("ge-multilin/sr-750-760", vec![(0, relay)], &sr, "1 request"),
        ];
        for (profile, blocks, served, requests) in families {
            let persona = Persona { registers: with_registers(&blocks), ..drawn.clone() };
            let more = vec!["--modbus-profile".to_owned(), profile.to_owned()];
            let exchange = Interop { more, ..Interop::new(kind, &persona, via, persona.unit) }.exact(&product, served);
            assert!(exchange.ended.err.contains(&format!("1 device, 1 connection, {requests}")), "{}", exchange.ended.err);
            exchange.ended.expect(code::DONE);
        }
    }
}

#[test]
fn modbus_rtu_of_pymodbus_is_exact_over_tcp_on_a_line_and_behind_ser2net() {
    for kind in [Kind::PymodbusRtu, Kind::PymodbusSerial, Kind::PymodbusSer2net] {
        let test = "modbus_rtu_of_pymodbus_is_exact_over_tcp_on_a_line_and_behind_ser2net";
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let interop = Interop::new(kind, &persona, "modbus-rtu", persona.unit);
        let exchange = interop.exact(&product, &modbus_identity(&persona));
        assert!(exchange.ended.err.contains("1 device, 1 connection, 1 request"), "{}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
}

/// A number as our claims write one of four bytes.
fn hexadecimal(number: u32) -> String {
    format!("{number:#010x}")
}

#[test]
fn ethernet_ip_of_cpppo_is_exact_in_one_datagram_and_in_a_session() {
    let Some(product) = needed("ethernet_ip_of_cpppo_is_exact_in_one_datagram_and_in_a_session", ready(Kind::Cpppo)) else { return };
    let persona = personas::random(personas::seed());
    let plate = &persona.plate;
    let (code, serial) = (plate.product_number.to_string(), hexadecimal(plate.serial_number));
    let revision = format!("{}.{}", plate.major, plate.minor);
    let served = [
        ("model", plate.model.as_str()),
        ("product_code", code.as_str()),
        ("firmware_revision", revision.as_str()),
        ("serial_number", serial.as_str()),
    ];
    for more in [&[][..], &["--enip-tcp"]] {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        let exchange = Interop { more, ..Interop::new(Kind::Cpppo, &persona, "enip", "") }.exact(&product, &served);
        assert!(exchange.ended.err.contains("1 connection, 1 request, 24 bytes out"), "{}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
    let more = vec!["--cip-slot".to_owned(), "0".to_owned()];
    let cip = Interop { more, protocol: "enip", ..Interop::new(Kind::Cpppo, &persona, "cip", "") };
    let exchange = cip.exact(&product, &served);
    // RegisterSession, one question, UnRegisterSession.
    let commands =
        record::tshark_as(&exchange.file, &["enip.command"], "enip && tcp.len > 0", &format!("tcp.port=={},enip", exchange.port))
            .expect("tshark's reading");
    let commands: Vec<&str> = commands.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(commands.last(), Some(&"0x0066"), "{commands:?}");
    exchange.ended.expect(code::DONE);
}

#[test]
fn snmp_of_three_agents_is_exact_and_tells_nobody_the_community() {
    let persona = personas::random(personas::seed());
    let plate = &persona.plate;
    let object = format!("1.3.6.1.4.1.{}.{}", plate.vendor_number, plate.product_number);
    let system = vec![("description", plate.description.as_str()), ("product_code", object.as_str()), ("name", plate.name.as_str())];
    let entity = vec![
        ("manufacturer", plate.vendor.as_str()),
        ("model", plate.model.as_str()),
        ("hardware_revision", plate.hardware.as_str()),
        ("firmware_revision", plate.firmware.as_str()),
        ("software_revision", plate.software.as_str()),
        ("serial_number", plate.serial.as_str()),
    ];
    let whole = [system.clone(), entity].concat();
    for (kind, version, entities) in [
        (Kind::Snmpd, "1", false),
        (Kind::Snmpd, "2c", true),
        (Kind::Snmpsim, "1", false),
        (Kind::Snmpsim, "2c", true),
        (Kind::NetSnmp, "2c", false),
    ] {
        let Some(product) = needed("snmp_of_three_agents_is_exact_and_tells_nobody_the_community", ready(kind)) else { return };
        let mut more: Vec<String> = ["--snmp-version", version, "--snmp-community-env", "COMMUNITY"].map(str::to_owned).to_vec();
        more.extend(entities.then(|| "--snmp-entity".to_owned()));
        let environment = vec![("COMMUNITY", plate.community.clone())];
        let interop = Interop { more, environment, ..Interop::new(kind, &persona, "snmp", "") };
        let exchange = interop.exact(&product, if entities { &whole } else { &system });
        let pdus = record::tshark_as(&exchange.file, &["snmp.data"], "snmp", &format!("udp.port=={},snmp", exchange.port))
            .expect("tshark's reading");
        assert!((2..=2 * 17).contains(&pdus.len()), "at most 17 questions, each answered: {pdus:?}");
        let ended = exchange.ended.expect(code::DONE);
        let touched = std::fs::read_to_string(exchange.state.path().join("touch.ndjson")).expect("a touch record");
        let hex: Vec<String> = plate.community.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [&ended.out, &ended.err, &touched] {
            assert!(
                !text.contains(&plate.community) && !text.contains(&hex.join(" ")) && !text.contains(&hex.concat()),
                "{kind:?}: {text}"
            );
        }
    }
}

#[test]
fn mms_of_open61850_is_exact() {
    let Some(product) = needed("mms_of_open61850_is_exact", ready(Kind::Open61850)) else { return };
    let persona = personas::random(personas::seed());
    let plate = &persona.plate;
    // Identify names the library, PhyNam the device.
    let served = [
        ("manufacturer", "open61850"),
        ("model", "open61850"),
        ("software_revision", "0.9.12"),
        ("manufacturer", &plate.vendor),
        ("model", &plate.model),
        ("hardware_revision", &plate.hardware),
        ("firmware_revision", &plate.firmware),
        ("serial_number", &plate.serial),
        ("location", &plate.location),
    ];
    let interop = Interop { protocol: "iso", ..Interop::new(Kind::Open61850, &persona, "mms", "") };
    let exchange = interop.exact(&product, &served);
    assert!(exchange.ended.err.contains("1 device, 1 connection, 7 requests"), "{}", exchange.ended.err);
    exchange.ended.expect(code::DONE);
}
