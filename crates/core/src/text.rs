//! Device text is attacker input: it is decoded without ever failing, and nothing in it reaches a terminal or a claim unseen.

use std::fmt::Write as _;

/// Why a text is not claimed. Its bytes stay in the observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The text with everything invisible written out as `\u{..}`, for a person to look at.
    pub shown: String,
}

/// Decodes a text value: UTF-8 where it is valid, else ISO 8859-1, which maps each byte to one character, so that two different
/// values never become one. Padding (white space and NUL at either end) is trimmed.
///
/// # Errors
/// [`Unreadable`] when control or direction characters stand inside: nobody can say which part of it is the value.
pub fn decode(bytes: &[u8]) -> Result<String, Unreadable> {
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if text.chars().any(is_invisible) { Err(Unreadable { shown: printable(text) }) } else { Ok(text.to_owned()) }
}

/// The text with every invisible character written as `\u{..}`: safe for a terminal, a log line or a page.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`printable`], for our own sentences of several lines: line ends stay.
#[must_use]
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// C0 and C1 controls (terminal escapes start there), and characters that hide or turn the text around them: zero width, bidi
/// embedding and isolates (Unicode TR 36), line separators, byte order mark, tags.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<&str, &str>) {
        let said = decode(bytes);
        assert_eq!(said.as_deref().map_err(|u| u.shown.as_str()), expected, "{bytes:02x?}");
    }

    #[test]
    fn device_text_is_trimmed_decoded_and_never_trusted() {
        check(b"V2.70", Ok("V2.70"));
        check(b" 2.00r001\0\0", Ok("2.00r001"));
        check(b"XN05  24VD ", Ok("XN05  24VD"));
        check(b"", Ok(""));
        check(b"Linux\xae", Ok("Linux\u{ae}"));
        check("Gerät".as_bytes(), Ok("Gerät"));
        check(b"Flexim GmbH\0k", Err("Flexim GmbH\\u{0}k"));
        check(b"\x1b[2Jowned", Err("\\u{1b}[2Jowned"));
        check("V1\u{202e}0.2".as_bytes(), Err("V1\\u{202e}0.2"));
        check(b"V1\x9b2J", Err("V1\\u{9b}2J"));
    }
}
