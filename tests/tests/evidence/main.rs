//! Evidence: what an exporter writes both verifiers accept, and nothing else.
//!
//! The mutations are drawn from a seed that is printed; `NAMEPLATE_SEED` repeats a run.

mod draw;
mod exported;
mod keys;
mod log;
mod mutate;
mod page;
mod stamp;
mod stock;
mod story;
mod verifier;

use std::collections::BTreeMap;

use nameplate_core::evidence::{Authenticity, Redecoding, verify};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};

use draw::Draw;
use mutate::{May, Mutant, Stock};

/// How often, and the variable that has it otherwise (`cargo xtask soak --evidence`).
const MUTATIONS: (&str, usize) = ("NAMEPLATE_MUTATIONS", 10_000);
const BLIND_CHANGES: (&str, usize) = ("NAMEPLATE_BLIND_CHANGES", 10_000);
const FOR_BOTH: (&str, usize) = ("NAMEPLATE_FOR_BOTH", 1_000);
/// A process each.
const FOR_THE_BINARY: usize = 20;

fn times((variable, short): (&str, usize)) -> usize {
    let times = std::env::var(variable).ok().and_then(|word| word.parse().ok()).unwrap_or(short);
    eprintln!("{variable}={times}");
    times
}

/// The verdict in the words of verify_evidence.py, without the reason.
fn verdict(bytes: &[u8], pinned: &str) -> String {
    match verify(bytes, Some(pinned)).authenticity {
        Authenticity::Authentic => "authentic".to_owned(),
        Authenticity::UnknownSigner { fingerprint } => format!("unknown signer {fingerprint}"),
        Authenticity::Refused(_) => "refused".to_owned(),
    }
}

fn is_allowed(mutant: &Mutant, verdict: &str) -> bool {
    match mutant.may {
        May::Refused => verdict == "refused",
        May::UnknownSigner => verdict.starts_with("unknown signer "),
        May::NotAuthentic => verdict != "authentic",
    }
}

fn mutants(stock: &Stock, seed: u64, count: usize) -> impl Iterator<Item = Mutant> {
    let mut draw = Draw(seed);
    std::iter::from_fn(move || Some(stock.mutant(&mut draw))).flatten().take(count)
}

#[test]
fn what_is_written_from_the_document_is_authentic_and_reads_as_recorded() {
    let stock = Stock::new();
    let fingerprint = stock.log.key.fingerprint();
    for (subject, entries) in &stock.subjects {
        let bytes = stock.log.bundle(subject, entries).bytes();
        let verdict = verify(&bytes, Some(&fingerprint));
        assert_eq!(verdict.authenticity, Authenticity::Authentic);
        let (redecoding, checked) = verdict.content.expect("content");
        assert!(matches!(&redecoding, Redecoding::Same { observations: 3, claims, .. } if *claims > 0), "{redecoding:?}");
        assert_eq!((checked.subject, checked.entries.len()), (subject.clone(), entries.len() + 1));
        for pinned in [None, Some(stock.stranger.fingerprint())] {
            let unpinned = verify(&bytes, pinned.as_deref()).authenticity;
            assert_eq!(unpinned, Authenticity::UnknownSigner { fingerprint: fingerprint.clone() });
        }
    }
}

#[test]
fn no_mutation_of_a_bundle_is_authentic() {
    let (stock, seed) = (Stock::new(), personas::seed());
    let fingerprint = stock.log.key.fingerprint();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mutations = times(MUTATIONS);
    for (number, mutant) in mutants(&stock, seed, mutations).enumerate() {
        *kinds.entry(mutant.kind).or_default() += 1;
        let said = verdict(&mutant.bytes, &fingerprint);
        let text = || String::from_utf8_lossy(&mutant.bytes).into_owned();
        assert!(is_allowed(&mutant, &said), "mutation {number} ({}): {said}, not {:?}\n{}", mutant.kind, mutant.may, text());
    }
    assert!(kinds.values().all(|count| *count > mutations / 100) && kinds.len() == mutate::KINDS, "{kinds:?}");
}

