//! What every answer tells a browser, and under which names requests are taken.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Web;
use super::page::refused;
use super::problem::Problem;
use crate::command::serve::config::Page;

/// Nothing but our own style, script and connections; no page of others around ours.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What every answer has.
const TAUGHT: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Nothing goes to others; with `no-referrer` a browser would say "Origin: null" with our own forms, which tells them from nobody's (Fetch, 3.2).
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// What a browser may do with an answer that is no page of ours, in the place of [`POLICY`]: a file for people that has its style in it. An extension of
/// the response.
#[derive(Clone)]
pub struct Policy(pub String);

/// Names under which the page is reached. A page of somebody else's can make a browser send requests here under its own name (DNS rebinding); under
/// an address it cannot.
#[derive(Debug)]
pub struct Names(Vec<String>);

impl Names {
    /// Those of the configuration.
    pub fn of(page: &Page) -> Self {
        Self(page.names.iter().cloned().chain(["localhost".to_owned()]).collect())
    }

    /// True for a `Host` that is ours, with or without a port.
    fn has(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        name.parse::<IpAddr>().is_ok() || self.0.iter().any(|own| own.eq_ignore_ascii_case(name.trim_end_matches('.')))
    }
}

/// Takes requests under our own names alone.
pub async fn kept(State(web): State<Web>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| web.0.names.has(host)) { next.run(request).await } else { Problem::misdirected().into_response() }
}

/// No entry, no action: while nothing can be written, nothing is done here, and everything is shown.
pub async fn held(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || web.house().halted().is_none() {
        return next.run(request).await;
    }
    let problem = Problem::unavailable(
        "nothing can be written to the ledger now (the disk is full, or failed), so nothing was done; the log says more",
    );
    if request.uri().path().starts_with("/api/") { problem.into_response() } else { refused(&problem, None) }
}

/// Puts onto every answer what a browser has to know.
pub async fn taught(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let own = response.extensions_mut().remove::<Policy>().and_then(|Policy(policy)| HeaderValue::try_from(policy).ok());
    let headers = response.headers_mut();
    for (name, value) in TAUGHT {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = own {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // What stands on a page may have changed since, and a plant's PC is used by several people.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_ours_or_an_address() {
        let names = Names(vec!["gateway.plant".to_owned(), "localhost".to_owned()]);
        for (host, ours) in [
            ("gateway.plant", true),
            ("Gateway.Plant:8443", true),
            ("gateway.plant.", true),
            ("localhost:1", true),
            ("10.0.0.1", true),
            ("10.0.0.1:8443", true),
            ("[::1]:8443", true),
            ("[fe80::1]", true),
            ("evil.example", false),
            ("gateway.plant.evil.example", false),
            ("10.0.0.1.evil.example", false),
            ("", false),
            ("[evil]", false),
        ] {
            assert_eq!(names.has(host), ours, "{host:?}");
        }
    }
}
