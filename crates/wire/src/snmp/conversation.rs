//! Datagrams between a manager and an agent: which answers are the agent's own word, and what is new in them.

use core::hash::BuildHasher;
use core::net::Ipv4Addr;
use core::ops::Range;
use std::collections::HashMap;

use super::message::{Binding, Kind, Message, Pdu};
use super::object::{self, Object, SYS_NAME, SYS_OBJECT_ID, TRAP};
use super::{NAME, PORT_TRAPS};
use crate::conversation::{Conversation, Coverage, Happening, Heard, Over, Role, Said};
use crate::keyed::Keyed;
use crate::tcp::At;
use crate::{Address, Authority, Malformed, Reading, Shape};

/// Questions that wait for their answer: a manager has a few under way with one agent.
const QUESTIONS_PENDING_MAX: usize = 32;
/// Objects whose last value is remembered in one conversation: a walk through a switch has a few hundred texts.
const OBJECTS_MAX: usize = 512;
/// How often a maker's own text may change before it is taken for a measurement and passed over.
const CHANGES_MAX: u8 = 4;
/// Maker's own texts that one answer may bring: a bulk answer has some dozens in all.
const PRIVATE_FACTS_MAX: usize = 64;
/// Agents behind one proxy whose presence is told.
const AGENTS_MAX: usize = 64;

/// Who an answer or a trap speaks for: the sender, or the agent behind him that the trap names.
type Agent = (bool, Option<Ipv4Addr>);

