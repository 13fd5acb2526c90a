//! The API, `/api/v1`: REST over JSON, described by OpenAPI, which is made of the functions that answer.

pub mod accounts;
pub mod advisories;
mod answer;
pub mod asked;
pub mod baselines;
pub mod behind;
pub mod changes;
pub mod compare;
pub mod decisions;
pub mod devices;
mod events;
pub mod evidence;
pub mod explained;
pub mod field;
mod findings;
pub mod handover;
mod health;
pub mod imports;
pub mod ledger;
mod map;
pub mod observations;
pub mod parameters;
pub mod patches;
pub mod program;
pub mod reports;
pub mod shapes;
mod stream;
mod targets;
pub mod threats;
pub mod updates;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use nameplate_core::account::Right;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{self, Problem};
use super::{Web, who};

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "nameplate", description = "What a gateway knows of the devices of a plant. Times are RFC 3339 in UTC; errors are RFC 9457 problems."),
    components(schemas(Problem, crate::web::news::News, devices::Condition, shapes::Happened)),
    modifiers(&Proofs)
)]
struct Description;

/// The ways to prove who asks.
struct Proofs;

impl Modify for Proofs {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token: np_...")).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let session = ApiKeyValue::with_description("__Host-session", "The cookie of somebody who logged in on the page.");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    }
}

/// The API, and its description.
pub fn router() -> (Router<Web>, Router<Web>) {
    let open = OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready));
    let all = [reading(), engineers(), approvers(), auditors(), administrators(), open];
    let all = all.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    let nothing = || async { Problem::missing("there is no such thing in the API; /api/v1/openapi.json describes it") };
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", all).split_for_parts();
    let router =
        router.route("/api/{*path}", any(nothing)).method_not_allowed_fallback(problem::wrong_method).layer(from_fn(answer::tagged));
    // It is built of our own parts, so this cannot fail.
    let description = description.to_pretty_json().unwrap_or_default();
    let described =
        Router::new().route("/api/v1/openapi.json", get(move || async move { ([("content-type", "application/json")], description) }));
    (router, described)
}

/// What takes this right.
fn behind_right(router: OpenApiRouter<Web>, right: Right) -> OpenApiRouter<Web> {
    router.route_layer(from_fn_with_state(who::Needed::of_api(right), who::allowed))
}

/// Who may look.
fn reading() -> OpenApiRouter<Web> {
    let router = OpenApiRouter::new()
        .routes(routes!(devices::list))
        .routes(routes!(devices::one))
        .routes(routes!(observations::claims))
        .routes(routes!(observations::list))
        .routes(routes!(observations::one))
        .routes(routes!(events::list))
        .routes(routes!(events::deltas))
        .routes(routes!(stream::news))
        .routes(routes!(map::map))
        .routes(routes!(map::silent))
        .routes(routes!(program::own))
        .routes(routes!(program::bill))
        .routes(routes!(explained::field))
        .routes(routes!(explained::finding))
        .routes(routes!(findings::list))
        .routes(routes!(threats::list))
        .routes(routes!(threats::one))
        .routes(routes!(advisories::list))
        .routes(routes!(advisories::one))
        .routes(routes!(baselines::list))
        .routes(routes!(baselines::one))
        .routes(routes!(baselines::sets))
        .routes(routes!(baselines::exemptions))
        .routes(routes!(findings::conformance))
        .routes(routes!(changes::list))
        .routes(routes!(changes::one))
        .routes(routes!(changes::agreed))
        .routes(routes!(changes::drifted))
        .routes(routes!(compare::compare))
        .routes(routes!(reports::list))
        .routes(routes!(reports::one))
        .routes(routes!(ledger::checkpoint))
        .routes(routes!(field::listeners))
        .routes(routes!(updates::list))
        .routes(routes!(patches::list))
        .routes(routes!(accounts::me))
        .routes(routes!(accounts::tokens, accounts::make_token))
        .routes(routes!(accounts::revoke))
        .routes(routes!(health::metrics));
    behind_right(router, Right::Read)
}

/// Who has devices asked, and writes down what was done.
fn engineers() -> OpenApiRouter<Web> {
    let asking = OpenApiRouter::new().routes(routes!(field::round)).routes(routes!(changes::readings::ask));
    let recording = OpenApiRouter::new()
        .routes(routes!(changes::open::open))
        .routes(routes!(changes::steps::check))
        .routes(routes!(changes::open_ring))
        .routes(routes!(changes::readings::before))
        .routes(routes!(changes::installed))
        .routes(routes!(changes::readings::after))
        .routes(routes!(changes::steps::leave))
        .routes(routes!(changes::steps::close))
        .routes(routes!(imports::devices))
        .routes(routes!(imports::advisories))
        .routes(routes!(imports::baseline))
        .routes(routes!(patches::take))
        .routes(routes!(updates::apply))
        .routes(routes!(decisions::propose))
        .routes(routes!(decisions::withdraw));
    behind_right(asking, Right::Ask).merge(behind_right(recording, Right::Record))
}

/// Who decides.
fn approvers() -> OpenApiRouter<Web> {
    let router = OpenApiRouter::new()
        .routes(routes!(changes::approve))
        .routes(routes!(changes::verify))
        .routes(routes!(decisions::accept))
        .routes(routes!(decisions::decide))
        .routes(routes!(decisions::exempt));
    behind_right(router, Right::Approve)
}

/// Who checks what others did.
fn auditors() -> OpenApiRouter<Web> {
    let router = OpenApiRouter::new()
        .routes(routes!(ledger::entries))
        .routes(routes!(evidence::of_device))
        .routes(routes!(evidence::of_change))
        .routes(routes!(handover::write))
        .routes(routes!(accounts::list))
        .routes(routes!(targets::list))
        .routes(routes!(program::settings));
    behind_right(router, Right::Audit)
}

/// Who says who may come in.
fn administrators() -> OpenApiRouter<Web> {
    let router = OpenApiRouter::new()
        .routes(routes!(accounts::make))
        .routes(routes!(accounts::link))
        .routes(routes!(accounts::change))
        .routes(routes!(targets::place));
    behind_right(router, Right::Administer)
}
