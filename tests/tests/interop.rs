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

/// Regular objects as claims, after V1.1b3, 6.21: vendor, product code, revision, product name, model name, application.
fn modbus_identity(persona: &Persona) -> Vec<(&'static str, &str)> {
    let fields = [(0, "manufacturer"), (1, "product_code"), (2, "firmware_revision"), (4, "description"), (5, "model"), (6, "name")];
    fields.iter().map(|(id, field)| (*field, persona.objects[id].as_str())).collect()
}

#[test]
fn modbus_rtu_of_pymodbus_is_exact_over_tcp_and_behind_ser2net() {
    for kind in [Kind::PymodbusRtu, Kind::PymodbusSer2net] {
        let Some(product) = needed("modbus_rtu_of_pymodbus_is_exact_over_tcp_and_behind_ser2net", ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let interop = Interop::new(kind, &persona, "modbus-rtu", persona.unit);
        let exchange = interop.exact(&product, &modbus_identity(&persona));
        assert!(exchange.ended.err.contains("1 device, 1 connection, 1 request"), "{}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
}
