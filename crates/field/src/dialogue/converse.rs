//! One conversation over one line: gaps, caps, deadlines, and the goodbye.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use nameplate_wire::conversation::{self, Conversation, Heard, Over, Protocol, Said};
use nameplate_wire::tcp::At;
use nameplate_wire::{Authority, Malformed};

use super::{Dialogue, End, Next, Peer, Put, Step, Take};
use crate::guard::{CLOSE_MS_MAX, Refused};
use crate::pacing::Pace;

/// Messages that are no answer to our question before we leave: one late answer is life, a stream of them is not.
pub const STRAYS_MAX: u8 = 8;
/// Bytes that a device may send on one connection before we leave: no identity is longer, a list that never ends is.
pub const BYTES_IN_MAX: usize = 256 << 10;
/// The longest datagram there is; a shorter buffer would cut it.
const READ_BYTES: usize = 65_535;

/// In which protocol, over what, with whom.
#[derive(Clone, Copy, Debug)]
pub struct With {
    /// The decoder that hears both sides.
    pub protocol: &'static Protocol,
    /// What carries it.
    pub over: Over,
    /// The device, as its answers will name it.
    pub device: conversation::End,
}

/// Carries `dialogue` over a fresh line, tells `out` what happens, and says how it ended. `clock` gives nanoseconds since 1970 for the
/// messages. Closing the line is the caller's.
pub async fn converse<P: Peer>(
    peer: &mut P,
    dialogue: &mut dyn Dialogue,
    with: With,
    pace: Pace,
    clock: &dyn Fn() -> u64,
    out: &mut dyn FnMut(Step),
) -> End {
    let (hold_end, earliest) = (Instant::now() + pace.hold_max, Instant::now());
    let conversation = (with.protocol.start)(with.over);
    let (held, latency) = (Vec::new(), Duration::ZERO);
    let mut asking = Asking {
        peer,
        dialogue,
        conversation,
        with,
        pace,
        clock,
        out,
        hold_end,
        earliest,
        held,
        bytes_in: 0,
        strays: 0,
        latency,
        announced: false,
        settling: false,
    };
    let end = asking.questions().await;
    asking.leave(&end).await;
    let at = At { frame: 0, time_ns: clock() };
    let Asking { conversation: mut heard, out, .. } = asking;
    heard.finish(at, &mut |heard| tell(heard, &Vec::new, out));
    end
}

/// One connection while it is asked.
struct Asking<'a, P> {
    peer: &'a mut P,
    dialogue: &'a mut dyn Dialogue,
    conversation: Box<dyn Conversation>,
    with: With,
    pace: Pace,
    clock: &'a dyn Fn() -> u64,
    out: &'a mut dyn FnMut(Step),
    hold_end: Instant,
    /// Before this nothing is sent.
    earliest: Instant,
    /// Bytes that came and are no whole message yet.
    held: Vec<u8>,
    bytes_in: usize,
    strays: u8,
    latency: Duration,
    /// Whether the device announced the answer to the question that is out.
    announced: bool,
    /// Whether what came is the answer unless more comes soon.
    settling: bool,
}

