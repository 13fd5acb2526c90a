//! The API, `/api/v1`: REST over JSON, described by OpenAPI, which is made of the functions that answer.

pub mod devices;
mod parameters;
pub mod shapes;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use nameplate_core::account::Right;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::{Web, who};

/// What is said of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "nameplate", description = "What a gateway knows of the devices of a plant. Times are RFC 3339 in UTC; errors are RFC 9457 problems."),
    components(schemas(Problem)),
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
pub fn router(web: &Web) -> (Router<Web>, Router<Web>) {
    let may = |right| from_fn_with_state(web.needing(right), who::allowed);
    let reading = OpenApiRouter::new().routes(routes!(devices::list)).routes(routes!(devices::one)).route_layer(may(Right::Read));
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", reading).split_for_parts();
    // It is built of our own parts, so this cannot fail.
    let description = description.to_pretty_json().unwrap_or_default();
    let described = Router::new().route("/api/v1/openapi.json", get(move || async move { ([("content-type", "application/json")], description) }));
    (router, described)
}
