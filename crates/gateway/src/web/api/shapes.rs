//! Shapes that the description needs and that other crates have: they say what `serde` writes, and are never made.
#![expect(dead_code, reason = "the description is made of their types alone")]

use std::net::IpAddr;

use nameplate_core::account;
use nameplate_core::catalog;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// One of some words.
fn word<const WORDS: usize>(words: [&'static str; WORDS]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).enum_values(Some(words)).build().into()
}

/// What an account is for (docs/accounts.md).
pub struct Role;

impl PartialSchema for Role {
    fn schema() -> RefOr<Schema> {
        word(account::Role::ALL.map(account::Role::name))
    }
}

impl ToSchema for Role {}

/// One thing that somebody may do (docs/accounts.md).
pub struct Right;

impl PartialSchema for Right {
    fn schema() -> RefOr<Schema> {
        word(account::Right::ALL.map(account::Right::name))
    }
}

impl ToSchema for Right {}

/// A kind of event.
pub struct Happened;

impl PartialSchema for Happened {
    fn schema() -> RefOr<Schema> {
        word(catalog::Happened::ALL.map(catalog::Happened::name))
    }
}

impl ToSchema for Happened {}

/// Who spoke. Absent parts are left out.
#[derive(Serialize, ToSchema)]
pub struct Address {
    /// Hardware address, `00:80:f4:00:00:01`; behind a router it is the router's.
    mac: Option<String>,
    /// Network address.
    #[schema(value_type = Option<String>)]
    ip: Option<IpAddr>,
    /// Transport port of the server.
    port: Option<u16>,
    /// Serial line, as the machine that asked on it calls it.
    line: Option<String>,
    /// Modbus unit identifier.
    unit: Option<u8>,
    /// DNP3 link address.
    link: Option<u16>,
    /// Rack of an S7 station.
    rack: Option<u8>,
    /// Slot in a rack or backplane.
    slot: Option<u16>,
    /// BACnet device instance.
    instance: Option<u32>,
    /// BACnet network number.
    network: Option<u16>,
    /// Station on that network, in hexadecimal digits.
    station: Option<String>,
    /// HART long address, in hexadecimal digits.
    hart: Option<String>,
    /// CIP route behind the address: `1/0`.
    path: Option<String>,
    /// A name by which the protocol addresses the part that speaks.
    name: Option<String>,
    /// The owner's zone in which it was heard or asked.
    zone: Option<String>,
}

/// How a reading came here.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Heard in a capture.
    Capture {
        /// The file.
        file: String,
        /// Frame that completed the answer, from 1.
        frame: u64,
    },
    /// Heard on an interface.
    Live {
        /// Its name.
        interface: String,
        /// Frame that completed the answer, from 1.
        frame: u64,
    },
    /// Asked.
    Asked {
        /// The work order or plan that allowed it.
        reason: String,
    },
    /// From a list that somebody made.
    Imported {
        /// The file.
        file: String,
        /// Its row, from 1.
        row: u64,
    },
    /// Read off the device by a person.
    ByHand {
        /// Who.
        by: String,
        /// SHA-256 of a photo of it.
        photo_sha256: Option<String>,
        /// Who looked on.
        second: Option<String>,
    },
}

/// A question that asks a device for its firmware.
#[derive(Serialize, ToSchema)]
pub struct Question {
    /// The protocol in which it is put.
    protocol: String,
    /// What it asks for.
    asks: String,
    /// How it is carried: transport and port.
    over: String,
    /// Its bytes in hexadecimal digits; `..` stands for what the device's own address fills in.
    bytes: String,
    /// Where the bytes are specified.
    source: String,
}

/// The products a decision is about; every part that is named must fit.
#[derive(Serialize, ToSchema)]
pub struct ProductLine {
    /// A profile's id.
    profile: Option<String>,
    /// The maker.
    manufacturer: Option<String>,
    /// The model.
    model: Option<String>,
    /// The order or product code.
    product_code: Option<String>,
}

/// The document that a decision rests on.
#[derive(Serialize, ToSchema)]
pub struct Origin {
    /// What kind of document.
    kind: String,
    /// Its name or id.
    document: String,
    /// SHA-256 of its bytes.
    sha256: Option<String>,
    /// What it says, letter by letter.
    text: Option<String>,
    /// The ranges that it calls affected.
    #[schema(required = false)]
    affected: Vec<String>,
}

/// One release of a set.
#[derive(Serialize, ToSchema)]
pub struct Member {
    /// Of which products.
    line: ProductLine,
    /// Of which part of them.
    component: String,
    /// Which of its revisions.
    field: String,
    /// The release.
    release: String,
}

/// Releases that are approved together.
#[derive(Serialize, ToSchema)]
pub struct CompatibilitySet {
    /// Its name.
    name: String,
    /// The releases.
    members: Vec<Member>,
    /// The devices that are one group.
    #[schema(required = false)]
    together: Vec<String>,
    /// In force from then on, in nanoseconds since 1970.
    from_ns: Option<u64>,
    /// In force until then, in nanoseconds since 1970.
    until_ns: Option<u64>,
    /// The document it rests on.
    origin: Option<Origin>,
    /// Who decided.
    by: String,
    /// Who agreed.
    second: Option<String>,
    /// Why.
    reason: String,
}
