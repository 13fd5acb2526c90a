//! Verdicts on the public advisories: the cases that somebody read by hand, and what must hold for every device and every order.

mod cases;
mod drawn;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nameplate_core::advisory::{Advisory, ProductIndex, csaf};
use nameplate_core::finding::installed::Installed;
use nameplate_core::finding::{Library, Verdict};
use nameplate_core::range::Facts;
use nameplate_tests::place::{self, needed};

/// Devices that are drawn for each property.
const DEVICES: usize = 1_500;

/// All documents of the corpus, in the order of their paths.
fn advisories(folder: &Path) -> Vec<Advisory> {
    let mut found = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(advisories(&path));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(csaf::read(&fs::read(&path).expect("a file")).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
    found
}

/// The verdicts of a device, by document and vulnerability.
fn verdicts(library: &Library, installed: &Installed) -> BTreeMap<(String, String), Vec<Verdict>> {
    let mut verdicts: BTreeMap<(String, String), Vec<Verdict>> = BTreeMap::new();
    for finding in library.judge(installed) {
        let advisory = &library.advisories()[finding.advisory];
        let key = (advisory.id.clone(), advisory.vulnerabilities[finding.vulnerability].cve.clone());
        verdicts.entry(key).or_default().push(finding.verdict);
    }
    verdicts.values_mut().for_each(|verdicts| verdicts.sort());
    verdicts
}

/// The same document with its products the other way round.
fn turned(advisory: &Advisory) -> Advisory {
    let mut turned = advisory.clone();
    turned.products.reverse();
    let count = u32::try_from(turned.products.len()).expect("few products");
    let turn = |place: &mut ProductIndex| *place = count - 1 - *place;
    for relationship in turned.products.iter_mut().filter_map(|product| product.relationship.as_mut()) {
        turn(&mut relationship.component);
        turn(&mut relationship.platform);
    }
    for vulnerability in &mut turned.vulnerabilities {
        vulnerability.statuses.iter_mut().flat_map(|(_, products)| products).for_each(turn);
        vulnerability.remediations.iter_mut().flat_map(|fix| &mut fix.products).for_each(turn);
    }
    turned
}

#[test]
fn verdicts_do_not_depend_on_the_order_of_documents_or_products() {
    let Some(shared) = needed("verdicts_do_not_depend_on_the_order_of_documents_or_products", place::shared()) else { return };
    let forth = advisories(&shared.join("advisories/csaf"));
    let mut back: Vec<Advisory> = forth.iter().map(turned).collect();
    back.reverse();
    let (forth, back) = (Library::of(forth), Library::of(back));
    let mut seen = 0;
    for installed in drawn::devices(&forth, DEVICES, 11) {
        let verdicts = verdicts(&forth, &installed);
        seen += verdicts.len();
        assert_eq!(verdicts, self::verdicts(&back, &installed), "{installed:?}");
    }
    assert!(seen > DEVICES, "{seen} findings");
}

/// A fact of a device, and how it is forgotten.
type Forgetting = (&'static str, fn(&mut Installed));

/// Each fact that a device may be known by. A device of which two revisions are known and disagree is left undecided for that, so that
/// forgetting one of them settles a conflict; the devices here have one revision.
const FACTS: [Forgetting; 7] = [
    ("manufacturer", |device| device.manufacturer = None),
    ("model", |device| device.model = None),
    ("product_code", |device| device.product_code = None),
    ("hardware_revision", |device| device.hardware_revision = None),
    ("firmware_revision", |device| device.firmware_revision = None),
    ("serial_number and patches", |device| (device.serial_number, device.patches) = (None, None)),
    ("facts", |device| device.facts = Facts::default()),
];

/// The order in which the facts of a device are forgotten after one another: another one for each device.
fn chain(nth: usize) -> impl Iterator<Item = Forgetting> {
    (0..FACTS.len()).map(move |step| FACTS[(nth + step * (1 + nth % (FACTS.len() - 1))) % FACTS.len()])
}

/// Whatever is not affected with less knowledge was not affected with more; what had no line was not.
#[track_caller]
fn check_forgetting(library: &Library, more: &Installed, (name, forget): Forgetting) -> Option<Installed> {
    let mut less = more.clone();
    forget(&mut less);
    if less == *more {
        return None;
    }
    let before = verdicts(library, more);
    let safe = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| **verdict == Verdict::NotAffected).count();
    for (key, verdicts) in verdicts(library, &less) {
        let was = before.get(&key).map(Vec::as_slice).unwrap_or_default();
        assert!(safe(&verdicts) <= safe(was), "{key:?} without {name}: {was:?} became {verdicts:?} for {more:?}");
    }
    Some(less)
}

#[test]
fn nothing_becomes_safe_by_being_forgotten() {
    let Some(shared) = needed("nothing_becomes_safe_by_being_forgotten", place::shared()) else { return };
    let library = Library::of(advisories(&shared.join("advisories/csaf")));
    let mut forgotten = 0;
    for (nth, installed) in drawn::devices(&library, DEVICES * 4, 7).into_iter().enumerate() {
        for fact in FACTS {
            forgotten += usize::from(check_forgetting(&library, &installed, fact).is_some());
        }
        // And one after another, until nothing is known.
        let mut known = installed;
        for fact in chain(nth) {
            let Some(less) = check_forgetting(&library, &known, fact) else { continue };
            known = less;
        }
    }
    assert!(forgotten > DEVICES * 8, "{forgotten} facts forgotten");
}

#[test]
fn a_proof_says_what_its_finding_says() {
    let Some(shared) = needed("a_proof_says_what_its_finding_says", place::shared()) else { return };
    let library = Library::of(advisories(&shared.join("advisories/csaf")));
    let mut judging = library.judging();
    let mut proven = 0;
    for installed in drawn::devices(&library, DEVICES / 10, 3) {
        let findings = library.judge(&installed);
        assert_eq!(findings, judging.judge(&installed), "one by one as in a run");
        for finding in &findings {
            let proof = library.proof(&installed, finding).expect("a proof");
            let advisory = &library.advisories()[finding.advisory];
            assert_eq!((proof.verdict, proof.document_sha256.as_str()), (finding.verdict, advisory.sha256.as_str()));
            assert!(!proof.products.is_empty() && !proof.reason.is_empty(), "{proof:?}");
            let decided = proof.products.iter().any(|product| product.decides);
            assert!(decided && proof.reason.contains(finding.why.sentence()), "{proof:?}");
            assert_eq!(proof.missing.first().map(String::as_str), finding.missing.as_deref().or(proof.missing.first().map(String::as_str)));
            assert!(finding.verdict != Verdict::Contradiction || !proof.passages.is_empty(), "{proof:?}");
            proven += 1;
        }
    }
    assert!(proven > DEVICES / 10, "{proven} proofs");
}
