//! Asking SEL relays on their command line, as simulated ones see it: nobody makes an independent emulator. What they say are lines of real ones.

use nameplate_simulators::sel::{Device, Persona};
use nameplate_tests::line::Line;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Ended, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::referee;

/// sandialabs/PEAT docs/sel.rst; its check digits stand in the simulator's own tests.
const SEL_700G: [&str; 4] =
    ["FID=SEL-700G-R200-V0-Z006003-D20180629", "BFID=BOOTLDR-R501-V0-Z000000-D20140224", "CID=59A0", "PARTNO=0700G12B1B1B7281A230"];
const TOLD: [(&str, &str); 3] = [("model", "SEL-700G"), ("product_code", "0700G12B1B1B7281A230"), ("firmware_revision", "R200-V0")];
const SERIAL: &str = "1112223334";
const PASSWORD: &str = "Kx7qwz";
const VARIABLE: &str = "SEL_PASSWORD_OF_A_TEST";

fn said(claims: &[Claim]) -> Vec<(&str, &str)> {
    let mut said: Vec<(&str, &str)> = claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect();
    said.sort_unstable();
    said
}

/// In a login its status report follows, because ID told no serial number; it says model and firmware once more.
fn told(in_a_login: bool) -> Vec<(&'static str, &'static str)> {
    let mut told = TOLD.to_vec();
    if in_a_login {
        told.extend([("serial_number", SERIAL), TOLD[0], TOLD[2]]);
    }
    told.sort_unstable();
    told
}

fn relay() -> Persona {
    let mut relay = Persona::new(&SEL_700G);
    relay.password = Some(PASSWORD.as_bytes().to_vec());
    relay.status =
        format!("FEEDER 1\r\nSerial Num = {SERIAL}     FID = {}\r\nSELF TESTS\r\nRelay Enabled\r\n", &SEL_700G[0][4..]).into_bytes();
    relay
}

fn ask(product: &Product, state: &State, target: &str, password: Option<&str>) -> Ended {
    let words = ["--via", "sel-ascii", "--format", "claims", target].map(str::to_owned);
    let login = ["--sel-login", "--sel-password-env", VARIABLE].map(str::to_owned);
    let words: Vec<String> = words.into_iter().chain(login.into_iter().filter(|_| password.is_some())).collect();
    let environment: Vec<(&str, String)> = password.into_iter().map(|password| (VARIABLE, password.to_owned())).collect();
    product.ask_with(state, &words, &environment)
}

#[test]
fn a_relay_tells_what_it_is_and_a_capture_of_it_the_same() {
    let test = "a_relay_tells_what_it_is_and_a_capture_of_it_the_same";
    let Some(product) = needed(test, record::available().and_then(|()| Product::find())) else { return };
    let mut echoing = Persona::new(&SEL_700G);
    echoing.echoes = true;
    for (persona, password, lines) in [(Persona::new(&SEL_700G), None, 2), (echoing, None, 2), (relay(), Some(PASSWORD), 7)] {
        let product = product.clone();
        let ((asked, file, port), report) = simulated(Device::new(persona), move |address| {
            let recording = Recording::start(&[address.port()]).expect("a recording");
            let state = State::new();
            let asked = ask(&product, &state, &address.to_string(), password).expect(code::DONE);
            let record = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a record");
            let hex: String = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
            let shown = [&record, &asked.out, &asked.err].iter().any(|text| text.contains(PASSWORD) || text.contains(&hex));
            assert!(!shown, "the password stands in a record or an answer");
            (asked, recording.stop().expect("a capture"), address.port())
        });
        assert_eq!((report.trips.len(), report.requests()), (0, lines), "{:?} {}", report.trips, asked.err);
        assert_eq!(said(&asked.claims()), told(password.is_some()), "{}", asked.err);
        let counts = referee::judge_login(&file, "sel-ascii", &[port], password).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(counts.values().sum::<usize>(), lines as usize, "{counts:?}");
        let (file, port) = (file.to_string_lossy().into_owned(), format!("{port}=sel-ascii"));
        let product = Product::find().expect("the product");
        let heard = product.run(["listen", &file, "--decode-as", &port, "--format", "claims"]).expect(code::DONE);
        // Who listens hears the same once.
        let mut once = asked.claims();
        once.dedup();
        assert_eq!(heard.claims(), once, "the same by ear");
    }
}

