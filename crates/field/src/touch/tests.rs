//! The record on disk: what survives, what is said when it cannot be kept.

use std::{fs, path::PathBuf};

use super::*;
use crate::guard::Endpoint;

struct State(PathBuf);

impl State {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nameplate-touch-{}-{name}", std::process::id()));
        let _was_not_there = fs::remove_dir_all(&path);
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }

    fn open(&self) -> Result<TouchRecord, TouchError> {
        // 2026-03-02T10:15:30.123456Z
        TouchRecord::open(&self.0, || SystemTime::UNIX_EPOCH + Duration::from_micros(1_772_446_530_123_456))
    }

    fn with(name: &str, content: &[u8]) -> Self {
        let state = Self::new(name);
        fs::create_dir_all(&state.0).expect("a directory");
        fs::write(state.file(), content).expect("a record");
        state
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

const HEADER: &str = "{\"touch_record\":1}\n";
const CONNECT: &str = "{\"time\":\"2026-03-02T10:15:30.123456Z\",\"kind\":\"connect\",\"target\":\"192.0.2.1:502\",\"station\":\"255\",\"reason\":\"WO-1\"}\n";

fn connect() -> Line {
    let mut line = Line::new(Kind::Connect);
    line.target = Some(Endpoint::Tcp(([192, 0, 2, 1], 502).into()));
    line.station = Some("255".to_owned());
    line.reason = Some("WO-1".to_owned());
    line
}

fn kinds(record: &TouchRecord) -> Vec<Kind> {
    let mut kinds = Vec::new();
    lines_from(record.directory(), 0, |_, line, _| kinds.push(line.kind)).expect("whole lines");
    kinds
}

#[test]
fn a_line_is_written_as_documented_and_read_back() {
    let state = State::new("written");
    let record = state.open().expect("a new record");
    assert_eq!(fs::read(state.file()).expect("a file"), b"", "opening writes nothing");
    record.append(connect()).expect("a line");
    assert_eq!(fs::read_to_string(state.file()).expect("text"), format!("{HEADER}{CONNECT}"));
    let mut lines = Vec::new();
    lines_from(&state.0, 0, |_, line, _| lines.push(line.clone())).expect("whole lines");
    assert_eq!(lines, [Line { time: SystemTime::UNIX_EPOCH + Duration::from_micros(1_772_446_530_123_456), ..connect() }]);
    record.append(connect()).expect("reading back does not move the end");
    assert_eq!(fs::read_to_string(state.file()).expect("text"), format!("{HEADER}{CONNECT}{CONNECT}"));
}

#[test]
fn a_record_is_continued_by_the_next_run() {
    let state = State::with("continued", format!("{HEADER}{CONNECT}").as_bytes());
    let record = state.open().expect("a record");
    assert_eq!(record.torn(), None);
    record.append(connect()).expect("a line");
    assert_eq!(kinds(&record), [Kind::Connect, Kind::Connect]);
    assert_eq!(record.summary().connections, 1, "the summary is this run's");
}

#[test]
fn every_cut_through_the_last_line_is_mended_and_loses_no_other() {
    let whole = format!("{HEADER}{CONNECT}{CONNECT}");
    let second = HEADER.len() + CONNECT.len();
    for cut in second + 1..whole.len() {
        let state = State::with(&format!("cut-{cut}"), &whole.as_bytes()[..cut]);
        let record = state.open().expect("a torn record opens");
        let torn = record.torn().expect("it says that it is torn").clone();
        assert_eq!((torn.offset, torn.bytes.as_slice()), (second as u64, &whole.as_bytes()[second..cut]));
        assert_eq!(kinds(&record), [Kind::Connect], "cut {cut}");
        record.append(connect()).expect("a line");
        assert_eq!(kinds(&record), [Kind::Connect, Kind::Mended, Kind::Connect], "cut {cut}");
    }
}

#[test]
fn zeroed_blocks_at_the_end_are_a_torn_line() {
    let state = State::with("zeroed", [HEADER.as_bytes(), CONNECT.as_bytes(), &[0; 8192]].concat().as_slice());
    let record = state.open().expect("it opens");
    record.append(connect()).expect("a line");
    assert_eq!(kinds(&record), [Kind::Connect, Kind::Mended, Kind::Connect]);
}

#[test]
fn a_torn_header_is_begun_again() {
    let state = State::with("torn-header", b"{\"touch_re");
    let record = state.open().expect("it opens");
    record.append(connect()).expect("a line");
    assert_eq!(kinds(&record), [Kind::Mended, Kind::Connect]);
}

#[test]
fn a_broken_line_in_the_middle_is_named() {
    let state = State::with("broken", format!("{HEADER}{CONNECT}{{\"time\":}}\n{CONNECT}").as_bytes());
    let record = state.open().expect("its end is whole");
    let mut seen = 0;
    let error = lines_from(record.directory(), 0, |_, _, _| seen += 1).expect_err("the second line");
    assert_eq!(seen, 1);
    let second = HEADER.len() + CONNECT.len();
    assert!(error.to_string().contains(&format!("the line at byte {second}: ")), "{error}");
}

#[test]
fn a_line_without_end_is_no_reason_to_read_for_ever() {
    let state = State::with("endless", [HEADER.as_bytes(), &[b'x'; 200_000], b"\n", CONNECT.as_bytes()].concat().as_slice());
    state.open().expect("its end is whole");
    let error = lines_from(&state.0, 0, |_, _, _| ()).expect_err("the first line");
    assert!(matches!(error, TouchError::Broken { at: 19, .. }), "{error}");
}

#[test]
fn what_cannot_be_kept_is_said_clearly() {
    let newer = State::with("newer", b"{\"touch_record\":2}\n");
    let other = State::with("other", b"hello\nworld\n");
    let endless = State::with("one-long-line", &[b'x'; 200_000]);
    let is_file = State::new("is-file");
    fs::write(&is_file.0, b"").expect("a file where the directory should be");
    let locked = State::new("locked");
    let _holder = locked.open().expect("the first");
    let rows = [
        (&newer, "newer nameplate"),
        (&other, "is not a touch record"),
        (&endless, "is not a touch record"),
        (&is_file, "cannot"),
        (&locked, "locked by another process"),
    ];
    for (state, says) in rows {
        let said = state.open().expect_err(says).to_string();
        assert!(said.contains(says) && said.contains(&state.0.display().to_string()), "{said}");
    }
    let _gone = fs::remove_file(&is_file.0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_clearly() {
    let state = State::new("full");
    fs::create_dir_all(&state.0).expect("a directory");
    std::os::unix::fs::symlink("/dev/full", state.file()).expect("a full disk");
    let said = state.open().expect("it opens").append(connect()).expect_err("no room").to_string();
    assert!(said.contains("No space left") && said.contains(FILE_NAME) && said.contains("write"), "{said}");
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_record() {
    use std::os::unix::fs::PermissionsExt;
    let state = State::new("modes");
    let _record = state.open().expect("a record");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&state.0), mode(&state.file())), (0o700, 0o600));
}

#[test]
fn the_summary_is_the_touch_line() {
    let mut summary = Summary::default();
    let mut sent = Line::new(Kind::Sent);
    sent.bytes = Some("00 01 00 00 00 05 ff 2b 0e 02 00".to_owned());
    for line in [connect(), sent.clone(), sent, Line::new(Kind::Answer), Line::new(Kind::Refused), Line::new(Kind::Closed)] {
        summary.take(&line);
    }
    assert_eq!(summary.to_string(), "1 device, 1 connection, 2 requests, 22 bytes out, 1 refused");
}

#[test]
fn new_lines_are_read_as_they_were_written_and_a_cut_record_is_noticed() {
    let spaced = CONNECT.replace(",\"kind\"", ", \"kind\"");
    let whole = format!("{HEADER}{CONNECT}{spaced}");
    let (first, second) = ((HEADER.len() + CONNECT.len()) as u64, whole.len() as u64);
    let (one, other) = (CONNECT.trim_end(), spaced.trim_end());
    // The record, where to begin, the lines with their ends; `None` for an error.
    type Row<'a> = (String, u64, Option<Vec<(&'a str, u64)>>);
    let table: Vec<Row<'_>> = vec![
        (whole.clone(), 0, Some(vec![(one, first), (other, second)])),
        (whole.clone(), first, Some(vec![(other, second)])),
        (whole.clone(), second, Some(vec![])),
        (whole.clone(), second + 1, None),
        (whole.clone(), first - 1, None),
        (format!("{whole}{{\"time\""), first, Some(vec![(other, second)])),
        (format!("{whole}\0\0\0\n"), 0, Some(vec![(one, first), (other, second)])),
        (format!("{HEADER}no line\n{CONNECT}"), 0, None),
        (String::new(), 0, Some(vec![])),
    ];
    for (number, (content, from, expected)) in table.into_iter().enumerate() {
        let state = State::with(&format!("lines-from-{number}"), content.as_bytes());
        let mut lines = Vec::new();
        let read = lines_from(&state.0, from, |line, _, end| lines.push((line.to_owned(), end)));
        match expected {
            None => assert!(read.is_err(), "row {number}: {lines:?}"),
            Some(expected) => {
                read.unwrap_or_else(|error| panic!("row {number}: {error}"));
                assert_eq!(lines.iter().map(|(line, end)| (line.as_str(), *end)).collect::<Vec<_>>(), expected, "row {number}");
            }
        }
    }
    let none = State::new("lines-from-none");
    assert!(lines_from(&none.0, 0, |_, _, _| panic!("a line of a record that is not there")).is_ok());
    assert!(lines_from(&none.0, 5, |_, _, _| ()).is_err(), "a record that is gone");
}

#[test]
fn a_process_that_is_told_to_end_is_quiet_whatever_the_switch_says() {
    let state = State::new("ending");
    let record = state.open().expect("a new record");
    assert_eq!((record.quiet(), record.is_ending()), (None, false));
    hush(&state.0, "Ada: works on line 2").expect("set");
    assert_eq!(record.quiet(), Some(Hush::Switch("Ada: works on line 2".to_owned())));
    record.end();
    assert_eq!((record.quiet(), record.is_ending()), (Some(Hush::Ending), true));
}
