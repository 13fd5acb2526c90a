//! The first page: what needs somebody now, and below it how well the plant is known and how far its changes are.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use nameplate_core::blind::spots;
use nameplate_core::catalog::Asset;
use nameplate_core::change::drift::drifts;
use nameplate_core::change::{Change, Verdict};
use nameplate_core::claim::Field;
use nameplate_core::observation::rfc3339;
use nameplate_core::patching::{Judged, contradictions};
use nameplate_core::update::{Applied, Kind, Offer, Updates};
use nameplate_core::view::View;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Shown, escaped, shown};
use crate::account::Person;
use crate::command::change::page::standing;
use crate::command::check::findings::Found;
use crate::command::patches::Line;
use crate::command::report::burndown::BurnDown;
use crate::command::report::{Rows, changes, exemptions, known_as, overview};
use crate::disk::{FreeMin, Room, Size};
use crate::hatch::Heard;
use crate::house::{FieldSide, Known};
use crate::print::count;
use crate::sheet::book::Tint;
use crate::update::{WARNING_DAYS_MIN, left};
use crate::web::Web;
use crate::web::judged::{found, subjects};

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// A device is new for a week: whoever looks on Mondays sees it.
const NEW_NS: u64 = 7 * DAY_NS;
/// What changed without an order stands here for a month of planning.
const DRIFT_NS: u64 = 30 * DAY_NS;
/// Rows of what needs somebody: two screens. What stands behind them waits until these are done.
const ROWS_MAX: usize = 60;
/// Changes that are drawn: the latest, which people work on. The page of changes has all in a table.
const PLOTS_MAX: usize = 6;
/// Families of which releases are counted, the largest first.
const FAMILIES_MAX: usize = 40;
/// Below this a disk is said to be full soon, whatever the configuration stops asking at.
const FREE_BYTES_MIN: &str = "512MB or 5%";

#[derive(Template)]
#[template(path = "overview.html")]
struct Page<'a> {
    frame: Frame<'a>,
    sentences: Vec<String>,
    needed: Listing,
    bars: Vec<String>,
    plots: Vec<String>,
    spread: Listing,
    blind: Listing,
    listener: Listing,
}

/// What follows from the catalog.
struct Told {
    needed: Vec<Row>,
    bars: Vec<String>,
    plots: Vec<String>,
    spread: Vec<Row>,
    blind: Vec<Row>,
    devices: usize,
    corpus: Option<String>,
    size: u64,
    now_ns: u64,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let judged = web.judged();
    let told = web
        .apart(move |house| {
            let findings = judged.findings(house)?;
            Ok(house.known(|known| {
                let parts = subjects(known, None);
                let found: Vec<Found<'_>> = findings.iter().flat_map(|findings| found(findings, &parts, known)).collect();
                Told::of(known, &found, findings.as_ref().map(|findings| findings.corpus()))
            }))
        })
        .await?;
    let (field, room) = (web.house().field().clone(), Room::at(&web.house().directory).ok());
    let (updates, now_ns) = web.house().known(|known| (known.view.updates.clone(), known.now_ns));
    let mut needed = of_the_box(&field, room, web.house().halted().is_some());
    needed.extend(of_updates(&updates, now_ns));
    needed.extend(told.needed);
    let (all, waits) = (needed.len(), needed.len().saturating_sub(ROWS_MAX));
    needed.truncate(ROWS_MAX);
    let mut sentences = vec![match all {
        0 => format!("Nothing needs anybody now, as known at {}.", rfc3339(told.now_ns)),
        _ if waits > 0 => format!("{} need somebody, of which {ROWS_MAX} are shown.", count(all as u64, "thing")),
        _ => format!("As known at {}.", rfc3339(told.now_ns)),
    }];
    sentences.push(match told.corpus {
        Some(corpus) => format!("{}; advisories: {corpus}.", count(told.devices as u64, "device")),
        None => format!("{}. No advisory was taken in, so nothing is said of vulnerabilities.", count(told.devices as u64, "device")),
    });
    shown(&Page {
        frame: Frame { person: Some(&person), here: "/" },
        sentences,
        needed: Listing {
            id: "needed",
            title: "needs somebody now",
            header: &["what", "who", "since", "by"],
            rows: needed,
            none: "Nothing.",
        },
        bars: told.bars,
        plots: told.plots,
        spread: Listing {
            id: "spread",
            title: "firmware per family",
            header: &["manufacturer", "model", "devices", "releases"],
            rows: told.spread,
            none: "No device has said what it is.",
        },
        blind: Listing {
            id: "blind",
            title: "blind spots",
            header: &["devices", "which question would tell", "how", "its bytes"],
            rows: told.blind,
            none: "Of each device that answers, its firmware is known.",
        },
        listener: Listing {
            id: "listener",
            title: "listener and disk",
            header: &["what", "how it is"],
            rows: listener(&field, room, told.size),
            none: "",
        },
    })
}

