use super::*;
use crate::advisory::{Product, Release};

fn document(title: &str, products: &[(&str, &str, &str)]) -> Advisory {
    let product = |(vendor, name, slot): &(&str, &str, &str)| Product {
        vendor: (*vendor).to_owned(),
        name: (*name).to_owned(),
        release: if slot.is_empty() { Release::Every } else { Release::Version((*slot).to_owned()) },
        ..Product::default()
    };
    Advisory { title: title.to_owned(), products: products.iter().map(product).collect(), ..Advisory::default() }
}

fn device(manufacturer: &str, model: &str, code: &str) -> Installed {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Installed { manufacturer: text(manufacturer), model: text(model), product_code: text(code), ..Installed::default() }
}

/// What is found of the products, in their order: `+` is, `?model` may be, for want of the model, `-` is not.
fn verdicts(advisory: &Advisory, installed: &Installed) -> String {
    let index = Index::of(std::slice::from_ref(advisory));
    let found = index.seek(installed);
    let of = |place: usize| {
        let found = found.iter().find(|found| found.product as usize == place);
        found.map_or("-".to_owned(), |found| found.missing.map_or("+".to_owned(), |missing| format!("?{missing}")))
    };
    (0..advisory.products.len()).map(of).collect::<Vec<_>>().join(" ")
}

fn check(vendor: &str, names: &[&str], cases: &[(&str, &str, &str)]) {
    let products: Vec<(&str, &str, &str)> = names.iter().map(|name| (vendor, *name, "")).collect();
    let advisory = document("An advisory", &products);
    for (model, code, expected) in cases {
        assert_eq!(&verdicts(&advisory, &device(vendor, model, code)), expected, "{model} {code} among {names:?}");
    }
}

#[test]
fn a_word_is_one_or_it_is_not() {
    check(
        "SEL",
        &["SEL-351S", "SEL-351"],
        &[("SEL-351", "", "- +"), ("SEL-351S-7", "", "+ -"), ("SEL 351", "", "- +"), ("SEL-3510", "", "- -")],
    );
    check(
        "Rockwell Automation",
        &["Stratix 5700", "ArmorStratix 5700"],
        &[("Allen-Bradley Stratix 5700", "", "+ -"), ("ArmorStratix 5700", "", "- +")],
    );
    check("Rockwell Automation", &["ControlLogix 5570"], &[("ControlLogix5570", "", "+"), ("ControlLogix 5580", "", "-")]);
    check("B&R", &["X20"], &[("X20", "", "+"), ("X20S", "", "-")]);
}

#[test]
fn a_name_that_says_more_may_be_the_device() {
    check("Rockwell Automation", &["ControlLogix 5570 redundancy"], &[("ControlLogix 5570", "", "?bundle")]);
    check("Siemens", &["SIMATIC S7-1500 CPU 1518-4 PN/DP"], &[("S7-1500", "", "?model")]);
    check(
        "Siemens",
        &["SIMATIC S7-1500 CPU 1518-4 PN/DP (6ES7518-4AP00-0AB0)"],
        &[("S7-1500", "", "?product_code"), ("", "6ES7518-4AP00-0AB0", "+"), ("", "6ES7518-4AP00-3AB0", "-")],
    );
}

#[test]
fn a_device_that_says_more_is_a_member_but_for_words_that_make_another_product() {
    check("Moxa", &["EDS-510A series"], &[("EDS-510A-3SFP-T", "", "+"), ("EDS-510E", "", "-")]);
    check("Siemens", &["SIMATIC CP 343-1"], &[("CP 343-1 Advanced", "", "?model"), ("CP343-1", "", "+")]);
    check("Siemens", &["SIMATIC CP 343-1", "SIMATIC CP 343-1 Advanced"], &[("CP 343-1 Advanced", "", "- +"), ("CP 343-1", "", "+ -")]);
}

