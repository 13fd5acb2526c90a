//! What goes wrong, in one shape: RFC 9457, `application/problem+json`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::{Code, Failure};
use crate::log::say;

/// The media type.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why there is no answer (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says the kind.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is wrong in this case, and what to do.
    detail: String,
    /// Seconds until it is worth trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem").to_owned();
        Self { kind: "about:blank", title, status: status.as_u16(), detail: detail.into(), retry_after: None }
    }

    /// With a status that somebody else decided.
    pub fn of(status: StatusCode, why: impl Into<String>) -> Self {
        Self::new(status, why)
    }

    /// 400: it was not understood.
    pub fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// 401: nobody knows who asks.
    pub fn unknown_person() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "log in, or send a token: Authorization: Bearer np_...")
    }

    /// 403: they may not.
    pub fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, why)
    }

    /// 404: there is no such thing.
    pub fn missing(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    /// 409: what is known forbids it.
    pub fn conflict(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, why)
    }

    /// 421: it came under a name that is not ours.
    pub fn misdirected() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "nobody answers to this name here; the owner lists names in the configuration, [page] names",
        )
    }

    /// 429: too much of it.
    pub fn too_many(why: impl Into<String>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, why) }
    }

    /// 500: our own fault; the log has more.
    pub fn own_fault() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a fault of nameplate; its log says more")
    }

    /// 503: not now.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, why) }
    }

    /// Its status.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status in words, and what is wrong.
    pub fn words(&self) -> (&str, &str) {
        (&self.title, &self.detail)
    }
}

/// 405, in our shape.
pub async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the description says which methods there are: /api/v1/openapi.json")
}

impl From<Failure> for Problem {
    /// What was asked for is the asker's to mend; what the disk said is ours, and its paths are nobody's business.
    fn from(Failure { code, why }: Failure) -> Self {
        match code {
            Code::Usage => Self::bad(why),
            Code::Refused => Self::conflict(why),
            Code::Failed => Self::conflict(why),
            _ => {
                say!(OWN_FAULT, "{why}");
                Self::own_fault()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.http_status(), self.retry_after);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
