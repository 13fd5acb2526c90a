//! What a server says that is its own to choose, read out of its answers by the guard itself. OPC 10000-6, 5.2 and 6.7; OPC 10000-4, 5.6 to 5.9.

use std::sync::{Mutex, PoisonError};

use super::{CHANNEL, DEVICES, DI, NODES, SESSION, USER_POLICY};
use crate::guard::table::Slot;

/// Bytes of an answer that are held until it is whole: what our hello says.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Nodes of a browse that are asked for their properties: three times 16 references are what the row has.
pub const DEVICES_MAX: usize = 3;
/// Properties that are read: what two Reads have.
const NODES_MAX: usize = 32;
/// Properties of one Read (read-only.md section 2).
const NODES_OF_ONE_MAX: usize = 16;
/// Bytes of a NodeId that a question may name.
const NODE_BYTES_MAX: usize = 128;
/// Behind the header of a chunk (8): channel, token, sequence number, request id (4 each).
const BODY: usize = 24;
const DI_URI: &[u8] = b"http://opcfoundation.org/UA/DI/";
/// Names of a nameplate (OPC 10000-100, 4.5), and one that Siemens adds.
const PLATE: [&[u8]; 13] = [
    b"Manufacturer",
    b"ManufacturerUri",
    b"Model",
    b"ProductCode",
    b"OrderNumber",
    b"HardwareRevision",
    b"SoftwareRevision",
    b"DeviceRevision",
    b"SerialNumber",
    b"ProductInstanceUri",
    b"DeviceClass",
    b"AssetId",
    b"ComponentName",
];
/// What stands behind a node in a Read: attribute 13 (value), all of it, in any encoding.
const VALUE: [u8; 14] = [13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff];
/// What stands behind a node in a Browse: forward, HasProperty and its subtypes, variables, with their names.
const PROPERTIES: [u8; 15] = [0, 0, 0, 0, 0, 46, 1, 2, 0, 0, 0, 10, 0, 0, 0];

/// What one connection's server has said.
#[derive(Debug)]
pub struct Said {
    /// Mode and policy of the channel: which endpoint it is.
    mode: u32,
    policy: Vec<u8>,
    /// Which way of saying who asks: 0 anonymous, 1 user and password.
    user: u32,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Bytes of a chunk that is not whole, and of an answer that is not.
    chunk: Vec<u8>,
    answer: Vec<u8>,
    browses: usize,
    created: Option<Created>,
}

/// What a server says at a session's beginning so that it is believed.
#[derive(Clone, Debug, Default)]
pub struct Created {
    /// Its nonce.
    pub nonce: Vec<u8>,
    /// Its certificate.
    pub certificate: Vec<u8>,
    /// Its signature over our certificate and our nonce.
    pub signature: Vec<u8>,
    /// The policy by which it wants our user's secret encrypted; empty where that is the channel's.
    pub user_security: Vec<u8>,
}

