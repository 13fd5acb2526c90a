//! Bundles of evidence for download. What is in one is gathered beside everybody's work; only the entry that says that it exists waits its turn.

use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use nameplate_core::account::Event;
use nameplate_core::ledger::Body;

use super::asked::Of;
use super::devices::find;
use super::{Problem, Web};
use crate::account::Person;
use crate::command::evidence::Prepared;
use crate::failure::Failure;
use crate::house::House;
use crate::store::{Draft, Store};

/// What a bundle is about.
pub enum Subject {
    /// A device, by its id or enough of its beginning.
    Device(String),
    /// A change, by its work order.
    Change(String),
}

/// A bundle, to be kept as a file.
pub struct File {
    name: String,
    bytes: Vec<u8>,
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"{}.evidence.json\"", self.name);
        ([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)], self.bytes).into_response()
    }
}

/// A bundle of evidence about a device: what it said, with the bytes, the profiles that read them and the proofs that all of it stands in the log.
#[utoipa::path(
    post, path = "/devices/{id}/evidence", tag = "evidence", security(("token" = ["audit"]), ("session" = ["audit"])),
    params(("id" = String, Path, description = "Its id, or one that it had before, or enough of its beginning")),
    responses(
        (status = 200, body = Object, description = "As `nameplate evidence export` writes it (docs/evidence.md); that somebody took it stands in the ledger"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn of_device(State(web): State<Web>, Extension(person): Extension<Person>, Of(id): Of<String>) -> Result<File, Problem> {
    web.folded(move |house| bundle(house, person.name, &Subject::Device(id))).await
}

/// A bundle of evidence about a change: how it was agreed, its readings and verdicts.
#[utoipa::path(
    post, path = "/changes/{order}/evidence", tag = "evidence", security(("token" = ["audit"]), ("session" = ["audit"])),
    params(("order" = String, Path, description = "The work order")),
    responses(
        (status = 200, body = Object, description = "As `nameplate evidence export` writes it (docs/evidence.md); that somebody took it stands in the ledger"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn of_change(State(web): State<Web>, Extension(person): Extension<Person>, Of(order): Of<String>) -> Result<File, Problem> {
    web.folded(move |house| bundle(house, person.name, &Subject::Change(order))).await
}

/// The bundle, and the entries that say who took it.
///
/// # Errors
/// 404; the store.
pub fn bundle(house: &House, by: String, subject: &Subject) -> Result<File, Problem> {
    let (subject, about) = house.known(|known| match subject {
        Subject::Device(id) => find(known, id).map(|asset| (asset.id.clone(), asset.id.clone())),
        Subject::Change(order) => {
            let missing = || Problem::missing("no change was opened for this work order");
            known.view.changes.get(order).map(|_| (order.clone(), format!("work order {order}"))).ok_or_else(missing)
        }
    })?;
    let none = || Problem::unavailable("there is no ledger");
    let store = Store::read(&house.directory)?.ok_or_else(none)?;
    let prepared = Prepared::of(&store, &subject).map_err(|failure| unmade(house, failure))?;
    let (page, listed) = house.enter_at(|_, now_ns, first| {
        let wanted = Event::Wanted { by, what: format!("takes a bundle of evidence about {about}") };
        // It stands behind the entry that says who took it.
        let listed = (first.saturating_add(1), now_ns);
        let (page, body) = prepared.page(store.keys(), listed);
        let drafts = [Body::Account(wanted), body].map(|body| Draft::new(now_ns, body)).into();
        Ok::<_, Problem>((drafts, (page, listed.0)))
    })?;
    let (bytes, _) = prepared.bundle(&Store::read(&house.directory)?.ok_or_else(none)?, page, listed)?;
    Ok(File { name: file_name(&subject), bytes })
}

/// Why there is no bundle: too much belongs to it, or bytes are not kept any more. What the disk said names its place, and is our own fault.
fn unmade(house: &House, failure: Failure) -> Problem {
    let place = house.directory.display().to_string();
    if failure.why.contains(&place) { failure.into() } else { Problem::conflict(failure.why) }
}

/// A name that any system takes for a file's: what is no letter, digit or hyphen is a hyphen.
pub fn file_name(subject: &str) -> String {
    subject.chars().map(|own| if own.is_ascii_alphanumeric() || own == '.' || own == '_' { own } else { '-' }).collect()
}
