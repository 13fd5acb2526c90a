//! The gateway's page in a browser that we did not write: people come in, look, and do what they may; and no name becomes more than text.
//!
//! `NAMEPLATE_SHOTS=DIR` keeps pictures of the pages, to be looked at.

mod gateway;
#[path = "../browser_reports/payloads.rs"]
mod payloads;
#[expect(dead_code, reason = "the same plants, without what is written about them")]
#[path = "../browser_reports/plant.rs"]
mod plant;
mod rooms;
mod work;
/// What the plant wants of the tests of reports.
mod sight {
    pub const EVIDENCE: &str = "evidence";
}

use nameplate_tests::browser::{Browser, View, axe};
use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::rig;

use gateway::{Gateway, PASSWORD, Visitor};
use plant::Plant;

/// A phone, a desk, and a screen on a wall.
const WIDTHS: [u32; 3] = [375, 1280, 1920];
/// Devices of the plant that people look at.
const DEVICES: usize = 40;
/// Wrong passwords of one name behind which none is looked at for a while.
const WRONG_MAX: usize = 5;

#[test]
fn people_come_in_look_and_do_what_they_may() {
    const TEST: &str = "people_come_in_look_and_do_what_they_may";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let Some(rules) = needed(TEST, rig::available().and_then(|()| axe::rules())) else { return };
    // Accounts are none of its ledger, so that there is a first link.
    let plant = Plant::of_names(&product, &payloads::all()[..DEVICES]);
    let gateway = Gateway::over(&product, &plant.folder());
    let device = format!("/devices/{}", plant.ids[0]);
    let ada = the_first_link_makes_an_administrator(&gateway, &browser);
    a_wrong_password_lets_nobody_in(&gateway, &browser);
    somebody_comes_in_by_keyboard_alone(&gateway, &browser);
    // Each comes in once: who tries too often from one address is held up.
    let [vera, egon, otto] = accounts_are_made_and_their_people_come_in(&gateway, &browser, &ada);
    devices_are_filtered_sorted_and_shown_in_chosen_columns(&vera);
    a_device_cannot_be_asked_without_a_field_side(&egon, &plant.ids[0]);
    a_viewer_sees_no_more_than_a_viewer_may(&vera);
    another_page_does_nothing_in_somebodys_name(&gateway, &ada);
    a_token_is_made_used_and_revoked(&egon);
    work::a_reading_is_shown_with_its_bytes(&vera, &plant.ids[0]);
    work::a_view_is_kept_by_name_and_forgotten(&vera);
    work::a_report_is_opened_and_its_page_may_do_nothing(&vera);
    let listed = work::a_sheet_is_compared_and_taken_in(&vera, &egon);
    work::a_change_is_opened_left_and_closed(&egon, &listed);
    work::a_bundle_of_a_change_is_taken_home(&otto);
    evidence_is_taken_home_and_stands_in_the_log(&otto, &plant.ids[0]);
    let reading = first(&egon, &device, "#nameplate ~ .box tbody a");
    for path in ["/imports", "/changes", "/devices", reading.as_str()] {
        looked_at(&egon, path, &rules);
    }
    another_role_ends_a_session(&ada, &vera);
    who_logged_out_is_out(&egon);
    let change = first(&ada, "/changes", "#changes ~ .box tbody a");
    for path in ["/", "/devices", device.as_str(), "/changes", change.as_str(), "/reports", "/questions", "/accounts", "/log", "/own"] {
        looked_at(&ada, path, &rules);
    }
}

/// Where the first such link leads.
fn first(visitor: &Visitor<'_>, path: &str, selector: &str) -> String {
    visitor.open(path);
    let found = visitor.value(&format!("document.querySelector({selector:?}).getAttribute('href')"));
    found.as_str().unwrap_or_default().to_owned()
}

