//! The letters of a text file: UTF-8, UTF-16 by its byte order mark, else Windows-1252, in which the spreadsheets of Windows save CSV.

use std::borrow::Cow;

/// What 80h to 9Fh are in Windows-1252 (WHATWG Encoding Standard, index windows-1252); the five that it leaves open stay controls.
const WINDOWS_80: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–',
    '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// How a text file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    /// Its name, as people know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }
}

/// How these bytes are written.
pub(super) fn encoding(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        _ if std::str::from_utf8(bytes).is_ok() => Encoding::Utf8,
        _ => Encoding::Windows1252,
    }
}

/// The text of a file, without its byte order mark. What is no letter in UTF-16 becomes U+FFFD.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.get(2..).unwrap_or_default().as_chunks::<2>().0.iter().map(|two| unit(*two));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    match encoding(bytes) {
        Encoding::Utf16Le => wide(u16::from_le_bytes).into(),
        Encoding::Utf16Be => wide(u16::from_be_bytes).into(),
        Encoding::Windows1252 => bytes.iter().map(|byte| windows(*byte)).collect::<String>().into(),
        Encoding::Utf8 => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            text.strip_prefix('\u{feff}').unwrap_or(text).into()
        }
    }
}

fn windows(byte: u8) -> char {
    byte.checked_sub(0x80).and_then(|at| WINDOWS_80.get(usize::from(at))).copied().unwrap_or(char::from(byte))
}
