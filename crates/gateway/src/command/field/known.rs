//! What the field side knows of the listed devices, in a file: who they are decides what they may be asked, also behind a restart.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use nameplate_core::catalog::Catalog;
use nameplate_core::observation::Observation;
use nameplate_core::profile::Interpretation;
use serde::de::IgnoredAny;

use crate::key::write_private;
use crate::print;

/// The file's name.
const FILE: &str = "known.ndjson";
/// Ten observations of each of 2,000 devices come to 8 MiB.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The file: a line for each observation and what it means. Where it is full, only the latest answer of each device to each question stays in it.
pub struct Known {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl Known {
    /// Opens the file of this directory, and has the catalog take in what stands there. A last line that was torn by a power cut, and what another version
    /// wrote, are passed over.
    ///
    /// # Errors
    /// It cannot be read, or is longer than anybody here writes it.
    pub fn open(directory: &Path, catalog: &mut Catalog) -> io::Result<Self> {
        Self::open_of(directory, FILE_BYTES_MAX, catalog)
    }

    fn open_of(directory: &Path, bytes_max: u64, catalog: &mut Catalog) -> io::Result<Self> {
        let path = directory.join(FILE);
        let (mut file, mut bytes) = opened(&path)?;
        if bytes > bytes_max {
            return Err(io::Error::other(format!("it is longer than {bytes_max} bytes, so nobody here wrote it")));
        }
        let mut is_torn = false;
        for line in lines(&path)? {
            let line = line?;
            let taken = serde_json::from_slice::<(Observation, Interpretation)>(&line);
            is_torn = taken.is_err() && !line.is_empty();
            if let Ok((observation, meaning)) = taken {
                catalog.take_entry(&observation, &meaning, None);
            }
        }
        if is_torn {
            // What comes next has a line of its own.
            file.write_all(b"\n")?;
            bytes = bytes.saturating_add(1);
        }
        Ok(Self { path, file, bytes, bytes_max })
    }

    /// Keeps who a listed device is. Where that fails, it is known until the end of this run.
    pub fn remember(&mut self, observation: &Observation, meaning: &Interpretation) {
        let line = print::json_line(&(observation, meaning));
        let with = |bytes: u64| bytes.saturating_add(line.len() as u64);
        if with(self.bytes) > self.bytes_max && self.gather().is_err() {
            return;
        }
        if with(self.bytes) <= self.bytes_max && self.file.write_all(line.as_bytes()).is_ok() {
            self.bytes = with(self.bytes);
        }
    }

    /// Leaves the latest in the file: at most half of what it may have, so that it is not soon full again.
    fn gather(&mut self) -> io::Result<()> {
        let all = lines(&self.path)?.collect::<io::Result<Vec<_>>>()?;
        let (mut seen, mut latest, mut room) = (HashSet::new(), Vec::new(), self.bytes_max / 2);
        for line in all.iter().rev() {
            let Some(left) = room.checked_sub(line.len() as u64 + 1) else { break };
            if key(line).is_some_and(|key| seen.insert(key)) {
                latest.push(line.as_slice());
                room = left;
            }
        }
        let text: Vec<u8> = latest.into_iter().rev().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
        let new = self.path.with_extension("new");
        write_private(&new, &text).and_then(|()| fs::rename(&new, &self.path))?;
        (self.file, self.bytes) = opened(&self.path)?;
        Ok(())
    }
}

/// Which answer a line is: who answered, and what. `None` for a line that is torn or of another version.
fn key(line: &[u8]) -> Option<(String, String, String)> {
    let (observation, _): (Observation, IgnoredAny) = serde_json::from_slice(line).ok()?;
    Some((print::json_line(&observation.address), observation.protocol, observation.question))
}

fn opened(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    Ok(BufReader::new(File::open(path)?).split(b'\n'))
}

#[cfg(test)]
mod tests {
    use nameplate_core::observation::Source;
    use nameplate_core::profile::Matched;
    use nameplate_core::wire::conversation::Over;
    use nameplate_core::wire::{Address, Reading};

    use super::*;

    /// What the device of this number said at this time.
    fn said(device: u8, question: &'static str, time_ns: u64) -> (Observation, Interpretation) {
        let address = Address { ip: Some([10, 0, 0, device].into()), ..Address::default() };
        let reading = Reading::new("modbus", Over::Tcp, question, address);
        let source = Source::Asked { reason: "identity".into() };
        (Observation::of(&reading, source, time_ns), Interpretation::of(Matched::None, Vec::new()))
    }

    #[test]
    fn a_full_file_keeps_the_latest_answer_of_each_device_to_each_question() {
        let folder = std::env::temp_dir().join(format!("nameplate-known-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let line = print::json_line(&said(1, "modbus.identification.basic", 1_000)).len() as u64;
        let reopened = || {
            let mut catalog = Catalog::default();
            let known = Known::open_of(&folder, 20 * line, &mut catalog).expect("it opens");
            let seen = catalog.assets().map(|asset| (asset.addresses[0].ip.expect("an address").to_string(), asset.seen_ns.1)).collect();
            (known, seen)
        };
        let all = |seen: Vec<(String, u64)>, expected: &[(&str, u64)]| {
            let mut seen = seen;
            seen.sort_unstable();
            assert_eq!(seen, expected.iter().map(|(ip, time_ns)| ((*ip).to_owned(), *time_ns)).collect::<Vec<_>>());
        };
        let (mut known, seen) = reopened();
        all(seen, &[]);
        let (observation, meaning) = said(1, "modbus.server-id", 500);
        known.remember(&observation, &meaning);
        for time_ns in 1_000..1_100 {
            let (observation, meaning) = said(2, "modbus.identification.basic", time_ns);
            known.remember(&observation, &meaning);
            assert!(fs::metadata(folder.join(FILE)).expect("it is there").len() <= 20 * line);
        }
        // Device 1 spoke once, long ago.
        let (known, seen) = reopened();
        all(seen, &[("10.0.0.1", 500), ("10.0.0.2", 1_099)]);
        assert_eq!(known.bytes, fs::metadata(folder.join(FILE)).expect("it is there").len());
        // A line that a power cut tore takes no other with it.
        let text = fs::read(folder.join(FILE)).expect("it is there");
        fs::write(folder.join(FILE), text.get(..text.len() - 20).expect("longer")).expect("written");
        let (mut known, _) = reopened();
        let (observation, meaning) = said(3, "modbus.identification.basic", 2_000);
        known.remember(&observation, &meaning);
        let (_, seen) = reopened();
        all(seen, &[("10.0.0.1", 500), ("10.0.0.2", 1_098), ("10.0.0.3", 2_000)]);
        fs::write(folder.join(FILE), vec![b'x'; usize::try_from(20 * line + 1).expect("short")]).expect("written");
        assert!(Known::open_of(&folder, 20 * line, &mut Catalog::default()).is_err(), "nobody here wrote that");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
