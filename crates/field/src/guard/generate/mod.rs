//! Seeded conversations of messages that may leave and messages that must not, from every cell of each protocol's row: for `nameplate prove` and
//! for tests. Written from read-only.md without a look at the tables. The label says what was meant; whether it holds is for an independent
//! dissector to say.

mod bacnet;
mod cip;
mod dnp3;
mod enip;
mod fins;
mod greeting;
mod hart_ip;
mod http;
mod mms;
mod modbus;
mod opcua;
mod pn_dcp;
mod pn_io;
mod random;
mod s7comm;
mod sel_ascii;
mod slmp;
mod snmp;
mod snmp_v3;

use std::time::Duration;

pub use self::random::Random;
use super::{
    Bacnet, Cip, Dnp3, Enip, Fins, HartIp, Http, Judge, Mms, Modbus, Opcua, Permit, PnDcp, PnIo, Refused, S7comm, SelAscii, Snmp, SnmpV3,
};

/// What a forbidden message of any protocol can break, besides what its own row says.
pub const CELLS_OF_ALL: [&str; 3] = ["request too many", "pipelined", "random bytes"];

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was meant by it.
    pub label: Label,
    /// False where it is written before the answer to the one before it was read.
    pub after_answer: bool,
}

/// What was meant by a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// It may leave.
    Allowed,
    /// The first that must not, and which cell it breaks.
    Forbidden(&'static str),
    /// It stands behind the first that must not.
    Behind,
}

/// What was granted, in the protocol's own terms: the referee holds what it reads against it.
#[derive(Clone, Debug)]
pub enum Granted {
    /// Over BACnet/IP.
    Bacnet(Bacnet),
    /// In CIP.
    Cip(Cip),
    /// Over EtherNet/IP without a session.
    Enip(Enip),
    /// In FINS.
    Fins(Fins),
    /// Over DNP3.
    Dnp3(Dnp3),
    /// To an FTP server: there is but one thing to grant.
    Ftp,
    /// Over HART-IP.
    HartIp(HartIp),
    /// Over HTTP, or before TLS: to this host.
    Http(Http, String),
    /// Over MMS.
    Mms(Mms),
    /// Over Modbus, on TCP or on a line.
    Modbus(Modbus),
    /// Over OPC UA, on a channel without security.
    Opcua(Opcua),
    /// Over PROFINET DCP.
    PnDcp(PnDcp),
    /// Over PROFINET IO.
    PnIo(PnIo),
    /// Over S7comm.
    S7comm(S7comm),
    /// In SEL's ASCII protocol.
    SelAscii(SelAscii),
    /// Over SLMP: there is but one thing to grant.
    Slmp,
    /// To an SSH server: nothing.
    Ssh,
    /// To a Telnet server that named these options: DO or WILL, and which.
    Telnet(Vec<[u8; 2]>),
    /// Over SNMP, version 1 or 2c.
    Snmp(Snmp),
    /// Over SNMP, version 3.
    SnmpV3(SnmpV3),
}

/// Writes the messages of one connection.
pub trait Writer {
    /// A message that may leave now; `None` where nothing more may.
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>>;

    /// What the device said before the first message, where its words count.
    fn heard(&self) -> Option<Vec<u8>> {
        None
    }

    /// A message that must not, because of this cell of the protocol's own.
    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8>;

    /// Bytes that mean nothing.
    fn noise(&mut self, random: &mut Random) -> Vec<u8> {
        (0..=random.below(24)).map(|_| random.byte()).collect()
    }

    /// A message that may leave and has to go before one that breaks this cell.
    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        let _ = (random, cell);
        None
    }
}

/// A protocol's way to make conversations.
pub struct Maker {
    /// As contracts.md spells it.
    pub protocol: &'static str,
    /// What its own forbidden messages break.
    pub cells: &'static [&'static str],
    /// A permit that grants, or does not grant, what the cell needs, and who writes under it.
    start: fn(&mut Random, cell: &str) -> Result<Start, Refused>,
}

/// The permit, what it grants in the protocol's own terms, and who writes under it.
type Start = (Permit, Granted, Box<dyn Writer>);

/// Every protocol's.
pub static MAKERS: [&Maker; 23] = [
    &bacnet::MAKER,
    &cip::MAKER,
    &dnp3::MAKER,
    &enip::MAKER,
    &fins::MAKER,
    &fins::MAKER_UDP,
    &greeting::MAKER_FTP,
    &greeting::MAKER_SSH,
    &greeting::MAKER_TELNET,
    &hart_ip::MAKER,
    &http::MAKER,
    &http::MAKER_TLS,
    &mms::MAKER,
    &modbus::LINE_MAKER,
    &modbus::MAKER,
    &opcua::MAKER,
    &pn_dcp::MAKER,
    &pn_io::MAKER,
    &s7comm::MAKER,
    &sel_ascii::MAKER,
    &slmp::MAKER,
    &snmp::MAKER,
    &snmp_v3::MAKER,
];

