//! `--dry-run`: every byte that would be sent, with its meaning by the guard's own table. Opens nothing, writes nothing.

use super::Ask;
use crate::guard::{ByteMeaning, Endpoint, Grant, Limits, Permit, Refused, meaning};

/// Stands in for the reason of a run that does not take place.
const DRY_RUN: &str = "dry run";

/// A message that an adapter would put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The question's name on the allowlist.
    pub question: &'static str,
    /// The whole message; what the device chooses (a session handle) is 0 in it.
    pub bytes: Vec<u8>,
    /// When it is sent, if not in any case; empty otherwise.
    pub only_if: &'static str,
    /// What may follow on its answer; empty where nothing does.
    pub then: String,
}

/// One message that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMessage {
    /// To whom.
    pub endpoint: Endpoint,
    /// To whom behind it; empty where there is but one.
    pub station: String,
    /// What.
    pub message: Planned,
    /// What each byte says.
    pub meaning: Vec<ByteMeaning>,
}

/// What [`super::ask`] would send, in its order.
///
/// # Errors
/// [`Refused`] for the first message or permit that the guard would not let pass.
pub fn plan(asks: &[Ask]) -> Result<Vec<PlannedMessage>, Refused> {
    let mut planned = Vec::new();
    for ask in asks {
        let adapter = ask.via.adapter();
        add(ask, adapter.grant()?, adapter.plan(), &mut planned)?;
        if let Some(further) = adapter.plan_onward() {
            let (grant, messages) = further?;
            add(ask, grant, messages, &mut planned)?;
        }
    }
    Ok(planned)
}

/// One connection's messages, in clear: nobody is there to seal them for.
fn add(ask: &Ask, grant: Grant, messages: Vec<Planned>, planned: &mut Vec<PlannedMessage>) -> Result<(), Refused> {
    let limits = Limits::of(&grant);
    let permit = Permit::new(ask.endpoint.clone(), grant, DRY_RUN, limits)?.in_clear();
    for message in messages {
        let meaning = meaning(&permit, &message.bytes)?;
        let message = Planned { bytes: permit.without_secrets(&message.bytes), ..message };
        planned.push(PlannedMessage { endpoint: ask.endpoint.clone(), station: permit.station().to_owned(), message, meaning });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Via;
    use crate::modbus::Questions;
    use nameplate_wire::modbus::Question;

    fn check(target: &str, questions: &[Question], expected: &[(&str, &str)]) {
        let ask: Ask = target.parse().expect("a target");
        let Via::Modbus(asked) = ask.via else { panic!("a target alone is asked over Modbus") };
        let ask = Ask { via: Via::Modbus(Questions { questions: questions.to_vec(), ..asked }), ..ask };
        let planned = plan(&[ask]).expect("the guard lets it pass");
        let lines: Vec<(String, String)> = planned
            .iter()
            .map(|PlannedMessage { message, meaning, .. }| {
                assert_eq!(meaning.iter().map(|meaning| meaning.byte).collect::<Vec<_>>(), message.bytes, "every byte has a meaning");
                let condition = [message.only_if, &message.then].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
                (crate::guard::hex(&message.bytes), condition)
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
