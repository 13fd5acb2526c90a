//! Reads the answers to one question, page by page, from a capture or from a live device.

use super::{
    EXCEPTION_BIT, FUNCTION_ENCAPSULATED, FUNCTION_HOLDING_REGISTERS, FUNCTION_SERVER_ID, MBAP_BYTES, MEI_IDENTIFICATION, Mbap, NAME,
    Question, rtu, sunspec,
};
use crate::conversation::Over;
use crate::{Address, Fact, Malformed, Message, Reading, Shape};

/// PDU bytes before the first object: function, MEI type, read code, conformity, more follows, next object, count. Clause 6.21.
const PAGE_HEADER_BYTES: usize = 7;
/// Pages put together to one answer: objects come to 32 KiB at most in 128 pages, real devices send up to a handful.
const PAGES_MAX: usize = 64;
/// "More follows" when another request is needed. Clause 6.21.
const MORE_FOLLOWS: u8 = 0xff;

/// A read of one object: its answer does not show what else there is.
const SINGLE_OBJECT: Question = Question::Identification { code: 4, object: 0 };

/// What a client does after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continue {
    /// The device said that this is all (an exception is an answer, too).
    Complete,
    /// The device has more, from this object on.
    Next(u8),
    /// The answer is broken or goes round in circles: nothing more is asked.
    Stop,
}

/// What stands around a PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Modbus TCP: the MBAP header.
    Mbap,
    /// Serial line: unit and check bytes, which were compared before.
    Rtu,
}

impl Framing {
    const fn protocol(self) -> &'static str {
        match self {
            Self::Mbap => NAME,
            Self::Rtu => rtu::NAME,
        }
    }

    const fn pdu_at(self) -> usize {
        match self {
            Self::Mbap => MBAP_BYTES,
            Self::Rtu => rtu::PDU_AT,
        }
    }

    /// Where the PDU ends, by the framing's own word; more or fewer bytes may be there.
    fn pdu_end(self, adu: &[u8]) -> Result<Option<usize>, Malformed> {
        match self {
            Self::Mbap => Ok(Mbap::read(adu)?.map(|mbap| mbap.adu_bytes)),
            Self::Rtu => Ok(adu.len().checked_sub(rtu::CHECK_BYTES)),
        }
    }
}

/// Collects the answer to one question over as many messages as it takes.
#[derive(Clone, Debug)]
pub struct Answering {
    framing: Framing,
    reading: Reading,
    /// Highest object id so far: ids must rise strictly, or the device would be read forever.
    last_object: Option<u8>,
}

impl Answering {
    /// Starts with no message. `question` is what was asked; `speaker` who is to answer.
    #[must_use]
    pub fn new(question: Question, speaker: Address) -> Self {
        Self::framed(Framing::Mbap, Over::Tcp, question, speaker)
    }

    /// As [`Answering::new`], for answers as they stand on a serial line, or as a serial server hands them on; their check bytes were compared before.
    #[must_use]
    pub fn serial(question: Question, speaker: Address, over: Over) -> Self {
        Self::framed(Framing::Rtu, over, question, speaker)
    }

    fn framed(framing: Framing, over: Over, question: Question, speaker: Address) -> Self {
        let reading = Reading::new(framing.protocol(), over, question.name(), speaker);
        Self { framing, reading, last_object: None }
    }

    /// Recognises an identity answer that was heard without its question; `None` for every other message.
    #[must_use]
    pub fn question_of(adu: &[u8]) -> Option<Question> {
        Self::question_of_pdu(adu.get(MBAP_BYTES..)?)
    }

    /// As [`Answering::question_of`], from the function code on.
    #[must_use]
    pub fn question_of_pdu(pdu: &[u8]) -> Option<Question> {
        match pdu {
            [FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, code, ..] => Some(Question::Identification { code: *code, object: 0 }),
            [FUNCTION_SERVER_ID, ..] => Some(Question::ServerId),
            // Wherever it stands: the registers themselves say what they are.
            [FUNCTION_HOLDING_REGISTERS, _, registers @ ..] if sunspec::begins(registers) => {
                Some(Question::Sunspec { base: sunspec::BASES[0] })
            }
            [function, ..] if *function == FUNCTION_ENCAPSULATED | EXCEPTION_BIT => Some(Question::Identification { code: 0, object: 0 }),
            [function, ..] if *function == FUNCTION_SERVER_ID | EXCEPTION_BIT => Some(Question::ServerId),
            _ => None,
        }
    }