/// One connection's worth of messages.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// What the connection may do.
    pub permit: Permit,
    /// The same in the protocol's own terms.
    pub granted: Granted,
    /// What the device said before.
    pub heard: Option<Vec<u8>>,
    /// What is written into it.
    pub messages: Vec<Made>,
}

impl Maker {
    /// All that is broken: conversation `n` breaks number `n` of them first, round and round, so that none stays untried.
    pub fn all_cells(&self) -> impl Iterator<Item = &'static str> {
        self.cells.iter().copied().chain(CELLS_OF_ALL)
    }

    fn cell(&self, number: u64) -> &'static str {
        let count = self.cells.len() + CELLS_OF_ALL.len();
        self.all_cells().nth((number % count as u64) as usize).unwrap_or(CELLS_OF_ALL[0])
    }

    /// Number `number` of the conversations of `seed`.
    ///
    /// # Errors
    /// Never for what is built here; a [`Refused`] permit would be its mistake.
    pub fn generate(&self, seed: u64, number: u64) -> Result<Conversation, Refused> {
        let mut random = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let cell = self.cell(number);
        let (permit, granted, mut writer) = (self.start)(&mut random, cell)?;
        let heard = writer.heard();
        let spare = usize::from(permit.limits().messages_max).saturating_sub(usize::from(cell == "pipelined"));
        let count = if cell == "request too many" { spare } else { random.below(spare.saturating_add(1)) };
        let mut messages = Vec::new();
        let may_leave = |bytes| Made { bytes, label: Label::Allowed, after_answer: true };
        while messages.len() < count
            && let Some(bytes) = writer.allowed(&mut random)
        {
            messages.push(may_leave(bytes));
        }
        let first = if cell == "pipelined" { writer.allowed(&mut random) } else { None };
        let before = if messages.len() < spare { writer.before(&mut random, cell) } else { None };
        messages.extend(first.or(before).map(may_leave));
        let bytes = forbidden(writer.as_mut(), &mut random, cell);
        // What was to be the one too many is so only where as many went before.
        let full = cell != "request too many" || messages.len() == spare;
        let label = if full { Label::Forbidden(cell) } else { Label::Behind };
        messages.push(Made { bytes, label, after_answer: cell != "pipelined" });
        for _ in 0..random.below(4) {
            let other = self.cell(random.below(usize::MAX) as u64);
            let bytes = match random.one_in(2).then(|| writer.allowed(&mut random)).flatten() {
                Some(bytes) => bytes,
                None => forbidden(writer.as_mut(), &mut random, other),
            };
            messages.push(Made { bytes, label: Label::Behind, after_answer: random.one_in(2) });
        }
        Ok(Conversation { permit, granted, heard, messages })
    }
}

fn forbidden(writer: &mut dyn Writer, random: &mut Random, cell: &str) -> Vec<u8> {
    match cell {
        "random bytes" => writer.noise(random),
        // The message itself may leave, only not now.
        "request too many" | "pipelined" => match writer.allowed(random) {
            Some(bytes) => bytes,
            None => writer.noise(random),
        },
        own => writer.forbidden(random, own),
    }
}

impl Conversation {
    /// Hands the messages to a judge, each in one piece, and returns what came out of it and why it stopped.
    #[must_use]
    pub fn survivors(&self) -> (Vec<Vec<u8>>, Option<Refused>) {
        let mut judge = Judge::new(&self.permit);
        judge.heard(self.heard.as_deref().unwrap_or_default());
        let mut out = Vec::new();
        for message in &self.messages {
            if message.after_answer {
                judge.answered();
            }
            let mut rest = message.bytes.as_slice();
            while !rest.is_empty() {
                let Ok(pushed) = judge.push(rest, Duration::ZERO) else { break };
                out.extend(pushed.message.map(|message| message.bytes));
                rest = rest.get(pushed.taken..).unwrap_or_default();
            }
        }
        (out, judge.closed().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each cell of each protocol is broken first more than a hundred times.
    const CONVERSATIONS: u64 = 6_000;

    #[test]
    fn generated_conversations_stop_where_they_were_meant_to() {
        for (maker, number) in MAKERS.iter().flat_map(|maker| (0..CONVERSATIONS).map(move |number| (maker, number))) {
            let made = maker.generate(1, number).expect("a permit");
            let meant: Vec<&[u8]> =
                made.messages.iter().filter(|made| made.label == Label::Allowed).map(|made| made.bytes.as_slice()).collect();
            let (out, refused) = made.survivors();
            let allowed = meant.len();
            let stopped = made.messages.get(allowed).is_some_and(|first| matches!(first.label, Label::Forbidden(_)));
            // What is sealed leaves as other bytes.
            let as_meant = out.iter().map(Vec::as_slice).eq(meant) || (maker.protocol == "snmp-v3" && out.len() == allowed);
            assert!(as_meant || !stopped, "{} {number}: {made:?}, left {out:02x?}", maker.protocol);
            assert!(refused.is_some() || made.messages.last().is_some_and(|last| last.bytes.len() < 8), "{} {number}", maker.protocol);
        }
    }
}
