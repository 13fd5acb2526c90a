//! Rows that are taken, left out, or in doubt.

use super::*;

/// Columns, rows, and line, column and a part of the sentence of each row that was left out.
type Halves<'a> = (&'a [&'a str], &'a [&'a [&'a str]], &'a [(usize, &'a str, &'a str)]);

fn check_rows(text: impl AsRef<[u8]>, (columns, rows, left_out): Halves<'_>) {
    let text = text.as_ref();
    let shown = String::from_utf8_lossy(text);
    let taken = read(text).unwrap_or_else(|invalid| panic!("{shown}: {invalid}"));
    assert_eq!(taken.sheet.columns, owned(columns), "{shown}");
    assert_eq!(taken.sheet.rows, rows.iter().map(|row| owned(row)).collect::<Vec<_>>(), "{shown}");
    let said: Vec<_> = taken.left_out.iter().map(|one| (one.line, one.column.as_deref().unwrap_or_default())).collect();
    assert_eq!(said, left_out.iter().map(|(line, column, _)| (*line, *column)).collect::<Vec<_>>(), "{shown}: {:?}", taken.left_out);
    assert!(taken.left_out.iter().zip(left_out).all(|(one, (_, _, why))| one.why.contains(why)), "{shown}: {:?}", taken.left_out);
}

#[test]
fn a_wrong_row_is_left_out_and_the_others_are_taken() {
    let (a, b) = (&["10.0.0.1", "x"][..], &["10.0.0.3", "y"][..]);
    let columns = &["ip", "tag"][..];
    for (row, column, why) in [
        ("10.0.0.256,z", "ip", "no IP address"),
        ("10.0.0.2", "tag", "1 cells"),
        ("10.0.0.2,z,z", "3", "3 cells"),
        ("10.0.0.2,\"z\"z", "2", "closing quotation mark"),
        ("10.0.0.2,z\"z", "2", "inside a cell"),
        ("10.0.0.2,z\0", "2", "NUL"),
        ("10.0.0.2,x", "tag", "line 2 has the same tag"),
    ] {
        check_rows(format!("ip,tag\n10.0.0.1,x\n{row}\n\n10.0.0.3,y\n"), (columns, &[a, b], &[(3, column, why)]));
    }
    let numbers = |text: &str| read(text.as_bytes()).unwrap().sheet.rows().map(|row| row.number).collect::<Vec<_>>();
    assert_eq!(numbers("ip\nx\n10.0.0.1\n\ny\nz\n10.0.0.2\n"), [2, 5], "a row keeps the number that it has in the file");
    check_rows(
        "ip,tag,slot\n10.0.0.1,x,1\n10.0.0.1,x,2\n",
        (&["ip", "tag", "slot"], &[&["10.0.0.1", "x", "1"], &["10.0.0.1", "x", "2"]], &[]),
    );
    let many: String = (0..10_001).map(|_| "x\n").collect();
    assert!(read(format!("ip\n{many}").as_bytes()).unwrap_err().why.contains("more than 10000 rows are wrong"));
    // Behind a quotation mark that is never closed nobody knows what is a row.
    assert!(read(b"ip,tag\n10.0.0.1,x\n10.0.0.2,\"x\n10.0.0.3,y\n").unwrap_err().why.contains("never closed"));
}

#[test]
fn the_header_is_found_below_titles_and_in_any_encoding() {
    let expected: Halves<'_> = (&["ip", "tag", "Ort"], &[&["10.0.0.1", "1,5", "Würzburg – Süd"]], &[]);
    let text = "Inventory, plant 3\n;;\nState: May;;\nIP;Tag;Ort\n10.0.0.1;1,5;Würzburg – Süd\n";
    check_rows(text, expected);
    let windows: Vec<u8> = text.chars().map(|c| if c == '–' { 0x96 } else { u8::try_from(u32::from(c)).unwrap() }).collect();
    check_rows(&windows, expected);
    let wide = format!("\u{feff}{text}");
    check_rows(wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), expected);
    check_rows(wide.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>(), expected);
    assert_eq!(read(&windows).unwrap().notes, ["the header is line 4; what stands above it was passed over", "read as Windows-1252"]);
    check_rows("ip,,\n10.0.0.1,,x\n", (&["ip", "column 3"], &[&["10.0.0.1", "x"]], &[]));
    check("title\n".repeat(20) + "ip\n", Err((1, "1", "no column is known")));
}

#[test]
fn what_a_spreadsheet_made_of_a_version_is_kept_and_is_no_version() {
    let taken = read(b"ip,firmware\n10.0.0.1,2.10\n10.0.0.2,10. Feb\n").unwrap();
    assert_eq!(taken.sheet.columns, ["ip", "firmware_revision", "firmware_revision (doubtful)"]);
    assert_eq!(taken.sheet.rows, [["10.0.0.1", "2.10", ""], ["10.0.0.2", "", "10. Feb"]]);
    assert_eq!(
        taken.doubts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["line 3, column firmware_revision: \"10. Feb\" is a date"]
    );
    let text = |text: &str| Cell::Text(text.to_owned());
    let line = |number, cells: [Cell; 3]| Line { number, cells: cells.into() };
    let taken = read_lines([
        line(1, [text("ip"), text("FW"), text("Serial")]),
        line(2, [text("10.0.0.1"), Cell::Number(2.1), Cell::Number(4711.0)]),
        line(3, [text("10.0.0.2"), Cell::Date("2010-02-01".into()), text("007")]),
        line(5, [text("10.0.0.3"), Cell::Void("holds the spreadsheet's error #N/A".into()), text("")]),
    ])
    .unwrap();
    assert_eq!(taken.sheet.rows, [["10.0.0.1", "", "4711", "2.1"], ["10.0.0.2", "", "007", "2010-02-01"]]);
    assert_eq!((taken.sheet.left_out, taken.left_out[0].line, taken.doubts.len()), (vec![3], 5, 2));
    // Nothing that was doubted is compared: a row with one is never a match.
    let mut catalog = Catalog::default();
    heard(&mut catalog, "10.0.0.1", 1, &[(Field::Model, "X"), (Field::FirmwareRevision, "2.10")]);
    let all = compared(&catalog, "ip,model,firmware\n10.0.0.1,X,10. Feb\n");
    assert_eq!(all[0].outcome, Outcome::Undecided);
    assert!(all[0].reason.contains("firmware_revision is doubtful"), "{}", all[0].reason);
}
