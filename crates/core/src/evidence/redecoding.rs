//! The second verdict: the recorded bytes go through today's decoder, and the claims are compared with the recorded ones.

use std::collections::BTreeMap;

use nameplate_wire::conversation::Over;
use nameplate_wire::modbus::{Answering, NAME, Question};
use nameplate_wire::{Address, Message, Reading, protocols};

use super::Checked;
use crate::ledger::{Body, Observed};
use crate::observation::{Observation, Source, over};
use crate::profile::{Interpretation, Matched, ProfileSet};

/// This program as a decoder, in the words in which observations name theirs.
pub const DECODER: &str = concat!("nameplate ", env!("CARGO_PKG_VERSION"));

/// What decoding again gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redecoding {
    /// The same claims, everywhere.
    Same {
        /// Observations that were decoded again.
        observations: usize,
        /// Their claims.
        claims: usize,
        /// The programs that recorded them, each once.
        decoders: Vec<String>,
    },
    /// Other claims in these entries; the rest is as it was.
    Different(Vec<Difference>),
    /// Some could not be decoded: the entry's index, and why.
    NotPossible(Vec<(u64, String)>),
}

/// One observation that reads otherwise today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Index of the entry.
    pub index: u64,
    /// The program that recorded it.
    pub decoder: String,
    /// What it read.
    pub recorded: Said,
    /// What this program reads.
    pub now: Said,
}

/// All that a decoder and a profile made of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What could not be read, in words.
    pub malformed: Vec<String>,
    /// True when the device said that this was all.
    pub complete: bool,
    /// The device's exception code where it answered with one.
    pub exception: Option<u8>,
    /// The profile and its claims.
    pub interpretation: Interpretation,
}

impl Said {
    fn recorded(observed: &Observed) -> Self {
        Self::of(&observed.observation, observed.interpretation.clone())
    }

    fn of(observation: &Observation, interpretation: Interpretation) -> Self {
        let Observation { malformed, complete, exception, .. } = observation;
        Self { malformed: malformed.clone(), complete: *complete, exception: *exception, interpretation }
    }
}

/// Profiles that were read already, by the hash of their text and their id.
type Known<'a> = BTreeMap<(&'a str, &'a str), Result<ProfileSet, String>>;

/// Decodes every observation of a bundle whose parts hold together.
#[must_use]
pub fn redecode(bundle: &Checked) -> Redecoding {
    let (mut observations, mut claims, mut decoders) = (0, 0, Vec::new());
    let (mut differences, mut impossible) = (Vec::new(), Vec::new());
    let mut known = Known::new();
    for entry in &bundle.entries {
        let Body::Observation(observed) = &entry.body else { continue };
        observations += 1;
        let recorded = Said::recorded(observed);
        claims += recorded.interpretation.claims.len();
        if !decoders.contains(&observed.decoder) {
            decoders.push(observed.decoder.clone());
        }
        match again(observed, bundle, &mut known) {
            Ok(now) if now == recorded => {}
            Ok(now) => differences.push(Difference { index: entry.index, decoder: observed.decoder.clone(), recorded, now }),
            Err(why) => impossible.push((entry.index, why)),
        }
    }
    if !differences.is_empty() {
        Redecoding::Different(differences)
    } else if !impossible.is_empty() {
        Redecoding::NotPossible(impossible)
    } else {
        Redecoding::Same { observations, claims, decoders }
    }
}

/// What this program makes of one observation's bytes.
fn again<'a>(observed: &'a Observed, bundle: &'a Checked, known: &mut Known<'a>) -> Result<Said, String> {
    let observation = &observed.observation;
    if observation.messages.is_empty() {
        // A server that was only seen: there are no bytes to decode and nothing to claim.
        let nothing = Interpretation::of(Matched::None, Vec::new());
        return Ok(Said { malformed: Vec::new(), complete: false, exception: None, interpretation: nothing });
    }
    let payloads: Vec<&[u8]> = observation.messages.iter().filter_map(|name| bundle.payloads.get(name)).map(Vec::as_slice).collect();
    let reading = read_again(observation, &payloads)?;
    let interpretation = match (&observed.interpretation.matched, &observed.profile_sha256) {
        (Matched::One(id) | Matched::Fallback(id), Some(sha256)) => {
            let set = known.entry((sha256, id)).or_insert_with(|| set_of_one(id, bundle.profiles.get(sha256)));
            set.as_ref().map_err(Clone::clone)?.interpret(&reading)
        }
        (Matched::One(id) | Matched::Fallback(id), None) => return Err(format!("the record names no text of profile {id:?}")),
        (Matched::None, _) => ProfileSet::default().interpret(&reading),
        // Which profiles matched cannot be derived without all of them, and nothing may be claimed.
        (several @ Matched::Several(_), _) => Interpretation::of(several.clone(), Vec::new()),
    };
    let read = Observation::of(&reading, Source::Asked { reason: "".into() }, 0);
    Ok(Said::of(&read, interpretation))
}

/// What this program reads in these bytes: the answer to the same question. `messages` are those that the observation names, in their order.
///
/// # Errors
/// A sentence: there is no decoder for it, or the bytes are no answer to that question.
pub fn read_again(observation: &Observation, messages: &[&[u8]]) -> Result<Reading, String> {
    let Observation { protocol, question, .. } = observation;
    let unknown = || format!("{DECODER} knows no question {question:?}");
    if protocol == NAME {
        let mut answering = Answering::new(named(question).ok_or_else(unknown)?, Address::default());
        for bytes in messages {
            answering.answer(Message { frame: 0, time_ns: 0, bytes: bytes.to_vec() });
        }
        return Ok(answering.into_reading());
    }
    let (asked, answers) = messages.split_at_checked(observation.asked).unwrap_or((messages, &[]));
    let decoder = protocols::named(protocol).ok_or_else(|| format!("{DECODER} does not decode {protocol:?}"))?;
    let over = observation.over.as_deref().map_or(Some(Over::Tcp), over).ok_or_else(|| format!("{:?} is no carrier", observation.over))?;
    let readings = decoder.replay_cut(over, asked.iter().copied(), answers.iter().copied(), observation.cut);
    // A set that grows is told as it grows: all messages make the last. One message may name several parts.
    let own = |reading: &Reading| {
        reading.question == question && reading.protocol == protocol && reading.speaker.name == observation.address.name
    };
    readings.into_iter().rfind(own).ok_or_else(unknown)
}

fn set_of_one(id: &str, text: Option<&String>) -> Result<ProfileSet, String> {
    let text = text.ok_or_else(|| format!("the text of profile {id:?} is missing"))?;
    ProfileSet::new([(id.to_owned(), text.clone())]).map_err(|e| format!("{DECODER} cannot read this text: {e}"))
}

/// The question with that name. Where it starts plays no part in reading its answer.
fn named(name: &str) -> Option<Question> {
    let (single, unheard) = (Question::Identification { code: 4, object: 0 }, Question::Identification { code: 0, object: 0 });
    let all = [Question::BASIC, Question::REGULAR, Question::EXTENDED, single, unheard, Question::ServerId];
    all.into_iter().find(|question| question.name() == name)
}
