//! Tables to one HTML file: no script, no request to anywhere, and nothing that a device or a sheet said is more than text.
//!
//! It is read on a screen of any width, in light and dark, on paper, by keyboard and aloud: landmarks, captions and headers of columns
//! (WCAG 2.2, 1.3.1), and a word beside every colour (1.4.1).

use std::fmt;

use nameplate_core::text::printable;

use super::book::{Table, Tint, escaped};
use super::plot::Plot;

/// Width of a bar, in its own units.
const BAR_UNITS: usize = 400;
/// Bars that stand open: with more of them nobody would find the tables below, so they move in a box of their own.
const OPEN_BARS_MAX: usize = 12;
/// Columns of a table that still fits a sheet of paper: beyond them a column without any entry is only named.
const FULL_COLUMNS_MAX: usize = 12;
/// Characters in one piece that are never broken: ids, times and releases have fewer. What has more, such as a hash, is broken anywhere.
const WORD_CHARS_MAX: usize = 28;
/// Digits of what is set like a count; longer ones are names.
const COUNT_DIGITS_MAX: usize = 9;

/// Counts side by side, as one bar.
pub struct Bar {
    /// What stands before it.
    pub title: String,
    /// How many of what, in their order.
    pub parts: Vec<(Tint, &'static str, usize)>,
}

impl Bar {
    /// The bar, and the same in words.
    pub fn drawn(&self) -> String {
        let all = self.parts.iter().map(|(_, _, count)| count).sum::<usize>().max(1);
        let words: Vec<String> = self.parts.iter().map(|(_, what, count)| format!("{count} {what}")).collect();
        let words = text(&format!("{}: {}", self.title, words.join(", ")));
        let (mut from, mut drawn, mut legend) = (0, String::new(), String::new());
        for (tint, what, count) in &self.parts {
            let [x, end] = [from, from + count].map(|count| count.saturating_mul(BAR_UNITS) / all);
            let class = class(*tint);
            drawn += &format!("<rect class=\"{class}\" x=\"{x}\" width=\"{}\" height=\"16\"/>", end - x);
            legend += &format!("<li class=\"{class}\">{count} {}</li>", text(what));
            from += count;
        }
        format!(
            "<figure><figcaption>{}</figcaption>\
             <svg role=\"img\" aria-label=\"{words}\" viewBox=\"0 0 {BAR_UNITS} 16\" preserveAspectRatio=\"none\">{drawn}</svg>\
             <ul>{legend}</ul></figure>\n",
            text(&self.title)
        )
    }
}

/// Forbids what the page does not have, should a browser ever find it in there.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// How it looks.
const STYLE: &str = include_str!("page.css");

/// What a server says of such a page, so that a browser keeps to it whatever stands in there: its own style by its hash (CSP Level 3, 8.3), no script, no
/// origin, nobody's frame.
pub fn policy() -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(format!("\n{STYLE}")));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox")
}

/// The page.
pub fn page(title: &str, sentences: &[String], bars: &[Bar], plots: &[Plot], tables: &[Table]) -> String {
    let said: String = sentences.iter().map(|sentence| paragraph(&whole(sentence))).collect();
    let drawn: String = bars.iter().map(Bar::drawn).chain(plots.iter().map(Plot::drawn)).collect();
    let bars = match bars.len() + plots.len() {
        0 => drawn,
        1..=OPEN_BARS_MAX => format!("<section class=\"bars\" aria-label=\"Counts\">\n{drawn}</section>\n"),
        _ => format!("<section class=\"bars box\" aria-label=\"Counts\" tabindex=\"0\">\n{drawn}</section>\n"),
    };
    let alone = |table: &Table| tables.len() == 1 && table.name.eq_ignore_ascii_case(title);
    let sections: String = (1..).zip(tables).map(|(number, table)| section(&format!("t{number}"), table, alone(table))).collect();
    let skip = if tables.is_empty() { "" } else { "<a class=\"skip\" href=\"#t1\">Skip to the tables</a>\n" };
    file(title, "", (skip, &said, &contents(tables)), &format!("{bars}{sections}"))
}

