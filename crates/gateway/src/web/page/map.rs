//! The network map: zones beside each other, levels above each other, drawn into the page, and the same in tables.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use nameplate_core::text::printable;

use super::listing::{Cell, Listing, Row};
use super::{Frame, Shown, shown};
use crate::account::Person;
use crate::command::report::known_as;
use crate::house::Known;
use crate::map::{LEVELS, Map, Stands, Whose};
use crate::sheet::book::{Tint, escaped};
use crate::web::Web;

/// Zones that are drawn; the table has more.
const ZONES_MAX: usize = 40;
/// Dots of a cell; beside them stands how many devices there are.
const DOTS_MAX: usize = 48;
/// Dots beside each other.
const DOTS_ROW: usize = 12;
/// Width and height of a cell, and of what stands before the cells, in the drawing's units.
const CELL_UNITS: (usize, usize) = (144, 76);
const HEAD_UNITS: (usize, usize) = (72, 28);
/// Characters of a zone's name above its cells; the table has all of it.
const NAME_CHARS_MAX: usize = 18;
/// Rows of a table.
const ROWS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "map.html")]
struct Page<'a> {
    frame: Frame<'a>,
    told: Told,
}

struct Told {
    words: String,
    drawn: String,
    zones: Listing,
    links: Listing,
    conduits: Listing,
}

/// The page.
pub async fn page(State(web): State<Web>, Extension(person): Extension<Person>) -> Shown {
    let told = web.known(|known| Ok(Told::of(known))).await?;
    shown(&Page { frame: Frame { person: Some(&person), here: "/map" }, told })
}

/// A zone's cells, by level.
type Zone<'m> = (&'m str, &'m BTreeMap<&'m str, Vec<&'m Stands<'m>>>);

impl Told {
    fn of(known: &Known<'_>) -> Self {
        let map = Map::of(known.view, known.profiles);
        let zones = map.zones();
        let named: Vec<Zone<'_>> = zones.iter().map(|((_, name), levels)| (*name, levels)).collect();
        let drawing = Drawing::of(&named);
        let left_out = if map.left_out > 0 { format!(" {} more devices are not on it.", map.left_out) } else { String::new() };
        Self {
            words: format!("{} devices in {} zones.{left_out}", map.devices.len(), named.len()),
            drawn: drawing.drawn(&map),
            zones: of_zones(&named),
            links: of_links(&map, known),
            conduits: of_conduits(&map, known),
        }
    }
}

/// What is drawn where.
struct Drawing<'m> {
    zones: Vec<Zone<'m>>,
    /// From above; the last are those whose level is not known.
    levels: Vec<&'static str>,
}

