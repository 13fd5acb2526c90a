use super::*;
use crate::priority::factor::{COMBINATIONS, levels_at};

#[test]
fn the_built_in_policy_is_sound() {
    let policy = Policy::read(BUILT_IN).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(&policy, Policy::built_in());
    assert!(policy.rules().len() > 10 && policy.sha256.len() == 64);
    let all: Vec<Band> = (0..COMBINATIONS).map(|at| policy.band(&levels_at(at))).collect();
    assert_eq!((all[0], all[COMBINATIONS - 1]), (Band::Low, Band::Critical));
    assert!(Band::ALL.iter().all(|band| all.contains(band)));
}

/// A policy of one rule for each text, with the built-in rest.
fn with_rules(rules: &[&str]) -> String {
    let (head, rest) = BUILT_IN.split_once("[[rule]]").expect("rules");
    let (_, tail) = rest.split_once("# ---- due dates").expect("dates");
    let rules: String = rules.iter().map(|rule| format!("[[rule]]\n{rule}\n")).collect();
    format!("{head}{rules}#{tail}")
}

fn refused(text: &str) -> (String, String) {
    let invalid = Policy::read(text).expect_err("it is to be refused");
    let line = invalid.line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
    (invalid.why, line.to_owned())
}

#[test]
fn a_policy_by_which_a_worse_fact_lowers_the_band_is_refused_with_both_rows() {
    let text = with_rules(&[
        "name = \"far away\"\nband = \"low\"\nat_most = { reach = \"isolated\" }",
        "name = \"in the cell\"\nband = \"important\"\nat_most = { reach = \"ot_only\" }",
        "name = \"rest\"\nband = \"moderate\"",
    ]);
    let at = |name: &str| text.lines().position(|line| line == format!("name = {name:?}")).expect("a row");
    let (why, _) = refused(&text);
    // A [[rule]] stands on the line before its name; lines count from 1.
    let (first, second) = (at("in the cell"), at("rest"));
    assert!(why.starts_with(&format!("a worse fact would be the lower band: \"in the cell\" (line {first}) says important for")), "{why}");
    assert!(why.contains("effect slight, access physical, exploitation none, automatable no, reach ot_only, consequence none"), "{why}");
    assert!(why.ends_with(&format!("\"rest\" (line {second}) says moderate for the same with reach it_reachable")), "{why}");
    assert_eq!(Policy::read(&text).expect_err("refused").line, Some(second));
}

#[test]
fn a_rule_may_hold_up_to_a_level_where_that_is_sound() {
    let text = with_rules(&[
        "name = \"nobody gets there\"\nband = \"low\"\nat_most = { reach = \"isolated\", exploitation = \"poc\" }",
        "name = \"rest\"\nband = \"moderate\"",
    ]);
    let policy = Policy::read(&text).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_ne!(policy.sha256, Policy::built_in().sha256);
    assert_eq!((policy.rules().len(), policy.rules()[1].band), (2, Band::Moderate));
}

#[test]
fn what_is_wrong_in_a_policy_is_said_with_its_line() {
    let rest = "name = \"rest\"\nband = \"moderate\"";
    let swap = |old: &str, new: &str| {
        assert!(BUILT_IN.contains(old), "{old}");
        BUILT_IN.replacen(old, new, 1)
    };
    let long = format!("{BUILT_IN}\n#{}", "x".repeat(256 * 1024));
    for (text, why, line) in [
        (swap("name = \"nameplate", "nmae = \"nameplate"), "unknown field `nmae`", "nmae = "),
        (swap("[unknown]", "[unknown"), "unclosed table", "[unknown"),
        (swap("epss_likely = \"0.10\"", "epss_likely = \"10 %\""), "no probability", "epss_likely"),
        (swap("epss_likely = \"0.10\"", "epss_likely = \"1.000001\""), "no probability", "epss_likely"),
        (swap("reach = \"it_reachable\"", "reach = \"isolated\""), "must not count as \"isolated\"", "reach = \"isolated\""),
        (swap("value = \"ordinary\"", ""), "does not say what value counts as", "[unknown]"),
        (swap("value = \"ordinary\"", "worth = \"high\""), "\"worth\" is no factor", "worth"),
        (swap("band = \"critical\"", "band = \"urgent\""), "\"urgent\" is no band", "band = \"urgent\""),
        (swap("reach = \"ot_only\"", "reach = \"plant\""), "\"plant\" is no level of reach: isolated, ot_only", "at_least"),
        (swap("[words.reach]", "[words.colour]\nred = []\n[words.reach]"), "no words for \"colour\"", "[words.colour]"),
        (swap("isolated = [\"isolated\"", "isolated = [\"DMZ\""), "\"dmz\" has two meanings", "it_reachable"),
        (swap("outage = 15", "outage = 3"), "cannot have more time", "online = 7"),
        (swap("online = 7\noutage = 15", "online = 31\noutage = 31"), "critical (line", "online = 31"),
        (swap("outage = 180", "outage = 18000"), "are no date", "outage = 18000"),
        (swap("[due.important]", "[due.low]"), "important (no row) would be due later than moderate (line", "online = 90"),
        (with_rules(&[]), "no rule decides for effect slight, access physical", ""),
        (with_rules(&["name = \"x\"\nband = \"low\"\nat_least = { reach = \"internet\" }"]), "no rule decides", ""),
        (with_rules(&[rest, "name = \"never\"\nband = \"moderate\""]), "\"never\" never decides", "[[rule]]"),
        (with_rules(&["name = \"\"\nband = \"low\""]), "a rule has a name", "[[rule]]"),
        (long, "a policy has at most", ""),
    ] {
        let (said, at) = refused(&text);
        assert!(said.contains(why), "{why}: {said}");
        assert!(at.starts_with(line), "{why}: {line:?} is not {at:?}");
    }
}

#[test]
fn a_word_means_what_it_says_in_any_spelling() {
    let policy = Policy::built_in();
    for (column, cell, level) in [
        (Word::Reach, "Air-Gapped", Some(0)),
        (Word::Reach, " DMZ ", Some(2)),
        (Word::Reach, "Level 3.5", Some(2)),
        (Word::Reach, "LEVEL_3", Some(1)),
        (Word::Reach, "Internet facing", Some(3)),
        (Word::Reach, "Cell 4", None),
        (Word::Reach, "not the internet", None),
        (Word::Reach, "", None),
        (Word::Consequence, "SIL 3", Some(3)),
        (Word::Consequence, "7", None),
        (Word::DeviceClass, "protection-relay", Some(3)),
        (Word::SafetySystem, "Yes", Some(1)),
    ] {
        assert_eq!(policy.word(column, cell), level, "{cell}");
    }
    let mine = BUILT_IN.replacen("[zones]", "[zones]\n\"Cell 4\" = \"ot_only\"", 1);
    let mine = Policy::read(&mine).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(mine.word(Word::Zone, "cell-4"), Some(1));
}

#[test]
fn a_word_of_criticality_that_is_worse_for_the_process_is_not_worth_less() {
    let policy = Policy::built_in();
    let of = |column: Word| policy.words.iter().filter(move |((of, _), _)| *of == column).map(|((_, word), level)| (word.as_str(), *level));
    for (word, consequence) in of(Word::Consequence) {
        let value = policy.word(Word::Value, word).unwrap_or_else(|| panic!("{word} has no value"));
        for (other, milder) in of(Word::Consequence).filter(|(_, milder)| *milder < consequence) {
            assert!(policy.word(Word::Value, other) <= Some(value), "{other} ({milder}) and {word} ({consequence})");
        }
    }
}
