//! Printing: a table for a person, NDJSON for a program, CSV for a spreadsheet. Device text is made safe for each.

use std::io::{self, IsTerminal, Write};

use nameplate_core::text::{is_invisible, printable};

use crate::cli::{Format, Options};
use crate::failure::Failure;

/// Widest column in characters, so that one hostile name does not push the others off the screen.
const CELL_CHARS_MAX: usize = 96;

/// The format that was asked for, or the one that fits where the output goes.
pub fn format(options: &Options) -> Format {
    options.format.unwrap_or_else(|| if io::stdout().is_terminal() { Format::Table } else { Format::Ndjson })
}

/// Writes to standard output; a reader that went away (`| head`) ends the program quietly.
///
/// # Errors
/// What the operating system says of the output.
pub fn out(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|e| Failure::input("standard output", e)),
    }
}

/// A number with its word: `1 device`, `2 devices`.
pub fn count(number: impl Into<u64>, word: &str) -> String {
    let number = number.into();
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// One JSON object and a line end. serde escapes the C0 controls; what else is invisible is written as `\\uXXXX`, which loses nothing.
pub fn json_line(value: &impl serde::Serialize) -> String {
    // Public line types hold strings, numbers and maps with string keys: serialising them cannot fail.
    let json = serde_json::to_string(value).unwrap_or_default();
    let plain = json.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    (if plain { json } else { json.chars().map(escaped).collect() }) + "\n"
}

fn escaped(c: char) -> String {
    if !is_invisible(c) {
        return c.to_string();
    }
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Columns of equal width with a header; cells are made printable and cut at [`CELL_CHARS_MAX`] characters with a mark.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |text: &str| {
        let safe = printable(text);
        if safe.chars().count() <= CELL_CHARS_MAX { safe } else { safe.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect() }
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).chain([header[column].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let header: Vec<String> = header.iter().map(|title| (*title).to_owned()).collect();
    rows.iter().fold(line(&header), |text, row| text + &line(row))
}

/// One CSV record after RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP ASVS 1.2.10); so does
/// one that has one there of its own, or two texts would become one.
pub fn csv_line(cells: &[String]) -> String {
    let cell = |text: &String| {
        let safe = printable(&if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.clone() });
        if safe.contains([',', '"', '\n', '\r']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

/// True for a text that a spreadsheet would run, were it typed in.
pub fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_or_a_terminal_escape() {
        for (said, expected) in [
            ("V2.70", "V2.70"),
            ("=cmd|' /C calc'!A1", "'=cmd|' /C calc'!A1"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("-1", "'-1"),
            ("'-1", "''-1"),
            ("''-1", "'''-1"),
            ("'V1", "'V1"),
        ] {
            assert_eq!(csv_line(&[said.to_owned()]), format!("{expected}\r\n"));
        }
        assert_eq!(json_line(&"a\u{202e}b\u{9b}\u{e0001}\u{7f}é\n"), "\"a\\u202eb\\u009b\\udb40\\udc01\\u007fé\\n\"\n");
        assert_eq!(table(&["A"], &[vec!["\x1b]0;x\x07".to_owned()]]), "A\n\\u{1b}]0;x\\u{7}\n");
    }
}
