//! From text to cells, after RFC 4180, read strictly: what a lenient reader would guess at is an error that says where.

use std::iter::Peekable;
use std::str::Chars;

use super::Invalid;

/// What one cell of the common spreadsheet programs can hold.
const CELL_CHARS_MAX: usize = 32_767;
/// More columns than any inventory has; a file with more is something else.
pub(crate) const COLUMNS_MAX: usize = 256;

/// The cells of one record and the line that it begins in.
pub(crate) struct Record {
    pub line: usize,
    pub cells: Vec<String>,
}

/// Reads records one by one.
pub(crate) struct Records<'a> {
    rest: Peekable<Chars<'a>>,
    delimiter: char,
    line: usize,
    /// A quotation mark was never closed: everything behind it is gone.
    swallowed: bool,
}

/// What may stand between cells.
pub(crate) const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// How a cell ended.
enum End {
    Cell,
    Record,
}

impl<'a> Records<'a> {
    /// Of a text whose first line holds the header: what stands there most often outside quotes divides the cells.
    pub fn new(text: &'a str) -> Self {
        let mut quoted = false;
        let mut found = [(',', 0_usize), (';', 0), ('\t', 0)];
        for c in text.chars() {
            match c {
                '"' => quoted = !quoted,
                '\n' | '\r' if !quoted => break,
                _ if quoted => {}
                _ => found.iter_mut().filter(|(delimiter, _)| *delimiter == c).for_each(|(_, count)| *count += 1),
            }
        }
        // Of equals the first: a comma.
        let delimiter = found.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(',', |(c, _)| c);
        Self::divided_by(text, delimiter)
    }

    /// Of a text whose cells this divides.
    pub fn divided_by(text: &'a str, delimiter: char) -> Self {
        Self { rest: text.chars().peekable(), delimiter, line: 1, swallowed: false }
    }

    /// Goes on behind the line in which a record turned out to be none; false where nobody can say where that line ends.
    pub fn pass_line(&mut self) -> bool {
        while let Some(c) = self.rest.next() {
            if matches!(c, '\r' | '\n') {
                self.line_end(c);
                break;
            }
        }
        !self.swallowed
    }

    /// The next record; `None` at the end.
    pub fn next(&mut self) -> Option<Result<Record, Invalid>> {
        self.rest.peek()?;
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            if cells.len() == COLUMNS_MAX {
                return Some(Err(self.wrong(cells.len(), "a sheet has at most 256 columns")));
            }
            match self.cell(cells.len()) {
                Err(invalid) => return Some(Err(invalid)),
                Ok((cell, end)) => {
                    cells.push(cell);
                    if matches!(end, End::Record) {
                        return Some(Ok(Record { line, cells }));
                    }
                }
            }
        }
    }

    fn cell(&mut self, at: usize) -> Result<(String, End), Invalid> {
        if self.rest.peek() == Some(&'"') {
            return self.quoted(at);
        }
        let (mut cell, mut chars) = (String::new(), 0);
        loop {
            match self.rest.next() {
                Some('"') => return Err(self.wrong(at, "a quotation mark inside a cell; such a cell stands in quotation marks as a whole")),
                Some(c) if c == self.delimiter => return Ok((cell, End::Cell)),
                Some(c @ ('\r' | '\n')) => {
                    self.line_end(c);
                    return Ok((cell, End::Record));
                }
                None => return Ok((cell, End::Record)),
                Some(c) => self.push(&mut cell, &mut chars, c, at)?,
            }
        }
    }

    /// A cell in quotation marks; inside, two of them stand for one.
    fn quoted(&mut self, at: usize) -> Result<(String, End), Invalid> {
        let begun = self.wrong(at, "the quotation mark that begins here is never closed");
        self.rest.next();
        let (mut cell, mut chars) = (String::new(), 0);
        loop {
            match self.rest.next() {
                None => {
                    self.swallowed = true;
                    return Err(begun);
                }
                Some('"') if self.rest.peek() != Some(&'"') => break,
                Some('"') => {
                    self.rest.next();
                    self.push(&mut cell, &mut chars, '"', at)?;
                }
                Some(c @ ('\r' | '\n')) => {
                    self.line_end(c);
                    self.push(&mut cell, &mut chars, '\n', at)?;
                }
                Some(c) => self.push(&mut cell, &mut chars, c, at)?,
            }
        }
        match self.rest.next() {
            Some(c) if c == self.delimiter => Ok((cell, End::Cell)),
            Some(c @ ('\r' | '\n')) => {
                self.line_end(c);
                Ok((cell, End::Record))
            }
            None => Ok((cell, End::Record)),
            Some(_) => Err(self.wrong(at, "something stands between a closing quotation mark and the end of the cell")),
        }
    }

    fn push(&self, cell: &mut String, chars: &mut usize, c: char, at: usize) -> Result<(), Invalid> {
        if *chars == CELL_CHARS_MAX {
            return Err(self.wrong(at, "a cell has at most 32,767 characters"));
        }
        if c == '\0' {
            return Err(self.wrong(at, "a NUL character; a sheet is text (UTF-16 is read where it begins with a byte order mark)"));
        }
        *chars += 1;
        cell.push(c);
        Ok(())
    }

    fn line_end(&mut self, c: char) {
        if c == '\r' && self.rest.peek() == Some(&'\n') {
            self.rest.next();
        }
        self.line += 1;
    }

    fn wrong(&self, at: usize, why: &str) -> Invalid {
        Invalid { line: self.line, column: Some((at + 1).to_string()), why: why.to_owned() }
    }
}