/// A page of other parts than tables: `head` stands in its head, `body` behind its title.
pub fn document(title: &str, head: &str, body: &str) -> String {
    file(title, head, ("", "", ""), body)
}

/// The whole file: what stands above the title, below it, and before the rest; and the rest.
fn file(title: &str, head: &str, (skip, said, contents): (&str, &str, &str), body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         {head}<title>{0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{skip}<header>\n<h1>{0}</h1>\n{said}</header>\n{contents}\
         <main>\n{body}</main>\n\
         <footer>Written by nameplate {1}. This page is one file: it runs no script and loads nothing.</footer>\n</body>\n</html>\n",
        text(title),
        env!("CARGO_PKG_VERSION"),
    )
}

/// A paragraph of text.
pub fn paragraph(sentence: &str) -> String {
    format!("<p>{}</p>\n", text(sentence))
}

/// The title of a part.
pub fn heading(title: &str) -> String {
    format!("<h2>{}</h2>\n", text(title))
}

/// Tables, each under its name, which no other on the page has; one without a name stands under what is before it.
pub fn tables(tables: &[Table]) -> String {
    let id = |table: &Table| table.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    tables.iter().map(|table| section(&id(table), table, false)).collect()
}

/// Text in letters of one width, in which some pieces are marked. Its line ends stay.
pub fn marked(pieces: &[(bool, String)]) -> String {
    let mut lines = String::new();
    for run in pieces.chunk_by(|(one, _), (next, _)| one == next) {
        let joined: String = run.iter().map(|(_, piece)| piece.as_str()).collect();
        let joined = joined.split('\n').map(text).collect::<Vec<_>>().join("\n");
        lines += &if run.first().is_some_and(|(marked, _)| *marked) { format!("<mark>{joined}</mark>") } else { joined };
    }
    format!("<div class=\"box\" role=\"group\" aria-label=\"Bytes\" tabindex=\"0\"><pre>{lines}</pre></div>\n")
}

/// What anybody said, between the tags of a template ([`text`]); `askama.toml` names it.
#[derive(Clone, Copy)]
pub struct Text;

impl askama::filters::Escaper for Text {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, said: &str) -> fmt::Result {
        to.write_str(&text(said))
    }
}

/// What anybody said, as text.
fn text(said: &str) -> String {
    escaped(&printable(said))
}

/// A sentence that is told on a command line, too, as a page has it: with a capital and a full stop. One that begins with an id or a name
/// begins with it.
pub fn whole(sentence: &str) -> String {
    let word = sentence.split(' ').next().unwrap_or_default();
    let is_word = word.len() < sentence.len() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let (first, rest) = sentence.split_at(usize::from(is_word));
    let stop = if sentence.ends_with(['.', ':', '!', '?']) { "" } else { "." };
    format!("{}{rest}{stop}", first.to_ascii_uppercase())
}

/// The name of a tint in the style.
pub const fn class(tint: Tint) -> &'static str {
    match tint {
        Tint::Plain => "plain",
        Tint::Good => "good",
        Tint::Doubt => "doubt",
        Tint::Bad => "bad",
        Tint::Other => "other",
    }
}

/// What a tint means, in a word with a sign before it: for who does not see the colour, and on paper without any.
pub const fn sign(tint: Tint) -> &'static str {
    match tint {
        Tint::Plain => "",
        Tint::Good => "✓ fine",
        Tint::Doubt => "? look",
        Tint::Bad => "✗ act",
        Tint::Other => "○ one side",
    }
}

/// Where the tables stand, of several.
fn contents(tables: &[Table]) -> String {
    if tables.len() < 2 {
        return String::new();
    }
    let line = |(number, table): (usize, &Table)| {
        format!("<li><a href=\"#t{number}\">{}</a> <span>({})</span></li>\n", text(table.name), table.rows.len())
    };
    format!("<nav aria-label=\"Tables\">\n<ul>\n{}</ul>\n</nav>\n", (1..).zip(tables).map(line).collect::<String>())
}