/// A conversation.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Who asked, with which id, what.
    pending: Vec<(bool, u32, Kind)>,
    present: Vec<(Role, Agent)>,
    /// The last value of each object, and how often it changed.
    told: HashMap<u64, (u64, u8)>,
    /// An order to rename that waits for its answer.
    renaming: Option<(bool, u32)>,
    renamed: bool,
    keyed: Keyed,
    coverage: Coverage,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let message = match Message::read(said.bytes) {
            Ok(message) => message,
            Err(malformed) => return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }),
        };
        self.coverage.decoded += 1;
        match message.pdu.as_ref().map(|pdu| pdu.kind) {
            Some(kind @ (Kind::Read | Kind::Set | Kind::Inform)) => self.asked(said, &message, kind, out),
            Some(Kind::Response | Kind::Report) => self.answered(said, &message, out),
            Some(Kind::TrapV1 | Kind::TrapV2) => self.trapped(said, &message, out),
            None => self.encrypted(said, &message, out),
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    fn asked(&mut self, said: &Said<'_>, message: &Message<'_>, kind: Kind, out: &mut dyn FnMut(Heard)) {
        if self.pending.len() == QUESTIONS_PENDING_MAX {
            self.pending.remove(0);
        }
        self.pending.push((said.by_server, message.id, kind));
        match (kind, &message.pdu) {
            (Kind::Set, Some(pdu)) => self.ordered(said, message, pdu, out),
            // An inform is a trap that wants to be confirmed.
            (Kind::Inform, Some(pdu)) => self.told_by(said, agent_of(said, pdu), "snmp.inform", message, Some(pdu), out),
            _ => {}
        }
    }

    /// A SetRequest: what somebody wants the agent to say of itself. Only of the system group; the rest may be passwords.
    fn ordered(&mut self, said: &Said<'_>, message: &Message<'_>, pdu: &Pdu<'_>, out: &mut dyn FnMut(Heard)) {
        let mut reading = Reading::of(NAME, Over::Udp, "snmp.set", said.to.into(), said.at, said.bytes);
        reading.authority = Authority::Belief;
        reading.hide(message.community.clone());
        let read = pdu.bindings(&mut |Binding { name, tag, value }| {
            let (name, bytes) = (part(said.bytes, &name), part(said.bytes, &value));
            if let Some((path, shape)) =
                Object::of(name, tag, bytes).filter(|object| !matches!(object, Object::Private | Object::Number)).and_then(|o| o.fact(name))
            {
                reading.fact(path, shape, value);
            } else {
                reading.hide(value);
            }
            if name == SYS_NAME {
                self.renaming = Some((said.by_server, message.id));
            }
        });
        if !reading.facts.is_empty() {
            if let Err(malformed) = read {
                reading.broken(malformed);
            }
            out(Heard::Reading(reading));
        }
    }

    fn answered(&mut self, said: &Said<'_>, message: &Message<'_>, out: &mut dyn FnMut(Heard)) {
        let Some(pdu) = &message.pdu else { return };
        let asked = self.take(said, message.id);
        if asked == Some(Kind::Inform) || (asked.is_none() && said.from.port == Some(PORT_TRAPS)) {
            return;
        }
        let agent = (said.by_server, None);
        if asked.is_some() {
            self.present(Role::Server, agent, said.speaker(), said.at, out);
            self.present(Role::Client, (!said.by_server, None), said.to.into(), said.at, out);
        }
        if pdu.kind == Kind::Report || pdu.failed {
            return self.told_by(said, agent, "snmp.engine", message, None, out);
        }
        if self.renaming == Some((!said.by_server, message.id)) && !core::mem::replace(&mut self.renamed, true) {
            out(Heard::Happened { protocol: NAME, happening: Happening::Renamed, device: said.speaker(), at: said.at });
        }
        self.told_by(said, agent, "snmp.response", message, Some(pdu), out);
    }

    fn trapped(&mut self, said: &Said<'_>, message: &Message<'_>, out: &mut dyn FnMut(Heard)) {
        let Some(pdu) = &message.pdu else { return };
        let agent = agent_of(said, pdu);
        self.present(Role::Publisher, agent, address(said, agent), said.at, out);
        self.told_by(said, agent, "snmp.trap", message, Some(pdu), out);
    }

    /// A message whose PDU nobody can read: its header still says whose engine it is.
    fn encrypted(&mut self, said: &Said<'_>, message: &Message<'_>, out: &mut dyn FnMut(Heard)) {
        if message.reportable {
            return self.asked(said, message, Kind::Read, out);
        }
        let agent = (said.by_server, None);
        if self.take(said, message.id).is_some() {
            self.present(Role::Server, agent, said.speaker(), said.at, out);
        } else if said.to.port == Some(PORT_TRAPS) {
            self.present(Role::Publisher, agent, said.speaker(), said.at, out);
        }
        self.told_by(said, agent, "snmp.engine", message, None, out);
    }

    /// What the other side asked with this id.
    fn take(&mut self, said: &Said<'_>, id: u32) -> Option<Kind> {
        let at = self.pending.iter().position(|(by_server, asked, _)| (*by_server, *asked) == (!said.by_server, id))?;
        Some(self.pending.remove(at).2)
    }

    fn present(&mut self, role: Role, agent: Agent, speaker: Address, at: At, out: &mut dyn FnMut(Heard)) {
        if self.present.len() < AGENTS_MAX && !self.present.contains(&(role, agent)) {
            self.present.push((role, agent));
            out(Heard::Present { protocol: NAME, role, speaker, at });
        }
    }

    /// What the bindings of `pdu` and the message's header say about the agent, where something in them is new.
    fn told_by(
        &mut self,
        said: &Said<'_>,
        agent: Agent,
        question: &'static str,
        message: &Message<'_>,
        pdu: Option<&Pdu<'_>>,
        out: &mut dyn FnMut(Heard),
    ) {
        let (mut news, mut repeats) = (false, false);
        let of = |range: &Range<usize>| part(said.bytes, range);
        // Who wants no answer speaks for his own engine: RFC 3414, 1.5.1 and RFC 3412, 6.4.
        let engine = message.engine.clone().filter(|_| !message.reportable);
        let enterprise = pdu.and_then(|pdu| pdu.enterprise.clone());
        for (name, range) in [("engine", &engine), ("enterprise", &enterprise)] {
            news |= range.as_ref().is_some_and(|range| self.is_news(agent, name.as_bytes(), of(range), false));
        }
        let identified = pdu.is_some_and(|pdu| is_identified(pdu, said.bytes));
        let read = pdu.map_or(Ok(()), |pdu| {
            pdu.bindings(&mut |Binding { name, tag, value }| {
                repeats |= of(&name) == TRAP;
                let object = Object::of(of(&name), tag, of(&value)).filter(|object| *object != Object::Number || identified);
                if let Some(object) = object {
                    news |= self.is_news(agent, of(&name), of(&value), matches!(object, Object::Private | Object::Number));
                }
            })
        });
        // Who repeats a trap confirms an inform whose question was not heard.
        if !news || (repeats && pdu.is_some_and(|pdu| pdu.kind == Kind::Response)) {
            if let Err(malformed) = read {
                out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
            }
            return;
        }
        let mut reading = Reading::of(NAME, Over::Udp, question, address(said, agent), said.at, said.bytes);
        if let Some(range) = engine {
            object::engine(of(&range), range.clone(), &mut |path, shape, range| reading.fact(path, shape, range));
        }
        if let Some(range) = enterprise {
            reading.fact("snmp.trap.enterprise", Shape::Oid, range);
        }
        if let Some(pdu) = pdu {
            take(&mut reading, pdu, said.bytes, of(&message.community));
        }
        reading.hide(message.community.clone());
        reading.complete = message.whole;
        if let Err(malformed) = read {
            reading.broken(malformed);
        }
        if !reading.facts.is_empty() {
            out(Heard::Reading(reading));
        }
    }

    /// Whether this agent's object has another value than the last time.
    fn is_news(&mut self, agent: Agent, name: &[u8], value: &[u8], may_be_measured: bool) -> bool {
        let (key, value) = (self.keyed.hash_one((agent, name)), self.keyed.hash_one(value));
        if self.told.len() == OBJECTS_MAX && !self.told.contains_key(&key) {
            self.told.clear();
        }
        match self.told.get_mut(&key) {
            Some((last, _)) if *last == value => false,
            Some((last, changes)) => {
                (*last, *changes) = (value, changes.saturating_add(1));
                !may_be_measured || *changes < CHANGES_MAX
            }
            None => {
                self.told.insert(key, (value, 0));
                true
            }
        }
    }
}

