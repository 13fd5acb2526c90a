//! Writing a bundle: first the log says what is in it, then the file.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use nameplate_core::evidence::{Authenticity, Bundle, ENTRIES_MAX, FORMAT, Proven, Selection, verify};
use nameplate_core::ledger::{Body, Entry, Keys};
use nameplate_core::observation::hex;
use sha2::{Digest, Sha256};

use super::page::{Content, page};
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The device's whole id, or the work order.
    pub subject: String,
    /// Entries in the bundle.
    pub entries: usize,
    /// The site key's fingerprint.
    pub fingerprint: String,
}

/// Writes the bundle of a subject: a device's id, or enough of its beginning, or a work order.
///
/// # Errors
/// The store's, a subject that it does not know, a file that is there already or cannot be written.
pub fn export(store: &mut Store, subject: &str, out: &Path) -> Result<Exported, Failure> {
    let view = store.view(None)?;
    let subject = view.catalog.asset(subject).map_or_else(|| subject.to_owned(), |asset| asset.id.clone());
    drop(view);
    let prepared = Prepared::of(store, &subject)?;
    // Before the log says that there is a bundle, there is a place for it.
    let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(|e| Failure::input(out.display(), e))?;
    let listed = (store.size(), now_ns());
    let (page, body) = prepared.page(store.keys(), listed);
    let written =
        store.append(&[Draft::new(listed.1, body)]).and_then(|_| prepared.bundle(store, page, listed.0)).and_then(|(bytes, told)| {
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| Failure::input(out.display(), e))?;
            Ok(told)
        });
    if written.is_err() {
        // Half a bundle is none; there is nothing more to say than the error does.
        let _ = fs::remove_file(out);
    }
    written
}

/// All that goes into a bundle, but the entry that says that it exists. It is gathered from the whole log; what comes in meanwhile is not in it.
pub struct Prepared {
    subject: String,
    entries: Vec<u64>,
    read: Vec<Entry>,
    named: Named,
}

impl Prepared {
    /// What the log has of a subject: an asset's whole id, or a work order.
    ///
    /// # Errors
    /// The store's, a subject that it does not know.
    pub fn of(store: &Store, subject: &str) -> Result<Self, Failure> {
        let entries = select(store, subject)?;
        let named = named(store, &entries)?;
        let read = entries.iter().map(|index| store.entry(*index)).collect::<Result<_, _>>()?;
        Ok(Self { subject: subject.to_owned(), entries, read, named })
    }

    /// What a bundle about files has: the log's keys, and no page but the one that is given to [`Prepared::listing`].
    ///
    /// # Errors
    /// The store's.
    pub fn of_keys(store: &Store, subject: &str) -> Result<Self, Failure> {
        let mut entries = vec![0];
        entries.extend(store.key_changes()?);
        Ok(Self { subject: subject.to_owned(), entries, read: Vec::new(), named: Named::default() })
    }

    /// What the log is told of a bundle with this page.
    pub fn listing(&self, page: &str) -> Body {
        Body::Evidence { subject: self.subject.clone(), entries: self.entries.clone(), page_sha256: hex(&Sha256::digest(page)) }
    }

    /// The page for people, and what the log is told: that the bundle exists, what is in it, and the hash of its page. `listed`: index and time of
    /// that entry.
    pub fn page(&self, keys: &Keys, listed: (u64, u64)) -> (String, Body) {
        let Named { payloads, profiles } = &self.named;
        let page = page(&Content { subject: &self.subject, entries: &self.read, payloads, profiles, keys, listed });
        let body = self.listing(&page);
        (page, body)
    }

