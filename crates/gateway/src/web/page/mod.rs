//! The page: HTML made here, by templates that escape everything, and one style and one script of our own. It works without the script.

mod accounts;
mod advisories;
mod baselines;
mod change;
mod changes;
mod device;
mod devices;
mod findings;
mod imports;
mod listing;
mod log;
pub mod login;
mod map;
mod observation;
mod overview;
mod reports;
mod said;
mod settings;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use nameplate_core::account::Right;

use super::problem::Problem;
use super::{Web, who};
use crate::account::Person;
use crate::log::say;

/// How all of it looks: as reports do, and what only pages have.
const STYLE: &str = concat!(include_str!("../../sheet/page.css"), include_str!("page.css"));
/// What follows the news where scripts run.
const SCRIPT: &str = include_str!("page.js");
/// Style and script change with the program alone; an hour old ones do no harm.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=3600");

/// What stands around every page.
pub struct Frame<'a> {
    /// Who looks; `None` before somebody logged in.
    person: Option<&'a Person>,
    /// The path of the room that it belongs to.
    here: &'static str,
}

/// A part of the page.
pub struct Room {
    path: &'static str,
    title: &'static str,
    needs: Right,
}

/// All parts, in their order.
const ROOMS: [Room; 14] = [
    Room { path: "/", title: "Overview", needs: Right::Read },
    Room { path: "/devices", title: "Devices", needs: Right::Read },
    Room { path: "/findings", title: "Findings", needs: Right::Read },
    Room { path: "/advisories", title: "Advisories", needs: Right::Read },
    Room { path: "/baselines", title: "Baselines", needs: Right::Read },
    Room { path: "/changes", title: "Changes", needs: Right::Read },
    Room { path: "/map", title: "Map", needs: Right::Read },
    Room { path: "/imports", title: "Take in", needs: Right::Record },
    Room { path: "/reports", title: "Reports", needs: Right::Read },
    Room { path: "/questions", title: "Questions", needs: Right::Audit },
    Room { path: "/accounts", title: "Accounts", needs: Right::Audit },
    Room { path: "/log", title: "Account log", needs: Right::Audit },
    Room { path: "/settings", title: "Settings", needs: Right::Audit },
    Room { path: "/own", title: "Your account", needs: Right::Read },
];

impl Frame<'_> {
    /// Around what nobody has to be known for.
    const fn empty() -> Self {
        Self { person: None, here: "" }
    }

    /// The parts that this person may see.
    fn rooms(&self) -> impl Iterator<Item = &'static Room> {
        ROOMS.iter().filter(|room| self.person.is_some_and(|person| person.rights.has(room.needs)))
    }
}

/// All pages.
pub fn router() -> Router<Web> {
    let may = |right| from_fn_with_state(who::Needed::of_page(right), who::allowed);
    let asset = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, KEPT)], text) })
    };
    let read = Router::new()
        .route("/", get(overview::page))
        .route("/devices", get(devices::list))
        .route("/devices/compare", post(imports::compare))
        .route("/devices/views", post(devices::view))
        .route("/devices/{id}", get(device::page))
        .route("/observations/{entry}", get(observation::page))
        .route("/devices/{id}/fields/{field}", get(findings::field))
        .route("/findings", get(findings::all))
        .route("/findings/{cve}", get(findings::one))
        .route("/advisories", get(advisories::all))
        .route("/advisories/{id}", get(advisories::one))
        .route("/baselines", get(baselines::all).post(baselines::act))
        .route("/baselines/{entry}", get(baselines::one).post(baselines::settle))
        .route("/changes", get(changes::all))
        // Each step needs a right of its own, beside that to see the change.
        .route("/changes/{order}", get(change::one).post(change::take))
        .route("/reports", get(reports::page))
        .route("/map", get(map::page))
        .route("/own", get(accounts::own))
        .route("/own/tokens", post(accounts::token))
        .route("/own/tokens/{id}/revoke", post(accounts::revoke_token))
        .route("/own/password", post(accounts::password))
        .route_layer(may(Right::Read));
    let ask = Router::new().route("/devices/{id}/read", post(device::read)).route_layer(may(Right::Ask));
    let record = Router::new()
        .route("/changes", post(changes::open))
        .route("/imports", get(imports::page))
        .route("/imports/{kind}", post(imports::take))
        .route_layer(may(Right::Record));
    let audit = Router::new()
        .route("/questions", get(log::questions))
        .route("/devices/{id}/questions", get(log::of_device))
        .route("/devices/{id}/evidence", post(device::evidence))
        .route("/changes/{order}/evidence", post(change::evidence))
        .route("/log", get(log::accounts))
        .route("/settings", get(settings::page))
        .route("/accounts", get(accounts::all))
        .route_layer(may(Right::Audit));
    let administer = Router::new()
        .route("/accounts", post(accounts::make))
        .route("/accounts/{name}", post(accounts::act))
        .route_layer(may(Right::Administer));
    login::router()
        .merge(read)
        .merge(ask)
        .merge(record)
        .merge(audit)
        .merge(administer)
        .route("/style.css", asset("text/css; charset=utf-8", STYLE))
        .route("/page.js", asset("text/javascript; charset=utf-8", SCRIPT))
        .fallback(|| async { Refused(Problem::missing("there is no such page")) })
}

/// What a page's function gives back.
pub type Shown = Result<Html<String>, Refused>;

/// A problem as a page.
pub struct Refused(pub Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        refused(&self.0, None)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Told<'a> {
    frame: Frame<'a>,
    title: &'a str,
    detail: &'a str,
}

/// A problem as a page, for somebody.
pub fn refused(problem: &Problem, person: Option<&Person>) -> Response {
    let (title, detail) = problem.words();
    match shown(&Told { frame: Frame { person, here: "" }, title, detail }) {
        Ok(page) => (problem.http_status(), page).into_response(),
        Err(Refused(fault)) => fault.into_response(),
    }
}

/// A template, filled in.
fn shown(template: &impl Template) -> Shown {
    template.render().map(Html).map_err(|e| {
        say!(OWN_FAULT, "a page could not be written: {e}");
        Refused(Problem::own_fault())
    })
}

/// A text as one piece of a path.
fn escaped(piece: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    piece.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