/// Whether the answer says whose it is.
fn is_identified(pdu: &Pdu<'_>, bytes: &[u8]) -> bool {
    let mut identified = false;
    // What is wrong in the bindings is found where they are taken.
    let _: Result<(), Malformed> = pdu.bindings(&mut |binding| identified |= part(bytes, &binding.name) == SYS_OBJECT_ID);
    identified
}

/// Takes the facts out of the bindings. An agent that shows its own community does not make it a fact.
/// A maker's own numbers are kept where the answer says beside them whose they are: who asks so asks for an identity, elsewhere they are measurements.
fn take(reading: &mut Reading, pdu: &Pdu<'_>, bytes: &[u8], community: &[u8]) {
    let (mut private, identified) = (0, is_identified(pdu, bytes));
    // What is wrong in them was found before.
    let _: Result<(), Malformed> = pdu.bindings(&mut |Binding { name, tag, value }| {
        let (name, said) = (part(bytes, &name), part(bytes, &value));
        let Some(object) = Object::of(name, tag, said) else { return };
        private += usize::from(matches!(object, Object::Private | Object::Number));
        if object == Object::Private && said == community {
            return reading.hide(value);
        }
        if private > PRIVATE_FACTS_MAX && matches!(object, Object::Private | Object::Number) {
            return;
        }
        if object == Object::Number && !identified {
            return;
        }
        if let Some((path, shape)) = object.fact(name) {
            reading.fact(path, shape, value);
        }
    });
}

/// Who a trap speaks for: v1 has the agent's address, a proxy adds it to v2's (RFC 3584, 3.1).
fn agent_of(said: &Said<'_>, pdu: &Pdu<'_>) -> Agent {
    let mut named = pdu.agent;
    // Bindings that cannot be read are reported where they are told.
    let _: Result<(), Malformed> = pdu.bindings(&mut |Binding { name, tag, value }| {
        if object::is_trap_address(part(said.bytes, &name), tag) {
            named = part(said.bytes, &value).try_into().ok().or(named);
        }
    });
    let sender = |ip: &Ipv4Addr| said.from.ip == Some((*ip).into());
    (said.by_server, named.map(Ipv4Addr::from).filter(|ip| !ip.is_unspecified() && !sender(ip)))
}

/// Where the agent is.
fn address(said: &Said<'_>, (_, named): Agent) -> Address {
    match named {
        Some(ip) => Address { ip: Some(ip.into()), ..Address::default() },
        None => said.speaker(),
    }
}

fn part<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_default()
}
