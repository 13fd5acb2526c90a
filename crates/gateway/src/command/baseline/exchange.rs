//! Decisions as files: another site's, a vendor's list, one's own spreadsheet.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nameplate_core::baseline::pack::{self, FILE_BYTES_MAX, Form, Placed, Seal};
use nameplate_core::baseline::{Approval, Baselines, CompatibilitySet, Event, Force, Origin, OriginKind, Proposed};
use nameplate_core::ledger::{Body, NOTE_BYTES_MAX};
use nameplate_core::observation::hex;
use nameplate_core::profile::ProfileSet;
use nameplate_core::sheet::Invalid;
use nameplate_core::view::View;
use sha2::{Digest, Sha256};

use super::decide::{assets, part};
use super::list::{self, order};
use super::usage;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{key, print, profiles, state};

/// What is said of a file that is none by its name.
pub const NO_FORM: &str = "its name ends in none of .csv, .toml, .json, .ndjson";
/// What the note beside a signed file is called: the file's name with this behind it.
const SIGNATURE: &str = ".sig";

/// A file of decisions: CSV with a header, TOML, JSON, or one JSON object a line.
#[derive(Debug, Args)]
#[command(
    after_help = "What comes in is proposed, by --by; another person approves each with `nameplate baseline approve --proposal`. Rows of the\n\
                        track `vendor` are kept as the vendor's word beside the owner's, and need nobody. A file that a trusted key signed\n\
                        (`baseline export --sign`; the note FILE.sig beside it) can be approved as a whole with --as-approved-by.\n\n\
                        Columns: decision (approved, disapproved, in-test, superseded, not-applicable), track (owner, vendor), profile,\n\
                        manufacturer, model, product_code, part, field, release or range, hardware, site, zone, role, tag, system, integrator,\n\
                        assets, set, together, from, until, preferred (yes), document, document_sha256, text, affected, by, second, reason. Lists have\n\
                        a semicolon between. TOML has [[decision]] tables, JSON {\"decision\":[...]}. A column that is none of these is refused; one bad\n\
                        row, and nothing of the file is taken.\n\n\
                        Examples:\n  \
                        nameplate import baseline vendor-list.csv --by Ada\n  \
                        nameplate import baseline fleet.toml --trust FINGERPRINT --as-approved-by Grace --by Ada"
)]
pub struct Import {
    /// The file; its ending says what it is: .csv, .toml, .json, .ndjson
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Who takes it in, and proposes what stands in it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Believe the note beside the file if the key with this fingerprint signed it; see `nameplate ledger`
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Option<String>,
    /// Approve all of it, in this person's name. Needs --trust; must be another person than who decided it
    #[arg(long, value_name = "NAME", requires = "trust")]
    as_approved_by: Option<String>,
}

/// The decisions that are in force as a file.
#[derive(Debug, Args)]
#[command(
    after_help = "The owner's decisions that are in force, the vendor's, and the sets; no proposals and no exemptions. With --sign a note stands\n\
                        beside the file, with its SHA-256, signed with this site's key; whoever takes it in names the key's fingerprint.\n\n\
                        Examples:\n  nameplate baseline export > baseline.csv\n  nameplate baseline export --as toml --out fleet.toml --sign"
)]
pub struct Export {
    /// What to write
    #[arg(long = "as", value_enum, value_name = "FORM", default_value = "csv")]
    form: FileForm,
    /// Where to [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign it with this site's key: FILE.sig
    #[arg(long, requires = "out")]
    sign: bool,
}

/// What a file of decisions can be.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FileForm {
    Csv,
    Toml,
    Json,
    Ndjson,
}

impl Import {
    /// Runs the command.
    ///
    /// # Errors
    /// A file that is none, with line and column; a signature that does not hold; a rule of baselines; the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let shown = self.file.display().to_string();
        let refused = |invalid: &dyn std::fmt::Display| Failure::input(&shown, format!("{invalid}; nothing of the file was taken"));
        let form = Form::of(&shown).ok_or_else(|| refused(&NO_FORM))?;
        let bytes = read(&self.file, FILE_BYTES_MAX)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        if let Some(fingerprint) = &self.trust {
            self.unseal(&sha256, fingerprint)?;
        }
        let second = self.as_approved_by.as_deref();
        let decided = Decided::of((form, &bytes), &shown, self.by.trim(), second).map_err(|invalid| refused(&invalid))?;
        let trusted = second.is_some();
        let directory = state::directory(options.state.as_ref())?;
        let now = now_ns();
        // Judged before a state is made for it.
        let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let bodies = decided.bodies(&view, &profiles, now).map_err(|invalid| refused(&invalid))?;
        let drafts: Vec<Draft> = bodies.into_iter().map(|body| Draft::new(now, body)).collect();
        let mut store = Store::write(&directory)?;
        let entries = store.append(&drafts)?;
        list::new(&store, &entries, &profiles, now, options)?;
        let decisions = print::count(drafts.len() as u64, "decision");
        let became = if trusted { "recorded" } else { "recorded; what the owner has to approve waits for another person" };
        eprintln!("{decisions} {became}");
        Ok(())
    }

    fn unseal(&self, sha256: &str, fingerprint: &str) -> Result<(), Failure> {
        let mut name = self.file.clone().into_os_string();
        name.push(SIGNATURE);
        let path = PathBuf::from(name);
        let note = read(&path, NOTE_BYTES_MAX)?;
        let failed = |why: String| Failure::new(Code::Failed, format!("{}: {why}; nothing of the file was taken", path.display()));
        let note = String::from_utf8(note).map_err(|_| failed("no signature of a baseline: no UTF-8".to_owned()))?;
        Seal::open(&note, sha256, fingerprint.trim()).map_err(|why| failed(why.to_string()))?;
        Ok(())
    }
}

