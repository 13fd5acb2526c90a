use super::*;
use crate::baseline::{Decision, Event};
use crate::ledger::{Checkpoint, Head, SiteKey};

const TOML: &str = r#"
[[decision]]
decision = "approved"
profile = "computec/cws06"
release = "3.160"
preferred = true
until = "2027-03-01"
reason = "tested"

[[decision]]
decision = "disapproved"
manufacturer = "ACME"
model = "X1"
range = "< 2.0"
hardware = "A | B"
zone = "Boiler"
document = "B-7, page 3"
text = "=2+2 loses\nits clock"
reason = "see \"B-7\""

[[decision]]
decision = "in-test"
track = "vendor"
manufacturer = "ACME"
model = "X1"
release = "2.1"
document = "List"
reason = "-1"

[[decision]]
decision = "approved"
set = "pair"
together = ["87L-A", "87L-B"]
manufacturer = "ACME"
model = "L90"
release = "7.1"
reason = "both ends"
"#;

fn rows(form: Form, text: &str) -> Vec<Row> {
    read(form, text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}")).into_iter().map(|row| row.what).collect()
}

/// As the gateway writes a record: quoted, and a formula with an apostrophe before it.
fn csv(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        let formula = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        format!("\"{formula}{}\"", cell.replace('"', "\"\""))
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
}

#[test]
fn every_form_gives_back_what_was_written() {
    let first = rows(Form::Toml, TOML);
    assert_eq!(first.len(), 4);
    for form in [Form::Csv, Form::Toml, Form::Json, Form::Ndjson] {
        let text = write(form, &first, csv).unwrap();
        let again: Vec<Row> = rows(form, &text);
        let plain = |row: &Row| Row { text: row.text.replace('\n', " "), ..row.clone() };
        let same = first.iter().zip(&again).all(|(one, other)| plain(one) == plain(other));
        assert!(again.len() == 4 && same, "{form:?}\n{text}\n{again:#?}");
    }
    let text = write(Form::Csv, &first, csv).unwrap();
    assert!(text.contains("\"'=2+2") && text.contains("\"'-1\"") && !text.contains("\"=2"), "no cell runs: {text}");
}

#[test]
fn what_is_in_force_leaves_as_it_came_in() {
    let read = read(Form::Toml, TOML.as_bytes()).unwrap();
    let mut baselines = Baselines::default();
    for (index, one) in (1..).zip(proposed(&read, "Ada", true).unwrap()) {
        match one.what {
            Proposed::Release(approval) => baselines.take(&approval, index, 0),
            Proposed::Set(set) => baselines.take_event(&Event::Set(set), index, 0),
        }
    }
    let out = super::rows(&baselines, |_| true, 0);
    let own = |row: &Row| {
        let (track, part, field) = ("owner".to_owned(), "self".to_owned(), "firmware_revision".to_owned());
        let track = if row.track.is_empty() && row.set.is_empty() { track } else { row.track.clone() };
        Row { track, part, field, by: "Ada".to_owned(), ..row.clone() }
    };
    assert_eq!(out, read.iter().map(|row| own(&row.what)).collect::<Vec<_>>());
}

#[test]
fn who_a_file_names_has_decided_nothing_here() {
    let text = TOML.replacen("reason = \"tested\"", "reason = \"tested\"\nby = \"Grace\"\nsecond = \"Linus\"", 1);
    let read = read(Form::Toml, text.as_bytes()).unwrap();
    let first = |trusted| match &proposed(&read, "Ada", trusted).unwrap()[0].what {
        Proposed::Release(approval) => (approval.by.clone(), approval.second.clone(), approval.reason.clone()),
        Proposed::Set(_) => panic!("a release stands first"),
    };
    assert_eq!(first(false), ("Ada".into(), None, "tested (the file names Grace)".into()));
    assert_eq!(first(true), ("Grace".into(), None, "tested".into()));
}

