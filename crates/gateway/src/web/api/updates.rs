//! Updates from a stick: what was applied, and an update of advisories that somebody brings, as `nameplate update apply` takes it.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::imports::file;
use super::parameters::Parameters;
use super::{Problem, Web};
use crate::account::Person;
use crate::advisories::bytes_of;
use crate::command::import::advisories::Line as Document;
use crate::command::update::Line;
use crate::failure::{Code, Failure};
use crate::house::House;
use crate::update::{Publishers, Sealed, advisories};
use crate::web::upload::{UPLOAD_BYTES_MAX, Upload};

/// What was applied last, of each publisher and kind.
#[derive(Serialize, ToSchema)]
pub struct Updates {
    pub updates: Vec<Line>,
}

/// What was taken of an update.
#[derive(Serialize, ToSchema)]
#[schema(as = TakenUpdate)]
pub struct Taken {
    /// Who published it.
    pub publisher: String,
    /// Its version.
    pub version: u64,
    /// Fingerprint of the key that signed it.
    pub signed_by: String,
    /// It was applied before; only what was missing was taken.
    pub again: bool,
    /// Each document, and what became of it.
    pub documents: Vec<Document>,
    /// All of it in sentences.
    pub summary: String,
    /// The entry of the ledger that says so; absent where there was nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// Updates that were applied, the last of each publisher and kind, and until when each is good.
#[utoipa::path(
    get, path = "/updates", tag = "updates", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Updates), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>) -> Result<Answer, Problem> {
    web.known(|known| Answer::of(&Updates { updates: known.view.updates.last().map(|one| Line::of(one, known.now_ns)).collect() })).await
}

/// Applies an update of advisories, which a publisher signed whom the owner of this gateway named. Everything is checked before anything is changed; 409
/// where it is not believed, has expired, or is older than what was applied. Updates of profiles and of the program are applied at the machine.
#[utoipa::path(
    post, path = "/updates", tag = "updates", security(("token" = ["record"]), ("session" = ["record"])),
    params(("name" = String, Query, description = "The file's name", min_length = 1)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 64 MiB"),
    responses((status = 200, body = Taken), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn apply(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Json<Taken>, Problem> {
    let said = Parameters::of(query.as_deref(), &["name"])?;
    let upload = file(&web, &said, body).await?;
    web.apart(move |house| take(house, &person.name, &upload).map(Json)).await
}

/// Takes an update of advisories in.
///
/// # Errors
/// 400: it is none; 409: it is refused; the store.
pub fn take(house: &House, by: &str, upload: &Upload) -> Result<Taken, Problem> {
    let config = house.config().ok_or_else(|| Problem::unavailable("it is starting"))?;
    let publishers = Publishers::read(&config.publishers).map_err(|failure| Problem::conflict(failure.why))?;
    let none = |why: String| Problem::bad(format!("{}: {why}", upload.name));
    let bytes = bytes_of(&upload.path, UPLOAD_BYTES_MAX).map_err(none)?;
    let sealed = Sealed::open(&bytes).map_err(none)?;
    // Looked at beside everybody, and again when it is entered.
    let (updates, now_ns) = house.known(|known| (known.view.updates.clone(), known.now_ns));
    let mut read = advisories::read(&upload.name, &sealed, &publishers, &updates, now_ns).map_err(problem)?;
    let taken = house.enter_at(|view, now_ns, first| read.drafts(&publishers, view, (now_ns, first), by).map_err(problem))?;
    let offer = &sealed.offer;
    Ok(Taken {
        publisher: offer.publisher.clone(),
        version: offer.version,
        signed_by: offer.key.clone(),
        again: taken.is_again,
        documents: read.basket.lines(&taken.changes),
        summary: read.summary(&taken),
        entry: taken.entry,
    })
}

/// What is refused is no fault of the request's form.
fn problem(failure: Failure) -> Problem {
    match failure.code {
        Code::Failed => Problem::of(StatusCode::CONFLICT, failure.why),
        _ => Problem::bad(failure.why),
    }
}