fn the_first_link_makes_an_administrator<'a>(gateway: &'a Gateway, browser: &'a Browser) -> Visitor<'a> {
    let visitor = gateway.visitor(browser);
    visitor.open("/devices?filter=model%3DM");
    assert_eq!(visitor.path(), "/login?next=/devices%3Ffilter%3Dmodel%253DM");
    visitor.redeem(&gateway.link, Some("Ada"));
    visitor.open(&gateway.link);
    assert_eq!(visitor.status(), 404, "a link is good once");
    visitor.log_in("Ada", PASSWORD);
    assert_eq!(visitor.path(), "/");
    assert!(visitor.text().contains("the field side is not there"), "{}", visitor.text());
    visitor
}

fn a_wrong_password_lets_nobody_in(gateway: &Gateway, browser: &Browser) {
    let visitor = gateway.visitor(browser);
    visitor.log_in("Ada", "not her password");
    assert_eq!((visitor.path().as_str(), visitor.status()), ("/login", 403));
    assert!(visitor.text().contains("name or password is wrong"));
    visitor.open("/devices");
    assert!(visitor.path().starts_with("/login"));
}

fn somebody_comes_in_by_keyboard_alone(gateway: &Gateway, browser: &Browser) {
    let visitor = gateway.visitor(browser);
    let press = |key| visitor.page.press(key).expect(key);
    let has_focus = |id: &str| assert_eq!(visitor.value("document.activeElement.id || document.activeElement.className"), id);
    visitor.open("/login");
    press("Tab");
    has_focus("skip");
    press("Tab");
    press("Tab");
    has_focus("name");
    visitor.page.enter("Ada").expect("typed");
    press("Tab");
    has_focus("password");
    visitor.page.enter(PASSWORD).expect("typed");
    press("Tab");
    assert_eq!(visitor.value("document.activeElement.localName"), "button");
    visitor.press("button:focus");
    assert_eq!(visitor.path(), "/");
    press("Tab");
    has_focus("skip");
    press("Enter");
    assert_eq!(visitor.value("location.hash"), "#main");
}

fn accounts_are_made_and_their_people_come_in<'a>(gateway: &'a Gateway, browser: &'a Browser, ada: &Visitor<'_>) -> [Visitor<'a>; 3] {
    let people = [("Vera", "viewer"), ("Egon", "engineer"), ("Otto", "auditor")].map(|(name, role)| {
        let link = ada.makes(name, role);
        gateway.visitor(browser).redeem(&link, None);
        let person = gateway.person(browser, name);
        person.open("/own");
        assert!(person.text().contains(&format!("{name}, {role}")), "{}", person.text());
        person
    });
    ada.open("/accounts");
    ada.fill("#name", "Vera");
    ada.press("form.fields button");
    assert!(ada.text().contains("there is an account \"Vera\" already"), "{}", ada.text());
    people
}

fn devices_are_filtered_sorted_and_shown_in_chosen_columns(vera: &Visitor<'_>) {
    let shown = || vera.value("[...document.querySelectorAll('tbody tr')].length").as_u64().unwrap_or_default();
    vera.open("/devices");
    let all = shown();
    let firmware = vera.value("[...document.querySelectorAll('tbody tr')].map(row => row.cells[5].textContent)[0]");
    vera.fill("#filter", &format!("firmware={}", firmware.as_str().unwrap_or_default()));
    vera.press(".conditions button");
    let some = shown();
    assert!((1..=all).contains(&some), "{some} of {all} have {firmware}");
    let others =
        vera.value(&format!("[...document.querySelectorAll('tbody tr')].filter(row => row.cells[5].textContent !== {firmware}).length"));
    assert_eq!(others, 0);
    vera.fill("#filter", "nothing");
    vera.press(".conditions button");
    assert!(vera.has("[role=alert]"), "what is no condition is said to be none");
    vera.open("/devices?sort=-last_seen&column=last_seen&column=ip");
    let seen = "[...document.querySelectorAll('tbody tr')].map(row => row.cells[2].textContent)";
    assert_eq!(vera.value(&format!("JSON.stringify({seen}) === JSON.stringify({seen}.sort().reverse())")), true);
    let header = vera.value("[...document.querySelectorAll('thead th')].map(cell => cell.textContent)");
    assert_eq!(header, serde_json::json!(["device", "ip", "last seen"]));
    assert_eq!(vera.value("document.querySelectorAll('[name=column]:checked').length"), 2);
}

