use super::*;

/// Vendor, product, one version, another, and how the one stands to the other.
type Row = (&'static str, &'static str, &'static str, &'static str, Relation);

fn read(vendor: &str, product: &str, text: &str) -> Version {
    Version::read(Scheme::of(vendor, product).expect("the last scheme fits all"), text)
}

fn check(rows: &[Row]) {
    for &(vendor, product, one, other, expected) in rows {
        let (first, second) = (read(vendor, product, one), read(vendor, product, other));
        assert_eq!(first.compare(&second), expected, "{vendor} {product}: {one} to {other}");
        let mirrored = match expected {
            Relation::Before => Relation::After,
            Relation::After => Relation::Before,
            same => same,
        };
        assert_eq!(second.compare(&first), mirrored, "{vendor} {product}: {other} to {one}");
    }
}

use Relation::{After, Before, Equal, NotComparable};

#[test]
fn siemens_counts_service_packs_updates_and_hotfixes_on_top_of_a_release() {
    check(&[
        ("Siemens", "SINAMICS G130", "V4.7", "V4.7 HF29", Before),
        ("Siemens", "SINAMICS G130", "V4.7 HF29", "V4.7 SP9 HF1", Before),
        ("Siemens", "TIA Portal", "V14 SP1 Update 5", "V14 SP1 Upd6", Before),
        ("Siemens", "TIA Portal", "V14 SP1 Update 5", "V14_SP1_Upd_5", Equal),
        ("Siemens", "TIA Portal", "V15", "V15.1 Update 2", Before),
        ("Siemens", "TIA Portal", "V16 Update 3", "V16 Update 3a", Before),
        ("Siemens", "WinCC OA", "V3.14-P021", "V3.14 P021", Equal),
        ("Siemens", "S7-1500", "V2.9.10", "V2.9.9", After),
        ("Siemens", "S7-1500", "V4.1", "V4.1.0", Equal),
        ("Siemens", "S7-1500", "V4.1", "V4.1.1", Before),
        // 5.2.3.15 is how the drive itself writes V5.2 SP3 HF15: nobody may call one older than the other.
        ("Siemens", "SINAMICS S120", "V5.2 SP3 HF15", "V5.2.3.15", NotComparable),
        ("Siemens", "WinCC", "V7.4 SP1 something else", "V7.4 SP1", NotComparable),
        ("Siemens", "WinCC", "V7.4 SP1 something else", "V7.5", Before),
        ("Siemens", "Solid Edge", "V223.0 Update 5", "V2023 MP1", NotComparable),
        ("Siemens", "RUGGEDCOM RSG2488", "V2016.05RS08", "V2016.05RS09", Before),
        ("Siemens", "SIPROTEC 5 7SX85 (CP300)", "V8.80", "V9.30", Before),
        ("Siemens", "SIPROTEC 5 7SX85 (CP300)", "V9.4", "V9.40", NotComparable),
        ("Siemens", "SIPROTEC 5 7SX85 (CP300)", "V9.4", "V8.80", After),
        ("Siemens", "Siveillance Video", "V22.3 HotfixRev2", "V22.3", After),
    ]);
}

