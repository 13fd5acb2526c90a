//! Who is told what happens: how it stands with each, and from which entry on it is told again.

use axum::Json;
use axum::extract::{Extension, State};
use nameplate_core::{account, ledger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::{Body, Of};
use super::{Problem, Web};
use crate::account::Person;
use crate::house::House;
use crate::outbox::Standing;

/// Who is told what happens.
#[derive(Serialize, ToSchema)]
pub struct Targets {
    /// How it stands with each, by their names.
    targets: Vec<Standing>,
}

/// Who is told what happens, and how it stands with each.
#[utoipa::path(
    get, path = "/targets", tag = "program", security(("token" = ["audit"]), ("session" = ["audit"])),
    responses((status = 200, body = Targets), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>) -> Result<Answer, Problem> {
    web.apart(|house| Answer::of(&Targets { targets: house.targets().values().cloned().collect() })).await
}

/// Where a target goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The first entry of the ledger that it is told of; events have the ids that they had.
    pub next: u64,
    /// Why; it stands in the ledger.
    #[schema(min_length = 1)]
    pub why: String,
}

/// Has a target told again from an entry on, or has it pass over entries: it lost what it had, it refused what it takes now, or it does not get over one message. It is tried at once.
#[utoipa::path(
    post, path = "/targets/{name}/place", tag = "program", security(("token" = ["administer"]), ("session" = ["administer"])),
    params(("name" = String, Path, description = "As the configuration names it")),
    request_body = Place,
    responses((status = 200, body = Standing), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn place(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Of(name): Of<String>,
    Body(place): Body<Place>,
) -> Result<Json<Standing>, Problem> {
    web.apart(move |house| moved(house, person.name, &name, &place).map(Json)).await
}

fn moved(house: &House, by: String, name: &str, Place { next, why }: &Place) -> Result<Standing, Problem> {
    if why.trim().is_empty() {
        return Err(Problem::bad("why is missing"));
    }
    if !house.targets().contains_key(name) {
        return Err(Problem::missing(format!("there is no target {name:?} in the configuration")));
    }
    let what = format!("has target {name} told from entry {next} on: {why}");
    house.enter(|_, _| {
        let size = *house.size.borrow();
        if *next > size {
            return Err(Problem::bad(format!("the ledger has {size} entries, and none has index {next}")));
        }
        Ok((vec![ledger::Body::Account(account::Event::Wanted { by, what })], ()))
    })?;
    let mut targets = house.targets();
    let standing = targets.get_mut(name).ok_or_else(|| Problem::missing("it was taken out of the configuration"))?;
    standing.wanted = Some(*next);
    let told = standing.clone();
    drop(targets);
    house.moved.notify_waiters();
    Ok(told)
}
