mod rows;

use super::*;
use crate::catalog::{Asset, Catalog, Found, Index};
use crate::claim::{Claim, Field, Grade};
use crate::observation::{Observation, Source};
use crate::profile::{Interpretation, Matched, ProfileSet};

/// Columns and rows; or line, column and a part of the sentence.
type Expected<'a> = Result<(&'a [&'a str], &'a [&'a [&'a str]]), (usize, &'a str, &'a str)>;

fn check(text: impl AsRef<[u8]>, expected: Expected<'_>) {
    let text = text.as_ref();
    let shown: String = String::from_utf8_lossy(text).chars().take(200).collect();
    // A row that is left out is looked at as if it were all that there is.
    let read = read(text).and_then(|mut taken| if taken.left_out.is_empty() { Ok(taken.sheet) } else { Err(taken.left_out.remove(0)) });
    match (read, expected) {
        (Ok(sheet), Ok((columns, rows))) => {
            assert_eq!((sheet.columns, sheet.rows), (owned(columns), rows.iter().map(|r| owned(r)).collect()), "{shown}")
        }
        (Err(invalid), Err((line, column, why))) => {
            assert_eq!((invalid.line, invalid.column.as_deref().unwrap_or("")), (line, column), "{shown}: {invalid}");
            assert!(invalid.why.contains(why), "{shown}: {invalid}");
        }
        (read, _) => panic!("{shown}: {read:?}"),
    }
}