/// How many rows there are, of each tint too.
fn caption(table: &Table) -> String {
    let many = |tint: Tint, what: &str| {
        let count = table.rows.iter().filter(|(one, _)| *one == tint).count();
        (count > 0).then(|| format!("{count} {what}"))
    };
    let meant = [(Tint::Good, "fine"), (Tint::Doubt, "to look at"), (Tint::Bad, "to act on"), (Tint::Other, "on one side only")];
    let parts: Vec<String> = meant.into_iter().filter_map(|(tint, what)| many(tint, what)).collect();
    let rows = crate::print::count(table.rows.len() as u64, "row");
    if parts.is_empty() { rows } else { format!("{rows}: {}", parts.join(", ")) }
}

/// A table under its name, in a box that can be reached and moved by keyboard. Where the page says the same above it, the name is only read
/// aloud.
fn section(id: &str, table: &Table, alone: bool) -> String {
    let columns: Vec<Column> = (0..table.header.len()).map(|at| Column::of(table, at)).collect();
    let narrow = columns.len() <= FULL_COLUMNS_MAX || table.rows.is_empty();
    let (shown, unsaid): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(|at| narrow || columns[*at].has_entry);
    let unsaid: Vec<&str> = unsaid.into_iter().map(|at| table.header[at].as_str()).collect();
    let unsaid = match &unsaid[..] {
        [] => String::new(),
        columns => format!("<p class=\"unsaid\">No row has an entry in: {}.</p>\n", text(&columns.join(", "))),
    };
    let tinted = table.rows.iter().any(|(tint, _)| *tint != Tint::Plain);
    let of = |at: usize| if columns[at].counts { " class=\"count\"" } else { "" };
    let mut header: String = shown.iter().map(|at| format!("<th scope=\"col\"{}>{}</th>", of(*at), text(&table.header[*at]))).collect();
    if tinted {
        header.insert_str(0, "<th scope=\"col\">sign</th>");
    }
    let row = |(tint, cells): &(Tint, Vec<String>)| {
        let sign = if tinted { format!("<td class=\"sign\">{}</td>", sign(*tint)) } else { String::new() };
        let cell = |at: &usize| {
            let said = cells.get(*at).map_or("", String::as_str);
            format!("<td{}>{}</td>", if is_long(said) { " class=\"long\"" } else { of(*at) }, cell(said))
        };
        format!("<tr class=\"{}\">{sign}{}</tr>\n", class(*tint), shown.iter().map(cell).collect::<String>())
    };
    let mut rows: String = table.rows.iter().map(row).collect();
    if rows.is_empty() {
        rows = format!("<tr class=\"plain\"><td colspan=\"{}\"><dfn>none</dfn></td></tr>\n", shown.len().max(1));
    }
    let wide = if shown.len() > FULL_COLUMNS_MAX { " class=\"wide\"" } else { "" };
    let (title, named) = if table.name.is_empty() {
        (String::new(), "role=\"group\" aria-label=\"Table\"".to_owned())
    } else {
        let said = if alone { " class=\"said\"" } else { "" };
        (format!("<h2 id=\"{id}\"{said}>{}</h2>\n", text(table.name)), format!("role=\"region\" aria-labelledby=\"{id}\""))
    };
    format!(
        "<section>\n{title}{unsaid}<div class=\"box\" {named} tabindex=\"0\">\n\
         <table{wide}>\n<caption>{}</caption>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n</section>\n",
        caption(table),
    )
}

/// What stands in a column.
struct Column {
    has_entry: bool,
    /// Nothing but counts: they are set to the right, so that one sees which is greater.
    counts: bool,
}

impl Column {
    fn of(table: &Table, at: usize) -> Self {
        let entries = || table.rows.iter().filter_map(|(_, cells)| cells.get(at)).filter(|cell| !cell.is_empty());
        let is_count = |cell: &String| {
            let digits = cell.len() <= COUNT_DIGITS_MAX && cell.bytes().all(|byte| byte.is_ascii_digit());
            digits && (cell == "0" || !cell.starts_with('0'))
        };
        Self { has_entry: entries().next().is_some(), counts: entries().next().is_some() && entries().all(is_count) }
    }
}

