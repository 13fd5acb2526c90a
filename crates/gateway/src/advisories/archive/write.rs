//! Writes a zip file that [`Archive`](super::Archive) reads: the same files give the same bytes.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::{CENTRAL, CENTRAL_BYTES, DEFLATED, END, ENTRIES_MAX, LOCAL};

/// Version of the standard that is needed to unpack: 2.0, deflate and folders.
const NEEDED: u16 = 20;
/// Names are UTF-8 (general purpose bit 11).
const UTF8: u16 = 1 << 11;
/// The first day that a zip file can name: 1 January 1980. When a file was last written is nobody's business.
const DAY: u16 = 1 << 5 | 1;

/// A zip file of these names and bytes, in their order.
///
/// # Errors
/// There are too many, or they are too large for a zip file without zip64.
pub fn write(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let too_large = |_| "too large for a zip file".to_owned();
    if files.len() >= ENTRIES_MAX {
        return Err(format!("{} files; a zip file has at most {ENTRIES_MAX}", files.len()));
    }
    let (mut archive, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = u32::try_from(archive.len()).map_err(too_large)?;
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| e.to_string())?;
        let sizes = [crc.sum(), u32::try_from(packed.len()).map_err(too_large)?, u32::try_from(bytes.len()).map_err(too_large)?];
        let name_bytes = u16::try_from(name.len()).map_err(too_large)?;
        let mut head = Vec::with_capacity(CENTRAL_BYTES);
        [NEEDED, UTF8, DEFLATED, 0, DAY].iter().for_each(|field| head.extend_from_slice(&field.to_le_bytes()));
        sizes.iter().for_each(|field| head.extend_from_slice(&field.to_le_bytes()));
        head.extend_from_slice(&name_bytes.to_le_bytes());
        head.extend_from_slice(&[0; 2]);
        archive.extend([LOCAL, &head, name.as_bytes(), &packed].concat());
        // Made by, the same head, no comment, part 0, no attributes, where.
        list.extend([CENTRAL, &NEEDED.to_le_bytes(), &head, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).map_err(too_large)?.to_le_bytes();
    let (start, size) = (u32::try_from(archive.len()).map_err(too_large)?, u32::try_from(list.len()).map_err(too_large)?);
    let end = [END, &[0; 4], &count, &count, &size.to_le_bytes(), &start.to_le_bytes(), &[0; 2]].concat();
    archive.extend([list, end].concat());
    Ok(archive)
}
