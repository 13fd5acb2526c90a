//! The browser that judges our pages sees what there is to see: a judge that never finds anything would pass every page.

use nameplate_tests::browser::{Account, Browser, View, axe, file_url};
use nameplate_tests::place::needed;
use nameplate_tests::product::State;
use nameplate_tests::rig;
use serde_json::json;

fn html(policy: &str, body: &str) -> String {
    let policy = if policy.is_empty() { String::new() } else { format!("<meta http-equiv=Content-Security-Policy content=\"{policy}\">") };
    format!("<!DOCTYPE html><html lang=en><head><meta charset=utf-8>{policy}<title>t</title></head><body>{body}</body></html>")
}

#[test]
fn what_a_page_does_is_seen() {
    let Some(browser) = needed("what_a_page_does_is_seen", Browser::start()) else { return };
    let (page, folder) = (browser.page().expect("a page"), State::new());
    let check = |name: &str, policy: &str, body: &str, requests: &[&str], dialogs: &[&str], complaints: &[&str]| {
        let url = file_url(folder.file(&format!("{name}.html"), html(policy, body)));
        page.open(&url).expect(name);
        let Account { requests: asked, dialogs: opened, complaints: said } = page.account().expect(name);
        assert_eq!(asked, [&[url.as_str()], requests].concat(), "{name}");
        assert_eq!(opened, dialogs, "{name}");
        assert_eq!(said.len(), complaints.len(), "{name}: {said:?}");
        said.iter().zip(complaints).for_each(|(said, part)| assert!(said.contains(part), "{name}: {said}"));
    };
    let shut = "default-src 'none'";
    check("nothing", shut, "<h1>plain</h1>", &[], &[], &[]);
    check("dialogs", "", "<script>alert('one');confirm('two');prompt('three')</script>", &[], &["one", "two", "three"], &[]);
    check("an event", "", "<details ontoggle=alert(1) open>x</details>", &[], &["1"], &[]);
    check("console", "", "<script>console.error('bad');console.log('fine');console.warn('hm')</script>", &[], &[], &["bad", "hm"]);
    check("thrown", "", "<script>null.x</script>", &[], &[], &["TypeError"]);
    check("a script that is forbidden", shut, "<script>alert(1)</script>", &[], &[], &["Content Security Policy"]);
    check("a handler that is forbidden", shut, "<svg onload=alert(1)></svg>", &[], &[], &["Content Security Policy"]);
    let image = "http://plant.example/x.png";
    check("a request", "", &format!("<img alt=x src={image}>"), &[image], &[], &["ERR_NAME_NOT_RESOLVED"]);
    page.without_policy().expect("no policy");
    check("a script without its policy", shut, "<script>alert(2)</script>", &[], &["2"], &[]);
    assert!(page.open("file:///there/is/no/such/page.html").is_err());
    assert!(page.evaluate("null.x").expect_err("thrown").contains("TypeError"));
}

#[test]
fn a_page_is_shown_as_asked_for_and_obeys_the_keyboard() {
    const TEST: &str = "a_page_is_shown_as_asked_for_and_obeys_the_keyboard";
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let Some(rules) = needed(TEST, rig::available().and_then(|()| axe::rules())) else { return };
    let (page, folder) = (browser.page().expect("a page"), State::new());
    let body = "<style>body{margin:0;height:3000px;background:#fff}@media(prefers-color-scheme:dark){body{background:#000}}</style>\
        <a href='#b'>a</a><input id=b><p style='color:#eee'>faint</p>";
    page.open(&file_url(folder.file("shown.html", html("", body)))).expect("it opens");
    for (width, dark) in [(390, false), (1440, true)] {
        page.emulate(&View { width, dark, still: true, ..View::default() }).expect("emulated");
        let seen = "[innerWidth, matchMedia('(prefers-reduced-motion: reduce)').matches, getComputedStyle(document.body).backgroundColor]";
        let colour = if dark { "rgb(0, 0, 0)" } else { "rgb(255, 255, 255)" };
        assert_eq!(page.evaluate(seen).expect("seen"), json!([width, true, colour]));
        let png = page.screenshot().expect("a picture");
        // PNG (3rd edition), 11.2.1: width and height stand at 16 in the header's chunk.
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        assert_eq!((number(16), number(20)), (width, 3000));
    }
    page.emulate(&View::default()).expect("emulated");
    let focus = || page.evaluate("document.activeElement.tagName").expect("a name");
    page.press("Tab").expect("pressed");
    assert_eq!(focus(), "A");
    page.press("Enter").expect("pressed");
    assert_eq!(page.evaluate("location.hash").expect("a hash"), "#b");
    page.press("Tab").expect("pressed");
    page.enter("V2.10").expect("typed");
    assert_eq!((focus(), page.evaluate("b.value").expect("a value")), ("INPUT".into(), "V2.10".into()));
    assert!(page.press("Any").is_err());
    assert!(page.pdf().expect("a document").starts_with(b"%PDF-"));
    let found = axe::findings(&page, &rules).expect("it looks");
    let serious: Vec<&str> = found.iter().filter(|one| one.is_serious()).map(|one| one.rule.as_str()).collect();
    assert_eq!(serious, ["color-contrast", "label"], "{found:?}");
}
