//! What a file says that it is: a bundle, an exported log, of this release or of another.

use serde::Deserialize;

use super::{BUNDLE_BYTES_MAX, FORMAT, LOG_FORMAT, Unsound};
use crate::ledger::BadRecord;

/// What the first line of a file says that it is, whatever else stands there.
pub(super) fn told(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        format: String,
    }
    let line = bytes.split(|byte| *byte == b'\n').next().filter(|line| line.len() <= BUNDLE_BYTES_MAX)?;
    serde_json::from_slice::<Told>(line).ok().map(|told| told.format)
}

/// That this is the format `ours`.
///
/// # Errors
/// What it is instead: of a newer program, of one that was never released, or the other kind of file.
pub(super) fn known(found: &str, ours: &str) -> Result<(), Unsound> {
    if found == ours {
        return Ok(());
    }
    let [(name, version), (found_name, found_version)] = [ours, found].map(|format| format.rsplit_once('/').unwrap_or((format, "")));
    let numbers = [version, found_version].map(|version| version.parse::<u64>().ok().filter(|number| number.to_string() == version));
    Err(Unsound::new(match numbers {
        [Some(known), Some(number)] if found_name == name && number > known => {
            format!("its format is {found:?}: a newer nameplate made it, and this one knows {ours:?}; use that one")
        }
        [_, Some(_)] if found_name == name => {
            format!("its format is {found:?}, of a nameplate that was never released; this one knows {ours:?}")
        }
        _ if found == LOG_FORMAT => "it is an exported log: `nameplate ledger verify --range` checks it".to_owned(),
        _ if found == FORMAT => "it is a bundle of evidence: `nameplate evidence verify` checks it".to_owned(),
        _ => format!("its format is {found:?}, and this program knows {ours:?}"),
    }))
}

/// Why a record cannot be read.
pub(super) fn unreadable(error: &BadRecord) -> String {
    if error.why.starts_with("unknown variant") {
        return format!("it is of a kind that this program does not know, as a newer nameplate may write ({error})");
    }
    format!("its record cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_release_or_kind_is_called_by_its_name() {
        for (found, ours, says) in [
            ("nameplate-evidence/1", FORMAT, ""),
            ("nameplate-evidence/2", FORMAT, "a newer nameplate"),
            ("nameplate-evidence/10", FORMAT, "a newer nameplate"),
            ("nameplate-evidence/0", FORMAT, "never released"),
            ("nameplate-evidence/01", FORMAT, "and this program knows"),
            ("nameplate-log/1", FORMAT, "ledger verify --range"),
            ("nameplate-log/1", LOG_FORMAT, ""),
            ("nameplate-log/2", LOG_FORMAT, "a newer nameplate"),
            ("nameplate-evidence/1", LOG_FORMAT, "nameplate evidence verify"),
            ("", FORMAT, "and this program knows"),
        ] {
            let said = known(found, ours).err().map(|unsound| unsound.why).unwrap_or_default();
            assert!(said.contains(says) && said.is_empty() == says.is_empty(), "{found}: {said}");
        }
        assert_eq!(told(b"{\"format\":\"x/2\",\"later\":[1]}\n{").as_deref(), Some("x/2"));
        assert_eq!(told(b"PK\x03\x04"), None);
    }
}
