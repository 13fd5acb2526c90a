//! Versions and ranges against what public advisories say of themselves: the order that publishers state, their bounds and the releases
//! beside them, and every text of the corpus put together again from what was read of it.

mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use nameplate_core::range::Range;
use nameplate_core::version::{Relation, Scheme, Version};
use nameplate_tests::place::{self, needed, root};
use nameplate_tests::product::{Ended, Product, code};
use serde_json::{Value, json};
use wrong::{DEFECTIVE_FACTS, WRONG_OUTSIDE};

/// Rows of the truth that may be called inside though they are not, of a thousand.
const FALSE_INSIDE_PER_MILLE_MAX: usize = 5;
/// Rows that may stay undecided, of a hundred.
const UNDECIDED_PER_CENT_MAX: usize = 6;
/// Rows that may be called outside though they are not, shown to be wrong one by one.
const WRONG_OUTSIDE_MAX: usize = 5;

fn rows(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn text<'r>(row: &'r Value, key: &str) -> &'r str {
    row[key].as_str().unwrap_or_default()
}

fn scheme(row: &Value) -> &'static Scheme {
    Scheme::of(text(row, "vendor"), text(row, "product")).expect("the last scheme fits all")
}

#[test]
fn every_order_that_a_publisher_states_is_ours() {
    let Some(shared) = needed("every_order_that_a_publisher_states_is_ours", place::shared()) else { return };
    let facts = rows(&shared.join("advisories/truth/order_facts.jsonl"));
    let mut broken = BTreeSet::new();
    for fact in &facts {
        let (low, high) = (Version::read(scheme(fact), text(fact, "lo")), Version::read(scheme(fact), text(fact, "hi")));
        let relation = low.compare(&high);
        let strict = fact["strict"] == true;
        if relation != Relation::Before && (strict || relation != Relation::Equal) {
            broken.insert((text(fact, "advisory").to_owned(), text(fact, "lo").to_owned(), text(fact, "hi").to_owned()));
        }
    }
    let known: BTreeSet<_> =
        DEFECTIVE_FACTS.iter().map(|(advisory, low, high, _)| ((*advisory).into(), (*low).into(), (*high).into())).collect();
    println!("{} of {} facts, {} in defective advisories", facts.len() - broken.len(), facts.len(), broken.len());
    assert_eq!(broken, known);
}

