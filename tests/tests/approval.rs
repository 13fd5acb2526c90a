//! Decisions that take two persons, come from a file, or leave something as it is: as their owner meets them.

use nameplate_tests::place::{needed, root};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// Found what `--fail-on` names.
const FOUND: i32 = 1;

/// Both ends of a line protection, and a controller.
const PLANT: &str = "ip,tag,zone,manufacturer,model,hw,firmware\n\
    10.0.0.1,87L-A,Boiler,ACME,L90,B,7.1\n\
    10.0.0.2,87L-B,Boiler,ACME,L90,B,7.2\n\
    10.0.0.3,PLC-1,Turbine,ACME,X1,,1.4\n";

/// A site with the plant's sheet, and the product.
struct Site {
    product: Product,
    state: State,
}

impl Site {
    fn new(product: &Product) -> Self {
        let site = Self { product: product.clone(), state: State::new() };
        let sheet = site.state.file("plant.csv", PLANT);
        site.run(&["import", "devices", &sheet]).expect(code::DONE);
        site
    }

    fn run(&self, words: &[&str]) -> Ended {
        let place = self.state.path().join("kept").to_string_lossy().into_owned();
        self.product.run(words.iter().copied().chain(["--state", &place]))
    }

    fn decide(&self, step: &str, product: &str, release: &str, more: &[&str]) -> Ended {
        self.run(
            &[&["baseline", step, "--manufacturer", "ACME", "--model", product, "--release", release, "--reason", "tested"], more].concat(),
        )
    }

    /// Of a device, by the end of its address: what `check` says.
    fn line(&self, address: &str) -> Value {
        let line = self.run(&["check", "--format", "csv"]).expect(code::DONE).out;
        let id = line.lines().find(|line| line.contains(address)).and_then(|line| line.split(',').next()).expect("a device").to_owned();
        let lines = self.run(&["check"]).expect(code::DONE).lines();
        lines.into_iter().find(|line| line["asset"] == id.as_str()).expect("its line")
    }

    fn verdict(&self, address: &str) -> String {
        text(&self.line(address), "conformance")
    }
}

fn text(line: &Value, key: &str) -> String {
    line[key].as_str().unwrap_or_default().to_owned()
}

fn entry(ended: &Ended) -> String {
    ended.lines()[0]["entry"].to_string()
}

const TWO: [&str; 7] = ["baseline", "policy", "--two-persons", "--by", "Ada", "--reason", "site rule 7"];

