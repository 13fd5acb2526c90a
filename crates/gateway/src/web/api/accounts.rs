//! Accounts and tokens.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use nameplate_core::account::{Account, Event, Right, Rights, Role, Token};
use nameplate_core::ledger;
use nameplate_core::observation::rfc3339;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::{Body, Of};
use super::{Problem, Web, shapes};
use crate::account::Person;

/// Who asks.
#[derive(Serialize, ToSchema)]
pub struct Me {
    name: String,
    #[schema(value_type = shapes::Role)]
    role: Role,
    /// What they may do now; with a token no more than it was made for.
    rights: Vec<&'static str>,
}

/// Who asks, and what they may.
#[utoipa::path(
    get, path = "/me", tag = "accounts", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Me), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn me(Extension(person): Extension<Person>) -> Json<Me> {
    let rights = person.rights.iter().map(Right::name).collect();
    Json(Me { name: person.name, role: person.role, rights })
}

/// An account.
#[derive(Serialize, ToSchema)]
pub struct AccountLine {
    name: String,
    #[schema(value_type = shapes::Role)]
    role: Role,
    /// False where it may do nothing.
    active: bool,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    logged_in: Option<String>,
    /// Who disabled it and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<String>,
}

impl AccountLine {
    fn of(account: &Account) -> Self {
        Self {
            name: account.name.clone(),
            role: account.role,
            active: account.is_active(),
            created: rfc3339(account.created_ns),
            logged_in: account.logged_in_ns.map(rfc3339),
            disabled: account.disabled.as_ref().map(|(by, why)| format!("{by}: {why}")),
        }
    }
}

/// All accounts.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", security(("token" = ["audit"]), ("session" = ["audit"])),
    responses((status = 200, body = Vec<AccountLine>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>) -> Result<Json<Vec<AccountLine>>, Problem> {
    web.known(|known| Ok(Json(known.view.accounts.iter().map(AccountLine::of).collect()))).await
}

/// An account that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// 1 to 80 characters; nobody else has had it.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[schema(value_type = shapes::Role)]
    role: Role,
}

/// A link with which a password is set, once.
#[derive(Serialize, ToSchema)]
pub struct Link {
    name: String,
    /// Path on this page; shown once, good for a day.
    pub link: String,
}

/// Makes an account; its person sets the password with the link.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", security(("token" = ["administer"]), ("session" = ["administer"])),
    request_body = NewAccount,
    responses((status = 201, body = Link), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn make(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(NewAccount { name, role }): Body<NewAccount>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    let created = Event::Created { name: name.clone(), role, by: person.name.clone() };
    told(&web, created).await?;
    Ok((StatusCode::CREATED, link_of(&web, person, name).await?))
}

/// Makes a new link for an account; the one before is void.
#[utoipa::path(
    post, path = "/accounts/{name}/link", tag = "accounts", security(("token" = ["administer"]), ("session" = ["administer"])),
    params(("name" = String, Path, description = "The account")),
    responses((status = 201, body = Link), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn link(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(name): Of<String>,
) -> Result<(StatusCode, Json<Link>), Problem> {
    Ok((StatusCode::CREATED, link_of(&web, person, name).await?))
}

/// What changes of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Another role; ends its sessions.
    #[schema(value_type = Option<shapes::Role>)]
    role: Option<Role>,
    /// True: it may again do what its role says. False: it may do nothing.
    active: Option<bool>,
    /// Why it is disabled.
    #[serde(default)]
    why: String,
}

/// Changes an account's role, disables or enables it.
#[utoipa::path(
    patch, path = "/accounts/{name}", tag = "accounts", security(("token" = ["administer"]), ("session" = ["administer"])),
    params(("name" = String, Path, description = "The account")), request_body = AccountChange,
    responses((status = 200, body = AccountLine), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn change(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(name): Of<String>,
    Body(AccountChange { role, active, why }): Body<AccountChange>,
) -> Result<Json<AccountLine>, Problem> {
    let by = person.name;
    let event = match (role, active) {
        (Some(role), None) => Event::Role { name: name.clone(), role, by },
        (None, Some(true)) => Event::Enabled { name: name.clone(), by },
        (None, Some(false)) => Event::Disabled { name: name.clone(), by, why },
        _ => return Err(Problem::bad("say either role or active")),
    };
    told(&web, event).await?;
    let line = move |known: &crate::house::Known<'_>| {
        let account = known.view.accounts.get(&name).ok_or_else(|| Problem::missing("there is no such account"))?;
        Ok(Json(AccountLine::of(account)))
    };
    web.known(line).await
}

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub struct TokenLine {
    id: String,
    /// Whose it is.
    name: String,
    rights: Vec<&'static str>,
    made: String,
    expires: String,
    /// False where it was revoked or has ended.
    good: bool,
}

impl TokenLine {
    fn of(token: &Token, now_ns: u64) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            rights: token.rights.iter().map(Right::name).collect(),
            made: rfc3339(token.made_ns),
            expires: rfc3339(token.expires_ns),
            good: token.is_good(now_ns),
        }
    }
}

