//! A touch record with seals: its owner can show that nobody changed, dropped or added a line on the way.

use std::path::Path;
use std::time::SystemTime;

use nameplate_core::ledger::SiteKey;
use nameplate_core::seal::{Chain, Seal};

use super::{Kind, Line, TouchError, TouchRecord, header, lines_from};

/// The lines since the last seal, and the key of the next.
pub(super) struct Sealing {
    chain: Chain,
    pub(super) key: SiteKey,
}

impl Sealing {
    /// What was written is under the next seal, or is one. The header is no line of it.
    pub(super) fn wrote(&mut self, text: &[u8], seal: Option<&Seal>) {
        if let Some(seal) = seal {
            self.chain = Chain::behind(seal);
            return;
        }
        let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| header(line).is_none());
        lines.filter_map(|line| str::from_utf8(line).ok()).for_each(|line| self.chain.take(line.trim_end_matches('\n')));
    }
}

impl TouchRecord {
    /// As [`TouchRecord::open`]; its lines can be sealed with this key, and are checked against the seals that it has.
    ///
    /// # Errors
    /// As [`TouchRecord::open`], or a seal that does not hold any more.
    pub fn open_sealed(state: &Path, clock: impl Fn() -> SystemTime + Send + Sync + 'static, key: SiteKey) -> Result<Self, TouchError> {
        let record = Self::open(state, clock)?;
        // What is folded was checked before it was, and is under the same key.
        let folded = record.folded(&key.public())?.and_then(|(end, last)| Some((end, Chain::behind(&last.seal?))));
        let (from, mut chain) = folded.unwrap_or_default();
        let (mut number, mut unsealed) = (0_u64, None);
        lines_from(state, from, |text, line, _| {
            number = number.saturating_add(1);
            let Some(seal) = &line.seal else { return chain.take(text) };
            let behind = if from > 0 { format!(" behind byte {from}") } else { String::new() };
            let broken = chain.check(seal, &key.public()).err().map(|why| format!("the seal in its touch line {number}{behind}: {why}"));
            unsealed = unsealed.take().or(broken);
            chain = Chain::behind(seal);
        })?;
        if let Some(why) = unsealed {
            return Err(TouchError::NotARecord { path: record.path, why });
        }
        record.shelf().sealing = Some(Sealing { chain, key });
        Ok(record)
    }

    /// Seals the lines since the last seal, if there are any, where the record was opened with a key.
    ///
    /// # Errors
    /// As [`TouchRecord::append`].
    pub fn seal(&self) -> Result<(), TouchError> {
        let mut shelf = self.shelf();
        // A torn line is mended by the next line that is no seal: what says so is under one, too.
        let open = shelf.sealing.as_ref().filter(|sealing| sealing.chain.is_open() && shelf.to_mend.is_none());
        let Some(seal) = open.map(|sealing| sealing.chain.seal(&sealing.key)) else { return Ok(()) };
        self.put(&mut shelf, Line { seal: Some(seal), ..Line::new(Kind::Sealed) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::touch::FILE_NAME;

    fn key(seed: u8) -> SiteKey {
        SiteKey::of(&[seed; 32])
    }

    fn open(state: &Path, seed: u8) -> Result<TouchRecord, TouchError> {
        TouchRecord::open_sealed(state, || SystemTime::UNIX_EPOCH, key(seed))
    }

    fn told(record: &TouchRecord, why: &str) {
        record.append(Line { why: Some(why.to_owned()), ..Line::new(Kind::Refused) }).expect("appended");
    }

    /// Lines, seals among them, of a record that was opened three times.
    fn sealed(state: &Path) -> Vec<String> {
        for (run, says) in [("first", 2), ("second", 1), ("third", 3)] {
            let record = open(state, 7).expect("a record");
            (0..says).for_each(|number| told(&record, &format!("{run} {number}")));
            record.seal().expect("sealed");
            record.seal().expect("nothing to seal");
        }
        let mut lines = Vec::new();
        lines_from(state, 0, |line, _, _| lines.push(line.to_owned())).expect("lines");
        lines
    }

    fn scratch(name: &str) -> std::path::PathBuf {
        let place = std::env::temp_dir().join(format!("nameplate-sealed-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).expect("a folder");
        place
    }

    #[test]
    fn what_stands_under_a_seal_cannot_be_changed_unseen() {
        let state = scratch("changed");
        let lines = sealed(&state);
        assert_eq!(lines.iter().filter(|line| line.contains("\"sealed\"")).count(), 3);
        assert_eq!(lines.len(), 9);
        let header = "{\"touch_record\":1}".to_owned();
        let check = |lines: &[String], seed: u8, expected: Option<&str>| {
            let text: String = std::iter::once(&header).chain(lines).map(|line| format!("{line}\n")).collect();
            fs::write(state.join(FILE_NAME), text).expect("written");
            let said = open(&state, seed).err().map(|error| error.to_string());
            assert!(
                said.is_some() == expected.is_some() && said.as_ref().zip(expected).is_none_or(|(said, part)| said.contains(part)),
                "{said:?}, expected {expected:?}"
            );
        };
        check(&lines, 7, None);
        check(&lines, 8, Some("touch line 3: sealed with another key"));
        for at in 0..lines.len() {
            let without: Vec<String> = lines.iter().enumerate().filter(|(number, _)| *number != at).map(|(_, line)| line.clone()).collect();
            // Without the last seal the lines before it are open again.
            check(&without, 7, (at != 8).then_some("seal"));
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("first", "other").replace("second", "other").replace("third", "other");
            check(&changed, 7, (changed[at] != lines[at]).then_some("changed, dropped or added"));
        }
        let _ = fs::remove_dir_all(&state);
    }

    #[test]
    fn a_torn_line_is_mended_under_the_next_seal() {
        let state = scratch("torn");
        sealed(&state);
        let path = state.join(FILE_NAME);
        let whole = fs::read(&path).expect("a record");
        fs::write(&path, [whole.as_slice(), b"{\"time\":\"20"].concat()).expect("written");
        let record = open(&state, 7).expect("a record");
        record.seal().expect("nothing to seal");
        told(&record, "behind it");
        record.seal().expect("sealed");
        drop(record);
        assert!(open(&state, 7).is_ok());
        assert!(fs::read_to_string(&path).expect("a record").contains("\"mended\""));
        let _ = fs::remove_dir_all(&state);
    }
}
