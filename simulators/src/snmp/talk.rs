//! One peer: what it gets, and what trips.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::v3::{Judged, Message};
use super::{Oid, PORT, Persona, SYSTEM, Value, ber, entity_column};
use crate::fault::{Fault, More, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

/// One of the system group and 16 more (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 17;
/// And two for the engine and its clock in version 3 (there).
const V3_QUESTIONS_MAX: u32 = QUESTIONS_MAX + 2;
/// Names in one request (there).
const NAMES_MAX: usize = 10;
/// Repetitions of a GETBULK (there).
const REPETITIONS_MAX: u32 = 10;
/// Rows of the entity table (there).
const ROWS_MAX: usize = 64;

const GET: u8 = 0xA0;
const GET_NEXT: u8 = 0xA1;
const RESPONSE: u8 = 0xA2;
const GET_BULK: u8 = 0xA5;
const NO_SUCH_NAME: u32 = 2;
const GENERAL_ERROR: u32 = 5;
const NO_SUCH_OBJECT: u8 = 0x80;
const NO_SUCH_INSTANCE: u8 = 0x81;
const END_OF_VIEW: u8 = 0x82;

/// Columns of the entity table that may be read (there): 2, and 4 to 13.
const fn is_column(column: u32) -> bool {
    column == 2 || matches!(column, 4..=13)
}

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Udp]
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        if self.engine.users.is_empty() { QUESTIONS_MAX } else { V3_QUESTIONS_MAX }
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Peer { persona: self.clone(), guesses: BTreeSet::new(), rows: BTreeSet::new(), salt: 0 })
    }

    fn sample(&self) -> Vec<u8> {
        let names = ber::element(ber::SEQUENCE, &binding(&[&SYSTEM[..], &[1, 0]].concat(), &[ber::NULL, 0]));
        let pdu = [ber::integer(1), ber::integer(0), ber::integer(0), names].concat();
        message(&ber::integer(1), &self.community, &ber::element(GET, &pdu))
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        // Where the content of an element ends, counted from the front, by how much is left behind it.
        let end = |rest: &[u8]| answer.len().checked_sub(rest.len().checked_add(1)?);
        let found = ber::expect(answer, ber::SEQUENCE).and_then(|(body, _)| {
            let (_, after_version) = ber::expect(body, ber::INTEGER)?;
            let (_, after_community) = ber::expect(after_version, ber::OCTETS)?;
            let (_, pdu, _) = ber::split(after_community)?;
            let (_, after_id) = ber::expect(pdu, ber::INTEGER)?;
            Some((end(after_version)?, end(after_id)?))
        });
        let length = if answer.get(1).is_some_and(|&first| first < 0x80) { 1..2 } else { 2..4 };
        Layout {
            header_bytes: length.end,
            transaction: found.map(|(_, id)| id),
            unit: None,
            protocol: found.map(|(version, _)| version),
            length: Some(length),
        }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        match fault {
            &Fault::EndlessMore(more) => Some(Arc::new(Self { endless: Some(more), ..self.clone() })),
            Fault::HostileText => {
                let mut hostile = self.clone();
                for (number, value) in hostile.objects.values_mut().enumerate() {
                    if let Value::Text(text) = value {
                        *text = hostile_text(number, 255);
                    }
                }
                Some(Arc::new(hostile))
            }
            _ => None,
        }
    }
}

fn message(version: &[u8], community: &[u8], pdu: &[u8]) -> Vec<u8> {
    ber::element(ber::SEQUENCE, &[version, &ber::element(ber::OCTETS, community), pdu].concat())
}

fn binding(name: &[u32], value: &[u8]) -> Vec<u8> {
    ber::element(ber::SEQUENCE, &[&ber::oid(name), value].concat())
}

/// A request, read.
struct Request<'a> {
    v2c: bool,
    community: &'a [u8],
    kind: u8,
    /// The whole element, as it goes back.
    id: &'a [u8],
    /// Of a GETBULK the non-repeaters and the repetitions; else 0.
    numbers: [u32; 2],
    names: Vec<Oid>,
    /// The list as it came.
    bindings: &'a [u8],
}

