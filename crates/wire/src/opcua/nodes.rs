//! What clients read out of a server's address space: its BuildInfo, and nameplates of devices (DI) whose nodes a browse has named.

use super::NAME;
use super::application::build;
use super::builtin::{Value, each, is_good, localized, node_id, qualified, request_header, response_header, text, value};
use crate::conversation::Over;
use crate::gathered::Gathered;
use crate::{Address, Cursor, Malformed, Reading, Shape};

pub(super) const BROWSE: u32 = 527;
pub(super) const TRANSLATE: u32 = 554;
pub(super) const READ: u32 = 631;
pub(super) const FAULT: u32 = 397;

/// Named nodes remembered: a controller with some dozen modules of a dozen properties.
const NAMES_MAX: usize = 512;
/// Browses remembered with their answers, because a reading is not to be understood without the one that named its nodes.
const BROWSES_MAX: usize = 64;
/// Nodes of one question that are looked at; servers allow a thousand or so at a time.
const NODES_MAX: usize = 4096;
/// Devices whose nameplates one answer may hold.
const DEVICES_MAX: usize = 64;

/// Value, of the attributes of a node (OPC 10000-6, A.1).
const VALUE: u32 = 13;
/// ServerStatus, its BuildInfo, and the fields of that (NodeIds.csv).
const SERVER: u32 = 2256;
const BUILD: u32 = 2260;
const BUILD_FIELDS: [(u32, &str); 6] = [
    (2261, "product_name"),
    (2262, "product_uri"),
    (2263, "manufacturer"),
    (2264, "software_version"),
    (2265, "build_number"),
    (2266, "date"),
];
/// How ServerStatus and BuildInfo are encoded (NodeIds.csv).
const SERVER_ENCODING: u32 = 864;
const BUILD_ENCODING: u32 = 340;

/// Properties of a device (OPC 10000-100, 4.5), and one that Siemens adds.
const PROPERTIES: [(&str, &str); 13] = [
    ("Manufacturer", "manufacturer"),
    ("ManufacturerUri", "manufacturer_uri"),
    ("Model", "model"),
    ("ProductCode", "product_code"),
    ("OrderNumber", "order_number"),
    ("HardwareRevision", "hardware_revision"),
    ("SoftwareRevision", "software_revision"),
    ("DeviceRevision", "device_revision"),
    ("SerialNumber", "serial_number"),
    ("ProductInstanceUri", "product_instance_uri"),
    ("DeviceClass", "device_class"),
    ("AssetId", "asset_id"),
    ("ComponentName", "component_name"),
];

/// Nodes whose names were heard.
#[derive(Debug, Default)]
pub(super) struct Names {
    named: Vec<Named>,
    /// Question and answer that named them.
    browses: Vec<(Gathered, Gathered)>,
}

#[derive(Debug)]
struct Named {
    node: String,
    /// The node that has it as a property.
    device: String,
    field: &'static str,
    browse: usize,
}

/// What a node of a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Server,
    Build,
    Field(&'static str),
    /// Index into [`Names`].
    Named(usize),
}

pub(super) fn property(name: &[u8]) -> Option<&'static str> {
    PROPERTIES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, field)| *field)
}

impl Names {
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Takes the answer to a browse, or to paths that were translated.
    pub fn learn(&mut self, service: u32, asked: &Gathered, answer: &Gathered) {
        if self.browses.len() == BROWSES_MAX {
            return;
        }
        let before = self.named.len();
        // What was named before the bytes went wrong is named.
        let _ = if service == BROWSE { self.browse(asked, answer) } else { self.translate(asked, answer) };
        if self.named.len() > before {
            self.browses.push((asked.clone(), answer.clone()));
        }
    }

    fn name(&mut self, node: String, device: &str, field: &'static str) {
        if self.named.len() < NAMES_MAX && self.named.iter().all(|known| known.node != node) {
            self.named.push(Named { node, device: device.to_owned(), field, browse: self.browses.len() });
        }
    }

