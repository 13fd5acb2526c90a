//! Findings, advisories, baselines, the map and the settings, as people use them; and news without loading a page again.

use nameplate::store::{Draft, Store, now_ns};
use nameplate_core::baseline::{Approval, Decision, ProductLine};
use nameplate_core::ledger::Body;
use nameplate_tests::browser::{Browser, axe};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::rig;
use serde_json::{Value, json};

use super::gateway::{Gateway, Visitor};
use super::payloads::Name;
use super::{is_quiet, looked_at};

/// Two meters of one kind and a drive; the first is affected.
const SHEET: &str = "tag,ip,manufacturer,model,firmware,serial,zone,purdue_level,device_class\n\
                     P-1,10.0.0.1,Acme,M-1,1.2,S-1,North,2,power-meter\nP-2,10.0.0.2,Acme,M-1,1.3,S-2,North,,power-meter\nP-3,10.0.1.3,Other,M-2,2.0,S-3,South,,drive\n";

/// A document about products, each with a vulnerability of its own: what the title says, the maker, the model, before which release.
pub fn document(products: &[(&str, &str, &str, &str)]) -> String {
    let of = |at: usize, (_, maker, name, before): &(&str, &str, &str, &str)| {
        let release = json!({"category": "product_version_range", "name": format!("vers:generic/<{before}"),
            "product": {"product_id": format!("P-{at}"), "name": format!("{name} before {before}")}});
        json!({"category": "vendor", "name": maker, "branches": [{"category": "product_name", "name": name, "branches": [release]}]})
    };
    let vulnerability = |at: usize, (title, ..): &(&str, &str, &str, &str)| {
        json!({"cve": format!("CVE-2026-{}", 10_000 + at), "title": title, "product_status": {"known_affected": [format!("P-{at}")]},
            "scores": [{"products": [format!("P-{at}")], "cvss_v3": {"version": "3.1", "baseScore": 9.8, "baseSeverity": "CRITICAL",
                        "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
            "remediations": [{"category": "vendor_fix", "details": format!("Update. {title}"), "product_ids": [format!("P-{at}")], "url": "javascript:__ran=1"}]})
    };
    let branches: Vec<Value> = products.iter().enumerate().map(|(at, one)| of(at, one)).collect();
    let vulnerabilities: Vec<Value> = products.iter().enumerate().map(|(at, one)| vulnerability(at, one)).collect();
    let title = products.first().map_or("", |(title, ..)| *title);
    json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": title,
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://psirt.example"},
            "tracking": {"id": "ACME-1", "status": "final", "version": "1",
                "initial_release_date": "2026-02-01T10:00:00Z", "current_release_date": "2026-03-01T10:00:00Z",
                "revision_history": [{"date": "2026-02-01T10:00:00Z", "number": "1", "summary": "first"}]},
        },
        "product_tree": {"branches": branches},
        "vulnerabilities": vulnerabilities,
    })
    .to_string()
}

/// A document and a decision on releases of each of these names, in a state that nobody holds.
pub fn told_of(product: &Product, state: &str, names: &[Name]) {
    let folder = State::new();
    let products: Vec<(&str, &str, &str, &str)> = names.iter().map(|name| (name.said, name.said, name.said, "2.11")).collect();
    let file = folder.file("names.json", document(&products));
    product.run(["import", "advisories", &file, "--state", state]).expect(code::DONE);
    let approval = |name: &Name| {
        let line = ProductLine { manufacturer: Some(name.said.to_owned()), model: Some(name.said.to_owned()), ..ProductLine::default() };
        Approval::of(Decision::Approved, line, "2.10", name.said, name.said)
    };
    let drafts: Vec<Draft> =
        names.iter().map(approval).filter(|one| one.check().is_ok()).map(|one| Draft::new(now_ns(), Body::Approval(one))).collect();
    assert!(drafts.len() > names.len() / 2, "{} of {} can be the name of a person and a maker", drafts.len(), names.len());
    Store::write(std::path::Path::new(state)).expect("a store").append(&drafts).expect("appended");
}

