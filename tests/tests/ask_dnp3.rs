//! Asking outstations that we did not write over DNP3, with a persona drawn for each run: what is claimed, and every byte that left.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use nameplate_simulators::dnp3::{self, Device, Unsolicited};
use nameplate_simulators::report::Report;
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Ended, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::rig::{self, Kind};

/// The rig's outstations know their master by this link address.
const MASTER: u16 = 1;
/// Attributes and what they are claimed as (IEEE 1815-2012, annex A.2).
const FIELDS: [(u8, &str); 5] =
    [(252, "manufacturer"), (250, "model"), (248, "serial_number"), (243, "hardware_revision"), (242, "firmware_revision")];

/// One run of the product against one server.
struct Run {
    ended: Ended,
    /// What it wrote: user data of each frame, transport and application sequence numbers taken out.
    asked: Vec<Vec<u8>>,
    connections: usize,
    /// What the recording says by itself.
    heard: Vec<Claim>,
}

fn ready(test: &str, kind: Kind) -> Option<Product> {
    needed(test, rig::available_for(kind).and_then(|()| record::available()).and_then(|()| Product::find()))
}

fn run(product: &Product, kind: Kind, persona: &Persona, more: &[&str]) -> Run {
    let server = rig::start(kind, persona).expect("a server");
    let (state, target) = (State::new(), format!("127.0.0.1:{}/{}", server.port, persona.unit));
    let recording = Recording::start(&[server.port]).expect("a recording");
    let master = MASTER.to_string();
    let common = ["--via", "dnp3", "--dnp3-master", &master, "--format", "claims", &target];
    let ended = product.ask(&state, &common.iter().chain(more).copied().collect::<Vec<_>>());
    let file = recording.stop().expect("a capture");
    let rows = |filter: &str, field: &str| {
        record::tshark(&file, &[field], &format!("{filter} && tcp.dstport == {}", server.port), 502).expect("tshark's reading")
    };
    let connections = rows("tcp.flags.syn == 1 && tcp.flags.ack == 0", "frame.number").len();
    let asked = rows("tcp.len > 0", "tcp.payload").iter().map(|row| user_data(&hex(&row[0]), persona.unit)).collect();
    Run { ended, asked, connections, heard: heard(product, &file) }
}

/// What `listen` makes of the same exchange.
fn heard(product: &Product, file: &Path) -> Vec<Claim> {
    product.run(["listen", "--format", "claims", &file.to_string_lossy()]).expect(code::DONE).claims()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("hex")).collect()
}

/// The user data of a frame from our master to this outstation (9.2.4.1): 16 bytes to a block, two check bytes behind each.
fn user_data(frame: &[u8], unit: u8) -> Vec<u8> {
    let [m0, m1] = MASTER.to_le_bytes();
    assert_eq!(frame[..2], [0x05, 0x64], "{frame:02x?}");
    assert_eq!(frame[3..8], [0xc4, unit, 0, m0, m1], "unconfirmed user data: {frame:02x?}");
    let mut user: Vec<u8> = frame[10..].chunks(18).flat_map(|block| block[..block.len() - 2].iter().copied()).collect();
    assert_eq!(usize::from(frame[2]), user.len() + 5, "one frame a segment: {frame:02x?}");
    (user[0], user[1]) = (user[0] & 0xc0, user[1] & 0xf0);
    user
}

/// READ of these variations of group 0, first and last frame and fragment, nothing to be confirmed (4.2.2, 8.2.1).
fn read(variations: &[u8]) -> Vec<u8> {
    let objects = variations.iter().flat_map(|variation| [0, *variation, 0, 0, 0]);
    [0xc0, 0xc0, 1].into_iter().chain(objects).collect()
}

fn identity() -> Vec<u8> {
    read(&[252, 250, 248, 243, 242])
}

/// A persona with these attributes: their texts are drawn.
fn persona(variations: &[u8]) -> Persona {
    let drawn = personas::random(personas::seed());
    let texts: Vec<String> = drawn.objects.values().cloned().collect();
    let objects = variations.iter().copied().zip(texts).collect();
    // An outstation cannot have the address of its master.
    Persona { objects, unit: drawn.unit.max(2), ..drawn }
}

fn expected(persona: &Persona) -> BTreeMap<String, String> {
    let told = FIELDS.iter().filter_map(|(variation, field)| Some(((*field).to_owned(), persona.objects.get(variation)?.clone())));
    told.collect()
}

fn said(claims: &[Claim]) -> BTreeMap<String, String> {
    claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect()
}

