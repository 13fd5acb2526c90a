//! Tables to an XLSX workbook. Every cell is text, so that no spreadsheet runs it, rounds it or makes a date of it. Source: ECMA-376
//! part 1 (5th edition), clause 18; the parts and their order are those that every reader needs and no more.

use nameplate_core::text::printable;

use crate::advisories::archive;
use crate::print::is_formula;

/// What one cell can hold.
const CELL_CHARS_MAX: usize = 32_767;
/// Characters of a column's width: enough to read, and no column pushes the others off the screen.
const WIDTH_CHARS_MAX: usize = 60;
/// Rows that decide how wide a column is.
const WIDTH_ROWS: usize = 200;

/// How a row is meant. The colour only repeats what its first cell says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tint {
    /// None.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Somebody should look.
    Doubt,
    /// It differs.
    Bad,
    /// Known to one side only.
    Other,
}

impl Tint {
    /// Its colour, red, green and blue in hexadecimal: light enough for black letters.
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Plain => "FFFFFF",
            Self::Good => "E2F0D9",
            Self::Doubt => "FFF2CC",
            Self::Bad => "F8CBAD",
            Self::Other => "DDEBF7",
        }
    }

    /// All of them; their places are the styles' numbers.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Good, Self::Doubt, Self::Bad, Self::Other];
}

/// A worksheet.
pub struct Table {
    /// Its name: at most 31 characters, none of `[]:*?/\`.
    pub name: &'static str,
    /// Titles of its columns.
    pub header: Vec<String>,
    /// Rows, each with a cell for every column.
    pub rows: Vec<(Tint, Vec<String>)>,
}

/// The bytes of a workbook with these tables.
///
/// # Errors
/// It is too large for a file without zip64.
pub fn workbook(tables: &[Table]) -> Result<Vec<u8>, String> {
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    const TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let each = |one: &dyn Fn(usize, &Table) -> String| (1..).zip(tables).map(|(at, table)| one(at, table)).collect::<String>();
    let types = each(&|at, _| format!("<Override PartName=\"/xl/worksheets/sheet{at}.xml\" ContentType=\"{TYPE}.worksheet+xml\"/>"));
    let sheets = each(&|at, table| format!("<sheet name=\"{}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>", escaped(table.name)));
    let relations =
        each(&|at, _| format!("<Relationship Id=\"rId{at}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"));
    let styles = tables.len() + 1;
    let mut parts = vec![
        (
            "[Content_Types].xml".to_owned(),
            format!(
                "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"{TYPE}.sheet.main+xml\"/>{types}\
                 <Override PartName=\"/xl/styles.xml\" ContentType=\"{TYPE}.styles+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels".to_owned(),
            format!(
                "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml".to_owned(),
            format!("{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{sheets}</sheets></workbook>"),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!(
                "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}<Relationship Id=\"rId{styles}\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        ("xl/styles.xml".to_owned(), format!("{HEAD}<styleSheet xmlns=\"{MAIN}\">{}</styleSheet>", self::styles())),
    ];
    for (at, table) in (1..).zip(tables) {
        parts.push((format!("xl/worksheets/sheet{at}.xml"), format!("{HEAD}<worksheet xmlns=\"{MAIN}\">{}</worksheet>", worksheet(table))));
    }
    let parts: Vec<(String, Vec<u8>)> = parts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    archive::write(&parts)
}

/// Fonts, fills and styles: of each tint a plain one and one for texts that look like a formula (the apostrophe of spreadsheets,
/// `quotePrefix`); behind them the header's. All are text (format 49), so that `2.10` stays `2.10` when somebody edits it.
fn styles() -> String {
    let fill = |tint: Tint| {
        format!(
            "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FF{}\"/><bgColor indexed=\"64\"/></patternFill></fill>",
            tint.colour()
        )
    };
    let fills: String = Tint::ALL.into_iter().skip(1).map(fill).collect();
    let xf = |at: usize, quote: bool| {
        // Fills 0 and 1 are fixed: none, and a pattern that nobody asked for.
        let (fill, quote) = (if at == 0 { 0 } else { at + 1 }, if quote { " quotePrefix=\"1\"" } else { "" });
        format!(
            "<xf numFmtId=\"49\" fontId=\"0\" fillId=\"{fill}\" borderId=\"0\" xfId=\"0\"{quote} applyNumberFormat=\"1\" applyFill=\"1\"/>"
        )
    };
    let xfs: String = (0..Tint::ALL.len()).flat_map(|at| [xf(at, false), xf(at, true)]).collect();
    let count = Tint::ALL.len();
    format!(
        "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
         <fills count=\"{}\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill>{fills}</fills>\
         <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
         <cellXfs count=\"{}\">{xfs}<xf numFmtId=\"49\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\"/></cellXfs>\
         <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>",
        count + 1,
        count * 2 + 1,
    )
}

/// The parts of a worksheet in the order of its schema: view, columns, cells, filter. The header stays where it is.
fn worksheet(table: &Table) -> String {
    let Table { header, rows, .. } = table;
    let heading = Tint::ALL.len() * 2;
    let widths: String = (0..header.len())
        .map(|at| {
            let cells = rows.iter().take(WIDTH_ROWS).filter_map(|(_, row)| row.get(at)).chain(header.get(at));
            let width = cells.map(|cell| cell.chars().count()).max().unwrap_or_default().clamp(8, WIDTH_CHARS_MAX) + 2;
            format!("<col min=\"{0}\" max=\"{0}\" width=\"{width}\" customWidth=\"1\"/>", at + 1)
        })
        .collect();
    let mut cells = String::new();
    let mut row = |number: usize, row: &[String], style: &dyn Fn(&str) -> usize| {
        cells.push_str(&format!("<row r=\"{number}\">"));
        for (at, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let space = if text.trim() == text { "" } else { " xml:space=\"preserve\"" };
            cells.push_str(&format!(
                "<c r=\"{}{number}\" s=\"{}\" t=\"inlineStr\"><is><t{space}>{}</t></is></c>",
                letters(at),
                style(text),
                text_of(text)
            ));
        }
        cells.push_str("</row>");
    };
    row(1, header, &|_| heading);
    for (number, (tint, cells)) in (2..).zip(rows) {
        let at = Tint::ALL.iter().position(|one| one == tint).unwrap_or_default();
        row(number, cells, &|text| at * 2 + usize::from(is_formula(text)));
    }
    let last = format!("{}{}", letters(header.len().saturating_sub(1)), rows.len() + 1);
    format!(
        "<sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews>\
         <cols>{widths}</cols><sheetData>{cells}</sheetData><autoFilter ref=\"A1:{last}\"/>"
    )
}

/// A column's letters, counted from 0.
fn letters(mut at: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(at % 26).unwrap_or_default()));
        match at / 26 {
            0 => return letters.into_iter().rev().collect(),
            more => at = more - 1,
        }
    }
}

