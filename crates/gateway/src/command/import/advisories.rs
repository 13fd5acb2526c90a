//! `nameplate import advisories`: documents and lists into the ledger, once each, and what that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use nameplate_core::advisory::exploitation::{Exploitations, LIST_BYTES_MAX, ListKind};
use nameplate_core::advisory::{Changes, Delivery, Held, ListReference, Reference, Taken};
use nameplate_core::ledger::{Body, Payload};
use serde::Serialize;
use utoipa::ToSchema;

use crate::advisories::{self, Document, Problem, PublisherKeys, Reader, Signature};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{print, state};

/// Advisories: CSAF 2.0 documents, directories of them, zip files; bulletins as CSV; KEV, SSVC and EPSS.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads CSAF 2.0 (.json), bulletins (.csv: publisher,id,title,revision,date,page,vendor,product,order_number,model,range,\n\
                  status,cve,cvss,remediation,fixed_version,url), directories and zip files of both. Sends nothing, fetches nothing.\n\
                  A document is its publisher, its id and its bytes. The newest revision counts; older ones stay. A checksum beside a\n\
                  document (x.json.sha256, .sha512) is checked, a wrong one refuses it; so is an OpenPGP signature (.asc), where\n\
                  --publisher-key names the key; a document without one is taken. What\n\
                  cannot be read is listed with its place and does not stop the rest; the exit code is then 3.\n\n\
                  Example:\n  nameplate import advisories csaf/ --kev known_exploited_vulnerabilities.json && nameplate check"
)]
pub struct Advisories {
    /// Documents, directories, zip files
    #[arg(value_name = "PATH", required_unless_present_any = ["kev", "ssvc", "epss"])]
    paths: Vec<PathBuf>,
    /// CISA's Known Exploited Vulnerabilities, JSON or CSV; in the place of the list before
    #[arg(long, value_name = "FILE")]
    kev: Option<PathBuf>,
    /// CISA's SSVC points: lines of JSON, or a document of vulnrichment; beside those before
    #[arg(long, value_name = "FILE")]
    ssvc: Option<PathBuf>,
    /// FIRST's EPSS scores, CSV; in the place of the list before
    #[arg(long, value_name = "FILE")]
    epss: Option<PathBuf>,
    /// The publisher's OpenPGP key (RSA): a signature beside a document must then be by it
    #[arg(long, value_name = "FILE")]
    publisher_key: Option<PathBuf>,
    /// Take in only bundles that this key signed: its fingerprint, or the key, 64 hexadecimal digits (see `advisories bundle`)
    #[arg(long, value_name = "KEY")]
    trust: Option<String>,
}

/// What became of a document of which nothing was used.
const REFUSED: &str = "refused";

/// Where documents and lists are; a name beside each, by which it stands in the ledger.
#[derive(Default)]
pub struct Given {
    /// Documents, directories, zip files.
    pub paths: Vec<(String, PathBuf)>,
    /// Lists of what is exploited.
    pub lists: Vec<(ListKind, String, PathBuf)>,
    /// The key that must have signed a bundle.
    pub trust: Option<String>,
    /// Keys by which a signature beside a document must be.
    pub publisher: Option<PublisherKeys>,
}

/// What was read before anything is kept.
pub struct Basket {
    /// What the ledger is told.
    pub delivery: Delivery,
    /// The documents' bytes.
    pub payloads: Vec<Payload>,
    /// Files of which nothing was used.
    pub problems: Vec<Problem>,
    passed_over: usize,
    tolerances: BTreeMap<String, u64>,
    checked: [u64; 4],
    signers: BTreeSet<String>,
    trusted: bool,
}

impl Advisories {
    /// Runs the command.
    ///
    /// # Errors
    /// A path or a list that cannot be read, documents that were refused, or the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let mut basket = self.read()?;
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let changes = basket.changes(&store.view(None)?.advisories);
        let format = print::format(options);
        let entry = (!changes.nothing).then(|| store.size());
        let shown = shown(&basket.lines(&changes), format);
        let summary = basket.summary(&changes, entry);
        if entry.is_some() {
            let body = Body::Advisories(std::mem::take(&mut basket.delivery));
            store.append(&[Draft { time_ns: now_ns(), body, payloads: std::mem::take(&mut basket.payloads) }])?;
            let held = store.view(None)?.advisories;
            // The compiled form is made now, so that the next check need not.
            advisories::kept(&store, &held)?;
        }
        print::out(&shown)?;
        eprint!("{summary}");
        if basket.problems.is_empty() {
            return Ok(());
        }
        let refused = print::count(basket.problems.len() as u64, "file");
        Err(Failure::new(Code::Input, format!("{refused} refused; everything else was taken")))
    }

    fn read(&self) -> Result<Basket, Failure> {
        let named = |path: &PathBuf| (path.display().to_string(), path.clone());
        let lists = [(ListKind::Kev, &self.kev), (ListKind::Ssvc, &self.ssvc), (ListKind::Epss, &self.epss)];
        let lists = lists.into_iter().filter_map(|(kind, path)| path.as_ref().map(|path| (kind, path.display().to_string(), path.clone())));
        let keys = |path: &PathBuf| {
            let keys = advisories::bytes_of(path, LIST_BYTES_MAX as u64).and_then(|file| PublisherKeys::of(&file));
            keys.map_err(|why| Failure::input(path.display(), why))
        };
        Basket::of(Given {
            paths: self.paths.iter().map(named).collect(),
            lists: lists.collect(),
            trust: self.trust.clone(),
            publisher: self.publisher_key.as_ref().map(keys).transpose()?,
        })
    }
}

