//! Every page that the product writes, in a browser that we did not write: what a reader sees at every width, in light and dark, by
//! keyboard and on paper; and that no name becomes more than text, in pages, CSV and workbooks.
//!
//! `NAMEPLATE_SHOTS=DIR` keeps pictures of the pages, to be looked at.

mod cells;
mod payloads;
mod plant;
mod sight;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nameplate_tests::browser::{Browser, Page, View, axe, file_url};
use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::rig;
use serde_json::Value;

use plant::{Plant, Written};

/// A phone, a desk, and a screen on a wall.
const WIDTHS: [u32; 3] = [390, 1280, 1920];
/// The report on a device is written about every so manieth one where nobody wants all.
const DEVICE_EACH: usize = 4;
/// A bundle is written about every so manieth device: each makes the log longer.
const EVIDENCE_EACH: usize = 5;
/// Prints pages and text of each document that it is given, as JSON.
const PDF: &str = "import json,sys,pypdf\n\
    print(json.dumps([[page.extract_text() for page in pypdf.PdfReader(name).pages] for name in sys.argv[1:]]))";

/// Documents as another program reads them: their pages, each as its text without blanks.
fn printed(documents: &[String]) -> Result<Vec<Vec<String>>, String> {
    let said = Command::new(rig::python()).args(["-c", PDF]).args(documents).output().map_err(|error| error.to_string())?;
    let texts: Vec<Vec<String>> =
        serde_json::from_slice(&said.stdout).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&said.stderr)))?;
    Ok(texts.into_iter().map(|pages| pages.iter().map(|text| without_blanks(text)).collect()).collect())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Keeps a picture, where somebody wants to look.
