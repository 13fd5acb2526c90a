//! Coming in and going out: logging in, and the links with which a password is set once.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, extract::RawQuery};
use nameplate_core::account::Event;
use nameplate_core::ledger::Body;
use serde::Deserialize;

use super::{Frame, Problem, Refused, Shown, shown};
use crate::account::{Act, Hidden, NewPassword, Pending, Session};
use crate::web::{Web, who};

/// What nobody has to be known for.
pub fn router() -> Router<Web> {
    Router::new()
        .route("/login", get(ask_for_password).post(log_in))
        .route("/logout", post(log_out))
        .route("/first/{secret}", get(ask_for_new_password).post(set_password))
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    frame: Frame<'a>,
    name: &'a str,
    next: &'a str,
    why: Option<String>,
}

#[derive(Deserialize)]
struct Typed {
    name: String,
    password: Hidden,
    #[serde(default)]
    next: String,
}

/// Only a page of ours, never another host.
fn next(said: &str) -> &str {
    let is_ours = said.starts_with('/') && !said.starts_with("//") && !said.contains(['\\', '\r', '\n']);
    if is_ours { said } else { "/" }
}

async fn ask_for_password(RawQuery(query): RawQuery) -> Shown {
    let mut pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let said = pairs.find(|(name, _)| name == "next").map_or_else(String::new, |(_, value)| value.into_owned());
    shown(&Login { frame: Frame::empty(), name: "", next: next(&said), why: None })
}