/// A cell's text: made printable, cut with a mark, and with what a spreadsheet would take for an escape (`_x000D_`) escaped.
fn text_of(text: &str) -> String {
    let safe = without_escapes(&printable(text));
    let safe = if safe.chars().count() <= CELL_CHARS_MAX { safe } else { safe.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect() };
    escaped(&safe)
}

/// `_x000D_` written so that it is read as these seven characters. Two of them may share an underscore: `_x005F_x000D_`.
fn without_escapes(text: &str) -> String {
    let is_escape = |at: usize| {
        let behind = text.as_bytes().get(at + 2..at + 7);
        behind.is_some_and(|five| five.ends_with(b"_") && five[..4].iter().all(u8::is_ascii_hexdigit))
    };
    let (mut plain, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices("_x").filter(|(at, _)| is_escape(*at)) {
        plain.push_str(&text[from..at]);
        plain.push_str("_x005F_");
        from = at + 1;
    }
    plain + &text[from..]
}

/// A text between tags or quotation marks of XML and HTML.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No characters of XML.
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_escape_is_read_as_it_was() {
        // By hand, after ECMA-376 part 1, 22.4.2.4: `_xHHHH_` is read as one character, so each underscore that begins one is written as one.
        for (said, written) in [
            ("V1_x", "V1_x"),
            ("_x00", "_x00"),
            ("_x000G_", "_x000G_"),
            ("_x000D_", "_x005F_x000D_"),
            ("a_x0041_b", "a_x005F_x0041_b"),
            ("_x005F_x000D_", "_x005F_x005F_x005F_x000D_"),
            ("_x_x000D_x000A_", "_x_x005F_x000D_x005F_x000A_"),
            ("\u{fc}_x\u{fc}\u{fc}\u{fc}_", "\u{fc}_x\u{fc}\u{fc}\u{fc}_"),
        ] {
            assert_eq!(text_of(said), written);
        }
    }
}
