//! Advisories from an update: they go the way that `nameplate import advisories` goes, with the update's own entry before theirs.

use nameplate_core::advisory::Changes;
use nameplate_core::advisory::exploitation::{LIST_BYTES_MAX, ListKind};
use nameplate_core::ledger::Body;
use nameplate_core::update::{Admission, Event, Kind, Updates};
use nameplate_core::view::View;

use super::make::list_name;
use super::sealed::{DOCUMENTS, LISTS};
use super::{Publishers, Sealed, admitted, refused};
use crate::command::import::advisories::Basket;
use crate::failure::Failure;
use crate::store::Draft;

/// An update of advisories that was read as a whole, and is not entered yet.
pub struct Read<'a> {
    named: &'a str,
    sealed: &'a Sealed<'a>,
    /// Its documents and lists.
    pub basket: Basket,
}

/// What became of one.
pub struct Taken {
    /// What of it was new.
    pub changes: Changes,
    /// Whether it was applied before, byte for byte.
    pub is_again: bool,
    /// The entry that says that it was applied; `None` where there was nothing that the ledger did not have.
    pub entry: Option<u64>,
}

/// Checks an update against what is known, whole, and reads it.
///
/// # Errors
/// It is refused, is none of advisories, or holds other files than its manifest names, or a list that is none. A document that this program cannot read is a
/// problem of the basket: the others count.
pub fn read<'a>(
    named: &'a str,
    sealed: &'a Sealed<'a>,
    publishers: &Publishers,
    updates: &Updates,
    now_ns: u64,
) -> Result<Read<'a>, Failure> {
    admitted(named, sealed, publishers, updates, now_ns)?;
    if sealed.offer.kind != Kind::Advisories {
        return Err(refused(named, format!("it is an update of {}; only root applies one, at the machine", sealed.offer.kind)));
    }
    sealed.check_files().map_err(|why| refused(named, why))?;
    let mut lists = Vec::new();
    for entry in sealed.files().filter(|entry| entry.name.starts_with(LISTS)) {
        let name = entry.name.strip_prefix(LISTS).unwrap_or_default();
        let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        let kind = [ListKind::Kev, ListKind::Ssvc, ListKind::Epss].into_iter().find(|kind| list_name(*kind) == stem);
        let kind = kind.ok_or_else(|| refused(named, format!("{:?} is no list that this program knows", entry.name)))?;
        let bytes = sealed.archive.read(entry).map_err(|why| refused(named, why))?;
        if bytes.len() > LIST_BYTES_MAX {
            return Err(refused(named, format!("{:?} is larger than {LIST_BYTES_MAX} bytes", entry.name)));
        }
        lists.push((kind, format!("update of {}!/{name}", sealed.offer.publisher), bytes));
    }
    // The same name for each of a publisher's: the next one's documents are another edition of these.
    let place = format!("update of {}", sealed.offer.publisher);
    let basket = Basket::filled(vec![place.clone()], lists, |reader| {
        reader.entries(&place, &sealed.archive, DOCUMENTS);
        Ok(())
    })?;
    Ok(Read { named, sealed, basket })
}

impl Read<'_> {
    /// What the ledger is told, at that moment and from that index on, in one transaction. Who was before us meanwhile is seen.
    ///
    /// # Errors
    /// It is refused now.
    pub fn drafts(
        &mut self,
        publishers: &Publishers,
        view: &View,
        (now_ns, first): (u64, u64),
        by: &str,
    ) -> Result<(Vec<Draft>, Taken), Failure> {
        let admission = admitted(self.named, self.sealed, publishers, &view.updates, now_ns)?;
        let (changes, is_again) = (self.basket.changes(&view.advisories), admission == Admission::Again);
        if is_again && changes.nothing {
            return Ok((Vec::new(), Taken { changes, is_again, entry: None }));
        }
        let mut drafts = vec![Draft::new(now_ns, Body::Update(Event::Applied { by: by.to_owned(), offer: self.sealed.offer.clone() }))];
        if !changes.nothing {
            let (body, payloads) = (Body::Advisories(self.basket.delivery.clone()), std::mem::take(&mut self.basket.payloads));
            drafts.push(Draft { time_ns: now_ns, body, payloads });
        }
        Ok((drafts, Taken { changes, is_again, entry: Some(first) }))
    }

    /// What happened, for a person.
    #[must_use]
    pub fn summary(&self, taken: &Taken) -> String {
        let offer = &self.sealed.offer;
        let how = if taken.is_again { "applied again" } else { "applied" };
        let expires = nameplate_core::observation::rfc3339(offer.expires_ns);
        format!("advisories {} of {} {how}; good until {expires}\n", offer.version, offer.publisher)
            + &self.basket.summary(&taken.changes, taken.entry)
    }
}
