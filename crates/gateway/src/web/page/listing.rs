//! A table on a page. It looks as in reports, and its cells may lead somewhere.

use askama::Template;

use crate::print::count;
use crate::sheet::book::Tint;
use crate::sheet::page::{cell, class, is_long, sign};

/// A table under its name.
#[derive(Template)]
#[template(path = "listing.html")]
pub struct Listing {
    /// Its name on the page.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Titles of its columns.
    pub header: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Row>,
    /// What stands there where there is none.
    pub none: &'static str,
}

/// A row.
pub struct Row {
    tint: Tint,
    cells: Vec<Cell>,
}

/// What stands in a cell, and where it leads.
#[derive(Default)]
pub struct Cell {
    said: String,
    to: Option<String>,
}

impl Listing {
    fn is_tinted(&self) -> bool {
        self.rows.iter().any(|row| row.tint != Tint::Plain)
    }

    fn counted(&self) -> String {
        count(self.rows.len() as u64, "row")
    }
}

impl Row {
    /// A row that is meant so.
    pub const fn of(tint: Tint, cells: Vec<Cell>) -> Self {
        Self { tint, cells }
    }

    /// A row that means nothing more than it says.
    pub fn plain<const CELLS: usize>(cells: [String; CELLS]) -> Self {
        Self { tint: Tint::Plain, cells: cells.into_iter().map(Cell::of).collect() }
    }

    const fn class(&self) -> &'static str {
        class(self.tint)
    }

    const fn sign(&self) -> &'static str {
        sign(self.tint)
    }
}

impl Cell {
    /// A text.
    pub fn of(said: impl Into<String>) -> Self {
        Self { said: said.into(), to: None }
    }

    /// A text that leads to a page of ours.
    pub fn to(said: impl Into<String>, path: String) -> Self {
        Self { said: said.into(), to: Some(path) }
    }

    /// A device by the name that people have for it.
    pub fn device(id: &str, name: &str) -> Self {
        let name = if name.is_empty() { id } else { name };
        Self::to(name, format!("/devices/{id}"))
    }

    fn class(&self) -> &'static str {
        if is_long(&self.said) { "long" } else { "" }
    }

    /// Its text between tags, times marked.
    fn html(&self) -> String {
        cell(&self.said)
    }
}
