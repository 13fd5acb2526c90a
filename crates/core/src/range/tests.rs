use super::*;
use crate::version::Version;

/// Vendor, range, version, facts, and what is expected: the verdict, and the missing fact behind a colon.
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static [&'static str])], &'static str);

fn check(rows: &[Row]) {
    for &(vendor, text, version, known, expected) in rows {
        let scheme = Scheme::of(vendor, "").expect("the last scheme fits all");
        let range = Range::read(scheme, text);
        assert_reassembled(&range);
        let mut facts = Facts::default();
        known.iter().for_each(|(name, values)| facts.insert(name, values.iter().map(|value| (*value).to_owned()).collect()));
        let version = (!version.is_empty()).then(|| Version::read(scheme, version));
        let answer = range.answer(version.as_ref(), &facts);
        let shown = answer.missing.map_or(answer.verdict.name().to_owned(), |missing| format!("{}: {missing}", answer.verdict.name()));
        let why = answer.why.sentence();
        assert_eq!(shown, expected, "{vendor} {text:?} of {:?} ({why}; {})", version.as_ref().map(Version::text), range.parsed());
        // A fact taken away never makes an outside.
        for (name, _) in known {
            let mut fewer = facts.clone();
            fewer.0.remove(*name);
            let less = range.answer(version.as_ref(), &fewer).verdict;
            assert!(less != Verdict::Outside || answer.verdict == Verdict::Outside, "{text:?} without {name}");
        }
    }
}

fn assert_reassembled(range: &Range) {
    let text: String = range.pieces().iter().filter_map(|piece| range.text().get(piece.bytes.clone())).collect();
    assert_eq!(text, range.text(), "characters were dropped");
}

#[test]
fn one_bound_takes_in_one_side() {
    check(&[
        ("Siemens", "vers:all/<V4.4", "V4.3.9", &[], "inside"),
        ("Siemens", "vers:all/<V4.4", "V4.4.0", &[], "outside"),
        ("Siemens", "All versions", "V4.4", &[], "inside"),
        ("Siemens", "vers:all/*", "", &[], "inside"),
        ("Siemens", "< V4.7 HF29", "V4.7", &[], "inside"),
        ("Siemens", "< V4.7 HF29", "V4.7 HF29", &[], "outside"),
        ("Siemens", "< V4.7 HF29", "", &[], "undecided: version"),
        ("Siemens", "<= V16", "V16 Update 3", &[], "undecided"),
        ("Siemens", "< V3.X.14", "V3.2.12", &[], "inside"),
        ("Siemens", "< V3.X.14", "V3.2.17", &[], "outside"),
        ("", "<= 2.1", "2.1.5", &[], "undecided"),
        ("", "<= 2.1", "2.1.0", &[], "inside"),
        ("", "< 2.1", "2.1.0", &[], "outside"),
        ("", "< 2.1.0", "2.1", &[], "undecided"),
        ("", ">= 2.1.5", "2.1", &[], "undecided"),
        ("", "2.3.6 and  below", "2.3.7", &[], "outside"),
        ("", "prior to 2.3.6", "2.3.5", &[], "inside"),
        ("", "12.2.*", "12.2.7", &[], "inside"),
        ("", "12.2.*", "12.3.0", &[], "outside"),
        ("", "< 3.x", "3.1", &[], "undecided"),
        ("", "< 3.x", "2.9", &[], "inside"),
        ("", "<= firmware 65", "66", &[], "outside"),
        ("", "Firmware version 4.51 and prior", "4.51", &[], "inside"),
        ("Yokogawa", "R5.04.01 to R5.05.01", "R5.05.02", &[], "outside"),
        ("", "1.275 \u{2013} 1.280", "1.281", &[], "outside"),
        ("", "&lt;=2.0", "2.1", &[], "outside"),
        ("", "< 2.0", "-", &[], "undecided: version"),
        ("", "< 2.0", "2.0 something", &[], "undecided"),
        ("", "< 2.0 (see below)", "3.0", &[], "undecided"),
        ("", "No version", "3.0", &[], "undecided"),
        ("Schneider Electric", "NMC2 <= 6.9.6", "v6.9.7", &[], "undecided: component"),
        ("Schneider Electric", "NMC2 <= 6.9.6", "v6.9.7", &[("component", &["NMC2"])], "outside"),
        ("Siemens", "All BIOS versions < V21.01.14", "V21.01.14", &[("component", &["bios"])], "outside"),
        ("Schneider Electric", "NMC2 <= 6.9.6", "v6.9.6", &[("component", &["NMC2"])], "inside"),
        ("Schneider Electric", "NMC2 <= 6.9.6", "v6.9.7", &[("component", &["PDU"])], "undecided: nmc2"),
        ("Rockwell", ">= 20 | <= 30.014", "20.012", &[], "inside"),
        ("Rockwell", ">= 20 | <= 30.014", "30.14", &[], "inside"),
        ("WAGO", "< 02.07.07(10)", "02.07.07(10)", &[], "outside"),
        ("WAGO", ">FW16_up_to_and_including_FW26", "03.10.08(22)", &[], "inside"),
        ("WAGO", ">FW16_up_to_and_including_FW26", "03.10.08(27)", &[], "outside"),
        ("Honeywell", ">=R16x|<=R162.10", "R161.5", &[], "inside"),
    ]);
}

