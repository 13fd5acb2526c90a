//! Asking on a serial line: two ends of a pair of terminals by socat, ours and a server's that we did not write, or a master's.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nameplate_tests::interop::ready;
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code};
use nameplate_tests::rig::{self, Kind};

/// `11 03 00 00 00 02` and its check bytes: a master's question to unit 17 (MODBUS over Serial Line V1.02, 6.2.2).
const ANOTHER_MASTER: [u8; 8] = [0x11, 0x03, 0, 0, 0, 2, 0xC6, 0x9B];

/// A terminal, and what socat connects it to.
struct Line {
    /// The pseudo-terminal itself.
    ours: PathBuf,
    socat: Child,
}

impl Line {
    /// A line to another terminal, or to a server's port.
    fn to(other: &str) -> Self {
        let mut command = Command::new("socat");
        command.args(["-d", "-d", "pty,raw,echo=0", other]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut socat = command.spawn().expect("socat");
        let mut says = BufReader::new(socat.stderr.take().expect("its words")).lines().map_while(Result::ok);
        // "N PTY is /dev/pts/3", then, when the other side stands, too, "N starting data transfer loop ...".
        let ours = says.find_map(|line| Some(PathBuf::from(line.split_once("PTY is ")?.1))).expect("a terminal");
        assert!(says.any(|line| line.contains("starting data transfer loop")), "socat ended");
        // Who stops reading would stop socat with its next word.
        std::thread::spawn(move || says.count());
        Self { ours, socat }
    }

    fn target(&self, station: impl std::fmt::Display) -> String {
        format!("serial:{}@9600-8N1/{station}", self.ours.display())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ended = self.socat.kill().and_then(|()| self.socat.wait());
    }
}

fn ask(product: &Product, state: &State, target: &str) -> Ended {
    product.ask(state, &["--via", "modbus-rtu", "--format", "claims", target])
}

fn product(test: &str) -> Option<Product> {
    needed(test, rig::available_for(Kind::PymodbusSerial).and_then(|()| Product::find()))
}

#[test]
fn a_line_with_another_master_is_left_without_a_word() {
    let Some(product) = product("a_line_with_another_master_is_left_without_a_word") else { return };
    let folder = State::new();
    let theirs = folder.path().join("theirs");
    let line = Line::to(&format!("pty,raw,echo=0,link={}", theirs.display()));
    let mut master = File::options().read(true).write(true).open(&theirs).expect("their end");
    master.write_all(&ANOTHER_MASTER).expect("a question of theirs");
    let state = State::new();
    let ended = ask(&product, &state, &line.target(17)).expect(code::REFUSED);
    assert!(ended.err.contains("line.busy") && ended.err.contains("8 bytes were heard"), "{}", ended.err);
    assert!(ended.err.contains("1 device, 1 connection, 0 requests, 0 bytes out, 1 refused"), "{}", ended.err);
    let record = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a record");
    assert!(record.contains(r#""rule":"line.busy""#) && !record.contains(r#""kind":"sent""#), "{record}");
    // Our end is closed: what came out of it is all there will be.
    drop(line);
    let mut said = Vec::new();
    let _end_of_line = master.read_to_end(&mut said);
    assert_eq!(said, b"", "nothing of ours was on the line");
}

#[test]
fn a_line_that_another_program_holds_is_not_taken_from_it() {
    let Some(product) = product("a_line_that_another_program_holds_is_not_taken_from_it") else { return };
    let folder = State::new();
    let line = Line::to(&format!("pty,raw,echo=0,link={}", folder.path().join("theirs").display()));
    let held = File::options().read(true).write(true).open(&line.ours).expect("our end");
    held.lock().expect("nobody else holds it");
    let ended = ask(&product, &State::new(), &line.target(17)).expect(code::NO_ANSWER);
    assert!(ended.err.contains("connect") && ended.err.contains("0 requests"), "{}", ended.err);
}

#[test]
fn a_line_that_is_none_says_so() {
    let Some(product) = product("a_line_that_is_none_says_so") else { return };
    let state = State::new();
    for (target, why) in [("serial:/dev/no-such-line/17", "No such file"), ("serial:/dev/null/17", "/dev/null")] {
        let ended =
            product.run(["ask", "--reason", "WO-1", "--via", "modbus-rtu", "--state", &state.text(), target]).expect(code::NO_ANSWER);
        assert!(ended.err.contains(why), "{target}: {}", ended.err);
    }
    for (words, why) in [
        (&["--via", "modbus", "serial:/dev/ttyS0/17"][..], "--via modbus-rtu"),
        (&["--via", "modbus-rtu", "serial:/dev/ttyS0"], "a unit on a line is named"),
        (&["--via", "modbus-rtu", "serial:/dev/ttyS0@9600-8N9/17"], "stop bits"),
        (&["--via", "modbus-rtu", "--time-factor", "0.1", "serial:/dev/ttyS0/17"], "no pseudo-terminal"),
    ] {
        let ended = product.run([&["ask", "--reason", "WO-1", "--state", &state.text()], words].concat());
        assert!(ended.code != code::DONE && ended.err.contains(why), "{words:?}: {}", ended.err);
    }
}

#[test]
fn an_outstation_on_a_line_tells_its_identity() {
    let Some(product) = needed("an_outstation_on_a_line_tells_its_identity", ready(Kind::Py1815)) else { return };
    let drawn = personas::random(personas::seed());
    let fields = [(252, "manufacturer"), (250, "model"), (248, "serial_number"), (243, "hardware_revision"), (242, "firmware_revision")];
    let objects: BTreeMap<u8, String> = fields.iter().map(|(variation, _)| *variation).zip(drawn.objects.values().cloned()).collect();
    // An outstation cannot have the address of its master.
    let persona = Persona { objects: objects.clone(), unit: drawn.unit.max(2), ..drawn };
    let outstation = rig::start(Kind::Py1815, &persona).expect("an outstation");
    let line = Line::to(&format!("tcp:127.0.0.1:{}", outstation.port));
    let words = ["--via", "dnp3", "--dnp3-master", "1", "--format", "claims", &line.target(persona.unit)];
    let ended = product.ask(&State::new(), &words).expect(code::DONE);
    let said: BTreeMap<String, String> = ended.claims().into_iter().map(|claim| (claim.field, claim.value)).collect();
    let served: BTreeMap<String, String> =
        fields.iter().map(|(variation, field)| ((*field).to_owned(), objects[variation].clone())).collect();
    assert_eq!(said, served, "{}", ended.err);
}