async fn log_in(
    State(web): State<Web>,
    Extension(from): Extension<SocketAddr>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response, Refused> {
    if !who::is_own(&headers) {
        return Err(Problem::forbidden("this did not come from a page of this gateway").into());
    }
    let Typed { name, password, next: said } = typed;
    match web.try_password(name.clone(), password, from).await? {
        Ok(session) => {
            let cookie = (header::SET_COOKIE, web.set_cookie(Some(&session.cookie)));
            Ok(([cookie], Redirect::to(next(&said))).into_response())
        }
        Err(why) => {
            let page = shown(&Login { frame: Frame::empty(), name: &name, next: next(&said), why: Some(why) })?;
            Ok((StatusCode::FORBIDDEN, page).into_response())
        }
    }
}

async fn log_out(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Refused> {
    if !who::is_own(&headers) {
        return Err(Problem::forbidden("this did not come from a page of this gateway").into());
    }
    let event = web.cookie(&headers).and_then(|cookie| web.gate().log_out(&cookie));
    web.tell(event.into_iter().collect()).await?;
    Ok(([(header::SET_COOKIE, web.set_cookie(None))], Redirect::to("/login")).into_response())
}

#[derive(Template)]
#[template(path = "first.html")]
struct First<'a> {
    frame: Frame<'a>,
    title: &'static str,
    secret: &'a str,
    account: Option<&'a str>,
    name: &'a str,
    why: Option<String>,
}

#[derive(Deserialize)]
struct New {
    #[serde(default)]
    name: String,
    password: Hidden,
    again: Hidden,
}

fn first(secret: &str, pending: &Pending, name: &str, why: Option<String>) -> Result<Html<String>, Refused> {
    let (title, account) = match pending {
        Pending::FirstAdministrator => ("The first administrator", None),
        Pending::Account(name) => ("Set your password", Some(name.as_str())),
    };
    shown(&First { frame: Frame::empty(), title, secret, account, name, why })
}

async fn ask_for_new_password(State(web): State<Web>, Path(secret): Path<String>) -> Shown {
    let pending = web.pending(&secret)?;
    first(&secret, &pending, "", None)
}

async fn set_password(
    State(web): State<Web>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    Form(new): Form<New>,
) -> Result<Response, Refused> {
    if !who::is_own(&headers) {
        return Err(Problem::forbidden("this did not come from a page of this gateway").into());
    }
    let pending = web.pending(&secret)?;
    let name = if let Pending::Account(name) = &pending { name.clone() } else { new.name.trim().to_owned() };
    let done = if new.password.text() == new.again.text() {
        web.redeem(secret.clone(), name, new.password).await?
    } else {
        Err("the two passwords are not the same".to_owned())
    };
    match done {
        Ok(()) => Ok(Redirect::to("/login").into_response()),
        Err(why) => Ok((StatusCode::BAD_REQUEST, first(&secret, &pending, &new.name, Some(why))?).into_response()),
    }
}

impl Web {
    /// The path of the link that makes the first administrator, while there is none.
    pub fn first_link(&self) -> Option<String> {
        let secret = self.house().known(|known| self.gate().first_link(&known.view.accounts, known.now_ns))?;
        Some(format!("/first/{secret}"))
    }

    fn pending(&self, secret: &str) -> Result<Pending, Problem> {
        let pending = self.house().known(|known| self.gate().check_link(secret, &known.view.accounts, known.now_ns));
        pending.ok_or_else(|| Problem::missing("this link is not good any more; have another one made"))
    }

    /// Tries a password; why not, in words. argon2 works outside every lock, and once at a time.
    ///
    /// # Errors
    /// The store.
    pub async fn try_password(&self, name: String, password: Hidden, from: SocketAddr) -> Result<Result<Session, String>, Problem> {
        let begun = self.house().known(|known| self.gate().begin(&name, from.ip(), &known.view.accounts, known.now_ns));
        let attempt = match begun {
            Ok(attempt) => attempt,
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        let tried = move |web: &Self| {
            let verified = attempt.verify(password.text());
            web.house().enter(|view, now_ns| {
                let (session, events) = web.gate().end(verified, &view.accounts, now_ns);
                Ok::<_, Problem>(match session {
                    Ok(session) => (bodies(events), Ok(session)),
                    Err(refused) => (Vec::new(), Err((refused.to_string(), events))),
                })
            })
        };
        let tried = self.alone(tried).await?;
        Ok(tried.map_err(|(why, events)| {
            // Behind the answer: how long an entry takes would tell whether there is such an account.
            let web = self.clone();
            tokio::spawn(async move { web.tell(events).await });
            why
        }))
    }

    async fn redeem(&self, secret: String, name: String, password: Hidden) -> Result<Result<(), String>, Problem> {
        let hashed = move |web: &Self| match NewPassword::hash(&name, password.text()) {
            Err(why) => Ok(Err(why)),
            Ok(new) => web.act(|gate, view, now_ns| gate.redeem(&secret, new, &view.accounts, now_ns)),
        };
        self.alone(hashed).await
    }

    /// Does what hashes a password: one at a time, on a thread that may take its time.
    ///
    /// # Errors
    /// Those of what is done; or it panicked, which is said without its words.
    pub async fn alone<T: Send + 'static>(&self, hash: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
        let _alone = self.0.one_password.acquire().await.map_err(|_| Problem::unavailable("it is ending"))?;
        let web = self.clone();
        tokio::task::spawn_blocking(move || hash(&web)).await.unwrap_or_else(|_| Err(Problem::own_fault()))
    }

    /// Does an act of the gate: its events first, then its secret. Why not, in words. It may take its time.
    ///
    /// # Errors
    /// The store, or the secrets cannot be written.
    pub fn act(
        &self,
        decide: impl FnOnce(&crate::account::Gate, &nameplate_core::view::View, u64) -> Result<Act, String>,
    ) -> Result<Result<(), String>, Problem> {
        let decided = self.house().enter(|view, now_ns| {
            Ok::<_, Problem>(match decide(&self.gate(), view, now_ns) {
                Ok(act) => (bodies(act.events.clone()), Ok(act)),
                Err(why) => (Vec::new(), Err(why)),
            })
        })?;
        match decided {
            Ok(act) => Ok(Ok(self.gate().take(act)?)),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Tells the ledger what happened to accounts.
    async fn tell(&self, events: Vec<Event>) -> Result<(), Problem> {
        self.apart(move |house| house.enter(|_, _| Ok((bodies(events), ())))).await
    }
}

fn bodies(events: Vec<Event>) -> Vec<Body> {
    events.into_iter().map(Body::Account).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_logged_in_is_led_to_a_page_of_ours_alone() {
        for (said, led) in [
            ("/devices?filter=a", "/devices?filter=a"),
            ("", "/"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\r\nset-cookie: b", "/"),
        ] {
            assert_eq!(super::next(said), led, "{said:?}");
        }
    }
}
