//! Sets of releases, judged and printed.

use clap::Args;
use nameplate_core::baseline::{SetConformance, SetJudged};
use nameplate_core::profile::ProfileSet;
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{shape, view};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::print;

/// Judging sets.
#[derive(Debug, Args)]
#[command(
    after_help = "A set is releases that are approved together: both ends of a line protection, main and boot image and card. It comes in with\n\
                        `nameplate import baseline`: rows with one text in the column `set`. A group of parts conforms when all of it is on one of\n\
                        its sets; else it is mixed, with what is off, or unknown.\n\nExample:\n  nameplate baseline sets --fail-on-mixed"
)]
pub struct Sets {
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// End with exit code 1 when a group is on no set
    #[arg(long)]
    fail_on_mixed: bool,
}

/// One group of parts, as a program reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = JudgedSet)]
pub struct SetLine<'a> {
    /// The set's name.
    pub set: &'a str,
    /// The devices of the group.
    pub assets: &'a [String],
    /// `conforms`, `mixed` or `unknown`.
    pub conformance: &'static str,
    /// What is not on it, in words.
    pub off: &'a [String],
    /// The set's entry.
    pub entry: u64,
}

impl<'a> SetLine<'a> {
    /// Of a group.
    pub fn new(judged: &'a SetJudged) -> Self {
        let SetJudged { name, assets, conformance, off, entry } = judged;
        Self { set: name, assets, conformance: conformance.name(), off, entry: *entry }
    }
}

impl Sets {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        let (view, now) = view(self.as_of.as_deref(), options)?;
        let mut judged = view.baselines.judge_sets(&view.catalog, profiles, now);
        judged.sort_by_key(|one| one.conformance);
        let lines: Vec<SetLine<'_>> = judged.iter().map(SetLine::new).collect();
        let cells = lines.iter().map(|line| {
            vec![line.set.to_owned(), line.conformance.to_owned(), line.assets.join(" "), line.off.join("; "), line.entry.to_string()]
        });
        let json = || lines.iter().map(print::json_line).collect();
        let header = ["set", "conformance", "assets", "off", "entry"];
        print::out(&shape(&header, &cells.collect::<Vec<_>>(), json, print::format(options)))?;
        let mixed = judged.iter().filter(|one| one.conformance == SetConformance::Mixed).count() as u64;
        if self.fail_on_mixed && mixed > 0 {
            return Err(Failure::new(Code::Found, format!("{} on no approved set", print::count(mixed, "group"))));
        }
        Ok(())
    }
}
