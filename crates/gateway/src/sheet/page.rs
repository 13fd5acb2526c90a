//! Tables to one HTML file: no script, no request to anywhere, and nothing that a device or a sheet said is more than text.

use nameplate_core::text::printable;

use super::book::{Table, Tint, escaped};

/// Forbids what the page does not have, should a browser ever find it in there.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page.
pub fn page(title: &str, sentences: &[String], tables: &[Table]) -> String {
    let text = |text: &str| escaped(&printable(text));
    let colours: String = (0..).zip(Tint::ALL).map(|(at, tint)| format!(".t{at}{{background:#{}}}", tint.colour())).collect();
    let said: String = sentences.iter().map(|sentence| format!("<p>{}</p>\n", text(sentence))).collect();
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
         </head>\n<body>\n<h1>{0}</h1>\n{said}{tables}</body>\n</html>\n",
        text(title)
    )
}
