//! How the gateway is set up, and what it sees of itself. Nothing is changed here: that takes the file, and whoever may write it.

use askama::Template;
use axum::Extension;
use axum::extract::State;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::doctor::Verdict;
use crate::command::update::HEADER;
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
    ledger: Listing,
    configuration: Listing,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let Settings { program, configuration, checkpoint, certificate, updates, seen } = web.apart(Settings::of).await?;
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
    shown(&Page { frame: Frame { person: Some(&person), here: "/settings" }, program, certificate, seen, updates, ledger, configuration })
}
