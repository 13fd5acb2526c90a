//! Tables to one HTML file: no script, no request to anywhere, and nothing that a device or a sheet said is more than text.

use nameplate_core::text::printable;

use super::book::{Table, Tint, escaped};
use super::plot::Plot;

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
pub fn page(title: &str, sentences: &[String], bars: &[Bar], plots: &[Plot], tables: &[Table]) -> String {
    let text = |text: &str| escaped(&printable(text));
    let colours: String = (0..).zip(Tint::ALL).map(|(at, tint)| format!(".t{at}{{background:#{}}}", tint.colour())).collect();
    let said: String = sentences.iter().map(|sentence| format!("<p>{}</p>\n", text(sentence))).collect();
    let bars: String = bars.iter().map(Bar::drawn).chain(plots.iter().map(Plot::drawn)).collect();
    let tables: String = tables
        .iter()
        .map(|table| {
            let header: String = table.header.iter().map(|title| format!("<th>{}</th>", text(title))).collect();
            let row = |(tint, cells): &(Tint, Vec<String>)| {
                let at = Tint::ALL.iter().position(|one| one == tint).unwrap_or_default();
                format!("<tr class=\"t{at}\">{}</tr>\n", cells.iter().map(|cell| format!("<td>{}</td>", text(cell))).collect::<String>())
            };
            let rows: String = table.rows.iter().map(row).collect();
            format!("<h2>{}</h2>\n<table>\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n", text(table.name))
        })
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{0}</title>\n<style>body{{font:14px sans-serif;color:#000;background:#fff}}table{{border-collapse:collapse}}\
         th,td{{border:1px solid #999;padding:2px 6px;text-align:left;vertical-align:top;white-space:pre-wrap}}th{{background:#eee}}{colours}</style>\n\
         </head>\n<body>\n<h1>{0}</h1>\n{said}{bars}{tables}</body>\n</html>\n",
        text(title)
    )
}