fn a_device_cannot_be_asked_without_a_field_side(egon: &Visitor<'_>, id: &str) {
    egon.open(&format!("/devices/{id}"));
    assert!(egon.text().contains("The field side is not there, so nobody can be asked"), "{}", egon.text());
    assert!(egon.has("#nameplate") && egon.has("#timeline") && !egon.has("#proof"));
    egon.open("/devices/a-nobody");
    assert_eq!(egon.status(), 404);
}

fn a_viewer_sees_no_more_than_a_viewer_may(vera: &Visitor<'_>) {
    let rooms = vera.value("[...document.querySelectorAll('.rooms a')].map(one => one.textContent)");
    let seen = ["Overview", "Devices", "Findings", "Advisories", "Baselines", "Changes", "Map", "Reports", "Your account"];
    assert_eq!(rooms, serde_json::json!(seen));
    for path in ["/accounts", "/log", "/questions", "/imports", "/settings"] {
        vera.open(path);
        assert_eq!(vera.status(), 403, "{path}");
    }
    let posted = vera.value(
        "fetch('/accounts', {method: 'POST', body: new URLSearchParams({name: 'Eve', role: 'administrator'})}).then(it => it.status)",
    );
    assert_eq!(posted, 403);
}

fn another_page_does_nothing_in_somebodys_name(gateway: &Gateway, ada: &Visitor<'_>) {
    ada.open("data:text/html,<title>another</title>");
    let form = format!(
        "(() => {{ const form = document.createElement('form'); form.method = 'POST'; form.action = '{}/accounts'; \
         for (const [name, value] of [['name', 'Eve'], ['role', 'administrator']]) {{ const field = document.createElement('input'); \
         field.name = name; field.value = value; form.append(field); }} document.body.append(form); form.submit(); }})()",
        gateway.url
    );
    ada.page.follow(&form).expect("sent");
    assert!(!ada.text().contains("Eve"), "{}", ada.text());
    ada.open("/accounts");
    assert!(ada.text().contains("Vera") && !ada.text().contains("Eve"), "{}", ada.text());
}

fn a_token_is_made_used_and_revoked(egon: &Visitor<'_>) {
    egon.open("/own");
    egon.press("form[action='/own/tokens'] button");
    let token = egon.value("document.querySelector('.note code').textContent").as_str().unwrap_or_default().to_owned();
    assert!(token.starts_with("np_"), "{token}");
    let used = format!("fetch('/api/v1/me', {{credentials: 'omit', headers: {{authorization: 'Bearer {token}'}}}}).then(it => it.json())");
    assert_eq!(egon.value(&used)["rights"], serde_json::json!(["read"]));
    egon.press("form[action$='/revoke'] button");
    assert_eq!(egon.value(&used)["status"], 401);
    assert!(egon.text().contains("revoked by Egon"));
}

fn evidence_is_taken_home_and_stands_in_the_log(otto: &Visitor<'_>, id: &str) {
    otto.open(&format!("/devices/{id}/questions"));
    assert!(otto.text().contains("Nothing was sent to it here"), "{}", otto.text());
    let taken = format!("fetch('/devices/{id}/evidence', {{method: 'POST'}}).then(async it => [it.status, (await it.json()).format])");
    let taken = otto.value(&taken);
    assert_eq!(taken[0], 200, "{taken}");
    assert!(taken[1].is_string(), "{taken}");
    otto.open("/log");
    let log = otto.text();
    assert!(log.contains(&format!("Otto: takes a bundle of evidence about {id}")), "{log}");
    assert!(log.contains("Ada made an account for Vera: viewer"), "{log}");
}

