//! What the site file says of the gateway on this machine: where it listens, and what it says of itself. `nameplate ask` has no use for it.

use serde::Deserialize;
use toml::Spanned;

use super::Text;
use crate::failure::Failure;
use crate::log;

/// Mebibytes of a gateway's ring: on a small box that also serves a page; at 20,000 frames/s of 200 bytes two seconds.
const RING_MIB: u16 = 8;
/// It is memory of the kernel, which is never swapped out.
const RING_MEBIBYTES_MAX: u16 = 512;
/// Each has a thread and a ring; a box has no more ports.
const INTERFACES_MAX: usize = 16;
/// Bytes of an interface's name (linux/if.h, IFNAMSIZ, with its end).
const NAME_BYTES_MAX: usize = 15;

/// `[listen]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenRow {
    interface: Option<Spanned<String>>,
    interfaces: Option<Spanned<Vec<String>>>,
    ring_mib: Option<Spanned<u16>>,
}

/// `[log]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogRow {
    level: Option<Spanned<String>>,
    form: Option<Spanned<String>>,
}

/// The interfaces, and the mebibytes of the ring that each has.
pub(super) fn listen(text: &Text<'_>, row: Option<ListenRow>) -> Result<(Vec<String>, u16), Failure> {
    let Some(ListenRow { interface, interfaces, ring_mib }) = row else { return Ok((Vec::new(), RING_MIB)) };
    let (at, names) = match (interface, interfaces) {
        (Some(_), Some(both)) => return Err(text.bad(both.span().start, "interfaces: there is interface, too; one of both says all")),
        (Some(one), None) => (one.span().start, vec![one.into_inner()]),
        (None, Some(all)) => (all.span().start, all.into_inner()),
        (None, None) => (0, Vec::new()),
    };
    checked(&names).map_err(|why| text.bad(at, why))?;
    let mebibytes = match ring_mib {
        None => RING_MIB,
        Some(given) if (1..=RING_MEBIBYTES_MAX).contains(given.get_ref()) => *given.get_ref(),
        Some(given) => return Err(text.bad(given.span().start, format!("ring_mib: 1 to {RING_MEBIBYTES_MAX} mebibytes"))),
    };
    Ok((names, mebibytes))
}

/// Names that interfaces can have, each once.
pub(super) fn checked(names: &[String]) -> Result<(), String> {
    if names.len() > INTERFACES_MAX {
        return Err(format!("at most {INTERFACES_MAX} interfaces are listened to"));
    }
    for (at, name) in names.iter().enumerate() {
        let is_one =
            (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control());
        if !is_one {
            return Err(format!("{name:?} is no name of an interface"));
        }
        if names.iter().take(at).any(|other| other == name) {
            return Err(format!("interface {name} is named twice"));
        }
    }
    Ok(())
}

/// What is said, and how.
pub(super) fn said(text: &Text<'_>, row: Option<LogRow>) -> Result<log::Settings, Failure> {
    let Some(LogRow { level, form }) = row else { return Ok(log::Settings::default()) };
    let bad = |at: usize, key: &str, why: String| text.bad(at, format!("{key}: {why}"));
    let level = level.map(|word| word.get_ref().parse().map_err(|why| bad(word.span().start, "level", why))).transpose()?;
    let form = form.map(|word| word.get_ref().parse().map_err(|why| bad(word.span().start, "form", why))).transpose()?;
    Ok(log::Settings { level: level.unwrap_or_default(), form: form.unwrap_or_default() })
}
