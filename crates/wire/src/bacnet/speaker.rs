//! What is remembered of somebody in a conversation: so that the same is told once, and that segments become an answer.

use core::hash::{BuildHasher, Hasher};

use super::frame::Place;
use super::service::{Device, INSTANCE_ANY, Service, Value};
use crate::conversation::{End, Happening, Role};
use crate::keyed::{Keyed, Mixing};
use crate::{Fact, Message};

/// Answers remembered per device: its properties asked one by one, and a few lists of them.
const ANSWERS_MAX: usize = 32;
/// Segments of one answer: the sequence number has 8 bits (5.2), and an identity fits in a handful.
pub(super) const SEGMENTS_MAX: usize = 64;

/// Somebody who takes part.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    pub instance: Option<u32>,
    pub roles: Vec<Role>,
    pub happened: Vec<Happening>,
    /// What was asked and what was answered, as digests.
    told: Vec<(u64, u64)>,
}

impl Speaker {
    /// Whether he answers otherwise than the last time that this was asked.
    pub(super) fn is_news(&mut self, (question, answer): (u64, u64)) -> bool {
        match self.told.iter_mut().find(|(asked, _)| *asked == question) {
            Some((_, told)) => core::mem::replace(told, answer) != answer,
            None => {
                if self.told.len() == ANSWERS_MAX {
                    self.told.remove(0);
                }
                self.told.push((question, answer));
                true
            }
        }
    }
}

/// An answer in segments, as far as it came.
#[derive(Debug)]
pub(super) struct Segmented {
    pub speaker: (bool, Place),
    pub from: End,
    pub invoke: u8,
    pub next: u8,
    pub service: Service,
    pub messages: Vec<Message>,
    /// Where the parameters stand in each message.
    pub starts: Vec<usize>,
    pub joined: Vec<u8>,
}

/// What an answer is about and what it says, without what is no identity in it.
pub(super) struct Digest {
    keyed: Keyed,
    service: Service,
    /// Of the question and of the answer; most answers hold nothing for either.
    begun: Option<[Mixing; 2]>,
}

impl Digest {
    pub(super) const fn new(keyed: Keyed, service: Service) -> Self {
        Self { keyed, service, begun: None }
    }

    pub(super) fn take(&mut self, value: &Value, bytes: &[u8]) {
        let [asked, said] = self.begun.get_or_insert_with(|| [self.keyed.build_hasher(), self.keyed.build_hasher()]);
        asked.write_u32(value.property);
        let value = bytes.get(value.range.clone()).unwrap_or_default();
        said.write_usize(value.len());
        said.write(value);
    }

    pub(super) fn finish(self, device: Device) -> Option<(u64, u64)> {
        let [mut asked, said] = self.begun?;
        asked.write(self.service.question().as_bytes());
        asked.write_u32(device.instance.unwrap_or(INSTANCE_ANY));
        Some((asked.finish(), said.finish()))
    }
}

/// A value that was read in what segments hold together, at the place in its message where it starts.
pub(super) fn fact(value: Value, joined: &[u8], messages: &[Message], starts: &[usize]) -> Option<Fact> {
    let bytes = joined.get(value.range.clone())?.to_vec();
    let mut before = 0;
    for (message, (said, start)) in messages.iter().zip(starts).enumerate() {
        let length = said.bytes.len().saturating_sub(*start);
        if value.range.start < before + length {
            let offset = start + value.range.start - before;
            return Some(Fact { path: value.path(), bytes, shape: value.shape, message, offset });
        }
        before += length;
    }
    None
}
