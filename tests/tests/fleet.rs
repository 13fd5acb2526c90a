//! A site of many devices: each is asked once, in its own protocol, none is disturbed. The large run is `cargo xtask soak --fleet`.

use nameplate_tests::fleet::{Account, Fleet};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, block_on, code};

#[test]
fn each_device_of_a_large_site_is_asked_once() {
    let Some(product) = needed("each_device_of_a_large_site_is_asked_once", Product::find()) else { return };
    const DEVICES: u32 = 150;
    let state = State::new();
    let (rows, account, said) = block_on(async {
        let fleet = Fleet::start(DEVICES, 30).await.expect("ports on loopback");
        let site = state.file("site.toml", fleet.site());
        let text = state.text();
        let words = move |product: Product| {
            let ask = ["ask", "--reason", "WO-1", "--time-factor", "0.001", "--format", "csv", "--state", &text, "--site", &site];
            product.run(ask).expect(code::DONE)
        };
        let ended = tokio::task::spawn_blocking(move || words(product)).await.expect("an end");
        (ended.out.lines().count() - 1, fleet.stop().await, ended.err)
    });
    // Modbus and SNMP one request, CIP three.
    assert_eq!(account, Account { asked_once: 150, otherwise: 0, requests: 50 + 50 + 150, trips: 0 }, "{said}");
    assert_eq!(rows, 150);
    assert!(said.contains("150 devices, 150 connections, 250 requests"), "{said}");
}
