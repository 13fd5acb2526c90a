//! One row of a file of decisions: what people write, apart from what the ledger holds.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::super::{Approval, CompatibilitySet, Decision, Member, Origin, OriginKind, ProductLine, Track};
use crate::claim::{Field, OWN_COMPONENT};
use crate::observation::rfc3339;

/// Header of the CSV file, in its order; the keys of the other forms.
pub const COLUMNS: [&str; 30] = [
    "decision",
    "track",
    "profile",
    "manufacturer",
    "model",
    "product_code",
    "part",
    "field",
    "release",
    "range",
    "hardware",
    "site",
    "zone",
    "role",
    "tag",
    "system",
    "integrator",
    "assets",
    "set",
    "together",
    "from",
    "until",
    "preferred",
    "document",
    "document_sha256",
    "text",
    "affected",
    "by",
    "second",
    "reason",
];
/// The time of a day at which what begins that day does, and until which what ends that day holds.
const DAY: [&str; 2] = ["00:00:00", "23:59:59.999999999"];
/// What `rfc3339` leaves away: the last nanoseconds of a day are written as the day.
const DAY_END: &str = "T23:59:59.999999Z";

/// A row. What is not said is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Row {
    /// `approved`, `disapproved`, `in-test`, `superseded`, `not-applicable`.
    pub decision: String,
    /// `owner` (where it is empty) or `vendor`.
    pub track: String,
    /// A profile's id.
    pub profile: String,
    /// The maker.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The order or product code.
    pub product_code: String,
    /// Which part: `self` where it is empty.
    pub part: String,
    /// Which revision: `firmware_revision` where it is empty.
    pub field: String,
    /// The release.
    pub release: String,
    /// Or the range of releases.
    pub range: String,
    /// Hardware revisions.
    pub hardware: String,
    /// Scope.
    pub site: String,
    /// Scope.
    pub zone: String,
    /// Scope.
    pub role: String,
    /// Scope.
    pub tag: String,
    /// Scope.
    pub system: String,
    /// Scope.
    pub integrator: String,
    /// Ids of assets.
    pub assets: Vec<String>,
    /// The name of the set that the row is a member of.
    pub set: String,
    /// Ids or tags of the devices that the set holds for together.
    pub together: Vec<String>,
    /// A day or a time.
    pub from: String,
    /// A day, to its end, or a time.
    pub until: String,
    /// True for the release to go to.
    pub preferred: bool,
    /// The document it rests on.
    pub document: String,
    /// Its SHA-256.
    pub document_sha256: String,
    /// What it says.
    pub text: String,
    /// The ranges that it calls affected.
    pub affected: Vec<String>,
    /// Who decided.
    pub by: String,
    /// Who agreed, at the site that exported it.
    pub second: String,
    /// Why.
    pub reason: String,
}

