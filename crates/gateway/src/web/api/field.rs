//! The field side: what listens, what was asked, and having devices read.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use nameplate_core::account;
use nameplate_core::catalog::Asset;
use nameplate_core::ledger;
use nameplate_core::observation::rfc3339;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::Body;
use super::{Problem, Web};
use crate::account::Person;
use crate::hatch::Heard;
use crate::house::{FieldSide, House, Wish};
use crate::lines::place;

/// Devices of one wish: what a site has.
const DEVICES_MAX: usize = 10_000;
/// Characters of a work order: it stands in each line of the touch record.
const ORDER_CHARS_MAX: usize = 80;

/// What is known of the process that listens and asks.
#[derive(Serialize, ToSchema)]
pub struct Listener {
    /// Since when it is there; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Program and version.
    program: String,
    /// The site's name, as its file has it.
    site: String,
    /// Fingerprint of the key that seals its touch record.
    key: String,
    /// What is listened to.
    interfaces: Vec<Interface>,
    /// Frames that came in on all of them since they were opened.
    frames_received: u64,
    /// Frames for which there was no room.
    frames_dropped: u64,
    /// Reports that were given up because nobody took them.
    reports_given_up: u64,
    /// Devices that may be asked, as the site file names them.
    listed: Vec<String>,
    /// What is being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<Round>,
}

/// A network interface that is listened to.
#[derive(Serialize, ToSchema)]
struct Interface {
    /// Its name on the gateway.
    name: String,
    /// Frames that came in since it was opened.
    frames_received: u64,
    /// Frames for which there was no room.
    frames_dropped: u64,
    /// Pieces of conversations that never came here.
    gaps: u64,
    /// Messages that could not be decoded, by the layer or protocol that they were of.
    malformed: BTreeMap<String, u64>,
}

/// Devices that are being asked.
#[derive(Serialize, ToSchema)]
struct Round {
    number: u64,
    /// The plan or the work order.
    why: String,
    devices: usize,
}

/// The listener, and what it may ask.
#[utoipa::path(
    get, path = "/listeners", tag = "field", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Vec<Listener>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn listeners(State(web): State<Web>) -> Json<Vec<Listener>> {
    let field = web.house().field().clone();
    let (frames_received, frames_dropped) = field.frames();
    let interface = |Heard { interface, received, dropped, gaps, malformed }| Interface {
        name: interface,
        frames_received: received,
        frames_dropped: dropped,
        gaps,
        malformed,
    };
    Json(vec![Listener {
        since: field.since_ns.map(rfc3339),
        program: field.program,
        site: field.site,
        key: field.key,
        interfaces: field.interfaces.into_iter().map(interface).collect(),
        frames_received,
        frames_dropped,
        reports_given_up: field.given_up,
        listed: field.listed,
        round: field.round.map(|round| Round { number: round.number, why: round.why, devices: round.devices }),
    }])
}

/// Who is to be read, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Devices, as the site file names them (`/listeners`).
    #[schema(min_items = 1, max_items = 10_000)]
    devices: Vec<String>,
    /// The work order; it stands in each line of the touch record.
    #[schema(min_length = 1, max_length = 80)]
    order: String,
}

/// What was wanted.
#[derive(Serialize, ToSchema)]
pub struct Wished {
    /// How many devices are asked as soon as the round before is over.
    devices: usize,
}

/// Has listed devices read, within their windows and budgets. Who wants it goes into the ledger first.
#[utoipa::path(
    post, path = "/rounds", tag = "field", security(("token" = ["ask"]), ("session" = ["ask"])),
    request_body = Wanted,
    responses((status = 202, body = Wished), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn round(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(Wanted { devices, order }): Body<Wanted>,
) -> Result<(StatusCode, Json<Wished>), Problem> {
    let count = devices.len();
    web.apart(move |house| want(house, &person, devices, &order)).await?;
    Ok((StatusCode::ACCEPTED, Json(Wished { devices: count })))
}

/// As [`round`]; pages want the same.
///
/// # Errors
/// 400: no devices, no work order, a device that is not listed; 409: the field side is not there, or too much waits.
pub fn want(house: &House, person: &Person, devices: Vec<String>, order: &str) -> Result<(), Problem> {
    let order = order.trim();
    if order.is_empty() || order.chars().count() > ORDER_CHARS_MAX || order.chars().any(char::is_control) {
        return Err(Problem::bad(format!("a work order has 1 to {ORDER_CHARS_MAX} characters that can be printed")));
    }
    if devices.is_empty() || devices.len() > DEVICES_MAX {
        return Err(Problem::bad(format!("1 to {DEVICES_MAX} devices are read at once")));
    }
    {
        let field = house.field();
        if field.since_ns.is_none() {
            return Err(Problem::conflict("the field side is not there, so nobody can be asked"));
        }
        if let Some(unknown) = devices.iter().find(|device| !field.listed.contains(device)) {
            return Err(Problem::bad(format!("the site file lists no device {unknown:?}; only listed devices are asked")));
        }
    }
    let what = format!("wants {} read for work order {order}", crate::print::count(devices.len() as u64, "device"));
    let event = account::Event::Wanted { by: person.name.clone(), what };
    house.enter(|_, _| Ok::<_, Problem>((vec![ledger::Body::Account(event)], ())))?;
    Ok(house.wish(Wish { devices, order: order.to_owned() })?)
}

/// As the site file names it. Two that could be it are none.
pub fn listed(field: &FieldSide, names: &[String]) -> Option<String> {
    let mut fitting = field.listed.iter().filter(|listed| names.contains(listed));
    fitting.next().filter(|_| fitting.next().is_none()).cloned()
}

/// How the site file may name it: by the owner's tag, or by its target. Not by the name that it gives itself: anybody may say one.
pub fn names(asset: &Asset) -> Vec<String> {
    let tag = asset.columns.get("tag").cloned();
    tag.into_iter().chain(asset.addresses.iter().map(place)).filter(|name| !name.is_empty()).collect()
}
