//! Messages of version 3: RFC 3412, 6 and 7; RFC 3414, 3.2. Whoever does not know the engine is told it by a report; so is what is wrong with a message.

use super::ber;
use super::usm::{Clock, Keys, SALT_BYTES, User};

const AUTHENTICATED: u8 = 1;
const ENCRYPTED: u8 = 2;
const REPORTABLE: u8 = 4;
const REPORT: u8 = 0xA8;
const COUNTER: u8 = 0x41;
/// `usmStats`: 1.3.6.1.6.3.15.1.1.
const STATS: [u32; 9] = [1, 3, 6, 1, 6, 3, 15, 1, 1];
const UNSUPPORTED_LEVEL: u32 = 1;
const NOT_IN_TIME: u32 = 2;
const UNKNOWN_USER: u32 = 3;
const UNKNOWN_ENGINE: u32 = 4;
const WRONG_CODE: u32 = 5;
const NOT_DECRYPTED: u32 = 6;
/// Seconds (RFC 3414, 2.2.3).
const WINDOW_S: u32 = 150;
/// What fits into a datagram.
const SIZE_BYTES_MAX: u32 = 65_507;

/// An engine as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// RFC 3411, 5: with the first bit set the maker's number, a format, and more.
    pub id: Vec<u8>,
    /// Whom it knows. Without anybody it does not speak version 3.
    pub users: Vec<User>,
}

/// How often it started, and for how many seconds it has run: its clock stands, which nobody notices within the window.
const CLOCK: Clock = (1, 86_400);

/// A message, read.
#[derive(Debug)]
pub(super) struct Message<'a> {
    id: &'a [u8],
    flags: u8,
    engine: &'a [u8],
    clock: Clock,
    pub(super) user: &'a [u8],
    code: &'a [u8],
    /// Where the authentication stands.
    code_at: usize,
    salt: &'a [u8],
    scoped: &'a [u8],
}

/// What a message comes to.
pub(super) enum Judged {
    /// A question of somebody who may put it: the PDU with its tag, and what wraps the answer.
    Asked(Vec<u8>, Wrap),
    /// What comes back instead of an answer; whether that is how a first message is met.
    Report(Vec<u8>, bool),
    Nothing,
}

/// What stands around an answer.
pub(super) struct Wrap {
    id: Vec<u8>,
    engine: Vec<u8>,
    user: Vec<u8>,
    keys: Option<Keys>,
    salt: [u8; SALT_BYTES],
}

impl<'a> Message<'a> {
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        let (body, b"") = ber::expect(datagram, ber::SEQUENCE)? else { return None };
        let (_, body) = ber::expect(body, ber::INTEGER)?;
        let (head, body) = ber::expect(body, ber::SEQUENCE)?;
        let (id, rest) = ber::expect(head, ber::INTEGER)?;
        let (_, rest) = ber::expect(rest, ber::INTEGER)?;
        let (&[flags], rest) = ber::expect(rest, ber::OCTETS)? else { return None };
        let (&[3], b"") = ber::expect(rest, ber::INTEGER)? else { return None };
        let (security, scoped) = ber::expect(body, ber::OCTETS)?;
        let (security, b"") = ber::expect(security, ber::SEQUENCE)? else { return None };
        let (engine, rest) = ber::expect(security, ber::OCTETS)?;
        let (boots, rest) = ber::expect(rest, ber::INTEGER)?;
        let (time, rest) = ber::expect(rest, ber::INTEGER)?;
        let (user, rest) = ber::expect(rest, ber::OCTETS)?;
        let (code, rest) = ber::expect(rest, ber::OCTETS)?;
        // The security parameters end with the salt, and the scoped PDU is behind them.
        let code_at = datagram.len().checked_sub(scoped.len())?.checked_sub(rest.len())?.checked_sub(code.len())?;
        let (salt, b"") = ber::expect(rest, ber::OCTETS)? else { return None };
        Some(Self { id, flags, engine, clock: (ber::number(boots)?, ber::number(time)?), user, code, code_at, salt, scoped })
    }

    /// The same datagram with zeros for its authentication.
    fn zeroed(&self, datagram: &[u8]) -> Vec<u8> {
        let mut zeroed = datagram.to_vec();
        if let Some(field) = zeroed.get_mut(self.code_at..self.code_at.saturating_add(self.code.len())) {
            field.fill(0);
        }
        zeroed
    }
}

