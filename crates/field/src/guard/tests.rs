//! One story a refusal. The messages are written out by hand from the Modbus documents.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    runtime::Builder,
    time::Instant,
};

use super::*;
use crate::touch::{FILE_NAME, Kind, Line, TouchRecord};

const REGULAR: [u8; 11] = [0, 1, 0, 0, 0, 5, 255, 0x2b, 0x0e, 2, 0];
const REGULAR_FROM_4: [u8; 11] = [0, 2, 0, 0, 0, 5, 255, 0x2b, 0x0e, 2, 4];
const BASIC: [u8; 11] = [0, 3, 0, 0, 0, 5, 255, 0x2b, 0x0e, 1, 0];
const OBJECT_0: [u8; 11] = [0, 4, 0, 0, 0, 5, 255, 0x2b, 0x0e, 4, 0];
const SERVER_ID: [u8; 8] = [0, 5, 0, 0, 0, 2, 255, 0x11];
const READ_10_AT_0X0100: [u8; 12] = [0, 6, 0, 0, 0, 6, 255, 0x03, 1, 0, 0, 10];
const WRITE_ONE: [u8; 12] = [0, 7, 0, 0, 0, 6, 255, 0x06, 0, 1, 0, 3];

/// A state directory of its own, removed at the end.
struct State(PathBuf);

