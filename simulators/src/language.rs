//! What a protocol is to the frame around it: where a question ends, what comes back, and what must not have come.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use crate::fault::Fault;
use crate::report::Speaker;
use crate::sealed::Seal;

/// A persona that speaks a protocol. One value serves all its connections; what a connection needs to remember stands in its [`Talk`].
pub trait Language: Debug + Send + Sync {
    /// The port that is registered for the protocol; the tap shows it.
    fn port(&self) -> u16;

    /// What carries it; TCP alone where nothing else is said.
    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Tcp]
    }

    /// With what its connections are sealed; nothing where it speaks in clear.
    fn seal_of_connections(&self) -> Option<Seal> {
        None
    }

    /// How many questions one connection (or one peer by datagrams) may bring (read-only.md, section 2, "Caps").
    fn questions_max(&self, over: Carrier) -> u32;

    /// One side of a new connection.
    fn talk(&self, speaker: Speaker, over: Carrier) -> Box<dyn Talk>;

    /// Whether the connection is the question: what the device sends by itself is then the answer that faults change.
    fn speaks_first(&self) -> bool {
        false
    }

    /// A question that is allowed first on a connection; its answer is what a device says that answers before it is asked.
    fn sample(&self) -> Vec<u8>;

    /// Where an answer has the fields that a fault changes.
    fn layout(&self, answer: &[u8]) -> Layout;

    /// Makes checksums fit again after a fault changed an answer.
    fn seal(&self, answer: Vec<u8>) -> Vec<u8> {
        answer
    }

    /// What [`Fault::HostileText`] and [`Fault::EndlessMore`] make of the persona; `None` where it has neither text nor pages.
    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>>;
}

impl Language for Arc<dyn Language> {
    fn port(&self) -> u16 {
        (**self).port()
    }

    fn carriers(&self) -> &'static [Carrier] {
        (**self).carriers()
    }

    fn seal_of_connections(&self) -> Option<Seal> {
        (**self).seal_of_connections()
    }

    fn questions_max(&self, over: Carrier) -> u32 {
        (**self).questions_max(over)
    }

    fn talk(&self, speaker: Speaker, over: Carrier) -> Box<dyn Talk> {
        (**self).talk(speaker, over)
    }

    fn speaks_first(&self) -> bool {
        (**self).speaks_first()
    }

    fn sample(&self) -> Vec<u8> {
        (**self).sample()
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        (**self).layout(answer)
    }

    fn seal(&self, answer: Vec<u8>) -> Vec<u8> {
        (**self).seal(answer)
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        (**self).crooked(fault)
    }
}

/// The device's side of one connection: judges each question, and answers it.
pub trait Talk: Send {
    /// What the device sends by itself as soon as the connection stands.
    fn greets(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Where the question ends that begins with these bytes.
    fn cut(&self, heard: &[u8]) -> Cut;

    /// Takes one whole question.
    fn take(&mut self, question: &[u8]) -> Heard;

    /// What tripped by the end of the connection, such as a session that was never closed.
    fn leaves(&mut self) -> Option<&'static str> {
        None
    }
}

/// What carries a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A stream.
    Tcp,
    /// Datagrams, each of them one question or one answer.
    Udp,
}

/// Where a question ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not here yet.
    More,
    /// After so many bytes, at least one.
    Whole(usize),
    /// Nowhere: these bytes cannot begin a question, and so all after them mean nothing.
    Broken(&'static str),
}

/// What a question leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The messages that come back, in order; none where the device stays silent.
    pub answers: Vec<Vec<u8>>,
    /// The rules that the question broke.
    pub trips: Vec<&'static str>,
    /// The device closes the connection then.
    pub hangs_up: bool,
}

impl Heard {
    /// An answer, and nothing that tripped.
    pub fn answered(answer: Vec<u8>) -> Self {
        Self { answers: vec![answer], ..Self::default() }
    }

    /// Silence, and the rule that was broken.
    pub fn silent(why: &'static str) -> Self {
        Self { trips: vec![why], ..Self::default() }
    }

    /// An answer to a question that broke a rule: real devices answer such questions too.
    pub fn tripped(answer: Vec<u8>, why: &'static str) -> Self {
        Self { trips: vec![why], ..Self::answered(answer) }
    }
}

/// Where an answer has what faults change; `None` where the protocol has no such field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Bytes before the part that an answer is cut off in.
    pub header_bytes: usize,
    /// Last byte of the number that pairs answer and question: transaction, sender context, sequence, invoke id, request id.
    pub transaction: Option<usize>,
    /// Last byte of what says who answers: unit id, session handle, link address.
    pub unit: Option<usize>,
    /// Last byte of what says which protocol or version it is.
    pub protocol: Option<usize>,
    /// The length field.
    pub length: Option<Range<usize>>,
}
