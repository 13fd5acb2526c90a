//! Which product of which advisory a device is: the public corpus against itself, and the cases that people read.

mod cases;
mod csaf;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use cases::{CASES, Case};
use nameplate_core::advisory::{Advisory, Product};
use nameplate_core::finding::identity::{Found, Index, Piece, Role, Step, makers, pieces};
use nameplate_core::finding::installed::Installed;
use nameplate_tests::place::{self, needed, root};

/// Names of products that are read to their end, of a hundred.
const READ_PER_CENT_MIN: usize = 97;

fn corpus(test: &str) -> Option<Vec<Advisory>> {
    needed(test, place::shared()).map(|shared| csaf::all(&shared.join("advisories/csaf")))
}

fn order_numbers(shared: &Path) -> Vec<String> {
    let text = fs::read_to_string(shared.join("advisories/siemens_order_numbers.tsv")).expect("the order numbers");
    text.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

fn siemens(code: &str) -> Installed {
    Installed { manufacturer: Some("SIEMENS AG".to_owned()), product_code: Some(code.to_owned()), ..Installed::default() }
}

/// Letters and digits alone: what is left of an order number however it is written.
fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase()
}

/// True where a product bears the order number by the publisher's own text, in its name or beside it; a longer number that begins like
/// this one is another.
fn bears(product: &Product, number: &str) -> bool {
    let name: String = product.name.chars().filter(|c| !c.is_whitespace()).collect();
    let ends = name.match_indices(number).filter_map(|(at, _)| name.get(at + number.len()..));
    let named = ends.map(|rest| rest.chars().next()).any(|next| next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-'));
    named || product.model_numbers.iter().any(|held| bare(held) == bare(number))
}

/// The places of what was found, with the step and what is missing.
fn places(found: &[Found<'_>]) -> Vec<(usize, u32, Step, Option<&'static str>)> {
    found.iter().map(|found| (found.document, found.product, found.step, found.missing)).collect()
}

#[test]
fn each_order_number_finds_the_products_that_bear_it_however_it_is_written() {
    let test = "each_order_number_finds_the_products_that_bear_it_however_it_is_written";
    let Some(all) = corpus(test) else { return };
    let numbers = order_numbers(&place::shared().expect("it was there"));
    let index = Index::of(&all);
    assert_eq!(numbers.len(), 755);
    for number in &numbers {
        let device = siemens(number);
        let found = index.seek(&device);
        let split = format!("{} {}", &number[..4], &number[4..]);
        for written in [
            number.to_lowercase(),
            number.replace('-', ""),
            split.clone(),
            split.to_lowercase(),
            format!(" {number} "),
            number.replace('-', " "),
        ] {
            assert_eq!(places(&index.seek(&siemens(&written))), places(&found), "{written} is {number}");
        }
        let sure: BTreeSet<(usize, u32)> = found
            .iter()
            .filter(|found| found.missing.is_none() && found.step == Step::ProductCode)
            .map(|found| (found.document, found.product))
            .collect();
        for (document, advisory) in all.iter().enumerate() {
            for (place, product) in (0..).zip(&advisory.products).filter(|(_, product)| bears(product, number)) {
                assert!(sure.contains(&(document, place)), "{number} does not find {} in {}", product.name, advisory.id);
            }
        }
    }
}

#[test]
fn a_product_with_other_order_numbers_is_never_the_device() {
    let Some(all) = corpus("a_product_with_other_order_numbers_is_never_the_device") else { return };
    let numbers = order_numbers(&place::shared().expect("it was there"));
    let index = Index::of(&all);
    let listed: BTreeSet<String> = numbers.iter().map(|number| bare(number)).collect();
    let mut separated = 0;
    for number in &numbers {
        let device = siemens(number);
        for found in index.seek(&device).iter().filter(|found| found.missing.is_none()) {
            let product = &all[found.document].products[found.product as usize];
            let numbered = !product.model_numbers.is_empty() || listed.iter().any(|other| bare(&product.name).contains(other));
            let twin = product.name.contains("SIPLUS") && found.step == Step::ProductCode;
            assert!(bears(product, number) || !numbered || twin, "{number} is taken for {} in {}", product.name, all[found.document].id);
        }
        // A document that lists others of its family by number and not this one says nothing of it by number.
        let family = &bare(number)[..7];
        separated += all
            .iter()
            .filter(|advisory| {
                advisory.products.iter().any(|product| product.model_numbers.iter().any(|held| bare(held).starts_with(family)))
            })
            .filter(|advisory| !advisory.products.iter().any(|product| bears(product, number)))
            .count();
    }
    assert!(separated > 1000, "the corpus separates siblings: {separated}");
}

#[test]
fn siplus_twins_are_meant_where_the_name_includes_them_and_nowhere_else() {
    let Some(all) = corpus("siplus_twins_are_meant_where_the_name_includes_them_and_nowhere_else") else { return };
    let index = Index::of(&all);
    let numbers = order_numbers(&place::shared().expect("it was there"));
    let cpus = [
        ("1200", &["211", "212", "214", "215", "217"][..]),
        ("300", &["312", "313", "314", "315", "317", "318"]),
        ("400", &["412", "414", "416", "417"]),
        ("1500", &["510", "511", "512", "513", "514", "515", "516", "517", "518"]),
    ];
    let mut twins = 0;
    for number in numbers.iter().filter(|number| number.starts_with("6AG1") || number.starts_with("6AG2")) {
        let device = siemens(number);
        for found in index.seek(&device) {
            let document = &all[found.document];
            let product = &document.products[found.product as usize];
            let lists = document.products.iter().any(|product| product.name.starts_with("SIPLUS"));
            let includes = product.name.contains("SIPLUS");
            assert!(includes || found.missing.is_some(), "{number} is taken for {} in {}", product.name, document.id);
            assert!(includes || !lists, "{number}: {} lists its SIPLUS devices by themselves, and {} is none", document.id, product.name);
        }
        let Some((line, _)) = cpus.iter().find(|(_, heads)| heads.iter().any(|head| number[4..].starts_with(head))) else { continue };
        let name = format!("SIMATIC S7-{line} CPU family (incl. ");
        for (document, advisory) in all.iter().enumerate() {
            for (place, product) in (0..).zip(&advisory.products).filter(|(_, product)| product.name.starts_with(&name)) {
                let found =
                    index.seek(&device).iter().any(|found| found.document == document && found.product == place && found.missing.is_none());
                assert!(found || bears(product, number), "{number} is no member of {} in {}", product.name, advisory.id);
                twins += 1;
            }
        }
    }
    assert!(twins > 500, "the corpus includes twins: {twins}");
}

#[test]
fn each_product_of_the_corpus_finds_itself() {
    let Some(all) = corpus("each_product_of_the_corpus_finds_itself") else { return };
    let index = Index::of(&all);
    let mut lost: BTreeMap<(String, String), &str> = BTreeMap::new();
    for (document, advisory) in all.iter().enumerate() {
        for (place, product) in (0..).zip(&advisory.products) {
            let device = Installed {
                manufacturer: Some(product.vendor.clone()),
                model: Some(product.name.clone()),
                product_code: product.model_numbers.first().cloned(),
                ..Installed::default()
            };
            if !index.seek(&device).iter().any(|found| found.document == document && found.product == place) {
                lost.insert((product.vendor.clone(), product.name.clone()), &advisory.id);
            }
        }
    }
    let lines = lost.into_iter().map(|((vendor, name), id)| format!("{vendor}\t{name}\t{id}")).collect();
    golden("unmet-products.tsv", "vendor\tproduct\tfirst advisory", &lines);
}

#[test]
fn what_people_read_is_read_here() {
    let Some(all) = corpus("what_people_read_is_read_here") else { return };
    for case in CASES {
        check(&all, case);
    }
}

fn check(all: &[Advisory], case: &Case) {
    let document = all.iter().find(|advisory| advisory.id.eq_ignore_ascii_case(case.advisory)).expect("the case's document");
    // The document alone and among all: what it means is the same.
    for (documents, at) in
        [(std::slice::from_ref(document), 0), (all, all.iter().position(|advisory| advisory.id == document.id).expect("it is there"))]
    {
        let index = Index::of(documents);
        let device = case.installed();
        let found = index.seek(&device);
        let names = |sure: bool| -> BTreeSet<String> {
            let here = found.iter().filter(|found| found.document == at && found.missing.is_none() == sure);
            here.map(|found| documents[at].products[found.product as usize].name.trim().replace('\u{a0}', " ")).collect()
        };
        assert_eq!(names(true), case.is.iter().map(|name| (*name).to_owned()).collect(), "case {}: {}", case.number, case.why);
        assert_eq!(names(false), case.may_be.iter().map(|name| (*name).to_owned()).collect(), "case {}: {}", case.number, case.why);
        let steps: BTreeSet<&str> = found.iter().filter(|found| found.document == at).map(|found| found.step.name()).collect();
        assert_eq!(steps, case.step.iter().copied().collect(), "case {}: {}", case.number, case.why);
        let beside: BTreeSet<String> = found
            .iter()
            .filter(|found| found.document == at)
            .flat_map(|found| found.said.line.iter().cloned().chain(found.conditions().map(str::to_owned)))
            .collect();
        assert_eq!(beside, case.beside.iter().map(|text| (*text).to_owned()).collect(), "case {}: {}", case.number, case.why);
        let ruled_out = index.ruled_out(documents, &device).iter().any(|(document, _)| *document == at);
        assert_eq!(ruled_out, case.ruled_out, "case {}: {}", case.number, case.why);
    }
}

#[test]
fn every_name_of_the_corpus_is_read_or_its_rest_is_known() {
    let Some(all) = corpus("every_name_of_the_corpus_is_read_or_its_rest_is_known") else { return };
    let names: BTreeSet<(&str, &str)> =
        all.iter().flat_map(|advisory| &advisory.products).map(|product| (product.vendor.as_str(), product.name.as_str())).collect();
    let mut unread = BTreeSet::new();
    for (vendor, name) in &names {
        let read = pieces(vendor, name);
        let again: String = read.iter().filter_map(|piece| name.get(piece.bytes.clone())).collect();
        assert_eq!(again, *name, "characters were dropped");
        assert!(
            read.iter().filter(|piece| piece.role == Role::Space).all(|piece| says_nothing(name, piece)),
            "{name}: a gap says something"
        );
        let rests: Vec<&str> =
            read.iter().filter(|piece| piece.role == Role::Rest).filter_map(|piece| name.get(piece.bytes.clone())).collect();
        if !rests.is_empty() {
            unread.insert(format!("{vendor}\t{name}\t{}", rests.join(" ")));
        }
    }
    println!("products: {} of {} names read to their end", names.len() - unread.len(), names.len());
    assert!((names.len() - unread.len()) * 100 >= names.len() * READ_PER_CENT_MIN);
    golden("unread-products.tsv", "vendor\tproduct\tunread", &unread);
}

/// Blanks and signs.
fn says_nothing(name: &str, piece: &Piece) -> bool {
    name.get(piece.bytes.clone()).is_some_and(|text| !text.contains(char::is_alphanumeric))
}

#[test]
fn every_maker_of_the_corpus_is_read_or_its_rest_is_known() {
    let Some(shared) = needed("every_maker_of_the_corpus_is_read_or_its_rest_is_known", place::shared()) else { return };
    let text = String::from_utf8_lossy(&fs::read(shared.join("advisories/vendor_strings.tsv")).expect("the vendors")).into_owned();
    let vendors: BTreeSet<&str> = text.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let unread: BTreeSet<String> = vendors.iter().filter(|vendor| !makers(vendor).1).map(|vendor| (*vendor).to_owned()).collect();
    println!("makers: {} of {} texts read to their end", vendors.len() - unread.len(), vendors.len());
    assert!((vendors.len() - unread.len()) * 100 >= vendors.len() * READ_PER_CENT_MIN);
    golden("unread-makers.tsv", "maker", &unread);
}

#[test]
fn what_is_found_does_not_depend_on_the_order_of_documents() {
    let Some(all) = corpus("what_is_found_does_not_depend_on_the_order_of_documents") else { return };
    let turned: Vec<Advisory> = all.iter().rev().cloned().collect();
    let (index, other) = (Index::of(&all), Index::of(&turned));
    let named = |documents: &[Advisory], found: &[Found<'_>]| -> BTreeSet<(String, u32, Step, Option<&'static str>)> {
        found.iter().map(|found| (documents[found.document].id.clone(), found.product, found.step, found.missing)).collect()
    };
    for product in all.iter().flat_map(|advisory| &advisory.products).step_by(7) {
        let device = Installed { manufacturer: Some(product.vendor.clone()), model: Some(product.name.clone()), ..Installed::default() };
        assert_eq!(named(&all, &index.seek(&device)), named(&turned, &other.seek(&device)), "{}", product.name);
    }
}

/// Compares lines with those that are checked in; `NAMEPLATE_GOLDEN=write` writes them anew.
fn golden(name: &str, header: &str, now: &BTreeSet<String>) {
    let file = root().join("tests/golden").join(name);
    if std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write") {
        let mut out = fs::File::create(&file).expect("a golden file");
        writeln!(out, "{header}").expect("written");
        now.iter().for_each(|line| writeln!(out, "{line}").expect("written"));
        return;
    }
    let held = fs::read_to_string(&file).unwrap_or_default();
    let held: BTreeSet<String> = held.lines().skip(1).map(str::to_owned).collect();
    let new: Vec<_> = now.difference(&held).collect();
    let gone: Vec<_> = held.difference(now).collect();
    assert!(new.is_empty() && gone.is_empty(), "{name}: not in the file: {new:#?}, not met any more: {gone:#?}");
}
