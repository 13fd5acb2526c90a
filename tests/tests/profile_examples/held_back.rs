//! What is said of a family that no profile knows: each profile in turn is taken away, and its own examples are read by what is left. Better
//! unknown than wrong.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nameplate_core::claim::Field;
use nameplate_core::profile::{Answer, Example, Form, Matched, Profile, ProfileSet, Said};
use nameplate_core::wire::protocols;
use nameplate_tests::place::root;

use crate::encode;
use crate::judge::is_same;
use crate::rows::Kind;

/// Of a hundred families, how many may be told a wrong firmware.
const WRONG_PERCENT_MAX: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Right,
    Unknown,
    Wrong,
}

/// All profiles but this one.
fn without(set: &ProfileSet, id: &str) -> ProfileSet {
    let mut rest = ProfileSet::default();
    for profile in set.iter().filter(|profile| profile.id != id) {
        rest.add(profile.clone()).expect("each once");
    }
    rest
}

fn answer(profile: &Profile, example: &Example) -> Option<Answer> {
    let said = match &example.said {
        Said::Frame(frames) => frames.clone(),
        Said::Decoded { objects, .. } if !objects.is_empty() => encode::identification(objects.clone().into_iter().collect()),
        Said::Decoded { .. } => return None,
    };
    let over = example.over.unwrap_or_else(|| protocols::named(&profile.protocol).expect("a protocol").usually_over());
    Some(Answer { protocol: profile.protocol.clone(), over, asked: example.asked.clone(), said, source: String::new() })
}

/// The worst of what is said of its examples, and the first that is wrong.
fn judge(set: &ProfileSet, profile: &Profile) -> Option<(Verdict, String)> {
    let rest = without(set, &profile.id);
    let mut all = Vec::new();
    for example in &profile.examples {
        // Any revision of any part of the device: which part it is of, only a profile can say.
        let revisions: Vec<String> =
            example.expect.values().flatten().filter(|(field, _)| field.is_revision()).map(|(_, value)| value.clone()).collect();
        let claims: Vec<_> = answer(profile, example)?
            .readings()
            .iter()
            .map(|reading| rest.interpret(reading))
            .filter(|said| matches!(said.matched, Matched::Fallback(_)))
            .flat_map(|said| said.claims)
            .collect();
        let read: Vec<&str> =
            claims.iter().filter(|claim| claim.field == Field::FirmwareRevision).map(|claim| claim.value.as_str()).collect();
        let holds = |read: &&str| is_same(Kind::Version, read, &revisions) || revisions.iter().any(|one| read.contains(one.as_str()));
        all.push(match read.iter().find(|read| !holds(read)) {
            Some(wrong) => (Verdict::Wrong, format!("{wrong}\t{}", revisions.join(" | "))),
            None if read.is_empty() => (Verdict::Unknown, String::new()),
            None => (Verdict::Right, String::new()),
        });
    }
    all.into_iter().max()
}

#[test]
fn a_family_whose_profile_is_taken_away_is_told_no_wrong_firmware() {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let mut counts: BTreeMap<(&str, Verdict), usize> = BTreeMap::new();
    let mut wrong = String::from("profile\tread without it\trevisions of the example\n");
    let (mut families, mut wrongs) = (0, 0);
    // An example that somebody made up shows nothing of what devices say.
    let is_known = |profile: &&Profile| !profile.fallback && profile.examples.iter().any(|example| example.form != Form::Built);
    for profile in set.iter().filter(is_known) {
        let Some((verdict, why)) = judge(&set, profile) else { continue };
        families += 1;
        *counts.entry((&profile.protocol, verdict)).or_default() += 1;
        if verdict == Verdict::Wrong {
            wrongs += 1;
            writeln!(wrong, "{}\t{why}", profile.id).expect("a text");
        }
    }
    for ((protocol, verdict), count) in &counts {
        println!("{protocol} | {verdict:?} | {count}");
    }
    println!("{families} families, {wrongs} wrong\n{wrong}");
    assert!(wrongs * 100 <= families * WRONG_PERCENT_MAX, "{wrongs} of {families}:\n{wrong}");
    crate::hold(&root().join("tests/golden/held-back.tsv"), &wrong);
}
