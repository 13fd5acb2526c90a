//! What devices said, as it stands in the ledger: readings with their bytes; and every word on a device, with its grade.

use axum::Json;
use axum::extract::{RawQuery, State};
use nameplate_core::catalog::Recorded;
use nameplate_core::claim::{Claim, Field};
use nameplate_core::evidence::read_again;
use nameplate_core::ledger::{Body, Observed};
use nameplate_core::observation::{Address, Source, hex, rfc3339};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Of;
use super::devices::find;
use super::events::limit;
use super::parameters::Parameters;
use super::{Problem, Web, shapes};
use crate::command::devices::moment;
use crate::command::evidence::page::readings::profile;
use crate::house::{House, Known};
use crate::store::Store;

/// Entries that are looked through for one answer: reading each takes some microseconds, and others wait.
const LOOKED_ENTRIES_MAX: u64 = 5_000;

/// Readings, in the order in which they were recorded.
#[derive(Serialize, ToSchema)]
pub struct Observations {
    observations: Vec<ObservationLine>,
    /// `after` of the next answer; absent behind the last entry. An answer may be empty and have one: so many entries were looked through.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// A reading.
#[derive(Serialize, ToSchema)]
struct ObservationLine {
    /// Its entry of the ledger, by which it is asked for.
    entry: u64,
    /// SHA-256 of its canonical form.
    id: String,
    /// When the answer was complete.
    time: String,
    #[schema(value_type = shapes::Address)]
    address: Address,
    #[schema(value_type = shapes::Source)]
    source: Source,
    protocol: String,
    question: String,
    /// False where the device did not say that this was all.
    complete: bool,
    /// The device's exception code, where it answered with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<u8>,
    /// What could not be read.
    malformed: Vec<String>,
    /// The profile that gave it its meaning, in words.
    profile: String,
    /// How many fields it tells.
    claims: usize,
}

/// A reading with all that is in it.
#[derive(Serialize, ToSchema)]
pub struct Observation {
    observation: ObservationLine,
    /// The program that decoded it.
    decoder: String,
    /// SHA-256 of the profile's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_sha256: Option<String>,
    claims: Vec<SaidLine>,
    /// What somebody else believes about the device.
    believed: Vec<SaidLine>,
    /// What this program decodes in the bytes now; empty where it cannot.
    facts: Vec<FactLine>,
    /// Why nothing could be decoded again.
    #[serde(skip_serializing_if = "Option::is_none")]
    undecoded: Option<String>,
    messages: Vec<MessageLine>,
}

/// A field of the nameplate that a reading tells, and where in its bytes.
#[derive(Serialize, ToSchema)]
struct SaidLine {
    component: String,
    field: &'static str,
    value: String,
    /// In which form it is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    grade: &'static str,
    profile: String,
    rule: String,
    /// Which message, from 0.
    message: usize,
    offset: usize,
    length: usize,
}

/// What a decoder read.
#[derive(Serialize, ToSchema)]
#[schema(as = DecodedFact)]
struct FactLine {
    /// `modbus.object.2`.
    path: String,
    /// Its bytes, in hexadecimal digits.
    hex: String,
    message: usize,
    offset: usize,
}

/// A message.
#[derive(Serialize, ToSchema)]
struct MessageLine {
    sha256: String,
    /// True for a question, without which the answer could not be read.
    asked: bool,
    /// Its bytes, in hexadecimal digits; absent where they are not kept any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl ObservationLine {
    fn of(entry: u64, observed: &Observed) -> Self {
        let observation = &observed.observation;
        Self {
            entry,
            id: observation.id(),
            time: rfc3339(observation.time_ns),
            address: observation.address.clone(),
            source: observation.source.clone(),
            protocol: observation.protocol.clone(),
            question: observation.question.clone(),
            complete: observation.complete,
            exception: observation.exception,
            malformed: observation.malformed.clone(),
            profile: profile(observed),
            claims: observed.interpretation.claims.len(),
        }
    }
}

impl SaidLine {
    fn of(claim: &Claim) -> Self {
        Self {
            component: claim.component.clone(),
            field: claim.field.name(),
            value: claim.value.clone(),
            normal: claim.normal.clone(),
            grade: claim.grade.name(),
            profile: claim.profile.clone(),
            rule: claim.rule.clone(),
            message: claim.message,
            offset: claim.offset,
            length: claim.length,
        }
    }
}

/// Readings of all devices, or of one. What was said again without a difference is no entry but the first of a day.
#[utoipa::path(
    get, path = "/observations", tag = "observations", security(("token" = ["read"]), ("session" = ["read"])),
    params(
        ("asset" = Option<String>, Query, description = "Only of this device"),
        ("since" = Option<String>, Query, description = "Only what was said on that day or later: 2026-03-02 or 2026-03-02T10:15:30Z", pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("until" = Option<String>, Query, description = "Only what was said up to that day or time", pattern = "^20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z)?$"),
        ("after" = Option<u64>, Query, description = "Go on behind this entry: the `next` of the answer before"),
        ("limit" = Option<usize>, Query, description = "Readings of the answer, 1 to 1000; 100 where nothing is said", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Observations), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn list(State(web): State<Web>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    let said = Parameters::of(query.as_deref(), &["asset", "since", "until", "after", "limit"])?;
    let time = |name: &str, of_day: &str| said.one::<String>(name)?.map(|text| Ok::<_, Problem>(moment(name, &text, of_day)?)).transpose();
    let (since, until): (Option<u64>, Option<u64>) = (time("since", "00:00:00")?, time("until", "23:59:59.999999999")?);
    let wanted = Wanted { asset: said.one("asset")?, times: (since.unwrap_or(0), until.unwrap_or(u64::MAX)) };
    let (from, limit) = (said.number("after")?.map_or(0, |after| after.saturating_add(1)), limit(&said)?);
    web.apart(move |house| Answer::of(&wanted.of(house, from, limit)?)).await
}

/// Which readings.
struct Wanted {
    asset: Option<String>,
    /// First and last moment, in nanoseconds since 1970.
    times: (u64, u64),
}

impl Wanted {
    fn of(&self, house: &House, from: u64, limit: usize) -> Result<Observations, Problem> {
        let store = store(house)?;
        let own = |known: &Known<'_>| self.asset.as_deref().map(|id| entries_of(known, id)).transpose();
        let on_disk = from..store.size();
        // Of one device the catalog knows the entries, also those that wait to be on the disk; of all of them each is looked at.
        let entries: Box<dyn Iterator<Item = u64>> = match house.known(own)? {
            Some(own) => Box::new(own.into_iter().filter(move |entry| on_disk.contains(entry))),
            None => Box::new(on_disk),
        };
        let (mut observations, mut looked, mut last) = (Vec::new(), 0, None);
        for entry in entries {
            if observations.len() >= limit || looked >= LOOKED_ENTRIES_MAX {
                return Ok(Observations { observations, next: last });
            }
            (looked, last) = (looked + 1, Some(entry));
            let Body::Observation(observed) = store.entry(entry)?.body else { continue };
            if (self.times.0..=self.times.1).contains(&observed.observation.time_ns) {
                observations.push(ObservationLine::of(entry, &observed));
            }
        }
        Ok(Observations { observations, next: None })
    }
}

/// The entries of a device's readings, rising.
fn entries_of(known: &Known<'_>, id: &str) -> Result<Vec<u64>, Problem> {
    let asset = find(known, id)?;
    let mut entries: Vec<u64> = known.view.catalog.entries_of(&asset.id).collect();
    entries.sort_unstable();
    entries.dedup();
    Ok(entries)
}

/// The ledger, opened for reading beside its writer.
fn store(house: &House) -> Result<Store, Problem> {
    Store::read(&house.directory)?.ok_or_else(|| Problem::unavailable("there is no ledger yet"))
}

/// One reading: what it tells, what was decoded, and its bytes.
#[utoipa::path(
    get, path = "/observations/{entry}", tag = "observations", security(("token" = ["read"]), ("session" = ["read"])),
    params(("entry" = u64, Path, description = "Its entry of the ledger")),
    responses((status = 200, body = Observation), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn one(State(web): State<Web>, Of(entry): Of<u64>) -> Result<Answer, Problem> {
    web.apart(move |house| {
        let (observed, payloads) = observed(house, entry)?;
        let messages = observed.observation.messages.iter().zip(&payloads).enumerate().map(|(at, (sha256, bytes))| MessageLine {
            sha256: sha256.clone(),
            asked: at < observed.observation.asked,
            hex: bytes.as_deref().map(hex),
        });
        let messages = messages.collect();
        let (facts, undecoded) = match facts(&observed, &payloads) {
            Ok(facts) => (facts, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        Answer::of(&Observation {
            observation: ObservationLine::of(entry, &observed),
            claims: observed.interpretation.claims.iter().map(SaidLine::of).collect(),
            believed: observed.interpretation.believed.iter().map(SaidLine::of).collect(),
            decoder: observed.decoder,
            profile_sha256: observed.profile_sha256,
            facts,
            undecoded,
            messages,
        })
    })
    .await
}

/// The bytes of a reading's messages, in their order; `None` for those that are not kept any more.
pub type Payloads = Vec<Option<Vec<u8>>>;

/// A reading, and the bytes of its messages that are kept.
///
/// # Errors
/// 404: the entry is none; the store.
pub fn observed(house: &House, entry: u64) -> Result<(Observed, Payloads), Problem> {
    let store = store(house)?;
    let missing = || Problem::missing(format!("entry {entry} is no reading"));
    if entry >= store.size() {
        return Err(missing());
    }
    let Body::Observation(observed) = store.entry(entry)?.body else { return Err(missing()) };
    let payloads = observed.observation.messages.iter().map(|name| store.payload(name)).collect::<Result<_, _>>()?;
    Ok((observed, payloads))
}

fn facts(observed: &Observed, payloads: &[Option<Vec<u8>>]) -> Result<Vec<FactLine>, String> {
    if payloads.is_empty() {
        return Ok(Vec::new());
    }
    let messages: Option<Vec<&[u8]>> = payloads.iter().map(Option::as_deref).collect();
    let reading = read_again(&observed.observation, &messages.ok_or("its bytes are not kept any more")?)?;
    let line = |fact: &nameplate_core::wire::Fact| FactLine {
        path: fact.path.clone(),
        hex: hex(&fact.bytes),
        message: fact.message,
        offset: fact.offset,
    };
    Ok(reading.facts.iter().map(line).collect())
}

/// Every word on a device.
#[derive(Serialize, ToSchema)]
pub struct Claims {
    /// Its id.
    asset: String,
    claims: Vec<WordLine>,
}

/// One word on a field of a part.
#[derive(Serialize, ToSchema)]
struct WordLine {
    component: String,
    field: &'static str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    grade: &'static str,
    /// True for the one that is shown; the others say otherwise.
    stands: bool,
    profile: String,
    rule: String,
    #[schema(value_type = shapes::Source)]
    source: Source,
    /// When it was said first, with nothing else in between.
    since: String,
    /// When it was said last.
    last: String,
    /// In how many readings since then.
    times: u64,
    /// Its entry of the ledger, as of `/observations/{entry}`; a list's word has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
}

impl WordLine {
    fn of(recorded: &Recorded, stands: bool) -> Self {
        let claim = &recorded.claim;
        Self {
            component: claim.component.clone(),
            field: claim.field.name(),
            value: claim.value.clone(),
            normal: claim.normal.clone(),
            grade: claim.grade.name(),
            stands,
            profile: claim.profile.clone(),
            rule: claim.rule.clone(),
            source: recorded.source.clone(),
            since: rfc3339(recorded.since_ns),
            last: rfc3339(recorded.time_ns),
            times: recorded.times,
            entry: recorded.entry,
        }
    }
}

/// What is known of each field of each part of a device, by whom and how well; and who says otherwise.
#[utoipa::path(
    get, path = "/devices/{id}/claims", tag = "devices", security(("token" = ["read"]), ("session" = ["read"])),
    params(("id" = String, Path, description = "Its id, or one that it had before, or enough of its beginning")),
    responses((status = 200, body = Claims), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn claims(State(web): State<Web>, Of(id): Of<String>) -> Result<Json<Claims>, Problem> {
    let look = move |known: &Known<'_>| {
        let asset = find(known, &id)?;
        let fields = asset.components().into_iter().flat_map(|part| Field::ALL.into_iter().filter_map(|field| asset.current(part, field)));
        let words = fields.flat_map(|current| {
            let others = current.conflicting.into_iter().map(|one| WordLine::of(one, false));
            [WordLine::of(current.standing, true)].into_iter().chain(others).collect::<Vec<_>>()
        });
        let claims = words.collect();
        Ok(Json(Claims { asset: asset.id.clone(), claims }))
    };
    web.known(look).await
}

#[cfg(test)]
mod tests {
    use nameplate_core::observation::Source;
    use nameplate_core::profile::ProfileSet;
    use nameplate_core::wire::conversation::Over;
    use nameplate_core::wire::{Address, Fact, Message, Reading, Shape};

    use super::*;

    #[test]
    fn what_is_known_and_not_on_the_disk_yet_is_told_as_soon_as_it_is() {
        let folder = std::env::temp_dir().join(format!("nameplate-observations-{}", std::process::id()));
        let house = House::open(&folder, ProfileSet::built_in().expect("profiles")).expect("a house");
        let mut reading = Reading::new(
            "modbus",
            Over::Tcp,
            "modbus.identification.basic",
            Address { ip: Some([10, 0, 0, 1].into()), ..Address::default() },
        );
        reading.facts =
            vec![Fact { path: "modbus.object.0".to_owned(), bytes: b"Acme".to_vec(), shape: Shape::Text, message: 0, offset: 0 }];
        reading.messages = vec![Message { frame: 1, time_ns: 7, bytes: b"Acme".to_vec() }];
        house.take(|intake| intake.take(&reading, Source::Asked { reason: "daily".into() }).map(drop)).expect("taken");
        let id = house.known(|known| known.view.catalog.assets().next().map(|asset| asset.id.clone()));
        let count = |asset: &Option<String>| {
            let wanted = Wanted { asset: asset.clone(), times: (0, u64::MAX) };
            wanted.of(&house, 0, 10).map_err(|_| "refused").map(|told| told.observations.len())
        };
        assert!(id.is_some());
        assert_eq!((count(&None), count(&id)), (Ok(0), Ok(0)));
        house.commit().expect("committed");
        assert_eq!((count(&None), count(&id)), (Ok(1), Ok(1)));
        drop(house);
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
