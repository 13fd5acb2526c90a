//! The tripwire around every protocol: one question at a time, whole, and no more of them than may be.

use std::time::Duration;

use crate::language::{Cut, Talk};
use crate::report::Trip;

/// What a device expects of those who connect to it, whatever they ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// A second connection at the same time, other than the master's, trips.
    pub one_connection: bool,
    /// One question more than this on a connection trips; `None` takes the protocol's own cap.
    pub questions_max: Option<u32>,
    /// Time that a question takes. The device serves one after the other, whoever asks, as a controller does that answers once in its cycle.
    pub cycle: Duration,
}

/// A question with the messages that answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) question: Vec<u8>,
    pub(crate) answers: Vec<Vec<u8>>,
    pub(crate) hangs_up: bool,
}

/// Reads one connection's bytes in the order in which they came.
pub(crate) struct Judge {
    talk: Box<dyn Talk>,
    /// None for the plant's master.
    questions_max: Option<u32>,
    buffer: Vec<u8>,
    questions: u32,
    broken: bool,
}

impl Judge {
    pub(crate) fn new(talk: Box<dyn Talk>, questions_max: Option<u32>) -> Self {
        Self { talk, questions_max, buffer: Vec::new(), questions: 0, broken: false }
    }

    /// What the device sends by itself.
    pub(crate) fn greets(&mut self) -> Vec<Vec<u8>> {
        self.talk.greets()
    }

    /// Takes the bytes of one read; `answering` says that an answer is still owed. Gives the whole questions in them and what tripped.
    ///
    /// Bytes that cannot begin a question end the reading: those after them have no meaning, and all of them trip.
    pub(crate) fn take(&mut self, bytes: &[u8], answering: bool) -> (Vec<Asked>, Vec<Trip>) {
        if self.broken {
            return (Vec::new(), vec![Trip::new(bytes, "after bytes that are no question")]);
        }
        let (mut asked, mut trips) = (Vec::new(), Vec::new());
        if answering {
            trips.push(Trip::new(bytes, "sent before the answer to the question before it"));
        }
        self.buffer.extend(bytes);
        loop {
            match self.talk.cut(&self.buffer) {
                _ if self.buffer.is_empty() => break,
                Cut::More => break,
                Cut::Broken(why) => {
                    self.broken = true;
                    trips.push(Trip::new(&self.buffer, why));
                    break;
                }
                Cut::Whole(length) => {
                    let question: Vec<u8> = self.buffer.drain(..length.clamp(1, self.buffer.len())).collect();
                    if !asked.is_empty() {
                        trips.push(Trip::new(&question, "a second question with the first, before its answer"));
                    }
                    asked.push(self.ask(question, &mut trips));
                }
            }
        }
        (asked, trips)
    }

    /// The same for a datagram: it is one question, and what is wrong with it does not outlive it.
    pub(crate) fn take_datagram(&mut self, bytes: &[u8], answering: bool) -> (Vec<Asked>, Vec<Trip>) {
        let (asked, mut trips) = self.take(bytes, answering);
        trips.extend(self.cut_off());
        self.buffer.clear();
        self.broken = false;
        (asked, trips)
    }

    /// What tripped by the end of the connection. Whom the device cut off could not say goodbye.
    pub(crate) fn end(&mut self, by_device: bool) -> Vec<Trip> {
        let unfinished = self.talk.leaves().filter(|_| !by_device).map(|why| Trip::new(&[], why));
        self.cut_off().into_iter().chain(unfinished).collect()
    }

    fn cut_off(&self) -> Option<Trip> {
        (!self.buffer.is_empty() && !self.broken).then(|| Trip::new(&self.buffer, "cut off: the connection ended inside a question"))
    }

    fn ask(&mut self, question: Vec<u8>, trips: &mut Vec<Trip>) -> Asked {
        self.questions = self.questions.saturating_add(1);
        if self.questions_max.is_some_and(|most| most.checked_add(1) == Some(self.questions)) {
            trips.push(Trip::new(&question, "more questions than one connection may bring"));
        }
        let heard = self.talk.take(&question);
        trips.extend(heard.trips.into_iter().map(|why| Trip::new(&question, why)));
        Asked { question, answers: heard.answers, hangs_up: heard.hangs_up }
    }
}
