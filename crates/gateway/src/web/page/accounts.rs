//! Accounts, for who makes them and for who looks after them; and one's own: password and tokens.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::{Form, Path, RawForm, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use nameplate_core::account::{Account, Event, Right, Role, TOKEN_DAYS_MAX, Token};
use nameplate_core::observation::rfc3339;
use serde::Deserialize;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Refused, Shown, escaped, shown};
use crate::account::{Hidden, NewPassword, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Person};
use crate::house::Known;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::accounts::{NewToken, Secret, link_of, make_token, revoke, told};
use crate::web::api::asked::{Body, Of};

#[derive(Template)]
#[template(path = "accounts.html")]
struct All<'a> {
    frame: Frame<'a>,
    accounts: Vec<Line>,
    roles: [Role; 5],
    may_make: bool,
    /// A link that was just made: whose, and where it leads.
    link: Option<(String, String)>,
    why: Option<String>,
}

/// An account.
struct Line {
    name: String,
    path: String,
    role: Role,
    is_active: bool,
    is_own: bool,
    told: String,
}

impl Line {
    fn of(account: &Account, own: &str, now_ns: u64) -> Self {
        let mut told = Vec::new();
        told.extend(account.disabled.as_ref().map(|(by, why)| format!("disabled by {by}: {why}")));
        told.extend(account.locked_until(now_ns).map(|until| format!("locked until {}", rfc3339(until))));
        told.push(match (account.password_ns, account.logged_in_ns) {
            (None, _) => "has no password yet".to_owned(),
            (_, None) => "never logged in".to_owned(),
            (_, Some(at)) => format!("last logged in at {}", rfc3339(at)),
        });
        Self {
            name: account.name.clone(),
            path: escaped(&account.name),
            role: account.role,
            is_active: account.is_active(),
            is_own: account.name == own,
            told: told.join("; "),
        }
    }
}

/// All accounts.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    list(&web, &person, None, None).await
}

async fn list(web: &Web, person: &Person, link: Option<(String, String)>, why: Option<String>) -> Shown {
    let own = person.name.clone();
    let look = move |known: &Known<'_>| Ok(known.view.accounts.iter().map(|account| Line::of(account, &own, known.now_ns)).collect());
    let accounts = web.known(look).await?;
    let frame = Frame { person: Some(person), here: "/accounts" };
    shown(&All { frame, accounts, roles: Role::ALL, may_make: person.rights.has(Right::Administer), link, why })
}

/// What an account is to be.
#[derive(Deserialize)]
pub struct New {
    name: String,
    role: Role,
}

/// Makes an account, and the link with which its person comes in.
pub async fn make(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    Form(New { name, role }): Form<New>,
) -> Shown {
    let name = name.trim().to_owned();
    let made = told(&web, Event::Created { name: name.clone(), role, by: person.name.clone() }).await;
    match made {
        Ok(()) => linked(&web, person, name, &headers).await,
        Err(problem) => list(&web, &person, None, Some(problem.words().1.to_owned())).await,
    }
}

async fn linked(web: &Web, person: Person, name: String, headers: &HeaderMap) -> Shown {
    match link_of(web, person.clone(), name.clone()).await {
        Ok(Json(made)) => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            let link = format!("{}://{host}{}", if web.is_sealed() { "https" } else { "http" }, made.link);
            list(web, &person, Some((name, link)), None).await
        }
        Err(problem) => list(web, &person, None, Some(problem.words().1.to_owned())).await,
    }
}

/// What becomes of an account.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Another role.
    Role { role: Role },
    /// It may do nothing more.
    Disable { why: String },
    /// It may again.
    Enable,
    /// A new link for its person.
    Link,
}

/// Does something with an account.
pub async fn act(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(act): Form<Act>,
) -> Result<Response, Refused> {
    let by = person.name.clone();
    let event = match act {
        Act::Link => return linked(&web, person, name, &headers).await.map(IntoResponse::into_response),
        Act::Role { role } => Event::Role { name, role, by },
        Act::Disable { why } => Event::Disabled { name, by, why },
        Act::Enable => Event::Enabled { name, by },
    };
    match told(&web, event).await {
        Ok(()) => Ok(Redirect::to("/accounts").into_response()),
        Err(problem) => list(&web, &person, None, Some(problem.words().1.to_owned())).await.map(IntoResponse::into_response),
    }
}

