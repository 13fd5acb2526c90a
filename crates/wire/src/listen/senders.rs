//! Those who speak on a segment without addresses of a network: one conversation per sender and kind of frame.

use std::collections::HashMap;

use super::{At, Directory, End, Event, Kind, Over, Peeled, Said, told};
use crate::Mac;
use crate::conversation::Conversation;
use crate::keyed::Keyed;

/// Senders that are followed at once; a flat network has hundreds. Further ones take the place of any other.
const SENDERS_MAX: usize = 8_192;
/// The bit that marks a locally administered address (IEEE 802, 8.4). An EtherCAT slave sets it in the master's address on the way back:
/// both ways are one conversation.
const LOCAL_BIT: u8 = 0x02;

/// A sender without an address (a serial bus) is one, too.
type Sender = (Kind, Option<Mac>);

#[derive(Debug, Default)]
pub(super) struct Senders {
    conversations: HashMap<Sender, Box<dyn Conversation>, Keyed>,
}

impl Senders {
    /// Takes what a frame carries: the bytes, and how many more there were on the wire.
    pub(super) fn hear(
        &mut self,
        directory: &Directory,
        at: At,
        peeled: &Peeled<'_>,
        kind: Kind,
        (bytes, missing): (&[u8], usize),
        out: &mut dyn FnMut(Event),
    ) {
        let Some(protocol) = directory.on_link(kind) else { return };
        let mac = peeled.sender().map(|Mac([first, rest @ ..])| {
            let [b, c, d, e, f] = rest;
            Mac([first & !LOCAL_BIT, b, c, d, e, f])
        });
        let key = (kind, mac);
        if !self.conversations.contains_key(&key) && self.conversations.len() >= SENDERS_MAX {
            let any = self.conversations.keys().next().copied();
            if let Some(mut evicted) = any.and_then(|any| self.conversations.remove(&any)) {
                end(&mut evicted, Over::Link(kind), at, [&End::default(); 2], out);
            }
        }
        let over = Over::Link(kind);
        let conversation = self.conversations.entry(key).or_insert_with(|| (protocol.start)(over));
        let from = End { mac: peeled.sender(), ..End::default() };
        let to = End { mac: peeled.receiver(), ..End::default() };
        let said = Said { bytes, missing, at, from: &from, to: &to, by_server: true };
        conversation.hear(&said, &mut |heard| out(told(heard, over, missing, [&from, &to])));
    }

    pub(super) fn finish(&mut self, at: At, out: &mut dyn FnMut(Event)) {
        for ((kind, _), mut conversation) in self.conversations.drain() {
            end(&mut conversation, Over::Link(kind), at, [&End::default(); 2], out);
        }
    }
}

/// Ends a conversation between these ends and says how much of it was read.
pub(super) fn end(conversation: &mut Box<dyn Conversation>, over: Over, at: At, ends: [&End; 2], out: &mut dyn FnMut(Event)) {
    conversation.finish(at, &mut |heard| out(told(heard, over, 0, ends)));
    conversation.coverage(&mut |protocol, coverage| out(Event::Covered { protocol, coverage }));
}
