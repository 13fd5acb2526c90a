//! Asking over SLMP, as virtual-plc and a simulated controller see it.

use nameplate_simulators::slmp::{Device, Persona};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::rig::{self, Kind};

/// SH-080956ENG, 4.2 and 5.2, with a timer of 2 s.
const ASKED: &str = "500000ffff03000600080001010000";
/// The code that virtual-plc 0.3.0 has for an iQ-R.
const CODE: &str = "0xfffb";

fn said(claims: &[Claim]) -> Vec<(&str, &str)> {
    claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect()
}

#[test]
fn virtual_plc_tells_its_model_and_a_capture_of_it_the_same() {
    let test = "virtual_plc_tells_its_model_and_a_capture_of_it_the_same";
    let there = rig::available_for(Kind::VirtualPlc).and_then(|()| record::available()).and_then(|()| Product::find());
    let Some(product) = needed(test, there) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::VirtualPlc, &persona).expect("a server");
    let recording = Recording::start(&[server.port]).expect("a recording");
    let target = format!("127.0.0.1:{}", server.port);
    let asked = product.ask(&State::new(), &["--via", "slmp", "--format", "claims", &target]).expect(code::DONE);
    let file = recording.stop().expect("a capture");
    let filter = format!("tcp.dstport == {} && tcp.len > 0", server.port);
    assert_eq!(record::tshark(&file, &["tcp.payload"], &filter, 502).expect("tshark's reading"), [[ASKED]]);
    let claims = asked.claims();
    assert_eq!(said(&claims), [("model", persona.plate.model.as_str()), ("product_code", CODE)], "{}", asked.err);
    let (file, port) = (file.to_string_lossy().into_owned(), format!("{}=slmp", server.port));
    let heard = product.run(["listen", &file, "--decode-as", &port, "--format", "claims"]).expect(code::DONE);
    assert_eq!(heard.claims(), claims, "the same by ear");
}

#[test]
fn a_simulated_controller_tells_its_model_by_tcp_and_udp_or_says_that_it_cannot() {
    let Some(product) = needed("a_simulated_controller_tells_its_model_by_tcp_and_udp_or_says_that_it_cannot", Product::find()) else {
        return;
    };
    let model = personas::random(personas::seed()).plate.model;
    for (options, refuses) in [(&[][..], None), (&["--slmp-udp"], None), (&[], Some(0xC059)), (&["--slmp-udp"], Some(0xC059))] {
        let persona = Persona { name: model.clone().into_bytes(), code: 0x4805, refuses };
        let product = product.clone();
        let (ended, report) = simulated(Device::new(persona), move |address| {
            let target = address.to_string();
            product.ask(&State::new(), &[&["--via", "slmp", "--format", "claims", &target], options].concat())
        });
        assert_eq!((report.trips.len(), report.requests()), (0, 1), "{options:?} {refuses:?}: {:?} {}", report.trips, ended.err);
        let claims = ended.expect(code::DONE).claims();
        let expected = if refuses.is_none() { vec![("model", model.as_str()), ("product_code", "0x4805")] } else { Vec::new() };
        assert_eq!(said(&claims), expected, "{options:?} {refuses:?}");
    }
}

#[test]
fn a_target_without_a_port_is_none() {
    let Some(product) = needed("a_target_without_a_port_is_none", Product::find()) else { return };
    for (target, why) in [("192.0.2.10", "write `:port`"), ("192.0.2.10:5007/1", "nothing stands behind the address")] {
        let ended = product.run(["ask", "--via", "slmp", "--dry-run", target]).expect(code::USAGE);
        assert!(ended.err.contains(why), "{target}: {}", ended.err);
    }
}
