//! Which styles show a number as a date (ECMA-376 part 1, 18.8.30).

use std::collections::HashMap;

use super::tags::{Tag, Tags, attribute};

/// Styles of a workbook: Excel has at most 65,490.
const STYLES_MAX: usize = 65_536;

/// For each style of a cell whether it is a date.
///
/// # Errors
/// It is no XML.
pub fn dates(xml: &str) -> Result<Vec<bool>, String> {
    let mut tags = Tags::of(xml);
    let (mut own, mut dates, mut in_cells) = (HashMap::new(), Vec::new(), false);
    while let Some(tag) = tags.next()? {
        match tag {
            Tag::Open(tag) => match tag.local_name().into_inner() {
                "numFmt" => {
                    own.extend(attribute(&tag, "numFmtId").zip(attribute(&tag, "formatCode").map(|code| is_date(&code))));
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells && dates.len() < STYLES_MAX => {
                    let id = attribute(&tag, "numFmtId").unwrap_or_default();
                    dates.push(own.get(&id).copied().unwrap_or_else(|| is_date_by_number(&id)));
                }
                _ => {}
            },
            Tag::Close(name) if name == "cellXfs" => in_cells = false,
            _ => {}
        }
    }
    Ok(dates)
}

/// Formats that need no code: dates and times of all languages.
fn is_date_by_number(id: &str) -> bool {
    id.parse::<u16>().is_ok_and(|id| matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58))
}

/// A letter of a date outside quotation marks, brackets and escapes.
fn is_date(code: &str) -> bool {
    let mut letters = code.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => drop(letters.by_ref().find(|c| *c == '"')),
            '[' => drop(letters.by_ref().find(|c| *c == ']')),
            '\\' | '_' | '*' => drop(letters.next()),
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => return true,
            'G' | 'g' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_a_date_by_its_letters() {
        for (code, expected) in [
            ("yyyy\\-mm\\-dd", true),
            ("d. mmm", true),
            ("General", false),
            ("0.00", false),
            ("0\" days\"", false),
            ("[Red]0", false),
            ("\\d0", false),
        ] {
            assert_eq!(is_date(code), expected, "{code}");
        }
        assert!(is_date_by_number("14") && !is_date_by_number("2") && !is_date_by_number("x"));
    }
}
