//! Opening a change: what `nameplate change open` takes, in the same words.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use nameplate_core::change::Event;
use nameplate_core::ledger;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::asked::Body;
use super::super::{Problem, Web};
use crate::account::Person;
use crate::command::ask::Kept;
use crate::command::change::Open;
use crate::command::change::steps::Kind;
use crate::command::change::terms::Agreed;
use crate::house::House;

/// What is going to change. Devices are named by their ids, or enough of their beginnings.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChange {
    /// The work order's number, as it stands in your own system.
    #[schema(min_length = 1)]
    pub order: String,
    /// Devices that are to change; those of rings and of `query` are, too.
    #[serde(default)]
    pub scope: Vec<String>,
    /// Devices that must not change; they are read before and after, too.
    #[serde(default)]
    pub neighbours: Vec<String>,
    /// What must come of it: `ASSET:PART.FIELD=OLD->NEW`; an empty OLD or NEW means that the field is not reported, `?` for OLD that nobody knows it, `*`
    /// for ASSET each device in the scope.
    #[schema(example = json!(["*:self.firmware_revision=2.60->2.70"]))]
    pub expected: Vec<String>,
    /// When the window opens, RFC 3339 in UTC; now where nothing is said.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
    )]
    #[serde(default)]
    pub from: Option<String>,
    /// When the window closes.
    #[schema(
        pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
    )]
    pub until: String,
    /// The release that is rolled out, as the order calls it.
    #[serde(default)]
    pub release: Option<String>,
    /// Findings that the change is to end: CVEs or ids of advisories.
    #[serde(default)]
    pub findings: Vec<String>,
    /// The ledger's entry of the decision that approves the release.
    #[serde(default)]
    pub baseline: Option<u64>,
    /// The vendor's bulletin.
    #[serde(default)]
    pub bulletin: Option<String>,
    /// All devices with this field or column: `zone=North`; of several, those that have all.
    #[serde(default)]
    pub query: Vec<String>,
    /// Rings, in the order in which they open: `NAME=ID,ID` or `NAME/SOAK=ID,ID`, such as `pilot/3days=a-12,a-34`.
    #[serde(default)]
    pub rings: Vec<String>,
    /// The serial number that a device must report: `ID=SERIAL`.
    #[serde(default)]
    pub serials: Vec<String>,
    /// Redundant pairs, either of which may answer for the other: `ID=ID`.
    #[serde(default)]
    pub partners: Vec<String>,
    /// What must have been checked for each device before its ring opens.
    #[serde(default)]
    pub prechecks: Vec<Kind>,
    /// Whether a restart is wanted.
    #[serde(default)]
    pub restart: Option<bool>,
    /// What the operator is to be told.
    #[serde(default)]
    pub message: Option<String>,
    /// How often an installation that failed may be tried again.
    #[serde(default)]
    pub retries: Option<u32>,
    /// The order in which devices are to be installed.
    #[serde(default)]
    pub sequence: Vec<String>,
}

/// A change that was opened.
#[derive(Serialize, ToSchema)]
pub struct Opened {
    /// The work order.
    order: String,
    /// How many devices are to change.
    devices: usize,
    /// How many must not.
    neighbours: usize,
    /// What is to be said of it that is no obstacle: values that are others in the catalog, devices that are not asked.
    notes: Vec<String>,
}

impl NewChange {
    /// As the command line says it.
    fn by(self, by: String) -> Open {
        let agreed = Agreed {
            release: self.release,
            finding: self.findings,
            baseline: self.baseline,
            bulletin: self.bulletin,
            query: self.query,
            ring: self.rings,
            serial: self.serials,
            partners: self.partners,
            precheck: self.prechecks,
            restart: self.restart == Some(true),
            no_restart: self.restart == Some(false),
            message: self.message,
            retries: self.retries,
            sequence: self.sequence,
        };
        Open {
            order: self.order,
            asset: self.scope,
            neighbour: self.neighbours,
            expect: self.expected,
            from: self.from,
            until: self.until,
            by,
            question: None,
            // Files and options that lead to secrets are the machine owner's: who writes from afar names none.
            site: None,
            way: Vec::new(),
            agreed,
        }
    }
}

/// Opens a change: what is going to change, where, when, and what is expected of it. Who asks for it is who opens it.
#[utoipa::path(
    post, path = "/changes", tag = "changes", security(("token" = ["record"]), ("session" = ["record"])),
    request_body = NewChange,
    responses((status = 201, body = Opened), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn open(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Body(wanted): Body<NewChange>,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let opened = web.apart(move |house| opened(house, person.name, wanted)).await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// As [`open`]; the page opens the same.
///
/// # Errors
/// 400: a word that was not understood, a plan that nobody can carry out; 409: a device is to change by another work order.
pub fn opened(house: &House, by: String, wanted: NewChange) -> Result<Opened, Problem> {
    let (wanted, kept) = (wanted.by(by), Kept { state: Some(house.directory.clone()), writes: false });
    // How each device is asked takes a while to find out, and nobody has to wait for that.
    let (plan, notes) = house.known(|known| wanted.plan(&known.view.catalog, &kept))?;
    plan.check().map_err(Problem::bad)?;
    let opened = Opened { order: plan.order.clone(), devices: plan.scope.len(), neighbours: plan.neighbours.len(), notes };
    house.enter(|view, now_ns| {
        let event = Event::Opened(plan);
        view.changes.allows(&event, now_ns).map_err(Problem::conflict)?;
        Ok((vec![ledger::Body::Change(event)], opened))
    })
}
