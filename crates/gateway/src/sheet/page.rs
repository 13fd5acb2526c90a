//! Tables to one HTML file: no script, no request to anywhere, and nothing that a device or a sheet said is more than text.

use nameplate_core::text::printable;

use super::book::{Table, Tint, escaped};

/// Width of a bar, in its own units.
const BAR_UNITS: usize = 400;

/// Counts side by side, as one bar.
pub struct Bar {
    /// What stands before it.
    pub title: String,
    /// How many of what, in their order.
    pub parts: Vec<(Tint, &'static str, usize)>,
}

impl Bar {
    /// The bar, and the same in words.
    fn drawn(&self) -> String {
        let all = self.parts.iter().map(|(_, _, count)| count).sum::<usize>().max(1);
        let words: Vec<String> = self.parts.iter().map(|(_, what, count)| format!("{count} {what}")).collect();
        let words = escaped(&printable(&format!("{}: {}", self.title, words.join(", "))));
        let mut from = 0;
        let mut drawn = String::new();
        for (tint, _, count) in &self.parts {
            let [x, end] = [from, from + count].map(|count| count.saturating_mul(BAR_UNITS) / all);
            drawn += &format!("<rect x=\"{x}\" width=\"{}\" height=\"16\" fill=\"#{}\" stroke=\"#999\"/>", end - x, tint.colour());
            from += count;
        }
        format!("<p>{words}<br><svg role=\"img\" aria-label=\"{words}\" width=\"{BAR_UNITS}\" height=\"16\">{drawn}</svg></p>\n")
    }
}

/// Forbids what the page does not have, should a browser ever find it in there.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub fn page(title: &str, sentences: &[String], bars: &[Bar], given: &[Table]) -> String {
    let said: String = sentences.iter().map(|sentence| paragraph(sentence)).collect();
    let bars: String = bars.iter().map(Bar::drawn).collect();
    document(title, "", &format!("{said}{bars}{}", tables(given)))
}

/// A text between tags.
fn text(text: &str) -> String {
    escaped(&printable(text))
}

/// A paragraph of text.
pub fn paragraph(sentence: &str) -> String {
    format!("<p>{}</p>\n", text(sentence))
}

/// The title of a part.
pub fn heading(title: &str) -> String {
    format!("<h2>{}</h2>\n", text(title))
}

/// Tables, each under its name where it has one.
pub fn tables(tables: &[Table]) -> String {
    let one = |table: &Table| {
        let header: String = table.header.iter().map(|title| format!("<th>{}</th>", text(title))).collect();
        let row = |(tint, cells): &(Tint, Vec<String>)| {
            let at = Tint::ALL.iter().position(|one| one == tint).unwrap_or_default();
            format!("<tr class=\"t{at}\">{}</tr>\n", cells.iter().map(|cell| format!("<td>{}</td>", text(cell))).collect::<String>())
        };
        let rows: String = table.rows.iter().map(row).collect();
        let name = if table.name.is_empty() { String::new() } else { heading(table.name) };
        format!("{name}<table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
    };
    tables.iter().map(one).collect()
}

/// Text in letters of one width, in which some pieces are marked. Its line ends stay.
pub fn marked(pieces: &[(bool, String)]) -> String {
    let mut lines = String::new();
    for run in pieces.chunk_by(|(one, _), (next, _)| one == next) {
        let joined: String = run.iter().map(|(_, piece)| piece.as_str()).collect();
        let joined = joined.split('\n').map(text).collect::<Vec<_>>().join("\n");
        lines += &if run.first().is_some_and(|(marked, _)| *marked) { format!("<mark>{joined}</mark>") } else { joined };
    }
    format!("<pre>{lines}</pre>\n")
}

/// The whole file: `head` stands in its head, `body` behind its title.
pub fn document(title: &str, head: &str, body: &str) -> String {
    let colours: String = (0..).zip(Tint::ALL).map(|(at, tint)| format!(".t{at}{{background:#{}}}", tint.colour())).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         {head}<title>{0}</title>\n<style>body{{font:14px sans-serif;color:#000;background:#fff}}table{{border-collapse:collapse}}\
         th,td{{border:1px solid #999;padding:2px 6px;text-align:left;vertical-align:top;white-space:pre-wrap}}th{{background:#eee}}{colours}</style>\n\
         </head>\n<body>\n<h1>{0}</h1>\n{body}</body>\n</html>\n",
        text(title)
    )
}