/// A file of decisions, read.
pub struct Decided {
    proposed: Vec<Placed<Proposed>>,
    origin: Origin,
    second: Option<String>,
}

impl Decided {
    /// Of a file's bytes, under its name; `by` proposes what stands in it, and `second` approves all of it.
    ///
    /// # Errors
    /// Where it is none.
    pub fn of((form, bytes): (Form, &[u8]), name: &str, by: &str, second: Option<&str>) -> Result<Self, Invalid> {
        let rows = pack::read(form, bytes)?;
        let proposed = pack::proposed(&rows, by, second.is_some())?;
        let sha256 = Some(hex(&Sha256::digest(bytes)));
        let origin = Origin { kind: OriginKind::Pack, document: name.to_owned(), sha256, text: None, affected: Vec::new() };
        Ok(Self { proposed, origin, second: second.map(|name| name.trim().to_owned()) })
    }

    /// The entries of all rows.
    ///
    /// # Errors
    /// The first row that the rules of baselines forbid.
    pub fn bodies(&self, view: &View, profiles: &ProfileSet, now_ns: u64) -> Result<Vec<Body>, Invalid> {
        self.proposed.iter().map(|one| self.body(one.clone(), view, profiles, now_ns)).collect()
    }

    /// The entry of one row.
    fn body(&self, one: Placed<Proposed>, view: &View, profiles: &ProfileSet, now_ns: u64) -> Result<Body, Invalid> {
        let file = &self.origin;
        let line = one.line;
        let wrong = |column: Option<&str>, why: &str| Invalid { line, column: column.map(str::to_owned), why: why.to_owned() };
        let second = self.second.clone();
        let known =
            |profile: Option<&str>, component: &str| part(profile, Some(component), profiles).map_err(|e| wrong(Some("profile"), &e.why));
        let body = match one.what {
            Proposed::Release(approval) => {
                known(approval.line.profile.as_deref(), &approval.component)?;
                let own = assets(&approval.assets, &view.catalog).map_err(|e| wrong(Some("assets"), &e.why))?;
                let origin = approval.origin.clone().or_else(|| Some(file.clone()));
                let approval = Approval { assets: own, origin, ..approval };
                let vendors = pack::is_vendors(&approval);
                if !vendors && let Some((_, why)) = view.baselines.contradicted(&approval, order(&approval, profiles), now_ns) {
                    return Err(wrong(Some("release"), &why));
                }
                match second {
                    Some(second) if !vendors => Body::Approval(Approval { second: Some(second), ..approval }),
                    None if !vendors => Body::Baseline(Event::Proposed { what: Proposed::Release(approval) }),
                    _ => Body::Approval(approval),
                }
            }
            Proposed::Set(set) => {
                for member in &set.members {
                    known(member.line.profile.as_deref(), &member.component)?;
                }
                let set = CompatibilitySet { origin: set.origin.clone().or_else(|| Some(file.clone())), second, ..set };
                let event = if set.second.is_some() { Event::Set(set) } else { Event::Proposed { what: Proposed::Set(set) } };
                Body::Baseline(event)
            }
        };
        let admitted = match &body {
            Body::Approval(approval) => approval.check().and_then(|()| view.baselines.admits_approval(approval)),
            Body::Baseline(event) => view.baselines.admits(event),
            _ => Ok(()),
        };
        admitted.map(|()| body).map_err(|why| wrong(None, &why.to_string()))
    }
}

/// A file, if it is not longer than allowed.
fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let cannot = |e: std::io::Error| Failure::input(path.display(), e);
    let mut bytes = Vec::new();
    // One byte more than is allowed says that there is more.
    File::open(path).map_err(cannot)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

impl Export {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let text = self.text(&view.baselines, profiles)?;
        let Some(out) = &self.out else { return print::out(&text) };
        let cannot = |path: &Path, e: std::io::Error| Failure::input(path.display(), format!("the baseline cannot be written: {e}"));
        fs::write(out, &text).map_err(|e| cannot(out, e))?;
        if self.sign {
            let none = || usage("there is no key to sign with yet; the first decision makes one");
            let key = key::read(&directory)?.ok_or_else(none)?;
            let mut name = out.clone().into_os_string();
            name.push(SIGNATURE);
            let path = PathBuf::from(name);
            fs::write(&path, Seal::sign(&hex(&Sha256::digest(text.as_bytes())), &key)).map_err(|e| cannot(&path, e))?;
            eprintln!("signed in {}; the key's fingerprint: {}", path.display(), key.public().fingerprint());
        }
        Ok(())
    }

    fn text(&self, baselines: &Baselines, profiles: &ProfileSet) -> Result<String, Failure> {
        let now = now_ns();
        let rows = pack::rows(baselines, |one| baselines.force(one, order(&one.approval, profiles), now) == Force::InForce, now);
        let form = match self.form {
            FileForm::Csv => Form::Csv,
            FileForm::Toml => Form::Toml,
            FileForm::Json => Form::Json,
            FileForm::Ndjson => Form::Ndjson,
        };
        pack::write(form, &rows, print::csv_line).map_err(|e| Failure::input("the baseline", e))
    }
}
