//! The two processes of a gateway, as a service manager runs them: what the field side reads stands in the ledger, whichever of the two is killed, and
//! nobody who has taken over the desk gets a byte out that the site file does not list.

mod care;
mod ending;
mod full;
mod hostile;
mod interfaces;
mod logs;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use nameplate::store::Store;
use nameplate_core::ledger::Body;
use nameplate_simulators::modbus::{Device, Persona};
use nameplate_simulators::report::Report;
use nameplate_tests::pcap::{pcap_of, plant as talk};
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, block_on, code, settled};
use nameplate_tests::segment::{Segment, TAP};

/// Devices of the plant.
const DEVICES: usize = 4;

/// The end of a desk's configuration: its page at a port that the kernel picks.
const PAGE: &str = "[page]\nlisten = \"127.0.0.1:0\"\n";

/// A plant, and the folders of a gateway beside it.
struct Gateway {
    product: Product,
    folder: State,
}

impl Gateway {
    /// Writes the files of a gateway for these devices.
    fn new(product: &Product, devices: &[SocketAddr]) -> Self {
        let folder = State::new();
        let device = |(number, at): (usize, &SocketAddr)| format!("[[zone.device]]\nname = \"PLC {number}\"\ntarget = \"{at}/1\"\n");
        let listed: String = devices.iter().enumerate().map(device).collect();
        folder.file("site.toml", format!("name = \"North\"\n[[zone]]\nname = \"one\"\n{listed}"));
        let hatch = folder.path().join("hatch");
        let gateway = Self { product: product.clone(), folder };
        gateway.configure(&format!("hatch = {hatch:?}\n[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n"));
        gateway
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn field_words(&self) -> Vec<String> {
        let words = ["field", "--site", &self.path("site.toml"), "--hatch", &self.path("hatch"), "--state", &self.path("field")];
        words.iter().copied().chain(["--time-factor", "0.001"]).map(str::to_owned).collect()
    }

    /// The field side, attending.
    fn field(&self) -> Process {
        let mut field = Process::start(self.product.command(self.field_words()));
        field.says("the hatch is");
        field
    }

    fn desk_words(&self) -> Vec<String> {
        ["serve", "--config", &self.path("serve.toml"), "--state", &self.path("desk")].map(str::to_owned).to_vec()
    }

    fn desk(&self) -> Process {
        Process::start(self.product.command(self.desk_words()))
    }

    /// Writes another configuration for the desk, but for its page.
    fn configure(&self, text: &str) {
        self.folder.file("serve.toml", format!("{text}{PAGE}"));
    }

    /// Lines of the touch record in the ledger, and of the record itself.
    fn touches(&self) -> (Vec<String>, Vec<String>) {
        let store = Store::read(self.folder.path().join("desk").as_path()).expect("a state").expect("a ledger");
        let bodies = (0..store.size()).map(|index| store.entry(index).expect("an entry").body);
        let ledger = bodies.filter_map(|body| if let Body::Touch { line } = body { Some(line) } else { None }).collect();
        let record = std::fs::read_to_string(self.folder.path().join("field/touch.ndjson")).expect("a record");
        (ledger, record.lines().skip(1).map(str::to_owned).collect())
    }

    /// The ledger holds together, and knows each device by what it said.
    fn is_whole(&self) {
        let state = self.path("desk");
        self.product.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
        let devices = self.product.run(["devices", "--format", "ndjson", "--state", &state]).expect(code::DONE).lines();
        let fields = devices.iter().filter_map(|line| line["fields"].as_array()).flatten();
        let revision =
            |field: &'_ serde_json::Value| (field["field"] == "firmware_revision").then(|| field["value"].as_str().map(str::to_owned));
        let mut revisions: Vec<String> = fields.filter_map(revision).flatten().collect();
        revisions.sort_unstable();
        assert_eq!(revisions, (0..DEVICES).map(|number| format!("V1.{number}")).collect::<Vec<_>>(), "{devices:?}");
    }
}

/// Starts the plant, runs the story, and gives the devices' accounts.
fn plant(story: impl FnOnce(Vec<SocketAddr>) + Send + 'static) -> Vec<Report> {
    block_on(async {
        let mut running = Vec::new();
        for number in 0..DEVICES {
            let objects = [(0, b"Acme".to_vec()), (1, format!("M-{number}").into_bytes()), (2, format!("V1.{number}").into_bytes())];
            running.push(Device::new(Persona::from_objects(objects)).start(Device::ANYWHERE).await.expect("a port on loopback"));
        }
        let at = running.iter().map(|device| device.address).collect();
        tokio::task::spawn_blocking(move || story(at)).await.expect("a story that ends well");
        let mut reports = Vec::new();
        for device in running {
            reports.push(settled(device).await);
        }
        reports
    })
}

/// What was heard stands in the ledger by then, on a machine that is busy with other tests.
const KEPT_SECONDS_MAX: Duration = Duration::from_secs(60);

/// As on a mirror port: nothing is listed, nobody is asked, and who speaks is known all the same.
#[test]
fn what_the_field_side_hears_stands_in_the_ledger() {
    let test = "what_the_field_side_hears_stands_in_the_ledger";
    let parts = Product::find().and_then(|product| Ok((product, Segment::new()?)));
    let Some((product, segment)) = needed(test, parts) else { return };
    let gateway = Gateway::new(&product, &[]);
    let objects = [(0, b"Acme".to_vec()), (1, b"M-1".to_vec()), (2, b"V2.7".to_vec())];
    let capture = gateway.folder.file("span.pcap", pcap_of(&talk(vec![Persona::from_objects(objects)])));
    let enter = segment.words();
    let under: Vec<&str> = enter.iter().map(String::as_str).collect();
    let mut field = Process::start(product.command_under(&under, [gateway.field_words(), vec!["-i".to_owned(), TAP.to_owned()]].concat()));
    field.says("listening; nothing is sent there");
    field.says("the hatch is");
    let mut desk = gateway.desk();
    desk.says("0 devices listed, listens on tap0");
    segment.replay(Path::new(&capture), &["--topspeed"]);
    let (begun, state) = (Instant::now(), gateway.path("desk"));
    let told = loop {
        let listed = product.run(["devices", "--format", "ndjson", "--state", &state]).expect(code::DONE).out;
        if listed.contains("\"V2.7\"") {
            break listed;
        }
        assert!(begun.elapsed() < KEPT_SECONDS_MAX, "{listed}");
    };
    assert!(told.contains("\"live\"") || told.contains("Acme"), "{told}");
    // Killed and started again, it has nothing new to tell: the ledger knows the observation.
    desk.kill();
    let mut desk = gateway.desk();
    desk.says("0 devices listed");
    desk.ends(0);
    // nsenter has become the field side.
    field.ends(0);
    product.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
}

/// Waits until the plan has had all devices asked, and the last round is over.
fn all_asked(desk: &mut Process) {
    let mut asked = 0;
    while asked < DEVICES {
        let line = desk.says("plan identity: ");
        let count = line.rsplit("identity: ").next().and_then(|rest| rest.split(' ').next()).and_then(|count| count.parse::<usize>().ok());
        asked += count.unwrap_or_else(|| panic!("{line}"));
        desk.says("is over: 0 refused, 0 without a sound answer");
    }
}

#[test]
fn what_the_field_side_reads_stands_in_the_ledger_with_every_touch() {
    let test = "what_the_field_side_reads_stands_in_the_ledger_with_every_touch";
    let Some(product) = needed(test, Product::find()) else { return };
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let (mut field, mut desk) = (gateway.field(), gateway.desk());
        all_asked(&mut desk);
        desk.ends(0);
        gateway.is_whole();
        let (ledger, record) = gateway.touches();
        assert_eq!(ledger, record);
        assert!(ledger.iter().any(|line| line.contains("\"sealed\"")), "{ledger:?}");
        // Both again: nobody is asked twice in a day.
        field.ends(0);
        let (mut field, mut desk) = (gateway.field(), gateway.desk());
        desk.says(&format!("{DEVICES} devices listed"));
        desk.ends(0);
        field.ends(0);
        assert_eq!(gateway.touches().0, record);
    });
    assert_eq!(reports.iter().map(Report::connections).collect::<Vec<_>>(), [1; DEVICES]);
}

