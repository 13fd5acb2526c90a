//! What was asked stands in the ledger as it stands in the touch record, line for line.

use nameplate::store::Store;
use nameplate_core::ledger::Body;
use nameplate_simulators::modbus::{Device, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code, simulated};

/// The touch lines in a ledger, in order.
fn in_ledger(state: &State) -> Vec<String> {
    let store = Store::read(state.path()).expect("a ledger").expect("one that exists");
    let entries = (0..store.size()).map(|index| store.entry(index).expect("an entry"));
    entries.filter_map(|entry| if let Body::Touch { line } = entry.body { Some(line) } else { None }).collect()
}

/// The lines of the touch record behind its first one.
fn in_record(state: &State) -> Vec<String> {
    let text = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a touch record");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn every_touch_is_in_the_ledger_once_and_as_it_was_written() {
    let Some(product) = needed("every_touch_is_in_the_ledger_once_and_as_it_was_written", Product::find()) else { return };
    let objects = [(0, b"Maker".to_vec()), (1, b"MK-1".to_vec()), (2, b"V1.2".to_vec())];
    let device = Device::new(Persona::from_objects(objects));
    let ((), _) = simulated(device, move |address| {
        let state = State::new();
        let target = address.to_string();
        for round in 1..=2 {
            product.ask(&state, &[&target]).expect(code::DONE);
            let record = in_record(&state);
            assert!(record.len() >= 4 * round, "{record:?}");
            assert_eq!(in_ledger(&state), record, "round {round}");
        }
        // A record that lost lines which the ledger has is no record to go on with.
        std::fs::write(state.path().join("touch.ndjson"), "{\"touch_record\":1}\n").expect("cut");
        let ended = product.ask(&state, &[&target]).expect(code::INPUT);
        assert!(ended.err.contains("touch.ndjson"), "{}", ended.err);
    });
}
