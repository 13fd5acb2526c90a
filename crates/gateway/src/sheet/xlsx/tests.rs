use nameplate_core::sheet::Taken;

use super::read;
use crate::advisories::archive::write;
use crate::sheet::book::{Table, Tint, workbook};

const ROOT: &str = r#"<Relationships><Relationship Id="r" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/one.xml"/>
    <Relationship Id="rId2" Type="x/worksheet" Target="/xl/worksheets/two.xml"/><Relationship Id="rId3" Type="x/sharedStrings" Target="sharedStrings.xml"/>
    <Relationship Id="rId4" Type="x/styles" Target="styles.xml"/></Relationships>"#;
const WORKBOOK: &str = r#"<x:workbook xmlns:x="m" xmlns:r="r"><x:sheets><x:sheet name="A &amp; B" sheetId="1" r:id="rId1"/><x:sheet name="two" sheetId="2" r:id="rId2"/></x:sheets></x:workbook>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="170" formatCode="d. mmm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="2"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst uniqueCount="99999999999999999999"><si><t>ip</t></si><si><r><t>fir</t></r><r><t>mware</t></r><rPh><t>no</t></rPh></si><si><t>a_x000D_b &lt;&#x26;</t></si></sst>"#;

/// A workbook with these rows in its first worksheet; the second has none.
fn file(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</worksheet>");
    parts(&[
        ("xl/workbook.xml", WORKBOOK),
        ("xl/worksheets/one.xml", &sheet),
        ("xl/worksheets/two.xml", "<worksheet/>"),
        ("xl/sharedStrings.xml", STRINGS),
    ])
}

fn parts(more: &[(&str, &str)]) -> Vec<u8> {
    let fixed = [("_rels/.rels", ROOT), ("xl/_rels/workbook.xml.rels", RELATIONS), ("xl/styles.xml", STYLES)];
    let parts: Vec<_> = fixed.iter().chain(more).map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    write(&parts).unwrap()
}

