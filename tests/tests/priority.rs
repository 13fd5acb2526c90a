//! Priorities over a public corpus of advisories: every score is worked out again from its vector, and the bands are neither all the same
//! nor moved by the owner's silence into one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nameplate_core::advisory::Score;
use nameplate_core::advisory::exploitation::{Exploitation, Exploited, List, ListKind, Ssvc, TechnicalImpact};
use nameplate_core::priority::cvss::Vector;
use nameplate_core::priority::{Band, Dates, Day, Factors, Known, Policy, Setting};
use nameplate_tests::place::{self, needed};
use serde_json::Value;

/// Scores of the corpus, so that a reader who finds none is noticed.
const SCORES: usize = 5_600;

fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(documents(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Each score of the corpus: document, CVE, vector, base score.
fn scores(shared: &Path) -> Vec<(String, String, String, f64)> {
    let mut scores = vec![];
    for path in documents(&shared.join("advisories/csaf")) {
        let document: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        for vulnerability in document["vulnerabilities"].as_array().into_iter().flatten() {
            for score in vulnerability["scores"].as_array().into_iter().flatten() {
                let cvss = &score["cvss_v3"];
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let base = cvss["baseScore"].as_f64().expect("a number");
                scores.push((path.display().to_string(), text(&vulnerability["cve"]), text(&cvss["vectorString"]), base));
            }
        }
    }
    scores
}

#[test]
fn every_base_score_of_the_corpus_is_the_one_of_its_vector() {
    let Some(shared) = needed("every_base_score_of_the_corpus_is_the_one_of_its_vector", place::shared()) else { return };
    let scores = scores(&shared);
    let differ = |(_, _, vector, base): &&(String, String, String, f64)| {
        let ours = Vector::read(vector).ok().and_then(|vector| vector.base_tenths());
        ours.map(|tenths| f64::from(tenths) / 10.0) != Some(*base)
    };
    let wrong: Vec<_> = scores.iter().filter(differ).collect();
    println!("{} of {} scores", scores.len() - wrong.len(), scores.len());
    assert_eq!((scores.len(), wrong), (SCORES, vec![]));
}

/// CISA's points by CVE.
fn points(shared: &Path) -> BTreeMap<String, Ssvc> {
    let text = fs::read_to_string(shared.join("advisories/ssvc/cisa_adp_ssvc_ot_cves.jsonl")).expect("read");
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a row");
        let is = |key: &str, word: &str| row[key].as_str().is_some_and(|said| said.eq_ignore_ascii_case(word));
        let exploitation = match () {
            () if is("exploitation", "active") => Exploited::Active,
            () if is("exploitation", "poc") => Exploited::Poc,
            () => Exploited::None,
        };
        let technical_impact = if is("technical_impact", "total") { TechnicalImpact::Total } else { TechnicalImpact::Partial };
        let timestamp = row["timestamp"].as_str().unwrap_or_default().to_owned();
        let ssvc = Ssvc { exploitation, automatable: is("automatable", "yes"), technical_impact, timestamp };
        (row["cve"].as_str().unwrap_or_default().to_owned(), ssvc)
    };
    text.lines().map(row).collect()
}

#[test]
fn an_owner_who_says_nothing_of_his_plant_gets_all_bands_and_few_critical_ones() {
    let Some(shared) = needed("an_owner_who_says_nothing_of_his_plant_gets_all_bands_and_few_critical_ones", place::shared()) else {
        return;
    };
    let policy = Policy::built_in();
    let lists = [List { kind: ListKind::Kev, version: String::new(), date: "2025-08-25".into(), cves: 1, sha256: String::new() }];
    let (points, scores) = (points(&shared), scores(&shared));
    let dates = Dates { found_on: Day::read("2026-11-22").expect("a day"), fix_released: None };
    let said = |zone: &str| Setting { exposure: Some(zone.to_owned()), criticality: Some("high".into()), ..Setting::default() };
    for (name, setting) in [("nothing", Setting::default()), ("ot only", said("ot only")), ("internet", said("internet"))] {
        let mut bands: BTreeMap<Band, usize> = BTreeMap::new();
        let mut at_worst: BTreeMap<Band, usize> = BTreeMap::new();
        for (_, cve, vector, _) in &scores {
            let score = Score { vector: vector.clone(), base: String::new(), products: vec![] };
            let exploitation = Exploitation { kev: None, ssvc: points.get(cve).cloned(), epss: None };
            let known =
                Known { scores: vec![&score], exploitation: Some(&exploitation), lists: &lists, setting: &setting, remediations: vec![] };
            let decision = policy.decide(&Factors::of(policy, &known), dates);
            assert!(decision.could_be.0 <= decision.band && decision.band <= decision.could_be.1);
            *bands.entry(decision.band).or_default() += 1;
            *at_worst.entry(decision.could_be.1).or_default() += 1;
        }
        println!("{name}: {bands:?}, were every unknown the worst: {at_worst:?}");
        if name == "nothing" {
            assert_eq!(bands.len(), Band::ALL.len(), "{bands:?}");
            assert!(bands[&Band::Critical] * 20 < scores.len(), "more than one in twenty is critical: {bands:?}");
        }
    }
}