/// A list, read once so that what is kept can be read again.
fn list(kind: ListKind, name: String, bytes: Vec<u8>) -> Result<(ListReference, Payload), Failure> {
    let mut exploitations = Exploitations::default();
    advisories::take(&mut exploitations, kind, &bytes).map_err(|e| Failure::input(&name, format!("{e}; nothing was taken")))?;
    let payload = Payload::of(bytes);
    let sha256 = nameplate_core::observation::hex(&payload.sha256);
    Ok((ListReference { file: name, kind, sha256 }, payload))
}

impl Basket {
    /// Reads all of it.
    ///
    /// # Errors
    /// A path or a list that cannot be read.
    pub fn of(given: Given) -> Result<Self, Failure> {
        let Given { paths, lists, trust, publisher } = given;
        let bytes = |(kind, name, path): (ListKind, String, PathBuf)| {
            let bytes = advisories::bytes_of(&path, LIST_BYTES_MAX as u64).map_err(|e| Failure::input(&name, e))?;
            Ok((kind, name, bytes))
        };
        let lists = lists.into_iter().map(bytes).collect::<Result<Vec<_>, Failure>>()?;
        let from = paths.iter().map(|(name, _)| name.clone()).collect();
        let mut basket = Self::filled(from, lists, |reader| {
            reader.trusted = trust.as_ref().map(|key| key.trim().to_ascii_lowercase());
            reader.publisher = publisher;
            paths.iter().try_for_each(|(name, path)| reader.named(name.clone(), path))
        })?;
        basket.trusted = trust.is_some();
        Ok(basket)
    }

    /// What a reader finds that `fill` lets read, and lists by kind, name and bytes. `from` names the places, by which it stands in the ledger.
    ///
    /// # Errors
    /// What `fill` says, or a list that is none.
    pub fn filled(
        from: Vec<String>,
        lists: Vec<(ListKind, String, Vec<u8>)>,
        fill: impl FnOnce(&mut Reader<&mut dyn FnMut(Document)>) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let (mut documents, mut payloads, mut tolerances, mut checked) = (Vec::new(), Vec::new(), BTreeMap::new(), [0_u64; 4]);
        let mut each = |document: Document| {
            let Document { file, bytes, advisory, checked: of } = document;
            for tolerance in advisory.tolerances {
                *tolerances.entry(tolerance.what).or_default() += 1;
            }
            checked[0] += u64::from(of.checksums > 0);
            checked[1] += u64::from(of.signature == Signature::NotChecked);
            checked[3] += u64::from(of.signature == Signature::Right);
            checked[2] += u64::from(advisory.initial_version_only);
            payloads.push(Payload::of(bytes));
            let (publisher, id, revision, sha256) = (advisory.publisher, advisory.id, advisory.revision, advisory.sha256);
            documents.push(Reference { file, id, publisher, revision, sha256 });
        };
        let mut reader: Reader<&mut dyn FnMut(Document)> = Reader::new(&mut each);
        fill(&mut reader)?;
        let signers = std::mem::take(&mut reader.signers);
        let (problems, passed_over) = (std::mem::take(&mut reader.problems), reader.passed_over);
        drop(reader);
        let mut delivery = Delivery { documents, from, lists: Vec::new() };
        delivery.arrange();
        for (kind, name, bytes) in lists {
            let (list, payload) = list(kind, name, bytes)?;
            delivery.lists.push(list);
            payloads.push(payload);
        }
        Ok(Self { delivery, payloads, problems, passed_over, tolerances, checked, signers, trusted: false })
    }

    /// What of it is new to what is held.
    pub fn changes(&self, held: &Held) -> Changes {
        let mut changes = held.changes(&self.delivery);
        // What was refused is there.
        changes.gone.retain(|gone| self.problems.iter().all(|problem| problem.file != gone.file));
        changes
    }