impl Engine {
    /// RFC 3414, 3.2, in its order.
    pub(super) fn judge(&self, datagram: &[u8], salt: u32) -> Judged {
        let Some(message) = Message::read(datagram) else { return Judged::Nothing };
        let wrap = |keys: Option<Keys>| {
            let [a, b, c, d] = salt.to_be_bytes();
            let mut bytes = [0, 0, 0, 0, a, b, c, d];
            bytes.iter_mut().zip(message.id).for_each(|(byte, id)| *byte = *id);
            Wrap { id: message.id.to_vec(), engine: self.id.clone(), user: message.user.to_vec(), keys, salt: bytes }
        };
        let report = |which: u32, keys: Option<Keys>| match message.flags & REPORTABLE {
            0 => Judged::Nothing,
            // Whose engine or clock was not known yet is told it.
            _ => Judged::Report(wrap(keys).report(which), matches!(which, UNKNOWN_ENGINE | NOT_IN_TIME)),
        };
        if message.engine != self.id {
            return report(UNKNOWN_ENGINE, None);
        }
        let Some(user) = self.users.iter().find(|user| user.name == message.user) else { return report(UNKNOWN_USER, None) };
        let keys = Keys::of(user, &self.id);
        if keys.level() != (message.flags & AUTHENTICATED != 0, message.flags & ENCRYPTED != 0) {
            return report(UNSUPPORTED_LEVEL, None);
        }
        if keys.level().0 {
            if keys.code(&message.zeroed(datagram)) != message.code {
                return report(WRONG_CODE, None);
            }
            if message.clock.0 != CLOCK.0 || message.clock.1.abs_diff(CLOCK.1) > WINDOW_S {
                return report(NOT_IN_TIME, Some(keys));
            }
        }
        let scoped = if keys.level().1 {
            let salt = message.salt.try_into().ok();
            let sealed = ber::expect(message.scoped, ber::OCTETS).map(|(sealed, _)| sealed);
            salt.zip(sealed).and_then(|(salt, sealed)| keys.cipher(message.clock, salt, false, sealed))
        } else {
            Some(message.scoped.to_vec())
        };
        let pdu = scoped.as_deref().and_then(pdu_of).map(<[u8]>::to_vec);
        match pdu {
            Some(pdu) => Judged::Asked(pdu, wrap(Some(keys))),
            None if keys.level().1 => report(NOT_DECRYPTED, None),
            None => Judged::Nothing,
        }
    }
}

/// Behind the context's engine and name.
fn pdu_of(scoped: &[u8]) -> Option<&[u8]> {
    let (body, b"") = ber::expect(scoped, ber::SEQUENCE)? else { return None };
    let (_, body) = ber::expect(body, ber::OCTETS)?;
    let (_, pdu) = ber::expect(body, ber::OCTETS)?;
    Some(pdu)
}

impl Wrap {
    fn report(&self, which: u32) -> Vec<u8> {
        let name = ber::oid(&[&STATS[..], &[which, 0]].concat());
        let binding = ber::element(ber::SEQUENCE, &[name, ber::element(COUNTER, &[1])].concat());
        let pdu = [ber::integer(0), ber::integer(0), ber::integer(0), ber::element(ber::SEQUENCE, &binding)].concat();
        // RFC 3414, 3.2, 7: a report of the clock is authenticated, and not encrypted.
        self.message(&ber::element(REPORT, &pdu), false)
    }

    /// The whole message around an answer, as well protected as the question was.
    pub(super) fn answer(&self, pdu: &[u8]) -> Vec<u8> {
        self.message(pdu, true)
    }

    fn message(&self, pdu: &[u8], seals: bool) -> Vec<u8> {
        let (authenticates, encrypts) = self.keys.as_ref().map_or((false, false), Keys::level);
        let encrypts = encrypts && seals;
        let flags = if authenticates { AUTHENTICATED } else { 0 } | if encrypts { ENCRYPTED } else { 0 };
        let octets = |bytes: &[u8]| ber::element(ber::OCTETS, bytes);
        let scoped = ber::element(ber::SEQUENCE, &[octets(&self.engine), octets(b""), pdu.to_vec()].concat());
        let sealed = self.keys.as_ref().filter(|_| encrypts).and_then(|keys| keys.cipher(CLOCK, self.salt, true, &scoped));
        let scoped = sealed.map_or(scoped, |sealed| octets(&sealed));
        let whole = |code: &[u8]| {
            let head = [ber::element(ber::INTEGER, &self.id), ber::integer(SIZE_BYTES_MAX), octets(&[flags]), ber::integer(3)].concat();
            let clock = [ber::integer(CLOCK.0), ber::integer(CLOCK.1)].concat();
            let salt = octets(if encrypts { &self.salt } else { &[] });
            let security = [octets(&self.engine), clock, octets(&self.user), octets(code), salt].concat();
            let security = octets(&ber::element(ber::SEQUENCE, &security));
            ber::element(ber::SEQUENCE, &[ber::integer(3), ber::element(ber::SEQUENCE, &head), security, scoped.clone()].concat())
        };
        match self.keys.as_ref().filter(|_| authenticates) {
            Some(keys) => whole(&keys.code(&whole(&vec![0; keys.code_bytes()]))),
            None => whole(b""),
        }
    }
}