impl<'m> Drawing<'m> {
    fn of(zones: &[Zone<'m>]) -> Self {
        let zones: Vec<Zone<'m>> = zones.iter().take(ZONES_MAX).copied().collect();
        let is_there = |level: &&str| zones.iter().any(|(_, levels)| levels.contains_key(level));
        let levels = LEVELS.into_iter().chain([""]).filter(is_there).collect();
        Self { zones, levels }
    }

    /// Where a cell begins.
    fn corner(&self, column: usize, row: usize) -> (usize, usize) {
        (HEAD_UNITS.0 + column * CELL_UNITS.0, HEAD_UNITS.1 + row * CELL_UNITS.1)
    }

    /// Names of zones and levels are text of others: they are escaped here.
    fn drawn(&self, map: &Map<'_>) -> String {
        let (width, height) = self.corner(self.zones.len(), self.levels.len());
        let mut svg = String::new();
        for (row, level) in self.levels.iter().enumerate() {
            let (_, y) = self.corner(0, row);
            let name = if level.is_empty() { "not known".to_owned() } else { format!("level {level}") };
            svg += &format!("<text x=\"4\" y=\"{}\">{name}</text>", y + CELL_UNITS.1 / 2);
        }
        for (column, (name, levels)) in self.zones.iter().enumerate() {
            let (x, _) = self.corner(column, 0);
            svg += &format!("<text x=\"{}\" y=\"18\">{}</text>", x + 4, escaped(&short(name)));
            for (row, level) in self.levels.iter().enumerate() {
                let devices = levels.get(level).map(Vec::as_slice).unwrap_or_default();
                svg += &cell(self.corner(column, row), devices);
            }
        }
        let lines = self.lines(map);
        let words = format!("Map of {} zones by level; the tables below say the same", self.zones.len());
        format!(
            "<svg class=\"map\" role=\"img\" aria-label=\"{words}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">{svg}{lines}</svg>"
        )
    }

    /// Links between devices of different cells, one line for each pair of cells.
    fn lines(&self, map: &Map<'_>) -> String {
        let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (column, (_, levels)) in self.zones.iter().enumerate() {
            for (row, level) in self.levels.iter().enumerate() {
                places.extend(levels.get(level).into_iter().flatten().map(|device| (device.id, (column, row))));
            }
        }
        let mut pairs: BTreeMap<[(usize, usize); 2], usize> = BTreeMap::new();
        for link in &map.links {
            if let (Some(from), Some(to)) = (places.get(link.from.as_str()), places.get(link.to))
                && from != to
            {
                *pairs.entry([*from, *to]).or_default() += 1;
            }
        }
        let line = |([from, to], count): (&[(usize, usize); 2], &usize)| {
            let middle = |(column, row): (usize, usize)| {
                let (x, y) = self.corner(column, row);
                (x + CELL_UNITS.0 / 2, y + CELL_UNITS.1 / 2)
            };
            let ((x1, y1), (x2, y2)) = (middle(*from), middle(*to));
            let stroke = (*count).min(6);
            format!(
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"currentColor\" stroke-width=\"{stroke}\" stroke-opacity=\"0.5\"/>"
            )
        };
        pairs.iter().map(line).collect()
    }
}

/// A frame with a dot for each device, filled where its level is somebody's word.
fn cell((x, y): (usize, usize), devices: &[&Stands<'_>]) -> String {
    let mut svg = format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>",
        x + 2,
        y + 2,
        CELL_UNITS.0 - 4,
        CELL_UNITS.1 - 4
    );
    if devices.is_empty() {
        return svg;
    }
    svg += &format!("<text x=\"{}\" y=\"{}\">{}</text>", x + 8, y + 18, devices.len());
    for (at, device) in devices.iter().take(DOTS_MAX).enumerate() {
        let (cx, cy) = (x + 12 + at % DOTS_ROW * 11, y + 30 + at / DOTS_ROW * 11);
        let fill = if device.level_by == Whose::Owner { "currentColor" } else { "none" };
        svg += &format!("<circle cx=\"{cx}\" cy=\"{cy}\" r=\"4\" fill=\"{fill}\" stroke=\"currentColor\"/>");
    }
    svg
}

/// A zone's name, as long as it fits.
fn short(name: &str) -> String {
    let name = if name.is_empty() { "no address".to_owned() } else { printable(name) };
    if name.chars().count() <= NAME_CHARS_MAX { name } else { name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect() }
}

/// Each zone and level with its devices.
fn of_zones(zones: &[Zone<'_>]) -> Listing {
    let row = |name: &str, level: &str, devices: &[&Stands<'_>]| {
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        devices.iter().for_each(|device| *classes.entry(&device.class).or_default() += 1);
        let classes: Vec<String> = classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let whose = |of: &dyn Fn(&Stands<'_>) -> Whose| {
            let mut all: Vec<&str> = devices.iter().map(|device| of(device).text()).collect();
            all.sort_unstable();
            all.dedup();
            all.join(", ")
        };
        let by_owner = devices.iter().any(|device| device.zone_by == Whose::Owner);
        let shown = if name.is_empty() { "no address" } else { name };
        let zone = if by_owner {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("filter", &format!("zone={name}")).finish();
            Cell::to(shown, format!("/devices?{query}"))
        } else {
            Cell::of(shown)
        };
        let level_said = if level.is_empty() { "not known".to_owned() } else { level.to_owned() };
        let cells = [whose(&|one| one.zone_by), level_said, whose(&|one| one.level_by), devices.len().to_string(), classes.join(", ")];
        Row::of(Tint::Plain, [zone].into_iter().chain(cells.map(Cell::of)).collect())
    };
    let rows = zones.iter().flat_map(|(name, levels)| levels.iter().map(move |(level, devices)| row(name, level, devices)));
    Listing {
        id: "zones",
        title: "zones and levels",
        header: &["zone", "whose word", "level", "whose word", "devices", "classes"],
        rows: rows.take(ROWS_MAX).collect(),
        none: "There is no device.",
    }
}

/// A device by its name, or who is no device that is known.
fn named(known: &Known<'_>, id: &str) -> Cell {
    known.view.catalog.asset(id).filter(|asset| asset.id == id).map_or_else(|| Cell::of(id), |asset| Cell::device(id, &known_as(asset)))
}

fn of_links(map: &Map<'_>, known: &Known<'_>) -> Listing {
    let row = |link: &crate::map::Link<'_>| {
        Row::of(Tint::Plain, vec![named(known, &link.from), Cell::of(link.what), named(known, link.to), Cell::of(link.times.to_string())])
    };
    Listing {
        id: "links",
        title: "who is joined to whom",
        header: &["who", "what", "whom", "times"],
        rows: map.links.iter().take(ROWS_MAX).map(row).collect(),
        none: "Nothing that was heard joins two of them.",
    }
}

fn of_conduits(map: &Map<'_>, known: &Known<'_>) -> Listing {
    let rows = map.conduits.iter().flat_map(|(conduit, devices)| {
        devices.iter().map(|id| Row::of(Tint::Plain, vec![Cell::of(*conduit), named(known, id)])).collect::<Vec<_>>()
    });
    Listing {
        id: "conduits",
        title: "conduits, as owners name them",
        header: &["conduit", "device"],
        rows: rows.take(ROWS_MAX).collect(),
        none: "No owner names one.",
    }
}