#[test]
fn people_see_what_threatens_and_decide_in_two() {
    const TEST: &str = "people_see_what_threatens_and_decide_in_two";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let Some(rules) = needed(TEST, rig::available().and_then(|()| axe::rules())) else { return };
    let state = State::new();
    let sheet = state.file("plant.csv", SHEET);
    let advisory = state.file("acme.json", document(&[("a hole in the clock", "Acme", "M-1", "1.3")]));
    product.run(["import", "devices", &sheet, "--state", &state.text()]).expect(code::DONE);
    product.run(["import", "advisories", &advisory, "--state", &state.text()]).expect(code::DONE);
    let gateway = Gateway::over(&product, &state.text());
    gateway.visitor(&browser).redeem(&gateway.link, Some("Ada"));
    let ada = gateway.person(&browser, "Ada");
    let [egon, petra] = [("Egon", "engineer"), ("Petra", "approver")].map(|(name, role)| {
        let link = ada.makes(name, role);
        gateway.visitor(&browser).redeem(&link, None);
        gateway.person(&browser, name)
    });
    a_threat_leads_to_its_devices_and_their_proof(&egon);
    a_device_is_found_by_what_threatens_it(&egon);
    a_field_says_what_it_rests_on(&egon);
    a_document_is_found_by_its_words(&egon);
    let proposal = an_engineer_proposes_and_cannot_accept(&egon);
    an_approver_accepts_and_the_device_conforms(&petra, &proposal);
    a_proposal_is_given_up(&egon);
    a_mistake_is_said_where_it_was_made(&egon);
    a_release_is_disapproved_and_a_finding_deferred(&petra);
    the_map_leads_to_the_devices_of_a_zone(&egon);
    settings_are_for_those_who_look_after_it(&ada, &egon);
    news_come_without_loading_the_page_again(&ada, &petra);
    who_logged_out_elsewhere_is_told_that_there_is_no_news(&petra);
    let device = first(&ada, "/devices", "tbody th a");
    let field = format!("{device}/fields/firmware_revision");
    for path in [
        "/findings",
        "/findings?by=device",
        "/findings/CVE-2026-10000",
        "/advisories",
        "/advisories/ACME-1",
        "/baselines",
        proposal.as_str(),
        "/map",
        "/settings",
        field.as_str(),
    ] {
        looked_at(&ada, path, &rules);
    }
    looked_at(&egon, "/baselines", &rules);
}

fn first(visitor: &Visitor<'_>, path: &str, selector: &str) -> String {
    visitor.open(path);
    let found = visitor.value(&format!("document.querySelector({selector:?}).getAttribute('href')"));
    found.as_str().unwrap_or_default().to_owned()
}

/// All that stands in a table's row with these words.
fn row(visitor: &Visitor<'_>, table: &str, words: &str) -> String {
    let rows = format!(
        "[...document.querySelectorAll('#{table} ~ .box tbody tr')].map(row => row.innerText).find(row => row.includes({}))",
        json!(words)
    );
    visitor.value(&rows).as_str().unwrap_or_default().to_owned()
}

fn a_threat_leads_to_its_devices_and_their_proof(egon: &Visitor<'_>) {
    egon.open("/");
    egon.press(".rooms a[href='/findings']");
    let said = row(egon, "by", "CVE-2026-10000");
    assert!(said.contains("a hole in the clock") && said.contains("1 affected, 1 not affected"), "{said}");
    egon.press("#by ~ .box tbody a");
    assert_eq!(egon.path(), "/findings/CVE-2026-10000");
    assert!(egon.text().contains("Update. a hole in the clock"), "{}", egon.text());
    // The proof is opened by keyboard alone.
    egon.value("document.querySelector('details summary').focus()");
    egon.page.press("Enter").expect("Enter");
    let shown = egon.value("[...document.querySelectorAll('details[open] pre')].map(one => one.innerText).join()");
    let shown = shown.as_str().unwrap_or_default();
    assert!(["vers:generic/<1.3", "inside", "document", "sha256", "policy"].iter().all(|word| shown.contains(word)), "{shown}");
    assert!(!egon.has("a[href^='javascript']"));
}