impl State {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nameplate-guard-{}-{name}", std::process::id()));
        let _was_not_there = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn touch(&self) -> Arc<TouchRecord> {
        Arc::new(TouchRecord::open(&self.0, || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("a touch record"))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// What a permit of these stories says; the unit is 255.
#[derive(Clone)]
struct Grants {
    server_id: bool,
    registers: Vec<Registers>,
    no_serial_side: bool,
    requests_max: u8,
    hold_max: Duration,
    time_factor: f64,
}

fn grants() -> Grants {
    let hold_max = Duration::from_secs(HOLD_S_MAX);
    Grants { server_id: false, registers: Vec::new(), no_serial_side: false, requests_max: REQUESTS_MAX, hold_max, time_factor: 1.0 }
}

fn permit_of(target: std::net::SocketAddr, unit: u8, reason: &str, grants: Grants) -> Result<Permit, Refused> {
    let Grants { server_id, registers, no_serial_side, requests_max: messages_max, hold_max, time_factor } = grants;
    let grant = Modbus { unit, server_id, registers, no_serial_side }.grant()?;
    Permit::new(Endpoint::Tcp(target), grant, reason, Limits { messages_max, hold_max, time_factor })
}

fn permit_with(grants: Grants) -> Permit {
    permit_of(([127, 0, 0, 1], 502).into(), 255, "WO-1", grants).expect("a permit")
}

fn block_on<T>(story: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(story)
}

/// What is done to the guard.
enum Do<'a> {
    Write(&'a [u8]),
    Answer,
    TimeOut,
    Close,
}
use Do::{Answer, Close, TimeOut, Write};

/// Plays the steps, and checks what left, which rule refused (where one did), and that the touch record says the same.
fn check(name: &str, grants: Grants, steps: &[Do<'_>], left: &[&[u8]], rule: Option<&str>) {
    let state = State::new(&name.replace(' ', "-"));
    let touch = state.touch();
    let (out, refused) = block_on(play(Guarded::over, grants, &touch, steps));
    assert_eq!(hex(&out), hex(&left.concat()), "{name}: what left");
    assert_eq!(refused.as_ref().map(|refused| refused.rule), rule, "{name}: {refused:?}");
    let lines = lines(&touch);
    let sent: Vec<&str> = lines.iter().filter(|line| line.kind == Kind::Sent).filter_map(|line| line.bytes.as_deref()).collect();
    assert_eq!(sent, left.iter().map(|message| hex(message)).collect::<Vec<_>>(), "{name}: sent lines");
    let rules: Vec<&str> = lines.iter().filter_map(|line| line.rule.as_deref()).collect();
    assert_eq!(rules, rule.into_iter().collect::<Vec<_>>(), "{name}: one refused line");
    let end = lines.last().expect("a last line");
    assert_eq!((end.kind, end.bytes_out), (Kind::Closed, Some(out.len() as u64)), "{name}: the end is on record");
    assert_eq!(touch.summary().bytes_out, out.len() as u64, "{name}: summary");
}

type Make = fn(DuplexStream, Permit, Arc<TouchRecord>) -> Guarded<DuplexStream>;

async fn play(make: Make, grants: Grants, touch: &Arc<TouchRecord>, steps: &[Do<'_>]) -> (Vec<u8>, Option<Refused>) {
    let (near, mut far) = duplex(4096);
    let mut guarded = Some(make(near, permit_with(grants), Arc::clone(touch)));
    let mut first = None;
    for step in steps {
        let stream = guarded.as_mut().expect("not closed yet");
        match step {
            Write(bytes) => {
                let outcome = stream.write_all(bytes).await;
                let refused = outcome.err().map(|error| Refused::within(&error).expect("only the guard fails here").clone());
                assert!(first.is_none() || refused == first, "after a refusal every write fails with the same words");
                first = first.or(refused);
            }
            Answer => {
                far.write_all(&[0]).await.expect("the far end writes");
                stream.read_u8().await.expect("an answer");
            }
            TimeOut => stream.time_out().expect("a time-out"),
            Close => {
                let (closed, ()) = tokio::join!(guarded.take().expect("a stream").close(), async {
                    let mut rest = Vec::new();
                    far.read_to_end(&mut rest).await.expect("our FIN");
                    let (_, gone) = duplex(1);
                    assert!(rest.is_empty(), "nothing is left for later");
                    far = gone;
                });
                assert_eq!(closed.expect("a polite end").ended, Ended::Fin);
            }
        }
    }
    drop(guarded);
    let mut out = Vec::new();
    far.read_to_end(&mut out).await.expect("the far end reads");
    (out, first)
}

fn lines(touch: &TouchRecord) -> Vec<Line> {
    let mut lines = Vec::new();
    crate::touch::lines_from(touch.directory(), 0, |_, line, _| lines.push(line.clone())).expect("a whole record");
    lines
}

#[test]
fn what_is_on_the_allowlist_leaves() {
    let registers = vec![Registers { function: 3, address: 0x0100, quantity: 10 }];
    let all = Grants { server_id: true, registers, ..grants() };
    let steps = [
        Write(&REGULAR),
        Answer,
        Write(&REGULAR_FROM_4),
        Answer,
        Write(&SERVER_ID),
        Answer,
        Write(&READ_10_AT_0X0100),
        Answer,
        Write(&BASIC),
        TimeOut,
        Write(&OBJECT_0),
    ];
    check("all", all, &steps, &[&REGULAR, &REGULAR_FROM_4, &SERVER_ID, &READ_10_AT_0X0100, &BASIC, &OBJECT_0], None);
}

#[test]
fn a_message_split_over_writes_leaves_whole_or_not_at_all() {
    for cut in 1..REGULAR.len() {
        let (head, tail) = REGULAR.split_at(cut);
        check("split", grants(), &[Write(head), Write(tail)], &[&REGULAR], None);
        check("half", grants(), &[Write(head)], &[], None);
    }
    let bytes: Vec<Do<'_>> = REGULAR.chunks(1).map(Write).collect();
    check("byte by byte", grants(), &bytes, &[&REGULAR], None);
}

#[test]
fn half_a_message_at_the_end_is_refused_and_on_record() {
    let state = State::new("half-end");
    let touch = state.touch();
    let (out, _) = block_on(play(Guarded::over, grants(), &touch, &[Write(&REGULAR[..7]), Close]));
    assert!(out.is_empty());
    let rules: Vec<String> = lines(&touch).into_iter().filter_map(|line| line.rule).collect();
    assert_eq!(rules, ["incomplete"]);
}

#[test]
fn of_two_messages_in_one_write_only_the_first_leaves() {
    check("two", grants(), &[Write(&[REGULAR, REGULAR_FROM_4].concat()), Write(&BASIC)], &[&REGULAR], Some("pipelining"));
}

#[test]
fn a_second_message_waits_for_the_answer() {
    check("pipelined", grants(), &[Write(&REGULAR), Write(&REGULAR_FROM_4)], &[&REGULAR], Some("pipelining"));
    let begun_early = [REGULAR.as_slice(), &REGULAR_FROM_4[..3]].concat();
    check("begun early", grants(), &[Write(&begun_early), Answer, Write(&REGULAR_FROM_4[3..])], &[&REGULAR, &REGULAR_FROM_4], None);
}

#[test]
fn a_write_code_behind_a_read_does_not_leave() {
    let behind = [REGULAR.as_slice(), &WRITE_ONE].concat();
    check("behind", grants(), &[Write(&behind), Answer, Write(&BASIC)], &[&REGULAR], Some("modbus.function"));
    check("behind an answer", grants(), &[Write(&REGULAR), Answer, Write(&WRITE_ONE)], &[&REGULAR], Some("modbus.function"));
}

#[test]
fn one_wrong_byte_is_refused_by_its_own_rule() {
    let wrong = |at: usize, byte: u8| {
        let mut message = REGULAR;
        message[at] = byte;
        message
    };
    let rows: [(usize, u8, &str); 10] = [
        (2, 1, "modbus.protocol"),
        (3, 1, "modbus.protocol"),
        (4, 1, "modbus.length"),
        (5, 4, "modbus.length"),
        (5, 6, "modbus.length"),
        (6, 1, "modbus.unit"),
        (7, 0x2c, "modbus.function"),
        (8, 0x0d, "modbus.mei"),
        (9, 0, "modbus.read_code"),
        (9, 5, "modbus.read_code"),
    ];
    for (at, byte, rule) in rows {
        check("wrong byte", grants(), &[Write(&wrong(at, byte)), Write(&REGULAR)], &[], Some(rule));
    }
    check("basic from 1", grants(), &[Write(&[0, 1, 0, 0, 0, 5, 255, 0x2b, 0x0e, 1, 1])], &[], Some("modbus.object"));
}

#[test]
fn every_function_code_but_the_granted_is_refused() {
    for function in (0..=255_u8).filter(|function| *function != 0x2b) {
        check("function", grants(), &[Write(&[0, 1, 0, 0, 0, 5, 255, function, 0x0e, 2, 0])], &[], Some("modbus.function"));
    }
}

#[test]
fn registers_leave_only_as_the_permit_lists_them() {
    let granted = || Grants { registers: vec![Registers { function: 3, address: 0x0100, quantity: 10 }], ..grants() };
    let rows: [([u8; 5], &str); 5] = [
        ([0x04, 1, 0, 0, 10], "modbus.function"),
        ([0x03, 0, 0, 0, 10], "modbus.address"),
        ([0x03, 1, 1, 0, 10], "modbus.address"),
        ([0x03, 1, 0, 0, 9], "modbus.quantity"),
        ([0x03, 1, 0, 1, 10], "modbus.quantity"),
    ];
    for (pdu, rule) in rows {
        let message = [[0, 1, 0, 0, 0, 6, 255].as_slice(), &pdu].concat();
        check("registers", granted(), &[Write(&message)], &[], Some(rule));
    }
    check("not granted", grants(), &[Write(&READ_10_AT_0X0100)], &[], Some("modbus.function"));
    check("server id", grants(), &[Write(&SERVER_ID)], &[], Some("modbus.function"));
}

#[test]
fn an_object_that_does_not_rise_is_refused() {
    check("same", grants(), &[Write(&REGULAR), Answer, Write(&REGULAR)], &[&REGULAR], Some("modbus.object_rises"));
    let back = [Write(&REGULAR_FROM_4), Answer, Write(&REGULAR)];
    check("back", grants(), &back, &[&REGULAR_FROM_4], Some("modbus.object_rises"));
}

#[test]
fn the_ninth_request_is_refused() {
    let object = |object: u8| [0, object, 0, 0, 0, 5, 255, 0x2b, 0x0e, 3, object];
    let messages: Vec<[u8; 11]> = (0..9).map(object).collect();
    let steps: Vec<Do<'_>> = messages.iter().flat_map(|message| [Write(message.as_slice()), Answer]).take(17).collect();
    let left: Vec<&[u8]> = messages.iter().take(8).map(<[u8; 11]>::as_slice).collect();
    check("ninth", grants(), &steps, &left, Some("budget.requests"));
    let tighter = Grants { requests_max: 1, ..grants() };
    check("second", tighter, &[Write(&REGULAR), Answer, Write(&REGULAR_FROM_4)], &[&REGULAR], Some("budget.requests"));
}

#[test]
fn after_ten_seconds_nothing_leaves_and_after_thirty_nothing_is_read() {
    let ago = |seconds: u64| Instant::now().checked_sub(Duration::from_secs(seconds)).expect("this machine has been up for a minute");
    let state = State::new("hold");
    let touch = state.touch();
    block_on(async {
        let (near, mut far) = duplex(64);
        let mut eleven = Guarded::held_since(ago(11), near, permit_with(grants()), Arc::clone(&touch));
        far.write_all(&[7]).await.expect("room");
        assert_eq!(eleven.read_u8().await.expect("reading goes on"), 7);
        let refused = eleven.write_all(&REGULAR).await.expect_err("too late");
        assert_eq!(Refused::within(&refused).map(|refused| refused.rule), Some("budget.hold"));

        let (near, _far) = duplex(64);
        let mut thirty_one = Guarded::held_since(ago(31), near, permit_with(grants()), Arc::clone(&touch));
        assert_eq!(thirty_one.read_u8().await.expect_err("killed").kind(), io::ErrorKind::TimedOut);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_line_on_the_disk_nothing_leaves_and_nothing_connects() {
    let state = State::new("full");
    std::fs::create_dir_all(&state.0).expect("a directory");
    std::os::unix::fs::symlink("/dev/full", state.0.join(FILE_NAME)).expect("a full disk");
    let touch = state.touch();
    block_on(async {
        let (near, mut far) = duplex(64);
        let mut guarded = Guarded::over(near, permit_with(grants()), Arc::clone(&touch));
        let error = guarded.write_all(&REGULAR).await.expect_err("a full disk");
        let refused = Refused::within(&error).expect("a refusal");
        assert_eq!(refused.rule, "touch.record");
        assert!(refused.why.contains(FILE_NAME) && refused.why.contains("No space left"), "{refused}");
        drop(guarded);
        assert_eq!(far.read(&mut [0; 64]).await.expect("an end"), 0, "nothing left");

        // Nobody listens there: had the guard tried, the failure would be the connection's.
        let outcome = connect(permit_with(grants()), touch).await;
        assert!(matches!(outcome, Err(Failed::Refused(Refused { rule: "touch.record", .. }))), "{:?}", outcome.err());
    });
}

#[test]
fn a_permit_cannot_widen_the_table() {
    let target = |text: &str| text.parse().expect("an address");
    let plc = target("192.0.2.1:502");
    let register = |function, address, quantity| Grants { registers: vec![Registers { function, address, quantity }], ..grants() };
    let rows: Vec<(std::net::SocketAddr, u8, &str, Grants, &str)> = vec![
        (target("224.0.0.1:502"), 1, "WO-1", grants(), "permit.target"),
        (target("255.255.255.255:502"), 1, "WO-1", grants(), "permit.target"),
        (target("0.0.0.0:502"), 1, "WO-1", grants(), "permit.target"),
        (target("[::]:502"), 1, "WO-1", grants(), "permit.target"),
        (target("[ff02::1]:502"), 1, "WO-1", grants(), "permit.target"),
        (target("[::ffff:224.0.0.1]:502"), 1, "WO-1", grants(), "permit.target"),
        (target("192.0.2.1:0"), 1, "WO-1", grants(), "permit.target"),
        (plc, 0, "WO-1", grants(), "permit.unit"),
        (plc, 1, " ", grants(), "permit.reason"),
        (plc, 1, "WO\n1", grants(), "permit.reason"),
        (plc, 1, "WO-1", register(6, 0, 1), "permit.registers"),
        (plc, 1, "WO-1", register(3, 0, 0), "permit.registers"),
        (plc, 1, "WO-1", register(3, 0, 126), "permit.registers"),
        (plc, 1, "WO-1", register(3, 65_535, 2), "permit.registers"),
        (plc, 1, "WO-1", Grants { requests_max: 9, ..grants() }, "permit.requests"),
        (plc, 1, "WO-1", Grants { hold_max: Duration::from_secs(11), ..grants() }, "permit.hold"),
        (plc, 1, "WO-1", Grants { time_factor: 0.1, ..grants() }, "permit.time_factor"),
        (target("127.0.0.1:502"), 1, "WO-1", Grants { time_factor: 0.0, ..grants() }, "permit.time_factor"),
    ];
    for (target, unit, reason, grants, rule) in rows {
        assert_eq!(permit_of(target, unit, reason, grants).expect_err(rule).rule, rule);
    }
    permit_of(plc, 0, "WO-1", Grants { no_serial_side: true, ..grants() }).expect("unit 0 where the owner says so");
    permit_of(target("127.0.0.1:502"), 1, "WO-1", Grants { time_factor: 0.01, ..grants() }).expect("loopback may be fast");
}

#[test]
fn a_refusal_is_a_clear_sentence() {
    let mut judge = Judge::new(&permit_with(grants()));
    let refused = judge.push(&WRITE_ONE, Duration::ZERO).expect_err("a write");
    let sentence =
        "refused by our guard, rule modbus.function, byte 7: function code is 06, only 2b may leave [00 07 00 00 00 06 ff 06 00 01 00 03]";
    assert_eq!(refused.to_string(), sentence);
}

#[test]
fn the_allowlist_prints_what_read_only_md_says() {
    let modbus = allowlist().into_iter().filter(|row| row.protocol == "modbus");
    let printed: Vec<(String, String)> = modbus.map(|row| (row.pattern, row.needs)).collect();
    let needs = ["", "the profile asks for it", "the profile lists function, address and quantity"];
    let expected = [
        ("xx xx 00 00 nn nn uu 2b 0e 01 00", needs[0]),
        ("xx xx 00 00 nn nn uu 2b 0e 02 xx", needs[0]),
        ("xx xx 00 00 nn nn uu 2b 0e 03 xx", needs[0]),
        ("xx xx 00 00 nn nn uu 2b 0e 04 xx", needs[0]),
        ("xx xx 00 00 nn nn uu 11", needs[1]),
        ("xx xx 00 00 nn nn uu rr rr rr rr rr", needs[2]),
    ];
    assert_eq!(printed, expected.map(|(pattern, needs)| (pattern.to_owned(), needs.to_owned())));
}

#[test]
fn every_byte_of_a_message_has_a_meaning() {
    let meanings = meaning(&permit_with(grants()), &REGULAR).expect("on the allowlist");
    let bytes: Vec<(usize, u8)> = meanings.iter().map(|meaning| (meaning.offset, meaning.byte)).collect();
    assert_eq!(bytes, REGULAR.iter().copied().enumerate().collect::<Vec<_>>());
    assert!(meanings.iter().all(|meaning| !meaning.meaning.is_empty()));
    let rule = |bytes: &[u8]| meaning(&permit_with(grants()), bytes).expect_err("not on the allowlist").rule;
    assert_eq!(rule(&WRITE_ONE), "modbus.function");
    assert_eq!(rule(&REGULAR[..9]), "incomplete");
    assert_eq!(rule(&[REGULAR, BASIC].concat()), "pipelining");
    assert_eq!(rule(&[REGULAR.as_slice(), &[0]].concat()), "incomplete");
}
