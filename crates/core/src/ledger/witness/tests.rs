use super::*;
use crate::ledger::{Tree, leaf_hash};

const SECONDS: u64 = 1_679_315_147;

fn site() -> SiteKey {
    SiteKey::of(&[7; KEY_BYTES])
}

fn auditor() -> (VerifierKey, SiteKey) {
    let key = SiteKey::of(&[9; KEY_BYTES]);
    (VerifierKey::of_witness("auditor.example/ot", key.public()).unwrap(), key)
}

fn log(key: &SiteKey) -> VerifierKey {
    VerifierKey::of_log(&Keys::of_first(key.public()))
}

/// A history of so many entries; what is `other` from there on is another one.
fn tree(size: u8, other: u8) -> Tree {
    Tree::of((0..size).map(|at| leaf_hash(&[at, u8::from(at >= other)])).collect())
}

fn note(tree: &Tree) -> String {
    let head = Head { size: tree.size(), root: tree.root(tree.size()).unwrap() };
    Checkpoint { origin: site().public().origin(), head }.sign(&site())
}

fn request(tree: &Tree, old: u64) -> Request {
    Request { old, proof: tree.consistency(old, tree.size()).unwrap_or_default(), note: note(tree) }
}

fn head(tree: &Tree, size: u64) -> Head {
    Head { size, root: tree.root(size).unwrap() }
}

#[test]
fn a_witness_signs_what_goes_on_and_nothing_else() {
    let (whole, forked) = (tree(12, 200), tree(12, 3));
    for seen in 0..=12 {
        let asked = request(&whole, seen);
        assert_eq!(Request::read(&asked.to_string()), Ok(asked.clone()), "as it is handed over");
        let before = (seen > 0).then(|| head(&whole, seen));
        assert_eq!(asked.judge(&log(&site()), before).map(|signed| signed.head.size), Ok(12), "from {seen}");
        let ended = request(&forked, seen).judge(&log(&site()), before);
        assert_eq!(ended.is_ok(), seen <= 3, "the histories part at 3: {ended:?}");
        assert!(seen <= 3 || ended == Err(Declined::Forked { size: seen }), "{ended:?}");
        let other = seen.wrapping_add(1) % 12;
        if seen > 0 && seen < 12 {
            let ended = request(&whole, other).judge(&log(&site()), before);
            assert_eq!(ended, Err(Declined::ProofFrom { seen, old: other }));
        }
    }
    let older = request(&tree(11, 200), 0).judge(&log(&site()), Some(head(&whole, 12)));
    assert_eq!(older, Err(Declined::Older { seen: 12, now: 11 }));
    let stranger = SiteKey::of(&[8; KEY_BYTES]);
    assert_eq!(request(&whole, 0).judge(&log(&stranger), None), Err(Declined::Unbelieved(Unbelieved::UnknownSigner)));
}

#[test]
fn a_countersignature_is_bound_to_note_time_and_witness() {
    let (witness, key) = auditor();
    let note = note(&tree(5, 200));
    let signed = countersign(&note, &witness, &key, SECONDS).unwrap();
    assert!(signed.starts_with(&note) && signed.lines().count() == note.lines().count() + 1, "{signed}");
    assert_eq!(countersigned(&signed, &witness), Ok(SECONDS));
    assert_eq!(countersigned(&note, &witness), Err(Unbelieved::UnknownSigner));
    assert!(Checkpoint::open(&signed, &site().public()).is_ok(), "it stays the site's note");
    let again = countersign(&signed, &witness, &key, SECONDS + 1).unwrap();
    assert_eq!((again.lines().count(), countersigned(&again, &witness)), (signed.lines().count(), Ok(SECONDS + 1)));
    let other = VerifierKey::of_witness("auditor.example/ot", SiteKey::of(&[1; KEY_BYTES]).public()).unwrap();
    assert_eq!(countersigned(&signed, &other), Err(Unbelieved::UnknownSigner));
    let begin = note.rfind("\n\n").unwrap();
    for at in (0..begin).chain(note.len()..signed.len()) {
        for bit in 0..8 {
            let mut bytes = signed.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(countersigned(&changed, &witness).is_err(), "byte {at}, bit {bit}: {changed}");
        }
    }
}

#[test]
fn a_verifier_key_has_one_spelling() {
    // golang.org/x/mod/sumdb/note, the key of sum.golang.org as every Go toolchain has it.
    let go = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let read = VerifierKey::read(go).expect("a key of another log");
    assert_eq!((read.to_string().as_str(), read.name(), read.is_witness()), (go, "sum.golang.org", false));
    let (witness, _) = auditor();
    assert_eq!(VerifierKey::read(&witness.to_string()), Some(witness.clone()));
    let own = log(&site());
    assert_eq!(VerifierKey::read(&own.to_string()), Some(own));
    for wrong in ["", "a", "a+b", "a+00000000+AA==", &go.replace("033d", "033e"), &go.replace("sum", "sun"), &format!("{go} ")] {
        assert_eq!(VerifierKey::read(wrong), None, "{wrong:?}");
    }
    for name in ["", "a b", "a+b", "a\nb", &"n".repeat(101)] {
        assert!(VerifierKey::of_witness(name, site().public()).is_err(), "{name:?}");
    }
}

#[test]
fn what_is_no_request_says_why() {
    let good = request(&tree(5, 200), 3).to_string();
    for (text, why) in [
        (String::new(), "no empty line"),
        (good.replace("old 3", "old 03"), "no number"),
        (good.replace("old 3", "new 3"), "not `old`"),
        (good.replacen('=', "", 1), "no hash"),
        (format!("old 3\n{}\nnote", format!("{}\n", STANDARD.encode([1; 32])).repeat(64)), "more than 63"),
        ("x".repeat(REQUEST_BYTES_MAX + 1), "longer"),
    ] {
        let said = Request::read(&text);
        assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{why}: {said:?}");
    }
}
