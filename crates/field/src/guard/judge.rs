//! Reassembly and decision, without IO and without a clock.

use std::time::Duration;

use super::{
    Permit, Refused, Secret,
    refused::REFUSED_BYTES_MAX,
    table::{HIDDEN, Rises, Row},
    template::{Reading, Template, read},
};

/// Judges what one connection is about to send. One judge, one connection.
#[derive(Clone, Debug)]
pub struct Judge {
    permit: Permit,
    templates: Vec<Template>,
    messages_max: u8,
    hold_max: Duration,
    held: Vec<u8>,
    secrets: Vec<Secret>,
    /// What was let out.
    asked: Vec<&'static str>,
    /// Highest value per key so far, where values must rise.
    risen: Vec<(u8, u8)>,
    waiting: bool,
    closed: Option<Refused>,
    /// Whether what must come before a message counts.
    in_order: bool,
}

/// A whole message that may leave, in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name on the allowlist.
    pub question: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its bytes for the record: what is secret in it is overwritten.
    pub shown: Vec<u8>,
}

/// What became of the bytes that were pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// How many of them were taken; the rest stands behind `message` and must be pushed again.
    pub taken: usize,
    /// The message they completed.
    pub message: Option<Message>,
}

impl Judge {
    /// A judge for a connection on which nothing has been sent.
    #[must_use]
    pub fn new(permit: &Permit) -> Self {
        Self {
            permit: permit.clone(),
            templates: permit.table().templates(permit),
            messages_max: permit.limits().messages_max,
            hold_max: permit.limits().hold_max,
            held: Vec::new(),
            secrets: permit.secrets(),
            asked: Vec::new(),
            risen: Vec::new(),
            // Whoever speaks by itself is heard first.
            waiting: permit.table().asked_by_connecting().is_some(),
            closed: None,
            in_order: true,
        }
    }

    /// A judge for one message that is only shown, as if what has to go before it had left.
    pub(super) fn of_one(permit: &Permit) -> Self {
        Self { in_order: false, waiting: false, ..Self::new(permit) }
    }

    /// Takes bytes up to the end of the first message. `hold` is how long the connection has been ours.
    ///
    /// # Errors
    /// [`Refused`]: the bytes cannot become a message that may leave. From then on every push is refused with the same words.
    pub fn push(&mut self, bytes: &[u8], hold: Duration) -> Result<Pushed, Refused> {
        if let Some(refused) = &self.closed {
            return Err(refused.clone());
        }
        let before = self.held.len();
        self.held.extend(bytes.iter().take(REFUSED_BYTES_MAX.saturating_sub(before)));
        match read(&self.templates, &self.held) {
            Reading::Partial => Ok(Pushed { taken: bytes.len(), message: None }),
            Reading::Whole(template) => {
                self.held.truncate(template.len());
                let (row, shown) = (template.row, template.shown(&self.held));
                let taken = self.held.len().saturating_sub(before);
                let message = Message { question: row.question, bytes: std::mem::take(&mut self.held), shown };
                self.admit(row, &message, hold).map_err(|refused| self.close(refused))?;
                let message = self.seal(message).map_err(|refused| self.close(refused))?;
                Ok(Pushed { taken, message: Some(message) })
            }
            Reading::Never(blame) => {
                let got = self.held.get(blame.at).copied().unwrap_or(0);
                let why = if blame.wanted.is_empty() {
                    format!("{}: {got:02x} is not what the bytes before it give", blame.meaning)
                } else {
                    format!("{} is {got:02x}, only {} may leave", blame.meaning, super::hex(&blame.wanted).replace(' ', ", "))
                };
                let held = std::mem::take(&mut self.held);
                let bytes = self.without_secrets(&held);
                Err(self.close(Refused { question: None, rule: blame.rule, at: Some(blame.at), bytes, why }))
            }
        }
    }

    /// Reads what the device said for what is its own to say.
    pub fn heard(&mut self, message: &[u8]) {
        if self.permit.learn(message) {
            self.templates = self.permit.table().templates(&self.permit);
        }
    }

    fn seal(&self, plain: Message) -> Result<Message, Refused> {
        let sealed = self.permit.seal(&plain.bytes, self.asked.len() as u64);
        let no = |why: &str| Refused {
            question: Some(plain.question),
            rule: "session.seal",
            at: None,
            bytes: plain.shown.clone(),
            why: why.to_owned(),
        };
        sealed.map_err(no).map(|bytes| Message { bytes, ..plain.clone() })
    }