fn another_role_ends_a_session(ada: &Visitor<'_>, vera: &Visitor<'_>) {
    ada.open("/accounts");
    ada.fill("form[action='/accounts/Vera'] select", "auditor");
    ada.press("form[action='/accounts/Vera'] button");
    assert_eq!(ada.path(), "/accounts");
    vera.open("/devices");
    assert!(vera.path().starts_with("/login"), "{}", vera.path());
    vera.log_in("Vera", PASSWORD);
    vera.open("/log");
    assert_eq!(vera.status(), 200);
}

fn who_guesses_is_locked_out(gateway: &Gateway, browser: &Browser) {
    let visitor = gateway.visitor(browser);
    for _ in 0..WRONG_MAX {
        visitor.log_in("Ada", "a wild guess");
    }
    visitor.log_in("Ada", PASSWORD);
    assert!(visitor.text().contains("too many wrong passwords for this name"), "not even the right one is looked at: {}", visitor.text());
}

fn who_logged_out_is_out(egon: &Visitor<'_>) {
    egon.press(".who button");
    assert_eq!(egon.path(), "/login");
    egon.open("/devices");
    assert!(egon.path().starts_with("/login"));
}

/// What nobody may find on a page, at any width and in both schemes.
fn looked_at(visitor: &Visitor<'_>, path: &str, rules: &str) {
    visitor.open(path);
    assert_eq!(visitor.status(), 200, "{path}");
    let name = if path == "/" { "overview".to_owned() } else { path.trim_start_matches('/').replace('/', "-") };
    for width in WIDTHS {
        for dark in [false, true] {
            visitor.page.emulate(&View { width, dark, ..View::default() }).expect(path);
            visitor.picture(&format!("{name} {width}{}", if dark { " dark" } else { "" }));
            let over = visitor.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(over, 0, "{path} at {width}: something stands beyond the page's edge");
            if width != WIDTHS[2] {
                let found = axe::findings(&visitor.page, rules).expect(path);
                let serious: Vec<_> = found.iter().filter(|one| one.is_serious()).collect();
                assert!(serious.is_empty(), "{path} at {width}, dark {dark}: {serious:#?}");
            }
        }
    }
    visitor.page.emulate(&View::default()).expect(path);
    is_quiet(visitor, path);
}

/// It opened no dialog, broke no policy and asked for nothing but what is ours.
fn is_quiet(visitor: &Visitor<'_>, path: &str) {
    let account = visitor.page.account().expect(path);
    let own = visitor.value("location.origin").as_str().unwrap_or_default().to_owned();
    // The browser's own pictures in fields for times ask nobody; one of the page's would be against its policy, and a complaint.
    let is_own = |url: &str| url.starts_with(&format!("{own}/")) || url.starts_with("data:image/svg+xml;base64,");
    let elsewhere: Vec<&String> = account.requests.iter().filter(|url| !is_own(url)).collect();
    assert_eq!((account.dialogs, account.complaints, elsewhere), (vec![], vec![], vec![]), "{path}");
    assert_eq!(visitor.value("window.__ran === undefined"), true, "{path}: a script ran");
}

/// Whether each name is looked at on each of its own pages, which takes minutes.
fn is_long() -> bool {
    std::env::var("NAMEPLATE_NAMES").is_ok_and(|word| word == "all")
}

/// Opens each threat that a document of hostile words names a device for; how many there are.
fn each_threat_is_quiet(ada: &Visitor<'_>, names: usize) -> usize {
    ada.open("/findings");
    let threats = ada.value("[...document.querySelectorAll('#by ~ .box tbody a')].map(one => one.getAttribute('href'))");
    let threats: Vec<String> = threats.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect();
    assert!(threats.len() > names / 4, "{} of {names} names are recognised in the document", threats.len());
    for path in threats.iter().step_by(if is_long() { 1 } else { 2 }) {
        ada.open(path);
        assert_eq!(ada.status(), 200, "{path}");
        is_quiet(ada, path);
    }
    threats.len()
}