    /// Browse (OPC 10000-4, 5.9.2).
    fn browse(&mut self, asked: &Gathered, answer: &Gathered) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(NAME, asked.bytes());
        node_id(&mut cursor)?;
        request_header(&mut cursor)?;
        node_id(&mut cursor)?;
        cursor.take(8 + 4 + 4, "view (OPC 10000-4, 7.45)")?;
        let mut devices = Vec::new();
        each(&mut cursor, |cursor, _| {
            let device = node_id(cursor)?;
            cursor.take(4, "browse direction (OPC 10000-4, 5.9.2)")?;
            node_id(cursor)?;
            cursor.take(1 + 4 + 4, "BrowseDescription (OPC 10000-4, 5.9.2)")?;
            if devices.len() < DEVICES_MAX {
                devices.push(device.to_string());
            }
            Ok(())
        })?;
        let bytes = answer.bytes();
        let mut cursor = answered(bytes)?;
        each(&mut cursor, |cursor, index| {
            cursor.take(4, "status of a BrowseResult (OPC 10000-4, 7.6)")?;
            text(cursor)?;
            each(cursor, |cursor, _| {
                node_id(cursor)?;
                let forward = cursor.u8("direction of a reference (OPC 10000-4, 7.30)")?;
                let node = node_id(cursor)?;
                let name = qualified(cursor)?;
                localized(cursor)?;
                cursor.take(4, "node class (OPC 10000-4, 7.30)")?;
                node_id(cursor)?;
                if let (Some(device), Some(field), true) =
                    (devices.get(index as usize), property(bytes.get(name).unwrap_or_default()), forward != 0)
                {
                    self.name(node.to_string(), device, field);
                }
                Ok(())
            })
        })
    }

    /// TranslateBrowsePathsToNodeIds (OPC 10000-4, 5.9.4).
    fn translate(&mut self, asked: &Gathered, answer: &Gathered) -> Result<(), Malformed> {
        let mut cursor = Cursor::new(NAME, asked.bytes());
        node_id(&mut cursor)?;
        request_header(&mut cursor)?;
        let mut paths = Vec::new();
        each(&mut cursor, |cursor, _| {
            let mut device = node_id(cursor)?.to_string();
            let mut last = 0..0;
            each(cursor, |cursor, index| {
                node_id(cursor)?;
                cursor.take(2, "RelativePathElement (OPC 10000-4, 7.31)")?;
                let step = core::mem::replace(&mut last, qualified(cursor)?);
                if index > 0 {
                    device += &format!("/{}", asked.bytes().get(step).unwrap_or_default().escape_ascii());
                }
                Ok(())
            })?;
            if paths.len() < NODES_MAX {
                paths.push((device, property(asked.bytes().get(last).unwrap_or_default())));
            }
            Ok(())
        })?;
        let mut cursor = answered(answer.bytes())?;
        each(&mut cursor, |cursor, index| {
            cursor.take(4, "status of a BrowsePathResult (OPC 10000-4, 5.9.4)")?;
            each(cursor, |cursor, _| {
                let node = node_id(cursor)?;
                cursor.take(4, "remaining path (OPC 10000-4, 5.9.4)")?;
                if let Some((device, Some(field))) = paths.get(index as usize) {
                    self.name(node.to_string(), device, field);
                }
                Ok(())
            })
        })
    }

    /// The nodes of a Read (OPC 10000-4, 5.11.2) that are a part of a nameplate, with their places.
    fn wanted(&self, asked: &[u8]) -> Result<Vec<(u32, Wanted)>, Malformed> {
        let mut cursor = Cursor::new(NAME, asked);
        node_id(&mut cursor)?;
        request_header(&mut cursor)?;
        cursor.take(8 + 4, "Read (OPC 10000-4, 5.11.2)")?;
        let mut wanted = Vec::new();
        each(&mut cursor, |cursor, index| {
            let node = node_id(cursor)?;
            let attribute = cursor.u32_le("attribute (OPC 10000-4, 7.29)")?;
            let part = text(cursor)?;
            qualified(cursor)?;
            if attribute != VALUE || !part.is_empty() || wanted.len() == NODES_MAX {
                return Ok(());
            }
            let field = |number| BUILD_FIELDS.iter().find(|(known, _)| *known == number).map(|(_, field)| Wanted::Field(field));
            let named = || {
                let node = if self.is_empty() { return None } else { node.to_string() };
                self.named.iter().position(|named| named.node == node).map(Wanted::Named)
            };
            let what = match node.standard() {
                Some(SERVER) => Some(Wanted::Server),
                Some(BUILD) => Some(Wanted::Build),
                Some(number) => field(number),
                None => named(),
            };
            wanted.extend(what.map(|what| (index, what)));
            Ok(())
        })?;
        Ok(wanted)
    }

    /// True for a Read of something that is a part of a nameplate.
    pub fn wants(&self, asked: &Gathered) -> bool {
        self.wanted(asked.bytes()).is_ok_and(|wanted| !wanted.is_empty())
    }

    /// The answer to a Read: one reading for the server, one for each device.
    pub fn read(&self, asked: &Gathered, answer: &Gathered, whole: bool, server: &Address) -> Vec<Reading> {
        let wanted = self.wanted(asked.bytes()).unwrap_or_default();
        let mut values = Vec::new();
        let (mut next, bytes) = (wanted.iter().peekable(), answer.bytes());
        let read = answered(bytes).and_then(|mut cursor| {
            each(&mut cursor, |cursor, index| {
                let value = value(cursor, 0)?;
                if let (Some((_, what)), Some(value)) = (next.next_if(|(place, _)| *place == index), value) {
                    values.push((*what, value));
                }
                Ok(())
            })
        });
        let mut readings: Vec<(Option<usize>, Reading)> = Vec::new();
        for (what, value) in values {
            let first = if let Wanted::Named(named) = what { Some(named) } else { None };
            let device = |named: Option<usize>| named.and_then(|named| self.named.get(named)).map(|named| &named.device);
            let known = readings.iter().position(|(known, _)| device(*known) == device(first));
            let place = match known {
                Some(place) => place,
                None if readings.len() == DEVICES_MAX => continue,
                None => {
                    readings.push((first, self.reading(first, asked, answer, whole, server)));
                    readings.len() - 1
                }
            };
            let Some((_, reading)) = readings.get_mut(place) else { continue };
            if let Err(malformed) = self.facts(what, value, answer, reading) {
                answer.broken(reading, malformed);
            }
        }
        let readings = readings.into_iter().map(|(_, mut reading)| {
            if let Err(malformed) = &read {
                answer.broken(&mut reading, malformed.clone());
            }
            reading
        });
        readings.filter(|reading| !reading.facts.is_empty()).collect()
    }

    fn reading(&self, named: Option<usize>, asked: &Gathered, answer: &Gathered, whole: bool, server: &Address) -> Reading {
        let named = named.and_then(|named| self.named.get(named));
        let question = if named.is_some() { "opcua.device" } else { "opcua.build" };
        let speaker = Address { name: named.map(|named| named.device.clone()), ..server.clone() };
        let mut reading = Reading { complete: whole, ..Reading::new(NAME, Over::Tcp, question, speaker) };
        let browse = named.and_then(|named| self.browses.get(named.browse));
        browse.into_iter().for_each(|(asked, _)| asked.hand_to(&mut reading));
        asked.hand_to(&mut reading);
        reading.asked = reading.messages.len();
        browse.into_iter().for_each(|(_, answer)| answer.hand_to(&mut reading));
        answer.hand_to(&mut reading);
        reading
    }

    fn facts(&self, what: Wanted, value: Value, answer: &Gathered, reading: &mut Reading) -> Result<(), Malformed> {
        let path = match what {
            Wanted::Named(named) => self.named.get(named).map(|named| format!("opcua.device.{}", named.field)),
            Wanted::Field(field) => Some(format!("opcua.build.{field}")),
            Wanted::Server | Wanted::Build => None,
        };
        let whole = Cursor::new(NAME, answer.bytes());
        match (path, value) {
            (Some(path), Value::Text(range)) if !range.is_empty() => answer.fact(reading, path, Shape::Text, range),
            (Some(path), Value::Number(range)) => answer.fact(reading, path, Shape::NumberLe, range),
            (None, Value::Structure(BUILD_ENCODING, body)) if what == Wanted::Build => {
                build(&mut whole.from(body.start).until(body.end), answer, reading)?;
            }
            // Start (8), current time (8), state (4): OPC 10000-5, 12.10.
            (None, Value::Structure(SERVER_ENCODING, body)) if what == Wanted::Server => {
                let mut cursor = whole.from(body.start).until(body.end);
                cursor.take(8 + 8 + 4, "ServerStatus (OPC 10000-5, 12.10)")?;
                build(&mut cursor, answer, reading)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Behind the header of a response whose service was done.
fn answered(bytes: &[u8]) -> Result<Cursor<'_>, Malformed> {
    let mut cursor = Cursor::new(NAME, bytes);
    node_id(&mut cursor)?;
    let at = cursor;
    if !is_good(response_header(&mut cursor)?) {
        return Err(at.wrong("the service was not done (OPC 10000-4, 7.34)"));
    }
    Ok(cursor)
}

/// That a server does not do what it was asked is an answer.
pub(super) fn fault(asked: &Gathered, answer: &Gathered, server: &Address) -> Option<Reading> {
    let mut cursor = Cursor::new(NAME, answer.bytes());
    node_id(&mut cursor).ok()?;
    cursor.take(8 + 4, "ResponseHeader (OPC 10000-4, 7.34)").ok()?;
    let code = cursor.range(4, "ResponseHeader (OPC 10000-4, 7.34)").ok()?;
    let mut reading = Reading { complete: true, ..Reading::new(NAME, Over::Tcp, "opcua.build", server.clone()) };
    asked.hand_to(&mut reading);
    reading.asked = reading.messages.len();
    answer.hand_to(&mut reading);
    answer.fact(&mut reading, "opcua.fault", Shape::HexLe, code);
    Some(reading)
}
