//! The time stamp of a bundle's checkpoint, checked against the authority's certificate.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use nameplate_core::evidence::Checked;

use crate::failure::{Code, Failure};
use crate::stamp::{ANSWER_BYTES_MAX, CERTIFICATE_BYTES_MAX, Certificate, Stamped, verify};

/// Checks it, and says when.
///
/// # Errors
/// A file cannot be read, or the stamp does not hold.
pub fn stamped(answer: &Path, authority: &Path, checked: &Checked) -> Result<String, Failure> {
    let failed = |path: &Path, why: String| Failure::new(Code::Failed, format!("{}: {why}", path.display()));
    let certificate = Certificate::read(&read(authority, CERTIFICATE_BYTES_MAX)?).map_err(|why| failed(authority, why))?;
    let bytes = read(answer, ANSWER_BYTES_MAX)?;
    let Stamped { time, serial } = verify(&bytes, &certificate, checked.checkpoint.as_bytes()).map_err(|why| failed(answer, why))?;
    Ok(format!(
        "time stamp: the log of {} entries was there at {time}, says the authority whose certificate has the SHA-256 {} (stamp {serial})\n",
        checked.head.size,
        certificate.fingerprint()
    ))
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Failure::input(path.display(), e))?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|e| Failure::input(path.display(), e))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::input(path.display(), format!("larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}
