//! The reports: what each says, in which forms, and as of when.

use askama::Template;
use axum::Extension;
use axum::extract::RawQuery;

use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::devices::moment;
use crate::command::report::KINDS;
use crate::web::api::parameters::Parameters;

#[derive(Template)]
#[template(path = "reports.html")]
struct Page<'a> {
    frame: Frame<'a>,
    /// As it was typed; empty for now.
    as_of: String,
    why: Option<String>,
    /// Kind and what it says.
    kinds: Vec<(&'static str, &'static str)>,
    /// The forms of each.
    forms: [(&'static str, &'static str); 3],
}

/// The page.
pub async fn page(Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let said = Parameters::of(query.as_deref(), &["as_of"])?;
    let as_of = said.one::<String>("as_of")?.unwrap_or_default();
    let why =
        Some(&as_of).filter(|text| !text.is_empty()).and_then(|text| moment("that", text, "23:59:59").err()).map(|failure| failure.why);
    // That on a device stands on the page of each.
    let kinds = KINDS.into_iter().filter(|(kind, _)| *kind != "device").collect();
    let forms = [("html", "page"), ("xlsx", "XLSX"), ("csv", "CSV")];
    shown(&Page { frame: Frame { person: Some(&person), here: "/reports" }, as_of, why, kinds, forms })
}
