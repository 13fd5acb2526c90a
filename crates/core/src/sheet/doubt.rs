//! Versions that a spreadsheet has turned into something else: `2.10` into a date or the number 2.1. What it was cannot be told any more,
//! so it is never a version; it is kept beside the others, and said.

use super::grid::Cell;
use crate::claim::Field;

/// Ends the name of the column in which a doubtful cell is kept.
pub const DOUBTFUL: &str = " (doubtful)";
/// Months in English, German and French, as spreadsheets write them; of each also its first letters, from three on.
const MONTHS: [&str; 33] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "januar",
    "februar",
    "märz",
    "mrz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "fevrier",
];

/// Why a cell cannot be taken for a value of this field; `None` where it can.
pub(super) fn doubt(field: Field, cell: &Cell) -> Option<String> {
    if !field.is_revision() && field != Field::ProductCode {
        return None;
    }
    let is_number = matches!(field, Field::SerialNumber | Field::ProductCode);
    match cell {
        Cell::Date(date) => Some(format!("the spreadsheet holds the date {date}; what was typed is lost")),
        Cell::Number(number) if is_number && cell.is_exact() => (*number < 0.0).then(|| format!("{number} is below zero")),
        Cell::Number(number) if is_number => Some(format!("the spreadsheet holds the number {number}; digits of it may be lost")),
        Cell::Number(number) => {
            Some(format!("the spreadsheet holds the number {number}, which may have been {number}0; format the column as text"))
        }
        Cell::Text(text) if !is_number && is_date(text.trim()) => Some(format!("{:?} is a date", crate::text::printable(text.trim()))),
        Cell::Text(text) if is_rounded(text.trim()) => Some(format!("{text:?} is a rounded number")),
        Cell::Text(_) | Cell::Void(_) => None,
    }
}

/// As spreadsheets write dates into CSV: `2010-02-01`, `2010-02-01 00:00:00`, `01.02.2010`, `2/1/2010`, `10. Feb`, `Feb 10`, `1-Feb-10`.
fn is_date(text: &str) -> bool {
    let day = text.split_once([' ', 'T']).filter(|(_, time)| time.starts_with("00:00")).map_or(text, |(day, _)| day);
    let parts: Vec<&str> = day.split(['.', '-', '/', ' ']).filter(|part| !part.is_empty()).collect();
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 4);
    let is_month = |part: &str| {
        let part = part.to_lowercase();
        part.chars().count() >= 3 && MONTHS.iter().any(|month| month.starts_with(&part))
    };
    let is_year = |part: &str| part.len() == 4 && number(part).is_some_and(|year| (1900..=2099).contains(&year));
    let within = |part: &str, most: u32| part.len() <= 2 && number(part).is_some_and(|number| (1..=most).contains(&number));
    match parts.as_slice() {
        [first, second] => (is_month(first) && number(second).is_some()) || (number(first).is_some() && is_month(second)),
        [first, second, third] if is_year(first) => within(second, 12) && within(third, 31),
        [first, second, third] if is_month(second) => within(first, 31) && number(third).is_some(),
        [first, second, third] => is_year(third) && within(first, 31) && within(second, 31),
        _ => false,
    }
}

/// `1.23457E+11`: a long number as a spreadsheet shows it.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && mantissa.split_once(['.', ',']).map_or_else(|| digits(mantissa), |(whole, rest)| digits(whole) && digits(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_became_a_date_or_a_number_is_doubtful() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let (firmware, serial) = (Field::FirmwareRevision, Field::SerialNumber);
        for (field, cell, doubtful) in [
            (firmware, text("2.10"), false),
            (firmware, text("V2.10.2010"), false),
            (firmware, text("8.2.1"), false),
            (firmware, text("4.1.2010"), true),
            (firmware, text("20.30.2010"), true),
            (firmware, text("40.1.2010"), false),
            (firmware, text("2010-02-01"), true),
            (firmware, text("2010-02-01 00:00:00"), true),
            (firmware, text("2010-13-01"), false),
            (firmware, text("10. Feb"), true),
            (firmware, text("Feb 10"), true),
            (firmware, text("02. Dez"), true),
            (firmware, text("2-Oct"), true),
            (firmware, text("1-Feb-10"), true),
            (firmware, text("R100-V1"), false),
            (firmware, text("mar"), false),
            (firmware, text("Marlin 2"), false),
            (firmware, text("SEL-751-R402-V0-Z011003-D20190512"), false),
            (firmware, Cell::Number(2.1), true),
            (firmware, Cell::Number(3.0), true),
            (firmware, Cell::Date("2010-02-01".into()), true),
            (serial, Cell::Number(4_711.0), false),
            (serial, Cell::Number(4_711.5), true),
            (serial, Cell::Number(1e15), true),
            (serial, Cell::Number(-4.0), true),
            (serial, text("1.23457E+11"), true),
            (serial, text("6E10"), false),
            (Field::ProductCode, Cell::Date("2010-02-01".into()), true),
            (Field::Model, Cell::Number(2.1), false),
        ] {
            assert_eq!(doubt(field, &cell).is_some(), doubtful, "{field:?} {cell:?}");
        }
    }
}