/// Whether it has a piece that no cell holds unbroken.
pub fn is_long(said: &str) -> bool {
    said.split_whitespace().any(|word| word.chars().count() > WORD_CHARS_MAX)
}

/// A cell: a time of ours is marked as one, every character of it as it was.
pub fn cell(said: &str) -> String {
    let Some((day, clock)) = time(said) else { return text(said) };
    let (seconds, fraction) = clock.split_at(8);
    format!("<time datetime=\"{said}\">{day}<i>T</i>{seconds}<i>{fraction}</i></time>")
}

/// Day and clock of a time in UTC as RFC 3339 writes it; `None` for every other text, whatever it looks like.
fn time(said: &str) -> Option<(&str, &str)> {
    let (day, clock) = said.split_once('T')?;
    let form = |text: &str, form: &str| {
        text.len() == form.len() && text.bytes().zip(form.bytes()).all(|(byte, form)| byte == form || form == b'0' && byte.is_ascii_digit())
    };
    let fraction = clock.get(8..)?.strip_suffix('Z')?;
    let digits = |fraction: &str| (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let whole = fraction.is_empty() || fraction.strip_prefix('.').is_some_and(digits);
    (form(day, "0000-00-00") && form(&clock[..8], "00:00:00") && whole).then_some((day, clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_marked_as_one_and_loses_nothing() {
        for said in ["2026-03-02T10:15:30Z", "2026-03-02T10:15:30.123456Z"] {
            let marked = cell(said);
            assert!(marked.starts_with(&format!("<time datetime=\"{said}\">")), "{marked}");
            let mut plain = marked.clone();
            for tag in ["<i>", "</i>", "</time>", &format!("<time datetime=\"{said}\">")] {
                plain = plain.replace(tag, "");
            }
            assert_eq!(plain, said);
        }
        let others = [
            "2026-03-02T10:15:30",
            "2026-03-02T10:15:30.Z",
            "2026-03-02T1\u{fc}:15:30Z",
            "2026-03-02T10:15:30\"Z",
            "Today",
            "T",
            "2026-03-02T",
        ];
        for said in others {
            assert_eq!(cell(said), text(said));
        }
    }

    #[test]
    fn a_sentence_of_a_command_line_is_whole_on_a_page() {
        for (told, shown) in [
            ("not seen is not gone", "Not seen is not gone."),
            ("As known at 2026-03-02.", "As known at 2026-03-02."),
            ("a-12ab was silent", "a-12ab was silent."),
            ("3 rows: 1 differs", "3 rows: 1 differs."),
            ("relay", "relay."),
            ("\u{fc}ber", "\u{fc}ber."),
            ("", "."),
        ] {
            assert_eq!(whole(told), shown);
        }
    }

    #[test]
    fn a_colour_is_said_in_words_and_a_column_without_an_entry_is_named() {
        let header = |columns: usize| (0..columns).map(|at| format!("c{at}")).collect();
        let row = |columns: usize, tint| (tint, (0..columns).map(|at| if at == 1 { "7".to_owned() } else { String::new() }).collect());
        let few = section("t1", &Table { name: "few", header: header(3), rows: vec![row(3, Tint::Bad), row(3, Tint::Plain)] }, false);
        assert!(few.contains("<td class=\"sign\">✗ act</td><td></td><td class=\"count\">7</td>"), "{few}");
        assert!(few.contains("<caption>2 rows: 1 to act on</caption>"), "{few}");
        let many = section("t2", &Table { name: "many", header: header(13), rows: vec![row(13, Tint::Plain)] }, true);
        assert!(many.contains("No row has an entry in: c0, c2, c3") && many.matches("<th").count() == 2, "{many}");
        let none = section("t3", &Table { name: "none", header: header(2), rows: Vec::new() }, false);
        assert!(none.contains("<caption>0 rows</caption>") && none.contains("<td colspan=\"2\"><dfn>none</dfn></td>"), "{none}");
        assert_eq!(contents(&[]), "");
    }
}
