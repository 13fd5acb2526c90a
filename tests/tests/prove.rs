//! `nameplate prove` in short, as CI runs it: every protocol's generated messages before tshark, and every simulated device, sound and hostile.
//! With a million messages it is run by hand.

use nameplate_field::guard::generate::MAKERS;
use nameplate_simulators::personality::PERSONALITIES;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, code};
use nameplate_tests::record;

/// Generated messages of each protocol; SNMPv3 takes tshark a second for a thousand.
const MESSAGES: &str = "3000";
/// Simulated protocols.
const PROTOCOLS: usize = 20;

#[test]
fn a_short_proof_finds_nothing_but_what_may_leave() {
    let test = "a_short_proof_finds_nothing_but_what_may_leave";
    let Some(product) = needed(test, record::available().and_then(|()| Product::find())) else { return };
    let ended = product.run(["prove", "--messages", MESSAGES]).expect(code::DONE);
    println!("{}", ended.out);
    let judged = |protocol: &str| {
        let mut lines = ended.out.lines().skip_while(|line| !line.starts_with(&format!("{protocol}: ")));
        lines.nth(1).is_some_and(|verdict| verdict.ends_with(" of them as allowed: 0 others"))
    };
    let missed: Vec<&str> = MAKERS.iter().map(|maker| maker.protocol).filter(|protocol| !judged(protocol)).collect();
    assert_eq!(missed, Vec::<&str>::new(), "{}", ended.err);
    let devices = PROTOCOLS * (1 + PERSONALITIES.len());
    let zoo = format!("{devices} simulated devices, {} of them hostile: ", PROTOCOLS * PERSONALITIES.len());
    assert!(ended.out.lines().any(|line| line.starts_with(&zoo) && line.ends_with(" requests, 0 trips")), "{zoo}: {}", ended.err);
}