fn picture(page: &Page<'_>, name: &str) {
    if let Some(folder) = std::env::var_os("NAMEPLATE_SHOTS") {
        let file = Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(&file, page.screenshot().expect(name)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

/// What nobody may find on a page, however it is shown.
fn looked_at(page: &Page<'_>, written: &Written, rules: &str) {
    let name = &written.name;
    let url = file_url(&written.file);
    page.open(&url).expect(name);
    sight::sound(page, name);
    for width in WIDTHS {
        for dark in [false, true] {
            page.emulate(&View { width, dark, ..View::default() }).expect(name);
            let over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth").expect(name);
            assert_eq!(over, 0, "{name} at {width}: something stands beyond the page's edge");
            // What is too faint is so at every width; what cannot be reached differs by width.
            if width != WIDTHS[2] {
                let found = axe::findings(page, rules).expect(name);
                let serious: Vec<_> = found.iter().filter(|one| one.is_serious()).collect();
                assert!(serious.is_empty(), "{name} at {width}, dark {dark}: {serious:#?}");
            }
            picture(page, &format!("{name} {width}{}", if dark { " dark" } else { "" }));
        }
    }
    // A4 across, without its margins, in CSS pixels.
    page.emulate(&View { width: 1047, print: true, ..View::default() }).expect(name);
    let ground = page.evaluate("getComputedStyle(document.body).backgroundColor").expect(name);
    assert_eq!(ground, "rgb(255, 255, 255)", "{name}: paper is white");
    assert_eq!(page.evaluate(sight::BROKEN).expect(name), serde_json::json!([]), "{name}: broken in two on paper");
    picture(page, &format!("{name} print"));
    page.emulate(&View::default()).expect(name);
    let account = page.account().expect(name);
    assert_eq!(account.requests, [url], "{name}");
    assert_eq!((account.dialogs, account.complaints), (vec![], vec![]), "{name}");
}

#[test]
fn every_page_is_readable_at_every_width_in_light_and_dark_and_on_paper() {
    const TEST: &str = "every_page_is_readable_at_every_width_in_light_and_dark_and_on_paper";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let Some(rules) = needed(TEST, rig::available().and_then(|()| axe::rules())) else { return };
    let begun = Instant::now();
    let plant = Plant::of_history(&product);
    let pages = [plant.every("html"), vec![plant.evidence(&plant.ids[0])]].concat();
    let page = browser.page().expect("a page");
    let (mut documents, mut words) = (Vec::new(), Vec::new());
    for written in &pages {
        looked_at(&page, written, &rules);
        let document = format!("{}.pdf", written.file);
        std::fs::write(&document, page.pdf().expect("a document")).expect("written");
        documents.push(document);
        let said = page.evaluate("[document.title, ...[...document.querySelectorAll('h2, tbody td:not(.sign)')].map(e => e.textContent)]");
        words.push(said.expect("words"));
    }
    for ((written, pages), words) in pages.iter().zip(printed(&documents).expect("documents are read")).zip(&words) {
        let whole = pages.concat().to_lowercase();
        assert!(!pages.is_empty() && pages.iter().all(|page| !page.is_empty()), "{}: a page without a word", written.name);
        for word in words.as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(whole.contains(&without_blanks(word).to_lowercase()), "{}: {word:?} is not on paper: {whole}", written.name);
        }
    }
    eprintln!("{} pages at {} widths in {:.1} s", pages.len(), WIDTHS.len(), begun.elapsed().as_secs_f64());
}

#[test]
fn a_page_is_read_with_the_keyboard_alone() {
    const TEST: &str = "a_page_is_read_with_the_keyboard_alone";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    let plant = Plant::of_history(&product);
    let page = browser.page().expect("a page");
    let written = plant.written("html", &["report", "changes"]);
    page.emulate(&View { width: 390, height: 500, ..View::default() }).expect("shown");
    page.open(&file_url(&written.file)).expect("it opens");
    let focus = || page.evaluate("document.activeElement.textContent.slice(0, 30)").expect("a focus");
    page.press("Tab").expect("pressed");
    assert_eq!(focus(), "Skip to the tables");
    let seen = page.evaluate("(r => r.left >= 0 && r.top >= 0 && r.width > 0)(document.activeElement.getBoundingClientRect())");
    assert_eq!(seen.expect("a place"), true, "what has the focus is seen");
    page.press("Enter").expect("pressed");
    assert_eq!(page.evaluate("[location.hash, Math.round(t1.getBoundingClientRect().top)]").expect("there"), serde_json::json!(["#t1", 0]));
    page.press("Tab").expect("pressed");
    assert_eq!(page.evaluate("document.activeElement.className").expect("a class"), "box");
    let (from, header) = (
        "document.activeElement.scrollLeft",
        "document.querySelector('th').getBoundingClientRect().top - document.querySelector('.box').getBoundingClientRect().top",
    );
    for _ in 0..5 {
        page.press("ArrowRight").expect("pressed");
        page.press("ArrowDown").expect("pressed");
    }
    assert!(page.evaluate(from).expect("a number").as_f64().is_some_and(|moved| moved > 0.0), "arrows move a table that is too wide");
    assert!(page.evaluate(header).expect("a number").as_f64().is_some_and(|top| top >= 0.0), "the header stays in sight");
}

/// What is looked for is there to be found: on the same page, were a name not written as text.
fn bare_name_runs(written: &Written, with: &Page<'_>, without: &Page<'_>) {
    let bare = std::fs::read_to_string(&written.file).expect("a page").replace("&lt;", "<").replace("&gt;", ">");
    let file = format!("{}.bare.html", written.file);
    std::fs::write(&file, bare).expect("written");
    for page in [with, without] {
        page.open(&file_url(&file)).expect("it opens");
    }
    let (wrong, _) = sight::seen(without, &written.name);
    assert!(wrong.iter().any(|one| one == "a script ran") && wrong.len() > 1, "{wrong:?}");
    let complaints = with.account().expect("an account").complaints;
    assert!(complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
}

#[test]
fn two_hundred_hostile_names_are_text_on_every_page() {
    const TEST: &str = "two_hundred_hostile_names_are_text_on_every_page";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(browser) = needed(TEST, Browser::start()) else { return };
    if needed(TEST, rig::available()).is_none() {
        return;
    }
    let names = payloads::all();
    assert!(names.len() >= 200, "{} names", names.len());
    let begun = Instant::now();
    let plant = Plant::of_names(&product, &names);
    // Its policy forbids scripts, and says so where there is one; without it, one would run.
    let (with, without) = (browser.page().expect("a page"), browser.page().expect("a page"));
    without.without_policy().expect("no policy");
    let mut pages: Vec<(Written, Vec<&str>)> = Vec::new();
    for written in plant.of_all("html") {
        // What cannot be claimed of a device is no column of the inventory; it is a remark in its life.
        let holds = |name: &&payloads::Name| match written.name.as_str() {
            "devices" => name.said == name.shown,
            name => name == "report changes",
        };
        let shown = names.iter().filter(holds).map(|name| name.shown).collect();
        pages.push((written, shown));
    }
    let whole = pages.len();
    // All of them stand on the pages before; each on its own page: `cargo xtask soak --names`.
    let each = if std::env::var("NAMEPLATE_NAMES").is_ok_and(|word| word == "all") { 1 } else { DEVICE_EACH };
    for (name, id) in names.iter().zip(&plant.ids).step_by(each) {
        pages.push((plant.written("html", &["report", "device", id]), vec![name.shown]));
    }
    for (name, id) in names.iter().zip(&plant.ids).step_by(EVIDENCE_EACH) {
        pages.push((plant.evidence(id), vec![name.shown]));
    }
    for (at, (written, names)) in pages.iter().enumerate() {
        // All names stand on the first pages: what a policy says of them, it says there.
        for page in if at < whole { vec![&with, &without] } else { vec![&without] } {
            let url = file_url(&written.file);
            page.open(&url).expect(&written.name);
            let cells = sight::sound(page, &written.name);
            for name in names {
                assert!(cells.iter().any(|cell| cell.contains(name)), "{}: {name:?} is not shown", written.name);
            }
            let account = page.account().expect(&written.name);
            assert_eq!(account.requests, [url], "{}: {names:?}", written.name);
            assert_eq!((account.dialogs, account.complaints), (vec![], vec![]), "{}: {names:?}", written.name);
        }
        if at < whole {
            with.emulate(&View::default()).expect("shown");
            picture(&with, &format!("hostile {}", written.name));
        }
    }
    // Many counts are no wall before the tables.
    with.emulate(&View::default()).expect("shown");
    let changes = pages.iter().find(|(written, _)| written.name == "report changes").expect("it is one of them");
    with.open(&file_url(&changes.0.file)).expect("it opens");
    let from_top = with.evaluate("t1.getBoundingClientRect().top / innerHeight").expect("a number");
    assert!(from_top.as_f64().is_some_and(|screens| screens < 2.0), "the first table stands {from_top} screens below");
    // A table of many pages has its header on each of them.
    with.open(&file_url(&pages[0].0.file)).expect("it opens");
    let document = format!("{}.pdf", pages[0].0.file);
    std::fs::write(&document, with.pdf().expect("a document")).expect("written");
    let printed = printed(&[document]).expect("a document is read").remove(0);
    let of_rows: Vec<&String> = printed.iter().filter(|page| page.contains("2.10")).collect();
    assert!(of_rows.len() > 3, "{} pages", printed.len());
    assert!(of_rows.iter().all(|page| page.contains("firmware_revision")), "a page without the header: {of_rows:#?}");
    for name in ["<script>__ran=1</script>", "<img src=x onerror=__ran=1>", "<svg onload=__ran=1>"] {
        let at = names.iter().position(|one| one.said == name).expect("it is one of them");
        bare_name_runs(&plant.written("html", &["report", "device", &plant.ids[at]]), &with, &without);
    }
    eprintln!("{} names, {} pages in {:.1} s", names.len(), pages.len(), begun.elapsed().as_secs_f64());
}

#[test]
fn no_cell_of_a_hostile_name_is_computed() {
    const TEST: &str = "no_cell_of_a_hostile_name_is_computed";
    let Some(product) = needed(TEST, Product::find()) else { return };
    if needed(TEST, cells::available()).is_none() {
        return;
    }
    let begun = Instant::now();
    let names = payloads::all();
    let plant = Plant::of_names(&product, &names);
    let mut compared = 0;
    let books = plant.of_all("xlsx");
    let read = cells::by_another_program(&plant.folder(), &books);
    for (csv, tables) in plant.of_all("csv").iter().zip(read) {
        compared += cells::compare(csv, &tables, &names);
    }
    eprintln!("{compared} cells of {} workbooks compared in {:.1} s", books.len(), begun.elapsed().as_secs_f64());
}