    /// What became of each document, and of what was refused.
    pub fn lines(&self, changes: &Changes) -> Vec<Line> {
        let line = |document: &Reference, taken| {
            let Reference { file, id, publisher, revision, sha256 } = document.clone();
            Line { file, publisher, id, revision, sha256, taken, at: None, why: None }
        };
        let taken = self.delivery.documents.iter().zip(&changes.documents).map(|(document, taken)| line(document, taken.name()));
        let gone = changes.gone.iter().map(|document| line(document, "not_in_this_set"));
        let refused = self.problems.iter().map(|Problem { file, at, why }| Line {
            file: file.clone(),
            taken: REFUSED,
            at: Some(at.clone()),
            why: Some(why.clone()),
            ..Line::default()
        });
        taken.chain(gone).chain(refused).collect()
    }

    /// What happened, for a person.
    pub fn summary(&self, changes: &Changes, entry: Option<u64>) -> String {
        let mut lines = Vec::new();
        let of = |taken: Taken| changes.documents.iter().filter(|one| **one == taken).count();
        let counts = [Taken::New, Taken::Newer, Taken::Older, Taken::ChangedWithoutRevision, Taken::Unchanged];
        let counts = counts.map(|taken| format!("{} {}", of(taken), taken.name().replace('_', " "))).join(", ");
        let documents = print::count(self.delivery.documents.len() as u64, "document");
        lines.push(format!("{documents}: {counts}, {} not in this set any more, {} refused", changes.gone.len(), self.problems.len()));
        let [checksums, unchecked, initial, right] = self.checked;
        lines.push(format!("checksums right beside {checksums}; signatures right beside {right}, not checked beside {unchecked}"));
        let trusted = if self.trusted { "trusted" } else { "nobody said whether to trust it: --trust" };
        lines.extend(self.signers.iter().map(|signer| format!("bundle signed by {signer} ({trusted})")));
        if initial > 0 {
            lines.push(format!("{initial} are the initial version of a vendor's own document, which wins"));
        }
        if self.passed_over > 0 {
            lines.push(format!("{} passed over: no documents by their names", print::count(self.passed_over as u64, "file")));
        }
        lines.extend(self.tolerances.iter().map(|(what, count)| format!("tolerated {count} times: {what}")));
        lines.extend(self.delivery.lists.iter().map(|list| format!("{}: taken", list.file)));
        lines.push(entry.map_or_else(|| "nothing that the ledger did not have".to_owned(), |entry| format!("entry {entry}")));
        lines.iter().map(|line| nameplate_core::text::printable(line) + "\n").collect()
    }
}

/// One document, as it is printed.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = TakenDocument)]
pub struct Line {
    file: String,
    publisher: String,
    id: String,
    revision: String,
    sha256: String,
    /// `new`, `newer`, `older`, `unchanged`, `changed_without_revision`, `not_in_this_set`, `refused`.
    taken: &'static str,
    /// Of a refused one: where and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Line {
    /// File, what became of it, publisher, id, revision, and why.
    pub fn cells(&self) -> [String; 6] {
        let why = [&self.at, &self.why].into_iter().flatten().filter(|text| !text.is_empty()).map(String::as_str);
        let why = why.collect::<Vec<_>>().join(": ");
        let [file, taken, publisher, id, revision] =
            [&*self.file, self.taken, &self.publisher, &self.id, &self.revision].map(str::to_owned);
        [file, taken, publisher, id, revision, why]
    }

    /// Nothing of it was used.
    pub fn is_refused(&self) -> bool {
        self.taken == REFUSED
    }
}

/// Documents as they are printed.
pub fn shown(lines: &[Line], format: Format) -> String {
    let cells = |line: &Line| {
        let [file, taken, publisher, id, revision, why] = line.cells();
        [taken, publisher, id, revision, line.sha256.clone(), file, why]
    };
    match format {
        Format::Csv => {
            let header = ["taken", "publisher", "id", "revision", "sha256", "file", "why"].map(str::to_owned);
            let lines = lines.iter().map(|line| print::csv_line(&cells(line)));
            std::iter::once(print::csv_line(&header)).chain(lines).collect()
        }
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
        // A person looks for what is not as it was.
        Format::Table => {
            let changed = lines.iter().filter(|line| line.taken != "unchanged");
            let row = |line: &Line| {
                let [taken, publisher, id, revision, _, file, why] = cells(line);
                vec![taken, publisher, id, revision, file, why]
            };
            print::table(&["TAKEN", "PUBLISHER", "ID", "REVISION", "FILE", "WHY"], &changed.map(row).collect::<Vec<_>>())
        }
    }
}
