//! Decisions as a file: what one site exports, another takes in. CSV with a header, TOML, JSON, or one JSON object a line; in each the
//! same columns. Rows with the same text in the column `set` are one compatibility set.

mod read;
mod row;
mod seal;
mod write;

pub use read::{FILE_BYTES_MAX, read};
pub use row::{COLUMNS, Row};
pub use seal::{Seal, Unsealed};
pub use write::write;

use super::force::opposed;
use super::{Approval, Baselines, Proposed, Track};
use crate::sheet::Invalid;

/// The shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// RFC 4180, with a header.
    Csv,
    /// `[[decision]]` tables.
    Toml,
    /// `{"decision":[...]}`.
    Json,
    /// One decision a line.
    Ndjson,
}

impl Form {
    /// The form of a file by the ending of its name.
    #[must_use]
    pub fn of(file: &str) -> Option<Self> {
        let (_, ending) = file.rsplit_once('.')?;
        let forms = [("csv", Self::Csv), ("toml", Self::Toml), ("json", Self::Json), ("ndjson", Self::Ndjson), ("jsonl", Self::Ndjson)];
        forms.into_iter().find(|(name, _)| ending.eq_ignore_ascii_case(name)).map(|(_, form)| form)
    }
}

/// A row and where it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub what: T,
}

impl<T> Placed<T> {
    fn wrong(&self, column: Option<&str>, why: impl Into<String>) -> Invalid {
        Invalid { line: self.line, column: column.map(str::to_owned), why: why.into() }
    }
}

/// What the rows of a file propose, in the name of who takes it in. Whom a row names has said nothing here; only where the file is
/// `trusted` he counts, and `by` for the rows that name nobody.
///
/// # Errors
/// The first row that is no decision; or two that contradict each other.
pub fn proposed(rows: &[Placed<Row>], by: &str, trusted: bool) -> Result<Vec<Placed<Proposed>>, Invalid> {
    let mut all: Vec<Placed<Proposed>> = Vec::new();
    for row in rows {
        if row.what.set.is_empty() {
            let approval = row.what.approval(by, trusted).map_err(|(column, why)| row.wrong(column, why))?;
            all.push(Placed { line: row.line, what: Proposed::Release(approval) });
            continue;
        }
        let (set, member) = row.what.member(by, trusted).map_err(|(column, why)| row.wrong(column, why))?;
        let same = all.iter_mut().find_map(|one| match &mut one.what {
            Proposed::Set(known) if known.name == set.name => Some(known),
            _ => None,
        });
        match same {
            Some(known) => {
                let apart = (&known.together, known.from_ns, known.until_ns) != (&set.together, set.from_ns, set.until_ns);
                if apart {
                    return Err(row.wrong(Some("set"), "the rows of one set have the same together, from and until"));
                }
                known.members.push(member);
            }
            None => all.push(Placed { line: row.line, what: Proposed::Set(super::CompatibilitySet { members: vec![member], ..set }) }),
        }
    }
    for one in &all {
        one.what.check().map_err(|why| one.wrong(None, why.to_string()))?;
    }
    contradictions(&all)?;
    Ok(all)
}

/// Two rows of one file that say the opposite of one release: nobody could tell which was meant.
fn contradictions(all: &[Placed<Proposed>]) -> Result<(), Invalid> {
    let releases = all.iter().filter_map(|one| match &one.what {
        Proposed::Release(approval) => Some((one.line, approval)),
        Proposed::Set(_) => None,
    });
    let (lines, approvals): (Vec<usize>, Vec<&Approval>) = releases.unzip();
    let Some((earlier, later)) = opposed(&approvals) else { return Ok(()) };
    let said = |place: usize| approvals.get(place).map(|one| format!("{:?} {}", one.releases(), one.decision.name())).unwrap_or_default();
    let line = |place: usize| lines.get(place).copied().unwrap_or_default();
    let why = format!("calls {}, and line {} calls {}", said(later), line(earlier), said(earlier));
    Err(Invalid { line: line(later), column: Some("decision".to_owned()), why })
}

/// The decisions that are in force, as rows: the owner's, the vendor's, and the sets.
#[must_use]
pub fn rows(baselines: &Baselines, in_force: impl Fn(&super::Decided) -> bool, now_ns: u64) -> Vec<Row> {
    let decided = baselines.decided().filter(|decided| in_force(decided)).map(|decided| Row::of(&decided.approval));
    let sets = baselines.sets_in_force(now_ns).into_iter().flat_map(|one| Row::of_set(&one.set));
    decided.chain(sets).collect()
}

/// True where an imported decision is the vendor's word, and needs nobody's approval to be kept.
#[must_use]
pub fn is_vendors(approval: &Approval) -> bool {
    approval.track == Track::Vendor
}

#[cfg(test)]
mod tests;
