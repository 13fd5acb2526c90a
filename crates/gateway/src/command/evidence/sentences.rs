//! Both verdicts on a bundle, for a person.

use nameplate_core::evidence::{Authenticity, DECODER, Difference, Redecoding, Said, Verdict};
use nameplate_core::text::printable;

use crate::print;

/// Both verdicts as sentences.
pub fn sentences(verdict: &Verdict, pinned: Option<&str>) -> String {
    let mut text = match &verdict.authenticity {
        Authenticity::Authentic => "authentic: signed by the key that you pinned, every proof holds, nothing is missing\n".to_owned(),
        Authenticity::UnknownSigner { fingerprint } => {
            let told = if pinned.is_some() { "it is not the one that you gave" } else { "you gave none to compare it with (--key)" };
            format!("unknown signer {fingerprint}\n  all of it hangs together under the key with this fingerprint, but {told}\n")
        }
        Authenticity::Refused(unsound) => format!("refused: {}\n", printable(&unsound.why)),
    };
    let Some((redecoding, checked)) = &verdict.content else { return text };
    let entries = checked.entries.len();
    let last = checked.entries.last().map_or(0, |entry| entry.index);
    text += &format!("subject: {}, {entries} entries of a log of {}\n", printable(&checked.subject), last.saturating_add(1));
    text += &match redecoding {
        Redecoding::Same { observations, claims, decoders } => {
            let (read, claims) = (print::count(*observations as u64, "reading"), print::count(*claims as u64, "claim"));
            let by = if decoders.is_empty() { String::new() } else { format!(", recorded by {}", printable(&decoders.join(", "))) };
            format!("re-decoding: the same claims again: {read}, {claims}{by}, decoded again by {DECODER}\n")
        }
        Redecoding::Different(differences) => {
            format!("re-decoding: different in {}\n", print::count(differences.len() as u64, "reading"))
                + &differences.iter().map(difference).collect::<String>()
        }
        Redecoding::NotPossible(impossible) => impossible
            .iter()
            .fold("re-decoding: not possible\n".to_owned(), |text, (index, why)| text + &format!("  entry {index}: {}\n", printable(why))),
    };
    text
}

/// Both readings of one entry, each with its decoder; what is equal is left out.
fn difference(difference: &Difference) -> String {
    let Difference { index, decoder, recorded, now } = difference;
    let (before, after) = (lines(recorded), lines(now));
    let only = |mine: &[String], other: &[String]| {
        let own: Vec<String> = mine.iter().filter(|line| !other.contains(line)).map(|line| printable(line)).collect();
        if own.is_empty() { "nothing more".to_owned() } else { own.join("; ") }
    };
    format!(
        "  entry {index}\n    recorded by {}: {}\n    read now by {DECODER}: {}\n",
        printable(decoder),
        only(&before, &after),
        only(&after, &before)
    )
}

/// All that was read of an answer, a thing a line.
fn lines(said: &Said) -> Vec<String> {
    let Said { malformed, complete, exception, interpretation } = said;
    let mut lines = vec![format!("profile {:?}", interpretation.matched), format!("complete: {complete}")];
    lines.extend(exception.map(|code| format!("exception {code}")));
    lines.extend(malformed.iter().map(|what| format!("malformed: {what}")));
    lines.extend(interpretation.unreadable.iter().map(|(fact, shown)| format!("{fact} unreadable: {shown}")));
    lines.extend(interpretation.claims.iter().map(|claim| {
        let normal = claim.normal.as_ref().map(|normal| format!(" (in order as {normal})")).unwrap_or_default();
        let place = format!("{} in message {} from byte {}, {} bytes", claim.rule, claim.message, claim.offset, claim.length);
        format!(
            "{}.{} = {:?}{normal}, {} by {}, {place}",
            claim.component,
            claim.field.name(),
            claim.value,
            claim.grade.name(),
            claim.profile
        )
    }));
    lines
}
