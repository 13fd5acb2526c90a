//! Names of accounts: what may be one, and which two are one.

use crate::baseline::person;
use crate::text::is_invisible;

/// Characters of a name: a person's with his department.
pub const NAME_CHARS_MAX: usize = 80;
/// Who made the first administrator: nobody who had an account.
pub const FIRST_START: &str = "first start";
/// Who acts at the gateway's own command line: whoever owns its state directory.
pub const SHELL: &str = "the shell";

/// Characters that look like a blank, or like nothing, and that [`is_invisible`] lets pass: fillers of Hangul and Braille, variation
/// selectors, the object replacement character.
fn is_blank(c: char) -> bool {
    matches!(u32::from(c), 0x34f | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xffa0 | 0xfffc | 0xe0100..=0xe01ef)
}

/// Accents that stand behind their letter. With them one text has two spellings that look the same.
fn is_combining(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// Whether an account may have this name: 1 to 80 characters, all of which can be seen, and single blanks between words alone.
///
/// # Errors
/// A sentence that says why not.
pub fn check(name: &str) -> Result<(), String> {
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        return Err(format!("a name has 1 to {NAME_CHARS_MAX} characters, this one {chars}"));
    }
    if let Some(c) = name.chars().find(|c| is_invisible(*c) || is_blank(*c) || (c.is_whitespace() && *c != ' ')) {
        return Err(format!("a name has only characters that can be seen; this one has U+{:04X}", u32::from(c)));
    }
    if let Some(c) = name.chars().find(|c| is_combining(*c)) {
        return Err(format!("a name has no accents of their own (U+{:04X}): write letter and accent as one character", u32::from(c)));
    }
    if name.split(' ').any(str::is_empty) {
        return Err("a name begins and ends with a letter, and has one blank between two words".to_owned());
    }
    if [FIRST_START, SHELL].iter().any(|own| key(own) == key(name)) {
        return Err(format!("the ledger says {name:?} where no account did something; take another name"));
    }
    Ok(())
}

/// A name as it is compared: whoever has the same is the same. Without invisible characters, blanks as one, upper and lower case as one (so
/// that `STRASSE` is `straße`). It is never finer than what decides whether two are two persons ([`person`]).
#[must_use]
pub fn key(name: &str) -> String {
    person(name).to_uppercase().to_lowercase()
}
