//! `--dry-run`: every byte that would be sent, with its meaning by the guard's own table. Opens nothing, writes nothing.

use std::net::SocketAddr;

use nameplate_wire::modbus::Question;

use super::{Ask, grants};
use crate::guard::{ByteMeaning, Permit, REQUESTS_MAX, Refused, meaning};

/// Stands in for the reason of a run that does not take place.
const DRY_RUN: &str = "dry run";

/// One message that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMessage {
    /// To whom.
    pub target: SocketAddr,
    /// To which unit.
    pub unit: u8,
    /// The question's name on the allowlist.
    pub question: &'static str,
    /// The whole message. Its transaction identifier counts up with the messages that are really sent.
    pub bytes: Vec<u8>,
    /// What each byte says.
    pub meaning: Vec<ByteMeaning>,
    /// When it is sent, if not in any case; empty otherwise.
    pub only_if: &'static str,
    /// What may follow on its answer; empty where nothing does.
    pub then: String,
}

/// What [`super::ask`] would send, in its order.
///
/// # Errors
/// [`Refused`] for the first message or permit that the guard would not let pass.
pub fn plan(asks: &[Ask]) -> Result<Vec<PlannedMessage>, Refused> {
    let mut planned = Vec::new();
    for ask in asks {
        let permit = Permit::new(ask.target, ask.unit, DRY_RUN, grants(&ask.questions, 1.0))?;
        for (question, only_if) in messages(&ask.questions) {
            let transaction = planned.iter().filter(|one: &&PlannedMessage| (one.target, one.unit) == (ask.target, ask.unit)).count() + 1;
            let bytes = question.encode(u16::try_from(transaction).unwrap_or(u16::MAX), ask.unit);
            let meaning = meaning(&permit, &bytes)?;
            let (target, unit, question, then) = (ask.target, ask.unit, question.name(), then(question));
            planned.push(PlannedMessage { target, unit, question, bytes, meaning, only_if, then });
        }
    }
    Ok(planned)
}

/// The questions with what stands in for one that the device refuses.
fn messages(questions: &[Question]) -> Vec<(Question, &'static str)> {
    let mut messages = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        messages.push((*question, if index == 0 { "" } else { "unless an earlier answer stops us" }));
        if *question == Question::REGULAR && !questions.iter().skip(index).any(|later| *later == Question::BASIC) {
            messages.push((Question::BASIC, "only if the device refuses the regular set (exception 2 or 3)"));
        }
    }
    messages
}

fn then(question: Question) -> String {
    match question {
        Question::Identification { code: code @ (2 | 3), .. } => {
            format!("while more follows: 2B 0E {code:02X} <next object>; at most {REQUESTS_MAX} requests in all")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, questions: &[Question], expected: &[(&str, &str)]) {
        let ask = Ask { questions: questions.to_vec(), ..target.parse().expect("a target") };
        let planned = plan(&[ask]).expect("the guard lets it pass");
        let lines: Vec<(String, String)> = planned
            .iter()
            .map(|one| {
                assert_eq!(one.meaning.iter().map(|meaning| meaning.byte).collect::<Vec<_>>(), one.bytes, "every byte has a meaning");
                let condition = [one.only_if, &one.then].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
                (crate::guard::hex(&one.bytes), condition)
            })
            .collect();
        let expected: Vec<(String, String)> = expected.iter().map(|(bytes, when)| ((*bytes).to_owned(), (*when).to_owned())).collect();
        assert_eq!(lines, expected, "{target}");
    }

    #[test]
    fn a_dry_run_shows_every_byte() {
        check(
            "192.0.2.7/17",
            &[Question::REGULAR],
            &[
                ("00 01 00 00 00 05 11 2b 0e 02 00", "while more follows: 2B 0E 02 <next object>; at most 8 requests in all"),
                ("00 02 00 00 00 05 11 2b 0e 01 00", "only if the device refuses the regular set (exception 2 or 3)"),
            ],
        );
        check(
            "192.0.2.7",
            &[Question::EXTENDED, Question::ServerId],
            &[
                ("00 01 00 00 00 05 ff 2b 0e 03 00", "while more follows: 2B 0E 03 <next object>; at most 8 requests in all"),
                ("00 02 00 00 00 02 ff 11", "unless an earlier answer stops us"),
            ],
        );
    }

    #[test]
    fn what_the_guard_refuses_is_not_planned() {
        let check = |target: &str, rule: &str| {
            let refused = plan(&[target.parse().expect("a target")]).expect_err(target);
            assert_eq!(refused.rule, rule, "{refused}");
        };
        check("192.0.2.7/0", "permit.unit");
        check("224.0.0.1", "permit.target");
        check("255.255.255.255", "permit.target");
    }
}
