//! For the tests of adapters: the story of a script, told with the way to who answered and the last words of facts.

use std::time::Duration;

use nameplate_wire::conversation::Over;

use super::Step;
use super::story::told;
pub use super::story::{Do, unhex};
use crate::ask::Adapter;

/// As [`super::story::story`], shorter.
pub fn story(asked: &dyn Adapter, over: Over, script: &[Do]) -> (Vec<String>, Duration) {
    told(asked, over, script, line)
}

fn line(step: Step) -> String {
    match step {
        Step::Sent { question, .. } => format!("asked {question}"),
        Step::Stray { malformed, .. } => format!("stray: {malformed}"),
        Step::Reading(reading) => {
            let facts: Vec<String> =
                reading.facts.iter().map(|fact| format!("{}={}", short(&fact.path), fact.bytes.escape_ascii())).collect();
            let path = reading.speaker.path.as_deref().unwrap_or("-");
            let whole = if reading.complete { "" } else { " in part" };
            format!("read {} of {path}{whole}: {}", reading.question, facts.join(" "))
        }
    }
}

/// The last word of a fact's path.
fn short(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}
