//! One reading: where it comes from, what it tells, and its bytes with the marks of what was read.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};

use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::evidence::page::readings::reading;
use crate::web::Web;
use crate::web::api::observations::observed;

#[derive(Template)]
#[template(path = "observation.html")]
struct Page<'a> {
    frame: Frame<'a>,
    entry: u64,
    /// Text of devices is escaped in it, as in a bundle's page.
    reading: String,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>, Path(entry): Path<u64>) -> Shown {
    let told = move |house: &crate::house::House| {
        let (observed, payloads) = observed(house, entry)?;
        let named = observed.observation.messages.iter().cloned().zip(payloads);
        let kept: BTreeMap<String, Vec<u8>> = named.filter_map(|(name, bytes)| Some((name, bytes?))).collect();
        Ok(reading(&kept, entry, &observed))
    };
    let reading = web.apart(told).await?;
    shown(&Page { frame: Frame { person: Some(&person), here: "/devices" }, entry, reading })
}