    /// True when `adu` is the page that this answer is waiting for; `asked` is its question, where that was heard.
    #[must_use]
    pub fn continues_with(&self, asked: Option<Question>, adu: &[u8]) -> bool {
        let pdu = adu.get(self.framing.pdu_at()..).unwrap_or_default();
        let first_object = pdu.get(PAGE_HEADER_BYTES).copied();
        asked.is_none_or(|question| question.name() == self.reading.question)
            && matches!(Self::question_of_pdu(pdu), Some(Question::Identification { code: 1.., .. }))
            && first_object > self.last_object
            && self.last_object.is_some()
    }

    /// Takes the next message, cut or whole, and reads it. Every byte is kept, whatever it says.
    pub fn answer(&mut self, message: Message) -> Continue {
        let next = self.read(self.reading.messages.len(), &message.bytes);
        self.reading.messages.push(message);
        // One object is the whole answer to its question, and not the whole identity.
        let single = self.reading.question == SINGLE_OBJECT.name();
        self.reading.complete = next == Continue::Complete && !single;
        next
    }

    /// The reading so far.
    #[must_use]
    pub fn into_reading(self) -> Reading {
        self.reading
    }

    fn read(&mut self, index: usize, adu: &[u8]) -> Continue {
        let pdu_at = self.framing.pdu_at();
        let promised = match self.framing.pdu_end(adu) {
            Ok(Some(end)) => end,
            Ok(None) => return self.stop(index, Malformed::short("mbap", 0, MBAP_BYTES, adu.len(), "MBAP header (TCP guide 3.1.3)")),
            Err(malformed) => return self.stop(index, malformed),
        };
        // Bytes behind the promised length are not this message's.
        let there = &adu[..adu.len().min(promised)];
        if there.len() < promised {
            let missing = Malformed::short("modbus", there.len(), promised - there.len(), 0, "MBAP length field");
            self.reading.malformed.push((index, missing));
        }
        let cut = there.len() < promised;
        let next = match there.get(pdu_at..) {
            Some([FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, ..]) => self.page(index, there),
            Some([FUNCTION_SERVER_ID, ..]) => self.server_id(index, there),
            Some([FUNCTION_HOLDING_REGISTERS, _, registers @ ..]) if sunspec::begins(registers) => self.sunspec(index, there),
            Some([function, code, ..]) if function & EXCEPTION_BIT != 0 => {
                self.fact("exception", index, pdu_at, &[*function, *code]);
                Continue::Complete
            }
            _ => self.stop(index, Malformed::wrong("modbus", pdu_at, "not an answer to an identity question")),
        };
        if cut { Continue::Stop } else { next }
    }

    /// One page of function 43/14. Devices send odd conformity levels, fewer objects than they count, and bytes behind the last
    /// object: all of that is kept as a finding, and every object whose bytes are all there is a fact.
    fn page(&mut self, index: usize, adu: &[u8]) -> Continue {
        let pdu_at = self.framing.pdu_at();
        let Some(&[_, _, code, conformity, more, next_object, count]) = adu[pdu_at..].first_chunk::<PAGE_HEADER_BYTES>() else {
            let had = adu.len() - pdu_at;
            return self.stop(index, Malformed::short("modbus", pdu_at, PAGE_HEADER_BYTES, had, "identification header (6.21)"));
        };
        self.fact("conformity", index, pdu_at + 3, &[conformity]);
        let before = self.last_object;
        let mut at = pdu_at + PAGE_HEADER_BYTES;
        for _ in 0..count {
            let Some(&[id, length]) = adu[at..].first_chunk::<2>() else {
                let short = Malformed::short("modbus", at, 2, adu.len() - at, "number of objects (6.21)");
                return self.stop(index, short);
            };
            let end = at + 2 + usize::from(length);
            let Some(value) = adu.get(at + 2..end) else {
                let short = Malformed::short("modbus", at + 2, usize::from(length), adu.len() - at - 2, "object length (6.21)");
                return self.stop(index, short);
            };
            if self.last_object.is_none_or(|last| id > last) {
                self.fact(&format!("object.{id}"), index, at + 2, value);
                self.last_object = Some(id);
            } else {
                // The first value stands: a later one must not replace what a shorter capture would have shown.
                self.reading.malformed.push((index, Malformed::wrong("modbus", at, "object ids rise strictly (6.21)")));
            }
            at = end;
        }
        if at < adu.len() {
            self.reading.malformed.push((index, Malformed::wrong("modbus", at, "bytes behind the last object (6.21)")));
        }
        self.follow(index, (code, more, next_object), before)
    }