impl<P: Peer> Asking<'_, P> {
    async fn questions(&mut self) -> End {
        let mut silent = None;
        loop {
            match self.dialogue.next() {
                next @ (Next::Put(_) | Next::Listen) => match self.exchange(next).await {
                    Ok(()) => silent = None,
                    // It announced an answer that did not come: there may be another way to ask.
                    Err(end @ End::Silent { .. }) if self.announced => {
                        if self.peer.is_waiting()
                            && let Err(refused) = self.peer.time_out()
                        {
                            return End::Refused(refused);
                        }
                        silent = Some(end);
                    }
                    Err(end) => return end,
                },
                Next::Done => {
                    let answered = End::Answered { latency: self.latency, unasked: self.dialogue.unasked() };
                    return silent.unwrap_or(answered);
                }
                Next::Hostile(because) => return hostile(because, Vec::new()),
                Next::Unwilling(because) => return End::Unwilling { because },
            }
        }
    }

    /// One question and its whole answer; of a device that speaks by itself the answer alone.
    async fn exchange(&mut self, next: Next) -> Result<(), End> {
        if self.earliest >= self.hold_end {
            return Err(End::HoldSpent { partial: Vec::new() });
        }
        sleep_until(self.earliest).await;
        if let Some(why) = self.peer.quiet() {
            return Err(End::Quiet { why });
        }
        let answered = match next {
            Next::Put(put) => {
                self.send(&put, self.hold_end).await?;
                put.answered
            }
            _ => true,
        };
        let sent = Instant::now();
        if answered {
            self.answer(sent).await?;
        }
        self.latency = self.latency.max(sent.elapsed());
        self.earliest = Instant::now() + self.pace.message_gap;
        Ok(())
    }

    /// The whole answer to the question that went out at `sent`.
    async fn answer(&mut self, sent: Instant) -> Result<(), End> {
        let (mut waiting_since, mut patience) = (sent, self.pace.response_max);
        (self.announced, self.settling) = (false, false);
        loop {
            let sealed = match self.message(waiting_since + patience).await {
                Err(End::Silent { .. }) if self.settling => return Ok(()),
                Err(End::Closed { .. }) if self.dialogue.ends_by_close() => return Ok(()),
                message => message?,
            };
            let message = match self.dialogue.open(sealed.clone()) {
                Ok(message) => message,
                Err(malformed) => {
                    self.stray(sealed, malformed)?;
                    continue;
                }
            };
            let take = self.dialogue.take(&message);
            if let Take::Stray(malformed) = take {
                self.stray(message, malformed)?;
                continue;
            }
            self.hear(&message, true);
            self.replies().await?;
            let settled_before = std::mem::replace(&mut self.settling, matches!(take, Take::Settling(_)));
            match take {
                Take::Hostile(because) => return Err(hostile(because, Vec::new())),
                Take::Unwilling(because) => return Err(End::Unwilling { because }),
                Take::More if settled_before => (waiting_since, patience) = (Instant::now(), self.pace.response_max),
                Take::More => waiting_since = Instant::now(),
                Take::Settling(most) => (waiting_since, patience) = (Instant::now(), most),
                Take::Later(most) => (waiting_since, patience, self.announced) = (sent, most, true),
                Take::Unread(malformed) => {
                    // What was read of it stands in its reading.
                    (self.out)(Step::Stray { bytes: Vec::new(), malformed });
                    return Ok(());
                }
                Take::Answer | Take::Stray(_) => return Ok(()),
            }
        }
    }

    /// What a message wants back before anything else; the gap is kept as before any other message.
    async fn replies(&mut self) -> Result<(), End> {
        while let Some(put) = self.dialogue.reply() {
            sleep_until((Instant::now() + self.pace.message_gap).min(self.hold_end)).await;
            self.send(&put, self.hold_end).await?;
        }
        Ok(())
    }

    async fn send(&mut self, put: &Put, until: Instant) -> Result<(), End> {
        match timeout_at(until, write(self.peer, &put.bytes)).await {
            Err(_) => return Err(End::HoldSpent { partial: Vec::new() }),
            Ok(Err(source)) => return Err(broken("write", source)),
            Ok(Ok(())) => (self.out)(Step::Sent { question: put.question, bytes: self.peer.shown(&put.bytes) }),
        }
        self.earliest = Instant::now() + self.pace.message_gap;
        self.hear(&put.bytes, false);
        Ok(())
    }

    /// Lets the decoder hear one message.
    fn hear(&mut self, bytes: &[u8], by_server: bool) {
        let at = At { frame: 0, time_ns: (self.clock)() };
        let us = conversation::End::default();
        let (from, to) = if by_server { (&self.with.device, &us) } else { (&us, &self.with.device) };
        let said = Said { bytes, missing: 0, at, from, to, by_server };
        let (peer, out) = (&*self.peer, &mut *self.out);
        self.conversation.hear(&said, &mut |heard| tell(heard, &|| peer.shown(bytes), out));
    }

    fn stray(&mut self, bytes: Vec<u8>, malformed: Malformed) -> Result<(), End> {
        (self.out)(Step::Stray { bytes: self.peer.shown(&bytes), malformed });
        self.strays = self.strays.saturating_add(1);
        if self.strays > STRAYS_MAX {
            return Err(hostile("it sends messages that nobody asked for", Vec::new()));
        }
        Ok(())
    }

    /// The next whole message of the device. The deadline counts from the question, so that a device that sends a byte now and then
    /// gains nothing.
    async fn message(&mut self, deadline: Instant) -> Result<Vec<u8>, End> {
        let deadline = deadline.min(self.hold_end);
        loop {
            if !self.held.is_empty()
                && let Some(message) = self.cut()?
            {
                return Ok(message);
            }
            let mut buffer = vec![0_u8; READ_BYTES];
            let read = timeout_at(deadline, self.peer.read(&mut buffer)).await;
            let partial = || self.peer.shown(&self.held);
            let had = match read {
                Err(_) if deadline == self.hold_end => return Err(End::HoldSpent { partial: partial() }),
                Err(_) => return Err(End::Silent { partial: partial() }),
                Ok(Err(source)) => return Err(broken("read", source)),
                Ok(Ok(0)) => return Err(End::Closed { partial: partial() }),
                Ok(Ok(had)) => had,
            };
            self.bytes_in = self.bytes_in.saturating_add(had);
            if self.bytes_in > BYTES_IN_MAX {
                return Err(hostile("it sends more than any identity has", Vec::new()));
            }
            self.held.extend_from_slice(buffer.get(..had).unwrap_or_default());
        }
    }

    /// Takes the message at the start of what is held, where it is whole.
    fn cut(&mut self) -> Result<Option<Vec<u8>>, End> {
        let is_datagram = matches!(self.with.over, Over::Udp | Over::Link(_));
        match self.dialogue.length(&self.held) {
            Ok(Some(length)) if length > 0 && length <= self.held.len() => {
                let message = self.held.drain(..length).collect();
                if is_datagram {
                    self.held.clear();
                }
                Ok(Some(message))
            }
            Ok(_) if is_datagram => {
                let bytes = std::mem::take(&mut self.held);
                let had = bytes.len();
                let malformed = Malformed::short(self.with.protocol.name, had, 1, 0, "a datagram holds a whole message");
                self.stray(bytes, malformed).map(|()| None)
            }
            Ok(_) => Ok(None),
            // A datagram says nothing about the next one; a stream has lost its place.
            Err(malformed) if is_datagram => {
                let bytes = std::mem::take(&mut self.held);
                self.stray(bytes, malformed).map(|()| None)
            }
            Err(malformed) => {
                let partial = self.peer.shown(&std::mem::take(&mut self.held));
                Err(hostile(&format!("its bytes are no {}: {malformed}", self.with.protocol.name), partial))
            }
        }
    }

    /// Frees what we hold at the device. Whether that is answered or not, the line is closed next.
    async fn leave(&mut self, end: &End) {
        if matches!(end, End::Silent { .. }) || (self.peer.is_waiting() && !matches!(end, End::Refused(_))) {
            // A record that cannot be written closes the guard, which then refuses the goodbye.
            let _closed = self.peer.time_out();
        }
        if matches!(end, End::Closed { .. } | End::Refused(_) | End::Io { .. }) {
            return;
        }
        if let Some(put) = self.dialogue.goodbye() {
            sleep_until(self.earliest.min(self.hold_end)).await;
            self.part(&put).await;
            self.earliest = Instant::now() + self.pace.message_gap;
        }
        if let Some(put) = self.dialogue.farewell() {
            sleep_until(self.earliest.min(self.hold_end)).await;
            if self.peer.is_waiting() {
                let _closed = self.peer.time_out();
            }
            self.part(&put).await;
        }
    }

    /// One message at parting, and its answer where it comes soon.
    async fn part(&mut self, put: &Put) {
        let patience = Duration::from_millis(CLOSE_MS_MAX);
        if self.send(put, Instant::now() + patience).await.is_ok() && put.answered {
            self.hold_end = Instant::now() + patience;
            let _answered_or_not = self.message(self.hold_end).await;
        }
    }
}

/// What the decoder heard, as a step; presence is no news of a device that we asked ourselves.
fn tell(heard: Heard, bytes: &dyn Fn() -> Vec<u8>, out: &mut dyn FnMut(Step)) {
    match heard {
        // What we said of ourselves.
        Heard::Reading(reading) if reading.authority == Authority::Client => {}
        Heard::Reading(reading) => out(Step::Reading(reading)),
        Heard::Malformed { malformed, .. } => out(Step::Stray { bytes: bytes(), malformed }),
        Heard::Present { .. } | Heard::Happened { .. } => {}
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn hostile(because: &str, partial: Vec<u8>) -> End {
    End::Hostile { because: because.to_owned(), partial }
}

fn broken(operation: &'static str, source: io::Error) -> End {
    match Refused::within(&source) {
        Some(refused) => End::Refused(refused.clone()),
        None => End::Io { operation, source },
    }
}