#[derive(Template)]
#[template(path = "own.html")]
struct Own<'a> {
    frame: Frame<'a>,
    person: &'a Person,
    rights: Vec<&'static str>,
    days_max: u64,
    chars: (usize, usize),
    good: Vec<String>,
    tokens: Listing,
    /// A token that was just made; shown once.
    made: Option<String>,
    why: Option<String>,
}

/// One's own account.
pub async fn own(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    mine(&web, &person, None, None).await
}

async fn mine(web: &Web, person: &Person, made: Option<String>, why: Option<String>) -> Shown {
    let own = person.name.clone();
    let look = move |known: &Known<'_>| {
        let mut tokens: Vec<Token> = known.view.accounts.tokens().filter(|token| token.name == own).cloned().collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.made_ns));
        let good = tokens.iter().filter(|token| token.is_good(known.now_ns)).map(|token| token.id.clone()).collect();
        let row = |token: Token| {
            let how = match &token.revoked_by {
                Some(by) => format!("revoked by {by}"),
                None if token.is_good(known.now_ns) => "good".to_owned(),
                None => "has ended".to_owned(),
            };
            let tint = if token.is_good(known.now_ns) { Tint::Good } else { Tint::Plain };
            let cells = [token.id.clone(), token.rights.to_string(), rfc3339(token.made_ns), rfc3339(token.expires_ns), how];
            Row::of(tint, cells.into_iter().map(Cell::of).collect())
        };
        Ok((good, tokens.into_iter().map(row).collect()))
    };
    let (good, rows) = web.known(look).await?;
    shown(&Own {
        frame: Frame { person: Some(person), here: "/own" },
        person,
        rights: person.rights.iter().map(Right::name).collect(),
        days_max: TOKEN_DAYS_MAX,
        chars: (PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX),
        good,
        tokens: Listing {
            id: "tokens",
            title: "tokens",
            header: &["id", "rights", "made", "good until", "how it is"],
            rows,
            none: "You have none.",
        },
        made,
        why,
    })
}

/// Makes a token. Its rights are boxes of one name, as many as are ticked.
pub async fn token(State(web): State<Web>, Extension(person): Extension<Person>, RawForm(form): RawForm) -> Shown {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&form).into_owned().collect();
    let all = |name: &'static str| pairs.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.clone());
    let days = all("days").next().and_then(|days| days.parse().ok()).unwrap_or_default();
    // The words are those of the API.
    let rights: Result<Vec<Right>, _> = all("right").map(|word| serde_json::from_value(word.into())).collect();
    let Ok(rights) = rights else { return mine(&web, &person, None, Some("there is no such right".to_owned())).await };
    let new = NewToken { rights, days };
    match make_token(State(web.clone()), Extension(person.clone()), Body(new)).await {
        Ok((_, Json(Secret { token }))) => mine(&web, &person, Some(token), None).await,
        Err(problem) => mine(&web, &person, None, Some(problem.words().1.to_owned())).await,
    }
}

/// Revokes one of one's tokens.
pub async fn revoke_token(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    match revoke(State(web.clone()), Extension(person.clone()), Of(id)).await {
        Ok(_) => Ok(Redirect::to("/own").into_response()),
        Err(problem) => mine(&web, &person, None, Some(problem.words().1.to_owned())).await.map(IntoResponse::into_response),
    }
}

/// The password before, and the new one twice.
#[derive(Deserialize)]
pub struct Passwords {
    before: Hidden,
    password: Hidden,
    again: Hidden,
}

/// Sets one's own password; all of one's sessions are over then.
pub async fn password(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Extension(from): Extension<SocketAddr>,
    Form(Passwords { before, password, again }): Form<Passwords>,
) -> Result<Response, Refused> {
    let done = if password.text() == again.text() {
        changed(&web, person.name.clone(), (before, password), from).await?
    } else {
        Err("the two new passwords are not the same".to_owned())
    };
    match done {
        Ok(()) => Ok(Redirect::to("/login").into_response()),
        Err(why) => mine(&web, &person, None, Some(why)).await.map(IntoResponse::into_response),
    }
}

async fn changed(web: &Web, name: String, (before, password): (Hidden, Hidden), from: SocketAddr) -> Result<Result<(), String>, Problem> {
    let session = match web.try_password(name.clone(), before, from).await? {
        Ok(session) => session,
        Err(why) => return Ok(Err(why)),
    };
    web.alone(move |web| match NewPassword::hash(&name, password.text()) {
        Err(why) => Ok(Err(why)),
        Ok(new) => web.act(|gate, view, _| gate.set_password(&session, new, &view.accounts)),
    })
    .await
}
