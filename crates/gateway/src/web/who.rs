//! Who asks, and whether they may. Each route stands in a group with one right ([`Needed`]); a route without one cannot be written.
//!
//! A browser sends its cookie with whatever any page makes it send, so what does something is taken from our own pages alone: the cookie is `SameSite=Strict`,
//! and the request has to say that it comes from here (`Sec-Fetch-Site` or `Origin`; Fetch Metadata, W3C). A token is never sent by itself.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use nameplate_core::account::Right;

use super::Web;
use super::problem::Problem;
use crate::account::{Person, Way};
use crate::store::now_ns;

/// The session's cookie. With the prefix a browser takes it over TLS from this host alone (RFC 6265bis, 4.1.3.2).
const COOKIE: &str = "__Host-session";
/// Its name without TLS, on loopback.
const COOKIE_IN_CLEAR: &str = "session";
/// Header of what a page asks by itself, when there are news.
const LIVE: &str = "nameplate-live";

/// Which right a group of routes needs, and how those who do not have it are told.
#[derive(Clone)]
pub struct Needed {
    right: Right,
    /// People are led to the page where they log in.
    is_page: bool,
}

impl Web {
    /// Who sends this. What a page asks by itself is no use of its session, so that a screen that somebody left is closed all the same.
    pub fn person(&self, headers: &HeaderMap) -> Option<Person> {
        self.sent_by(headers, headers.contains_key(LIVE) || headers.get(header::ACCEPT).is_some_and(|kind| kind == "text/event-stream"))
    }

    /// Whether who sent this may still come in.
    pub fn stands(&self, headers: &HeaderMap) -> bool {
        self.sent_by(headers, true).is_some_and(|person| person.rights.has(Right::Read))
    }

    fn sent_by(&self, headers: &HeaderMap, by_itself: bool) -> Option<Person> {
        let bearer = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let (cookie, now_ns) = (self.cookie(headers), now_ns());
        let accounts = self.house().accounts();
        match bearer {
            // Who sends a token means it; nobody falls back to a cookie behind it.
            Some(bearer) => self.gate().token(bearer.strip_prefix("Bearer ")?.trim(), &accounts, now_ns),
            None if by_itself => self.gate().standing(&cookie?, &accounts, now_ns),
            None => self.gate().session(&cookie?, &accounts, now_ns),
        }
    }

    /// The session's secret.
    pub fn cookie(&self, headers: &HeaderMap) -> Option<String> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
        let mut named = all.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == self.cookie_name());
        named.next().map(|(_, secret)| secret.to_owned())
    }

    /// Whether people come over TLS.
    pub fn is_sealed(&self) -> bool {
        self.0.tls
    }

    fn cookie_name(&self) -> &'static str {
        if self.is_sealed() { COOKIE } else { COOKIE_IN_CLEAR }
    }

    /// The header that sets the cookie; without a secret it takes it away.
    pub fn set_cookie(&self, secret: Option<&str>) -> String {
        let secure = if self.is_sealed() { "; Secure" } else { "" };
        let age = if secret.is_some() { "" } else { "; Max-Age=0" };
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict{secure}{age}", self.cookie_name(), secret.unwrap_or_default())
    }
}

/// Lets through who may; they stand in the request as an `Extension<Person>` ([`super::rate`]).
pub async fn allowed(State(needed): State<Needed>, request: Request, next: Next) -> Response {
    let Some(person) = request.extensions().get::<Person>() else { return needed.unknown(&request) };
    if !person.rights.has(needed.right) {
        return needed
            .refused(Problem::forbidden(format!("{} may not: that needs the right \"{}\"", person.name, needed.right.name())), person);
    }
    if !request.method().is_safe() && matches!(person.way, Way::Session) && !is_own(request.headers()) {
        return needed.refused(Problem::forbidden("this did not come from a page of this gateway"), person);
    }
    next.run(request).await
}

impl Needed {
    /// What a group of routes of the API needs.
    pub const fn of_api(right: Right) -> Self {
        Self { right, is_page: false }
    }

    /// What a group of pages needs.
    pub const fn of_page(right: Right) -> Self {
        Self { right, is_page: true }
    }

    fn unknown(&self, request: &Request) -> Response {
        if !self.is_page {
            return Problem::unknown_person().into_response();
        }
        let back = if *request.method() == Method::GET { request.uri().path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
        Redirect::to(&format!("/login?next={}", escaped(back))).into_response()
    }

    fn refused(&self, problem: Problem, person: &Person) -> Response {
        if self.is_page { super::page::refused(&problem, Some(person)) } else { problem.into_response() }
    }
}

/// True for what one of our own pages sent, or a person typed.
pub fn is_own(headers: &HeaderMap) -> bool {
    let said = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = said(header::ORIGIN).map(|origin| {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        !host.is_empty() && said(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host))
    });
    let site = said(header::HeaderName::from_static("sec-fetch-site")).map(|site| matches!(site, "same-origin" | "none"));
    // Both agree where both are said, and one of them has to be.
    origin.or(site) == Some(true) && site != Some(false)
}

/// A path as one value of a query.
fn escaped(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_pages_do_something_with_a_cookie() {
        for (origin, site, own) in [
            (Some("https://gateway:8443"), Some("same-origin"), true),
            (Some("https://gateway:8443"), None, true),
            (None, Some("same-origin"), true),
            (None, None, false),
            (Some("null"), None, false),
            (Some("null"), Some("same-origin"), false),
            (Some("https://evil.example"), Some("cross-site"), false),
            (Some("https://evil.example"), None, false),
            (Some("https://gateway:8443.evil.example"), None, false),
            (Some("https://gateway:1"), Some("same-site"), false),
            (None, Some("same-site"), false),
            (None, Some("cross-site"), false),
            (Some("https://gateway:8443"), Some("cross-site"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("gateway:8443"));
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_static(origin)));
            site.map(|site| headers.insert("sec-fetch-site", HeaderValue::from_static(site)));
            assert_eq!(is_own(&headers), own, "{origin:?} {site:?}");
        }
    }
}
