//! Advisories as the ledger has them: what came at once, by name and hash. The documents' bytes stand apart, as payloads.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::exploitation::ListKind;
use super::set::{Taken, revision_order};
use crate::observation::hex;

/// What was taken in at once.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The documents, by publisher, id, revision and hash.
    pub documents: Vec<Reference>,
    /// Where they stood: the paths as they were given. Two deliveries from one place are two editions of one set.
    pub from: Vec<String>,
    /// Lists of what is exploited, as they were given.
    pub lists: Vec<ListReference>,
}

/// A document by its name and its hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The file: a path, and in a zip file `x.zip!/folder/y.json`.
    pub file: String,
    /// `document.tracking.id`.
    pub id: String,
    /// `document.publisher.name`.
    pub publisher: String,
    /// `document.tracking.version`.
    pub revision: String,
    /// SHA-256 of its bytes, lower case hexadecimal.
    pub sha256: String,
}

/// A list by its kind and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListReference {
    /// The file, as it was given.
    pub file: String,
    /// Which list.
    pub kind: ListKind,
    /// SHA-256 of its bytes, lower case hexadecimal.
    pub sha256: String,
}

/// What a delivery changes of what is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Each document of the delivery, in its order, and what it is to those before.
    pub documents: Vec<Taken>,
    /// Documents that the delivery before from the same place had, and this one has in no revision. They stay held.
    pub gone: Vec<Reference>,
    /// True where the ledger learns nothing from it.
    pub nothing: bool,
}

/// Everything that was delivered. Nothing is ever deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// By publisher and id; of each every content, in the order of the revisions.
    documents: BTreeMap<(String, String), Vec<Reference>>,
    /// The last delivery from each place.
    editions: BTreeMap<Vec<String>, Delivery>,
    /// Of KEV and EPSS the last list; of SSVC all, in the order in which they came.
    lists: Vec<ListReference>,
    /// When each delivery was taken in, in nanoseconds since 1970, in their order.
    taken_ns: Vec<u64>,
    /// Of each document, by publisher and id, when it first came, and when it came last, the same or another.
    came_ns: BTreeMap<(String, String), (u64, u64)>,
}

impl Delivery {
    /// Brings the documents into their order; the same file twice is one.
    pub fn arrange(&mut self) {
        self.documents.sort_by(|a, b| (&a.publisher, &a.id).cmp(&(&b.publisher, &b.id)).then_with(|| order(a, b)));
        self.documents.dedup_by(|a, b| (&a.publisher, &a.id, &a.sha256) == (&b.publisher, &b.id, &b.sha256));
    }
}

fn order(a: &Reference, b: &Reference) -> Ordering {
    revision_order(&a.revision, &b.revision).then_with(|| a.sha256.cmp(&b.sha256))
}

impl Held {
    /// Takes the next delivery, of that time in nanoseconds since 1970.
    pub fn take(&mut self, delivery: &Delivery, time_ns: u64) {
        self.taken_ns.push(time_ns);
        for document in &delivery.documents {
            self.document(document);
            let came = self.came_ns.entry((document.publisher.clone(), document.id.clone())).or_insert((time_ns, time_ns));
            came.1 = came.1.max(time_ns);
        }
        for list in &delivery.lists {
            if list.kind != ListKind::Ssvc {
                self.lists.retain(|before| before.kind != list.kind);
            }
            if !self.lists.iter().any(|before| (before.kind, &before.sha256) == (list.kind, &list.sha256)) {
                self.lists.push(list.clone());
            }
        }
        if !delivery.from.is_empty() {
            self.editions.insert(delivery.from.clone(), delivery.clone());
        }
    }

    /// What a delivery would change.
    #[must_use]
    pub fn changes(&self, delivery: &Delivery) -> Changes {
        let mut after = self.clone();
        let documents: Vec<Taken> = delivery.documents.iter().map(|document| after.document(document)).collect();
        let here: BTreeSet<(&str, &str)> = delivery.documents.iter().map(named).collect();
        let before = self.editions.get(&delivery.from).map(|edition| edition.documents.as_slice()).unwrap_or_default();
        let mut gone: Vec<Reference> = before.iter().filter(|document| !here.contains(&named(document))).cloned().collect();
        gone.dedup_by(|a, b| named(a) == named(b));
        let same = |list: &ListReference| self.lists.iter().any(|before| (before.kind, &before.sha256) == (list.kind, &list.sha256));
        let again = |document: &Reference| before.iter().any(|before| before.sha256 == document.sha256);
        let reissued = !before.is_empty() && !delivery.documents.iter().all(again);
        let nothing =
            documents.iter().all(|taken| *taken == Taken::Unchanged) && gone.is_empty() && !reissued && delivery.lists.iter().all(same);
        Changes { documents, gone, nothing }
    }

    /// Every document that is held, each content once, by publisher, id and revision.
    pub fn documents(&self) -> impl Iterator<Item = &Reference> {
        self.documents.values().flatten()
    }

    /// The lists that count, in the order in which they came.
    #[must_use]
    pub fn lists(&self) -> &[ListReference] {
        &self.lists
    }

    /// When the deliveries were taken in, in nanoseconds since 1970, in their order.
    #[must_use]
    pub fn taken_ns(&self) -> &[u64] {
        &self.taken_ns
    }