#[test]
fn a_bar_joins_two_ends_or_parts_two_ranges_or_gives_each_line_its_bound() {
    check(&[
        ("Siemens", "vers:all/>=V2.9.2<V2.9.4", "V2.9.4", &[], "outside"),
        ("Siemens", "All versions >= V2.5 and < V20.8", "V2.7", &[], "inside"),
        ("Siemens", "All versions between V2.5 (including) and V2.7 (excluding)", "V2.7", &[], "outside"),
        ("Siemens", "All versions between V2.5 (including) and V2.7 (excluding)", "V2.5", &[], "inside"),
        ("", ">= 1.0 | <= 1.32", "1.33", &[], "outside"),
        ("", "< 5 | >= 3", "4", &[], "inside"),
        ("", "< 5 | >= 3", "2", &[], "outside"),
        ("Hitachi", "<=9.4 FP1 | >= 10.2.1", "9.4", &[], "inside"),
        ("Hitachi", "<=9.4 FP1 | >= 10.2.1", "10.3", &[], "inside"),
        ("Hitachi", "<=9.4 FP1 | >= 10.2.1", "9.4 FP2", &[], "undecided"),
        ("", "<=8.1 | >= 8.1.10", "8.1.10", &[], "undecided"),
        ("", "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "5.1.20", &[], "outside"),
        ("", "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "5.1.19", &[], "inside"),
        ("", "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "5.2.1", &[], "undecided"),
        ("", "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "4.9", &[], "inside"),
        ("", "<= 5.0.27 | <= 5.1.19 | <= 6.0.16", "7.0.0", &[], "outside"),
        ("", "<= 1.12.0.27 | 1.12.13.2 | 1.12.14.5", "1.12.13.1", &[], "undecided"),
        ("", "<= 1.12.0.27 | 1.12.13.2 | 1.12.14.5", "1.12.15.0", &[], "outside"),
        ("Siemens", "< 15.1 | 7", "V15.1 Update 5", &[], "undecided"),
        ("", "< 2.1 or >= 3.0 and < 3.2", "2.5", &[], "outside"),
        ("", ">= 2 or < 3", "4", &[], "inside"),
        ("", "< 5 or >= 3", "6", &[], "inside"),
        ("", "= 1.5", "1.5", &[], "inside"),
        ("", "< 2 except 1.5", "1.5", &[], "undecided"),
        ("", "not 1.5", "1.6", &[], "undecided"),
        ("", "vers:generic/>=1|!=1.5|<2", "1.4", &[], "undecided"),
        ("", "9.0.1 | 9.0.2", "9.0.3", &[], "outside"),
        ("", "9.0.1 | 9.0.2", "9.0.2.1", &[], "undecided"),
        ("", "* | 1.5.0 plus205", "1.4", &[], "inside"),
        ("Rockwell", "20-33", "33.051", &[], "inside"),
        ("Rockwell", "20-33", "34.011", &[], "outside"),
        ("", "01.14.000 -01.47.000", "01.48.000", &[], "outside"),
        ("", "V1.1, V1.2, and V1.3", "V1.2", &[], "inside"),
        ("SEL", ">=R100-V0|<R301-V6", "SEL-700G-R301-V6-Z008003-D20231206", &[], "outside"),
    ]);
}

#[test]
fn a_name_in_the_place_of_a_version_excludes_nothing() {
    check(&[
        ("Rockwell", "1783-SAD4T0SBK9", "6.4.0", &[], "undecided"),
        ("", "5714442222", "6.4.0", &[], "undecided"),
        ("", "24950 | 24952", "2.1", &[], "undecided"),
        ("", "CODESYS Control for Linux", "3.5.15", &[], "undecided"),
        ("", "<=d78dda6", "a0b1c2d3", &[], "undecided: version"),
        ("", "", "1.0", &[], "undecided"),
        ("", "<", "1.0", &[], "undecided"),
        ("", "or", "1.0", &[], "undecided"),
        ("", "|", "1.0", &[], "undecided"),
        ("", "vers:all/", "1.0", &[], "undecided"),
        ("", "=", "1.0", &[], "undecided"),
        ("", "and", "1.0", &[], "undecided"),
    ]);
}

#[test]
fn what_is_asked_beside_the_version_may_be_unknown() {
    const LQN: &str = ">=V3.2.3_<V3.3.0_only_when_manufactured_between_LQN231003..._and_LQN231215...";
    const B13: &str = "<=B13__without_Special_Modification_Patch_BRD-C62W003-A0_installed";
    const SERIAL: &str = "<=the_first_5_digits_of_serial_number_22081";
    const FS: &str = "All versions <= V2.5.0 and Function State (FS) <= 9";
    check(&[
        ("Siemens", FS, "V2.6", &[("function_state", &["8"])], "outside"),
        ("Siemens", FS, "V2.6", &[], "outside"),
        ("Siemens", FS, "V2.5", &[("Function State", &["8"])], "inside"),
        ("Siemens", FS, "V2.5", &[("function_state", &["10"])], "outside"),
        ("Siemens", FS, "V2.5", &[], "undecided: function_state"),
        ("Siemens", "All versions with Function State (FS) < 11", "V4.4.1", &[], "undecided: function_state"),
        ("Siemens", LQN, "V3.2.3", &[("serial_number", &["LQN231110012345"])], "inside"),
        ("Siemens", LQN, "V3.2.3", &[("serial_number", &["LQN240110012345"])], "outside"),
        ("Siemens", LQN, "V3.2.3", &[("serial_number", &["XYZ"])], "undecided: serial_number"),
        ("Siemens", LQN, "V3.2.3", &[], "undecided: serial_number"),
        ("Mitsubishi", B13, "B12", &[("patches", &["BRD-C62W003-A0"])], "outside"),
        ("Mitsubishi", B13, "B12", &[("patches", &[])], "inside"),
        ("Mitsubishi", B13, "B12", &[], "undecided: patches"),
        ("Mitsubishi", SERIAL, "", &[("serial_number", &["2208012345"])], "inside"),
        ("Mitsubishi", SERIAL, "", &[("serial_number", &["2209012345"])], "outside"),
        ("Mitsubishi", SERIAL, "1.05", &[], "undecided: serial_number"),
        ("Siemens", ">= 20.8 (only affected by CVE-2019-10943)", "V20.9", &[("cve", &["CVE-2019-10943"])], "inside"),
        ("Siemens", ">= 20.8 (only affected by CVE-2019-10943)", "V20.9", &[("cve", &["CVE-2019-10929"])], "outside"),
        ("", "* (with option G21, G22)", "1.0", &[("option", &["G22"])], "inside"),
        ("", "< 7.101 (only Microsoft Windows versions are affected)", "7.0", &[("os", &["Debian Linux"])], "outside"),
        ("Siemens", "All versions with U-Boot < V2016.05RS09", "V4.3", &[("u_boot", &["V2016.05RS08"])], "inside"),
        ("Siemens", "All versions with Ethernet interface", "V4.3", &[("with_ethernet_interface", &["no"])], "outside"),
        ("Siemens", "All versions with Ethernet interface", "V4.3", &[], "undecided: with_ethernet_interface"),
        // To which of the two versions the condition belongs is not said.
        ("", "< 9 | 13 (only affected by CVE-2019-11479)", "8", &[("cve", &["CVE-2019-1"])], "undecided"),
    ]);
}

#[test]
fn every_phrase_of_the_table_reads_its_example_and_leaves_nothing() {
    assert!(phrase::all().len() > 10, "the table was not read");
    let plain = Scheme::named("plain").expect("the last scheme");
    for phrase in phrase::all() {
        let range = Range::read(plain, &phrase.example);
        assert!(range.is_whole(), "{}: {:?}", phrase.example, range.rests().collect::<Vec<_>>());
        assert!(range.pieces().iter().any(|piece| matches!(piece.role, Role::Condition | Role::Note)), "{}", phrase.example);
        assert_reassembled(&range);
    }
}

#[test]
fn no_text_is_too_bad_to_be_put_together_again() {
    let plain = Scheme::named("plain").expect("the last scheme");
    let parts = [
        "<",
        ">=",
        " | ",
        "V1.2",
        "or ",
        "=",
        "(",
        ")",
        "and ",
        "with ",
        "…",
        "\u{2264}",
        "all versions",
        "*",
        "10-11",
        "é",
        "_",
        "between ",
        "(including)",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..50_000 {
        let mut text = String::new();
        for _ in 0..7 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[usize::try_from(seed >> 33).unwrap_or_default() % parts.len()]);
        }
        let range = Range::read(plain, &text);
        assert_reassembled(&range);
        let answer = range.answer(Some(&Version::read(plain, "1.2")), &Facts::default());
        assert!(range.is_whole() || answer.why == Why::Named || answer.verdict != Verdict::Outside, "{text:?}");
    }
    assert_reassembled(&Range::read(plain, &"9".repeat(RANGE_BYTES_MAX * 2)));
}