/// A slot, and what may stand in it.
type Learned = Vec<(&'static Slot, Vec<u8>)>;

impl Said {
    /// Nothing yet, on a channel of this mode and policy.
    pub fn new(mode: u32, policy: Vec<u8>, user: u32) -> Self {
        Self { mode, policy, user, heard: Mutex::default() }
    }

    /// How the session began that it gave, if it did.
    pub fn created(&self) -> Option<Created> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).created.clone()
    }

    /// The next bytes of its stream, in clear.
    pub fn hear(&self, bytes: &[u8]) -> Learned {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut learned = Vec::new();
        heard.chunk.extend_from_slice(bytes);
        while let Some(size) = heard.chunk.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes) {
            let size = size as usize;
            if !(8..=ANSWER_BYTES_MAX).contains(&size) {
                heard.chunk.clear();
                break;
            }
            if heard.chunk.len() < size {
                break;
            }
            let chunk: Vec<u8> = heard.chunk.drain(..size).collect();
            learned.extend(self.part(&mut heard, &chunk).unwrap_or_default());
        }
        learned
    }

    fn part(&self, heard: &mut Heard, chunk: &[u8]) -> Option<Learned> {
        match chunk.get(..4)? {
            b"OPNF" => {
                let mut walk = Walk { bytes: chunk, at: 12 };
                (0..3).try_for_each(|_| walk.text().map(drop))?;
                walk.take(8)?;
                opened(walk)
            }
            b"MSGF" | b"MSGC" => {
                heard.answer.extend_from_slice(chunk.get(BODY..)?);
                if heard.answer.len() > ANSWER_BYTES_MAX {
                    heard.answer.clear();
                }
                if chunk.get(3) == Some(&b'C') {
                    return None;
                }
                let answer = std::mem::take(&mut heard.answer);
                self.answer(heard, &answer)
            }
            _ => None,
        }
    }

    fn answer(&self, heard: &mut Heard, answer: &[u8]) -> Option<Learned> {
        let mut walk = Walk { bytes: answer, at: 0 };
        let service = walk.service()?;
        walk.header()?;
        match service {
            431 => self.endpoints(&mut walk)?.map(|(policy, _)| vec![(&USER_POLICY, policy)]),
            464 => {
                walk.node()?;
                let session = walk.node()?.to_vec();
                walk.take(8)?;
                let (nonce, certificate) = (walk.text()?.to_vec(), walk.text()?.to_vec());
                let policy = self.endpoints(&mut walk)?;
                // Software certificates with their signatures, then the algorithm's name.
                (0..walk.count()?).try_for_each(|_| walk.text().and_then(|_| walk.text()).map(drop))?;
                walk.text()?;
                let signature = walk.text()?.to_vec();
                let user_security = policy.as_ref().map(|(_, security)| security.clone()).unwrap_or_default();
                heard.created = Some(Created { nonce, certificate, signature, user_security });
                let policy = policy.map(|(policy, _)| (&USER_POLICY, policy));
                let session = (session.len() <= NODE_BYTES_MAX).then_some((&SESSION, session));
                Some(session.into_iter().chain(policy).collect())
            }
            530 => {
                heard.browses += 1;
                let nodes = browsed(&mut walk)?;
                Some(if heard.browses == 1 { vec![(&DEVICES, devices(&nodes))] } else { properties(&nodes) })
            }
            634 => namespace(&mut walk).map(|index| vec![(&DI, vec![index])]),
            _ => None,
        }
    }

    /// The id under which this channel's endpoint takes our kind of user, and by which policy it wants a secret encrypted.
    fn endpoints(&self, walk: &mut Walk<'_>) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
        let mut found = None;
        for _ in 0..walk.count()? {
            walk.text()?;
            walk.application()?;
            walk.text()?;
            let is_ours = (walk.number()?, walk.text()?) == (self.mode, self.policy.as_slice());
            for _ in 0..walk.count()? {
                let start = walk.at;
                walk.text()?;
                let id = walk.bytes.get(start..walk.at)?;
                let kind = walk.number()?;
                walk.text()?;
                walk.text()?;
                let security = walk.text()?;
                if is_ours && kind == self.user && found.is_none() {
                    found = Some((id.to_vec(), security.to_vec()));
                }
            }
            walk.text()?;
            walk.take(1)?;
        }
        Some(found)
    }
}

/// Channel and token out of the answer that opens it.
fn opened(mut walk: Walk<'_>) -> Option<Learned> {
    if walk.service()? != 449 {
        return None;
    }
    walk.header()?;
    walk.take(4)?;
    Some(vec![(&CHANNEL, walk.take(8)?.to_vec())])
}

/// Which of the namespaces, the first value of a Read, is DI's.
fn namespace(walk: &mut Walk<'_>) -> Option<u8> {
    walk.count().filter(|count| *count > 0)?;
    if walk.take(1)?.first()? & 1 == 0 || walk.take(1)? != [0x8c] {
        return None;
    }
    (0..walk.count()?.min(256)).find_map(|index| (walk.text()? == DI_URI).then(|| u8::try_from(index).ok())?)
}