    /// Bytes came back: the next message may go.
    pub const fn answered(&mut self) {
        self.waiting = false;
    }

    /// Nobody waits for the answer any more: the next message may go.
    pub const fn timed_out(&mut self) {
        self.waiting = false;
    }

    /// True while a message is out and neither [`Self::answered`] nor [`Self::timed_out`] was said.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Shuts this connection for good: nothing leaves any more.
    pub fn close(&mut self, refused: Refused) -> Refused {
        self.held.clear();
        self.closed.get_or_insert(refused).clone()
    }

    /// The refusal that shut this connection.
    #[must_use]
    pub const fn closed(&self) -> Option<&Refused> {
        self.closed.as_ref()
    }

    /// Nothing more will be written: the beginning of a message that is still held becomes a refusal.
    pub fn finish(&mut self) -> Option<Refused> {
        if self.held.is_empty() {
            return None;
        }
        let held = std::mem::take(&mut self.held);
        let bytes = self.without_secrets(&held);
        let why = format!("the connection ends {} bytes into a message", bytes.len());
        Some(self.close(Refused { question: None, rule: "incomplete", at: Some(bytes.len()), bytes, why }))
    }

    /// These bytes with every secret of the permit overwritten: where it stands in a message that may leave, and anywhere in all else, such as
    /// an answer.
    #[must_use]
    pub fn without_secrets(&self, bytes: &[u8]) -> Vec<u8> {
        if let Reading::Whole(template) = read(&self.templates, bytes)
            && template.len() == bytes.len()
        {
            return template.shown(bytes);
        }
        let mut shown = bytes.to_vec();
        for secret in self.secrets.iter().map(Secret::bytes).filter(|secret| !secret.is_empty()) {
            let mut at = 0;
            while let Some(found) = shown.get(at..).and_then(|rest| rest.windows(secret.len()).position(|window| window == secret)) {
                at += found;
                if let Some(found) = shown.get_mut(at..at + secret.len()) {
                    found.fill(HIDDEN);
                }
                at += secret.len();
            }
        }
        shown
    }

    /// The named constraints that no single byte decides.
    fn admit(&mut self, row: &Row, message: &Message, hold: Duration) -> Result<(), Refused> {
        let no = |rule, at, why: String| Err(Refused { question: Some(row.question), rule, at, bytes: message.shown.clone(), why });
        if self.waiting {
            return no("pipelining", None, "the answer to the message before is still awaited".to_owned());
        }
        for order in self.permit.table().order.iter().filter(|order| self.in_order && order.question == row.question) {
            let stands = if order.directly { self.asked.last() == Some(&order.behind) } else { self.asked.contains(&order.behind) };
            if !stands {
                let place = if order.directly { "directly behind" } else { "behind" };
                return no(order.rule, None, format!("it may leave {place} {} only", order.behind));
            }
        }
        // A goodbye frees what we hold at the device; it may come late, and once.
        if !row.goodbye && self.asked.len() >= usize::from(self.messages_max) {
            let requests = self.asked.len();
            return no("budget.requests", None, format!("{requests} requests were let out on this connection, the most it may have"));
        }
        let before = self.asked.iter().filter(|question| **question == row.question).count();
        if before >= usize::from(row.times_max) {
            return no("budget.question", None, format!("it was let out {before} times on this connection, the most it may be"));
        }
        if !row.goodbye && hold > self.hold_max {
            return no("budget.hold", None, format!("the connection has been ours for {hold:.1?}, at most {:.1?}", self.hold_max));
        }
        if let Some(Rises { key, value: at, rule }) = row.rises {
            let byte = |at: usize| message.bytes.get(at).copied().unwrap_or(0);
            let (key, value) = (byte(key), byte(at));
            match self.risen.iter_mut().find(|(risen, _)| *risen == key) {
                Some((_, last)) if value <= *last => {
                    let why = format!("{value:02x} does not rise above {last:02x}, asked before with {key:02x}");
                    return no(rule, Some(at), why);
                }
                Some((_, last)) => *last = value,
                None => self.risen.push((key, value)),
            }
        }
        self.asked.push(row.question);
        self.waiting = !row.is_reply();
        Ok(())
    }
}
