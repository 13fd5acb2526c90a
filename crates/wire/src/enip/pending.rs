//! Questions that wait for their answers, and connections by whose ids both are known.

use std::collections::VecDeque;

use crate::Message;
use crate::cip::{Route, Span, Wanted};
use crate::tcp::At;

/// Questions without an answer yet; clients have one to a few underway.
const QUESTIONS_PENDING_MAX: usize = 32;
/// Pending questions of which the bytes are kept.
const QUESTIONS_KEPT_MAX: usize = 8;
/// Open connections of a conversation: an engineering station has a handful to each module.
const CONNECTIONS_MAX: usize = 32;

/// A question that was heard.
#[derive(Debug)]
pub struct Asked {
    pub by_server: bool,
    pub key: Key,
    /// True for a PCCC command.
    pub pccc: bool,
    pub kept: Option<Box<Kept>>,
}

/// By what an answer finds its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The sender's context comes back with the answer (2-3.1).
    Context([u8; 8]),
    /// The connection's id, and the message's count in it (2-6.3.2.2). Each direction has an id of its own.
    Connected(u32, u16),
}

/// The bytes of a question, without which its answer could not be read.
#[derive(Debug)]
pub struct Kept {
    pub at: At,
    pub bytes: Vec<u8>,
    pub span: Span,
    pub wanted: Wanted,
}

/// A connection for questions, as its Forward_Open made it.
#[derive(Debug)]
pub struct Opened {
    /// True where the originator is the server of the conversation.
    pub by_server: bool,
    pub to_target: u32,
    pub to_originator: u32,
    pub route: Route,
    pub question: Box<Kept>,
    pub answer: Message,
}

/// All of one conversation.
#[derive(Debug, Default)]
pub struct Pending {
    asked: VecDeque<Asked>,
    opened: VecDeque<Opened>,
}

impl Pending {
    pub fn ask(&mut self, asked: Asked) {
        if asked.kept.is_some() && self.asked.iter().filter(|asked| asked.kept.is_some()).count() == QUESTIONS_KEPT_MAX {
            // The oldest is the least likely to be answered yet.
            if let Some(oldest) = self.asked.iter_mut().find(|asked| asked.kept.is_some()) {
                oldest.kept = None;
            }
        }
        if self.asked.len() == QUESTIONS_PENDING_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(asked);
    }

    pub fn open(&mut self, opened: Opened) {
        if self.opened.len() == CONNECTIONS_MAX {
            self.opened.pop_front();
        }
        self.opened.push_back(opened);
    }

    /// The connection by which a question came.
    pub fn connection_of(&self, question: Key) -> Option<&Opened> {
        // The last one that was given an id has it: ids are used again.
        self.opened.iter().rev().find(|opened| matches!(question, Key::Connected(id, _) if id == opened.to_target))
    }

    /// Those without an answer, at the end.
    pub fn unanswered(&mut self) -> VecDeque<Asked> {
        core::mem::take(&mut self.asked)
    }

    /// Takes the question that an answer with that key answers off the list. Where several can be it and differ in what their answers
    /// would mean, nobody can say which it is: then it is none.
    pub fn answered(&mut self, key: Key, by_server: bool) -> Option<Asked> {
        let connection = match key {
            Key::Context(_) => None,
            Key::Connected(id, _) => {
                let of_answer = |opened: &&Opened| opened.by_server != by_server && opened.to_originator == id;
                self.opened.iter().rev().find(of_answer).map(|opened| opened.to_target)
            }
        };
        let opened = &self.opened;
        let is_it = |asked: &Asked| {
            asked.by_server != by_server
                && match (asked.key, key) {
                    (Key::Connected(id, count), Key::Connected(_, answered)) => {
                        let on_it = || opened.iter().all(|opened| opened.to_target != id);
                        count == answered && connection.map_or_else(on_it, |connection| connection == id)
                    }
                    (asked, key) => asked == key,
                }
        };
        let first = self.asked.iter().position(is_it)?;
        let content = |asked: &Asked| asked.kept.as_ref().map(|kept| kept.span.of(&kept.bytes).to_vec());
        let mut others = self.asked.iter().skip(first + 1).filter(|asked| is_it(asked)).peekable();
        if others.peek().is_some() {
            let one = self.asked.get(first).and_then(content);
            if one.is_none() || others.any(|other| content(other) != one) {
                self.asked.retain(|asked| !is_it(asked));
                return None;
            }
        }
        self.asked.remove(first)
    }
}
