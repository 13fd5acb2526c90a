//! What holds on every page, seen from inside.

use nameplate_tests::browser::Page;
use serde_json::Value;

/// What [`super::plant::Plant::evidence`] calls its page.
pub const EVIDENCE: &str = "evidence";

/// Everything that is there and should not be: elements and attributes that our pages do not have, and headings, captions and links that
/// they lack. `cells` are the texts of its tables.
const SEEN: &str = r"(() => {
    const own = new Set(('html head meta title style body a header h1 p nav ul li span main figure figcaption svg rect section h2 div table '
        + 'caption thead tr th tbody td time i dfn footer pre mark g line path polyline polygon circle text tspan desc').split(' '));
    const wrong = [], all = [...document.querySelectorAll('*')], of = what => [...document.querySelectorAll(what)];
    for (const one of all) {
        if (!own.has(one.localName)) wrong.push('element ' + one.localName);
        for (const {name, value} of one.attributes) {
            const named = name === 'href' ? !/^#t\d+$/.test(value) : /^on|src|action|^data|ping|^style$|background/.test(name);
            if (named) wrong.push('attribute ' + name + '=' + value);
        }
    }
    const need = (holds, what) => { if (!holds) wrong.push(what) };
    const full = one => one.textContent.trim() !== '';
    need(of('style').length === 1 && of('head > style').length === 1, 'one style');
    need(document.documentElement.lang === 'en', 'a language');
    need(of('h1').length === 1 && full(of('h1')[0]) && of('h1')[0].textContent === document.title, 'a title and a heading that are one');
    need(of('main').length === 1 && of('header').length === 1, 'landmarks');
    need(of('table').length > 0 && of('main h2').length >= of('table').length, 'tables, each with a heading');
    for (const table of of('table')) {
        need(table.caption && full(table.caption), 'a caption');
        need(table.tHead.rows.length === 1 && [...table.tHead.rows[0].cells].every(cell => cell.scope === 'col' && full(cell)), 'headers');
        need([...table.tBodies[0].rows].every(row => row.className === 'plain' || full(row.cells[0]) && row.cells[0].className === 'sign'), 'words beside colours');
    }
    need(of('table').length < 2 || of('nav a').length === of('table').length, 'contents');
    for (const link of of('a')) need(document.getElementById(link.hash.slice(1)), 'where ' + link.hash + ' leads');
    need(of('svg').every(svg => svg.getAttribute('role') === 'img' && (svg.getAttribute('aria-label') || svg.querySelector('title'))), 'words beside pictures');
    for (const time of of('time')) need(time.dateTime === time.textContent && !Number.isNaN(Date.parse(time.dateTime)), 'a time');
    if (window.__ran !== undefined) wrong.push('a script ran');
    return {wrong, cells: of('td').map(cell => cell.textContent)};
})()";

/// Values in one piece that stand on two lines: `V1.` above `10` is read as another release.
pub const BROKEN: &str = r"[...document.querySelectorAll('tbody td')].filter(cell => {
    const lines = document.createRange();
    lines.selectNodeContents(cell);
    const tops = new Set([...lines.getClientRects()].map(line => Math.round(line.top)));
    return tops.size > 1 && /^[^\s-]{1,28}$/.test(cell.textContent);
}).map(cell => cell.textContent)";

/// Holds the page to all of it; gives the texts of its cells.
pub fn sound(page: &Page<'_>, name: &str) -> Vec<String> {
    let (mut wrong, cells) = seen(page, name);
    // Its readings are tables under one heading, each behind a sentence of its own.
    wrong.retain(|one| name != EVIDENCE || !["contents", "tables, each with a heading"].contains(&one.as_str()));
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
    cells
}

/// What is wrong on a page, and the texts of its cells.
pub fn seen(page: &Page<'_>, name: &str) -> (Vec<String>, Vec<String>) {
    let seen = page.evaluate(SEEN).expect(name);
    let texts = |list: &Value| list.as_array().expect(name).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (texts(&seen["wrong"]), texts(&seen["cells"]))
}
