use super::*;
use crate::advisory::exploitation::{Epss, Exploitation, Exploited, Kev, List, ListKind, Ransomware, Ssvc, TechnicalImpact};
use crate::advisory::{Remediation, Score};

/// What is known, as tests write it down.
#[derive(Clone, Default)]
pub(super) struct Story {
    pub vectors: Vec<(String, &'static str)>,
    pub kev_read: bool,
    pub exploitation: Exploitation,
    pub setting: Setting,
    pub offers: Vec<(&'static str, Option<&'static str>)>,
}

impl Story {
    pub fn factors(&self, policy: &Policy) -> Factors {
        let score = |(vector, base): &(String, &str)| Score { vector: vector.clone(), base: (*base).into(), products: vec![] };
        let scores: Vec<Score> = self.vectors.iter().map(score).collect();
        let offer = |(category, restart): &(&str, Option<&str>)| Remediation {
            category: (*category).into(),
            details: String::new(),
            url: None,
            restart: restart.map(Into::into),
            products: vec![],
        };
        let remediations: Vec<Remediation> = self.offers.iter().map(offer).collect();
        let list = List { kind: ListKind::Kev, version: String::new(), date: "2026-11-20".into(), cves: 1, sha256: String::new() };
        let known = Known {
            scores: scores.iter().collect(),
            exploitation: Some(&self.exploitation),
            lists: if self.kev_read { &[list] } else { &[] },
            setting: &self.setting,
            remediations: remediations.iter().collect(),
        };
        Factors::of(policy, &known)
    }

    pub fn decide(&self) -> Decision {
        let policy = Policy::built_in();
        policy.decide(&self.factors(policy), Dates { found_on: day("2026-11-22"), fix_released: None })
    }
}

pub(super) fn kev() -> Option<Kev> {
    Some(Kev { date_added: "2026-10-01".into(), ransomware: Ransomware::Unknown })
}

pub(super) fn ssvc(exploitation: Exploited, automatable: bool, technical_impact: TechnicalImpact) -> Option<Ssvc> {
    Some(Ssvc { exploitation, automatable, technical_impact, timestamp: "2026-09-01T15:32:06.669346Z".into() })
}

pub(super) fn epss(score_millionths: u32) -> Option<Epss> {
    Some(Epss { score_millionths, percentile_millionths: 0, date: "2026-11-21".into() })
}

fn day(text: &str) -> Day {
    Day::read(text).expect("a day")
}

fn setting(zone: &str, exposure: &str, criticality: &str, value: &str, class: &str) -> Setting {
    let cells = [("zone", zone), ("exposure", exposure), ("criticality", criticality), ("business_value", value), ("device_class", class)];
    Setting::of(|column| cells.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell))
}

const TAKES_OVER: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const STOPS: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
const WITH_RIGHTS: &str = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H";
const A_FILE: &str = "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H";
const A_LITTLE: &str = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N";

