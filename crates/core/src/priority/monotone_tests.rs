//! A worse fact never lowers the band, nor what it could be: facts are drawn as they come in, one of them is made worse, and both are
//! decided, by the built-in policy and by policies that are drawn, too.

use super::tests::{Story, epss, kev, ssvc};
use super::*;
use crate::advisory::exploitation::{Exploitation, Exploited, TechnicalImpact};

const STORIES: usize = 20_000;
const POLICIES: usize = 200;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// Facts as places in lists that run from the mildest to the worst; the worst of an unknown is what is known to be worst.
#[derive(Clone, Debug)]
struct Facts(Vec<usize>);

const V3: [(&str, &[&str]); 9] = [
    ("AV", &["P", "L", "A", "N"]),
    ("AC", &["H", "L"]),
    ("PR", &["H", "L", "N"]),
    ("UI", &["R", "N"]),
    ("S", &["U", "C"]),
    ("C", &["N", "L", "H"]),
    ("I", &["N", "L", "H"]),
    ("A", &["N", "L", "H"]),
    ("E", &["U", "P", "F", "H"]),
];
const EXPOSURES: [&str; 5] = ["isolated", "ot only", "", "dmz", "internet"];
const CRITICALITIES: [&str; 6] = ["spare", "low", "medium", "high", "safety", "critical"];
const VALUES: [&str; 3] = ["low", "ordinary", "high"];
const CLASSES: [&str; 3] = ["power-meter", "plc", "protection-relay"];
const SAFETY: [&str; 2] = ["no", "yes"];
const PROBABILITIES: [u32; 4] = [1, 99_999, 100_000, 900_000];
/// Steps of each fact behind the vector: KEV, SSVC's three points, EPSS, exposure, criticality, value, class, safety system.
const STEPS: [usize; 10] = [2, 3, 2, 2, 4, 5, 6, 3, 3, 2];

/// Which facts are known at all: drawn once for a pair, so that only one fact differs.
type Known = [bool; 8];

fn story(facts: &Facts, known: &Known) -> Story {
    let at = |place: usize| facts.0.get(place).copied().unwrap_or_default();
    let parts = V3.iter().enumerate().map(|(place, (name, values))| format!("{name}:{}", values[at(place)]));
    let vector = format!("CVSS:3.1/{}", parts.collect::<Vec<_>>().join("/"));
    let fact = |place: usize| at(V3.len() + place);
    let [has_vector, kev_read, has_ssvc, has_epss, has_exposure, has_criticality, has_value, has_class] = *known;
    let exploited = [Exploited::None, Exploited::Poc, Exploited::Active][fact(1)];
    let impact = [TechnicalImpact::Partial, TechnicalImpact::Total][fact(3)];
    let cell = |there: bool, words: &[&str], place: usize| there.then(|| words[fact(place)].to_owned()).filter(|cell| !cell.is_empty());
    Story {
        vectors: if has_vector { vec![(vector, "")] } else { vec![] },
        kev_read,
        exploitation: Exploitation {
            kev: if fact(0) == 1 { kev() } else { None },
            ssvc: if has_ssvc { ssvc(exploited, fact(2) == 1, impact) } else { None },
            epss: if has_epss { epss(PROBABILITIES[fact(4)]) } else { None },
        },
        setting: Setting {
            zone: None,
            exposure: cell(has_exposure, &EXPOSURES, 5),
            criticality: cell(has_criticality, &CRITICALITIES, 6),
            business_value: cell(has_value, &VALUES, 7),
            device_class: cell(has_class, &CLASSES, 8),
            safety_system: cell(has_class, &SAFETY, 9),
        },
        offers: vec![],
    }
}

fn sizes() -> Vec<usize> {
    V3.iter().map(|(_, values)| values.len()).chain(STEPS).collect()
}

fn check(policy: &Policy, draw: &mut Draw, stories: usize) {
    let sizes = sizes();
    let dates = Dates { found_on: Day::read("2026-11-22").expect("a day"), fix_released: None };
    for _ in 0..stories {
        let facts = Facts(sizes.iter().map(|size| draw.below(*size)).collect());
        let known: Known = std::array::from_fn(|_| draw.below(4) > 0);
        let place = draw.below(sizes.len());
        if facts.0[place] + 1 >= sizes[place] {
            continue;
        }
        let mut worse = facts.clone();
        worse.0[place] += 1;
        let [mild, bad] = [&facts, &worse].map(|facts| policy.decide(&story(facts, &known).factors(policy), dates));
        // Exposure has a gap in the middle: an unknown is not milder than what is known, and counts in the band alone.
        let gap = place == V3.len() + 5;
        let ends = gap || (bad.could_be.0 >= mild.could_be.0 && bad.could_be.1 >= mild.could_be.1);
        assert!(bad.band >= mild.band && ends, "{}: {facts:?} {known:?} fact {place}: {mild:#?} {bad:#?}", policy.name);
        if let (Some(bad), Some(mild)) = (bad.due, mild.due) {
            assert!(bad.by <= mild.by, "{bad:?} {mild:?}");
        }
        assert!(bad.due.is_some() || mild.due.is_none());
    }
}

#[test]
fn a_worse_fact_never_lowers_the_band() {
    check(Policy::built_in(), &mut Draw(6), STORIES);
}

/// A policy with rules that are drawn: thresholds, and at times an upper end.
fn drawn(draw: &mut Draw) -> String {
    let (head, rest) = BUILT_IN.split_once("[[rule]]").expect("rules");
    let (_, tail) = rest.split_once("# ---- due dates").expect("dates");
    let mut rules = String::new();
    for number in 0..2 + draw.below(4) {
        let mut ends = |chance: usize| {
            let named = Factor::ALL.into_iter().filter_map(|factor| {
                let level = draw.below(factor.levels().len());
                (draw.below(chance) == 0).then(|| format!("{} = \"{}\"", factor.name(), factor.level_name(level)))
            });
            named.collect::<Vec<_>>().join(", ")
        };
        let (least, most) = (ends(3), ends(14));
        let band = Band::ALL[draw.below(4)].name();
        rules += &format!("[[rule]]\nname = \"{number}\"\nband = \"{band}\"\nat_least = {{ {least} }}\nat_most = {{ {most} }}\n");
    }
    let last = Band::ALL[draw.below(4)].name();
    format!("{head}{rules}[[rule]]\nname = \"rest\"\nband = \"{last}\"\n#{tail}")
}

#[test]
fn a_policy_that_was_taken_is_monotone_and_one_that_was_not_has_two_rows_to_show() {
    let mut draw = Draw(7);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..POLICIES {
        match Policy::read(&drawn(&mut draw)) {
            Ok(policy) => {
                taken += 1;
                check(&policy, &mut draw, 200);
            }
            Err(invalid) => {
                let rows = invalid.why.starts_with("a worse fact would be the lower band") && invalid.why.matches("(line ").count() == 2;
                assert!(rows || invalid.why.contains("never decides"), "{invalid}");
                refused += usize::from(rows);
            }
        }
    }
    assert!(taken > 10 && refused > 10, "{taken} taken, {refused} refused: the draw is one-sided");
}
