//! A patch server says patched and the device says not: one finding, whichever word came first, and nothing but the device's own reading closes it.

use std::net::SocketAddr;

use nameplate_simulators::modbus::{Device, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, block_on, code, settled};
use serde_json::{Value, json};

/// What `--fail-on` names was found.
const FOUND: i32 = 1;

/// A meter of a family that the program knows.
fn meter(release: &str) -> Persona {
    Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, release.as_bytes().to_vec())])
}

/// A plant with one meter, and what the patch server says of it.
struct Plot {
    product: Product,
    state: State,
    meter: SocketAddr,
}

impl Plot {
    fn new(product: Product) -> Self {
        Self { product, state: State::new(), meter: Device::ANYWHERE }
    }

    /// Gives it an address.
    fn stands(&mut self) {
        self.meter = block_on(async {
            let running = Device::new(meter("2.60")).start(self.meter).await.expect("a port on loopback");
            let address = running.address;
            settled(running).await;
            address
        });
    }

    /// Asks the meter, which has that release now; it stays at its address.
    fn read(&mut self, release: &str) {
        let (product, state, at, release) = (self.product.clone(), self.state.text(), self.meter, release.to_owned());
        self.meter = block_on(async move {
            let running = Device::new(meter(&release)).start(at).await.expect("a port on loopback");
            let address = running.address;
            let asked =
                move || product.run(["ask", &address.to_string(), "--reason", "WO-1", "--time-factor", "0.00001", "--state", &state]);
            tokio::task::spawn_blocking(asked).await.expect("it ends").expect(code::DONE);
            settled(running).await;
            address
        });
    }

    /// Takes in a list of the patch server.
    fn list(&self, system: &str, name: &str, list: &str) -> Ended {
        let file = self.state.file(name, list);
        self.product.run([
            "import",
            "host-patches",
            &file,
            "--system",
            system,
            "--by",
            "Ada",
            "--format",
            "ndjson",
            "--state",
            &self.state.text(),
        ])
    }

    fn says(&self, system: &str, state: &str) {
        let SocketAddr::V4(at) = self.meter else { panic!("IPv4") };
        let list = format!("ip,port,patch,state,release\n{},{},FW-2.70,{state},2.70\n", at.ip(), at.port());
        self.list(system, &format!("{system}-{state}.csv"), &list).expect(code::DONE);
    }

    fn patches(&self, more: &[&str]) -> Ended {
        let words = ["patches", "--format", "ndjson"].iter().chain(more).map(|word| (*word).to_owned());
        self.product.run(words.chain(["--state".to_owned(), self.state.text()]))
    }

    /// The only line: its id, how the words stand, and what the device said.
    fn line(&self) -> [String; 3] {
        let lines: Vec<Value> = self.patches(&[]).expect(code::DONE).lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        ["id", "stand", "read"].map(|key| lines[0][key].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
fn it_says_patched_and_the_meter_says_not_until_the_meter_says_so() {
    let test = "it_says_patched_and_the_meter_says_not_until_the_meter_says_so";
    for list_first in [false, true] {
        let Some(product) = needed(test, Product::find()) else { return };
        let mut plot = Plot::new(product);
        if list_first {
            // Nobody has heard of the meter when the patch server speaks of it.
            plot.stands();
            plot.says("wsus", "installed");
            assert_eq!(plot.line()[1..], ["not_read", ""]);
            plot.read("2.60");
        } else {
            plot.read("2.60");
            plot.says("wsus", "installed");
        }
        let [id, stand, read] = plot.line();
        assert_eq!((&*stand, &*read), ("contradicted", "2.60"), "{list_first}");
        plot.patches(&["--fail-on", "contradicted"]).expect(FOUND);
        plot.patches(&["--fail-on", "not_read"]).expect(code::DONE);
        // Said again, by another one, taken back: the same finding.
        plot.says("wsus", "installed");
        plot.says("katello", "installed");
        plot.says("wsus", "missing");
        plot.says("katello", "failed");
        assert_eq!(plot.line(), [&*id, "contradicted", "2.60"]);
        plot.says("wsus", "installed");
        plot.read("2.70");
        assert_eq!(plot.line(), [&*id, "confirmed", "2.70"]);
        plot.patches(&["--fail-on", "contradicted"]).expect(code::DONE);
        plot.product.run(["ledger", "verify", "--state", &plot.state.text()]).expect(code::DONE);
    }
}

#[test]
fn hosts_stand_beside_the_devices_and_bad_rows_are_named() {
    let Some(product) = needed("hosts_stand_beside_the_devices_and_bad_rows_are_named", Product::find()) else { return };
    let plot = Plot::new(product);
    let list = "Computer,KBArticle,UpdateInstallationState,Title\nhmi-1,5034441,Installed,\"<script>alert(1)</script>\"\nhmi-1,5034123,NotInstalled,\n\
                eng-2,5034441,Perhaps,\n,5034441,Installed,\n";
    let ended = plot.list("wsus", "wsus.csv", list).expect(code::INPUT);
    assert_eq!(ended.lines()[0]["rows"], json!(2), "{}", ended.out);
    assert!(ended.err.contains("row 4, column UpdateInstallationState: \"Perhaps\" is no state"), "{}", ended.err);
    assert!(ended.err.contains("row 5: it names no host"), "{}", ended.err);
    let stands: Vec<Value> = plot.patches(&[]).expect(code::DONE).lines();
    let told: Vec<_> = stands.iter().map(|line| (&line["stand"], &line["said"][0]["patch"])).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(&json!("nothing_to_read"), &json!("KB5034441"))), "{told:?}");
    let devices = plot.product.run(["devices", "--format", "csv", "--state", &plot.state.text()]).expect(code::DONE).out;
    assert!(devices.lines().any(|line| line.contains(",hmi-1,") && line.contains(",computer,")), "{devices}");
    for (system, name, list, why) in [
        ("wsus", "x.csv", "host,state\na,installed\n", "no column names the patch"),
        ("wsus", "x.xlsx", "PK", "ends in none of"),
        ("wsus", "x.json", "{", "this is no JSON"),
        ("w s u s", "x.csv", "host,patch,state\na,P,installed\n", "a patch server's name has"),
    ] {
        let ended = plot.list(system, name, list);
        assert!(ended.code != code::DONE && ended.err.contains(why), "{name}: {} {}", ended.code, ended.err);
    }
}
