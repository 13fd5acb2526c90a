//! What a table of cells is before anybody knows what it says: lines of text, or the typed cells of a spreadsheet.

/// A cell as its file has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Text, letter by letter; empty where there is nothing.
    Text(String),
    /// A number. How many digits a person typed is lost: 2.10 is 2.1, and 007 is 7.
    Number(f64),
    /// A point in time, as `2010-02-01` or with a time behind it. Whoever typed `2.10` may have got one.
    Date(String),
    /// No value, and why, as a sentence without a subject: `holds the spreadsheet's error #N/A`.
    Void(String),
}

/// A line of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where it begins: the line of a text, the row of a spreadsheet, from 1.
    pub number: usize,
    /// Its cells, from the first column on.
    pub cells: Vec<Cell>,
}

/// Whole numbers of up to 15 digits are exact in a spreadsheet; of longer ones the last digits are lost.
const EXACT_UNITS_MAX: f64 = 999_999_999_999_999.0;

impl Cell {
    /// Its text, as a person reads it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Date(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Void(_) => String::new(),
        }
    }

    /// True where nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// True for a whole number that no digit was lost of.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT_UNITS_MAX)
    }
}
