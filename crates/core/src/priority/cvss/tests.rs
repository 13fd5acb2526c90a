use super::*;

fn read(text: &str) -> Vector {
    Vector::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn scores_are_those_of_the_specifications_examples() {
    for (text, tenths) in [
        // CVSS v2 guide, section 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062.
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Some(78)),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C", Some(100)),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C", Some(62)),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:N", Some(0)),
        // CVSS v3.1 examples document: CVE-2013-1937, CVE-2013-0375, CVE-2014-3566, CVE-2012-1516, CVE-2009-0783, CVE-2012-0384,
        // CVE-2014-2005, CVE-2013-6014.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some(61)),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", Some(64)),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", Some(31)),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", Some(99)),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", Some(42)),
        ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", Some(88)),
        ("CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(68)),
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", Some(93)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some(0)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some(100)),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", None),
    ] {
        assert_eq!(read(text).base_tenths(), tenths, "{text}");
    }
}

#[test]
fn a_text_that_is_not_wholly_a_vector_is_none() {
    let base = "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H";
    let fourth = "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
    for (text, why) in [
        (String::new(), BadVector::Edition),
        ("9.8".into(), BadVector::Edition),
        (format!("CVSS:3.2/{base}"), BadVector::Edition),
        (format!("cvss:3.1/{base}"), BadVector::Edition),
        (format!(" CVSS:3.1/{base}"), BadVector::Edition),
        (format!("CVSS:3.1/{base}/"), BadVector::Part(9)),
        (format!("CVSS:3.1/{base}/X:Y"), BadVector::Part(9)),
        (format!("CVSS:3.1/{base}/E"), BadVector::Part(9)),
        (format!("CVSS:3.1/{base}/A:H"), BadVector::Twice("A")),
        (format!("CVSS:3.1/{base} "), BadVector::Part(8)),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N".into(), BadVector::Missing("A")),
        ("CVSS:3.1/AV:n/AC:L".into(), BadVector::Part(1)),
        ("AV:N/AC:L/Au:N/C:P/I:P".into(), BadVector::Missing("A")),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:H".into(), BadVector::Part(6)),
        (format!("CVSS:4.0/{fourth}/U:Red/RE:L"), BadVector::Order("RE")),
        (format!("CVSS:4.0/{fourth}/E:A/E:A"), BadVector::Twice("E")),
        (format!("CVSS:4.0/{fourth}/E:A/AV:N"), BadVector::Twice("AV")),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N".into(), BadVector::Missing("SA")),
        (format!("CVSS:4.0/{fourth}/{}", "E:A/".repeat(60)), BadVector::Long),
    ] {
        assert_eq!(Vector::read(&text), Err(why), "{text}");
    }
}

#[test]
fn the_order_of_version_3_is_free_and_all_metrics_are_read() {
    let turned = read("CVSS:3.1/A:H/I:N/C:N/S:U/UI:N/PR:N/AC:L/AV:N");
    assert_eq!(turned, read("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"));
    for edition in [Edition::V2, Edition::V30, Edition::V31, Edition::V40] {
        let (metrics, _) = edition.metrics();
        for last in [true, false] {
            let value = |metric: &Metric| if last { metric.values.last() } else { metric.values.first() }.copied().unwrap_or_default();
            let body: Vec<String> = metrics.iter().map(|metric| format!("{}:{}", metric.name, value(metric))).collect();
            let name = match edition {
                Edition::V2 => "",
                Edition::V30 => "CVSS:3.0/",
                Edition::V31 => "CVSS:3.1/",
                Edition::V40 => "CVSS:4.0/",
            };
            let vector = read(&format!("{name}{}", body.join("/")));
            assert_eq!(vector.edition(), edition);
            metrics.iter().for_each(|metric| assert_eq!(vector.value(metric.name), Some(value(metric)), "{}", metric.name));
        }
    }
}

