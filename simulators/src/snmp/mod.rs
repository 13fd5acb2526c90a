//! An SNMP agent by datagrams: versions 1, 2c and, with users, 3. RFC 1157 (v1), RFC 1901 and 3416 (v2c), ITU-T X.690 (BER), RFC 6933 (ENTITY-MIB v4),
//! RFC 3418 (system group).

mod ber;
mod talk;
mod usm;
mod v3;

use std::collections::{BTreeMap, BTreeSet};

pub use usm::{Cipher, Hash, User};
pub use v3::Engine;

use crate::fault::More;

/// An SNMP agent.
pub type Device = crate::device::Device<Persona>;
/// An object identifier, arc by arc.
pub type Oid = Vec<u32>;

const PORT: u16 = 161;
/// `system`: 1.3.6.1.2.1.1.
const SYSTEM: [u32; 7] = [1, 3, 6, 1, 2, 1, 1];
/// `entPhysicalEntry`: 1.3.6.1.2.1.47.1.1.1.1.
const ENT_PHYSICAL_ENTRY: [u32; 11] = [1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1];

/// A value as the agent sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// INTEGER.
    Integer(i32),
    /// OCTET STRING.
    Text(Vec<u8>),
    /// OBJECT IDENTIFIER.
    Oid(Oid),
    /// `TimeTicks`: hundredths of a second.
    Ticks(u32),
}

/// An agent as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The one community that it answers.
    pub community: Vec<u8>,
    /// Whether it answers version 1.
    pub v1: bool,
    /// Whether it answers version 2c.
    pub v2c: bool,
    /// Who it is in version 3, and whom it knows there.
    pub engine: Engine,
    /// All that it has.
    pub objects: BTreeMap<Oid, Value>,
    /// Objects that its profile lists, and that so may be got beside the system group.
    pub listed: BTreeSet<Oid>,
    /// The entity table never ends.
    pub endless: Option<More>,
}

/// A row of `entPhysicalTable` by the columns that carry a nameplate (RFC 6933).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entity {
    /// Column 2.
    pub description: Vec<u8>,
    /// Column 5; 3 is a chassis, 9 a module.
    pub class: i32,
    /// Column 8.
    pub hardware: Vec<u8>,
    /// Column 9.
    pub firmware: Vec<u8>,
    /// Column 10.
    pub software: Vec<u8>,
    /// Column 11.
    pub serial: Vec<u8>,
    /// Column 12.
    pub manufacturer: Vec<u8>,
    /// Column 13.
    pub model: Vec<u8>,
}

impl Persona {
    /// An agent of both versions with the community `public` and a system group.
    pub fn new(description: &[u8], object_id: &[u32], name: &[u8], up_ticks: u32) -> Self {
        let system = [
            (1, Value::Text(description.to_vec())),
            (2, Value::Oid(object_id.to_vec())),
            (3, Value::Ticks(up_ticks)),
            (5, Value::Text(name.to_vec())),
        ];
        let objects = system.into_iter().map(|(object, value)| ([&SYSTEM[..], &[object, 0]].concat(), value)).collect();
        Self {
            community: b"public".to_vec(),
            v1: true,
            v2c: true,
            engine: Engine::default(),
            objects,
            listed: BTreeSet::new(),
            endless: None,
        }
    }

    /// The same with these rows of the entity table, by their index.
    pub fn with_entities(mut self, entities: impl IntoIterator<Item = (u32, Entity)>) -> Self {
        for (index, entity) in entities {
            let texts = [
                (2, entity.description),
                (8, entity.hardware),
                (9, entity.firmware),
                (10, entity.software),
                (11, entity.serial),
                (12, entity.manufacturer),
                (13, entity.model),
            ];
            let columns = texts.map(|(column, text)| (column, Value::Text(text))).into_iter().chain([(5, Value::Integer(entity.class))]);
            self.objects.extend(columns.map(|(column, value)| ([&ENT_PHYSICAL_ENTRY[..], &[column, index]].concat(), value)));
        }
        self
    }
}

/// The column and the row index of an object below `entPhysicalEntry`.
fn entity_column(oid: &[u32]) -> Option<(u32, &[u32])> {
    let (column, index) = oid.strip_prefix(&ENT_PHYSICAL_ENTRY)?.split_first()?;
    Some((*column, index))
}

#[cfg(test)]
mod tests;
