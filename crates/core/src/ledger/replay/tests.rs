use super::*;
use crate::ledger::{Body, Observed};
use crate::observation::Address;
use crate::profile::Matched;

/// The record of an observation that came so, with an interpretation that says this.
fn record(source: &Source, messages: usize, said: &str) -> Vec<u8> {
    let observation = Observation {
        time_ns: 5,
        source: source.clone(),
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        // Serde and canonical JSON have its fields in two orders.
        address: Address { mac: Some("02:00:00:00:00:01".into()), ip: "10.0.0.1".parse().ok(), unit: Some(1), ..Address::default() },
        announced: Vec::new(),
        messages: vec!["00".repeat(32); messages],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    };
    let interpretation = Interpretation { unreadable: vec![("x".into(), said.into())], ..Interpretation::of(Matched::None, Vec::new()) };
    let observed = Observed { observation, interpretation, profile_sha256: Some("ab".into()), decoder: "nameplate 0.1.0".into() };
    Entry { index: 9, time_ns: 7, body: Body::Observation(observed) }.record().unwrap()
}

/// A reader says the same of a record as [`Entry::of`].
fn check(replay: &mut Replay, record: &[u8]) {
    // A record without its tail is refused before either.
    let Some(tail) = Tail::of(record) else { return };
    match (Entry::of(record), replay.record(record, &tail)) {
        (Ok(Entry { index, body: Body::Observation(observed), .. }), Ok(replayed)) => {
            let Observed { observation, interpretation, .. } = observed;
            let expected = Replayed::Reading {
                index,
                outline: Arc::new(Outline::of(&observation)),
                digest: observation.digest(),
                time_ns: observation.time_ns,
                source: observation.source,
                said: Arc::new(Meaning::of(&interpretation)),
            };
            assert_eq!(replayed, expected);
        }
        (Err(_), Err(_)) => {}
        other => panic!("{}: {other:?}", String::from_utf8_lossy(record)),
    }
}

/// True where a record is read by what is remembered alone.
fn is_short(replay: &mut Replay, record: &[u8]) -> bool {
    let tail = Tail::of(record).unwrap();
    let cut = replay.marks.cut(record, &tail);
    cut.is_some_and(|cut| replay.again(&cut, tail.index).is_some())
}

fn ways() -> [Source; 3] {
    [
        Source::Capture { file: "a.pcap".into(), frame: 1 },
        Source::Live { interface: "eth1".into(), frame: u64::MAX },
        Source::Asked { reason: "WO-1".into() },
    ]
}

#[test]
fn the_short_way_says_what_the_long_one_says() {
    let hostile =
        ["k,\"k", r#","kind":"observation","observation":{"#, r#"","interpretation":{}"#, r#"},"index":1,"time_ns":2}"#, "\\", "\""];
    for (at, said) in ["", "plain"].into_iter().chain(hostile).enumerate() {
        let record = record(&ways()[at % 3], at % 3, said);
        let mut warm = Replay::default();
        assert!(!is_short(&mut warm, &record), "nothing is remembered yet");
        check(&mut warm, &record);
        assert!(is_short(&mut warm, &record), "{said}");
        for at in 0..record.len() {
            let mut changed = record.clone();
            changed[at] ^= 1;
            let mut shorter = record.clone();
            shorter.remove(at);
            for record in [&changed, &record[..at], &shorter] {
                check(&mut Replay::default(), record);
                check(&mut warm, record);
            }
        }
        assert!(is_short(&mut warm, &record), "{said}");
    }
}

#[test]
fn what_is_another_each_day_is_read_each_day() {
    let mut replay = Replay::default();
    for source in ways() {
        for messages in [1, 2, 0] {
            for said in ["one", "other"] {
                check(&mut replay, &record(&source, messages, said));
                assert!(is_short(&mut replay, &record(&source, messages, said)));
            }
        }
    }
    assert_eq!(replay.own.outlines.len(), 2, "with messages and without");
}

#[test]
fn what_has_to_be_unescaped_is_read_the_long_way() {
    let hostile = [r#"a","kind":"observation","observation":{"b"#, "é", "\u{7f}", r"C:\a", r#","messages":["#, r#","source":"#];
    for file in hostile {
        let record = record(&Source::Capture { file: file.into(), frame: 1 }, 1, "");
        let mut replay = Replay::default();
        check(&mut replay, &record);
        check(&mut replay, &record);
        assert!(!is_short(&mut replay, &record), "{file}");
    }
}

/// A writer of its own may put what it wants where no field of ours is; its record is read, and none is taken for the same.
#[test]
fn a_record_that_stands_otherwise_is_not_remembered() {
    let plain = String::from_utf8(record(&ways()[0], 1, "")).unwrap();
    for (from, to) in [
        (r#""address":{"#, r#""address":{"x":{"y":1,"messages":["00"]},"#),
        (r#""complete":true"#, r#""complete": true"#),
        (r#""complete":true"#, r#""complete":true,"cut":0"#),
        (r#""modbus""#, r#""\u006dodbus""#),
        (r#""protocol""#, r#""other":{"a":1,"source":{"file":"x","frame":1,"kind":"capture"}},"protocol""#),
    ] {
        let record = plain.replacen(from, to, 1);
        assert_ne!(record, plain, "{from}");
        let mut replay = Replay::default();
        check(&mut replay, record.as_bytes());
        check(&mut replay, record.as_bytes());
        assert!(!is_short(&mut replay, record.as_bytes()) && replay.own.outlines.is_empty(), "{record}");
    }
}

#[test]
fn what_readers_of_one_ledger_read_lies_in_one_place() {
    let (mut one, record) = (Replay::default(), record(&ways()[0], 1, ""));
    let mut other = one.beside();
    let read = |replay: &mut Replay| match replay.record(&record, &Tail::of(&record).unwrap()).unwrap() {
        Replayed::Reading { outline, said, .. } => (Arc::as_ptr(&outline), Arc::as_ptr(&said)),
        other => panic!("{other:?}"),
    };
    let first = read(&mut one);
    assert_eq!([read(&mut other), read(&mut one)], [first, first]);
    assert_ne!(read(&mut Replay::default()), first);
}