fn owned(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

#[test]
fn a_sheet_is_read_as_spreadsheets_write_it() {
    let ok = |columns, rows| Ok::<(&[&str], &[&[&str]]), _>((columns, rows));
    check("ip,model\n10.0.0.1,M340\n", ok(&["ip", "model"], &[&["10.0.0.1", "M340"]]));
    check("ip;model\r\n10.0.0.1;\"a;b\"", ok(&["ip", "model"], &[&["10.0.0.1", "a;b"]]));
    check("ip\tmodel\r10.0.0.1\tM340\r", ok(&["ip", "model"], &[&["10.0.0.1", "M340"]]));
    check("\u{feff}IP,Model\n10.0.0.1,x\n", ok(&["ip", "model"], &[&["10.0.0.1", "x"]]));
    check("model,\"Ort; Halle\"\n\"say \"\"hi\"\"\",\"two\r\nlines\"\n", ok(&["model", "Ort; Halle"], &[&["say \"hi\"", "two lines"]]));
    check(b"model,ort\nx,W\xfcrzburg\n", ok(&["model", "ort"], &[&["x", "Würzburg"]]));
    check("model,ort\nx,Würzburg\n", ok(&["model", "ort"], &[&["x", "Würzburg"]]));
    check("ip\n\n10.0.0.1\n  \n\n", ok(&["ip"], &[&["10.0.0.1"]]));
    check("ip,model,,\n10.0.0.1,x,,\n,,,\n", ok(&["ip", "model"], &[&["10.0.0.1", "x"]]));
    check("mac,port,unit\n00-80-F4-00-00-01, 0502 ,1\n", ok(&["mac", "port", "unit"], &[&["00:80:f4:00:00:01", "502", "1"]]));
    check("model,tag\n'=1+1,'quoted\n", ok(&["model", "tag"], &[&["=1+1", "'quoted"]]));
    check(
        "Asset ID,Vendor,Order No.,MLFB2,FW,Serial,Cat-No\u{2e}2\n1,2,3,4,5,6,7\n",
        ok(
            &["id", "manufacturer", "product_code", "MLFB2", "firmware_revision", "serial_number", "Cat-No.2"],
            &[&["1", "2", "3", "4", "5", "6", "7"]],
        ),
    );
}

#[test]
fn other_people_s_words_for_a_column_are_known() {
    for (header, name) in [
        ("Firmware", "firmware_revision"),
        ("FW", "firmware_revision"),
        ("Version", "firmware_revision"),
        ("FIRMWARE_REVISION", "firmware_revision"),
        ("Firmware Version", "firmware_revision"),
        ("Order No.", "product_code"),
        ("MLFB", "product_code"),
        ("Cat. No.", "product_code"),
        ("Serial", "serial_number"),
        ("Serial Number", "serial_number"),
        ("IP address", "ip"),
        ("Last Seen", "last_seen"),
    ] {
        assert_eq!(Column::called(header).map(|column| column.name), Some(name), "{header}");
    }
    assert_eq!(Column::called("Firma"), None);
}

#[test]
fn a_maker_is_the_same_under_any_of_its_names() {
    for (listed, said, same) in [
        ("Allen-Bradley", "Rockwell Automation", true),
        ("Siemens", "SIEMENS AG", true),
        ("Telemecanique", "Schneider Electric", true),
        ("Siemens", "Schneider Electric", false),
        ("unknown", "N/A", false),
        ("Computec", "Computec Oy", true),
    ] {
        let mut catalog = Catalog::default();
        heard(&mut catalog, "10.0.0.1", 1, &[(Field::Manufacturer, said)]);
        let outcome = compared(&catalog, &format!("ip,vendor\n10.0.0.1,{listed}\n"))[0].outcome;
        assert_eq!(outcome == Outcome::Match, same, "{listed} {said}");
    }
}

#[test]
fn what_is_no_sheet_says_line_and_column() {
    let wide = |count: usize| vec!["x"; count].join(",");
    let huge = format!("ip,note\n10.0.0.1,{}\n", "x".repeat(32_768));
    let many = format!("ip,port\n{}", (0..1_025).map(|port| format!("10.0.0.1,{port}\n")).collect::<String>());
    for (text, line, column, why) in [
        ("", 1, "", "empty"),
        ("a,b\n1,2\n", 1, "1", "no column is known"),
        ("ip,IP address\n", 1, "2", "both the column"),
        ("ip,note,note\n", 1, "3", "both the column"),
        ("ip,model\n10.0.0.1\n", 2, "model", "1 cells, where the header has 2"),
        ("ip,model\n10.0.0.1,x,y\n", 2, "3", "3 cells, where the header has 2"),
        ("ip,model\n10.0.0.1,x\nnot-an-ip,y\n", 3, "ip", "no IP address"),
        ("ip,port\n10.0.0.1,65536\n", 2, "port", "0 to 65535"),
        ("ip,unit\n10.0.0.1,-1\n", 2, "unit", "0 to 255"),
        ("ip,mac\n10.0.0.1,00:80\n", 2, "mac", "hardware address"),
        ("ip,model\n10.0.0.1,\"open\n", 2, "2", "never closed"),
        ("ip,model\n\"10.0.0.1\"x,y\n", 2, "1", "closing quotation mark"),
        ("ip,model\n10.0.0.1,M\"340\n", 2, "2", "inside a cell"),
        ("ip,model\n10.0.0.1,M\u{0}340\n", 2, "2", "NUL"),
        ("ip,model\n10.0.0.1,M\u{1b}[2J\n", 2, "model", "invisible"),
        ("ip,firmware\n10.0.0.1,V1\u{202e}0.2\n", 2, "firmware_revision", "invisible"),
        ("ip,note\n\"10.0.0.1\",\"a\nb\nc\"\nx,y\n", 5, "ip", "no IP address"),
        (&wide(10_000), 1, "257", "256 columns"),
        (&format!("ip\n{}", wide(10_000)), 2, "257", "256 columns"),
        (&huge, 2, "2", "32,767"),
        (&many, 1_026, "ip", "1024 rows have this address"),
        ("\u{feff}", 1, "", "empty"),
    ] {
        check(text, Err((line, column, why)));
    }
    // UTF-16, as some spreadsheets save "Unicode text".
    check("ip,model\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), Err((1, "1", "UTF-16")));
}

#[test]
fn every_beginning_of_a_sheet_is_read_or_refused() {
    let text = "\u{feff}ip;\"mo\"\"del\";Ort\r\n10.0.0.1;\"a\r\nb\";Würzburg\r\n".as_bytes();
    for length in 0..=text.len() {
        if let Ok(Taken { sheet, .. }) = read(&text[..length]) {
            assert!(sheet.rows.iter().all(|row| row.len() == sheet.columns.len()), "{length}");
        }
    }
}

const SECOND_NS: u64 = 1_000_000_000;

fn heard(catalog: &mut Catalog, ip: &str, unit: u8, fields: &[(Field, &str)]) -> String {
    let observation = Observation {
        time_ns: SECOND_NS,
        source: Source::Capture { file: "x.pcap".into(), frame: 1 },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address { ip: Some(ip.parse().unwrap()), port: Some(502), unit: Some(unit), ..Address::default() },
        announced: Vec::new(),
        messages: vec!["00".into()],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    };
    let claim = |(field, value): &(Field, &str)| Claim {
        component: "communication-module".into(),
        field: *field,
        value: (*value).into(),
        normal: None,
        grade: Grade::IdentityObject,
        profile: "computec/cws06".into(),
        rule: format!("modbus.{}", field.name()),
        message: 0,
        offset: 0,
        length: 1,
    };
    let claims = fields.iter().map(claim).collect();
    catalog.take(&observation, &Interpretation::of(Matched::One("computec/cws06".into()), claims))
}

fn sheet(text: &str) -> Sheet {
    read(text.as_bytes()).unwrap().sheet
}

fn import(catalog: &mut Catalog, text: &str) {
    catalog.import(&Import { file: "plant.csv".into(), sha256: "00".into(), sheet: sheet(text) }, 9 * SECOND_NS, Some(7));
}

fn value(asset: &Asset, field: Field) -> (String, &'static str, usize) {
    let current = asset.shown(field).unwrap();
    (current.standing.claim.value.clone(), current.standing.claim.grade.name(), current.conflicting.len())
}

#[test]
fn a_list_never_overwrites_a_reading() {
    for list_first in [false, true] {
        let mut catalog = Catalog::default();
        let list = "ip,firmware,model,Line\n10.0.0.1,2.0,CWS06,7\n";
        if list_first {
            import(&mut catalog, list);
        }
        let id = heard(&mut catalog, "10.0.0.1", 1, &[(Field::FirmwareRevision, "3.160")]);
        if !list_first {
            import(&mut catalog, list);
        }
        assert_eq!(catalog.assets().count(), 1, "{list_first}");
        let asset = catalog.asset(&id).unwrap();
        assert_eq!(value(asset, Field::FirmwareRevision), ("3.160".into(), "identity-object", 1));
        assert_eq!(value(asset, Field::Model), ("CWS06".into(), "imported", 0));
        assert_eq!(asset.components(), ["communication-module"], "a list makes no part of its own");
        assert_eq!((asset.columns.get("Line").map(String::as_str), asset.is_listed_only()), (Some("7"), false));
        assert_eq!((asset.seen_ns, asset.addresses.len()), ((SECOND_NS, SECOND_NS), 1), "{list_first}");
    }
}

#[test]
fn a_row_is_matched_by_id_then_address_then_serial_number() {
    let mut catalog = Catalog::default();
    let one = heard(&mut catalog, "10.0.0.1", 1, &[(Field::Manufacturer, "M"), (Field::SerialNumber, "S1")]);
    let two = heard(&mut catalog, "10.0.0.1", 2, &[(Field::Manufacturer, "M"), (Field::SerialNumber, "S2")]);
    let three = heard(&mut catalog, "10.0.0.3", 1, &[]);
    import(&mut catalog, "id,ip\nPLC-7,10.0.0.3\n");
    let index = Index::of(&catalog);
    let is = |id: &String| Found::One(id.clone());
    for (cells, expected) in [
        (format!("{one},,,,"), is(&one)),
        (format!("{one},10.0.0.3,,,S2"), is(&one)),
        ("PLC-7,10.0.0.1,502,1,".into(), is(&three)),
        (",10.0.0.1,502,2,".into(), is(&two)),
        (",10.0.0.1,,2,".into(), is(&two)),
        (",10.0.0.1,,,".into(), Found::Several(vec![one.clone().min(two.clone()), one.clone().max(two.clone())])),
        (",10.0.0.1,,,S2".into(), is(&two)),
        (",10.0.0.3,502,1,S2".into(), is(&three)),
        (",10.0.0.9,,,S2".into(), is(&two)),
        (",,,,S1".into(), is(&one)),
        (",10.0.0.1,503,1,".into(), Found::None),
        ("PLC-8,,,,".into(), Found::None),
        (",,,,S9".into(), Found::None),
        ("a-000000000000,,,,".into(), Found::None),
    ] {
        let sheet = sheet(&format!("id,ip,port,unit,serial\n{cells}\n"));
        assert_eq!(index.find(&catalog, &sheet.rows().next().unwrap()), expected, "{cells}");
    }
}

#[test]
fn a_row_that_matches_nothing_is_an_asset_known_from_the_sheet_alone() {
    let mut catalog = Catalog::default();
    let list = "id,tag,ip,serial,manufacturer,firmware\n,T1,10.0.0.1,,M,1\n,T2,10.0.0.2,N/A,M,1\n,T3,10.0.0.3,N/A,M,1\n,T4,,,M,1\n,T5,,N/A,M,1\n,T6,,N/A,M,1\n,,,,M,1\n,,,,M,1\n\
                a-00112233aabb,,,,M,1\n";
    import(&mut catalog, list);
    let ids: Vec<String> = catalog.assets().map(|asset| asset.id.clone()).collect();
    assert_eq!(ids.len(), 9, "fillers in the place of a serial number join nothing");
    assert!(ids.contains(&"a-00112233aabb".to_owned()), "an id of ours is kept");
    assert!(catalog.assets().all(|asset| asset.is_listed_only() && asset.why_unknown.contains("only in the sheet plant.csv")));
    let before = catalog.clone();
    import(&mut catalog, list);
    assert_eq!(catalog.assets().map(|asset| asset.id.clone()).collect::<Vec<_>>(), ids, "the same list again adds nothing");
    assert_eq!(catalog, before);
    let found = heard(&mut catalog, "10.0.0.2", 1, &[(Field::FirmwareRevision, "2")]);
    assert_eq!(catalog.asset(&found).unwrap().why_unknown, "");
    let seen = heard(&mut catalog, "10.0.0.3", 1, &[]);
    assert!(catalog.asset(&seen).unwrap().why_unknown.contains("holds no firmware revision"));
    assert!(ids.contains(&found) && ids.contains(&seen), "the device that answers there is the one that was listed");
    assert_eq!(catalog.assets().filter(|asset| asset.is_listed_only()).count(), 7);
}

#[test]
fn two_rows_about_one_device_are_remarked() {
    let mut catalog = Catalog::default();
    import(&mut catalog, "ip,firmware\n10.0.0.1,1\n10.0.0.1,2\n10.0.0.1,3\n");
    let asset = catalog.assets().next().unwrap();
    assert_eq!(asset.remarks, ["rows 1 and 2 of plant.csv are about one device"]);
    assert_eq!(value(asset, Field::FirmwareRevision).0, "3");
}

fn compared(catalog: &Catalog, text: &str) -> Vec<Compared> {
    compare(&sheet(text), catalog, &ProfileSet::built_in().unwrap(), "x.pcap")
}

#[test]
fn every_outcome_of_a_row_has_its_case() {
    let mut catalog = Catalog::default();
    let said = [(Field::Manufacturer, "Computec Oy"), (Field::FirmwareRevision, "v3.160"), (Field::SerialNumber, "007")];
    heard(&mut catalog, "10.0.0.1", 1, &said);
    for (cells, outcome, differences, reason) in [
        ("10.0.0.1,COMPUTEC OY,3.160,007", Outcome::Match, vec![], ""),
        ("10.0.0.1,Computec,3.160,007", Outcome::Match, vec![], ""),
        ("10.0.0.1,,,", Outcome::Match, vec![], ""),
        ("10.0.0.1,,3.16,", Outcome::Differs, vec![("firmware_revision", "newer")], ""),
        ("10.0.0.1,,3.170,", Outcome::Differs, vec![("firmware_revision", "older")], ""),
        ("10.0.0.1,,3.160b,", Outcome::Differs, vec![("firmware_revision", "unknown")], ""),
        (
            "10.0.0.1,Wurm,3.16,7",
            Outcome::Differs,
            vec![("manufacturer", "unknown"), ("firmware_revision", "newer"), ("serial_number", "unknown")],
            "",
        ),
        ("10.0.0.5,,3.160,007", Outcome::Differs, vec![("ip", "unknown")], ""),
        ("10.0.0.5,,3.160,", Outcome::NotSeen, vec![], "looked for 10.0.0.5 in x.pcap; not there"),
        (",,3.160,", Outcome::NotSeen, vec![], "nothing to look for"),
    ] {
        let all = compared(&catalog, &format!("ip,manufacturer,firmware,serial\n{cells}\n"));
        let row = &all[0];
        let found: Vec<_> = row.differences.iter().map(|d| (d.column, d.relation.name())).collect();
        assert_eq!((row.outcome, found), (outcome, differences), "{cells}: {row:?}");
        assert!(row.reason.contains(reason), "{cells}: {row:?}");
        let missed = all.iter().filter(|c| c.outcome == Outcome::OnlyOnTheWire).count();
        assert_eq!(missed, usize::from(outcome == Outcome::NotSeen), "{cells}: {all:?}");
    }
}

#[test]
fn what_cannot_be_told_is_no_match() {
    let mut catalog = Catalog::default();
    heard(&mut catalog, "10.0.0.1", 1, &[]);
    heard(&mut catalog, "10.0.0.2", 1, &[(Field::Model, "X")]);
    heard(&mut catalog, "10.0.0.2", 2, &[]);
    for (cells, outcome, reason) in [
        ("10.0.0.1,,X,3.160", Outcome::Undecided, "it never said its model, firmware_revision"),
        ("10.0.0.1,,X,", Outcome::Undecided, "it never said its model"),
        ("10.0.0.2,1,X,3.160", Outcome::Undecided, "it never said its firmware_revision"),
        ("10.0.0.2,1,X,", Outcome::Match, ""),
        ("10.0.0.2,,X,", Outcome::Undecided, "port and unit would tell"),
        ("10.0.0.2,9,X,", Outcome::NotSeen, "at that address: a-"),
    ] {
        let all = compared(&catalog, &format!("ip,unit,model,firmware\n{cells}\n"));
        assert_eq!(all[0].outcome, outcome, "{cells}: {all:?}");
        assert!(all[0].reason.contains(reason), "{cells}: {all:?}");
        assert!(all.iter().all(|one| !one.reason.contains("gone")));
    }
}

#[test]
fn an_earlier_list_is_no_witness_for_a_device_that_was_heard() {
    let mut catalog = Catalog::default();
    heard(&mut catalog, "10.0.0.1", 1, &[(Field::Model, "X")]);
    let list = "ip,model,firmware\n10.0.0.1,X,3.160\n10.0.0.2,X,3.160\n";
    import(&mut catalog, list);
    let all = compared(&catalog, list);
    assert_eq!(all.iter().map(|c| (c.outcome, c.listed_only)).collect::<Vec<_>>(), [(Outcome::Undecided, false), (Outcome::Match, true)]);
}
