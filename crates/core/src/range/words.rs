//! Words around versions, in lower case, and how they are found.

use super::limit::Side;

/// Operators and what stands for them in front of a version; the longer ones first.
pub const BEFORE: [(&str, Side); 31] = [
    ("&lt;=", Side::UpTo),
    ("&gt;=", Side::From),
    ("&lt;", Side::Below),
    ("&gt;", Side::Above),
    ("<=", Side::UpTo),
    (">=", Side::From),
    ("=<", Side::UpTo),
    ("=>", Side::From),
    ("<", Side::Below),
    (">", Side::Above),
    ("\u{2264}", Side::UpTo),
    ("\u{2265}", Side::From),
    ("up to and including", Side::UpTo),
    ("up to but not including", Side::Below),
    ("less than or equal to", Side::UpTo),
    ("greater than or equal to", Side::From),
    ("prior to", Side::Below),
    ("earlier than", Side::Below),
    ("older than", Side::Below),
    ("lower than", Side::Below),
    ("less than", Side::Below),
    ("greater than", Side::Above),
    ("later than", Side::Above),
    ("newer than", Side::Above),
    ("starting with", Side::From),
    ("before", Side::Below),
    ("below", Side::Below),
    ("up to", Side::UpTo),
    ("through", Side::UpTo),
    ("to", Side::UpTo),
    ("from", Side::From),
];

/// What makes an end of the version in front of it.
pub const BEHIND: [(&str, Side); 22] = [
    ("and all prior versions", Side::UpTo),
    ("and prior versions", Side::UpTo),
    ("and earlier versions", Side::UpTo),
    ("and all previous versions", Side::UpTo),
    ("and previous versions", Side::UpTo),
    ("and below", Side::UpTo),
    ("and prior", Side::UpTo),
    ("and earlier", Side::UpTo),
    ("and lower", Side::UpTo),
    ("and older", Side::UpTo),
    ("and previous", Side::UpTo),
    ("or below", Side::UpTo),
    ("or prior", Side::UpTo),
    ("or earlier", Side::UpTo),
    ("or lower", Side::UpTo),
    ("or older", Side::UpTo),
    ("and later", Side::From),
    ("and above", Side::From),
    ("and newer", Side::From),
    ("or later", Side::From),
    ("or above", Side::From),
    ("or newer", Side::From),
];

/// Joins between terms.
pub const JOINS: [&str; 6] = ["|", ",", ";", "and", "or", "&"];

/// What a frame may say between `all` and `versions`.
pub const KINDS: [&str; 5] = ["firmware", "software", "bios", "product", "fw"];

/// Whether the version in front is taken in.
pub const SHUT: [(&str, bool); 4] = [("(including)", true), ("(inclusive)", true), ("(excluding)", false), ("(exclusive)", false)];

/// True for one word that begins with a letter: the name of a part.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// True where `words` begin the text, and letters do not go on.
pub fn starts(text: &str, words: &str) -> bool {
    let word = words.ends_with(|c: char| c.is_ascii_alphabetic());
    text.strip_prefix(words).is_some_and(|rest| !word || !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The same with any number of blanks between the words.
pub fn starts_blank(text: &str, words: &str) -> bool {
    starts(text, blank_len(text, words)) && !blank_len(text, words).is_empty()
}

/// The part of `text` that spells `words` with any number of blanks; empty where it does not.
pub fn blank_len<'t>(text: &'t str, words: &str) -> &'t str {
    let mut left = text;
    for (nth, word) in words.split(' ').enumerate() {
        let trimmed = if nth == 0 { left } else { left.trim_start_matches(' ') };
        let Some(rest) = trimmed.strip_prefix(word) else { return "" };
        left = rest;
    }
    text.get(..text.len().saturating_sub(left.len())).unwrap_or_default()
}
