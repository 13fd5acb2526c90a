//! Live news as server-sent events (WHATWG HTML, 9.2).

use std::time::Duration;

use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::parameters::Parameters;
use super::{Problem, Web};
use crate::account::Person;
use crate::web::news::{STREAM_SECONDS_MAX, open};

/// What a client that comes back says it was told last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// News as they are entered: `event: news` with what changed (`News`), `id:` the ledger's last entry that it tells of. Whoever comes back with
/// `Last-Event-ID` or `after` misses nothing; without either it begins now. Comments in between say that it is there.
#[utoipa::path(
    get, path = "/stream", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("after" = Option<u64>, Query, description = "Entries up to this one are known, as `Last-Event-ID`, which counts where both are said"),
        ("seconds" = Option<u64>, Query, description = "It ends then; 0 tells what there is. An hour where nothing is said", maximum = 3600),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn news(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let said = Parameters::of(query.as_deref(), &["after", "seconds"])?;
    let (after, seconds) = (said.number("after")?, said.number("seconds")?.unwrap_or(STREAM_SECONDS_MAX));
    if seconds > STREAM_SECONDS_MAX {
        return Err(Problem::bad(format!("seconds is at most {STREAM_SECONDS_MAX}")));
    }
    let last = headers.get(LAST_EVENT_ID).map(|last| last.to_str().ok().and_then(|last| last.parse::<u64>().ok()));
    let after = match last {
        Some(None) => return Err(Problem::bad("Last-Event-ID is the `id` of an event: a number")),
        Some(last) => last,
        None => after,
    };
    let from = after.map_or(*web.house().size.borrow(), |after| after.saturating_add(1));
    let stream = open(&web, &person.name, headers, from, Duration::from_secs(seconds))?;
    let mut response = axum::body::Body::new(stream).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}
