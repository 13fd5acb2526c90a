//! Faults by name, for people: what a simulated device can be told to do wrong.

use std::time::Duration;

use crate::fault::{Fault, More};
use crate::report::Trip;

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personality {
    /// Its name on a command line.
    pub name: &'static str,
    /// What the device does.
    pub does: &'static str,
    /// The same to the simulators.
    pub fault: Fault,
    /// What trips by the device's own doing: a session whose handle it never told, or told wrongly; a message to one that owes an answer,
    /// because it said something before that was as good as one.
    pub excuses: &'static [&'static str],
}

const fn of(name: &'static str, does: &'static str, fault: Fault) -> Personality {
    Personality { name, does, fault, excuses: &[] }
}

impl Personality {
    const fn excusing(self, excuses: &'static [&'static str]) -> Self {
        Self { name: self.name, does: self.does, fault: self.fault, excuses }
    }

    /// Whether this is its own doing.
    pub fn excuses(&self, trip: &Trip) -> bool {
        self.excuses.contains(&trip.why)
    }
}

const NO_SESSION: &str = "the session was not unregistered";
const NO_CONCLUSION: &str = "the association was not concluded";
/// It was so busy sending that it read two messages at once.
const UNREAD: &str = "a second question with the first, before its answer";
const STILL_OWED: &str = "sent before the answer to the question before it";

/// From one byte of an answer to the next: whoever waits for a whole answer waits for minutes.
const LORIS_INTERVAL: Duration = Duration::from_secs(10);
/// Later than anybody waits.
const LATE: Duration = Duration::from_secs(60);
/// Longer than a goodbye may take.
const LINGERS: Duration = Duration::from_secs(5);
/// A watchdog of a controller on a plant's network.
const WATCHDOG_WINDOW: Duration = Duration::from_secs(2);

/// All that there are.
pub static PERSONALITIES: [Personality; 26] = [
    of("endless", "every answer says that more follows", Fault::EndlessMore(More::Rising)),
    of("endless-circle", "every answer says that the same follows once more", Fault::EndlessMore(More::Repeating)),
    of("slow-loris", "one byte of an answer every 10 seconds", Fault::SlowLoris { interval: LORIS_INTERVAL })
        .excusing(&[NO_SESSION, STILL_OWED]),
    of("late", "answers after a minute", Fault::LateAnswer { delay: LATE }).excusing(&[NO_SESSION, STILL_OWED]),
    of("silent", "accepts, and never answers", Fault::Silent).excusing(&[NO_SESSION]),
    of("cut-short", "half of an answer, then silence", Fault::CutShort).excusing(&[NO_SESSION]),
    of("fin-mid-answer", "half of an answer, then the end of the connection", Fault::FinMidPdu),
    of("hangs-up", "ends the connection at every question", Fault::ZeroBytes),
    of("closes-late", "answers, and keeps the connection open for 5 seconds after the other side", Fault::ClosesLate { delay: LINGERS }),
    of("reset-on-connect", "resets every connection at once", Fault::RstOnConnect),
    of("reset-after-1", "resets the connection after its first answer", Fault::ResetAfter(1)).excusing(&[STILL_OWED]),
    of("answer-first", "an answer before there is a question", Fault::AnswerBeforeQuestion).excusing(&[STILL_OWED]),
    of("twice", "every answer twice", Fault::AnswerTwice).excusing(&[STILL_OWED]),
    of("flood", "the answer over and over, without end", Fault::AnswersForever).excusing(&[NO_SESSION, NO_CONCLUSION, STILL_OWED, UNREAD]),
    of("noise", "bytes without a meaning instead of an answer", Fault::Noise).excusing(&[NO_SESSION]),
    of("noise-flood", "bytes without a meaning, without end", Fault::NoiseForever).excusing(&[NO_SESSION, STILL_OWED, UNREAD]),
    of("wrong-id", "the number of another question in every answer (transaction, sequence, request id)", Fault::WrongTransaction)
        .excusing(&[NO_SESSION]),
    of("wrong-station", "another station's number in every answer (unit, session, link address)", Fault::WrongUnit).excusing(&[
        NO_SESSION,
        "SendRRData outside the session",
        "UnRegisterSession of another session, or with a body",
    ]),
    of("wrong-protocol", "another protocol's or version's number in every answer", Fault::WrongProtocolId),
    of("length-zero", "an answer whose length field says nothing follows", Fault::LengthZero).excusing(&[NO_SESSION]),
    of("length-huge", "an answer whose length field says the most it can", Fault::LengthHuge).excusing(&[NO_SESSION]),
    of("hostile-text", "texts that attack terminals, spreadsheets and web pages", Fault::HostileText),
    of("evict-oldest", "one connection; a second closes the first", Fault::EvictOldest { pool: 1 }),
    of("single-client", "one connection; a second is closed at once", Fault::SingleClient),
    of("watchdog", "closes all connections after 2 seconds without a request", Fault::Watchdog { window: WATCHDOG_WINDOW }),
    of("reset-after-3", "resets the connection after its third answer", Fault::ResetAfter(3)).excusing(&[STILL_OWED]),
];

/// The fault of this name.
pub fn named(name: &str) -> Option<&'static Personality> {
    PERSONALITIES.iter().find(|personality| personality.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_personality_has_a_name_and_a_fault_of_its_own() {
        let names: BTreeSet<&str> = PERSONALITIES.iter().map(|personality| personality.name).collect();
        let faults: BTreeSet<String> = PERSONALITIES.iter().map(|personality| format!("{:?}", personality.fault)).collect();
        assert_eq!((names.len(), faults.len()), (PERSONALITIES.len(), PERSONALITIES.len()));
        assert!(PERSONALITIES.iter().all(|personality| named(personality.name) == Some(personality)));
    }
}
