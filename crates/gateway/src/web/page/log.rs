//! What was sent to devices, and who did what here: lines of the ledger, the latest first.

use std::net::IpAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use nameplate_core::ledger::{Body, Entry};
use nameplate_core::observation::rfc3339;
use nameplate_field::guard::Endpoint;
use nameplate_field::touch::{Kind, Line};

use super::listing::{Cell, Listing, Row};
use super::{Frame, Problem, Shown, shown};
use crate::account::Person;
use crate::command::report::known_as;
use crate::house::House;
use crate::sheet::book::Tint;
use crate::store::Store;
use crate::web::Web;
use crate::web::api::devices::find;

/// Lines of a page.
const LINES: usize = 200;
/// Entries that are looked through for them: a second's work. The page says where it stopped.
const ENTRIES_MAX: u64 = 20_000;
/// What is said of one line of the touch record.
const HEADER: &[&str] = &["time", "what", "where", "station", "protocol", "question", "bytes", "work order", "more", "entry"];

#[derive(Template)]
#[template(path = "log.html")]
struct Page<'a> {
    frame: Frame<'a>,
    title: String,
    sentence: &'static str,
    lines: Listing,
    /// Where to look on, further back.
    back: Option<String>,
}

/// Every message to anybody.
pub async fn questions(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let before = before(query.as_deref())?;
    let (rows, back) = web.apart(move |house| lines(house, before, |entry| touched(&entry, |_| true))).await?;
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/questions" },
        title: "Questions".to_owned(),
        sentence: "All that was sent to devices, and what came of it, as the touch record has it. It is sealed by the field side.",
        lines: Listing { id: "lines", title: "touch record", header: HEADER, rows, none: "Nothing was sent." },
        back: back.map(|back| format!("/questions?before={back}")),
    })
}

/// Every message to one device's addresses.
pub async fn of_device(
    State(web): State<Web>,
    Extension(person): Extension<Person>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Shown {
    let before = before(query.as_deref())?;
    let look = move |house: &House| {
        let (id, name, ips, wires) = house.known(|known| {
            let asset = find(known, &id)?;
            let ips: Vec<IpAddr> = asset.addresses.iter().filter_map(|address| address.ip).collect();
            let wires: Vec<String> = asset.addresses.iter().filter_map(|address| address.line.clone()).collect();
            Ok::<_, Problem>((asset.id.clone(), known_as(asset), ips, wires))
        })?;
        let is_its = |line: &Line| match &line.target {
            Some(Endpoint::Tcp(at) | Endpoint::Udp(at)) => ips.contains(&at.ip()),
            Some(other) => wires.iter().any(|wire| other.to_string().contains(wire)),
            None => false,
        };
        Ok((id, name, lines(house, before, |entry| touched(&entry, is_its))?))
    };
    let (id, name, (rows, back)) = web.apart(look).await?;
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/devices" },
        title: format!("Sent to {}", if name.is_empty() { &id } else { &name }),
        sentence: "All that was sent to its addresses, and what came of it. Behind one address there may be several devices: the station tells which.",
        lines: Listing { id: "lines", title: "touch record", header: HEADER, rows, none: "Nothing was sent to it here." },
        back: back.map(|back| format!("/devices/{id}/questions?before={back}")),
    })
}

/// What became of accounts, and what people did with theirs.
pub async fn accounts(State(web): State<Web>, Extension(person): Extension<Person>, RawQuery(query): RawQuery) -> Shown {
    let before = before(query.as_deref())?;
    let told = |entry: Entry| match entry.body {
        Body::Account(event) => Some(Row::plain([rfc3339(entry.time_ns), event.to_string(), entry.index.to_string()])),
        _ => None,
    };
    let (rows, back) = web.apart(move |house| lines(house, before, told)).await?;
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/log" },
        title: "Account log".to_owned(),
        sentence: "Who came in, who was refused, and what people did here. Each line is an entry of the ledger; none can be taken away.",
        lines: Listing { id: "lines", title: "entries", header: &["time", "what", "entry"], rows, none: "Nothing." },
        back: back.map(|back| format!("/log?before={back}")),
    })
}

/// Where the page before stopped.
fn before(query: Option<&str>) -> Result<Option<u64>, Problem> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let said = pairs.find(|(name, _)| name == "before").map(|(_, value)| value.parse());
    said.transpose().map_err(|_| Problem::bad("before is the number of an entry"))
}

/// Rows of the entries in front of one, the latest first, and where it goes on.
fn lines(house: &House, before: Option<u64>, mut row: impl FnMut(Entry) -> Option<Row>) -> Result<(Vec<Row>, Option<u64>), Problem> {
    let store = Store::read(&house.directory)?.ok_or_else(|| Problem::unavailable("there is no ledger yet"))?;
    let mut at = before.unwrap_or(u64::MAX).min(store.size());
    let (last, mut rows) = (at.saturating_sub(ENTRIES_MAX), Vec::new());
    while at > last && rows.len() < LINES {
        at -= 1;
        rows.extend(row(store.entry(at)?));
    }
    Ok((rows, (at > 0).then_some(at)))
}

/// A line of the touch record, where it is one and wanted.
fn touched(entry: &Entry, wanted: impl Fn(&Line) -> bool) -> Option<Row> {
    let Body::Touch { line } = &entry.body else { return None };
    let line: Line = serde_json::from_str(line).ok().filter(|line: &Line| line.kind != Kind::Sealed && wanted(line))?;
    let tint = match line.kind {
        Kind::Upset | Kind::Restarted => Tint::Bad,
        Kind::Refused | Kind::Failed | Kind::Timeout => Tint::Doubt,
        _ => Tint::Plain,
    };
    // As the record itself spells it.
    let what = serde_json::to_value(line.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let latency = line.latency_us.map(|latency| format!("{latency} µs"));
    let more: Vec<String> = [line.rule, line.why, line.ended, latency].into_iter().flatten().collect();
    let nanoseconds =
        line.time.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    let cells = [
        rfc3339(nanoseconds),
        what,
        line.target.map(|target| target.to_string()).unwrap_or_default(),
        line.station.unwrap_or_default(),
        line.protocol.unwrap_or_default(),
        line.question.unwrap_or_default(),
        line.bytes.unwrap_or_default(),
        line.reason.unwrap_or_default(),
        more.join("; "),
        entry.index.to_string(),
    ];
    Some(Row::of(tint, cells.into_iter().map(Cell::of).collect()))
}
