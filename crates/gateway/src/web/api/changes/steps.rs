//! Steps of people besides those of a ring: what was checked, what is left, and the end.

use axum::Json;
use axum::extract::{Extension, State};
use nameplate_core::change::{Authentic, Check, Event, Left};
use nameplate_core::view::View;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::asked::{Body, Of};
use super::super::{Problem, Web};
use super::{Taken, decided, missing};
use crate::account::Person;
use crate::command::change::steps::{Becomes, Kind, assets, closing};
use crate::command::change::time_ns;

/// What was done before the installation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheck {
    /// What was checked.
    pub kind: Kind,
    /// For these devices; all of the scope where none is named.
    #[serde(default)]
    pub assets: Vec<String>,
    /// SHA-256 of the file: the backup, or the software.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Where the software came from.
    #[serde(default)]
    pub source: Option<String>,
    /// The SHA-256 that the vendor publishes. One of these three is enough.
    #[serde(default)]
    pub vendor_sha256: Option<String>,
    /// Whose signature was checked, and with what.
    #[serde(default)]
    pub signature: Option<String>,
    /// The source offers neither hash nor signature: where that was looked for.
    #[serde(default)]
    pub not_offered: Option<String>,
    /// What else is to be said.
    #[serde(default)]
    pub note: Option<String>,
}

/// Devices that a change leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLeft {
    /// The devices, by their ids or enough of their beginnings.
    #[schema(min_items = 1)]
    pub assets: Vec<String>,
    /// What becomes of them.
    pub becomes: Becomes,
    /// Until when, RFC 3339 in UTC: of what is deferred or mitigated.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
    )]
    #[serde(default)]
    pub until: Option<String>,
    /// Why.
    #[schema(min_length = 1)]
    pub reason: String,
}

/// Writes down what was checked before the installation.
#[utoipa::path(
    post, path = "/changes/{order}/checks", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order")), request_body = NewCheck,
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn check(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(order): Of<String>,
    Body(done): Body<NewCheck>,
) -> Result<Json<Taken>, Problem> {
    checked(&web, person, order, done).await
}

/// As [`check`]; the page writes the same.
///
/// # Errors
/// 400: two ways in which the software is known to be the vendor's, a device that is in no catalog; 409: what the check lacks.
pub async fn checked(web: &Web, person: Person, order: String, done: NewCheck) -> Result<Json<Taken>, Problem> {
    let authentic = [
        done.vendor_sha256.map(|digits| Authentic::VendorSha256(digits.to_lowercase())),
        done.signature.map(Authentic::Signature),
        done.not_offered.map(Authentic::NotOffered),
    ];
    let mut authentic = authentic.into_iter().flatten();
    let (first, more) = (authentic.next(), authentic.next());
    if more.is_some() {
        return Err(Problem::bad("say one of vendor_sha256, signature and not_offered"));
    }
    let of = order.clone();
    let decide = move |view: &View, _| {
        let assets = assets(&view.catalog, &done.assets)?;
        let sha256 = done.sha256.map(|digits| digits.to_lowercase());
        let check =
            Check { kind: done.kind.into(), assets, by: person.name, sha256, source: done.source, authentic: first, note: done.note };
        Ok(Event::Checked { order, check })
    };
    decided(web, of, decide).await
}

/// Says why devices are left: deferred, failed, mitigated.
#[utoipa::path(
    post, path = "/changes/{order}/leave", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order")), request_body = NewLeft,
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn leave(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(order): Of<String>,
    Body(wanted): Body<NewLeft>,
) -> Result<Json<Taken>, Problem> {
    left(&web, person, order, wanted).await
}

/// As [`leave`]; the page writes the same.
///
/// # Errors
/// 400: a time that is none, a device that is in no catalog; 409: an end that is missing or over.
pub async fn left(web: &Web, person: Person, order: String, wanted: NewLeft) -> Result<Json<Taken>, Problem> {
    let NewLeft { assets: named, becomes, until, reason } = wanted;
    let until_ns = until.map(|text| time_ns("until", &text)).transpose()?;
    let of = order.clone();
    let decide = move |view: &View, _| {
        let assets = assets(&view.catalog, &named)?;
        Ok(Event::Left { order, left: Left { assets, fate: becomes.into(), reason, until_ns, by: person.name } })
    };
    decided(web, of, decide).await
}

/// Closes a change with its verdict: every device is as expected, or left for a reason. What no serial number proves is accepted with the verification of
/// its ring, by a second person.
#[utoipa::path(
    post, path = "/changes/{order}/close", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    params(("order" = String, Path, description = "The work order")),
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn close(State(web): State<Web>, Extension(person): Extension<Person>, Of(order): Of<String>) -> Result<Json<Taken>, Problem> {
    closed(&web, person, order).await
}

/// As [`close`]; the page closes the same.
///
/// # Errors
/// 409: devices that are neither done nor left.
pub async fn closed(web: &Web, person: Person, order: String) -> Result<Json<Taken>, Problem> {
    let of = order.clone();
    let decide = move |view: &View, _| {
        let change = view.changes.get(&order).ok_or_else(missing)?;
        Ok(closing(change, &person.name, None))
    };
    decided(web, of, decide).await
}
