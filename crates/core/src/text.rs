//! Device text is attacker input: it is decoded without ever failing, and nothing in it reaches a terminal or a claim unseen.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use nameplate_wire::Shape;

use crate::observation::hex;

/// Bytes of the largest number that is written in decimal.
const NUMBER_BYTES_MAX: usize = 8;

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
    checked(&text_of(bytes))
}

fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

/// The text of a fact, as its protocol has it written out. A number of more bytes than it can have is written in hexadecimal; a half
/// character at the end of UTF-16 is left out.
///
/// # Errors
/// As [`decode`].
pub fn decode_fact(shape: Shape, bytes: &[u8]) -> Result<String, Unreadable> {
    let dotted = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
    let number = |bytes: &mut dyn Iterator<Item = &u8>| bytes.fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)).to_string();
    let units = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        checked(&String::from_utf16_lossy(&units))
    };
    let latin1 = || bytes.iter().copied().map(char::from).collect::<String>();
    match shape {
        Shape::Text => decode(bytes),
        Shape::Utf8 => checked(&String::from_utf8_lossy(bytes)),
        Shape::Utf32Be => {
            let units = bytes.chunks_exact(4).map(|unit| u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]));
            checked(&units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>())
        }
        Shape::Latin1 => checked(&latin1()),
        Shape::Ascii if bytes.is_ascii() => checked(&latin1()),
        Shape::Ascii => Err(Unreadable { shown: bytes.escape_ascii().to_string() }),
        Shape::Oid => Ok(dotted_oid(bytes).unwrap_or_else(|| format!("0x{}", hex(bytes)))),
        Shape::Utf16Le => units(u16::from_le_bytes),
        Shape::Utf16Be => units(u16::from_be_bytes),
        Shape::Lines => lines(bytes),
        Shape::Dotted => Ok(dotted(bytes)),
        Shape::LetterColumns => letter_columns(bytes),
        Shape::Mac => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")),
        Shape::Ip => match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
            (Ok(bytes), _) => Ok(Ipv4Addr::from(bytes).to_string()),
            (_, Ok(bytes)) => Ok(Ipv6Addr::from(bytes).to_string()),
            _ => Ok(format!("0x{}", hex(bytes))),
        },
        Shape::DottedWordLe => match bytes.split_last_chunk() {
            Some((first, word)) if !first.is_empty() => Ok(format!("{}.{}", dotted(first), u16::from_le_bytes(*word))),
            _ => Ok(dotted(bytes)),
        },
        Shape::DottedWords => {
            let words = bytes.as_chunks().0.iter().map(|word| u16::from_be_bytes(*word).to_string());
            Ok(words.collect::<Vec<_>>().join("."))
        }
        Shape::DottedLe => Ok(dotted(&bytes.iter().rev().copied().collect::<Vec<_>>())),
        Shape::DigitsPoint => digits_point(bytes),
        Shape::Hundredths => match *bytes {
            [b1, b0] => Ok(format!("{}.{:02}", u16::from_be_bytes([b1, b0]) / 100, u16::from_be_bytes([b1, b0]) % 100)),
            _ => Err(Unreadable { shown: format!("0x{}", hex(bytes)) }),
        },
        Shape::TensLetter => match *bytes {
            [0, number @ 10..=99] => Ok(format!("{}.{}", number / 10, char::from(b'A' + number % 10))),
            _ => Err(Unreadable { shown: format!("0x{}", hex(bytes)) }),
        },
        Shape::Letter => match bytes {
            [0, number @ 1..=26] => Ok(char::from(b'A' + number - 1).to_string()),
            _ => Err(Unreadable { shown: format!("0x{}", hex(bytes)) }),
        },
        Shape::LetterDotted => match bytes.split_first() {
            Some((letter, rest)) if letter.is_ascii_alphabetic() => Ok(format!("{}{}", char::from(*letter), dotted(rest))),
            _ => Ok(dotted(bytes)),
        },
        Shape::Number if bytes.len() <= NUMBER_BYTES_MAX => Ok(number(&mut bytes.iter())),
        Shape::NumberLe if bytes.len() <= NUMBER_BYTES_MAX => Ok(number(&mut bytes.iter().rev())),
        Shape::UpperFive => Ok(bytes.iter().map(|byte| (byte >> 3).to_string()).collect::<Vec<_>>().join(".")),
        Shape::Packed => checked(&bytes.chunks_exact(3).flat_map(|three| packed([three[0], three[1], three[2]])).collect::<String>()),
        Shape::Number | Shape::Hex => Ok(format!("0x{}", hex(bytes))),
        Shape::NumberLe | Shape::HexLe => Ok(format!("0x{}", hex(&bytes.iter().rev().copied().collect::<Vec<_>>()))),
        Shape::Labels => decode(&labels(bytes)),
        Shape::HalfAscii => decode(&bytes.chunks_exact(2).map(half_ascii).collect::<Vec<_>>()),
        Shape::WindowsVersion => Ok(format!("{} {}", windows_name(bytes), dotted(bytes)).trim_start().to_owned()),
    }
}