#[test]
fn where_two_persons_are_the_rule_one_proposes_and_another_approves() {
    const TEST: &str = "where_two_persons_are_the_rule_one_proposes_and_another_approves";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let site = Site::new(&product);
    assert_eq!(site.run(&["baseline", "policy"]).expect(code::DONE).lines()[0]["two_persons"], false);
    site.run(&TWO).expect(code::DONE);
    let alone = site.decide("approve", "L90", "7.1", &["--by", "Ada"]).expect(code::USAGE);
    assert!(alone.err.contains("needs two persons here: propose it, or name --second"), "{}", alone.err);
    let proposal = entry(&site.decide("propose", "L90", "7.1", &["--by", "Ada"]).expect(code::DONE));
    assert_eq!(site.verdict("10.0.0.1"), "not-listed", "a proposal approves nothing");
    let accept = |by: &str| site.run(&["baseline", "approve", "--proposal", &proposal, "--by", by]);
    assert!(accept(" ADA").expect(code::USAGE).err.contains("who proposed it does not approve it"));
    let line = accept("Grace").expect(code::DONE).lines().remove(0);
    assert_eq!((text(&line, "by"), text(&line, "second"), line["proposal"].to_string()), ("Ada".into(), "Grace".into(), proposal.clone()));
    assert!(accept("Linus").expect(code::USAGE).err.contains("was accepted by entry"));
    let line = site.line("10.0.0.1");
    assert_eq!(text(&line, "conformance"), "conforms");
    assert!(text(&line, "reason").starts_with("approved by Ada and Grace: tested"), "{line}");
    // Alone one may say no, and not lift the rule.
    site.decide("disapprove", "X1", "1.4", &["--by", "Ada"]).expect(code::DONE);
    let lift = ["baseline", "policy", "--one-person", "--by", "Ada", "--reason", "in a hurry"];
    assert!(site.run(&lift).expect(code::USAGE).err.contains("it takes two to lift it"));
    site.run(&[&lift[..], &["--second", "Grace"]].concat()).expect(code::DONE);
    let withdrawn = entry(&site.decide("propose", "L90", "7.2", &["--by", "Ada"]).expect(code::DONE));
    let line =
        site.run(&["baseline", "withdraw", &withdrawn, "--by", "Ada", "--reason", "taken back"]).expect(code::DONE).lines().remove(0);
    assert!(text(&line, "force").starts_with("withdrawn by entry"), "{line}");
    // The evidence of a device holds the proposal too, and both verifiers take it.
    let asset = text(&site.line("10.0.0.1"), "asset");
    let bundle = site.state.path().join("a.evidence").to_string_lossy().into_owned();
    site.run(&["evidence", "export", &asset, "--out", &bundle]).expect(code::DONE);
    let ours = product.run(["evidence", "verify", &bundle]);
    assert!(ours.out.contains("unknown signer") && !ours.out.contains("not authentic"), "{}{}", ours.out, ours.err);
    let held = std::fs::read_to_string(&bundle).expect("a bundle");
    assert!(held.contains(r#"\"step\":\"proposed\""#) && held.contains(r#"\"step\":\"accepted\""#), "{held}");
    let second = std::fs::read_to_string(root().join("tests/verify/verify_evidence.py")).expect("the second verifier");
    assert!(second.contains("\"baseline\""), "it knows the kind of entry");
}

#[test]
fn ranges_hardware_and_scope_come_from_the_command_line() {
    const TEST: &str = "ranges_hardware_and_scope_come_from_the_command_line";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let site = Site::new(&product);
    let of = |step: &str, model: &str, more: &[&str]| {
        let own = ["baseline", step, "--manufacturer", "ACME", "--model", model, "--by", "Ada", "--reason", "SSA-1"];
        site.run(&[&own[..], more].concat())
    };
    of("approve", "L90", &["--range", ">= 7.1", "--hardware", "A | B", "--scope", "zone=boiler"]).expect(code::DONE);
    assert_eq!((site.verdict("10.0.0.1"), site.verdict("10.0.0.2")), ("conforms".into(), "conforms".into()));
    of("disapprove", "X1", &["--range", "<= 1.5", "--hardware", "C"]).expect(code::DONE);
    let line = site.line("10.0.0.3");
    assert_eq!(text(&line, "conformance"), "unknown", "the hardware is not known: {line}");
    assert!(text(&line, "reason").contains("hardware_revision"), "{line}");
    of("disapprove", "X1", &["--range", "<= 1.5"]).expect(code::DONE);
    assert_eq!(site.verdict("10.0.0.3"), "disapproved");
    // A fix inside of what is affected: an error that names both.
    let fix = of("approve", "X1", &["--release", "1.5"]).expect(code::USAGE);
    assert!(fix.err.contains("1.5 cannot be approved: <= 1.5 was disapproved by Ada in entry"), "{}", fix.err);
    let fix = of("approve", "X1", &["--release", "1.6", "--document", "SSA-1", "--affected", "<= 1.6"]).expect(code::USAGE);
    assert!(fix.err.contains("the fix \"1.6\" lies inside the range \"<= 1.6\""), "{}", fix.err);
    of("in-test", "L90", &["--release", "7.2"]).expect(code::DONE);
    assert_eq!(site.verdict("10.0.0.2"), "in-test");
    of("supersede", "L90", &["--release", "7.1"]).expect(code::DONE);
    assert_eq!(site.verdict("10.0.0.1"), "superseded");
    let failed = site.run(&["check", "--fail-on", "superseded", "--fail-on", "in-test"]).expect(FOUND);
    assert!(failed.err.contains("2 lines found"), "{}", failed.err);
    of("approve", "L90", &["--release", "7.3", "--preferred"]).expect(code::DONE);
    assert_eq!(text(&site.line("10.0.0.1"), "target"), "7.3");
    of("approve", "L90", &["--release", "7.2", "--vendor", "--document", "List 7"]).expect(code::DONE);
    assert_eq!(text(&site.line("10.0.0.2"), "vendor"), "approved");
    for (more, says) in [
        (&["--range", "the blue ones"][..], "was not understood"),
        (&["--release", "1", "--range", "< 2"], "cannot be used with"),
        (&["--release", "1", "--scope", "colour=red"], "is no scope"),
        (&["--release", "1", "--scope", "boiler"], "write zone=Boiler"),
        (&["--release", "1", "--vendor"], "--document"),
        (&["--release", "1", "--proposal", "3"], "cannot be used with"),
        (&[], "--release"),
    ] {
        let ended = of("approve", "L90", more).expect(code::USAGE);
        assert!(ended.err.contains(says), "{more:?}: {}", ended.err);
    }
    let listed = site.run(&["devices", "--approved-only"]).expect(code::DONE);
    assert_eq!(listed.out, "", "none conforms now");
}

#[test]
fn what_is_left_as_it_is_does_not_fail_a_check_until_its_day() {
    const TEST: &str = "what_is_left_as_it_is_does_not_fail_a_check_until_its_day";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let site = Site::new(&product);
    site.decide("disapprove", "X1", "1.4", &["--by", "Ada"]).expect(code::DONE);
    site.run(&["check", "--fail-on", "disapproved"]).expect(FOUND);
    let asset = text(&site.line("10.0.0.3"), "asset");
    let waive = ["baseline", "waive", "--asset", &asset, "--by", "Ada", "--reason", "replaced in spring"];
    for (more, says) in [(&[][..], "--until"), (&["--until", "2020-01-01"], "is over already"), (&["--until", "soon"], "is no date")] {
        assert!(site.run(&[&waive[..], more].concat()).expect(code::USAGE).err.contains(says), "{more:?}");
    }
    let waived = site.run(&[&waive[..], &["--until", "2199-12-31"]].concat()).expect(code::DONE).lines().remove(0);
    assert_eq!((text(&waived, "kind"), text(&waived, "state")), ("waived".into(), "in force".into()));
    let passed = site.run(&["check", "--fail-on", "disapproved"]).expect(code::DONE);
    assert!(passed.err.contains("1 left as it is for a time"), "{}", passed.err);
    let line = site.line("10.0.0.3");
    assert_eq!(text(&line, "conformance"), "disapproved", "the verdict stays");
    assert!(text(&line, "reason").contains("waived until 2199-12-31"), "{line}");
    // When its day is over, it is back, and says what it was.
    let later = site.run(&["check", "--fail-on", "disapproved", "--as-of", "2200-01-01"]).expect(FOUND);
    assert!(later.out.contains("no longer waived: that ended 2199-12-31"), "{}", later.out);
    let deferral = ["baseline", "defer", "--finding", "CVE-2023-1234", "--review", "2199-01-01", "--by", "Ada", "--reason", "no outage"];
    site.run(&deferral).expect(code::DONE);
    site.run(&["baseline", "mitigate", "--until", "2199-01-01", "--by", "Ada", "--reason", "of what?"]).expect(code::USAGE);
    let listed = site.run(&["baseline", "exemptions", "--as-of", "2199-06-01"]).expect(code::DONE).lines();
    let states: Vec<String> = listed.iter().map(|line| text(line, "state")).collect();
    assert_eq!(states, ["in force", "review is due"]);
}

const FILE: &str = "decision,track,manufacturer,model,release,set,together,reason,document\n\
    approved,,ACME,L90,7.1,pair,87L-A; 87L-B,both ends,\n\
    approved,vendor,ACME,X1,1.4,,,from the list,\"List 7, page 2\"\n\
    approved,,ACME,X1,1.6,,,'=cmd|' /C calc'!A1,\n";

#[test]
fn a_file_is_proposed_and_a_vendor_s_list_stands_beside_it() {
    const TEST: &str = "a_file_is_proposed_and_a_vendor_s_list_stands_beside_it";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let site = Site::new(&product);
    let file = site.state.file("fleet.csv", FILE);
    let import = |file: &str| site.run(&["import", "baseline", file, "--by", "Ada"]);
    let lines = import(&file).expect(code::DONE).lines();
    let force: Vec<String> = lines.iter().map(|line| text(line, "force")).collect();
    assert_eq!(force, ["proposed, waits for another person", "in force", "proposed, waits for another person"]);
    assert_eq!((text(&lines[1], "track"), text(&lines[2], "reason")), ("vendor".into(), "=cmd|' /C calc'!A1".into()));
    assert!(text(&site.line("10.0.0.3"), "reason").starts_with("not listed by the owner (vendor approves, entry"));
    let accept = |line: &Value| site.run(&["baseline", "approve", "--proposal", &line["entry"].to_string(), "--by", "Grace"]);
    assert!(accept(&lines[1]).expect(code::USAGE).err.contains("is no proposal"));
    accept(&lines[0]).expect(code::DONE);
    accept(&lines[2]).expect(code::DONE);
    let judged = site.run(&["baseline", "sets", "--fail-on-mixed"]).expect(FOUND).lines().remove(0);
    assert_eq!((text(&judged, "set"), text(&judged, "conformance")), ("pair".into(), "mixed".into()));
    assert!(judged["off"].to_string().contains("self has 7.2, the set 7.1"), "{judged}");
    // What goes out is run by no spreadsheet.
    let csv = site.run(&["baseline", "export"]).expect(code::DONE).out;
    assert!(csv.contains(",'=cmd|") && !csv.contains(",=cmd"), "{csv}");
    // One bad row, and nothing is taken.
    let before = site.run(&["baseline", "list"]).expect(code::DONE).out;
    for (name, content, says) in [
        ("a.csv", FILE.replace("1.6", ""), "line 4: release, part, name and reason must not be empty; nothing of the file was taken"),
        ("b.csv", FILE.replace(",set,", ",colour,"), "line 1, column 6: \"colour\" is no column of a baseline"),
        ("c.csv", FILE.replace(",X1,1.6", ",X1\n"), "line 4, column release: 4 cells"),
        ("d.toml", "[[decision]]\ndecision = 1\n".to_owned(), "line 2, column 12: invalid type"),
        ("e.json", "{\"decision\":[{\"release\":1.10}]}".to_owned(), "line 1, column 28: invalid type: floating point"),
        ("f.json", "[".repeat(1_000_000), "line 1"),
        ("g.txt", FILE.to_owned(), "its name ends in none of"),
        ("h.csv", "decision,profile,release,reason\napproved,no/such,1,x\n".to_owned(), "line 2, column profile: no profile is called"),
        (
            "i.csv",
            "decision,profile,release,reason,assets\napproved,computec/cws06,1,x,a-0\n".to_owned(),
            "line 2, column assets: no device",
        ),
    ] {
        let ended = import(&site.state.file(name, content)).expect(code::INPUT);
        assert!(ended.err.contains(says), "{name}: {}", ended.err);
    }
    import("no-such.csv").expect(code::INPUT);
    assert_eq!(site.run(&["baseline", "list"]).expect(code::DONE).out, before);
}

#[test]
fn a_signed_file_is_approved_as_a_whole_where_its_key_is_trusted() {
    const TEST: &str = "a_signed_file_is_approved_as_a_whole_where_its_key_is_trusted";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let (from, to) = (Site::new(&product), Site::new(&product));
    to.run(&TWO).expect(code::DONE);
    from.decide("approve", "L90", "7.1", &["--by", "Ada", "--second", "Grace", "--until", "2199-03-01"]).expect(code::DONE);
    from.decide("disapprove", "X1", "1.4", &["--by", "Ada"]).expect(code::DONE);
    let set = from.state.file("set.csv", FILE.lines().take(2).collect::<Vec<_>>().join("\n"));
    let proposal = entry(&from.run(&["import", "baseline", &set, "--by", "Ada"]).expect(code::DONE));
    from.run(&["baseline", "approve", "--proposal", &proposal, "--by", "Grace"]).expect(code::DONE);
    let out = |name: &str| from.state.path().join(name).to_string_lossy().into_owned();
    let mut fingerprint = String::new();
    for name in ["fleet.csv", "fleet.json", "fleet.ndjson", "fleet.toml"] {
        let form = name.rsplit('.').next().unwrap_or_default();
        let signed = from.run(&["baseline", "export", "--as", form, "--out", &out(name), "--sign"]).expect(code::DONE);
        fingerprint = signed.err.split_whitespace().last().unwrap_or_default().to_owned();
    }
    let file = out("fleet.toml");
    let import = |file: &str, more: &[&str]| to.run(&[&["import", "baseline", file, "--by", "Linus"], more].concat());
    let wrong = "ab".repeat(32);
    for (more, ends, says) in [
        (&["--as-approved-by", "Margaret"][..], code::USAGE, "--trust"),
        (&["--trust", &wrong, "--as-approved-by", "Margaret"], code::FAILED, "signed by another key, with the fingerprint"),
        (&["--trust", &fingerprint, "--as-approved-by", "ada"], code::INPUT, "the second person must be another one"),
    ] {
        let ended = import(&file, more).expect(ends);
        assert!(ended.err.contains(says), "{more:?}: {}", ended.err);
    }
    let trusted = ["--trust", &fingerprint, "--as-approved-by", "Margaret"];
    let changed = from.state.file("changed.toml", std::fs::read_to_string(&file).expect("a file").replace("7.1", "7.2"));
    assert!(import(&changed, &trusted).expect(code::INPUT).err.contains("changed.toml.sig"));
    std::fs::copy(out("fleet.toml.sig"), out("changed.toml.sig")).expect("copied");
    assert!(import(&changed, &trusted).expect(code::FAILED).err.contains("of another file, or the file was changed"));
    assert_eq!(to.run(&["baseline", "list"]).expect(code::DONE).out, "", "nothing of all that was taken");
    import(&file, &trusted).expect(code::DONE);
    let line = to.line("10.0.0.1");
    assert!(text(&line, "reason").starts_with("approved by Ada and Margaret: tested"), "{line}");
    assert_eq!(to.verdict("10.0.0.3"), "disapproved");
    assert_eq!(to.run(&["baseline", "sets"]).expect(code::DONE).lines().len(), 1);
    for name in ["fleet.csv", "fleet.json", "fleet.ndjson"] {
        let other = Site::new(&product);
        let more = ["--by", "Linus", "--trust", &fingerprint, "--as-approved-by", "Grace"];
        other.run(&[&["import", "baseline", &out(name)], &more[..]].concat()).expect(code::DONE);
        let again = other.run(&["baseline", "export", "--as", "ndjson"]).expect(code::DONE).out;
        let plain = |text: &str| {
            let own = |line: &str| {
                let mut line: Value = serde_json::from_str(line).expect("a line");
                for key in ["document", "document_sha256", "second"] {
                    line.as_object_mut().expect("a row").remove(key);
                }
                line.to_string()
            };
            text.lines().map(own).collect::<Vec<_>>()
        };
        assert_eq!(plain(&again), plain(&std::fs::read_to_string(out("fleet.ndjson")).expect("a file")), "{name}");
    }
}

#[test]
fn the_help_of_every_step_says_what_it_does_and_shows_it() {
    const TEST: &str = "the_help_of_every_step_says_what_it_does_and_shows_it";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let steps = "approve disapprove in-test supersede not-applicable propose withdraw waive mitigate defer policy list sets export";
    for step in steps.split(' ') {
        let help = product.run(["baseline", step, "--help"]).expect(code::DONE).out;
        assert!(help.contains("Example"), "{step}: {help}");
    }
    let help = product.run(["import", "baseline", "--help"]).expect(code::DONE).out;
    for word in ["--as-approved-by", "not-applicable", "together", "nothing of the file is taken"] {
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(word), "{word}: {help}");
    }
}