#[test]
fn whichever_is_killed_nothing_is_lost_and_nobody_is_asked_twice() {
    let test = "whichever_is_killed_nothing_is_lost_and_nobody_is_asked_twice";
    let Some(product) = needed(test, Product::find()) else { return };
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let (mut field, mut desk) = (gateway.field(), gateway.desk());
        desk.says("plan identity: ");
        desk.kill();
        // The field side goes on without a desk, and tells the next one.
        let mut desk = gateway.desk();
        desk.says("devices listed");
        field.kill();
        desk.says("the field side is gone");
        let field_again = gateway.field();
        // Who was asked when the field side was killed has had his reading of the day; the others are asked now.
        desk.says("devices listed");
        let mut asked = 0;
        while asked == 0 && gateway.connected() < DEVICES {
            desk.says("is over: ");
            asked += usize::from(gateway.connected() == DEVICES);
        }
        desk.ends(0);
        drop(field_again);
        let state = gateway.path("desk");
        gateway.product.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
        let (ledger, record) = gateway.touches();
        assert!(record.starts_with(&ledger), "{ledger:?}\n{record:?}");
    });
    assert!(reports.iter().all(|report| report.connections() <= 1 && report.trips.is_empty()), "{reports:?}");
}

impl Gateway {
    /// Devices that were connected to, by the field side's record.
    fn connected(&self) -> usize {
        let record = std::fs::read_to_string(self.folder.path().join("field/touch.ndjson")).unwrap_or_default();
        let targets = record.lines().filter(|line| line.contains("\"kind\":\"connect\""));
        targets.filter_map(|line| line.split("\"target\":\"").nth(1)?.split('"').next()).collect::<std::collections::BTreeSet<_>>().len()
    }
}
