use super::*;
use crate::judge::Judge;
use crate::report::Trip;

const BASIC: &[u8] = &[0, 1, 0, 0, 0, 5, 1, 0x2B, 0x0E, 1, 0];
const SERVER_ID: &[u8] = &[0, 2, 0, 0, 0, 2, 1, 0x11];

fn regular(object: u8) -> Vec<u8> {
    vec![0, 3, 0, 0, 0, 5, 1, 0x2B, 0x0E, 2, object]
}

fn judge(speaker: Speaker) -> Judge {
    let persona = Persona { register_reads: [(3, 100, 2)].into(), ..Persona::from_objects([(0, b"A".to_vec())]) };
    Judge::new(persona.talk(speaker, Carrier::Tcp), (speaker == Speaker::Asker).then_some(persona.questions_max(Carrier::Tcp)))
}

/// Every write apart is answered before the next; what trips, by a word of its reason.
fn check(what: &str, speaker: Speaker, writes: &[&[u8]], expected: &[&str]) {
    let mut judge = judge(speaker);
    let mut trips: Vec<Trip> = writes.iter().flat_map(|write| judge.take(write, false).1).collect();
    trips.extend(judge.end(false));
    let whys: Vec<&str> = trips.iter().map(|trip| trip.why).collect();
    assert_eq!(whys.len(), expected.len(), "{what}: {whys:?}");
    for (why, expected) in whys.iter().zip(expected) {
        assert!(why.contains(expected), "{what}: {why:?} does not say {expected:?}");
    }
}

#[test]
fn identity_questions_pass() {
    let asker = Speaker::Asker;
    check("basic", asker, &[BASIC], &[]);
    check("split in three", asker, &[&BASIC[..1], &BASIC[1..8], &BASIC[8..]], &[]);
    check("basic, server id, pages", asker, &[BASIC, SERVER_ID, &regular(0), &regular(3), &regular(4)], &[]);
    check("a declared register read", asker, &[&[0, 1, 0, 0, 0, 6, 1, 3, 0, 100, 0, 2]], &[]);
    check("nothing", asker, &[], &[]);
}

/// What, the writes, what trips.
type Row<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a str]);

#[test]
fn all_else_trips() {
    let asker = Speaker::Asker;
    for function in [0x05, 0x06, 0x08, 0x0F, 0x10, 0x14, 0x15, 0x16, 0x17, 0x18, 0x5A, 0x01, 0x02, 0x41, 0x64, 0x00, 0xAB] {
        check("a function that does not read identity", asker, &[&[0, 1, 0, 0, 0, 6, 1, function, 0, 0, 0, 1]], &["not on the allowlist"]);
    }
    let table: &[Row] = &[
        ("2B/0D", &[&[0, 1, 0, 0, 0, 5, 1, 0x2B, 0x0D, 1, 0]], &["allowlist"]),
        ("read code 5", &[&[0, 1, 0, 0, 0, 5, 1, 0x2B, 0x0E, 5, 0]], &["read code"]),
        ("a byte too many", &[&[0, 1, 0, 0, 0, 6, 1, 0x2B, 0x0E, 1, 0, 0]], &["wrong length"]),
        ("a byte too few", &[&[0, 1, 0, 0, 0, 4, 1, 0x2B, 0x0E, 1]], &["wrong length"]),
        ("FC 17 with an operand", &[&[0, 1, 0, 0, 0, 3, 1, 0x11, 0]], &["wrong length"]),
        ("basic from 1", &[&[0, 1, 0, 0, 0, 5, 1, 0x2B, 0x0E, 1, 1]], &["does not start"]),
        ("an undeclared register", &[&[0, 1, 0, 0, 0, 6, 1, 3, 0, 101, 0, 2]], &["no profile"]),
        ("a declared address, other quantity", &[&[0, 1, 0, 0, 0, 6, 1, 3, 0, 100, 0, 3]], &["no profile"]),
        ("a declared read by FC 4", &[&[0, 1, 0, 0, 0, 6, 1, 4, 0, 100, 0, 2]], &["no profile"]),
        ("MBAP length too long", &[&[0, 1, 0, 0, 0, 6, 1, 0x2B, 0x0E, 1, 0]], &["cut off"]),
        ("MBAP length too short", &[&[0, 1, 0, 0, 0, 4, 1, 0x2B, 0x0E, 1, 0]], &["wrong length", "cut off"]),
        ("MBAP length 1", &[&[0, 1, 0, 0, 0, 1, 1]], &["header"]),
        ("MBAP length 255", &[&[0, 1, 0, 0, 0, 255, 1]], &["header"]),
        ("protocol id", &[&[0, 1, 0, 1, 0, 5, 1, 0x2B, 0x0E, 1, 0], BASIC], &["header", "after bytes that are no"]),
        ("another unit", &[BASIC, &[0, 2, 0, 0, 0, 2, 2, 0x11]], &["sweep"]),
        ("the same object again", &[&regular(3), &regular(3)], &["does not rise"]),
        ("an object before", &[&regular(3), &regular(0)], &["does not rise"]),
        ("a write behind a read", &[&[BASIC, &[0, 2, 0, 0, 0, 6, 1, 6, 0, 0, 0, 1]].concat()], &["second question", "allowlist"]),
        ("cut off", &[&BASIC[..10]], &["cut off"]),
        ("nine questions", &[SERVER_ID; 9], &["more questions than"]),
    ];
    for (what, writes, expected) in table {
        check(what, asker, writes, expected);
    }
}

#[test]
fn a_question_before_the_answer_trips() {
    let mut judge = judge(Speaker::Asker);
    assert_eq!(judge.take(BASIC, false).1, []);
    let (asked, trips) = judge.take(SERVER_ID, true);
    assert_eq!(asked.iter().map(|asked| asked.question.as_slice()).collect::<Vec<_>>(), [SERVER_ID]);
    assert_eq!(trips.iter().map(|trip| trip.bytes.as_slice()).collect::<Vec<_>>(), [SERVER_ID]);
}

#[test]
fn the_master_reads_registers_but_does_not_write() {
    check("reads", Speaker::Master, &[&[0, 1, 0, 0, 0, 6, 1, 4, 0, 0, 0, 9], BASIC, SERVER_ID], &[]);
    check("writes", Speaker::Master, &[&[0, 1, 0, 0, 0, 6, 1, 6, 0, 0, 0, 9]], &["wrote"]);
}
