//! What stands beside a document: its checksums and its signature (CSAF 2.0, requirements 18 and 19 of section 7.1).

use std::fmt::Write as _;

use nameplate_core::observation::hex;
use sha2::{Digest, Sha256, Sha512};

/// Endings of files that say something of the document they are named after.
pub const ENDINGS: [&str; 3] = ["sha256", "sha512", "asc"];
/// A checksum file has one line; a signature of many keys some kB.
pub const BESIDE_BYTES_MAX: u64 = 64 * 1024;

/// What was checked of a document's integrity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Checksums that stood beside it, and were right.
    pub checksums: u8,
    /// A signature stands beside it. It is not checked.
    pub signature: bool,
}

impl Checked {
    /// In words.
    #[must_use]
    pub fn sentence(self) -> String {
        let mut text = match self.checksums {
            0 => "no checksum".to_owned(),
            1 => "checksum right".to_owned(),
            _ => "checksums right".to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, ", {}", if self.signature { "signature not checked" } else { "not signed" });
        text
    }
}

/// Holds a document against what stands beside it.
///
/// # Errors
/// A checksum that is wrong, or a file of that name that holds none: then nobody knows what the publisher meant.
pub fn check(bytes: &[u8], beside: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Checked, String> {
    let mut checked = Checked::default();
    for (ending, digest) in
        [("sha256", (|bytes| hex(&Sha256::digest(bytes))) as fn(&[u8]) -> String), ("sha512", |bytes| hex(&Sha512::digest(bytes)))]
    {
        let Some(file) = beside(ending) else { continue };
        let expected = digest(bytes);
        let said = String::from_utf8_lossy(&file);
        let said = said.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if said.len() != expected.len() || !said.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("the .{ending} beside it holds no such checksum"));
        }
        if said != expected {
            return Err(format!("the .{ending} beside it says {said}, the document has {expected}"));
        }
        checked.checksums = checked.checksums.saturating_add(1);
    }
    checked.signature = beside("asc").is_some();
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_is_refused_and_a_right_one_counted() {
        // FIPS 180-2, appendices B.1 and C.1: "abc".
        const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        const SHA512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        let check = |files: &[(&str, &str)]| {
            let beside = |ending: &str| files.iter().find(|(name, _)| *name == ending).map(|(_, text)| text.as_bytes().to_vec());
            check(b"abc", beside).map_or_else(|why| why.split(" says").next().unwrap_or_default().to_owned(), Checked::sentence)
        };
        for (files, expected) in [
            (&[][..], "no checksum, not signed"),
            (&[("sha256", SHA256)], "checksum right, not signed"),
            (&[("sha512", &format!("{}  x.json\n", SHA512.to_uppercase()))], "checksum right, not signed"),
            (&[("sha256", SHA256), ("sha512", SHA512), ("asc", "-----BEGIN")], "checksums right, signature not checked"),
            (&[("sha256", &SHA256.replace('b', "c"))], "the .sha256 beside it"),
            (&[("sha256", SHA512)], "the .sha256 beside it holds no such checksum"),
            (&[("sha512", "")], "the .sha512 beside it holds no such checksum"),
        ] {
            assert_eq!(check(files), expected, "{files:?}");
        }
    }
}