/// A text that is refused, with where and why.
fn refused(form: Form, text: &str) -> String {
    match read(form, text.as_bytes()) {
        Err(invalid) => invalid.to_string(),
        Ok(rows) => proposed(&rows, "Ada", false).map_or_else(|e| e.to_string(), |rows| panic!("{text}\n{rows:#?}")),
    }
}

#[test]
fn what_is_no_baseline_says_line_and_column() {
    use Form::{Csv, Json, Ndjson, Toml};
    let head = "decision,manufacturer,model,release,reason,until,preferred,document\n";
    let csv = |row: &str| format!("{head}approved,ACME,X1,1.0,ok,,,\n{row}\n");
    let json = |row: &str| {
        format!("{{\"decision\":[\n{{\"decision\":\"approved\",\"profile\":\"a/b\",\"release\":\"1\",\"reason\":\"r\"}},\n{row}]}}")
    };
    for (form, text, says) in [
        (Csv, String::new(), "line 1: the file is empty"),
        (Csv, head.to_owned(), "holds no decision"),
        (Csv, "decision,colour\n".into(), "line 1, column 2: \"colour\" is no column of a baseline; there are decision, track"),
        (Csv, "decision,Decision\n".into(), "column 2: the column decision is there twice"),
        (Csv, csv("approved,ACME,X1,1.0"), "line 3, column reason: 4 cells, where the header has 8"),
        (Csv, csv("perhaps,ACME,X1,1.0,ok,,,"), "line 3, column decision: \"perhaps\" is no decision; there are approved"),
        (Csv, csv("approved,ACME,X1,1.0,ok,soon,,"), "line 3, column until: \"soon\" is no date"),
        (Csv, csv("approved,ACME,X1,1.0,ok,,maybe,"), "line 3, column preferred: \"maybe\" is neither yes nor no"),
        (Csv, csv("approved,ACME,,1.0,ok,,,"), "line 3: a product line is"),
        (Csv, csv("approved,ACME,X1,1.0,,,,"), "line 3: release, part, name and reason must not be empty"),
        (Csv, csv("approved,ACME,X1,1.\"0,ok,,,"), "line 3, column 4: a quotation mark inside a cell"),
        // Two that contradict each other: nothing tells which was meant.
        (
            Csv,
            csv("disapproved,acme,x1,01.0,ok,,,"),
            "line 3, column decision: calls \"01.0\" disapproved, and line 2 calls \"1.0\" approved",
        ),
        (Toml, TOML.replace("release = \"3.160\"", "release = 3.160"), "line 5, column 11: invalid type: floating point"),
        (Toml, TOML.replace("zone =", "zome ="), "unknown field `zome`"),
        (Toml, TOML.replace("[[decision]]", "[[decison]]"), "unknown field `decison`"),
        (Toml, "[[decision]]\ndecision = \"approved".into(), "line 2, column"),
        (Toml, TOML.replace("range = \"< 2.0\"", "range = \"the blue one\""), "line 10: of the range"),
        (Toml, TOML.replace("set = \"pair\"", "set = \"pair\"\nzone = \"Boiler\""), "column zone: a set has releases and devices"),
        (Toml, TOML.replace("set = \"pair\"\n", ""), "column together: only a set is for devices together"),
        (Toml, TOML.replace("document = \"B-7, page 3\"\n", ""), "column text: of which document?"),
        (Json, "{\"decision\":[".into(), "line 1, column 13"),
        (Json, json("{\"decision\":\"approved\",\"release\":1.10}"), "line 3, column 37: invalid type: floating point"),
        (Json, json("{\"decision\":\"approved\",\n\"colour\":1}"), "line 4, column 8: unknown field `colour`"),
        (Json, json("{\"decision\":\"approved\",\"profile\":\"a/b\",\"release\":\"1\"}"), "line 3: release, part, name and reason"),
        (Json, "[".repeat(100_000), "line 1"),
        (Json, format!("{{\"decision\":{}", "[".repeat(100_000)), "line 1"),
        (Ndjson, "\n{\"decision\":\"approved\"}\n[]\n".into(), "line 3"),
        (Ndjson, "{\"decision\":\"approved\",\"field\":\"colour\"}".into(), "line 1, column field: \"colour\" is no field"),
    ] {
        let said = refused(form, &text);
        let shown: String = text.chars().take(500).collect();
        assert!(said.contains(says), "{says:?}: {said}\n{shown}");
    }
}