#[test]
fn an_outstation_tells_its_identity_in_one_read() {
    let Some(product) = ready("an_outstation_tells_its_identity_in_one_read", Kind::Py1815) else { return };
    let persona = persona(&[242, 243, 248, 250, 252]);
    let run = run(&product, Kind::Py1815, &persona, &[]);
    assert_eq!((run.connections, run.asked), (1, vec![identity()]), "{}", run.ended.err);
    let claims = run.ended.expect(code::DONE).claims();
    assert_eq!(said(&claims), expected(&persona));
    assert!(claims.iter().all(|claim| claim.grade == "identity-object"), "{claims:?}");
    assert_eq!(run.heard, claims, "listening and asking say the same");
}

#[test]
fn attributes_that_are_missing_are_no_reason_not_to_tell_the_others() {
    let Some(product) = ready("attributes_that_are_missing_are_no_reason_not_to_tell_the_others", Kind::Py1815) else { return };
    let persona = persona(&[242, 248]);
    let run = run(&product, Kind::Py1815, &persona, &[]);
    let alone = [242, 252, 250, 248, 243].map(|variation| read(&[variation]));
    assert_eq!((run.connections, run.asked), (1, [&[identity()][..], &alone].concat()), "{}", run.ended.err);
    assert_eq!(said(&run.ended.expect(code::DONE).claims()), expected(&persona));
}

#[test]
fn all_attributes_are_one_read_where_they_are_wanted() {
    let Some(product) = ready("all_attributes_are_one_read_where_they_are_wanted", Kind::Py1815) else { return };
    let persona = persona(&[242, 243, 247, 248, 250, 252]);
    let run = run(&product, Kind::Py1815, &persona, &["--dnp3-all"]);
    assert_eq!((run.connections, run.asked), (1, vec![read(&[254])]), "{}", run.ended.err);
    let mut expected = expected(&persona);
    expected.insert("name".to_owned(), persona.objects[&247].clone());
    assert_eq!(said(&run.ended.expect(code::DONE).claims()), expected);
}

#[test]
fn an_outstation_without_attributes_has_no_identity_and_is_left() {
    let Some(product) = ready("an_outstation_without_attributes_has_no_identity_and_is_left", Kind::Dnp3py) else { return };
    let run = run(&product, Kind::Dnp3py, &persona(&[]), &[]);
    assert_eq!((run.connections, run.asked), (1, vec![identity(), read(&[242]), read(&[252])]), "{}", run.ended.err);
    assert!(run.ended.expect(code::DONE).claims().is_empty() && run.heard.is_empty());
}

#[test]
fn measured_values_are_no_identity() {
    let Some(product) = ready("measured_values_are_no_identity", Kind::Dnp3Outstation) else { return };
    let run = run(&product, Kind::Dnp3Outstation, &persona(&[]), &[]);
    assert_eq!((run.connections, run.asked), (1, vec![identity()]), "{}", run.ended.err);
    assert!(run.ended.expect(code::DONE).claims().is_empty() && run.heard.is_empty());
}

/// Asks a simulated outstation 10, which trips on whatever read-only.md does not list; what was claimed, its exit code, how long it took.
fn simulation(product: &Product, persona: dnp3::Persona, options: &'static [&'static str]) -> (BTreeMap<String, String>, Ended) {
    let product = product.clone();
    let story = move |address: SocketAddr| {
        let target = format!("{address}/10");
        let words = [&["--via", "dnp3", "--dnp3-master", "1", "--format", "claims", &target][..], options].concat();
        product.ask(&State::new(), &words)
    };
    let (ended, report) = simulated(Device::new(persona), story);
    assert_eq!(report.trips, [], "{}", ended.err);
    assert_eq!(report.connections(), 1, "{report:?}");
    (said(&ended.claims()), ended)
}

fn outstation() -> dnp3::Persona {
    dnp3::Persona::new([(242, b"V7.1".to_vec()), (252, b"Acme".to_vec())])
}