impl Told {
    fn of(known: &Known<'_>, found: &[Found<'_>], corpus: Option<String>) -> Self {
        let Known { view, profiles, size, now_ns } = *known;
        let assets: Vec<&Asset> = view.catalog.assets().collect();
        let mut needed = of_changes(known);
        let mut overdue = changes::overdue(view, now_ns);
        overdue.extend(exemptions::overdue(view, now_ns));
        overdue.extend(overview::dues(found, now_ns));
        needed.extend(of_overdue(known, overdue));
        needed.extend(of_patches(known));
        needed.extend(of_drift(known));
        needed.extend(of_news(&assets, now_ns));
        let bars = [
            overview::by_band(found, &assets),
            overview::by_conformance(view, profiles, &assets, now_ns),
            overview::coverage(&assets, now_ns),
            overview::progress(view, now_ns),
        ];
        Self {
            needed,
            bars: bars.iter().map(|bar| bar.drawn()).collect(),
            plots: drawn(view, now_ns),
            spread: spread(&assets),
            blind: blind(&assets),
            devices: assets.len(),
            corpus,
            size,
            now_ns,
        }
    }
}

/// How the latest open changes burn down.
pub fn drawn(view: &View, now_ns: u64) -> Vec<String> {
    let open: Vec<&Change> = view.changes.iter().filter(|change| change.closed.is_none()).collect();
    open.iter().rev().take(PLOTS_MAX).map(|change| BurnDown::of(change, now_ns).plot.drawn()).collect()
}

/// What is wrong with the gateway itself.
fn of_the_box(field: &FieldSide, room: Option<Room>, is_halted: bool) -> Vec<Row> {
    let given_up = field.given_up;
    let row =
        |tint, what: String| Row::of(tint, vec![Cell::to(what, "#listener".to_owned()), Cell::default(), Cell::default(), Cell::default()]);
    let limit: FreeMin = FREE_BYTES_MIN.parse().unwrap_or_default();
    let gone =
        field.since_ns.is_none().then(|| row(Tint::Bad, "the field side is not there: nobody listens, and nobody is asked".to_owned()));
    let full = room.filter(|room| room.is_scarce(limit));
    let full = full.map(|room| row(Tint::Bad, format!("the disk is nearly full: {} are left", Size(room.free_bytes))));
    let lost = (given_up > 0).then(|| row(Tint::Bad, format!("{given_up} reports of the field side were given up")));
    let drops = field.interfaces.iter().filter(|one| one.dropped > 0);
    let dropped = drops.map(|one| row(Tint::Doubt, format!("{}: {} of {} frames were dropped", one.interface, one.dropped, one.received)));
    let halted = is_halted.then(|| row(Tint::Bad, "nothing can be written: nobody is asked, and nothing can be done here".to_owned()));
    halted.into_iter().chain(gone).chain(full).chain(lost).chain(dropped).collect()
}

/// Updates from a stick that are over, or soon are.
fn of_updates(updates: &Updates, now_ns: u64) -> Vec<Row> {
    let row = |one: &Applied| {
        let Offer { kind, publisher, expires_ns, .. } = &one.offer;
        let over = (Tint::Bad, "what was published since is not known here");
        let (tint, means) = if now_ns >= *expires_ns { over } else { (Tint::Doubt, "have the next one brought on a stick") };
        let what = format!("the last update of {kind} of {publisher} {}: {means}", left(*expires_ns, now_ns));
        Row::of(tint, vec![Cell::of(what), Cell::default(), Cell::of(rfc3339(one.time_ns)), Cell::of(rfc3339(*expires_ns))])
    };
    // A program goes on when its update is over.
    let ends = |one: &&Applied| one.offer.kind != Kind::Program && one.offer.expires_ns.saturating_sub(now_ns) < WARNING_DAYS_MIN * DAY_NS;
    updates.last().filter(ends).map(row).collect()
}