#[test]
fn controllers_count_as_their_makers_do() {
    check(&[
        ("Rockwell Automation", "CompactLogix 5370", "30.14", "30.014", Equal),
        ("Rockwell Automation", "CompactLogix 5370", "20", "20.012", Before),
        ("Rockwell Automation", "CompactLogix 5370", "30.014", "31.011", Before),
        ("Rockwell Automation", "Stratix 5700", "15.2(7)E1a", "15.2(7)E3", Before),
        ("Rockwell Automation", "Stratix 5700", "15.2(7)E1a", "15.2(7)E1", After),
        ("Rockwell Automation", "Stratix 8300", "15.2(6)E2a", "15.2(4)EA7", NotComparable),
        ("Rockwell Automation", "Stratix 8300", "15.2(4)EA7", "15.2(4a)EA5", Before),
        ("Schneider Electric", "Modicon M340", "SV3.51", "V3.51", Equal),
        ("Schneider Electric", "Modicon X80", "SV1.70 IR22", "SV1.70 IR23", Before),
        ("Schneider Electric", "Modicon X80", "SV1.70", "SV1.70 IR22", Before),
        ("Omron", "NJ501", "1.49", "1.50", Before),
        ("Omron", "NJ501", "1.05", "1.4", NotComparable),
        ("Omron", "Smart Security Manager", "1.31", "1.4", Before),
        ("Mitsubishi Electric", "GT Designer3", "1.221F", "1.225K", Before),
        ("Mitsubishi Electric", "GT Designer3", "1.221F", "1.221K", Before),
        ("Mitsubishi Electric", "GX Works2", "1.597X", "1.598Y", Before),
        ("Mitsubishi Electric", "MV1200S", "B12", "B13", Before),
        ("Mitsubishi Electric", "MV1200S", "LE", "LF", Before),
        ("Mitsubishi Electric", "MV1200S", "W", "LF", NotComparable),
        ("Mitsubishi Electric", "MELSEC", "23121", "1.240", NotComparable),
        ("Beckhoff", "TwinCAT", "3.1 Build 4022.4", "3.1.4022.4", Equal),
        ("Beckhoff", "TwinCAT", "2.11 R3 2259", "2.11 R3 2260", Before),
        ("WAGO", "PFC200", "03.10.08(22)", "FW16", After),
        ("WAGO", "750-8204", "02.07.07(10)", "FW10", Equal),
        ("WAGO", "750-8204", "02.07.07(10)", "02.07.08", NotComparable),
        ("CODESYS", "Control", "3.5.19.20", "V3.5 SP19 Patch 2", NotComparable),
        ("CODESYS", "Control", "3.5.15.0", "3.5.15.10", Before),
        ("B&R Industrial Automation", "Automation Studio", "4.4.9SP", "4.4.10SP", Before),
        ("Emerson", "Ovation", "3.8.0", "3.8.0_Feature_Pack_1", Before),
        ("Honeywell", "Experion PKS", "R511.5_TCU4_HF3", "R511.5 TCU4 HF4", Before),
        ("Honeywell", "Experion PKS", "R511.5 TCU4", "R511.5 HF9", After),
        ("Yokogawa", "CENTUM VP", "R5.04.20", "5.04.20", Equal),
        ("Phoenix Contact", "AXC F 2152", "2022.0.3 LTS", "2022.0.3", Equal),
    ]);
}

#[test]
fn relays_and_networks_count_as_their_makers_do() {
    check(&[
        ("Schweitzer Engineering Laboratories", "SEL-751", "SEL-751-R400-V1-Z012003-D20230428", "R302-V3", After),
        ("SEL", "SEL-751", "SEL-751-R400-V1-Z012003-D20230428", "SEL-751-R400-V1-Z013003-D20230501", Equal),
        ("SEL", "SEL-351S-7", "SEL-351S-7-R121-V1-Z103103-D20110429", "SEL-411L-R121-V1-Z010004-D20160216", NotComparable),
        ("SEL", "SEL-700G", "R301-V6", "R302-V0", Before),
        ("General Electric (GE)", "T1000", "03A02", "03A10", Before),
        ("GE", "UR", "6.02", "6.05", Before),
        ("ABB", "800xA", "6.0.3.3", "6.0.3.3 RU1", Before),
        ("Hitachi Energy", "SYS600", "9.4 FP1", "9.4 FP2 Hotfix 4", Before),
        ("Hitachi Energy", "RTU500", "12.0.9", "12.0.14", Before),
        ("Hitachi Energy", "XMC20", "R15A", "R15B", Before),
        ("Moxa", "OnCell", "1.2 build 09123015", "1.2 Build 16062014", Before),
        ("Moxa", "OnCell", "1.2", "1.2 Build 16062014", NotComparable),
        ("Hirschmann", "RSP", "07.1.05", "07.1.06", Before),
        ("Hirschmann", "RSP", "HiOS-2S-07.1.05", "HiOS-2S-07.1.06", Before),
        ("Hirschmann", "RSP", "HiOS-2S-07.1.05", "HiOS-3S-07.1.06", NotComparable),
        ("Hirschmann", "RSP", "HiOS-2S-07.1.05", "07.1.06", NotComparable),
        ("Cisco", "IE3200", "15.2(7)E3", "15.2(8)E", Before),
        ("Rittal", "Chiller", "A1.5.3", "B1.2.4", Before),
    ]);
}