fn cell(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

fn check(rows: &str, columns: &[&str], expected: &[&[&str]], left_out: &[(usize, &str)]) -> Taken {
    let taken = read(&file(rows), None).unwrap_or_else(|why| panic!("{rows}: {why}"));
    assert_eq!(
        (&taken.sheet.columns[..], &taken.sheet.rows[..]),
        (&owned(columns)[..], &expected.iter().map(|row| owned(row)).collect::<Vec<_>>()[..]),
        "{rows}"
    );
    let said: Vec<_> = taken.left_out.iter().map(|one| (one.line, one.column.as_deref().unwrap_or_default())).collect();
    assert_eq!(said, left_out, "{rows}: {:?}", taken.left_out);
    taken
}

fn owned(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

#[test]
fn a_worksheet_is_read_as_spreadsheets_write_it() {
    let head = r#"<row r="3"><c r="A3" t="s"><v>0</v></c><c r="C3" t="s"><v>1</v></c><c r="D3" t="str"><v>port</v></c><c r="E3" t="str"><v>Note</v></c></row>"#;
    let title = format!("<row r=\"1\">{}</row></sheetData>", cell("A1", "Plant")).replace("</sheetData>", "");
    let taken = check(
        &format!(
            r#"{title}{head}<row r="4"><c r="A4" t="str"><v>10.0.0.1</v></c><c r="C4" t="str"><f>A1</f><v>2.10</v></c><c r="D4"><v>502</v></c><c r="E4" t="s"><v>2</v></c></row>
               <row><c t="str"><v>10.0.0.2</v></c><c/><c><v>2.1000000000000001</v></c><c t="b"><v>1</v></c></row>
               <row r="9"><c r="A9" t="str"><v>10.0.0.3</v></c><c r="C9" s="1"><v>40210</v></c><c r="E9"><v>1.5</v></c></row>
               <row r="10"><c r="A10" t="e"><v>#N/A</v></c></row>
               <row r="11"><c r="A11"><f>B1</f></c><c r="C11"><v>1</v></c></row></sheetData>"#
        ),
        &["ip", "firmware_revision", "port", "Note", "firmware_revision (doubtful)"],
        &[&["10.0.0.1", "2.10", "502", "a b <&", ""], &["10.0.0.3", "", "", "1.5", "2010-02-01"]],
        &[(5, "port"), (10, "ip"), (11, "ip")],
    );
    assert!(taken.left_out[1].why.contains("#N/A") && taken.left_out[2].why.contains("never worked out"), "{:?}", taken.left_out);
    assert_eq!(taken.doubts.len(), 1);
    assert!(taken.notes.iter().any(|note| note.contains("2 cells with formulas (the first is C4)")), "{:?}", taken.notes);
    assert!(taken.notes.iter().any(|note| note.contains("\"A & B\" of 2")), "{:?}", taken.notes);
}

#[test]
fn merged_cells_count_for_each_row_or_for_none() {
    let row = |number: usize, cells: &[(&str, &str)]| {
        let cells: String = cells.iter().map(|(column, text)| cell(&format!("{column}{number}"), text)).collect();
        format!("<row r=\"{number}\">{cells}</row>")
    };
    let rows = [
        row(1, &[("A", "ip"), ("B", "site"), ("C", "model")]),
        row(2, &[("A", "10.0.0.1"), ("B", "North")]),
        row(3, &[("A", "10.0.0.2"), ("B", "hidden")]),
        row(4, &[("A", "10.0.0.3"), ("C", "X")]),
        row(5, &[("C", "Y")]),
        row(6, &[("A", "10.0.0.4"), ("B", "South")]),
        "</sheetData><mergeCells><mergeCell ref=\"B2:B3\"/><mergeCell ref=\"A4:A5\"/><mergeCell ref=\"B6:C6\"/><mergeCell ref=\"A1:C1\"/></mergeCells>".into(),
    ];
    check(
        &rows.concat(),
        &["ip", "site", "model"],
        &[&["10.0.0.1", "North", ""], &["10.0.0.2", "North", ""]],
        &[(4, "ip"), (5, "ip"), (6, "site")],
    );
}

#[test]
fn what_is_no_workbook_is_refused_by_a_sentence() {
    let (good, one) = (cell("A1", "ip"), |cells: &str| format!("<row r=\"1\">{cells}</row></sheetData>"));
    for (rows, why) in [
        (one(&cell("ZZZZZZZZZZZZZZZZZZZZ1", "ip")), "not in its place"),
        (one(&cell("A99999999999999999999999", "ip")), "not in its place"),
        (one(&format!("{good}{good}")), "not in its place"),
        (one(&format!("{good}{}", cell("IW1", "x"))), "at most 256 columns"),
        (format!("<row r=\"2\">{good}</row>"), "not in its place"),
        ("<row r=\"1048577\"></row>".into(), "has no number"),
        ("<row r=\"2\"/><row r=\"1\"/>".into(), "has no number"),
        (one("<c r=\"A1\" t=\"s\"><v>3</v></c>"), "its text is missing"),
        (one("<c r=\"A1\"><v>1e999</v></c>"), "its number is none"),
        (one("<c r=\"A1\" t=\"inlineStr\"><is><t>&lol;</t>"), "an entity"),
        (one("<c r=\"A1\"><v>"), "no XML"),
        (format!("{}<mergeCell ref=\"B9:A1\"/>", one(&good)), "merged cells"),
        (one(&cell("A1", &"x".repeat(32_768))), "32,767"),
        (one(&cell("A1", "title")), "no column is known"),
    ] {
        let refused = read(&file(&rows), None).expect_err(&rows);
        assert!(refused.contains(why), "{rows}: {refused}");
    }
    let laughs = "<!DOCTYPE a [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;\">]>".to_owned() + WORKBOOK;
    assert!(read(&parts(&[("xl/workbook.xml", &laughs)]), None).unwrap_err().contains("missing"), "no entity is ever made");
    let bomb = format!("<row>{}</row></sheetData>", " ".repeat(64 << 20));
    assert!(read(&file(&bomb), None).unwrap_err().contains("bomb"));
    for (bytes, why) in [(write(&[("a".into(), vec![])]).unwrap(), "no XLSX workbook"), (b"PK\x03\x04".to_vec(), "no zip file")] {
        assert!(read(&bytes, None).unwrap_err().contains(why));
    }
    let whole = file(&one(&good));
    for length in 0..whole.len() {
        read(&whole[..length], None).expect_err("a beginning of a file");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        drop(read(&damaged, None));
    }
}

#[test]
fn a_worksheet_is_named_where_several_fit() {
    let sheet = format!("<worksheet><sheetData><row r=\"1\">{}</row></sheetData></worksheet>", cell("A1", "ip"));
    let bytes = parts(&[("xl/workbook.xml", WORKBOOK), ("xl/worksheets/one.xml", &sheet), ("xl/worksheets/two.xml", &sheet)]);
    assert!(read(&bytes, None).unwrap_err().contains("\"A & B\", \"two\" have columns of devices"));
    assert_eq!(read(&bytes, Some("two")).unwrap().sheet.columns, ["ip"]);
    assert!(read(&bytes, Some("three")).unwrap_err().contains("there is no worksheet \"three\""));
}

#[test]
fn what_we_write_is_read_as_it_was() {
    let rows = [["=1+1", " 2.10 "], ["+x", "a_x000D_b <&\"'>"], ["10. Feb", "\u{1b}[2J\u{ffff}"], ["007", ""]];
    let rows = rows.iter().zip(Tint::ALL).map(|(row, tint)| (tint, owned(row))).collect();
    let table = Table { name: "devices", header: owned(&["tag", "Note"]), rows };
    let read = read(&workbook(&[table]).unwrap(), None).unwrap();
    assert_eq!(read.sheet.rows, [["=1+1", "2.10"], ["+x", "a_x000D_b <&\"'>"], ["10. Feb", "\\u{1b}[2J\u{fffd}"], ["007", ""]]);
}