/// Devices of open changes that are not as they should be after their change.
fn of_changes(known: &Known<'_>) -> Vec<Row> {
    let fine = |verdict| matches!(verdict, Verdict::AsExpected | Verdict::IdentityNotProven);
    let of = |change: &Change| {
        let order = change.plan.order.clone();
        let failed = standing(change).into_iter().filter(|judged| !fine(judged.verdict) && change.verdict_on(&judged.asset).is_some());
        let failed = failed.filter(|judged| change.is_left(&judged.asset).is_none());
        let row = |judged: nameplate_core::change::Judged| {
            let what = Cell::to(format!("work order {order}: {}", judged.verdict.text()), format!("/changes/{}", escaped(&order)));
            Row::of(Tint::Bad, vec![what, named(known, &judged.asset), Cell::default(), Cell::of(change.plan.by.clone())])
        };
        failed.map(row).collect::<Vec<_>>()
    };
    known.view.changes.iter().filter(|change| change.closed.is_none() && !change.after.is_empty()).flat_map(of).collect()
}

/// What is behind its day; the rows are those of the report.
fn of_overdue(known: &Known<'_>, rows: Rows) -> Vec<Row> {
    let row = |(tint, cells): (Tint, Vec<String>)| {
        let mut cells = cells.into_iter();
        let what = cells.next().map(|what| format!("overdue: {what}")).unwrap_or_default();
        let who = cells.next().map(|who| named(known, &who)).unwrap_or_default();
        Row::of(tint, [Cell::of(what), who].into_iter().chain(cells.map(Cell::of)).collect())
    };
    rows.into_iter().map(row).collect()
}

/// What a patch server holds for installed and the device itself says otherwise.
fn of_patches(known: &Known<'_>) -> Vec<Row> {
    let row = |one: &Judged<'_>| {
        let said = Line::of(one);
        let mut systems: Vec<&str> = said.said.iter().map(|word| word.system).collect();
        systems.dedup();
        let [field, release, read] = [said.field, said.release, said.read].map(Option::unwrap_or_default);
        let again = if said.read_before { ", as it was read before that: read it again" } else { "" };
        let what = format!("{} holds {field} {release} for installed, and the device says {read}{again}", systems.join(" and "));
        let since = said.since.clone().unwrap_or_default();
        Row::of(Tint::Bad, vec![Cell::of(what), named(known, said.asset), Cell::of(since), Cell::default()])
    };
    contradictions(&known.view.patches, &known.view.catalog, known.profiles).iter().map(row).collect()
}

/// What is otherwise than before, and no order says so.
fn of_drift(known: &Known<'_>) -> Vec<Row> {
    let mut drifted = drifts(&known.view.catalog, &known.view.changes);
    drifted.retain(|drift| drift.expected_by.is_none() && known.now_ns.saturating_sub(drift.between_ns.1) <= DRIFT_NS);
    drifted.sort_by_key(|drift| std::cmp::Reverse(drift.between_ns.1));
    let row = |drift: nameplate_core::change::drift::Drift| {
        let what = format!("{} was {} and is {}, without a change order", drift.what, drift.before, drift.after);
        Row::of(Tint::Bad, vec![Cell::of(what), named(known, &drift.asset), Cell::of(rfc3339(drift.between_ns.1)), Cell::default()])
    };
    drifted.into_iter().map(row).collect()
}

/// Who was heard for the first time.
fn of_news(assets: &[&Asset], now_ns: u64) -> Vec<Row> {
    let is_new = |asset: &&&Asset| !asset.is_listed_only() && now_ns.saturating_sub(asset.seen_ns.0) <= NEW_NS;
    let mut new: Vec<&Asset> = assets.iter().filter(is_new).copied().collect();
    new.sort_by_key(|asset| std::cmp::Reverse(asset.seen_ns.0));
    let row = |asset: &Asset| {
        let who = Cell::device(&asset.id, &known_as(asset));
        Row::of(Tint::Doubt, vec![Cell::of("new device"), who, Cell::of(rfc3339(asset.seen_ns.0)), Cell::default()])
    };
    new.into_iter().map(row).collect()
}