/// Nodes with their names, as a browse has them: forward references to nodes that can be asked for as they stand.
fn browsed<'a>(walk: &mut Walk<'a>) -> Option<Vec<(&'a [u8], &'a [u8])>> {
    let mut nodes = Vec::new();
    for _ in 0..walk.count()? {
        walk.take(4)?;
        walk.text()?;
        for _ in 0..walk.count()? {
            walk.node()?;
            let forward = walk.take(1)? != [0];
            let node = walk.node()?;
            walk.take(2)?;
            let name = walk.text()?;
            walk.localized()?;
            walk.take(4)?;
            walk.node()?;
            let is_local = node.first().is_some_and(|first| first & 0xc0 == 0);
            if forward && is_local && node.len() <= NODE_BYTES_MAX {
                nodes.push((node, name));
            }
        }
    }
    Some(nodes)
}

fn list(nodes: &[&[u8]], behind: &[u8]) -> Vec<u8> {
    let elements: Vec<u8> = nodes.iter().flat_map(|node| [*node, behind].concat()).collect();
    [&u32::try_from(nodes.len()).unwrap_or(0).to_le_bytes()[..], &elements].concat()
}

/// The first few that may be devices.
fn devices(nodes: &[(&[u8], &[u8])]) -> Vec<u8> {
    let devices = nodes.iter().filter(|(_, name)| *name != b"DeviceFeatures").map(|(node, _)| *node);
    list(&devices.take(DEVICES_MAX).collect::<Vec<_>>(), &PROPERTIES)
}

/// The parts of nameplates, a Read's worth each.
fn properties(nodes: &[(&[u8], &[u8])]) -> Learned {
    let parts: Vec<&[u8]> = nodes.iter().filter(|(_, name)| PLATE.contains(name)).map(|(node, _)| *node).take(NODES_MAX).collect();
    parts.chunks(NODES_OF_ONE_MAX).map(|nodes| (&NODES, list(nodes, &VALUE))).collect()
}

/// Fields one after the other.
pub struct Walk<'a> {
    /// Of these bytes.
    pub bytes: &'a [u8],
    /// From here.
    pub at: usize,
}

impl<'a> Walk<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    /// An array's length; none is negative.
    fn count(&mut self) -> Option<u32> {
        self.number().map(|count| if count > i32::MAX as u32 { 0 } else { count })
    }

    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(if length == u32::MAX { 0 } else { length as usize })
    }

    fn localized(&mut self) -> Option<()> {
        let mask = *self.take(1)?.first()?;
        (0..(mask & 3).count_ones()).try_for_each(|_| self.text().map(drop))
    }

    /// A NodeId or ExpandedNodeId, as it is written.
    pub fn node(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let first = *self.take(1)?.first()?;
        match first & 0x3f {
            0 => self.take(1)?,
            1 => self.take(3)?,
            2 => self.take(6)?,
            3 | 5 => self.take(2).and_then(|_| self.text())?,
            4 => self.take(18)?,
            _ => return None,
        };
        if first & 0x80 != 0 {
            self.text()?;
        }
        if first & 0x40 != 0 {
            self.take(4)?;
        }
        self.bytes.get(start..self.at)
    }

    /// The type of a body, of namespace 0.
    fn service(&mut self) -> Option<u32> {
        match self.node()? {
            [0, number] => Some((*number).into()),
            [1, 0, low, high] => Some(u16::from_le_bytes([*low, *high]).into()),
            [2, 0, 0, number @ ..] => number.try_into().ok().map(u32::from_le_bytes),
            _ => None,
        }
    }

    /// The header of an answer that is good and has no diagnostics, because we asked for none.
    pub fn header(&mut self) -> Option<()> {
        self.take(12)?;
        let result = self.number()?;
        if result >> 30 != 0 || self.take(1)? != [0] {
            return None;
        }
        (0..self.count()?).try_for_each(|_| self.text().map(drop))?;
        self.node()?;
        (self.take(1)? == [0]).then_some(())
    }

    /// An ApplicationDescription.
    fn application(&mut self) -> Option<()> {
        self.text()?;
        self.text()?;
        self.localized()?;
        self.take(4)?;
        self.text()?;
        self.text()?;
        (0..self.count()?).try_for_each(|_| self.text().map(drop))
    }
}
