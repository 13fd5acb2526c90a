//! What a persona would say, without a socket: for captures that are made, and for tests.

use std::net::{Ipv4Addr, SocketAddr};

use crate::judge::Judge;
use crate::language::{Carrier, Language};
use crate::report::{Ended, Speaker, Trip};
use crate::tap::Link;

/// A client's port in a capture that was made.
const CLIENT_PORT: u16 = 49_152;

/// One connection as it would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// What the device sends by itself.
    pub greeting: Vec<Vec<u8>>,
    /// Each question as it was sent, with the messages that answer it.
    pub exchanges: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// What must not have been asked.
    pub trips: Vec<Trip>,
}

/// Puts these questions to a persona, one after another on one connection, which the client then ends.
pub fn rehearse(persona: &dyn Language, over: Carrier, questions: &[Vec<u8>]) -> Rehearsal {
    let mut judge = Judge::new(persona.talk(Speaker::Asker, over), Some(persona.questions_max(over)));
    let mut heard = Rehearsal { greeting: judge.greets(), ..Rehearsal::default() };
    for question in questions {
        let (asked, trips) = match over {
            Carrier::Tcp => judge.take(question, false),
            Carrier::Udp => judge.take_datagram(question, false),
        };
        heard.trips.extend(trips);
        heard.exchanges.push((question.clone(), asked.into_iter().flat_map(|asked| asked.answers).collect()));
    }
    heard.trips.extend(judge.end(false));
    heard
}

impl Rehearsal {
    /// All that the device said, in order.
    pub fn answers(&self) -> Vec<Vec<u8>> {
        self.exchanges.iter().flat_map(|(_, answers)| answers.clone()).collect()
    }

    /// Records it as a connection from whoever asks to the device.
    pub fn record(&self, link: &Link, port: u16, over: Carrier) {
        let link = link.clone().at_port(port);
        let listens_at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut conversation = match over {
            Carrier::Tcp => link.open(Speaker::Asker, CLIENT_PORT, listens_at),
            Carrier::Udp => link.open_datagrams(Speaker::Asker, CLIENT_PORT, listens_at),
        };
        self.greeting.iter().for_each(|message| conversation.from_device(message));
        for (question, answers) in &self.exchanges {
            conversation.from_client(question);
            answers.iter().for_each(|answer| conversation.from_device(answer));
        }
        conversation.end(Ended::PeerFin);
    }
}
