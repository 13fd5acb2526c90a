//! The page inside a bundle: it says what the bundle holds, hangs on the log, and runs nothing that a device said.

use nameplate_core::evidence::DECODER;
use nameplate_simulators::modbus::{Device, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code, simulated};
use serde_json::Value;

use crate::log::{hex, sha256};
use crate::mutate::Stock;
use crate::verifier;

/// What devices in the wild are called by those who want a page to do something.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</pre></mark><svg onload=alert(1)>",
    "<meta name=\"generator\" content=\"x\">",
    "&lt;b&gt;",
    "<!--",
];

/// A bundle about a device that says this; its page, the place of the bundle, and the site's fingerprint.
fn exported(product: &Product, state: &State, said: [&str; 4]) -> (String, String, String) {
    let objects = (0..).zip(said).map(|(object, text)| (object, text.as_bytes().to_vec()));
    let asked = simulated(Device::new(Persona::from_objects(objects.collect::<Vec<_>>())), {
        let (product, place) = (product.clone(), state.text());
        move |address| {
            let target = address.to_string();
            let words = ["ask", "--reason", "WO-7", "--time-factor", "0.001", "--state", &place, "--format", "ndjson", &target];
            product.run(words).expect(code::DONE).lines()
        }
    });
    let id = asked.0[0]["id"].as_str().expect("an id").to_owned();
    let file = state.path().join("device.evidence").to_string_lossy().into_owned();
    let said = product.run(["evidence", "export", &id, "--out", &file, "--state", &state.text()]).expect(code::DONE).err;
    let bundle: Value = serde_json::from_slice(&std::fs::read(&file).expect("a bundle")).expect("JSON");
    let fingerprint = said.trim_end().rsplit(' ').next().expect("a fingerprint").to_owned();
    (bundle["page"].as_str().expect("a page").to_owned(), file, fingerprint)
}

#[test]
fn the_page_says_what_the_bundle_holds_and_is_made_again_from_it() {
    let test = "the_page_says_what_the_bundle_holds_and_is_made_again_from_it";
    let Some((product, python)) = needed(test, Product::find().and_then(|product| Ok((product, verifier::python()?)))) else { return };
    let state = State::new();
    let (page, file, fingerprint) = exported(&product, &state, ["Schneider Electric", "PM710", "V02.000", "Pump 7"]);
    for told in
        [fingerprint.as_str(), "V02.000", "identity-object", "modbus.object.2", "schneider-electric/powerlogic-pm710", "asked for WO-7"]
    {
        assert!(page.contains(told), "{told} is not in {page}");
    }
    // The bytes of the release, marked, in hexadecimal and as text; a line of the dump ends within them.
    for told in ["02 07 <mark>56 30 32 2e 30 </mark>", "<mark>V02.0</mark>", "0030  <mark>30 30 </mark>03 06 50", "<mark>00</mark>..Pump 7"]
    {
        assert!(page.contains(told), "{told} is not in {page}");
    }
    let ended = product.run(["evidence", "verify", &file, "--key", &fingerprint]).expect(code::DONE);
    assert!(ended.out.contains("page: the same again"), "{}", ended.out);

    let [shown, theirs] = ["shown.html", "theirs.html"].map(|name| state.path().join(name).to_string_lossy().into_owned());
    product.run(["evidence", "show", &file, "--output", &shown]).expect(code::DONE);
    assert!(product.run(["evidence", "show", &file, "--output", &shown]).expect(code::INPUT).err.contains("shown.html"), "not overwritten");
    let (line, ended) = verifier::verdict_and_page(&python, &file, &fingerprint, &theirs);
    assert_eq!(ended, Some(0), "{line}");
    for file in [shown, theirs] {
        assert_eq!(std::fs::read_to_string(file).expect("a page"), page);
    }
    let changed = std::fs::read_to_string(&file).expect("a bundle").replacen("<title>Evidence", "<title>evidence", 1);
    let changed = state.file("changed.evidence", changed);
    let ended = product.run(["evidence", "verify", &changed, "--key", &fingerprint]).expect(code::FAILED);
    assert!(ended.out.starts_with("refused: the page "), "{}", ended.out);
    let shown = state.path().join("refused.html").to_string_lossy().into_owned();
    assert!(product.run(["evidence", "show", &changed, "--output", &shown]).expect(code::FAILED).err.contains("refused"));
    assert!(!std::path::Path::new(&shown).exists());
}

#[test]
fn nothing_that_a_device_says_is_more_than_text_on_the_page() {
    let Some(product) = needed("nothing_that_a_device_says_is_more_than_text_on_the_page", Product::find()) else { return };
    for name in HOSTILE {
        let state = State::new();
        let (page, file, fingerprint) = exported(&product, &state, [name; 4]);
        let shown = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(page.contains(&format!("<td>{shown}</td>")), "{name} is claimed: {page}");
        let tags: std::collections::BTreeSet<&str> =
            page.split('<').skip(1).filter_map(|tag| tag.split(|c: char| c.is_whitespace() || c == '>').next()).collect();
        let ours = [
            "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td",
            "pre", "mark", "header", "main", "footer", "section", "div", "caption", "time", "i",
        ];
        let strange: Vec<&&str> = tags.iter().filter(|tag| !ours.contains(&tag.trim_start_matches('/'))).collect();
        assert!(strange.is_empty(), "{name}: {strange:?}");
        assert_eq!(page.matches("<meta ").count(), 5, "{name}: charset, policy, viewport, referrer, generator");
        assert!(!page.contains("href") && !page.contains("src=x onerror=alert(1)>"), "{name}");
        let ended = product.run(["evidence", "verify", &file, "--key", &fingerprint]);
        assert!(ended.out.contains("page: the same again"), "{name}: {}", ended.out);
    }
}

#[test]
fn a_page_that_says_something_else_is_not_believed() {
    let Some(product) = needed("a_page_that_says_something_else_is_not_believed", Product::find()) else { return };
    let (stock, state) = (Stock::new(), State::new());
    let (subject, entries) = &stock.subjects[0];
    let of = |maker: &str| {
        let mut parts = stock.log.bundle(subject, entries);
        parts.page = format!("<meta name=\"generator\" content=\"{maker}\"><p>firmware 9.9");
        let name = hex(&sha256(&parts.page));
        // The site itself signs it.
        parts.entries.last_mut().expect("a list").change(|record| record["body"]["page_sha256"] = Value::from(name));
        let file = state.file("forged.evidence", parts.bytes());
        product.run(["evidence", "verify", &file, "--key", &stock.log.key.fingerprint()])
    };
    let ended = of(DECODER).expect(code::FAILED);
    assert!(ended.out.contains("authentic: ") && ended.err.contains("do not believe"), "{}{}", ended.out, ended.err);
    let ended = of("nameplate 9.9.9").expect(code::DONE);
    assert!(ended.out.contains("page: made by nameplate 9.9.9, not compared"), "{}", ended.out);
}
