//! What a request brings, with refusals in our own shape: the parts of its path, and its body.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;

/// A body in JSON.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: JsonRejection| Problem::of(rejection.status(), rejection.body_text());
        Json::from_request(request, state).await.map(|Json(body)| Self(body)).map_err(refused)
    }
}

/// The parts of the path that are names or numbers.
pub struct Of<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Of<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: PathRejection| Problem::of(rejection.status(), rejection.body_text());
        Path::from_request_parts(parts, state).await.map(|Path(of)| Self(of)).map_err(refused)
    }
}