impl<'a> Request<'a> {
    /// `None` for anything that is not exactly a request: every name with a NULL, nothing left over.
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let (body, b"") = ber::expect(datagram, ber::SEQUENCE)? else { return None };
        let (version, body) = ber::expect(body, ber::INTEGER)?;
        let v2c = ber::number(version).filter(|version| *version < 2)? == 1;
        let (community, body) = ber::expect(body, ber::OCTETS)?;
        Self::of_pdu(v2c, community, body)
    }

    fn of_pdu(v2c: bool, community: &'a [u8], bytes: &'a [u8]) -> Option<Self> {
        let (kind, pdu, b"") = ber::split(bytes)? else { return None };
        let (_, after_id) = ber::expect(pdu, ber::INTEGER)?;
        let id = pdu.get(..pdu.len().checked_sub(after_id.len())?)?;
        let (first, rest) = ber::expect(after_id, ber::INTEGER)?;
        let (second, rest) = ber::expect(rest, ber::INTEGER)?;
        let (mut list, b"") = ber::expect(rest, ber::SEQUENCE)? else { return None };
        let mut names = Vec::new();
        while !list.is_empty() {
            let (pair, rest) = ber::expect(list, ber::SEQUENCE)?;
            let (name, value) = ber::expect(pair, ber::OBJECT)?;
            if value != [ber::NULL, 0] {
                return None;
            }
            names.push(ber::read_oid(name)?);
            list = rest;
        }
        Some(Self { v2c, community, kind, id, numbers: [ber::number(first)?, ber::number(second)?], names, bindings: rest })
    }

    /// The PDU of an answer.
    fn answer(&self, error: u32, index: u32, bindings: &[u8]) -> Vec<u8> {
        ber::element(RESPONSE, &[self.id, &ber::integer(error), &ber::integer(index), bindings].concat())
    }
}

struct Peer {
    persona: Persona,
    /// Communities that were tried.
    guesses: BTreeSet<Vec<u8>>,
    /// Rows of the entity table that were told.
    rows: BTreeSet<Vec<u32>>,
    /// Messages of version 3 so far: no two are encrypted alike.
    salt: u32,
}

impl Talk for Peer {
    fn cut(&self, heard: &[u8]) -> Cut {
        if heard.is_empty() { Cut::More } else { Cut::Whole(heard.len()) }
    }

    fn take(&mut self, datagram: &[u8]) -> Heard {
        let version = ber::expect(datagram, ber::SEQUENCE).and_then(|(body, _)| ber::expect(body, ber::INTEGER));
        if version.is_some_and(|(version, _)| version == [3]) {
            return self.take_v3(datagram);
        }
        let Some(request) = Request::read(datagram) else {
            return Heard::silent("no GET, GETNEXT or GETBULK with names and nothing else");
        };
        let mut trips = self.faults_of(&request);
        let spoken = if request.v2c { self.persona.v2c } else { self.persona.v1 };
        if !spoken || request.community != self.persona.community {
            return Heard { trips, ..Heard::default() };
        }
        let pdu = self.answer(&request, &mut trips);
        let answer = message(&ber::integer(request.v2c.into()), request.community, &pdu);
        Heard { answers: vec![answer], trips, hangs_up: false }
    }
}

impl Peer {
    fn answer(&mut self, request: &Request<'_>, trips: &mut Vec<&'static str>) -> Vec<u8> {
        let pdu = match request.kind {
            GET => self.get(request),
            GET_NEXT => self.next(request, 1),
            GET_BULK if request.v2c => self.next(request, request.numbers[1].min(u32::from(u8::MAX))),
            _ => request.answer(GENERAL_ERROR, 0, request.bindings),
        };
        trips.extend((self.rows.len() > ROWS_MAX).then_some("more than 64 rows of the entity table"));
        pdu
    }

    fn take_v3(&mut self, datagram: &[u8]) -> Heard {
        if self.persona.engine.users.is_empty() {
            // An agent without version 3 counts it and says nothing (RFC 3412, 7.2).
            return Heard::default();
        }
        self.salt = self.salt.wrapping_add(1);
        let user = Message::read(datagram).map(|message| message.user.to_vec()).unwrap_or_default();
        match self.persona.engine.judge(datagram, self.salt) {
            Judged::Nothing => Heard::silent("no message of version 3"),
            Judged::Report(report, true) => Heard::answered(report),
            Judged::Report(report, false) => Heard::tripped(report, "a user who is refused"),
            Judged::Asked(pdu, wrap) => {
                let Some(request) = Request::of_pdu(true, &user, &pdu) else {
                    return Heard::silent("no GET, GETNEXT or GETBULK with names and nothing else");
                };
                let mut trips = self.faults_of(&request);
                let answer = wrap.answer(&self.answer(&request, &mut trips));
                Heard { answers: vec![answer], trips, hangs_up: false }
            }
        }
    }