#[test]
fn where_nothing_is_known_of_a_maker_little_is_claimed() {
    check(&[
        ("", "", "3.110", "3.11", After),
        ("", "", "2.1", "2.1.0", NotComparable),
        ("", "", "2.1", "2.1.3", Before),
        ("", "", "1.0a", "1.0b", NotComparable),
        ("", "", "1.0", "1.0a", NotComparable),
        ("", "", "7.2.1-Beta", "7.2.1", Before),
        ("", "", "7.2.1-beta2", "7.2.1 rc1", Before),
        ("", "", "R3.1", "3.2", NotComparable),
        ("", "", "d78dda6", "d80dda6", NotComparable),
        ("", "", "6.5.0.160bc2e", "6.5.1", Before),
        // 05032019 is a day of May or of March.
        ("", "", "70050 update 05032019-482", "70050 update 06022020-482", NotComparable),
        ("", "", "June/20/2023", "July 1, 2023", Before),
        ("", "", "May 2018", "2018.6", NotComparable),
        ("", "", "2.0", "3.x", Before),
        ("", "", "3.x", "3.2.2", Before),
        ("", "", "R16x", "R162.10", Before),
        ("", "", "99999999999999999999999.1", "99999999999999999999998.2", After),
    ]);
}

#[test]
fn what_is_not_understood_is_named_and_nothing_is_dropped() {
    for (text, rest) in [
        ("V4.1", ""),
        ("  V4.1_SP2  ", ""),
        ("1.2 FP2 HF10 (Build Nr. 1.2.14002.506)", ""),
        ("6.6 (6.x series)", " (6.x series)"),
        ("SCADA Web Server", "SCADA Web Server"),
        ("3.1 C++ / Matlab", " C++ / Matlab"),
        ("1.2…3", "…3"),
        ("", ""),
    ] {
        let version = read("", "", text);
        assert_eq!(version.rest(), rest, "{text}");
        let again: String = version.pieces().iter().filter_map(|piece| text.get(piece.bytes.clone())).collect();
        assert_eq!(again, text);
    }
    let long = "1.".repeat(VERSION_BYTES_MAX);
    assert_eq!(read("", "", &long).rest(), long);
}

#[test]
fn a_normal_form_and_a_line_are_as_the_orders_of_profiles_have_them() {
    for (text, expected) in [("v03.110", Some("3.110")), ("V2.70", Some("2.70")), ("2.1 something", None), ("", None)] {
        assert_eq!(read("", "", text).normal().as_deref(), expected, "{text}");
    }
    for (one, other, expected) in [("3.160", "v03.170", true), ("5.1.20", "5.2.20", false), ("2.1", "2.1.1", false), ("7", "8", true)] {
        assert_eq!(read("", "", one).same_line(&read("", "", other)), expected, "{one} and {other}");
    }
}

