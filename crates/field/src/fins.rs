//! Asks an Omron controller in FINS for its model and versions: over TCP, where it says which node addresses we have, or over UDP with one that the
//! plant keeps free for us.

use nameplate_wire::Malformed;
use nameplate_wire::conversation::{Over, Protocol};
use nameplate_wire::fins::{Answer, Nodes, PROTOCOL, Question, length};

use crate::ask::{Adapter, Planned};
use crate::dialogue::{Dialogue, Next, Put, Take};
use crate::guard::{Fins, Grant, Refused};

/// Comes back with the answer; one question has it on each connection.
const SERVICE: u8 = 1;

/// How one controller is to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Our node address, assigned by the plant: over UDP. Over TCP there is none, the controller gives us one.
    pub node: Option<u8>,
}

impl Questions {
    /// What carries the questions.
    #[must_use]
    pub const fn over(&self) -> Over {
        if self.node.is_some() { Over::Udp } else { Over::Tcp }
    }

    /// Who is who before anything was asked.
    fn nodes(&self) -> Option<Nodes> {
        self.node.map(|own| Nodes { controller: 0, own })
    }
}

impl Adapter for Questions {
    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn grant(&self) -> Result<Grant, Refused> {
        self.node.map_or(Fins::Tcp, |node| Fins::Udp { node }).grant()
    }

    fn dialogue(&self) -> Box<dyn Dialogue> {
        Box::new(Talk { over: self.over(), nodes: self.nodes(), out: None })
    }

    fn plan(&self) -> Vec<Planned> {
        let planned = |question: Question, only_if| Planned {
            question: question.name(),
            bytes: question.encode(self.over(), SERVICE),
            only_if,
            then: String::new(),
        };
        match self.nodes() {
            Some(nodes) => vec![planned(Question::Controller(nodes), "")],
            None => {
                let nodes = Nodes { controller: 0, own: 0 };
                let when = "once the controller has told both node addresses, which stand in it then";
                vec![planned(Question::NodeAddress, ""), planned(Question::Controller(nodes), when)]
            }
        }
    }
}

/// One controller, while it is asked.
struct Talk {
    over: Over,
    /// Who is who, as soon as that is known.
    nodes: Option<Nodes>,
    out: Option<Question>,
}

impl Dialogue for Talk {
    fn next(&mut self) -> Next {
        let question = match (self.out, self.nodes) {
            (Some(Question::Controller(_)), _) | (Some(Question::NodeAddress), None) => return Next::Done,
            (_, Some(nodes)) => Question::Controller(nodes),
            (None, None) => Question::NodeAddress,
        };
        self.out = Some(question);
        Next::Put(Put::new(question.name(), question.encode(self.over, SERVICE)))
    }

    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        if self.over == Over::Udp { Ok(Some(bytes.len())) } else { length(bytes) }
    }

    fn take(&mut self, message: &[u8]) -> Take {
        let Some(question) = self.out else { return Take::Stray(Malformed::wrong("fins", 0, "nothing was asked")) };
        match question.answered(self.over, SERVICE, message) {
            Err(malformed) => return Take::Stray(malformed),
            Ok(Answer::Nodes(nodes)) => self.nodes = Some(nodes),
            Ok(Answer::Refused(_) | Answer::Controller) => {}
        }
        Take::Answer
    }

    fn unasked(&self) -> Vec<&'static str> {
        match self.out {
            Some(Question::NodeAddress) if self.nodes.is_none() => vec!["fins.controller"],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