    /// Where the next page starts, if it may be asked for: ids rise, or we stop. npm modbus-serial announces its private objects behind
    /// a regular read and starts again at 0 when it is asked for them; the set that was asked for ends before.
    fn follow(&mut self, index: usize, (code, more, next_object): (u8, u8, u8), before: Option<u8>) -> Continue {
        let pdu_at = self.framing.pdu_at();
        match more {
            0 => Continue::Complete,
            MORE_FOLLOWS if self.last_object > before && next_object > last_of_set(code) => Continue::Complete,
            MORE_FOLLOWS if index + 1 >= PAGES_MAX => {
                self.stop(index, Malformed::wrong("modbus", pdu_at + 4, "more pages than are put together"))
            }
            MORE_FOLLOWS if self.last_object > before && self.last_object.is_some_and(|last| next_object > last) => {
                Continue::Next(next_object)
            }
            MORE_FOLLOWS => self.stop(index, Malformed::wrong("modbus", pdu_at + 5, "next object id rises strictly (6.21)")),
            _ => self.stop(index, Malformed::wrong("modbus", pdu_at + 4, "more follows is 00 or FF (6.21)")),
        }
    }

    /// Function 17. The specification leaves the layout to the device: id, run byte and text in any mixture, so the text is a
    /// fact of its own only where it stands whole between bytes that are no text.
    fn server_id(&mut self, index: usize, adu: &[u8]) -> Continue {
        let count_at = self.framing.pdu_at() + 1;
        let Some(&count) = adu.get(count_at) else {
            return self.stop(index, Malformed::short("modbus", count_at, 1, 0, "byte count (6.13)"));
        };
        let body_at = count_at + 1;
        let Some(body) = adu.get(body_at..body_at + usize::from(count)) else {
            let had = adu.len() - body_at;
            return self.stop(index, Malformed::short("modbus", body_at, usize::from(count), had, "byte count (6.13)"));
        };
        self.fact("server_id", index, body_at, body);
        if let Some((start, text)) = only_text(body) {
            self.fact("server_id.text", index, body_at + start, text);
        }
        if adu.len() > body_at + body.len() {
            self.reading.malformed.push((index, Malformed::wrong("modbus", body_at + body.len(), "bytes behind the byte count (6.13)")));
        }
        Continue::Complete
    }

    /// The common model of SunSpec. A client may read more or fewer registers than it has; each text that is all there is a fact.
    fn sunspec(&mut self, index: usize, adu: &[u8]) -> Continue {
        let count_at = self.framing.pdu_at() + 1;
        let (count, registers_at) = (adu.get(count_at).copied().unwrap_or_default(), count_at + 1);
        let registers = &adu[registers_at..];
        if registers.len() != usize::from(count) {
            self.reading.malformed.push((index, Malformed::wrong("modbus", count_at, "bytes that the byte count says (6.3)")));
        }
        let registers = &registers[..registers.len().min(count.into())];
        let mut complete = true;
        for (name, place) in sunspec::TEXTS {
            match registers.get(place.clone()) {
                Some(text) => self.fact(&format!("sunspec.{name}"), index, registers_at + place.start, text),
                None => complete = false,
            }
        }
        if complete { Continue::Complete } else { Continue::Stop }
    }

    fn fact(&mut self, path: &str, message: usize, offset: usize, bytes: &[u8]) {
        self.reading.facts.push(Fact {
            path: format!("{}.{path}", self.framing.protocol()),
            bytes: bytes.to_vec(),
            shape: Shape::Text,
            message,
            offset,
        });
    }

    fn stop(&mut self, index: usize, malformed: Malformed) -> Continue {
        self.reading.malformed.push((index, malformed));
        Continue::Stop
    }
}

/// Highest object id of the set that a read code asks for: basic, regular, or all. Clause 6.21.
const fn last_of_set(code: u8) -> u8 {
    match code {
        1 => 0x02,
        2 => 0x7f,
        _ => 0xff,
    }
}

/// The one run of printable ASCII in `body` with its offset; `None` when there is none, or when bytes that are no text stand in
/// the middle of it, because then nobody can say where the text ends.
///
/// A printable server id in front of a run byte (00 or FF) is not text: `53 FF ...` starts behind the run byte.
fn only_text(body: &[u8]) -> Option<(usize, &[u8])> {
    let printable = |b: &u8| (0x20..0x7f).contains(b);
    let start = if body.get(1).is_some_and(|run| matches!(run, 0x00 | 0xff)) { 2 } else { body.iter().position(printable)? };
    let text = body.get(start..)?;
    let end = text.iter().rposition(printable)? + 1;
    text[..end].iter().all(printable).then_some((start, &text[..end]))
}

#[cfg(test)]
mod tests;