fn a_device_is_found_by_what_threatens_it(egon: &Visitor<'_>) {
    egon.open("/findings?by=device");
    let all = egon.value("document.querySelectorAll('#by ~ .box tbody tr').length").as_u64().unwrap_or_default();
    egon.value("document.querySelector('#band').value = 'critical'");
    egon.press(".conditions button");
    let some = egon.value("document.querySelectorAll('#by ~ .box tbody tr').length").as_u64().unwrap_or_default();
    assert!(some <= all && egon.path().contains("by=device&band=critical"), "{some} of {all}: {}", egon.path());
    egon.open("/findings?by=device");
    egon.press("#by ~ .box tbody a");
    assert!(egon.text().contains("CVE-2026-10000 in ACME-1"), "{}", egon.text());
}

fn a_field_says_what_it_rests_on(egon: &Visitor<'_>) {
    egon.press("#nameplate ~ .box a[href$='firmware_revision']");
    assert!(egon.path().ends_with("/fields/firmware_revision"), "{}", egon.path());
    assert!(egon.text().contains("plant.csv row"), "{}", egon.text());
}

fn a_document_is_found_by_its_words(egon: &Visitor<'_>) {
    egon.open("/advisories");
    for (words, found) in [("clock HOLE", true), ("cve-2026-10000", true), ("toaster", false)] {
        egon.fill("#words", words);
        egon.press(".conditions button");
        assert_eq!(egon.has("#documents ~ .box tbody a"), found, "{words}");
    }
    egon.open("/advisories");
    egon.press("#documents ~ .box tbody a");
    assert!(egon.text().contains("Acme PSIRT") && egon.text().contains("P-1"), "{}", egon.text());
}

/// Fills in a decision and sends it.
fn decides(visitor: &Visitor<'_>, section: &str, release: &str) {
    visitor.open("/baselines");
    for (name, text) in [("manufacturer", "Acme"), ("model", "M-1"), ("release", release), ("reason", "tested, WO-17")] {
        visitor.fill(&format!("#{section} ~ form [name={name}]"), text);
    }
    visitor.press(&format!("#{section} ~ form button"));
}

fn an_engineer_proposes_and_cannot_accept(egon: &Visitor<'_>) -> String {
    egon.open("/baselines");
    assert!(egon.has("#propose") && !egon.has("#decide") && !egon.has("#leave"));
    decides(egon, "propose", "1.3");
    let proposal = egon.path();
    assert!(proposal.starts_with("/baselines/") && egon.text().contains("You proposed it"), "{proposal}: {}", egon.text());
    assert!(!egon.has("input[value=accept]"));
    let sent = format!("fetch('{proposal}', {{method: 'POST', body: new URLSearchParams({{act: 'accept'}})}}).then(it => it.status)");
    assert_eq!(egon.value(&sent), 403);
    proposal
}

fn an_approver_accepts_and_the_device_conforms(petra: &Visitor<'_>, proposal: &str) {
    petra.open("/baselines");
    assert!(row(petra, "waiting", "1.3").contains("Egon"));
    petra.press("#waiting ~ .box tbody a");
    assert_eq!(petra.path(), proposal);
    petra.press("button.big");
    assert!(petra.text().contains("in force") && petra.text().contains("P-2"), "{}", petra.text());
    petra.open("/baselines");
    assert!(row(petra, "conformance", "P-2").contains("conforms"), "{}", petra.text());
    assert!(row(petra, "conformance", "P-1").contains("not-listed"), "{}", petra.text());
}

fn a_proposal_is_given_up(egon: &Visitor<'_>) {
    decides(egon, "propose", "1.4");
    egon.fill("#why", "the vendor took it back");
    egon.press("form:has([value=withdraw]) button");
    assert!(egon.text().contains("withdrawn by entry") && !egon.has("#next"), "{}", egon.text());
}