/// Digits with a point before the last two; half bytes that are no decimal digits are no such number.
fn digits_point(bytes: &[u8]) -> Result<String, Unreadable> {
    let digits = hex(bytes);
    match digits.split_at_checked(digits.len().saturating_sub(2)) {
        Some((whole, parts)) if !whole.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            let whole = whole.trim_start_matches('0');
            Ok(format!("{}.{parts}", if whole.is_empty() { "0" } else { whole }))
        }
        _ => Err(Unreadable { shown: format!("0x{digits}") }),
    }
}

/// Labels with dots between; a byte that is no length of a label ends them.
fn labels(bytes: &[u8]) -> Vec<u8> {
    let (mut name, mut rest) = (Vec::new(), bytes);
    while let [length @ 1..=63, behind @ ..] = rest {
        let Some((label, next)) = behind.split_at_checked(usize::from(*length)) else { break };
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(label);
        rest = next;
    }
    name
}

/// A byte out of two letters; what is no such letter counts as zero.
fn half_ascii(letters: &[u8]) -> u8 {
    letters.iter().fold(0, |byte, letter| byte << 4 | letter.wrapping_sub(b'A').min(15))
}

/// What Microsoft calls these versions (Windows documentation, "Operating System Version"). Windows 10 and its servers are one number.
const fn windows_name(version: &[u8]) -> &'static str {
    match version {
        [5, 0] => "Windows 2000",
        [5, 1] => "Windows XP",
        [5, 2] => "Windows Server 2003 R2 or Windows Server 2003",
        [6, 0] => "Windows Vista or Windows Server 2008",
        [6, 1] => "Windows 7 or Windows Server 2008 R2",
        [6, 2] => "Windows 8 or Windows Server 2012",
        [6, 3] => "Windows 8.1 or Windows Server 2012 R2",
        _ => "",
    }
}