#[test]
fn an_outstation_with_habits_is_read_without_a_confirmation() {
    let Some(product) = needed("an_outstation_with_habits_is_read_without_a_confirmation", Product::find()) else { return };
    let told = |fields: &[(&str, &str)]| fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
    let both: BTreeMap<String, String> = told(&[("firmware_revision", "V7.1"), ("manufacturer", "Acme")]);
    let alone = dnp3::Persona { takes_many_headers: false, ..outstation() };
    assert_eq!(simulation(&product, alone, &[]).0, both);
    let link = dnp3::Persona { asks_link_state: true, ..outstation() };
    assert_eq!(simulation(&product, link, &[]).0, both);
    // It forgets what it is asked before its time-out is over, or its empty response confirmed.
    let waits = |seconds, consents_to_confirm| {
        let unsolicited = Unsolicited { silent: Duration::from_secs(seconds), consents_to_confirm };
        dnp3::Persona { unsolicited: Some(unsolicited), ..outstation() }
    };
    assert_eq!(simulation(&product, waits(3, false), &[]).0, both);
    let (claims, ended) = simulation(&product, waits(15, true), &["--dnp3-confirm-unsolicited"]);
    assert!(claims == both && ended.took < Duration::from_secs(15), "{ended:?}");
}

#[test]
fn an_answer_in_many_fragments_is_read_to_what_came_first() {
    let Some(product) = needed("an_answer_in_many_fragments_is_read_to_what_came_first", Product::find()) else { return };
    let short = dnp3::Persona { fragment_bytes: 20, ..outstation() };
    let (claims, ended) = simulation(&product, short, &["--dnp3-all"]);
    assert_eq!((claims.len(), ended.code), (0, code::DONE), "a firmware is claimed of a whole answer alone: {ended:?}");
}

/// Asks an outstation as this master, and listens to the recording of that with a state; what the outstation saw.
fn recorded(product: &Product, asking: &State, listening: &State, master: u16) -> Report {
    let outstation = dnp3::Persona { master, ..outstation() };
    let (words, state) = (as_master(master), asking.path().to_path_buf());
    let again = product.clone();
    let (file, report) = simulated(Device::new(outstation), move |address| {
        let recording = Recording::start(&[address.port()]).expect("a recording");
        ask_in(&again, &state, address, &words).expect(code::DONE);
        recording.stop().expect("a capture")
    });
    product.run(["listen", &file.to_string_lossy(), "--state", &listening.text()]).expect(code::DONE);
    report
}

fn as_master(master: u16) -> Vec<String> {
    ["--via", "dnp3", "--dnp3-master", &master.to_string()].map(str::to_owned).to_vec()
}

fn ask_in(product: &Product, state: &Path, address: SocketAddr, words: &[String]) -> Ended {
    let (place, target) = (state.to_string_lossy().into_owned(), format!("{address}/10"));
    let common = ["ask", "--reason", "WO-1", "--time-factor", "0.00001", "--state", &place, &target].map(str::to_owned);
    product.run(common.iter().chain(words))
}

#[test]
fn the_link_address_of_a_master_that_was_heard_is_not_used() {
    let test = "the_link_address_of_a_master_that_was_heard_is_not_used";
    let Some(product) = needed(test, record::available().and_then(|()| Product::find())) else { return };
    let (scada, ours) = (State::new(), State::new());
    assert_eq!(recorded(&product, &scada, &ours, 1).connections(), 1);
    let attempt = |master: u16, words: &[&str], state: &State| {
        let words: Vec<String> = as_master(master).into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect();
        let (again, state) = (product.clone(), state.path().to_path_buf());
        let outstation = dnp3::Persona { master, ..outstation() };
        simulated(Device::new(outstation), move |address| ask_in(&again, &state, address, &words))
    };
    for words in [&[][..], &["--dry-run"], &["--dnp3-ours", "192.0.2.5"]] {
        let (refused, report) = attempt(1, words, &ours);
        let why = "rule permit.master: link address 1 is another master's: one was heard with it at 127.0.0.1.";
        assert!(refused.err.contains(why), "{words:?}: {}", refused.err);
        assert_eq!((refused.code, report.connections(), report.bytes_in()), (code::REFUSED, 0, 0), "{words:?}: {}", refused.err);
    }
    // Another number is nobody's; the same one is ours where the owner says that it was us, or the touch record knows it.
    for (master, words, state) in [(3, &[][..], &ours), (1, &["--dnp3-ours", "127.0.0.1"], &ours)] {
        let (ended, report) = attempt(master, words, state);
        assert_eq!((report.connections(), report.trips.len()), (1, 0), "{master} {words:?}: {}", ended.err);
        ended.expect(code::DONE);
    }
    let own = State::new();
    recorded(&product, &own, &own, 1);
    let (ended, report) = attempt(1, &[], &own);
    assert_eq!((report.connections(), report.trips.len()), (1, 0), "a capture of our own questions: {}", ended.err);
    ended.expect(code::DONE);
}