/// One's own tokens.
#[utoipa::path(
    get, path = "/tokens", tag = "accounts", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = Vec<TokenLine>), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn tokens(State(web): State<Web>, Extension(person): Extension<Person>) -> Result<Json<Vec<TokenLine>>, Problem> {
    let own = move |known: &crate::house::Known<'_>| {
        let own = known.view.accounts.tokens().filter(|token| token.name == person.name);
        Ok(Json(own.map(|token| TokenLine::of(token, known.now_ns)).collect()))
    };
    web.known(own).await
}

/// A token that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What can be done with it; no more than one's own role.
    #[schema(value_type = Vec<shapes::Right>, min_items = 1)]
    pub rights: Vec<Right>,
    /// Days that it is good for.
    #[schema(minimum = 1, maximum = 366)]
    pub days: u64,
}

/// A token with its secret.
#[derive(Serialize, ToSchema)]
pub struct Secret {
    /// `np_...`; shown once.
    pub token: String,
}

/// Makes a token for oneself. A token makes no token.
#[utoipa::path(
    post, path = "/tokens", tag = "accounts", security(("session" = ["read"])),
    request_body = NewToken,
    responses((status = 201, body = Secret), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn make_token(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(NewToken { rights, days }): Body<NewToken>,
) -> Result<(StatusCode, Json<Secret>), Problem> {
    let rights = Rights::of(&rights);
    let made = acted(&web, move |web| {
        let mut secret = String::new();
        let done = web.act(|gate, view, now_ns| {
            let (token, act) = gate.make_token(&person, rights, days, &view.accounts, now_ns)?;
            secret = token;
            Ok(act)
        })?;
        Ok(done.map(|()| secret))
    });
    Ok((StatusCode::CREATED, Json(Secret { token: made.await? })))
}

/// Revokes a token: one's own, or with the right to administer anybody's.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "accounts", security(("token" = ["read"]), ("session" = ["read"])),
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn revoke(State(web): State<Web>, Extension(person): Extension<Person>, Of(id): Of<String>) -> Result<StatusCode, Problem> {
    acted(&web, move |web| web.act(|gate, view, now_ns| gate.revoke_token(&id, &person.name, &view.accounts, now_ns))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new link for an account; the one before is void.
///
/// # Errors
/// 409, with what the rules forbid; the store.
pub async fn link_of(web: &Web, person: Person, name: String) -> Result<Json<Link>, Problem> {
    let made = acted(web, move |web| {
        let mut secret = String::new();
        let done = web.act(|gate, view, now_ns| {
            let (link, act) = gate.make_link(&name, &person.name, &view.accounts, now_ns)?;
            secret = link;
            Ok(act)
        })?;
        Ok(done.map(|()| Link { link: format!("/first/{secret}"), name }))
    });
    Ok(Json(made.await?))
}

/// An act of the gate, on a thread that may take its time; what the rules forbid is a conflict.
async fn acted<T: Send + 'static>(
    web: &Web,
    act: impl FnOnce(&Web) -> Result<Result<T, String>, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let own = web.clone();
    web.apart(move |_| act(&own)?.map_err(Problem::conflict)).await
}

/// A step of an account, if the rules allow it.
///
/// # Errors
/// 409, with what the rules forbid; the store.
pub async fn told(web: &Web, event: Event) -> Result<(), Problem> {
    web.apart(move |house| {
        house.enter(|view, now_ns| {
            view.accounts.allows(&event, now_ns).map_err(Problem::conflict)?;
            Ok((vec![ledger::Body::Account(event)], ()))
        })
    })
    .await
}
