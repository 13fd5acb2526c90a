//! Changes: how far each is, and opening one.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use nameplate_core::account::Right;
use nameplate_core::change::{Change, Precheck};
use nameplate_core::observation::rfc3339;

use super::listing::{Cell, Listing, Row};
use super::overview::drawn;
use super::said::Said;
use super::{Frame, Problem, Refused, Shown, escaped, shown};
use crate::account::Person;
use crate::command::change::steps::kind;
use crate::house::Known;
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::changes::open::{NewChange, opened};

/// All that the form has.
const FIELDS: [&str; 17] = [
    "order",
    "scope",
    "neighbours",
    "expected",
    "from",
    "until",
    "release",
    "findings",
    "bulletin",
    "query",
    "rings",
    "serials",
    "partners",
    "precheck",
    "restart",
    "message",
    "sequence",
];

#[derive(Template)]
#[template(path = "changes.html")]
struct All<'a> {
    frame: Frame<'a>,
    changes: Listing,
    plots: Vec<String>,
    may_record: bool,
    prechecks: [&'static str; 4],
    /// What was typed and not taken, and why.
    said: Said,
    why: Option<String>,
}

/// All changes, the latest first.
pub async fn all(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    page(&web, &person, Said::default(), None).await
}

async fn page(web: &Web, person: &Person, said: Said, why: Option<String>) -> Shown {
    let look = |known: &Known<'_>| {
        let mut rows: Vec<Row> = known.view.changes.iter().map(|change| row(change, known.now_ns)).collect();
        rows.reverse();
        Ok((rows, drawn(known.view, known.now_ns)))
    };
    let (rows, plots) = web.known(look).await?;
    let changes = Listing {
        id: "changes",
        title: "work orders",
        header: &["work order", "stage", "devices", "undone", "from", "until", "opened by", "approved by"],
        rows,
        none: "No change was opened.",
    };
    let (may_record, prechecks) = (person.rights.has(Right::Record), Precheck::ALL.map(Precheck::name));
    shown(&All { frame: Frame { person: Some(person), here: "/changes" }, changes, plots, may_record, prechecks, said, why })
}

/// Opens a change; what was not understood is said above what was typed.
pub async fn open(State(web): State<Web>, Extension(person): Extension<Person>, body: String) -> Result<Response, Refused> {
    let said = Said::of(&body, &FIELDS)?;
    let (wanted, by) = (new_change(&said)?, person.name.clone());
    let path = format!("/changes/{}", escaped(&wanted.order));
    match web.apart(move |house| opened(house, by, wanted)).await {
        Ok(_) => Ok(Redirect::to(&path).into_response()),
        Err(problem) => {
            let why = problem.words().1.to_owned();
            Ok((problem.http_status(), page(&web, &person, said, Some(why)).await?).into_response())
        }
    }
}

fn new_change(said: &Said) -> Result<NewChange, Problem> {
    let kind = |word: &String| kind(word).map_err(Problem::bad);
    Ok(NewChange {
        order: said.text("order"),
        scope: said.words("scope"),
        neighbours: said.words("neighbours"),
        expected: said.lines("expected"),
        from: said.time("from"),
        until: said.time("until").unwrap_or_default(),
        release: said.option("release"),
        findings: said.words("findings"),
        baseline: None,
        bulletin: said.option("bulletin"),
        query: said.lines("query"),
        rings: said.lines("rings"),
        serials: said.lines("serials"),
        partners: said.lines("partners"),
        prechecks: said.all("precheck").map(kind).collect::<Result<_, _>>()?,
        restart: said.option("restart").map(|word| word == "yes"),
        message: said.option("message"),
        retries: None,
        sequence: said.words("sequence"),
    })
}

fn row(change: &Change, now_ns: u64) -> Row {
    let plan = &change.plan;
    let undone = if change.closed.is_some() { 0 } else { change.undone(false).len() };
    let tint = match () {
        () if undone > 0 && plan.until_ns < now_ns => Tint::Bad,
        () if undone > 0 => Tint::Doubt,
        () => Tint::Good,
    };
    let cells = vec![
        Cell::to(plan.order.clone(), format!("/changes/{}", escaped(&plan.order))),
        Cell::of(change.stage()),
        Cell::of(plan.scope.len().to_string()),
        Cell::of(undone.to_string()),
        Cell::of(rfc3339(plan.from_ns)),
        Cell::of(rfc3339(plan.until_ns)),
        Cell::of(plan.by.clone()),
        Cell::of(change.approved.as_ref().map(|step| step.by.clone()).unwrap_or_default()),
    ];
    Row::of(tint, cells)
}