fn a_mistake_is_said_where_it_was_made(egon: &Visitor<'_>) {
    decides(egon, "propose", "");
    assert_eq!(egon.status(), 400);
    assert!(egon.text().contains("which release"), "{}", egon.text());
}

fn a_release_is_disapproved_and_a_finding_deferred(petra: &Visitor<'_>) {
    decides(petra, "decide", "1.2");
    assert!(petra.text().contains("disapproved"), "{}", petra.text());
    petra.open("/baselines");
    assert!(row(petra, "conformance", "P-1").contains("disapproved"), "{}", petra.text());
    for (field, text) in [("finding", "CVE-2026-10000"), ("until", "2101-01-01"), ("reason", "no outage before")] {
        petra.fill(&format!("#leave-{field}"), text);
    }
    petra.press("#leave ~ form button");
    assert!(row(petra, "exemptions", "no outage before").contains("Petra"), "{}", petra.text());
    petra.open("/findings");
    assert!(row(petra, "by", "CVE-2026-10000").contains("left"), "{}", petra.text());
}

fn the_map_leads_to_the_devices_of_a_zone(egon: &Visitor<'_>) {
    egon.open("/map");
    assert_eq!(egon.value("document.querySelectorAll('svg.map circle').length"), 3);
    assert_eq!(egon.value("document.querySelectorAll('svg.map line').length"), 0, "no link is made up");
    assert!(row(egon, "zones", "as its owner says\t2").contains("1 power-meter"), "{}", egon.text());
    egon.press("#zones ~ .box tbody a");
    assert_eq!(egon.value("document.querySelectorAll('tbody tr').length"), 2, "{}", egon.text());
}

fn settings_are_for_those_who_look_after_it(ada: &Visitor<'_>, egon: &Visitor<'_>) {
    egon.open("/settings");
    assert_eq!((egon.status(), egon.has(".rooms a[href='/settings']")), (403, false));
    ada.open("/settings");
    assert!(row(ada, "configuration", "disk_free_min").contains("512 MB or 5%"), "{}", ada.text());
    assert!(row(ada, "seen", "ledger").contains("ok") || !row(ada, "seen", "ledger").is_empty(), "{}", ada.text());
    is_quiet(ada, "/settings");
}

/// Waits, in the page, until these words stand there; asked again with `window.__seen`.
fn waits_for(visitor: &Visitor<'_>, where_: &str, words: &str) {
    let seen = format!(
        "window.__seen = new Promise(done => {{ const look = () => document.querySelector('{where_}').innerText.includes({0}) && done(true); \
         new MutationObserver(look).observe(document.body, {{childList: true, subtree: true, characterData: true}}); look(); }}), true",
        json!(words)
    );
    assert_eq!(visitor.value(&seen), true);
}

fn news_come_without_loading_the_page_again(ada: &Visitor<'_>, petra: &Visitor<'_>) {
    ada.open("/");
    ada.value("window.__mark = 'the same page'");
    let count = row(ada, "listener", "entries in the ledger")
        .split_whitespace()
        .last()
        .and_then(|count| count.parse::<u64>().ok())
        .expect("a count");
    ada.value("document.querySelector('.rooms a').focus()");
    waits_for(ada, "#main", &format!("entries in the ledger\t{}", count + 1));
    decides(petra, "decide", "1.1");
    assert_eq!(ada.value("window.__seen"), true);
    assert_eq!(ada.value("window.__mark + ', ' + document.activeElement.textContent"), "the same page, Overview");
    is_quiet(ada, "/");
}

fn who_logged_out_elsewhere_is_told_that_there_is_no_news(petra: &Visitor<'_>) {
    petra.open("/");
    waits_for(petra, "body", "not kept up to date any more");
    assert_eq!(petra.value("fetch('/logout', {method: 'POST'}).then(it => it.url.endsWith('/login'))"), true);
    assert_eq!(petra.value("window.__seen"), true);
}
