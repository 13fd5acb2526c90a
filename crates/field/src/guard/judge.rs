//! Reassembly and decision, without IO and without a clock.

use std::time::Duration;

use super::{
    Permit, Refused,
    modbus::TABLE,
    refused::REFUSED_BYTES_MAX,
    table::{Granted, Reading, Row, read},
};

/// Judges what one connection is about to send. One judge, one connection.
#[derive(Clone, Debug)]
pub struct Judge {
    granted: Vec<Granted>,
    requests_max: u8,
    hold_max: Duration,
    held: Vec<u8>,
    requests: u8,
    /// Highest object per (question, read code) so far.
    risen: Vec<(u8, u8)>,
    waiting: bool,
    closed: Option<Refused>,
}

/// A whole message that may leave, in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name on the allowlist.
    pub question: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
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
            granted: TABLE.granted(permit),
            requests_max: permit.grants().requests_max.min(TABLE.requests_max),
            hold_max: permit.grants().hold_max,
            held: Vec::new(),
            requests: 0,
            risen: Vec::new(),
            waiting: false,
            closed: None,
        }
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
        match read(&self.granted, &self.held) {
            Reading::Partial => Ok(Pushed { taken: bytes.len(), message: None }),
            Reading::Whole(row) => {
                self.held.truncate(row.bytes());
                let message = Message { question: row.question, bytes: std::mem::take(&mut self.held) };
                self.admit(row, &message, hold).map_err(|refused| self.close(refused))?;
                Ok(Pushed { taken: message.bytes.len().saturating_sub(before), message: Some(message) })
            }
            Reading::Never(blame) => {
                let got = self.held.get(blame.cell.offset).copied().unwrap_or(0);
                let wanted = super::hex(&blame.wanted).replace(' ', ", ");
                let why = format!("{} is {got:02x}, only {wanted} may leave", blame.cell.meaning);
                let bytes = std::mem::take(&mut self.held);
                Err(self.close(Refused { question: None, rule: blame.cell.rule, at: Some(blame.cell.offset), bytes, why }))
            }
        }
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
        let bytes = std::mem::take(&mut self.held);
        let why = format!("the connection ends {} bytes into a message", bytes.len());
        Some(self.close(Refused { question: None, rule: "incomplete", at: Some(bytes.len()), bytes, why }))
    }

    /// The named constraints that no single byte decides.
    fn admit(&mut self, row: &Row, message: &Message, hold: Duration) -> Result<(), Refused> {
        let no = |rule, at, why: String| Err(Refused { question: Some(row.question), rule, at, bytes: message.bytes.clone(), why });
        if self.waiting {
            return no("pipelining", None, "the answer to the message before is still awaited".to_owned());
        }
        if self.requests >= self.requests_max {
            return no(
                "budget.requests",
                None,
                format!("{} requests were let out on this connection, the most it may have", self.requests),
            );
        }
        if hold > self.hold_max {
            return no("budget.hold", None, format!("the connection has been ours for {hold:.1?}, at most {:.1?}", self.hold_max));
        }
        if let Some((key_at, at)) = row.rises {
            let byte = |at: usize| message.bytes.get(at).copied().unwrap_or(0);
            let (key, value) = (byte(key_at), byte(at));
            match self.risen.iter_mut().find(|(risen, _)| *risen == key) {
                Some((_, last)) if value <= *last => {
                    let why = format!("object {value:02x} does not rise above {last:02x}, asked before with read code {key:02x}");
                    return no("modbus.object_rises", Some(at), why);
                }
                Some((_, last)) => *last = value,
                None => self.risen.push((key, value)),
            }
        }
        self.requests = self.requests.saturating_add(1);
        self.waiting = true;
        Ok(())
    }
}
