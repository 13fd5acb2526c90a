//! The files of this project, and Rust text without what only people read.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 6] = [".git", "target", "node_modules", "corpus", "artifacts", "coverage"];

/// One file.
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    pub text: String,
    /// Rust only: the text with comments and the insides of strings blanked, line by line as before.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { code(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The code before `#[cfg(test)] mod tests`, which stands last in a file.
    pub fn product(&self) -> &str {
        if self.is_test() { "" } else { self.code.get(..self.tests_at()).unwrap_or_default() }
    }

    /// The rest: what runs only as a test.
    pub fn tests(&self) -> &str {
        if self.is_test() { &self.code } else { self.code.get(self.tests_at()..).unwrap_or_default() }
    }

    fn tests_at(&self) -> usize {
        let marked = |(at, _): &(usize, &str)| self.code.get(at + MARK.len()..).is_some_and(|rest| rest.trim_start().starts_with("mod "));
        self.code.match_indices(MARK).find(marked).map_or(self.code.len(), |(at, _)| at)
    }
}

const MARK: &str = "#[cfg(test)]";

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the project, by path.
pub fn tree() -> Vec<Source> {
    let (root, mut found, mut folders) = (root(), Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !FOREIGN.iter().any(|foreign| entry.file_name() == *foreign) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(root.join(&path)) {
                found.push(Source::new(&path.to_string_lossy().replace('\\', "/"), &text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Rust text with comments and the insides of strings turned into blanks; every line stays where it was.
fn code(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let hidden = hidden_bytes(rest, out.chars().next_back());
        let taken = if hidden > 0 { hidden } else { first.len_utf8() };
        let (piece, after) = rest.split_at(taken);
        if hidden > 0 {
            out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            out.push(first);
        }
        rest = after;
    }
    out
}

/// Bytes of the comment, string or character that `rest` begins with; 0 where it begins with code.
fn hidden_bytes(rest: &str, before: Option<char>) -> usize {
    let till = |end: &str, from: usize| rest.get(from..).and_then(|r| r.find(end)).map_or(rest.len(), |at| from + at + end.len());
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return till("*/", 2);
    }
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !in_word);
    if let Some(after) = raw {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if after[hashes..].starts_with('"') {
            let opened = rest.len() - after.len() + hashes + 1;
            return till(&format!("\"{}", "#".repeat(hashes)), opened);
        }
    }
    match rest.as_bytes() {
        [b'"', ..] => quoted(rest, b'"'),
        // A character, not a lifetime: it closes at once, or after an escape.
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', ..] if rest.chars().nth(2) == Some('\'') => quoted(rest, b'\''),
        _ => 0,
    }
}

fn quoted(rest: &str, end: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == end => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The words of code (letters, digits, underscores) with the line, from 1, and the column they stand in.
pub fn words(code: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    code.lines().enumerate().flat_map(|(at, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).map(move |word| {
            // Both are parts of one string, so the distance is the column.
            (at + 1, word.as_ptr() as usize - line.as_ptr() as usize, word)
        })
    })
}