    fn faults_of(&mut self, request: &Request) -> Vec<&'static str> {
        let mut faults = Vec::new();
        self.guesses.insert(request.community.to_vec());
        faults.extend((self.guesses.len() > 1).then_some("a second community or user: guessing"));
        faults.extend((!(1..=NAMES_MAX).contains(&request.names.len())).then_some("no name, or more than ten"));
        let [first, second] = request.numbers;
        let may = |name: &Oid| match request.kind {
            GET => {
                let system = [1, 2, 3, 5].iter().any(|object| name.strip_prefix(&SYSTEM) == Some(&[*object, 0]));
                system || self.persona.listed.contains(name)
            }
            _ => entity_column(name).is_some_and(|(column, _)| is_column(column)),
        };
        match request.kind {
            GET | GET_NEXT => faults.extend((first != 0 || second != 0).then_some("a request that states an error")),
            GET_BULK if !request.v2c => faults.push("GETBULK in version 1"),
            GET_BULK => faults.extend((second > REPETITIONS_MAX).then_some("more than ten repetitions")),
            _ => faults.push("a PDU that is not on the allowlist"),
        }
        faults.extend((!request.names.iter().all(may)).then_some("an object that is not on the allowlist"));
        faults
    }

    /// Version 1: all or nothing (RFC 1157, 4.1.2). Version 2c: each for itself (RFC 3416, 4.2.1).
    fn get(&self, request: &Request) -> Vec<u8> {
        let mut told = Vec::new();
        for (name, number) in request.names.iter().zip(1_u32..) {
            match self.persona.objects.get(name) {
                Some(value) => told.extend(binding(name, &ber::value(value))),
                None if !request.v2c => return request.answer(NO_SUCH_NAME, number, request.bindings),
                None => {
                    let object = name.split_last().map(|(_, object)| object).unwrap_or_default();
                    let known = self.persona.objects.keys().any(|other| other.starts_with(object));
                    told.extend(binding(name, &[if known { NO_SUCH_INSTANCE } else { NO_SUCH_OBJECT }, 0]));
                }
            }
        }
        request.answer(0, 0, &ber::element(ber::SEQUENCE, &told))
    }

    /// GETNEXT (one repetition of all names) and GETBULK (RFC 3416, 4.2.3).
    fn next(&mut self, request: &Request, repetitions: u32) -> Vec<u8> {
        let mut told = Vec::new();
        let once = if request.kind == GET_BULK { usize::try_from(request.numbers[0]).unwrap_or(usize::MAX) } else { 0 };
        let mut names = request.names.clone();
        for repetition in 0..repetitions.max(u32::from(once > 0)) {
            for (position, name) in names.iter_mut().enumerate() {
                if repetition > 0 && position < once {
                    continue;
                }
                match self.persona.after(name) {
                    Some((next, value)) => {
                        told.extend(binding(&next, &ber::value(&value)));
                        self.rows.extend(entity_column(&next).map(|(_, index)| index.to_vec()));
                        *name = next;
                    }
                    None if !request.v2c => {
                        return request.answer(NO_SUCH_NAME, u32::try_from(position).unwrap_or(0).saturating_add(1), request.bindings);
                    }
                    None => told.extend(binding(name, &[END_OF_VIEW, 0])),
                }
            }
        }
        request.answer(0, 0, &ber::element(ber::SEQUENCE, &told))
    }
}

impl Persona {
    /// The object after this one, in order.
    fn after(&self, name: &Oid) -> Option<(Oid, Value)> {
        match self.endless {
            None => {
                let mut behind = self.objects.range::<Oid, _>((Bound::Excluded(name), Bound::Unbounded));
                behind.next().map(|(name, value)| (name.clone(), value.clone()))
            }
            Some(more) => {
                let mut next = name.clone();
                match (entity_column(name), more) {
                    (Some((_, [_, ..])), More::Repeating) => {}
                    (Some((_, [_, ..])), More::Rising) => {
                        let last = next.last_mut()?;
                        *last = last.saturating_add(1);
                    }
                    _ => next.push(1),
                }
                Some((next, Value::Text(b"endless".to_vec())))
            }
        }
    }
}
