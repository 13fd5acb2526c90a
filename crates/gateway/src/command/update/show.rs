//! `nameplate update show`: what a file says of itself, and what would become of it here. Changes nothing.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::observation::rfc3339;
use nameplate_core::update::{Admission, Offer};
use serde::Serialize;

use super::{Trusted, bytes};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Store, now_ns};
use crate::update::{Fitting, Publishers, Sealed, admitted, refused};
use crate::{print, state};

/// Say what is in a file, and whether it would be applied.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 6 where it would be refused, with the reason.\n\nExample:\n  nameplate update show acme-7.npu --state /var/lib/nameplate"
)]
pub struct Show {
    /// The update
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    publisher: &'a str,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    made: String,
    expires: String,
    signed_by: &'a str,
    manifest_sha256: &'a str,
    files: u64,
    bytes: u64,
    /// `new`, `again` or `refused`.
    would_be: &'static str,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// It cannot be read, or would be refused.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let (bytes, named) = (bytes(&self.file)?, self.file.display().to_string());
        let sealed = Sealed::open(&bytes).map_err(|why| Failure::input(&named, why))?;
        let directory = state::directory(options.state.as_ref())?;
        let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let admission = Publishers::read(&self.trusted.publishers)
            .and_then(|publishers| admitted(&named, &sealed, &publishers, &view.updates, now_ns()))
            .and_then(|admission| sealed.check_files().map(|()| admission).map_err(|why| refused(&named, why)));
        let Offer { expires_ns, key, kind, made_ns, manifest_sha256, publisher, version, program } = &sealed.offer;
        let (architecture, state) = match &sealed.manifest.fitting {
            Some(Fitting::Program { architecture, state: (from, to), .. }) => (Some(architecture.as_str()), Some(format!("{from}-{to}"))),
            _ => (None, None),
        };
        let line = Line {
            kind: kind.name(),
            publisher,
            version: *version,
            program: program.as_deref(),
            architecture,
            state,
            made: rfc3339(*made_ns),
            expires: rfc3339(*expires_ns),
            signed_by: key,
            manifest_sha256,
            files: sealed.manifest.files.len() as u64,
            bytes: sealed.manifest.files.values().map(|(_, bytes)| bytes).sum(),
            would_be: match &admission {
                Ok(Admission::New) => "new",
                Ok(Admission::Again) => "again",
                Err(_) => "refused",
            },
        };
        print::out(&match print::format(options) {
            Format::Ndjson | Format::Claims => print::json_line(&line),
            _ => shown(&line),
        })?;
        admission.map(drop).map_err(|failure| Failure::new(Code::Failed, failure.why))
    }
}

fn shown(line: &Line<'_>) -> String {
    let Line { kind, publisher, version, program, architecture, state, made, expires, signed_by, manifest_sha256, files, bytes, would_be } =
        line;
    let rows = [
        ("kind", (*kind).to_owned()),
        ("publisher", (*publisher).to_owned()),
        ("version", version.to_string()),
        ("program", program.unwrap_or_default().to_owned()),
        ("architecture", architecture.unwrap_or_default().to_owned()),
        ("opens states", state.clone().unwrap_or_default()),
        ("made", made.clone()),
        ("expires", expires.clone()),
        ("signed by", (*signed_by).to_owned()),
        ("manifest", (*manifest_sha256).to_owned()),
        ("holds", format!("{}, {bytes} bytes", print::count(*files, "file"))),
        ("would be", (*would_be).to_owned()),
    ];
    let rows: Vec<Vec<String>> =
        rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| vec![name.to_owned(), value]).collect();
    print::table(&["WHAT", "HOW IT IS"], &rows)
}