#[test]
fn at_another_persons_prompt_nothing_but_the_empty_line_is_sent() {
    let Some(product) = needed("at_another_persons_prompt_nothing_but_the_empty_line_is_sent", Product::find()) else { return };
    for prompt in ["=>", "==>", "=>>"] {
        let (product, mut persona) = (product.clone(), relay());
        persona.anothers = Some(prompt);
        let (ended, report) =
            simulated(Device::new(persona), move |address| ask(&product, &State::new(), &address.to_string(), Some(PASSWORD)));
        let ended = ended.expect(code::NO_ANSWER);
        assert_eq!((report.trips.len(), report.requests(), report.bytes_in()), (0, 1, 1), "{prompt}: {:?} {}", report.trips, ended.err);
        assert!(ended.err.contains("another person's session"), "{prompt}: {}", ended.err);
    }
}

#[test]
fn a_relay_that_locks_after_three_passwords_never_sees_two() {
    let Some(product) = needed("a_relay_that_locks_after_three_passwords_never_sees_two", Product::find()) else { return };
    let persona = relay();
    let seen = persona.clone();
    let (last, report) = simulated(Device::new(persona), move |address| {
        let (state, target) = (State::new(), address.to_string());
        let first = ask(&product, &state, &target, Some("wrong1")).expect(code::NO_ANSWER);
        assert!(first.err.contains("did not take the password"), "{}", first.err);
        let mut last = first;
        for _ in 1..20 {
            last = ask(&product, &state, &target, Some("wrong1")).expect(code::REFUSED);
        }
        last
    });
    assert_eq!(seen.passwords_seen(), 1);
    assert_eq!((report.trips.len(), report.connections()), (0, 1), "{:?}", report.trips);
    assert!(last.err.contains("breaker.open") && last.err.contains("password"), "{}", last.err);
}

#[test]
fn without_consent_nobody_logs_in() {
    let Some(product) = needed("without_consent_nobody_logs_in", Product::find()) else { return };
    let again = product.clone();
    let (ended, report) = simulated(Device::new(relay()), move |address| ask(&product, &State::new(), &address.to_string(), None));
    let ended = ended.expect(code::NO_ANSWER);
    assert_eq!((report.trips.len(), report.requests()), (0, 2), "{:?} {}", report.trips, ended.err);
    assert!(ended.err.contains("--sel-login"), "{}", ended.err);
    let ended = again.run(["ask", "--via", "sel-ascii", "--sel-login", "--dry-run", "192.0.2.10"]).expect(code::USAGE);
    assert!(ended.err.contains("--sel-password-env"), "{}", ended.err);
    let ended = again.run(["ask", "--via", "sel-ascii", "--dry-run", "192.0.2.10/1"]).expect(code::USAGE);
    assert!(ended.err.contains("nothing stands behind the address"), "{}", ended.err);
}

#[test]
fn a_relay_on_a_serial_line_tells_the_same() {
    let Some(product) = needed("a_relay_on_a_serial_line_tells_the_same", Product::find()) else { return };
    for (persona, password, lines) in [(Persona::new(&SEL_700G), None, 2), (relay(), Some(PASSWORD), 7)] {
        let product = product.clone();
        let (ended, report) = simulated(Device::new(persona), move |address| {
            let line = Line::to(address.port()).expect("a line");
            ask(&product, &State::new(), &format!("serial:{}@9600-8N1", line.ours.display()), password)
        });
        assert_eq!((report.trips.len(), report.requests()), (0, lines), "{:?} {}", report.trips, ended.err);
        assert_eq!(said(&ended.expect(code::DONE).claims()), told(password.is_some()));
    }
}
