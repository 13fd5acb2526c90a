//! How the gateway is set up, and what it sees of itself. Nothing is changed here: that takes the file, and whoever may write it.

use askama::Template;
use axum::Extension;
use axum::extract::State;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::doctor::Verdict;
use crate::command::update::HEADER;
use crate::outbox::{Dead, Standing};
use crate::sheet::book::Tint;
use crate::web::Web;
use crate::web::api::program::{Program, Settings};

#[derive(Template)]
#[template(path = "settings.html")]
struct Page<'a> {
    frame: Frame<'a>,
    program: Program,
    certificate: Option<String>,
    seen: Listing,
    updates: Listing,
    targets: Listing,
    dead: Listing,
    ledger: Listing,
    configuration: Listing,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let Settings { program, configuration, checkpoint, certificate, updates, targets, seen } = web.apart(Settings::of).await?;
    let seen = seen.into_iter().map(|finding| {
        let tint = match finding.verdict {
            Verdict::Ok => Tint::Good,
            Verdict::Look => Tint::Doubt,
            Verdict::Wrong => Tint::Bad,
        };
        Row::of(tint, [finding.what.to_owned(), finding.told, finding.advice].into_iter().map(Cell::of).collect())
    });
    let seen = Listing {
        id: "seen",
        title: "what it sees of itself",
        header: &["what", "how it is", "what to do"],
        rows: seen.collect(),
        none: "",
    };
    let updates = Listing {
        id: "updates",
        title: "updates from a stick",
        header: &HEADER,
        rows: updates.iter().map(|update| Row::plain(update.cells())).collect(),
        none: "None was applied.",
    };
    let dead = Listing {
        id: "dead",
        title: "messages that a target refuses",
        header: &["target", "event", "entry", "kind", "given up", "what it says"],
        rows: targets.iter().flat_map(|target| target.dead.iter().rev().map(|dead| refused(&target.name, dead))).collect(),
        none: "None was refused.",
    };
    let targets = Listing {
        id: "targets",
        title: "who is told what happens",
        header: &["target", "where", "told", "up to entry", "last", "how it is"],
        rows: targets.iter().map(target).collect(),
        none: "Nobody is: there is no [[target]] in the configuration.",
    };
    let told = [("entries", checkpoint.size.to_string()), ("root", checkpoint.root), ("signed by", checkpoint.signed_by.join(", "))];
    let ledger = Listing {
        id: "ledger",
        title: "the ledger's checkpoint",
        header: &["what", "how it is"],
        rows: told.into_iter().map(|(what, how)| Row::plain([what.to_owned(), how])).collect(),
        none: "",
    };
    let configuration = Listing {
        id: "configuration",
        title: "configuration in force",
        header: &["key", "what holds"],
        rows: configuration.into_iter().map(|one| Row::plain([one.key, one.holds])).collect(),
        none: "",
    };
    let frame = Frame { person: Some(&person), here: "/settings" };
    shown(&Page { frame, program, certificate, seen, updates, targets, dead, ledger, configuration })
}

fn target(standing: &Standing) -> Row {
    let Standing { name, url, next, told, last, trouble, since, .. } = standing;
    let (tint, how) = match (trouble, since) {
        (None, _) => (Tint::Good, "it is told".to_owned()),
        (Some(why), None) => (Tint::Bad, why.clone()),
        (Some(why), Some(since)) => (Tint::Bad, format!("since {since}: {why}")),
    };
    let cells = [name.clone(), url.clone(), told.to_string(), next.to_string(), last.clone().unwrap_or_default(), how];
    Row::of(tint, cells.into_iter().map(Cell::of).collect())
}

fn refused(target: &str, dead: &Dead) -> Row {
    Row::plain([target.to_owned(), dead.id.clone(), dead.entry.to_string(), dead.kind.clone(), dead.time.clone(), dead.why.clone()])
}