#[test]
fn lists_in_a_name_are_each_of_them() {
    let cases = [
        ("SEL", "SEL-787-2/-3/-4 Transformer Protection Relay", &["SEL-787-2", "SEL-787-3", "SEL-787-4"][..], "SEL-787-5"),
        ("Rockwell Automation", "Stratix 5400/5410/5700/8000", &["Stratix 5400", "Stratix 8000"], "Stratix 8300"),
        ("Mitsubishi", "R04/08/16CPU", &["R04CPU", "R08CPU", "R16CPU"], "R32CPU"),
        ("Mitsubishi", "FX5U-xMy/z x=32,64,80, y=T,R, z=ES,DS,ESS,DSS", &["FX5U-32MT/ES", "FX5U-80MR/DSS"], "FX5U-96MT/ES"),
        ("Mitsubishi", "FX5UC-xMy/z x=326496 y=TR z=DDSS", &["FX5UC-32MT/D", "FX5UC-96MR/DSS"], "FX5UC-32MT/ES"),
        ("Mitsubishi", "L26CPU-(P)BT", &["L26CPU-BT", "L26CPU-PBT"], "L26CPU-P"),
        ("Moxa", "NPort 5210 5230 and 5232", &["NPort 5210", "NPort 5230", "NPort 5232"], "NPort 5110"),
        ("Siemens", "SIMATIC CP 1616 and CP 1604", &["CP 1616", "CP1604"], "CP 1626"),
        ("Siemens", "KTP Mobile Panels KTP400F, KTP700, KTP900", &["KTP900"], "KTP1200"),
        ("Omron", "CJ2M-CPU □ □", &["CJ2M-CPU32"], "CJ2H-CPU64"),
        ("Omron", "CP1L-EM □ □ D □ - □", &["CP1L-EM30DR-D"], "CP1L-EL20DR-D"),
        ("Phoenix Contact", "ILC 1x1", &["ILC 151", "ILC 191"], "ILC 350"),
    ];
    for (vendor, name, members, stranger) in cases {
        for member in members {
            check(vendor, &[name], &[(member, "", "+")]);
        }
        check(vendor, &[name], &[(stranger, "", "-")]);
    }
}

#[test]
fn order_numbers_decide_alone() {
    let names = ["SCALANCE X208 (6GK5208-0BA10-2AA3)", "SCALANCE X208PRO (6GK5208-0HA10-2AA6)"];
    check(
        "Siemens",
        &names,
        &[("", "6gk5 208-0ba10-2aa3", "+ -"), ("SCALANCE X208", "6GK52080HA102AA6", "- +"), ("SCALANCE X208", "6GK5208-0BA00-2AA3", "- -")],
    );
    check(
        "Siemens",
        &["SIMATIC S7-1500 CPU 1518-4 PN/DP MFP (6ES7518-4AX0.-1AC0)"],
        &[("", "6ES7518-4AX00-1AC0", "+"), ("", "6ES7518-4AX10-1AC0", "-")],
    );
    check(
        "Schneider Electric",
        &["Modicon M580 CPU (part numbers BMEP* and BMEH*)"],
        &[("", "BMEP584040", "+"), ("", "bmeh582040", "+"), ("", "BMXP342020", "-")],
    );
    check(
        "Schneider Electric",
        &["Modicon M580 CPU (part numbers BMEP*)", "Modicon M580 CPU Safety (part numbers BMEP58*S)"],
        &[("", "BMEP584040S", "- +"), ("", "BMEP584040", "+ -")],
    );
    check(
        "WAGO",
        &["750-82xx/xxx-xxx", "750-831"],
        &[("", "750-8204", "+ -"), ("", "750-8204/025-001", "+ -"), ("", "750-831/000-002", "- +")],
    );
}

#[test]
fn a_series_is_the_hardware() {
    let names = ["1756-EN2T Series C", "1756-EN2T Series D"];
    check(
        "Rockwell Automation",
        &names,
        &[("1756-EN2T/D", "", "- +"), ("", "1756-EN2T", "?hardware_revision ?hardware_revision"), ("", "1756-EN2T/A", "- -")],
    );
    check(
        "Rockwell Automation",
        &["MicroLogix 1400 B/C"],
        &[("MicroLogix 1400 Series B", "", "+"), ("MicroLogix 1400", "", "?hardware_revision"), ("MicroLogix 1400 Series A", "", "-")],
    );
}

#[test]
fn siplus_is_a_twin_where_the_document_means_it() {
    let twin = ("", "6AG1516-3AN01-7AB0");
    check("Siemens", &["SIMATIC S7-1500 CPU 1516-3 PN/DP (6ES7516-3AN01-0AB0, incl. SIPLUS variants)"], &[(twin.0, twin.1, "+")]);
    check("Siemens", &["SIMATIC S7-1500 CPU 1516-3 PN/DP (6ES7516-3AN01-0AB0)"], &[(twin.0, twin.1, "?variant")]);
    check(
        "Siemens",
        &["SIMATIC S7-1500 CPU 1516-3 PN/DP (6ES7516-3AN01-0AB0)", "SIPLUS S7-1500 CPU 1511-1 PN (6AG1511-1AK01-7AB0)"],
        &[(twin.0, twin.1, "- -")],
    );
    check("Siemens", &["SIMATIC S7-1500 CPU family"], &[(twin.0, twin.1, "?variant"), ("", "6ES7516-3AN01-0AB0", "+")]);
}

#[test]
fn exclusions_count() {
    let names = ["SIMATIC ET200SP (incl. SIPLUS variants, except IM155-6 PN ST and IM155-6 PN HF)"];
    check("Siemens", &names, &[("ET200SP IM155-6 PN BA", "", "+"), ("ET200SP IM155-6 PN ST", "", "-")]);
}