/// Rooms in which all of them stand.
const HOSTILE_ROOMS: [&str; 12] = [
    "/",
    "/findings",
    "/findings?by=device",
    "/advisories",
    "/advisories/ACME-1",
    "/baselines",
    "/map",
    "/settings",
    "/changes",
    "/questions",
    "/log",
    "/accounts",
];

/// Reports of all, and of some devices; how many.
fn each_report_is_quiet(ada: &Visitor<'_>, ids: &[String]) -> usize {
    let reports = ["overview", "patches", "changes", "errors", "exemptions"].map(|kind| format!("/api/v1/reports/{kind}?format=html"));
    let own = ids.iter().map(|id| format!("/api/v1/reports/device?format=html&asset={id}")).take(DEVICES);
    let all: Vec<String> = reports.into_iter().chain(own).collect();
    for path in &all {
        ada.open_still(path);
        assert_eq!(ada.status(), 200, "{path}");
        is_quiet(ada, path);
    }
    all.len()
}

#[test]
fn two_hundred_hostile_names_are_text_on_every_page() {
    const TEST: &str = "two_hundred_hostile_names_are_text_on_every_page";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let names = payloads::all();
    assert!(names.len() >= 200, "{} names", names.len());
    let plant = Plant::of_names(&product, &names);
    rooms::told_of(&product, &plant.folder(), &names);
    let gateway = Gateway::over(&product, &plant.folder());
    gateway.visitor(&browser).redeem(&gateway.link, Some("Ada"));
    let ada = gateway.person(&browser, "Ada");
    gateway.visitor(&browser).redeem(&ada.makes("Egon", "engineer"), None);
    let egon = gateway.person(&browser, "Egon");
    who_guesses_is_locked_out(&gateway, &browser);
    let mut opened = 1;
    // All of them, page by page.
    let (mut listed, mut changes) = (String::new(), Vec::new());
    ada.open("/devices");
    loop {
        is_quiet(&ada, "/devices");
        listed += &ada.text();
        opened += 1;
        if !ada.has("main > p > a") {
            break;
        }
        ada.press("main > p > a");
    }
    assert!(opened > 3, "more than one page of devices");
    for path in HOSTILE_ROOMS {
        ada.open(path);
        is_quiet(&ada, path);
        opened += 1;
        if path == "/changes" {
            let links = ada.value("[...document.querySelectorAll('#changes ~ .box tbody a')].map(one => one.getAttribute('href'))");
            changes = links.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect();
        }
    }
    assert_eq!(changes.len(), names.len(), "each change has its page");
    let threats = each_threat_is_quiet(&ada, names.len());
    let mut own = 0;
    for (number, ((name, id), change)) in names.iter().zip(&plant.ids).zip(&changes).enumerate() {
        // Of each name one of its own pages, in turn; of each kind of page some fifty names. All of them: `cargo xtask soak --names`.
        let is_due = |kind: usize| is_long() || number % 4 == kind;
        let path = format!("/devices/{id}");
        if is_due(0) {
            ada.open(&path);
            is_quiet(&ada, &path);
            let text = ada.value("document.querySelector('main').textContent");
            assert!(text.as_str().is_some_and(|text| text.contains(name.shown)), "{path}: {:?} is not shown", name.shown);
        }
        // An engineer has the forms, too: devices to leave, what was typed.
        for (kind, visitor, path) in [(1, &ada, &format!("{path}/fields/manufacturer")), (2, &ada, change), (3, &egon, change)] {
            if is_due(kind) {
                visitor.open(path);
                assert_eq!(visitor.status(), 200, "{path}");
                is_quiet(visitor, path);
            }
        }
        own += (0..4).filter(|kind| is_due(*kind)).count();
    }
    let reports = each_report_is_quiet(&ada, &plant.ids);
    ada.open("/devices");
    ada.picture("hostile devices");
    eprintln!("{} names on {} pages", names.len(), opened + own + threats + reports);
    assert!(listed.contains("2.10"));
}
