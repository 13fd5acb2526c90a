//! What events become, in both forms; and that the handbook lists them.

use std::collections::BTreeSet;
use std::sync::mpsc::{Sender, channel};

use serde_json::Value;

use super::*;

/// Where lines go in a test.
struct Kept(Sender<String>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a log of these settings says of a story.
fn said(level: Level, form: Form, is_journal: bool, story: impl FnOnce()) -> String {
    let (hand, lines) = channel();
    let shared = Shared::of(Part::Serve, Settings { level, form }, is_journal, Box::new(Kept(hand)));
    tracing::subscriber::with_default(Log(Arc::new(shared)), story);
    lines.iter().collect()
}

/// What a device may call itself.
const HOSTILE: [&str; 6] = [
    "PLC\n{\"level\":\"error\",\"event\":\"forged\"}",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\r\n<3>serve: forged",
    "a\u{202e}b\u{2028}c\u{0}",
    "\"},{\"event\":\"forged\"",
    "\u{85}\u{b}\u{c}forged",
];

#[test]
fn a_line_of_text_says_the_message_and_its_priority_where_the_journal_reads() {
    let story = || {
        say!(STARTED { entries = 7_u64 }, "{} entries in the ledger", 7);
        say!(DISK_SCARCE, "little is free");
        say!(LEDGER_HALTED, "it is\nfull");
        say!(REQUEST { request = 1_u64 }, "GET /");
    };
    let check = |level, is_journal, expected: &str| assert_eq!(said(level, Form::Text, is_journal, story), expected);
    check(Level::Info, false, "serve: 7 entries in the ledger\nserve: little is free\nserve: it is; full\n");
    check(Level::Debug, true, "<6>serve: 7 entries in the ledger\n<4>serve: little is free\n<3>serve: it is; full\n<7>serve: GET /\n");
    check(Level::Warn, false, "serve: little is free\nserve: it is; full\n");
    check(Level::Error, true, "<3>serve: it is; full\n");
}

#[test]
fn a_line_of_json_is_an_object_with_time_level_part_event_message_and_the_fields_of_the_event() {
    let told = said(Level::Info, Form::Json, true, || {
        let order = "WO-1";
        say!(ROUND_OVER { round = 3_u64, refused = 2_u64, reason = %order, is_no_field = 5_u64 }, "round {} is over", 3);
    });
    let line: Value = serde_json::from_str(&told).expect("an object");
    let keys: BTreeSet<&str> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(["event", "level", "message", "part", "reason", "refused", "round", "time"]));
    assert_eq!((line["event"].as_str(), line["level"].as_str(), line["part"].as_str()), (Some("round_over"), Some("info"), Some("serve")));
    assert_eq!(
        (line["message"].as_str(), line["round"].as_u64(), line["reason"].as_str()),
        (Some("round 3 is over"), Some(3), Some("WO-1"))
    );
    let time = line["time"].as_str().expect("a time");
    assert!(time.ends_with('Z') && humantime::parse_rfc3339(time).is_ok(), "{time}");
}

#[test]
fn whatever_a_device_says_a_line_stays_a_line() {
    for name in HOSTILE {
        let story = || say!(HAPPENED { device = name, kind = %name }, "{name}: firmware");
        let told = said(Level::Trace, Form::Json, false, story);
        let line: Value = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {told:?}"));
        assert_eq!(
            (told.matches('\n').count(), line["event"].as_str(), line["level"].as_str()),
            (1, Some("happened"), Some("warn")),
            "{told:?}"
        );
        let told = said(Level::Trace, Form::Text, true, story);
        assert!(told.starts_with("<4>serve: ") && told.matches('\n').count() == 1, "{told:?}");
        assert!(!told.trim_end_matches('\n').chars().any(nameplate_core::text::is_invisible), "{told:?}");
    }
    let long = "x".repeat(100_000);
    let told = said(Level::Trace, Form::Json, false, || say!(HAPPENED { device = long.as_str() }, "{long}"));
    assert!(told.len() < 3_000, "{} bytes", told.len());
}

#[test]
fn what_opens_something_is_not_written_whatever_says_it() {
    let secret = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";
    assert_eq!(secret.len(), 43);
    for text in [
        format!("np_{secret}"),
        format!("Bearer np_{secret},"),
        format!("/first/{secret}"),
        format!("https://box:8443/first/{secret}?x"),
        format!("__Host-session={secret}; Path=/"),
        format!("\"{secret}\""),
    ] {
        for form in [Form::Text, Form::Json] {
            let told = said(Level::Trace, form, false, || say!(OWN_FAULT { path = text.as_str() }, "it was {text}"));
            assert!(!told.contains(secret) && told.contains("(secret)"), "{told}");
        }
    }
    let fingerprint = "ab".repeat(32);
    assert!(said(Level::Info, Form::Text, false, || say!(FIELD_KEY, "{fingerprint}")).contains(&fingerprint));
}

#[test]
fn a_flood_is_told_once_and_counted() {
    let told = said(Level::Info, Form::Json, false, || (0..1_000).for_each(|_| say!(CONNECTION_FAILED, "no file is left")));
    // On a machine that is held up, a second may pass meanwhile.
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert!(lines.len() < 20 && lines[0].get("more").is_none(), "{told}");
    assert!(lines.iter().skip(1).all(|line| line["more"].as_u64().is_some_and(|more| more > 0)), "{told}");
}

#[test]
fn the_environment_comes_before_the_configuration() {
    let own = Settings { level: Level::Warn, form: Form::Text };
    let check = |variable: Option<&str>, expected: Result<(Level, Form), &str>| {
        let settings = own.overridden(variable);
        match (&settings, expected) {
            (Ok(settings), Ok(expected)) => assert_eq!((settings.level, settings.form), expected, "{variable:?}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{variable:?}: {why}"),
            _ => panic!("{variable:?}: {settings:?}, expected {expected:?}"),
        }
    };
    check(None, Ok((Level::Warn, Form::Text)));
    check(Some(""), Ok((Level::Warn, Form::Text)));
    check(Some("debug"), Ok((Level::Debug, Form::Text)));
    check(Some("json"), Ok((Level::Warn, Form::Json)));
    check(Some(" trace, json "), Ok((Level::Trace, Form::Json)));
    check(Some("loud"), Err("\"loud\": it is one of error, warn, info, debug, trace, or text, json"));
}

#[test]
fn names_are_given_once_and_are_of_small_letters() {
    let names: BTreeSet<&str> = events::ALL.iter().map(|event| event.name).collect();
    assert_eq!(names.len(), events::ALL.len());
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(names.iter().chain(line::FIELDS.iter().map(|(name, _)| name)).all(|name| is_plain(name)), "{names:?}");
    // What every line has is no field.
    let reserved = ["time", "level", "part", "event", "message", "more"];
    assert!(!line::FIELDS.iter().any(|(name, _)| reserved.contains(name)));
}

/// `NAMEPLATE_GOLDEN=write` writes it anew.
#[test]
fn the_handbook_lists_events_and_fields_as_they_are() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/logs.md");
    if env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write") {
        std::fs::write(&path, markdown()).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("the handbook"), markdown());
}