#[test]
fn every_scheme_of_the_table_is_read_and_says_where_it_is_from() {
    let names: Vec<&str> = Scheme::all().iter().map(|scheme| scheme.name.as_str()).collect();
    assert!(names.len() > 20, "the table was not read");
    assert_eq!(names.last(), Some(&"plain"));
    for scheme in Scheme::all() {
        assert!(scheme.source.len() > 20, "{} has no source", scheme.name);
        assert_eq!(names.iter().filter(|name| **name == scheme.name).count(), 1, "{} twice", scheme.name);
    }
    for (vendor, product, name) in [
        ("Siemens", "SIPROTEC 5", "siemens-siprotec"),
        ("Siemens AG", "SIMATIC S7-1500", "siemens"),
        ("Schneider Electric Software, LLC", "InTouch", "schneider-aveva"),
        ("Schneider Electric", "Modicon M340", "schneider"),
        ("Selinc", "751", "plain"),
        ("General Electric (GE)", "UR", "ge"),
        ("Georg", "UR", "plain"),
    ] {
        assert_eq!(Scheme::of(vendor, product).map(|scheme| scheme.name.as_str()), Some(name), "{vendor}");
    }
}

/// So many triples in all, over all schemes.
const TRIPLES: usize = 1_000_000;

/// A generator with a fixed seed: a failure is found again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    fn one<'t>(&mut self, among: &[&'t str]) -> &'t str {
        among[self.below(among.len())]
    }

    /// A text that a scheme may meet: few different numbers, so that many are close to each other.
    fn version(&mut self, scheme: &Scheme) -> String {
        let fronts = ["", "", "", "", "", "", "", "V", "v", "R", "FW", "SV", "A", "B", "SEL-751-R", "SEL-700G-R", "2016.", "HiOS-"];
        let numbers = ["0", "1", "2", "3", "10", "11", "1", "2", "05", "4", "00", "2019", "x", "22081", "012", "1x"];
        let mut text = self.one(&fronts).to_owned();
        text.push_str(self.one(&numbers));
        for _ in 0..self.below(3) {
            text.push('.');
            text.push_str(self.one(&numbers));
        }
        let names: Vec<&str> = scheme.level_names().collect();
        for _ in 0..self.below(4) {
            match self.below(8) {
                0 => text.push_str(self.one(&["a", "b", "F", "X", " something", " LTS", "E"])),
                1 => text.push_str(self.one(&["-V1", "-V2", "(7)", "(10)", "(4a)", "E3", "EA7", "-1", "/2", "_3"])),
                2 => text.push_str(self.one(&["-beta", " rc1", " alpha2", " Build 1", " Build 2", "RS09", " 05032019"])),
                _ if !names.is_empty() => {
                    text.push(' ');
                    text.push_str(self.one(&names));
                    text.push_str(self.one(&["0", "1", " 2", "10", "1.1"]));
                }
                _ => {}
            }
        }
        text
    }
}

#[test]
fn every_scheme_is_a_partial_order() {
    let each = TRIPLES / Scheme::all().len() + 1;
    for scheme in Scheme::all() {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let drawn: Vec<Version> = (0..300).map(|_| Version::read(scheme, &dice.version(scheme))).collect();
        let (mut ordered, mut equal) = (0_usize, 0_usize);
        for _ in 0..each {
            let [a, b, c] = [0; 3].map(|_| &drawn[dice.below(drawn.len())]);
            let (ab, ba, bc, ac) = (a.compare(b), b.compare(a), b.compare(c), a.compare(c));
            let shown = || format!("{}: {:?} {:?} {:?}", scheme.name, a.text(), b.text(), c.text());
            assert_eq!(a.compare(a), Equal, "{}", shown());
            let turned = matches!((ab, ba), (Before, After) | (After, Before) | (Equal, Equal) | (NotComparable, NotComparable));
            assert!(turned, "not antisymmetric: {}", shown());
            match (ab, bc) {
                (Before, Before) => assert_eq!(ac, Before, "not transitive: {}", shown()),
                (Equal, _) => assert_eq!(ac, bc, "equals are told apart: {}", shown()),
                _ => {}
            }
            ordered += usize::from(ab == Before && bc == Before);
            equal += usize::from(ab == Equal);
        }
        assert!(ordered > each / 200 && equal > 0, "{}: too few triples say anything ({ordered} of {each})", scheme.name);
    }
}