fn lines(bytes: &[u8]) -> Result<String, Unreadable> {
    let text = text_of(bytes);
    let parts: Vec<&str> = text.split(['\r', '\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect();
    checked(&parts.join(" "))
}

/// A letter and columns of three digits each; a text that is something else stays as it is.
fn letter_columns(bytes: &[u8]) -> Result<String, Unreadable> {
    let text = decode(bytes)?;
    let Some((letter, columns)) = bytes.split_first() else { return Ok(text) };
    let numbers: Vec<&str> = columns.chunks(3).map(|column| std::str::from_utf8(column).unwrap_or_default().trim_start()).collect();
    let is_number = |number: &&str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if letter.is_ascii_alphabetic() && !numbers.is_empty() && numbers.iter().all(is_number) {
        return Ok(format!("{}{}", char::from(*letter), numbers.join(".")));
    }
    Ok(text)
}

/// Object identifier numbers out of groups of seven bits (X.690, 8.19); `None` where one has no end or more than 32 bits.
fn dotted_oid(bytes: &[u8]) -> Option<String> {
    let (mut text, mut number, mut inside) = (String::new(), 0_u32, false);
    for byte in bytes {
        number = number.checked_mul(128)? | u32::from(byte & 0x7f);
        inside = byte & 0x80 != 0;
        if inside {
            continue;
        }
        // The first two numbers are written as one.
        let written = if text.is_empty() {
            write!(text, "{}.{}", number.min(80) / 40, number - number.min(80) / 40 * 40)
        } else {
            write!(text, ".{number}")
        };
        written.ok()?;
        number = 0;
    }
    (!inside && !text.is_empty()).then_some(text)
}

/// Four characters of six bits: bit 6 of the ASCII code is the complement of bit 5. HCF_SPEC-099, Packed ASCII.
fn packed([a, b, c]: [u8; 3]) -> [char; 4] {
    let sixes = [a >> 2, (a & 0x03) << 4 | b >> 4, (b & 0x0f) << 2 | c >> 6, c & 0x3f];
    sixes.map(|six| char::from(if six & 0x20 == 0 { six | 0x40 } else { six }))
}

/// True for a text whose bytes say that nobody ever wrote one there. Of packed text these are zeros, which would read `@`: no tag or
/// descriptor that a person enters begins so, and what stands behind is left over.
#[must_use]
pub fn is_unset(shape: Shape, bytes: &[u8]) -> bool {
    shape == Shape::Packed && bytes.first().is_some_and(|first| first >> 2 == 0)
}

fn checked(text: &str) -> Result<String, Unreadable> {
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

    #[test]
    fn a_fact_is_written_as_its_protocol_has_it() {
        let cases: &[(Shape, &[u8], &str)] = &[
            (Shape::Utf32Be, b"\0\0\0J\0\x01\xf6\0", "J\u{1f600}"),
            (Shape::Latin1, b"\xc3\xa9", "\u{c3}\u{a9}"),
            (Shape::Ascii, b"LMBC-300", "LMBC-300"),
            (Shape::Oid, &[0x2b, 6, 1, 4, 1, 0xbf, 8, 3, 2, 10], "1.3.6.1.4.1.8072.3.2.10"),
            (Shape::Oid, &[0x88, 0x37, 3], "2.999.3"),
            (Shape::Oid, &[0], "0.0"),
            (Shape::Oid, &[0x2b, 0x86], "0x2b86"),
            (Shape::Text, b"V2.70", "V2.70"),
            (Shape::Utf8, b"9260 Linux\xae Server", "9260 Linux\u{fffd} Server"),
            (Shape::Utf16Le, b"J\0C\0I\0\0\0", "JCI"),
            (Shape::Utf16Be, b"\0J\0C\0I", "JCI"),
            (Shape::Dotted, &[4, 3], "4.3"),
            (Shape::DottedWordLe, &[2, 0x0b, 0x37, 8], "2.11.2103"),
            (Shape::DottedWordLe, &[2, 1], "2.1"),
            (Shape::LetterDotted, &[0x56, 3, 2, 6], "V3.2.6"),
            (Shape::LetterDotted, &[0x20, 3, 2, 6], "32.3.2.6"),
            (Shape::Lines, b"IOS (fc1) \r\nCompiled\n\tby x\n\0", "IOS (fc1) Compiled by x"),
            (Shape::LetterColumns, b"V  2  6  0", "V2.6.0"),
            (Shape::LetterColumns, b"V  4 12103", "V4.12.103"),
            (Shape::LetterColumns, b"V 2.6", "V 2.6"),
            (Shape::LetterColumns, b"", ""),
            (Shape::Mac, &[0, 0x1b, 0x1b, 2, 0xe6, 0x1f], "00:1b:1b:02:e6:1f"),
            (Shape::Ip, &[192, 168, 1, 14], "192.168.1.14"),
            (Shape::Ip, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "fe80::1"),
            (Shape::Ip, &[1, 2, 3], "0x010203"),
            (Shape::Number, &[1, 2], "258"),
            (Shape::NumberLe, &[1, 2], "513"),
            (Shape::Number, &[1; 9], "0x010101010101010101"),
            (Shape::Hex, &[0, 0x51, 0xae, 0xc3], "0x0051aec3"),
            (Shape::HexLe, &[0xc3, 0xae, 0x51, 0], "0x0051aec3"),
            (Shape::UpperFive, &[0x4e], "9"),
            // HCF_SPEC-099's rule by hand: "PT-101A " is 10 14 2d 31 30 31 01 20 in sixes.
            (Shape::Packed, &[0x41, 0x4b, 0x71, 0xc3, 0x10, 0x60], "PT-101A"),
            (Shape::Packed, &[0x41, 0x4b], ""),
            (Shape::Labels, b"\x05_http\x04_tcp\x05local\0", "_http._tcp.local"),
            (Shape::HalfAscii, b"FEEJCNFGENCACA", "TI-VM"),
            (Shape::WindowsVersion, &[5, 1], "Windows XP 5.1"),
            (Shape::WindowsVersion, &[10, 0], "10.0"),
        ];
        for (shape, bytes, expected) in cases {
            assert_eq!(decode_fact(*shape, bytes).as_deref(), Ok(*expected), "{shape:?}");
        }
        for (shape, bytes, unset) in [
            // icsnpp-hart-ip testing/traces, all_types_and_commands_sent.pcapng frame 73: it would read `@ATIVEPI`.
            (Shape::Packed, &b"\x00\x15\x09\x58\x54\x09"[..], true),
            (Shape::Packed, &[0; 6], true),
            (Shape::Packed, &[0x41, 0x4b, 0x71, 0xc3, 0x10, 0x60], false),
            (Shape::Packed, &[], false),
            (Shape::Text, &[0; 6], false),
        ] {
            assert_eq!(is_unset(shape, bytes), unset, "{bytes:02x?}");
        }
        assert!(decode_fact(Shape::Utf16Le, b"a\0\x1b\0[\0").is_err());
        assert_eq!(decode_fact(Shape::Ascii, b"\xb1\xb1").map_err(|u| u.shown), Err("\\xb1\\xb1".into()), "a code page is not guessed");
    }
}