#[test]
fn a_fix_inside_its_affected_range_is_refused_with_both() {
    let text = "decision,manufacturer,model,range,release,reason\ndisapproved,ACME,X1,<= 1.5,,affected\napproved,ACME,X1,,1.5,the fix\n";
    let said = refused(Form::Csv, text);
    assert_eq!(said, "line 3, column decision: calls \"1.5\" approved, and line 2 calls \"<= 1.5\" disapproved");
    let own = "decision,manufacturer,model,release,document,affected,reason\napproved,ACME,X1,1.5,SSA-1,<= 1.5; >= 2.0,the fix\n";
    let said = refused(Form::Csv, own);
    assert_eq!(said, "line 2: SSA-1: the fix \"1.5\" lies inside the range \"<= 1.5\" that the document calls affected");
}

#[test]
fn every_beginning_of_a_file_is_read_or_refused() {
    for form in [Form::Csv, Form::Toml, Form::Json, Form::Ndjson] {
        let text = write(form, &rows(Form::Toml, TOML), csv).unwrap();
        for end in 0..text.len() {
            let beginning = &text.as_bytes()[..end];
            if let Ok(rows) = read(form, beginning) {
                let _ = proposed(&rows, "Ada", false);
            }
        }
    }
    assert!(refused(Form::Toml, &"x".repeat(FILE_BYTES_MAX + 1)).contains("larger than 16 MiB"));
    let many = format!("decision\n{}", "approved\n".repeat(5_001));
    assert!(refused(Form::Csv, &many).contains("at most 5,000 decisions"));
    assert!(read(Form::Csv, b"decision\napproved\n\xff").unwrap_err().to_string().contains("line 3: this is no UTF-8"));
}

#[test]
fn a_seal_is_believed_of_this_file_and_this_key_alone() {
    let (key, other) = (SiteKey::of(&[7; 32]), SiteKey::of(&[8; 32]));
    let fingerprint = key.public().fingerprint();
    let sha256 = "ab".repeat(32);
    let note = Seal::sign(&sha256, &key);
    let open =
        |note: &str, sha256: &str, fingerprint: &str| Seal::open(note, sha256, fingerprint).map(|seal| seal.key).map_err(|e| e.to_string());
    assert_eq!(open(&note, &sha256, &fingerprint), Ok(key.public()));
    let checkpoint = Checkpoint { origin: key.public().origin(), head: Head { size: 7, root: [0; 32] } }.sign(&key);
    for (note, of, trusted, why) in [
        (note.clone(), "cd".repeat(32), fingerprint.clone(), "of another file"),
        (note.clone(), sha256.clone(), other.public().fingerprint(), "signed by another key"),
        (note.replace(&sha256, &"cd".repeat(32)), "cd".repeat(32), fingerprint.clone(), "signature is wrong"),
        (
            note.replace(&key.public().digits(), &other.public().digits()),
            sha256.clone(),
            other.public().fingerprint(),
            "not that of the key",
        ),
        (note.replace("baseline-pack", "42"), sha256.clone(), fingerprint.clone(), "not the four lines"),
        (checkpoint, sha256.clone(), fingerprint.clone(), "not the four lines"),
        (String::new(), sha256.clone(), fingerprint.clone(), "no signature of a baseline"),
    ] {
        let said = open(&note, &of, &trusted);
        assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{why}: {said:?}");
    }
    assert_eq!(Decision::ALL.map(|decision| Decision::named(decision.name())), Decision::ALL.map(Some));
}
