//! "Unknown" is an answer, and it has a reason.

use super::Outline;
use crate::observation::Authority;

/// Why the firmware of somebody who was only seen is unknown.
pub(super) const NEVER_IDENTIFIED: &str = "it was never heard to identify itself";

/// True for an answer of an identification service: what it leaves out is the best reason there is.
pub(super) fn identifies(outline: &Outline) -> bool {
    outline.question.contains("identi") && outline.has_messages && outline.authority.is_none()
}

/// Why an observation gives no firmware. "Unknown" is an answer, and it has a reason.
pub(super) fn why_unknown(outline: &Outline) -> String {
    match outline.exception {
        Some(code) => format!("answered {} with exception {code} ({})", outline.question, exception(code)),
        None if !outline.has_messages => NEVER_IDENTIFIED.into(),
        None if outline.authority == Some(Authority::Belief) => "others say what it is; it was not heard to say so itself".into(),
        None if outline.question.ends_with(".object") => "only one object of its identity was read".into(),
        None if !outline.complete => "its identity answer is cut or broken".into(),
        None => format!("its answer to {} holds no firmware revision that can be used", outline.question),
    }
}

/// The names of the specification, clause 7.
const fn exception(code: u8) -> &'static str {
    match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        5 => "acknowledge",
        6 => "server device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "gateway target device failed to respond",
        _ => "not named by the specification",
    }
}
