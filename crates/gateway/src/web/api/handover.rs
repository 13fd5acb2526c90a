//! What the site knows, as signed files for IT: the same folder that `nameplate handover write` makes, as a zip file.

use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use nameplate_core::account::Event;
use nameplate_core::ledger::Body;

use super::{Problem, Web};
use crate::account::Person;
use crate::advisories::archive;
use crate::command::check::source::Sources;
use crate::command::evidence::Prepared;
use crate::handover::{NAMESPACE, PROOF, Signed, Site, files, folder, signed, subject};
use crate::house::House;
use crate::store::{Draft, Store, now_ns};

/// A folder, to be kept as a file.
pub struct Zip {
    name: String,
    bytes: Vec<u8>,
}

impl IntoResponse for Zip {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"{}.zip\"", self.name);
        ([(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)], self.bytes).into_response()
    }
}

/// Devices and findings as signed files for IT, in a zip file: NDJSON, CSV, XLSX, CycloneDX 1.6, Asset Administration Shells and CSAF VEX, with a proof that the ledger lists them.
#[utoipa::path(
    post, path = "/handovers", tag = "evidence", security(("token" = ["audit"]), ("session" = ["audit"])),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/zip",
            description = "What docs/handover.md says, in a folder; `nameplate handover verify` checks it. That somebody took it stands in the ledger"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn write(State(web): State<Web>, Extension(person): Extension<Person>) -> Result<Zip, Problem> {
    web.folded(move |house| zip(house, person.name)).await
}

/// The folder as a zip file. That somebody took it is in the ledger first.
///
/// # Errors
/// There is no ledger, or it cannot be written.
pub fn zip(house: &House, by: String) -> Result<Zip, Problem> {
    let none = || Problem::unavailable("there is no ledger");
    let store = Store::read(&house.directory)?.ok_or_else(none)?;
    let (origin, at_ns) = (store.keys().origin(), now_ns());
    let name = Some(house.field().site.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| origin.clone());
    let site = Site { name: &name, origin: &origin, entries: store.size(), at_ns };
    let folder = folder(&site);
    let view = store.view(None)?;
    let source = Sources::default().findings(Some((&store, &view)), at_ns)?;
    let files = files(&site, &view, house.profiles, source.as_ref().map(|source| &source.findings))?;
    drop((view, source));
    let Signed { mut files, list } = house.signing(|key| signed(files, |bytes| key.sign_file(NAMESPACE, bytes))).ok_or_else(none)??;
    let prepared = Prepared::of_keys(&store, &subject(&site))?;
    let index = house.enter_at(|_, now_ns, first| {
        let wanted = Event::Wanted { by, what: format!("takes the hand-over {folder}") };
        let drafts = [Body::Account(wanted), prepared.listing(&list)].map(|body| Draft::new(now_ns, body)).into();
        // It stands behind the entry that says who took it.
        Ok::<_, Problem>((drafts, first.saturating_add(1)))
    })?;
    let (proof, _) = prepared.bundle(&Store::read(&house.directory)?.ok_or_else(none)?, list, index)?;
    files.push((PROOF.to_owned(), proof));
    files.iter_mut().for_each(|(name, _)| *name = format!("{folder}/{name}"));
    let bytes = archive::write(&files).map_err(Problem::conflict)?;
    Ok(Zip { name: folder, bytes })
}