#[test]
fn without_a_manufacturer_a_model_may_be_and_an_order_number_is() {
    let advisory = document(
        "An advisory",
        &[("Schweitzer Engineering Laboratories", "SEL-751", ""), ("Siemens", "SIMATIC CP 1616 (6GK1161-6AA02)", "")],
    );
    assert_eq!(verdicts(&advisory, &device("", "SEL-751", "")), "?manufacturer -");
    assert_eq!(verdicts(&advisory, &device("", "", "6GK11616AA02")), "- +");
    assert_eq!(verdicts(&advisory, &device("Somebody", "SEL-751", "6GK1161-6AA02")), "- ?manufacturer");
}

#[test]
fn makers_have_many_names() {
    let advisory = document(
        "An advisory",
        &[
            ("Schneider Electric Software, LLC", "Modicon M340", ""),
            ("General Electric (GE) and Emerson", "CPE305", ""),
            ("Hitachi Energy ", "SYS600", ""),
        ],
    );
    for (maker, model, expected) in [
        ("TELEMECANIQUE", "M340", "+ - -"),
        ("GE Intelligent Platforms", "CPE305", "- + -"),
        ("Emerson", "CPE305", "- + -"),
        ("ABB Power Grids", "SYS600", "- - +"),
        ("Siemens", "CPE305", "- - -"),
    ] {
        assert_eq!(verdicts(&advisory, &device(maker, model, "")), expected, "{maker}");
    }
}

#[test]
fn an_order_number_in_the_version_slot_is_no_version() {
    let advisory = document(
        "An advisory",
        &[
            ("Rockwell Automation", "Allen-Bradley Stratix 5950", "1783-SAD4T0SBK9"),
            ("Rockwell Automation", "Allen-Bradley Stratix 5950", "1783-SAD2T2SBK9"),
        ],
    );
    let index = Index::of(std::slice::from_ref(&advisory));
    let hits = index.hits(std::slice::from_ref(&advisory), &device("Rockwell Automation", "Stratix 5950", "1783-SAD4T0SBK9"));
    assert_eq!(hits.len(), 1);
    let [hit] = hits[0].1.as_slice() else { panic!("one product") };
    assert_eq!((hit.product, hit.step, hit.missing, hit.release_is_model), (0, Step::Catalogue, None, true));
}

#[test]
fn a_name_tells_its_line_its_conditions_and_its_part() {
    for (name, line, conditions, part) in [
        ("RUGGEDCOM RMC8388 V4.X", Some("V4.X"), &[][..], None),
        ("SINAMICS S120 prior to V4.7 w. PN (incl. SIPLUS variants)", Some("prior to V4.7"), &["w. PN"], None),
        ("SIMATIC PCS 7 V8.2 and earlier", Some("V8.2 and earlier"), &[], None),
        ("TIA Portal v15", Some("v15"), &[], None),
        ("SINAMICS V90", None, &[], None),
        ("FX5U-32MT/ES, Serial number 17X**** or later", None, &["Serial number 17X**** or later"], None),
        ("SINAMICS GL150 (with option X30)", None, &["with option X30"], None),
        ("Rack PDU using NMC2", None, &[], Some("NMC2")),
        ("SIMATIC S7-400 CPU hardware version 4.0 and below (incl. SIPLUS", None, &["hardware version 4.0 and below"], None),
    ] {
        let read = label::read(name, &vendor::read("Siemens").names);
        let conditions_read: Vec<&str> = read.conditions.iter().chain(&read.variants).map(String::as_str).collect();
        assert_eq!((read.line.as_deref(), conditions_read.as_slice(), read.part.as_deref()), (line, conditions, part), "{name}");
    }
}

#[test]
fn the_tables_are_read() {
    assert!(!kin::all().is_empty() && word::kinds("family").family && vendor::is_name("sel"));
    for family in kin::all() {
        assert!(!family.words.is_empty());
    }
}

#[test]
fn hostile_texts_cost_little_and_break_nothing() {
    let texts = [
        "(".repeat(5000),
        "/1".repeat(3000),
        "x=1 ".repeat(3000),
        "FX5U-xMy/z x=".to_owned() + &"32,".repeat(3000),
        "**********a".repeat(300),
        "\u{202e}\u{0}é(\u{fffd}".repeat(500),
        "and, ".repeat(2000),
        "CJ2M-CPU".to_owned() + &" □".repeat(2000),
        "1/2/3/4/5/6/7/8/9 ".repeat(500),
    ];
    for text in &texts {
        let advisory = document(text, &[(text, text, text), ("Siemens", text, text), ("WAGO", text, "")]);
        let index = Index::of(std::slice::from_ref(&advisory));
        let mut installed = device(text, text, text);
        let _ = index.seek(&installed);
        installed.manufacturer = Some("Siemens".to_owned());
        installed.firmware_revision = Some(format!("SEL-{text}-R1-V1"));
        let _ = index.hits(std::slice::from_ref(&advisory), &installed);
        let again: String = pieces("Siemens", text).iter().filter_map(|piece| text.get(piece.bytes.clone())).collect();
        assert_eq!(&again, text, "characters were dropped");
    }
}