/// Vector, exploitation (k: KEV, n/p/a: SSVC, N/P/A: the same and automatable, e: EPSS 0.5), cells (exposure, criticality, value), the band
/// and what it could be, as letters.
type Row = (&'static str, &'static str, [&'static str; 3], char, &'static str, &'static str);

fn story(vector: &str, exploitation: &str, [exposure, criticality, value]: [&str; 3]) -> Story {
    let points = exploitation.chars().find_map(|c| match c.to_ascii_lowercase() {
        'n' => ssvc(Exploited::None, c == 'N', TechnicalImpact::Total),
        'p' => ssvc(Exploited::Poc, c == 'P', TechnicalImpact::Total),
        'a' => ssvc(Exploited::Active, c == 'A', TechnicalImpact::Total),
        _ => None,
    });
    Story {
        vectors: if vector.is_empty() { vec![] } else { vec![(vector.into(), "")] },
        kev_read: !exploitation.contains('-'),
        exploitation: Exploitation {
            kev: exploitation.contains('k').then(kev).flatten(),
            ssvc: points,
            epss: exploitation.contains('e').then(|| epss(500_000)).flatten(),
        },
        setting: setting("", exposure, criticality, value, ""),
        offers: vec![],
    }
}

fn letter(band: Band) -> char {
    band.name().chars().next().unwrap_or('?')
}

fn check(rows: &[Row]) {
    for (vector, exploitation, cells, band, could_be, rule) in rows {
        let decision = story(vector, exploitation, *cells).decide();
        let (least, most) = decision.could_be;
        let said = (letter(decision.band), format!("{}{}", letter(least), letter(most)), &*decision.rule);
        assert_eq!(said, (*band, (*could_be).to_owned(), *rule), "{vector} {exploitation} {cells:?}: {:#?}", decision.because);
        assert!(least <= decision.band && decision.band <= most);
        assert_eq!(
            decision.unknown.is_empty(),
            !decision.because.iter().any(|line| line.ends_with(": not known")),
            "{:?}",
            decision.unknown
        );
    }
}

#[test]
fn where_all_is_known_the_band_is_one() {
    check(&[
        (TAKES_OVER, "kA", ["dmz", "high", "high"], 'c', "cc", "used in attacks, and within reach"),
        (WITH_RIGHTS, "kn", ["dmz", "process", "low"], 'c', "cc", "used in attacks, and within reach"),
        (WITH_RIGHTS, "a", ["ot only", "safety", "low"], 'c', "cc", "used in attacks, against what protects people"),
        (STOPS, "n", ["internet", "process", "ordinary"], 'c', "cc", "open to the internet"),
        (TAKES_OVER, "Ne", ["dmz", "process", "ordinary"], 'c', "cc", "likely, by itself, all of it"),
        (STOPS, "P", ["dmz", "sil 3", "ordinary"], 'c', "cc", "an exploit is public, against what protects people"),
        (STOPS, "k", ["isolated", "process", "ordinary"], 'm', "mm", "likely to be used"),
        (A_FILE, "kn", ["ot only", "support", "low"], 'i', "ii", "used in attacks"),
        (WITH_RIGHTS, "p", ["dmz", "process", "ordinary"], 'i', "ii", "an exploit is public, and within reach"),
        (TAKES_OVER, "n", ["dmz", "process", "ordinary"], 'i', "ii", "anyone on the network gets all of it"),
        (STOPS, "n", ["ot only", "safety", "ordinary"], 'i', "ii", "anyone on the network stops what protects people"),
        (WITH_RIGHTS, "n", ["internet", "support", "ordinary"], 'i', "ii", "the internet reaches it"),
        (STOPS, "n", ["dmz", "support", "high"], 'i', "ii", "anyone on the network stops what is worth much"),
        (STOPS, "n", ["ot only", "process", "ordinary"], 'm', "mm", "the process can be stopped over the network"),
        (A_LITTLE, "ne", ["isolated", "none", "low"], 'm', "mm", "likely to be used"),
        (A_FILE, "n", ["isolated", "safety", "low"], 'm', "mm", "what protects people can be stopped"),
        (A_FILE, "n", ["isolated", "process", "high"], 'm', "mm", "what is worth much can be stopped"),
        (A_FILE, "n", ["dmz", "process", "ordinary"], 'm', "mm", "taken over by who is on it"),
        (TAKES_OVER, "n", ["isolated", "process", "ordinary"], 'l', "ll", "all others"),
        (A_FILE, "n", ["ot only", "support", "low"], 'l', "ll", "all others"),
        (A_LITTLE, "n", ["internet", "safety", "high"], 'l', "ll", "all others"),
    ]);
}

#[test]
fn an_unknown_is_named_and_is_neither_good_news_nor_all_critical() {
    check(&[
        // Nothing but the vector: it counts as reachable, as part of the process, with an exploit that may be public.
        (TAKES_OVER, "-", ["", "", ""], 'i', "lc", "an exploit is public, and within reach"),
        (A_LITTLE, "-", ["", "", ""], 'l', "lm", "all others"),
        (A_FILE, "N", ["", "", ""], 'm', "lm", "taken over by who is on it"),
        ("", "-", ["", "", ""], 'i', "lc", "an exploit is public, and within reach"),
        // What is known holds, whatever is not: it is used in attacks.
        (TAKES_OVER, "k", ["", "", ""], 'c', "mc", "used in attacks, and within reach"),
        (TAKES_OVER, "k", ["isolated", "", ""], 'm', "mm", "likely to be used"),
        ("", "k", ["dmz", "process", "ordinary"], 'c', "mc", "used in attacks, and within reach"),
        (STOPS, "n", ["internet", "", ""], 'c', "ic", "open to the internet"),
        (STOPS, "n", ["", "spare", ""], 'l', "li", "all others"),
        (STOPS, "n", ["", "low", ""], 'm', "li", "disturbed by who reaches it"),
    ]);
}

#[test]
fn what_was_not_understood_is_named_in_the_owners_words() {
    let strange = Story { setting: setting("Cell 4", "sort of", "A1", "7", "plc"), ..story(STOPS, "n", [""; 3]) };
    let decision = strange.decide();
    let named: Vec<_> = decision.unknown.iter().map(|unknown| (unknown.factor, unknown.facts.join("; "), unknown.counts_as)).collect();
    assert_eq!(
        named,
        [
            (Factor::Reach, "exposure \"sort of\"; zone \"Cell 4\"".to_owned(), "it_reachable"),
            (Factor::Consequence, "criticality \"A1\"".to_owned(), "process"),
            (Factor::Value, "business_value \"7\"".to_owned(), "ordinary"),
        ]
    );
    // Of two cells the one that was understood is a floor, and the other stays open.
    let half = Story { setting: setting("Level 2", "sort of", "high", "", ""), ..story(STOPS, "n", [""; 3]) };
    let reach = half.factors(Policy::built_in()).reading(Factor::Reach).clone();
    assert_eq!((reach.least, reach.most, &*reach.missing), (1, 3, &["exposure \"sort of\"".to_owned()][..]));
    // A zone of the owner's own name is not missed where the exposure is known.
    let named = Story { setting: setting("Cell 4", "ot only", "high", "", ""), ..story(STOPS, "n", [""; 3]) };
    assert_eq!(named.decide().unknown, []);
}

#[test]
fn the_kind_of_device_is_a_hint_and_never_good_news() {
    for (class, criticality, consequence) in [
        ("protection-relay", "", "consequence safety: device_class \"protection-relay\""),
        ("power-meter", "", "consequence process: not known"),
        ("protection-relay", "low", "consequence support: criticality \"low\""),
        ("plc", "what", "consequence process: device_class \"plc\""),
    ] {
        let decision = Story { setting: setting("", "dmz", criticality, "low", class), ..story(STOPS, "n", [""; 3]) }.decide();
        assert!(decision.because.contains(&consequence.to_owned()), "{:?}", decision.because);
    }
}

#[test]
fn of_two_sources_the_worse_counts() {
    let factors = |story: &Story| story.factors(Policy::built_in());
    let two = Story { vectors: vec![(A_FILE.into(), "7.8"), (STOPS.into(), "7.5")], ..story("", "n", [""; 3]) };
    assert_eq!((factors(&two).reading(Factor::Effect).least, factors(&two).reading(Factor::Access).least), (3, 3));
    let old = story(STOPS, "nk", [""; 3]);
    let said = factors(&old).reading(Factor::Exploitation).clone();
    assert_eq!((said.least, said.most), (3, 3));
    assert_eq!(said.because, ["KEV: since 2026-10-01", "SSVC: none on 2026-09-01"]);
    let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A/AU:Y";
    let fourth = story(v4, "n", [""; 3]);
    assert_eq!((factors(&fourth).reading(Factor::Exploitation).least, factors(&fourth).automatable()), (3, Some(true)));
}

#[test]
fn a_vector_that_is_none_leaves_the_worst_open_and_a_score_that_is_not_its_own_is_remarked() {
    let bad = Story { vectors: vec![(A_LITTLE.into(), "3.7"), ("CVSS:3.1/AV:N".into(), "9.8")], ..story("", "N", ["dmz", "high", ""]) };
    let decision = bad.decide();
    assert_eq!((decision.band, decision.could_be), (Band::Moderate, (Band::Low, Band::Important)));
    assert_eq!(decision.unknown[0].facts, ["cvss_vector \"CVSS:3.1/AV:N\": AC is missing"]);
    let wrong = Story { vectors: vec![(STOPS.into(), "9.8")], ..story("", "N", ["dmz", "high", ""]) };
    assert_eq!(wrong.decide().remarks, [format!("base score 9.8 is not that of {STOPS}: 7.5")]);
}

#[test]
fn what_the_lists_leave_open_depends_on_which_were_read() {
    for (kev_read, points, probability, least, most, missing) in [
        (false, None, None, 0, 3, &["kev", "ssvc"][..]),
        (false, None, epss(10), 0, 3, &["kev", "ssvc"]),
        (false, ssvc(Exploited::None, false, TechnicalImpact::Total), None, 0, 3, &["kev"]),
        (true, None, None, 0, 2, &["ssvc", "epss"]),
        (true, None, epss(99_999), 0, 1, &["ssvc"]),
        (true, None, epss(100_000), 2, 2, &[]),
        (true, ssvc(Exploited::None, false, TechnicalImpact::Total), None, 0, 0, &[]),
        (true, ssvc(Exploited::Poc, false, TechnicalImpact::Total), None, 1, 1, &[]),
    ] {
        let story = Story { kev_read, exploitation: Exploitation { kev: None, ssvc: points, epss: probability }, ..Story::default() };
        let reading = story.factors(Policy::built_in()).reading(Factor::Exploitation).clone();
        let named: Vec<&str> = reading.missing.iter().map(String::as_str).collect();
        assert_eq!((reading.least, reading.most, &*named), (least, most, missing), "{:?}", reading.because);
    }
}

#[test]
fn ease_sets_the_date_and_never_the_band() {
    for (offers, released, act, by, from) in [
        (&[("vendor_fix", Some("none"))][..], None, Act::Fix, "2026-12-22", "2026-11-22"),
        (&[("vendor_fix", Some("system"))], None, Act::Fix, "2027-01-21", "2026-11-22"),
        // Nobody says whether it needs a restart: the shorter time counts.
        (&[("vendor_fix", None)], None, Act::Fix, "2026-12-22", "2026-11-22"),
        (&[("vendor_fix", Some("system")), ("vendor_fix", None)], None, Act::Fix, "2026-12-22", "2026-11-22"),
        (&[("vendor_fix", Some("zone"))], Some("2026-12-01"), Act::Fix, "2027-01-30", "2026-12-01"),
        (&[("vendor_fix", Some("none"))], Some("2020-01-01"), Act::Fix, "2026-12-22", "2026-11-22"),
        (&[("none_available", None)], Some("2027-06-01"), Act::Mitigate, "2026-12-22", "2026-11-22"),
        (&[("mitigation", None)], None, Act::Either, "2026-12-22", "2026-11-22"),
        (&[], None, Act::Either, "2026-12-22", "2026-11-22"),
    ] {
        let story = Story { offers: offers.to_vec(), ..story(TAKES_OVER, "n", ["dmz", "high", ""]) };
        let policy = Policy::built_in();
        let dates = Dates { found_on: day("2026-11-22"), fix_released: released.map(day) };
        let decision = policy.decide(&story.factors(policy), dates);
        let due = decision.due.expect("important things have a date");
        assert_eq!(decision.band, Band::Important);
        assert_eq!((due.act, due.by, due.from), (act, day(by), day(from)), "{offers:?} {released:?}");
        assert_eq!(due.by.since(due.from), i32::try_from(due.days).unwrap_or_default());
    }
    assert_eq!(story(A_LITTLE, "n", ["dmz", "low", "low"]).decide().due, None);
}

#[test]
fn a_decision_says_what_it_rests_on() {
    let decision = story(STOPS, "Pe", ["dmz", "high", ""]).decide();
    let policy = Policy::built_in();
    assert_eq!((&decision.policy, &decision.policy_sha256), (&policy.name, &policy.sha256));
    assert_eq!(
        decision.because,
        [
            format!("effect disrupts: {STOPS}"),
            format!("access open: {STOPS}"),
            "exploitation likely: KEV of 2026-11-20: not listed; SSVC: poc on 2026-09-01; EPSS: 0.500000 on 2026-11-21".into(),
            "automatable yes: SSVC: yes".into(),
            "reach it_reachable: exposure \"dmz\"".into(),
            "consequence process: criticality \"high\"".into(),
            "value high: criticality \"high\"".into(),
        ]
    );
    let benchmarks = decision.benchmarks;
    assert_eq!(benchmarks.bod_26_04.map(|said| said.to_string()).as_deref(), Some("CISA BOD 26-04: 60 days"));
    assert_eq!(benchmarks.deployer.map(|said| said.to_string()).as_deref(), Some("CERT/CC deployer: scheduled"));
}

#[test]
fn what_a_device_or_a_sheet_says_is_cut_and_escaped() {
    let nasty = "\u{1b}[2J".to_owned() + &"x".repeat(10_000);
    let story = Story {
        vectors: vec![(nasty.clone(), "")],
        exploitation: Exploitation {
            kev: Some(Kev { date_added: nasty.clone(), ransomware: Ransomware::Known }),
            ssvc: Some(Ssvc { timestamp: nasty.clone(), ..ssvc(Exploited::None, true, TechnicalImpact::Total).expect("points") }),
            epss: Some(Epss { date: nasty.clone(), ..epss(1).expect("a score") }),
        },
        setting: setting(&nasty, &nasty, &nasty, &nasty, &nasty),
        ..Story::default()
    };
    let decision = story.decide();
    let lines = decision.unknown.iter().flat_map(|unknown| &unknown.facts).chain(&decision.because);
    lines.for_each(|line| assert!(line.len() < 300 && !line.contains('\u{1b}'), "{line}"));
}