/// A device by its name, where it is one.
fn named(known: &Known<'_>, id: &str) -> Cell {
    known.view.catalog.asset(id).map_or_else(|| Cell::of(id), |asset| Cell::device(&asset.id, &known_as(asset)))
}

/// Releases of each family, the largest family first; more than one is a spread.
fn spread(assets: &[&Asset]) -> Vec<Row> {
    let value = |asset: &Asset, field| asset.shown(field).map(|current| current.standing.claim.value.clone()).unwrap_or_default();
    let mut families: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    for asset in assets {
        let model = [Field::Model, Field::ProductCode].into_iter().map(|field| value(asset, field)).find(|model| !model.is_empty());
        let Some(model) = model else { continue };
        let release = Some(value(asset, Field::FirmwareRevision)).filter(|release| !release.is_empty());
        let family = families.entry((value(asset, Field::Manufacturer), model)).or_default();
        *family.entry(release.unwrap_or_else(|| "unknown".to_owned())).or_default() += 1;
    }
    let mut families: Vec<_> =
        families.into_iter().map(|(family, releases)| (releases.values().sum::<usize>(), family, releases)).collect();
    families.sort_by_key(|(devices, ..)| std::cmp::Reverse(*devices));
    let row = |(devices, (manufacturer, model), releases): (usize, (String, String), BTreeMap<String, usize>)| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let path = format!("/devices?{}", query.append_pair("filter", &format!("model={model}")).finish());
        let told: Vec<String> = releases.iter().map(|(release, devices)| format!("{release} ({devices})")).collect();
        let tint = if releases.len() > 1 { Tint::Doubt } else { Tint::Plain };
        Row::of(tint, vec![Cell::of(manufacturer), Cell::to(model, path), Cell::of(devices.to_string()), Cell::of(told.join(", "))])
    };
    families.into_iter().take(FAMILIES_MAX).map(row).collect()
}

/// What listening could not tell, by the question that would.
fn blind(assets: &[&Asset]) -> Vec<Row> {
    let mut counts: BTreeMap<[&str; 3], usize> = BTreeMap::new();
    for spot in spots(assets.iter().copied()) {
        let question = spot.question.map_or(["none that we know", "", ""], |question| [question.asks, question.over, question.bytes]);
        *counts.entry(question).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(question, devices)| {
            Row::plain([devices.to_string(), question[0].to_owned(), question[1].to_owned(), question[2].to_owned()])
        })
        .collect()
}

/// How the box itself is.
fn listener(field: &FieldSide, room: Option<Room>, size: u64) -> Vec<Row> {
    let of_interface = |one: &Heard| {
        format!("{}: {} frames came in, {} were dropped, {} pieces never came", one.interface, one.received, one.dropped, one.gaps)
    };
    let listens: Vec<String> = field.interfaces.iter().map(of_interface).collect();
    let mut malformed: BTreeMap<&str, u64> = BTreeMap::new();
    for (layer, times) in field.interfaces.iter().flat_map(|one| &one.malformed) {
        *malformed.entry(layer).or_default() += times;
    }
    let malformed: Vec<String> = malformed.into_iter().map(|(layer, times)| format!("{layer} {times}")).collect();
    let since = field
        .since_ns
        .map_or_else(|| "not there".to_owned(), |since| format!("{} at {}, since {}", field.program, field.site, rfc3339(since)));
    let round = field
        .round
        .as_ref()
        .map_or_else(|| "nobody".to_owned(), |round| format!("{}: {}", round.why, count(round.devices as u64, "device")));
    let free = room.map_or_else(|| "unknown".to_owned(), |room| format!("{} of {} are free", Size(room.free_bytes), Size(room.all_bytes)));
    let told = [
        ("field side", since),
        ("listens on", if listens.is_empty() { "nothing".to_owned() } else { listens.join("; ") }),
        ("messages that could not be decoded", if malformed.is_empty() { "none".to_owned() } else { malformed.join(", ") }),
        ("reports", format!("{} were given up", field.given_up)),
        ("devices that may be asked", field.listed.len().to_string()),
        ("being asked", round),
        ("disk", free),
        ("entries in the ledger", size.to_string()),
        ("this program", format!("nameplate {}", env!("CARGO_PKG_VERSION"))),
    ];
    told.into_iter().map(|(what, how)| Row::plain([what.to_owned(), how])).collect()
}