/// What is wrong in a row: the column, and a sentence.
type Wrong = (Option<&'static str>, String);

impl Row {
    /// As a decision of `by`'s; of a file that is trusted, of whom the row names. Who agreed elsewhere has not agreed here.
    pub(super) fn approval(&self, by: &str, trusted: bool) -> Result<Approval, Wrong> {
        let decision = Decision::named(self.decision.trim()).ok_or_else(|| {
            let all: Vec<&str> = Decision::ALL.iter().map(|decision| decision.name()).collect();
            (Some("decision"), format!("{:?} is no decision; there are {}", self.decision, all.join(", ")))
        })?;
        let track = match self.track.trim() {
            "" | "owner" => Track::Owner,
            "vendor" => Track::Vendor,
            other => return Err((Some("track"), format!("{other:?} is no track; there are owner and vendor"))),
        };
        if !self.together.is_empty() {
            return Err((Some("together"), "only a set is for devices together; name the set".to_owned()));
        }
        let scopes = self.scopes().into_iter().filter_map(|(column, cell)| Some((column.to_owned(), given(cell)?)));
        Ok(Approval {
            component: self.part(),
            field: self.field()?,
            range: given(&self.range),
            hardware: given(&self.hardware),
            scope: scopes.collect::<BTreeMap<_, _>>(),
            assets: self.assets.clone(),
            from_ns: moment("from", &self.from, DAY[0])?,
            until_ns: moment("until", &self.until, DAY[1])?,
            track,
            preferred: self.preferred,
            origin: self.origin(track)?,
            ..Approval::of(decision, self.line(), self.release.trim(), self.by(by, trusted), &self.why(trusted))
        })
    }

    /// As a member of a set, and the set without members.
    pub(super) fn member(&self, by: &str, trusted: bool) -> Result<(CompatibilitySet, Member), Wrong> {
        if self.decision.trim() != Decision::Approved.name() {
            return Err((Some("decision"), "a set is approved; what is not to run together is no set".to_owned()));
        }
        let scopes = self.scopes();
        let unfit = [("range", &self.range), ("hardware", &self.hardware), ("track", &self.track)];
        if let Some((column, _)) = unfit.into_iter().chain(scopes).find(|(_, cell)| !cell.trim().is_empty() && *cell != "owner") {
            return Err((Some(column), "a set has releases and devices, and nothing of this".to_owned()));
        }
        let set = CompatibilitySet {
            name: self.set.trim().to_owned(),
            members: Vec::new(),
            together: self.together.clone(),
            from_ns: moment("from", &self.from, DAY[0])?,
            until_ns: moment("until", &self.until, DAY[1])?,
            origin: self.origin(Track::Owner)?,
            by: self.by(by, trusted).to_owned(),
            second: None,
            reason: self.why(trusted),
        };
        Ok((set, Member { line: self.line(), component: self.part(), field: self.field()?, release: self.release.trim().to_owned() }))
    }

    /// A decision as a row.
    pub(super) fn of(approval: &Approval) -> Self {
        let scope = |column: &str| approval.scope.get(column).cloned().unwrap_or_default();
        let origin = approval.origin.as_ref();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            decision: approval.decision.name().to_owned(),
            track: approval.track.name().to_owned(),
            release: approval.release.clone(),
            range: text(&approval.range),
            hardware: text(&approval.hardware),
            site: scope("site"),
            zone: scope("zone"),
            role: scope("role"),
            tag: scope("tag"),
            system: scope("system"),
            integrator: scope("integrator"),
            assets: approval.assets.clone(),
            from: approval.from_ns.map(rfc3339).unwrap_or_default(),
            until: approval.until_ns.map(day).unwrap_or_default(),
            preferred: approval.preferred,
            document: origin.map(|origin| origin.document.clone()).unwrap_or_default(),
            document_sha256: origin.and_then(|origin| origin.sha256.clone()).unwrap_or_default(),
            text: origin.and_then(|origin| origin.text.clone()).unwrap_or_default(),
            affected: origin.map(|origin| origin.affected.clone()).unwrap_or_default(),
            by: approval.by.clone(),
            second: text(&approval.second),
            reason: approval.reason.clone(),
            ..Self::of_line(&approval.line, &approval.component, approval.field)
        }
    }

    /// A set as rows.
    pub(super) fn of_set(set: &CompatibilitySet) -> Vec<Self> {
        let row = |member: &Member| Self {
            decision: Decision::Approved.name().to_owned(),
            release: member.release.clone(),
            set: set.name.clone(),
            together: set.together.clone(),
            from: set.from_ns.map(rfc3339).unwrap_or_default(),
            until: set.until_ns.map(day).unwrap_or_default(),
            document: set.origin.as_ref().map(|origin| origin.document.clone()).unwrap_or_default(),
            document_sha256: set.origin.as_ref().and_then(|origin| origin.sha256.clone()).unwrap_or_default(),
            by: set.by.clone(),
            second: set.second.clone().unwrap_or_default(),
            reason: set.reason.clone(),
            ..Self::of_line(&member.line, &member.component, member.field)
        };
        set.members.iter().map(row).collect()
    }

    fn of_line(line: &ProductLine, component: &str, field: Field) -> Self {
        let ProductLine { profile, manufacturer, model, product_code } = line.clone();
        let [profile, manufacturer, model, product_code] = [profile, manufacturer, model, product_code].map(Option::unwrap_or_default);
        let (part, field) = (component.to_owned(), field.name().to_owned());
        Self { profile, manufacturer, model, product_code, part, field, ..Self::default() }
    }

    fn line(&self) -> ProductLine {
        ProductLine {
            profile: given(&self.profile),
            manufacturer: given(&self.manufacturer),
            model: given(&self.model),
            product_code: given(&self.product_code),
        }
    }

    fn part(&self) -> String {
        given(&self.part).unwrap_or_else(|| OWN_COMPONENT.to_owned())
    }

    fn by<'a>(&'a self, by: &'a str, trusted: bool) -> &'a str {
        if trusted && !self.by.trim().is_empty() { self.by.trim() } else { by.trim() }
    }

    /// The reason, with those who decided it elsewhere where they do not count.
    fn why(&self, trusted: bool) -> String {
        let (reason, by) = (self.reason.trim(), self.by.trim());
        if trusted || by.is_empty() || reason.is_empty() { reason.to_owned() } else { format!("{reason} (the file names {by})") }
    }

    fn field(&self) -> Result<Field, Wrong> {
        let name = given(&self.field).unwrap_or_else(|| Field::FirmwareRevision.name().to_owned());
        Field::named(&name).ok_or_else(|| (Some("field"), format!("{name:?} is no field of a nameplate")))
    }

    fn scopes(&self) -> [(&'static str, &String); 6] {
        let Self { site, zone, role, tag, system, integrator, .. } = self;
        [("site", site), ("zone", zone), ("role", role), ("tag", tag), ("system", system), ("integrator", integrator)]
    }

    fn origin(&self, track: Track) -> Result<Option<Origin>, Wrong> {
        let beside = [("document_sha256", &self.document_sha256), ("text", &self.text)];
        let Some(document) = given(&self.document) else {
            let alone = beside.into_iter().find(|(_, cell)| !cell.trim().is_empty()).map(|(column, _)| column);
            let alone = alone.or((!self.affected.is_empty()).then_some("affected"));
            return alone.map_or(Ok(None), |column| Err((Some(column), "of which document? Name it in the column document".to_owned())));
        };
        let kind = if track == Track::Vendor { OriginKind::Bulletin } else { OriginKind::Owner };
        let (sha256, text) = (given(&self.document_sha256), given(&self.text));
        Ok(Some(Origin { kind, document, sha256, text, affected: self.affected.clone() }))
    }
}

/// A cell that is not empty, trimmed.
fn given(cell: &str) -> Option<String> {
    Some(cell.trim().to_owned()).filter(|cell| !cell.is_empty())
}

/// A day or a time as nanoseconds since 1970.
fn moment(column: &'static str, text: &str, of_a_day: &str) -> Result<Option<u64>, Wrong> {
    let Some(text) = given(text) else { return Ok(None) };
    let full = if text.len() == "2026-03-02".len() { format!("{text}T{of_a_day}Z") } else { text.clone() };
    let parsed = humantime::parse_rfc3339(&full).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = parsed.and_then(|since| u64::try_from(since.as_nanos()).ok());
    nanos.map(Some).ok_or_else(|| (Some(column), format!("{text:?} is no date: write 2026-03-02 or 2026-03-02T10:15:30Z")))
}

/// A time as it is written; the end of a day as the day.
fn day(time_ns: u64) -> String {
    let text = rfc3339(time_ns);
    text.strip_suffix(DAY_END).map_or(text.clone(), str::to_owned)
}