#[test]
fn what_an_attacker_gets_and_needs_is_read_out_of_the_metrics() {
    for (text, effect, access, exploits, automatable) in [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 3, 3, 0, None),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 2, 3, 0, None),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N/E:P/RL:O/RC:C", 2, 3, 1, None),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N/E:U", 1, 2, 0, None),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N/E:F", 0, 2, 1, None),
        ("CVSS:3.0/AV:A/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N/E:H", 1, 2, 2, None),
        ("CVSS:3.0/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 3, 1, 0, None),
        ("CVSS:3.0/AV:P/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 3, 0, 0, None),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 1, 3, 0, None),
        ("AV:N/AC:M/Au:N/C:N/I:N/A:C/E:POC", 2, 2, 1, None),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:H/E:A/AU:Y", 2, 3, 3, Some(true)),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:L/SC:N/SI:N/SA:N/E:P/S:P/AU:N", 3, 2, 1, Some(false)),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 1, 2, 0, None),
    ] {
        let vector = read(text);
        let said = (vector.effect(), vector.access(), vector.exploits(), vector.automatable());
        assert_eq!(said, (effect, access, exploits, automatable), "{text}");
    }
}

#[test]
fn a_worse_metric_is_never_a_milder_vector() {
    // One metric after another is made worse, in every vector of version 3's base.
    let (metrics, needed) = Edition::V31.metrics();
    let bases = metrics.iter().take(needed);
    let mut all = vec![vec![]];
    for metric in bases {
        all = all.iter().flat_map(|head: &Vec<usize>| (0..metric.values.len()).map(move |at| [&**head, &[at]].concat())).collect();
    }
    assert_eq!(all.len(), 2_592);
    let of = |places: &[usize]| {
        let chosen = places.iter().map(|at| Some(*at)).chain(std::iter::repeat_n(None, metrics.len() - needed)).collect();
        Vector { edition: Edition::V31, chosen }
    };
    for places in &all {
        let milder = of(places);
        for (at, metric) in metrics.iter().enumerate().take(needed).filter(|(at, metric)| places[*at] + 1 < metric.values.len()) {
            let mut worse = places.clone();
            worse[at] += 1;
            let worse = of(&worse);
            assert!(worse.effect() >= milder.effect() && worse.access() >= milder.access(), "{}: {places:?}", metric.name);
            assert!(worse.base_tenths() >= milder.base_tenths(), "{}: {places:?}", metric.name);
        }
    }
}

#[test]
fn a_worse_metric_is_never_milder_in_any_edition() {
    // A linear congruential generator (Knuth, MMIX) draws vectors with all metrics.
    let mut state: u64 = 3;
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % end as u64) as usize
    };
    for edition in [Edition::V2, Edition::V31, Edition::V40] {
        let (metrics, _) = edition.metrics();
        for _ in 0..20_000 {
            let mut chosen: Vec<Option<usize>> = metrics.iter().map(|metric| Some(below(metric.values.len()))).collect();
            let milder = Vector { edition, chosen: chosen.clone() };
            let at = below(metrics.len());
            chosen[at] = chosen[at].map(|value| (value + 1).min(metrics[at].values.len() - 1));
            let worse = Vector { edition, chosen };
            assert!(worse.effect() >= milder.effect() && worse.access() >= milder.access(), "{}: {milder:?}", metrics[at].name);
            assert!(worse.exploits() >= milder.exploits(), "{}: {milder:?}", metrics[at].name);
            assert!(worse.automatable().unwrap_or(false) >= milder.automatable().unwrap_or(false), "{milder:?}");
        }
    }
}

#[test]
fn the_longest_vector_fits() {
    for edition in [Edition::V2, Edition::V31, Edition::V40] {
        let (metrics, _) = edition.metrics();
        let longest = |metric: &Metric| metric.values.iter().map(|value| value.len()).max().unwrap_or(0);
        let bytes: usize = metrics.iter().map(|metric| metric.name.len() + 2 + longest(metric)).sum();
        assert!(bytes + "CVSS:4.0/".len() <= VECTOR_BYTES_MAX, "{edition:?}: {bytes}");
    }
}
