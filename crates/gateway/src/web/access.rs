//! Requests in the log: who asked for what, what came of it, and how long that took. No value of a path, no query, no header and no body: they may hold what
//! opens something, and names of the plant.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Extension, MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::account::{Person, Way};
use crate::log::say;

/// An answer that takes longer is told, whatever is asked for: people wait for it.
const SLOW_SECONDS_MIN: Duration = Duration::from_secs(1);
/// From here on a status is our own fault.
const FAULTS_FROM: u16 = 500;

/// Requests since the start.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Whoever asked, of a token with its id. An extension of the response, which tells it to what stands before who looks people up.
#[derive(Clone)]
pub struct Known(String);

impl Known {
    pub fn of(person: &Person) -> Self {
        match &person.way {
            Way::Session => Self(person.name.clone()),
            Way::Token { id } => Self(format!("{} (token {id})", person.name)),
        }
    }
}

/// Tells each request once its answer begins.
pub async fn told(Extension(from): Extension<SocketAddr>, request: Request, next: Next) -> Response {
    let (number, begun) = (REQUESTS.fetch_add(1, Ordering::Relaxed).saturating_add(1), Instant::now());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let known = response.extensions_mut().remove::<Known>();
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // What there is no route for may be anything.
    let (method, path) = (method.as_str(), path.as_ref().map_or("(no such path)", MatchedPath::as_str));
    let person = known.as_ref().map_or("nobody", |Known(name)| name.as_str());
    macro_rules! tell {
        ($event:ident) => {
            say!(
                $event { request = number, method, path, status = u64::from(status), ms, person, peer = %from },
                "request {number}: {method} {path}: {status} in {ms} ms, {person} at {from}"
            )
        };
    }
    if status >= FAULTS_FROM {
        tell!(REQUEST_FAILED);
    } else if took >= SLOW_SECONDS_MIN {
        tell!(REQUEST_SLOW);
    } else {
        tell!(REQUEST);
    }
    response
}