    /// Each document, by publisher and id, with when it first came and when it came last, in nanoseconds since 1970.
    pub fn came_ns(&self) -> impl Iterator<Item = (&(String, String), (u64, u64))> {
        self.came_ns.iter().map(|(named, came)| (named, *came))
    }

    /// What is held, as one SHA-256 in lower case hexadecimal: over the digests of all documents and of the lists that count, each in 64
    /// hexadecimal digits with a line feed behind it, rising, each once. Anybody with the files can work it out: `sha256sum` of the sorted list.
    #[must_use]
    pub fn sha256(&self) -> String {
        let documents = self.documents().map(|document| document.sha256.as_str());
        let digests: BTreeSet<&str> = documents.chain(self.lists.iter().map(|list| list.sha256.as_str())).collect();
        hex(&Sha256::digest(digests.into_iter().flat_map(|digest| [digest, "\n"]).collect::<String>()))
    }

    /// The last delivery from a place.
    #[must_use]
    pub fn edition(&self, from: &[String]) -> Option<&Delivery> {
        self.editions.get(from)
    }

    fn document(&mut self, document: &Reference) -> Taken {
        let known = self.documents.entry((document.publisher.clone(), document.id.clone())).or_default();
        if known.iter().any(|before| before.sha256 == document.sha256) {
            return Taken::Unchanged;
        }
        let same = known.iter().any(|before| revision_order(&before.revision, &document.revision) == Ordering::Equal);
        let at = known.partition_point(|before| order(before, document) == Ordering::Less);
        let taken = match (same, known.len()) {
            (true, _) => Taken::ChangedWithoutRevision,
            (false, 0) => Taken::New,
            (false, length) if at == length => Taken::Newer,
            (false, _) => Taken::Older,
        };
        known.insert(at, document.clone());
        taken
    }
}

fn named(document: &Reference) -> (&str, &str) {
    (&document.publisher, &document.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(documents: &[(&str, &str, &str)], lists: &[(ListKind, &str)]) -> Delivery {
        let text = str::to_owned;
        let reference = |(id, revision, sha256): &(&str, &str, &str)| Reference {
            file: format!("{id}.json"),
            id: text(id),
            publisher: "P".into(),
            revision: text(revision),
            sha256: text(sha256),
        };
        let list = |(kind, sha256): &(ListKind, &str)| ListReference { file: "l".into(), kind: *kind, sha256: text(sha256) };
        let mut delivery = Delivery {
            documents: documents.iter().map(reference).collect(),
            from: vec!["csaf".into()],
            lists: lists.iter().map(list).collect(),
        };
        delivery.arrange();
        delivery
    }

    /// What the second delivery changes after the first: `A new`, `-B` for what is gone, `=` for nothing.
    fn check(before: &Delivery, after: &Delivery, expected: &str) {
        let mut held = Held::default();
        assert!(!held.changes(before).nothing);
        held.take(before, 1);
        assert!(held.changes(before).nothing, "a second delivery of the same changes nothing");
        let changes = held.changes(after);
        let said = after.documents.iter().zip(&changes.documents).filter(|(_, taken)| **taken != Taken::Unchanged);
        let said = said.map(|(document, taken)| format!("{} {}", document.id, taken.name()));
        let gone = changes.gone.iter().map(|document| format!("-{}", document.id));
        let nothing = changes.nothing.then(|| "=".to_owned());
        assert_eq!(said.chain(gone).chain(nothing).collect::<Vec<_>>().join(" "), expected);
        let known = held.documents().count();
        held.take(after, 2);
        assert!(held.documents().count() >= known, "nothing is deleted");
    }

    #[test]
    fn a_delivery_says_what_is_new_changed_and_gone() {
        let before = delivery(&[("A", "2", "a2"), ("B", "1", "b1")], &[(ListKind::Kev, "k1")]);
        check(&before, &delivery(&[("B", "1", "b1"), ("A", "2", "a2")], &[(ListKind::Kev, "k1")]), "=");
        check(&before, &delivery(&[("A", "3", "a3"), ("B", "1", "b1")], &[]), "A newer");
        check(&before, &delivery(&[("A", "1", "a1"), ("A", "2", "a2"), ("B", "1", "b1")], &[]), "A older");
        check(&before, &delivery(&[("A", "2", "a2'"), ("B", "1", "b1")], &[]), "A changed_without_revision");
        check(&before, &delivery(&[("A", "2", "a2"), ("C", "1", "c")], &[]), "C new -B");
        check(&before, &delivery(&[("A", "2", "a2"), ("B", "1", "b1")], &[(ListKind::Kev, "k2")]), "");
    }

    #[test]
    fn of_lists_the_last_counts_and_of_ssvc_all() {
        let mut held = Held::default();
        for lists in
            [&[(ListKind::Kev, "k1"), (ListKind::Ssvc, "s1")][..], &[(ListKind::Ssvc, "s2"), (ListKind::Kev, "k2"), (ListKind::Ssvc, "s1")]]
        {
            held.take(&delivery(&[], lists), 1);
        }
        // printf '%s\n' k2 s1 s2 | sha256sum
        assert_eq!(held.sha256(), "2abc326444e8c867cc1bb4f541a3116cf676e9758b630d5d04223ecf1407839c");
        assert_eq!(held.lists().iter().map(|list| &*list.sha256).collect::<Vec<_>>(), ["s1", "s2", "k2"]);
    }
}
