//! Records on their way into a view. A device says the same each day: what its answer means is parsed once and remembered.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::Entry;
use super::record::{BadRecord, ObservationRecord, Tail, is_touch};
use crate::observation::Observation;
use crate::profile::Interpretation;

/// Interpretations that are remembered, some KiB each; beyond them the memory begins anew.
const REMEMBERED_TEXTS_MAX: usize = 8192;
/// What stands between the interpretation and the observation.
const KIND: &str = r#","kind":"observation","observation":"#;
/// The letter that is looked for, and where it stands in [`KIND`]: no key of an interpretation has it, and few texts do.
const KIND_LETTER: (char, usize) = ('k', 2);

/// Reads records in any number; each worker has its own.
#[derive(Debug, Default)]
pub struct Replay {
    /// By their JSON.
    said: HashMap<Box<str>, Arc<Interpretation>>,
}

/// What a record holds for a view.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are readings")]
pub enum Replayed {
    /// A reading.
    Reading {
        /// Its entry.
        index: u64,
        /// The observation.
        observation: Observation,
        /// Its [`Observation::digest`].
        digest: [u8; 32],
        /// What it meant on that day.
        said: Arc<Interpretation>,
    },
    /// Anything else.
    Entry(Box<Entry>),
    /// A touch line: no view looks at it.
    Nothing,
}

impl Replay {
    /// Reads a record, whose end is `tail`; equal to [`Entry::of`] in what it takes and what it refuses, but for touch lines, which it does not read.
    ///
    /// # Errors
    /// [`BadRecord`].
    pub fn record(&mut self, record: &[u8], tail: &Tail) -> Result<Replayed, BadRecord> {
        if is_touch(record) {
            return Ok(Replayed::Nothing);
        }
        if let Some((said, observation)) = quick(record, tail)
            && let Ok(said) = self.said(said)
        {
            let digest = observation.digest();
            return Ok(Replayed::Reading { index: tail.index, observation, digest, said });
        }
        let Some(raw) = ObservationRecord::of(record)? else { return Ok(Replayed::Entry(Box::new(Entry::of(record)?))) };
        let observation = raw.body.observation;
        let digest = observation.digest();
        let said = self.said(raw.body.interpretation.get())?;
        Ok(Replayed::Reading { index: raw.index, observation, digest, said })
    }

    fn said(&mut self, text: &str) -> Result<Arc<Interpretation>, BadRecord> {
        if let Some(said) = self.said.get(text) {
            return Ok(Arc::clone(said));
        }
        if self.said.len() >= REMEMBERED_TEXTS_MAX {
            self.said.clear();
        }
        let said = Arc::new(serde_json::from_str(text)?);
        self.said.insert(text.into(), Arc::clone(&said));
        Ok(said)
    }
}

/// Interpretation (unread) and observation of a record that stands as [`Entry::record`] writes it; `None` where anything is
/// different, and the long way decides. Between two fields no quotation mark is escaped, so none of these marks can stand inside a text.
fn quick<'a>(record: &'a [u8], tail: &Tail) -> Option<(&'a str, Observation)> {
    let rest = str::from_utf8(record).ok()?.strip_prefix(r#"{"body":{"decoder":""#)?;
    let (decoder, rest) = rest.split_once('"')?;
    let rest = rest.strip_prefix(r#","interpretation":"#)?;
    let (said, rest) = split_at_kind(rest)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Observation>();
    let observation = values.next()?.ok()?;
    let rest = rest.get(values.byte_offset()..)?.strip_prefix(r#","profile_sha256":"#)?;
    let (profile, rest) = rest.split_once('}')?;
    let digits = profile.strip_prefix('"').and_then(|profile| profile.strip_suffix('"'));
    let plain = |text: &str| text.bytes().all(|byte| byte != b'"' && byte != b'\\' && byte >= b' ');
    let whole = plain(decoder) && (profile == "null" || digits.is_some_and(plain));
    // The two numbers and nothing else stand behind the body.
    (whole && rest.len() == tail.bytes).then_some((said, observation))
}

/// As `split_once(KIND)`, which takes longer to prepare its search than this one to end.
fn split_at_kind(text: &str) -> Option<(&str, &str)> {
    let (letter, offset) = KIND_LETTER;
    let begins = |(at, _): (usize, &str)| at.checked_sub(offset).filter(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(KIND)));
    let (before, rest) = text.split_at_checked(text.match_indices(letter).find_map(begins)?)?;
    Some((before, rest.strip_prefix(KIND)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Body, Observed};
    use crate::observation::{Address, Source};
    use crate::profile::Matched;

    fn record(said: &str) -> Vec<u8> {
        let observation = Observation {
            time_ns: 5,
            source: Source::Capture { file: r#"a","kind":"observation","observation":{"b"#.into(), frame: 1 },
            protocol: "modbus".into(),
            question: "modbus.identification.basic".into(),
            address: Address { unit: Some(1), ..Address::default() },
            announced: Vec::new(),
            messages: vec!["00".repeat(32)],
            malformed: Vec::new(),
            complete: true,
            exception: None,
            over: None,
            asked: 0,
            authority: None,
            cut: 0,
        };
        let interpretation =
            Interpretation { unreadable: vec![("x".into(), said.into())], ..Interpretation::of(Matched::None, Vec::new()) };
        let observed = Observed { observation, interpretation, profile_sha256: Some("ab".into()), decoder: "nameplate 0.1.0".into() };
        Entry { index: 9, time_ns: 7, body: Body::Observation(observed) }.record().unwrap()
    }

    /// Both ways say the same of a record.
    fn check(record: &[u8]) {
        // A record without its tail is refused before either way.
        let Some(tail) = Tail::of(record) else { return };
        let long = Entry::of(record);
        let replayed = Replay::default().record(record, &tail);
        match (long, replayed) {
            (
                Ok(Entry { index, body: Body::Observation(observed), .. }),
                Ok(Replayed::Reading { index: at, observation, digest, said }),
            ) => {
                assert_eq!((index, &observed.observation, &observed.interpretation), (at, &observation, &*said));
                assert_eq!(digest, observation.digest());
            }
            (Err(_), Err(_)) => {}
            other => panic!("{}: {other:?}", String::from_utf8_lossy(record)),
        }
    }

    #[test]
    fn the_short_way_says_what_the_long_one_says() {
        let hostile =
            ["k,\"k", r#","kind":"observation","observation":{"#, r#"","interpretation":{}"#, r#"},"index":1,"time_ns":2}"#, "\\", "\""];
        for said in ["", "plain"].into_iter().chain(hostile) {
            let record = record(said);
            let tail = Tail::of(&record).unwrap();
            assert!(quick(&record, &tail).is_some(), "{said}");
            check(&record);
            for at in 0..record.len() {
                let mut changed = record.clone();
                changed[at] ^= 1;
                check(&changed);
                check(&record[..at]);
                changed.remove(at);
                check(&changed);
            }
        }
    }
}
