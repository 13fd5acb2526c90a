//! What people do on the page beside looking: open a change and end it, bring sheets, keep views, read reports and bytes.

use serde_json::{Value, json};

use super::gateway::Visitor;
use super::{first, is_quiet};

/// Puts a file into a field, as somebody does who chose it.
fn choose(visitor: &Visitor<'_>, field: &str, name: &str, content: &str) {
    let chosen = format!(
        "(() => {{ const files = new DataTransfer(); files.items.add(new File([{}], {})); \
         document.querySelector({}).files = files.files; return files.files.length }})()",
        json!(content),
        json!(name),
        json!(field)
    );
    assert_eq!(visitor.value(&chosen), 1, "{name}");
}

pub fn a_change_is_opened_left_and_closed(egon: &Visitor<'_>, id: &str) {
    egon.open("/changes");
    egon.fill("#order", "WO-9001");
    egon.fill("#scope", &format!("{id}\n{id}"));
    egon.fill("#expected", "*:self.firmware_revision=?->9.9");
    egon.fill("#until", "2001-01-01T00:00");
    egon.press("form.wide button");
    assert!(egon.text().contains("the window ends before it begins"), "{}", egon.text());
    let typed = "['#order', '#scope'].map(field => document.querySelector(field).value.trim())";
    assert_eq!(egon.value(typed), json!(["WO-9001", format!("{id}\n{id}")]), "what was typed is still there");
    egon.fill("#scope", id);
    egon.fill("#until", "2099-01-01T00:00");
    egon.press("form.wide button");
    assert_eq!(egon.path(), "/changes/WO-9001", "{}", egon.text());
    assert!(egon.has(".next button"), "{}", egon.text());
    let agreed = egon.value("document.querySelector('details pre').textContent");
    let has_line = |text: &str| agreed.as_str().is_some_and(|agreed| agreed.lines().any(|line| line.starts_with(text)));
    assert!(has_line("requested   by Egon") && has_line("expected    ") && !agreed.to_string().contains("u{a}"), "{agreed}");
    // Nobody was heard in its window.
    egon.press(".next form:nth-of-type(2) button");
    assert!(egon.text().contains("Install it, and say so here"), "{}", egon.text());
    egon.value("document.querySelectorAll('details').forEach(one => one.open = true)");
    egon.picture("change with its forms");
    egon.value("document.querySelector('[name=asset]').checked = true");
    egon.fill("#left_until", "2099-01-01T00:00");
    egon.fill("#reason", "no outage before");
    egon.press("input[value=leave] ~ p button");
    assert!(egon.text().contains("left: deferred"), "{}", egon.text());
    egon.press(".next button");
    assert!(egon.text().contains("It is closed. Nothing is left to do."), "{}", egon.text());
}

pub fn a_bundle_of_a_change_is_taken_home(otto: &Visitor<'_>) {
    let taken = "fetch('/changes/WO-9001/evidence', {method: 'POST'}).then(async it => [it.status, (await it.json()).format])";
    let taken = otto.value(taken);
    assert_eq!((&taken[0], taken[1].is_string()), (&json!(200), true), "{taken}");
    otto.open("/log");
    assert!(otto.text().contains("Otto: takes a bundle of evidence about work order WO-9001"), "{}", otto.text());
}

/// Gives the id of a device that stands in the sheet alone.
pub fn a_sheet_is_compared_and_taken_in(vera: &Visitor<'_>, egon: &Visitor<'_>) -> String {
    let sheet = "tag,ip,firmware\nnot there,10.99.0.1,1.0\n<img src=x onerror=window.__ran=1>,10.99.0.2,1.0\nbroken,10.0.0.300,1\n";
    vera.open("/devices");
    choose(vera, "#sheet", "<b>plant.csv", sheet);
    vera.press("form[action='/devices/compare'] button");
    let told = vera.text();
    assert!(told.contains("<b>plant.csv and the catalog") && told.contains("not seen is not gone"), "{told}");
    assert!(told.contains("<img src=x onerror=window.__ran=1>") && told.contains("could not be read"), "{told}");
    is_quiet(vera, "a comparison");
    egon.open("/imports");
    choose(egon, "#sheet", "plant.csv", sheet);
    egon.press("form[action='/imports/devices'] button");
    assert!(egon.text().contains("2 rows taken, 1 left out"), "{}", egon.text());
    is_quiet(egon, "what was taken in");
    egon.open("/devices?filter=tag%3Dnot%20there");
    assert_eq!(egon.value("document.querySelectorAll('tbody tr').length"), 1, "{}", egon.text());
    let device = egon.value("document.querySelector('tbody th a').getAttribute('href')");
    device.as_str().unwrap_or_default().trim_start_matches("/devices/").to_owned()
}

pub fn a_view_is_kept_by_name_and_forgotten(vera: &Visitor<'_>) {
    vera.open("/devices?sort=-last_seen&column=ip&column=last_seen");
    vera.fill("#title", "What was heard last");
    vera.press("form[action='/devices/views'] button");
    vera.open("/devices");
    let shown = "[...document.querySelectorAll('.views a')].map(one => one.textContent)";
    assert_eq!(vera.value(shown), json!(["What was heard last"]));
    vera.press(".views a");
    let header = vera.value("[...document.querySelectorAll('thead th')].map(cell => cell.textContent)");
    assert_eq!(header, json!(["device", "ip", "last seen"]));
    vera.press("form.inline button");
    assert_eq!(vera.value(shown), json!([]));
}

pub fn a_report_is_opened_and_its_page_may_do_nothing(vera: &Visitor<'_>) {
    vera.open("/reports");
    vera.fill("#as_of", "2099-01-01");
    vera.press(".conditions button");
    assert!(vera.text().contains("As it was known at the end of 2099-01-01"), "{}", vera.text());
    let links = vera.value("[...document.querySelectorAll('.reports a')].map(one => one.getAttribute('href'))");
    let pages: Vec<&str> =
        links.as_array().expect("links").iter().filter_map(Value::as_str).filter(|link| link.contains("=html")).collect();
    assert_eq!(pages.len(), 6, "{links}");
    for page in pages {
        vera.open_still(page);
        assert_eq!(vera.status(), 200, "{page}");
        // Its style holds, by its hash; and no script of a device would run.
        assert_eq!(vera.value("getComputedStyle(document.querySelector('caption, footer')).color !== 'rgb(0, 0, 0)'"), true, "{page}");
        assert_eq!(vera.value("self.origin"), "null", "{page}: it has an origin of its own");
        is_quiet(vera, page);
    }
}

pub fn a_reading_is_shown_with_its_bytes(vera: &Visitor<'_>, id: &str) {
    let reading = first(vera, &format!("/devices/{id}"), "#nameplate ~ .box tbody a[href^='/observations/']");
    vera.open(&reading);
    assert_eq!((vera.status(), vera.has("pre mark")), (200, true), "{}", vera.text());
    is_quiet(vera, &reading);
}