    /// The bundle, if we would accept it ourselves: all entries and the one at `listed` with their proofs, under the checkpoint that was signed behind it. What
    /// came since is not in it.
    ///
    /// # Errors
    /// The store's, or that it would not be accepted.
    pub fn bundle(mut self, store: &Store, page: String, listed: u64) -> Result<(Vec<u8>, Exported), Failure> {
        self.entries.push(listed);
        let size = listed.saturating_add(1);
        let entries = prove(store, &self.entries, size)?;
        let (keys, fingerprint) = (store.keys(), store.public_key().fingerprint());
        let payloads = self.named.payloads.into_iter().map(|(name, bytes)| (name, hex(&bytes))).collect();
        let told = Exported { subject: self.subject, entries: entries.len(), fingerprint };
        let bundle = Bundle {
            checkpoint: store.note(size)?,
            entries,
            format: FORMAT.to_owned(),
            origin: keys.origin(),
            page,
            payloads,
            profiles: self.named.profiles,
            public_key: keys.first().digits(),
        };
        let bytes = bundle.bytes();
        match verify(&bytes, Some(&told.fingerprint)).authenticity {
            Authenticity::Refused(unsound) => {
                Err(Failure::input(told.subject, format!("no bundle was written, because it would not be accepted: {unsound}")))
            }
            _ => Ok((bytes, told)),
        }
    }
}

/// The entries that belong to the subject, from the whole log.
fn select(store: &Store, subject: &str) -> Result<Vec<u64>, Failure> {
    let mut selection = Selection::new(subject);
    for index in 0..store.size() {
        selection.take(&store.entry(index)?);
    }
    let unknown = || {
        let why = format!("no device has an id that begins with {subject:?}, and no change is of that work order; see `nameplate devices`");
        Failure::new(Code::Usage, why)
    };
    let indices = selection.indices().ok_or_else(unknown)?;
    if indices.len() >= ENTRIES_MAX {
        let why = format!("{} entries belong to it, and a bundle has at most {ENTRIES_MAX}", indices.len());
        return Err(Failure::input(subject, why));
    }
    Ok(indices)
}

/// What entries name by its SHA-256.
#[derive(Default)]
struct Named {
    payloads: BTreeMap<String, Vec<u8>>,
    profiles: BTreeMap<String, String>,
}

/// The payloads and the profiles' texts that the entries name.
fn named(store: &Store, entries: &[u64]) -> Result<Named, Failure> {
    let Named { mut payloads, mut profiles } = Named::default();
    for index in entries {
        let Body::Observation(observed) = store.entry(*index)?.body else { continue };
        let kept = |name: &String| {
            let missing = || {
                Failure::input(
                    format_args!("entry {index}"),
                    format!("its bytes {name} are not kept any more; there is no evidence without them"),
                )
            };
            store.payload(name)?.ok_or_else(missing)
        };
        for name in &observed.observation.messages {
            payloads.insert(name.clone(), kept(name)?);
        }
        if let Some(name) = &observed.profile_sha256 {
            let text = String::from_utf8(kept(name)?).map_err(|e| Failure::input(format_args!("profile {name}"), e))?;
            profiles.insert(name.clone(), text);
        }
    }
    Ok(Named { payloads, profiles })
}

/// Entries with the proofs that they are among the first `size` of the log.
fn prove(store: &Store, entries: &[u64], size: u64) -> Result<Vec<Proven>, Failure> {
    let tree = store.tree()?;
    let prove = |index: &u64| {
        let proof =
            tree.inclusion(*index, size).ok_or_else(|| Failure::input(format_args!("entry {index}"), "it has no place in the tree"))?;
        let record = String::from_utf8(store.record(*index)?).map_err(|e| Failure::input(format_args!("entry {index}"), e))?;
        Ok(Proven { index: *index, proof: proof.iter().map(|hash| hex(hash)).collect(), record })
    };
    entries.iter().map(prove).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_between_the_entry_and_its_bundle_does_not_spoil_the_bundle() {
        let place = std::env::temp_dir().join(format!("nameplate-bundle-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        let mut store = Store::write(&place).expect("a store");
        store.change_key("Ada", "a key in between").expect("another key");
        let prepared = Prepared::of_keys(&store, "hand-over").expect("keys");
        let list = format!("{}  devices.csv\n", "0".repeat(64));
        let listed = store.size();
        store.append(&[Draft::new(1, prepared.listing(&list))]).expect("appended");
        store.append(&[Draft::new(2, Body::Touch { line: "{}".to_owned() })]).expect("what came in meanwhile");
        let (bytes, told) = prepared.bundle(&store, list, listed).expect("a bundle");
        assert_eq!(told.entries, 3);
        assert_eq!(verify(&bytes, Some(&told.fingerprint)).authenticity, Authenticity::Authentic);
        fs::remove_dir_all(&place).expect("removed");
    }
}
