//! A simulated chassis of EtherNet/IP, sound and hostile, as it sees us: one session, the slots that were named, and a goodbye.

use std::net::SocketAddr;

use nameplate_simulators::device::Device;
use nameplate_simulators::enip::{Identity, Persona};
use nameplate_simulators::fault::Fault;
use nameplate_simulators::report::Report;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code, simulated};

/// A session, its end, and one message beside one for each slot (docs/read-only.md).
const BESIDE_SLOTS: u32 = 3;

fn module(slot: u8, name: &str) -> Identity {
    Identity {
        vendor: 1,
        device_type: 0x0E,
        product_code: 0x0036 + u16::from(slot),
        revision: (20 + slot, 11),
        condition: 0x3160,
        serial: 0x006C_0600 + u32::from(slot),
        name: name.as_bytes().to_vec(),
        state: 0xFF,
    }
}

fn chassis() -> Persona {
    let slots = [(0, module(0, "1756-L61/B LOGIX5561")), (3, module(3, "1756-EN2T/D"))];
    Persona::new(module(3, "1756-EN2T/D")).with_slots(slots)
}

/// Asks one chassis; how that ended, and what it saw.
fn asked(persona: Persona, fault: Option<Fault>, words: &'static [&'static str]) -> Option<(Ended, Report)> {
    let product = needed("a_simulated_chassis", Product::find())?;
    let device = Device { fault, ..Device::new(persona) };
    Some(simulated(device, move |address: SocketAddr| {
        let (state, target) = (State::new(), address.to_string());
        product.ask(&state, &[&["--format", "claims", target.as_str()], words].concat())
    }))
}

/// What was claimed for a field, sorted.
fn told(ended: &Ended, field: &str) -> Vec<String> {
    let mut values: Vec<String> = ended.claims().into_iter().filter(|claim| claim.field == field).map(|claim| claim.value).collect();
    values.sort();
    values
}

const SLOTS: &[&str] = &["--via", "cip", "--cip-slot", "0", "--cip-slot", "3"];

#[test]
fn named_slots_are_asked_in_one_session() {
    let Some((ended, report)) = asked(chassis(), None, SLOTS) else { return };
    assert_eq!(told(&ended, "model"), ["1756-EN2T/D", "1756-L61/B LOGIX5561"]);
    assert_eq!(told(&ended, "firmware_revision"), ["20.11", "23.11"]);
    assert_eq!((report.trips.len(), report.connections(), report.requests()), (0, 1, 4), "{:?}", report.trips);
    ended.expect(code::DONE);
}

#[test]
fn one_datagram_tells_who_has_the_address() {
    let Some((ended, report)) = asked(chassis(), None, &["--via", "enip"]) else { return };
    assert_eq!(told(&ended, "model"), ["1756-EN2T/D"]);
    assert_eq!((report.trips.len(), report.requests()), (0, 1), "{:?}", report.trips);
    ended.expect(code::DONE);
}

#[test]
fn an_empty_slot_and_a_module_that_knows_little_cost_no_further_message() {
    let mut persona = chassis();
    persona.only_singles.insert(0);
    persona.slots.remove(&3);
    let Some((ended, report)) = asked(persona, None, SLOTS) else { return };
    assert_eq!((told(&ended, "firmware_revision"), told(&ended, "model").len()), (vec!["20.11".to_owned()], 0));
    assert_eq!((report.trips.len(), report.requests()), (0, BESIDE_SLOTS + 2), "{:?}", report.trips);
}

#[test]
fn beside_a_safety_controller_only_consent_goes_on() {
    let guarded = || {
        let slots = [(0, module(0, "1756-L73S/B LOGIX5573SAFETY")), (3, module(3, "1756-EN2T/D"))];
        Persona::new(module(3, "1756-EN2T/D")).with_slots(slots)
    };
    let Some((ended, report)) = asked(guarded(), None, SLOTS) else { return };
    assert_eq!((told(&ended, "model").len(), report.requests()), (1, 3), "{}", ended.err);
    const CONSENT: &[&str] = &["--via", "cip", "--cip-slot", "0", "--cip-slot", "3", "--cip-safety-consent", "M. Weber"];
    let Some((ended, report)) = asked(guarded(), None, CONSENT) else { return };
    assert_eq!((told(&ended, "model").len(), report.requests()), (2, 4), "{}", ended.err);
}

#[test]
fn a_safety_controller_that_is_known_is_no_longer_met_by_chance() {
    let Some(product) = needed("a_safety_controller_that_is_known_is_no_longer_met_by_chance", Product::find()) else { return };
    let persona = Persona::new(module(3, "1756-EN2T/D")).with_slots([(0, module(0, "1756-L84ES/B")), (3, module(3, "1756-EN2T/D"))]);
    let ((), report) = simulated(Device::new(persona), move |address: SocketAddr| {
        let (state, target) = (State::new(), address.to_string());
        let ask = |more: &[&str]| product.ask(&state, &[&["--format", "claims", target.as_str()], SLOTS, more].concat());
        ask(&["--cip-safety-consent", "M. Weber"]).expect(code::DONE);
        for more in [&[][..], &["--dry-run"]] {
            let refused = ask(more).expect(code::REFUSED);
            assert!(refused.err.contains("permit.safety"), "{}", refused.err);
        }
        ask(&["--cip-safety-consent", "M. Weber"]).expect(code::DONE);
    });
    assert_eq!((report.trips.len(), report.connections()), (0, 2), "{:?}", report.trips);
}

#[test]
fn a_hostile_chassis_is_left_and_its_session_freed() {
    let faults = [Fault::AnswerTwice, Fault::WrongTransaction, Fault::LengthZero, Fault::LengthHuge, Fault::Silent, Fault::HostileText];
    let garbled = [Fault::WrongTransaction, Fault::LengthZero, Fault::LengthHuge, Fault::Silent];
    for fault in faults {
        for words in [SLOTS, &["--via", "enip"], &["--via", "enip", "--enip-tcp"]] {
            let Some((ended, report)) = asked(chassis(), Some(fault.clone()), words) else { return };
            let says = format!("{fault:?} {words:?} {:?}\n{}", report.trips, ended.err);
            // The handle of a session whose opening was garbled is not known: such a one ends with its connection.
            assert!(report.trips.iter().all(|trip| trip.why == "the session was not unregistered"), "{says}");
            assert_eq!(report.trips.is_empty(), !garbled.contains(&fault) || words != SLOTS, "{says}");
            assert!(report.requests() <= BESIDE_SLOTS + 2 && report.connections() <= 1, "{says}");
            assert!(matches!(ended.code, code::DONE | code::NO_ANSWER), "{says}");
        }
    }
}