/// The program with these lines on standard input.
fn asked(product: &Product, lines: String) -> Ended {
    let mut command = product.command(["range"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("ended");
    writer.join().expect("no panic").expect("written");
    let shown = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: shown(output.stdout),
        err: shown(output.stderr),
        took: std::time::Duration::ZERO,
    }
}

#[derive(Default)]
struct Count {
    rows: usize,
    right: usize,
    undecided: usize,
    false_inside: usize,
    false_outside: usize,
}

#[test]
fn no_version_in_a_range_is_called_outside() {
    let Some(product) = needed("no_version_in_a_range_is_called_outside", Product::find()) else { return };
    let Some(shared) = needed("no_version_in_a_range_is_called_outside", place::shared()) else { return };
    let truth = ["range_boundary_and_fix", "range_neighbours"].map(|name| rows(&shared.join(format!("advisories/truth/{name}.jsonl"))));
    let truth: Vec<Value> = truth.into_iter().flatten().collect();
    let question =
        |row: &Value| json!({"vendor": row["vendor"], "product": row["product"], "range": row["range"], "version": row["version"]});
    let ended = asked(&product, truth.iter().map(|row| format!("{}\n", question(row))).collect()).expect(code::DONE);
    let answers: Vec<Value> = ended.lines();
    assert_eq!(answers.len(), truth.len(), "one answer a line");
    let mut schemes: BTreeMap<&str, Count> = BTreeMap::new();
    let mut outside = BTreeSet::new();
    for (row, answer) in truth.iter().zip(&answers) {
        let count = schemes.entry(text(answer, "scheme")).or_default();
        count.rows += 1;
        assert!(!text(answer, "reason").is_empty() && !text(answer, "parsed").is_empty(), "{answer}");
        match (text(answer, "verdict"), text(row, "expected")) {
            ("inside", "affected") | ("outside", "not_affected") => count.right += 1,
            ("undecided", _) => count.undecided += 1,
            ("inside", _) => count.false_inside += 1,
            (verdict, _) => {
                assert_eq!(verdict, "outside");
                count.false_outside += 1;
                outside.insert((text(row, "advisory"), text(row, "range"), text(row, "version")));
            }
        }
    }
    println!("{:24} {:>6} {:>6} {:>10} {:>13} {:>14}", "scheme", "rows", "right", "undecided", "false inside", "false outside");
    for (name, count) in &schemes {
        let Count { rows, right, undecided, false_inside, false_outside } = count;
        println!("{name:24} {rows:>6} {right:>6} {undecided:>10} {false_inside:>13} {false_outside:>14}");
    }
    let sum = |of: fn(&Count) -> usize| schemes.values().map(of).sum::<usize>();
    println!("all: {} rows, {} undecided, {} false inside", truth.len(), sum(|c| c.undecided), sum(|c| c.false_inside));
    assert_eq!(outside, WRONG_OUTSIDE.iter().map(|(advisory, range, version, _)| (*advisory, *range, *version)).collect());
    const { assert!(WRONG_OUTSIDE.len() <= WRONG_OUTSIDE_MAX) };
    assert!(sum(|c| c.false_inside) * 1000 < truth.len() * FALSE_INSIDE_PER_MILLE_MAX);
    assert!(sum(|c| c.undecided) * 100 < truth.len() * UNDECIDED_PER_CENT_MAX);
}

#[test]
fn a_bad_line_comes_back_with_its_number_and_the_others_are_answered() {
    let Some(product) = needed("a_bad_line_comes_back_with_its_number_and_the_others_are_answered", Product::find()) else { return };
    let good = r#"{"id":1.50,"vendor":"Siemens","range":"< V4.7 HF29","version":"V4.7"}"#;
    let facts = r#"{"range":"All versions with Function State (FS) < 11","facts":{"function_state":8}, "version":"V1"}"#;
    let bad = [r#"{"range":"< 2","version":1.10}"#, "{", "[]", r#"{"version":"1"}"#, r#"{"range":"< 2","facts":{"os":1.5}}"#];
    let lines = format!("{good}\n\n{}\n{facts}\n{good}", bad.join("\n"));
    let ended = asked(&product, lines).expect(code::INPUT);
    let answers: Vec<Value> = ended.lines();
    let verdicts: Vec<&str> = answers.iter().map(|answer| text(answer, "verdict")).collect();
    assert_eq!(verdicts, ["inside", "", "", "", "", "", "inside", "inside"]);
    for (answer, (number, line)) in answers[1..6].iter().zip((3..).zip(bad)) {
        assert_eq!((&answer["line"], &answer["input"]), (&json!(number), &json!(line)));
        assert!(!text(answer, "error").is_empty());
    }
    assert!(ended.out.starts_with(r#"{"id":1.50,"#), "the line was written anew: {}", ended.out);
    let again = asked(&product, format!("{}\n", ended.out.lines().next().expect("a line"))).expect(code::DONE);
    assert_eq!(again.out.matches("\"verdict\"").count(), 1, "{}", again.out);
    let long = format!("{{\"range\":\"{}\"}}\n{good}\n", "9".repeat(1 << 21));
    let verdicts: Vec<Value> = asked(&product, long).expect(code::INPUT).lines();
    assert_eq!((&verdicts[0]["line"], &verdicts[1]["verdict"]), (&json!(1), &json!("inside")));
}

/// A cell of the corpus' tables: without the quotes around it.
fn cell(cell: &str) -> &str {
    cell.strip_prefix('\'').and_then(|cell| cell.strip_suffix('\'')).unwrap_or(cell)
}

fn table(file: &Path, column: usize) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().skip(1).filter_map(|line| line.split('\t').nth(column)).map(|text| cell(text).to_owned()).collect()
}

/// Compares lines with those that are checked in; `NAMEPLATE_GOLDEN=write` writes them anew.
fn golden(name: &str, header: &str, now: &BTreeSet<String>) {
    let file = root().join("tests/golden").join(name);
    if std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write") {
        let lines: String = now.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&file, format!("{header}\n{lines}")).expect("written");
    }
    let text = fs::read_to_string(&file).unwrap_or_default();
    let before: BTreeSet<String> = text.lines().skip(1).map(str::to_owned).collect();
    let new: Vec<_> = now.difference(&before).collect();
    let gone: Vec<_> = before.difference(now).collect();
    assert!(new.is_empty() && gone.is_empty(), "{name}: new {new:#?}, gone {gone:#?}");
}

#[test]
fn every_text_is_put_together_again_and_what_was_not_read_is_known() {
    let Some(shared) = needed("every_text_is_put_together_again_and_what_was_not_read_is_known", place::shared()) else { return };
    let plain = Scheme::named("plain").expect("the last scheme");
    let mut unread = BTreeSet::new();
    let ranges = table(&shared.join("advisories/range_strings.tsv"), 1);
    for text in &ranges {
        let range = Range::read(plain, text);
        let again: String = range.pieces().iter().filter_map(|piece| text.get(piece.bytes.clone())).collect();
        assert_eq!(&again, text, "characters were dropped");
        let rests: Vec<&str> = range.rests().map(str::trim).collect();
        if !rests.is_empty() {
            unread.insert(format!("range\t{text}\t{}", rests.join(" \u{b7} ")));
        }
    }
    let read = ranges.len() - unread.len();
    let file = shared.join("profiles/version-strings.tsv");
    let versions: Vec<(String, String)> = table(&file, 0).into_iter().zip(table(&file, 2)).collect();
    for (vendor, text) in &versions {
        let version = Version::read(Scheme::of(vendor, "").expect("a scheme"), text);
        let again: String = version.pieces().iter().filter_map(|piece| text.get(piece.bytes.clone())).collect();
        assert_eq!(&again, text, "characters were dropped");
        if !version.is_whole() {
            unread.insert(format!("version\t{text}\t{}", version.rest().trim()));
        }
    }
    println!("ranges: {read} of {} read to their end", ranges.len());
    assert!(read * 100 > ranges.len() * 90);
    golden("unread-versions.tsv", "kind\ttext\tunread", &unread);
}

#[test]
fn every_vendor_has_the_scheme_that_is_known() {
    let Some(shared) = needed("every_vendor_has_the_scheme_that_is_known", place::shared()) else { return };
    let vendors = table(&shared.join("advisories/vendor_strings.tsv"), 0);
    let scheme = |vendor: &String| Scheme::of(vendor, "").expect("the last scheme fits all").name.as_str();
    let own = vendors.iter().filter(|vendor| scheme(vendor) != "plain");
    golden("vendor-schemes.tsv", "vendor\tscheme", &own.map(|vendor| format!("{vendor}\t{}", scheme(vendor))).collect());
}
