//! One conversation with a device, whatever the protocol: a [`Dialogue`] says what is put next and what an answer is to it, without IO;
//! [`converse`] carries it over a guarded line, keeps the gaps and the caps, and lets the decoder that also reads captures hear both sides.

mod converse;
pub(crate) mod cotp;
#[cfg(test)]
pub mod script;
#[cfg(test)]
pub mod story;

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use nameplate_wire::{Malformed, Reading};

pub use self::converse::{BYTES_IN_MAX, STRAYS_MAX, With, converse};
use crate::guard::{Grant, Guarded, Refused};
use crate::touch::Hush;

/// What is asked over one connection, and what its answers mean for what is asked next. No IO, no clock.
pub trait Dialogue {
    /// What comes now: asked at the start and after every answer.
    fn next(&mut self) -> Next;

    /// How long the message is that starts here; `None` while too few bytes are there to know.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes cannot be the protocol's: the device is left.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed>;

    /// The message as it reads in clear, where the protocol encrypts.
    ///
    /// # Errors
    /// [`Malformed`] where it is not authentic: a stray.
    fn open(&self, message: Vec<u8>) -> Result<Vec<u8>, Malformed> {
        Ok(message)
    }

    /// Whether what came so far is the answer, where the device closes the connection behind it.
    fn ends_by_close(&self) -> bool {
        false
    }

    /// What a whole message is to the question that waits.
    fn take(&mut self, message: &[u8]) -> Take;

    /// What the message that was just taken wants back at once, without being an answer to our question: asked until there is nothing more.
    fn reply(&mut self) -> Option<Put> {
        None
    }

    /// What frees a session at the device, where one stands. Put once, however the conversation ended, as long as the line still carries.
    fn goodbye(&mut self) -> Option<Put> {
        None
    }

    /// What ends the channel that the session stood on: put after the goodbye, answered or not, and where there was none.
    fn farewell(&mut self) -> Option<Put> {
        None
    }

    /// What the next connection to the same device grants, where this one was answered and there is to be another: asked once, when this one is
    /// closed. After it the dialogue goes on with [`Dialogue::next`].
    fn onward(&mut self) -> Option<Result<Grant, Refused>> {
        None
    }

    /// How long the device has run, where an answer said so, in hundredths of a second.
    fn uptime_ticks(&self) -> Option<u32> {
        None
    }

    /// Questions that are not put any more, by name.
    fn unasked(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// What a dialogue wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This message.
    Put(Put),
    /// What the device says by itself: the connection was the question.
    Listen,
    /// Nothing: it knows what it wanted to know, or all that it will.
    Done,
    /// To leave: the device would be read for ever.
    Hostile(&'static str),
    /// To leave: it does not let itself be asked; in words, what a person can do about it.
    Unwilling(&'static str),
}

/// A message to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The question's name on the allowlist.
    pub question: &'static str,
    /// The whole message.
    pub bytes: Vec<u8>,
    /// False where the protocol has no answer to it.
    pub answered: bool,
}

impl Put {
    /// A message that is answered.
    #[must_use]
    pub fn new(question: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { question, bytes: bytes.into(), answered: true }
    }
}

/// What a message is to the question that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// Its answer, whole; an exception is an answer, too.
    Answer,
    /// A part of its answer: the device sends the rest without being asked.
    More,
    /// Its announcement: the answer comes without being asked again, so long after the question at most. Where it does not, the dialogue is
    /// asked what comes instead; with nothing the device was silent.
    Later(Duration),
    /// Its answer, unless more comes within that time: a prompt can be the beginning of a longer one.
    Settling(Duration),
    /// Its answer, of which the rest is left unread: what says why.
    Unread(Malformed),
    /// Nothing: what says so.
    Stray(Malformed),
    /// An answer that would keep us for ever.
    Hostile(&'static str),
    /// A clear no to all that is to be asked: in words, what a person can do about it.
    Unwilling(&'static str),
}

/// Something that happened while a device was asked.
#[expect(clippy::large_enum_variant, reason = "a handful of steps in a conversation, each used at once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A question left.
    Sent {
        /// Its name on the allowlist.
        question: &'static str,
        /// Its bytes, without what is secret in them.
        bytes: Vec<u8>,
    },
    /// A question was answered, at least in part; an exception is an answer, too.
    Reading(Reading),
    /// A message came that is no answer to the question that waits, or that breaks the protocol's rules; or of an answer a part is left unread.
    Stray {
        /// Its bytes; none of a part that is left unread.
        bytes: Vec<u8>,
        /// Why it does not count.
        malformed: Malformed,
    },
}

/// How a conversation ended.
#[derive(Debug)]
pub enum End {
    /// Every question that was put was answered.
    Answered {
        /// The slowest answer, from the question's last byte to the answer's.
        latency: Duration,
        /// Questions that were not put, because of an exception, a broken answer or the cap.
        unasked: Vec<&'static str>,
    },
    /// No whole answer within the time-out.
    Silent {
        /// What had come of it.
        partial: Vec<u8>,
    },
    /// The device closed the connection before its answer was whole.
    Closed {
        /// What had come of it.
        partial: Vec<u8>,
    },
    /// It would be read for ever, or speaks another protocol.
    Hostile {
        /// In words.
        because: String,
        /// Bytes of a message that was not finished.
        partial: Vec<u8>,
    },
    /// It answers, and does not let itself be asked.
    Unwilling {
        /// In words.
        because: &'static str,
    },
    /// The hold was used up before the device was through.
    HoldSpent {
        /// What had come of its last answer.
        partial: Vec<u8>,
    },
    /// The guard refused what we wanted to send: an error of ours.
    Refused(Refused),
    /// Nothing may be sent any more.
    Quiet {
        /// Why.
        why: Hush,
    },
    /// The connection failed.
    Io {
        /// `write` or `read`.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { .. } => write!(f, "answered"),
            Self::Silent { partial } => write!(f, "no whole answer within the time-out ({} bytes of one)", partial.len()),
            Self::Closed { partial } => write!(f, "the device closed the connection ({} bytes of an answer)", partial.len()),
            Self::Hostile { because, .. } => write!(f, "hostile: {because}"),
            Self::Unwilling { because } => f.write_str(because),
            Self::HoldSpent { partial } => write!(f, "our longest hold was over ({} bytes of an answer)", partial.len()),
            Self::Refused(refused) => refused.fmt(f),
            Self::Quiet { why } => why.fmt(f),
            Self::Io { operation, source } => write!(f, "{operation}: {source}"),
        }
    }
}

/// A line towards a device, with what the guard knows of it.
pub trait Peer: AsyncRead + AsyncWrite + Unpin {
    /// True while a message is out and nothing came back.
    fn is_waiting(&self) -> bool;

    /// Nobody waits for the answer any more.
    ///
    /// # Errors
    /// [`Refused`] where that cannot be put on record.
    fn time_out(&mut self) -> Result<(), Refused>;

    /// A message of ours without what is secret in it.
    fn shown(&self, message: &[u8]) -> Vec<u8>;

    /// Why no question may leave now.
    fn quiet(&self) -> Option<Hush> {
        None
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer for Guarded<S> {
    fn is_waiting(&self) -> bool {
        Self::is_waiting(self)
    }

    fn time_out(&mut self) -> Result<(), Refused> {
        Self::time_out(self)
    }

    fn shown(&self, message: &[u8]) -> Vec<u8> {
        Self::shown(self, message)
    }

    fn quiet(&self) -> Option<Hush> {
        Self::quiet(self)
    }
}
