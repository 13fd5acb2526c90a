//! What would be asked, for `--dry-run`.

use nameplate_wire::opcua::Question;

use super::{Asking, DEVICES_MAX, NODES_MAX, NODES_OF_ONE_MAX, Step};
use crate::ask::Planned;

/// What would be put, with a session or without.
pub(super) fn planned(mut asking: Asking, session: bool) -> Vec<Planned> {
    if session {
        asking.waiting.extend([Step::Devices, Step::Parts, Step::Device(0), Step::Close]);
    }
    asking.waiting.push_back(Step::CloseChannel);
    let steps: Vec<Step> = std::mem::take(&mut asking.waiting).into();
    let questions = steps.iter().map(|step| asking.question(*step));
    let planned = |(question, n): (Question<'_>, u8)| Planned {
        question: question.name(),
        bytes: question.encode(&asking.line, n),
        only_if: only_if(&question, asking.line.certificate.is_some()),
        then: then(&question),
    };
    questions.zip(0..).map(planned).collect()
}

fn only_if(question: &Question<'_>, secured: bool) -> &'static str {
    match question {
        Question::Hello if secured => {
            "in a second connection, only if the server's certificate is trusted; sealed by the guard from the next message on"
        }
        Question::Hello => "",
        Question::Open => "only if the server acknowledges",
        Question::Devices(_) => "only if its namespaces have DI's (OPC 10000-100)",
        Question::Parts(_) => "only if something stands there",
        Question::Device(_) => "only if a device has properties of a nameplate",
        Question::Close => "only if a session stands",
        Question::CloseChannel => "only if a channel stands",
        _ => "unless an earlier answer stops us",
    }
}

fn then(question: &Question<'_>) -> String {
    match question {
        Question::Open => "the messages after it name channel and session as the server gave them".to_owned(),
        Question::Parts(_) => format!("of the first {DEVICES_MAX} nodes, as the server named them"),
        Question::Device(_) => format!("of the properties that it named, {NODES_OF_ONE_MAX} at a time, at most {NODES_MAX}"),
        _ => String::new(),
    }
}