#[test]
fn no_other_byte_is_accepted() {
    let (stock, mut draw) = (Stock::new(), Draw(personas::seed()));
    let fingerprint = stock.log.key.fingerprint();
    let (subject, entries) = &stock.subjects[0];
    let original = stock.log.bundle(subject, entries).bytes();
    for _ in 0..times(BLIND_CHANGES) {
        let (at, by) = (draw.below(original.len()), 1 + draw.below(255));
        let mut bytes = original.clone();
        bytes[at] ^= u8::try_from(by).expect("a byte");
        assert_eq!(verdict(&bytes, &fingerprint), "refused", "byte {at} xor {by:02x}");
    }
    for cut in (0..original.len()).step_by(97) {
        assert_eq!(verdict(&original[..cut], &fingerprint), "refused", "cut after {cut} bytes");
    }
    for more in [&b"\n"[..], b" ", b"{}", b"\0"] {
        assert_eq!(verdict(&[&original, more].concat(), &fingerprint), "refused", "{more:?} behind it");
    }
}

#[test]
fn another_reading_by_todays_decoder_is_shown_beside_the_recorded_one() {
    let mut stock = Stock::new();
    let (subject, entries) = stock.subjects[0].clone();
    let at = entries[1] as usize;
    stock.log.bodies[at]["interpretation"]["claims"][0]["value"] = "another".into();
    stock.log.bodies[at]["decoder"] = "nameplate 0.0.1".into();
    let verdict = verify(&stock.log.bundle(&subject, &entries).bytes(), Some(&stock.log.key.fingerprint()));
    assert_eq!(verdict.authenticity, Authenticity::Authentic);
    let Some((Redecoding::Different(differences), _)) = verdict.content else { panic!("{:?}", verdict.content) };
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    assert_eq!((difference.index, difference.decoder.as_str()), (entries[1], "nameplate 0.0.1"));
    assert_eq!(difference.recorded.interpretation.claims[0].value, "another");
    assert_ne!(difference.now.interpretation.claims[0].value, "another");

    let mut stock = Stock::new();
    stock.log.bodies[at]["observation"]["question"] = "modbus.later".into();
    let verdict = verify(&stock.log.bundle(&subject, &entries).bytes(), Some(&stock.log.key.fingerprint()));
    let Some((Redecoding::NotPossible(why), _)) = verdict.content else { panic!("{:?}", verdict.content) };
    assert!(matches!(&why[..], [(index, why)] if *index == entries[1] && why.contains("modbus.later")), "{why:?}");
}

#[test]
fn both_verifiers_give_the_same_answer() {
    let Some(python) = needed("both_verifiers_give_the_same_answer", verifier::python()) else { return };
    let (stock, state) = (Stock::new(), State::new());
    let fingerprint = stock.log.key.fingerprint();
    let mut bundles: Vec<(&str, Vec<u8>)> =
        stock.subjects.iter().map(|(subject, entries)| ("the original", stock.log.bundle(subject, entries).bytes())).collect();
    let told = mutants(&stock, personas::seed(), usize::MAX).filter(|mutant| !mutant.needs_every_field);
    bundles.extend(told.take(times(FOR_BOTH)).map(|mutant| (mutant.kind, mutant.bytes)));
    let files: Vec<String> = bundles.iter().enumerate().map(|(at, (_, bytes))| state.file(&format!("{at}.evidence"), bytes)).collect();
    let lines = verifier::verdicts(&python, &state.file("list", files.join("\n")), &fingerprint);
    assert_eq!(lines.len(), bundles.len());
    for ((line, (kind, bytes)), file) in lines.iter().zip(&bundles).zip(&files) {
        let theirs = line.split(": ").next().unwrap_or_default();
        assert_eq!(theirs, verdict(bytes, &fingerprint), "{file} ({kind}): {line}");
    }
}

#[test]
fn the_program_says_it_with_its_exit_code() {
    let Some(product) = needed("the_program_says_it_with_its_exit_code", Product::find()) else { return };
    let (stock, state) = (Stock::new(), State::new());
    let fingerprint = stock.log.key.fingerprint();
    let run = |bytes: &[u8]| product.run(["evidence", "verify", &state.file("bundle", bytes), "--key", &fingerprint]);
    let (subject, entries) = &stock.subjects[0];
    let ended = run(&stock.log.bundle(subject, entries).bytes()).expect(code::DONE);
    assert!(ended.out.contains("authentic") && ended.out.contains("the same claims again"), "{}", ended.out);
    for mutant in mutants(&stock, personas::seed(), FOR_THE_BINARY) {
        let ended = run(&mutant.bytes).expect(code::FAILED);
        let said = verdict(&mutant.bytes, &fingerprint);
        assert!(ended.out.contains(&said) && !ended.out.contains("authentic:"), "{}: {said}\n{}", mutant.kind, ended.out);
    }
    let missing = state.path().join("missing").to_string_lossy().into_owned();
    assert!(product.run(["evidence", "verify", &missing]).expect(code::INPUT).err.contains("missing"));
}
