//! Answers: JSON that was written while what it tells of was looked at, and its tag, by which a program is told that nothing has changed.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nameplate_core::observation::hex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Problem;

/// Bytes of a tag: what differs has another, as far as anybody lives to see.
const TAG_BYTES: usize = 16;

/// JSON, and its tag.
pub struct Answer {
    text: String,
    tag: String,
}

impl Answer {
    /// Of what is told. What it borrows need not live longer than this call.
    ///
    /// # Errors
    /// Our own fault: it cannot be written as JSON.
    pub fn of(told: &impl Serialize) -> Result<Self, Problem> {
        let text = serde_json::to_string(told).map_err(|_| Problem::own_fault())?;
        let tag = Sha256::digest(&text).first_chunk::<TAG_BYTES>().map_or_else(String::new, |digest| format!("\"{}\"", hex(digest)));
        Ok(Self { text, tag })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = ([(header::CONTENT_TYPE, "application/json")], self.text).into_response();
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            response.headers_mut().insert(header::ETAG, tag);
            // A copy may be kept by who asked, and is asked for again each time (RFC 9111, 5.2.2).
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
        response
    }
}

/// Says "not modified" to who has the same already (RFC 9110, 13.1.2).
pub async fn tagged(request: Request, next: Next) -> Response {
    let known = if request.method() == Method::GET { request.headers().get(header::IF_NONE_MATCH).cloned() } else { None };
    let mut response = next.run(request).await;
    let tag = response.headers().get(header::ETAG);
    let same = |known: &HeaderValue| {
        let (known, tag) = (known.to_str().unwrap_or_default(), tag.and_then(|tag| tag.to_str().ok()));
        tag.is_some_and(|tag| known.split(',').any(|one| one.trim() == "*" || one.trim().trim_start_matches("W/") == tag))
    };
    if known.as_ref().is_some_and(same) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
