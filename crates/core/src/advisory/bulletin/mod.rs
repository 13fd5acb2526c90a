//! A vendor's bulletins as a CSV: one row for each product and vulnerability, for publishers that write no CSAF.
//!
//! Columns: `publisher,id,title,revision,date,page,vendor,product,order_number,model,range,status,cve,cvss,remediation,fixed_version,url`, in any
//! order. Needed are publisher and id, and of product, order_number and model at least one.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::csaf::Unread;
use super::csaf::tolerance::{Kind, Tolerances};
use super::{Advisory, Product, ProductIndex, Release, Remediation, Score, Status, Vulnerability};
use crate::observation::hex;
use crate::sheet::{FILE_BYTES_MAX, FORMULA, Record, Records, decoded, one_line};

/// The columns.
pub const COLUMNS: [&str; 17] = [
    "publisher",
    "id",
    "title",
    "revision",
    "date",
    "page",
    "vendor",
    "product",
    "order_number",
    "model",
    "range",
    "status",
    "cve",
    "cvss",
    "remediation",
    "fixed_version",
    "url",
];
/// Rows of one file; a vendor's paper names some hundreds of products.
const ROWS_MAX: usize = 200_000;
/// Columns whose cells are the document's: they are the same in all of its rows.
const OF_DOCUMENT: [&str; 4] = ["title", "revision", "date", "page"];
/// CSAF 2.0, 3.2.3.12: a remediation that is one of these words says no more than that.
const CATEGORIES: [&str; 5] = ["vendor_fix", "mitigation", "workaround", "none_available", "no_fix_planned"];

/// A bulletin and its own rows as a CSV, which reads as this bulletin alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulletin {
    /// What it says. Its `sha256` is that of `rows`, so that a row of another bulletin in the same file changes nothing.
    pub advisory: Advisory,
    /// Header and rows.
    pub rows: Vec<u8>,
}

/// A row with the line it begins in.
struct Row {
    line: usize,
    cells: HashMap<&'static str, String>,
}

impl Row {
    fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map(String::as_str).unwrap_or_default()
    }

    fn wrong(&self, column: &str, why: impl Into<String>) -> Unread {
        Unread { at: format!("line {}, column {column}", self.line), why: why.into() }
    }
}

/// Reads a file of bulletins, in the order in which each begins.
///
/// # Errors
/// The first thing that is wrong, with line and column; nothing of the file counts then.
pub fn read(bytes: &[u8]) -> Result<Vec<Bulletin>, Unread> {
    let rows = rows(bytes)?;
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut groups: HashMap<(&str, &str), Vec<&Row>> = HashMap::new();
    for row in &rows {
        let key = (row.cell("publisher"), row.cell("id"));
        groups.entry(key).or_insert_with(|| {
            order.push(key);
            Vec::new()
        });
        groups.entry(key).and_modify(|rows| rows.push(row));
    }
    order.into_iter().filter_map(|key| groups.get(&key)).map(|rows| bulletin(rows)).collect()
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, Unread> {
    let invalid = |e: crate::sheet::Invalid| Unread {
        at: format!("line {}{}", e.line, e.column.map(|column| format!(", column {column}")).unwrap_or_default()),
        why: e.why,
    };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Unread { at: String::new(), why: "the file is larger than 64 MiB".into() });
    }
    let text = decoded(bytes);
    let mut records = Records::new(&text);
    let empty = || Unread { at: "line 1".into(), why: "the file is empty".into() };
    let header = columns(&records.next().ok_or_else(empty)?.map_err(invalid)?)?;
    let mut rows = Vec::new();
    while let Some(record) = records.next() {
        let Record { line, cells } = record.map_err(invalid)?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let at_line = |why: String| Unread { at: format!("line {line}"), why };
        if cells.len() != header.len() {
            return Err(at_line(format!("{} cells, where the header has {}", cells.len(), header.len())));
        }
        if rows.len() == ROWS_MAX {
            return Err(at_line(format!("more than {ROWS_MAX} rows")));
        }
        let mut row = Row { line, cells: HashMap::new() };
        for (column, text) in header.iter().zip(&cells) {
            let text = plain(text).map_err(|why| row.wrong(column, why))?;
            row.cells.insert(column, text);
        }
        for column in ["publisher", "id"] {
            if row.cell(column).is_empty() {
                return Err(row.wrong(column, "this cell is needed and empty"));
            }
        }
        if ["product", "order_number", "model"].iter().all(|column| row.cell(column).is_empty()) {
            return Err(row.wrong("product", "none of product, order_number and model says what the row is about"));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn columns(header: &Record) -> Result<Vec<&'static str>, Unread> {
    let wrong = |why: String| Unread { at: format!("line {}", header.line), why };
    let mut columns = Vec::new();
    for cell in &header.cells {
        let name = one_line(cell).to_ascii_lowercase();
        let column = COLUMNS.into_iter().find(|column| *column == name);
        let column = column.ok_or_else(|| wrong(format!("{:?} is no column of a bulletin", crate::text::printable(&name))))?;
        if columns.contains(&column) {
            return Err(wrong(format!("the column {column} stands there twice")));
        }
        columns.push(column);
    }
    let missing = ["publisher", "id"].into_iter().find(|needed| !columns.contains(needed));
    missing.map_or(Ok(columns), |needed| Err(wrong(format!("the column {needed} is missing"))))
}

/// A cell on one line. What a spreadsheet would run is refused; an apostrophe before it says that it is a text.
fn plain(given: &str) -> Result<String, &'static str> {
    let text = one_line(given);
    if let Some(text) = text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)) {
        return Ok(text.to_owned());
    }
    if text.starts_with(['=', '+', '@', '＝', '＋', '＠']) {
        return Err("a formula; where it is a text, put an apostrophe before it");
    }
    Ok(text)
}

fn bulletin(rows: &[&Row]) -> Result<Bulletin, Unread> {
    let Some(first) = rows.first() else { return Err(Unread { at: String::new(), why: "no rows".into() }) };
    for row in rows {
        if let Some(column) = OF_DOCUMENT.into_iter().find(|column| row.cell(column) != first.cell(column)) {
            return Err(row.wrong(column, format!("line {} says otherwise of the same document", first.line)));
        }
    }
    let (mut tolerances, mut products) = (Tolerances::default(), Vec::new());
    let mut vulnerabilities: Vec<Vulnerability> = Vec::new();
    let mut known = (HashMap::new(), HashMap::new());
    for row in rows {
        let product = product(row, row.cell("range"), false, &mut products, &mut known.0)?;
        let cve = match row.cell("cve") {
            "" => {
                tolerances.add(Kind::NoCve, || format!("line {}", row.line));
                first.cell("title").to_owned()
            }
            cve => cve.to_owned(),
        };
        let at = *known.1.entry(cve.clone()).or_insert(vulnerabilities.len());
        if at == vulnerabilities.len() {
            vulnerabilities.push(Vulnerability { cve, ..Vulnerability::default() });
        }
        let Some(vulnerability) = vulnerabilities.get_mut(at) else { continue };
        say(vulnerability, status(row)?, product);
        score(row, vulnerability, product)?;
        if !row.cell("fixed_version").is_empty() {
            let fixed = self::product(row, row.cell("fixed_version"), true, &mut products, &mut known.0)?;
            say(vulnerability, Status::Fixed, fixed);
        }
        vulnerability.remediations.extend(remediation(row, product));
    }
    for vulnerability in &mut vulnerabilities {
        let statuses = vulnerability.statuses.iter_mut().map(|(_, products)| products);
        for products in statuses.chain(vulnerability.scores.iter_mut().map(|score| &mut score.products)) {
            products.sort_unstable();
            products.dedup();
        }
    }
    let text = |column| first.cell(column).to_owned();
    let rows = written(rows);
    let advisory = Advisory {
        publisher: text("publisher"),
        id: text("id"),
        title: text("title"),
        category: "bulletin".into(),
        revision: text("revision"),
        initial_release: text("date"),
        current_release: text("date"),
        sha256: hex(&Sha256::digest(&rows)),
        page: Some(text("page")).filter(|page| !page.is_empty()),
        tolerances: tolerances.list(),
        products,
        vulnerabilities,
        ..Advisory::default()
    };
    Ok(Bulletin { advisory, rows })
}

/// Its rows as a file of their own, always written in the same way; line ends inside cells are gone already.
fn written(rows: &[&Row]) -> Vec<u8> {
    let cell = |text: &str| {
        let apostrophe = if text.starts_with(FORMULA) { "'" } else { "" };
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
    };
    let lines = rows.iter().map(|row| COLUMNS.map(|column| cell(row.cell(column))).join(","));
    let header = COLUMNS.join(",");
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect::<String>().into_bytes()
}

/// What tells one product of a bulletin from another: vendor, product, order number, model, release, and whether this is the release with the fix.
type Told<'a> = ([&'a str; 5], bool);

/// The product of a row, once for all rows that name it.
fn product<'a>(
    row: &'a Row,
    release: &'a str,
    is_fixed: bool,
    products: &mut Vec<Product>,
    known: &mut HashMap<Told<'a>, ProductIndex>,
) -> Result<ProductIndex, Unread> {
    let [vendor, name, order_number, model] = ["vendor", "product", "order_number", "model"].map(|column| row.cell(column));
    let next = ProductIndex::try_from(products.len()).map_err(|_| row.wrong("product", "too many products"))?;
    let at = *known.entry(([vendor, name, order_number, model, release], is_fixed)).or_insert(next);
    if at == next {
        let name = [name, model, order_number].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let listed = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty()).into_iter().collect();
        products.push(Product {
            id: format!("row-{}", next.saturating_add(1)),
            vendor: if vendor.is_empty() { row.cell("publisher") } else { vendor }.to_owned(),
            name: name.to_owned(),
            full_name: format!("{name} {release}").trim_end().to_owned(),
            release: match (release, is_fixed) {
                ("", _) => Release::Every,
                (version, true) => Release::Version(version.to_owned()),
                (range, false) => Release::Range(range.to_owned()),
            },
            model_numbers: listed(if model.is_empty() { order_number } else { model }),
            skus: listed(order_number),
            ..Product::default()
        });
    }
    Ok(at)
}

fn say(vulnerability: &mut Vulnerability, status: Status, product: ProductIndex) {
    match vulnerability.statuses.iter_mut().find(|(said, _)| *said == status) {
        // Repetitions go at the end, all at once.
        Some((_, products)) => products.push(product),
        None => vulnerability.statuses.push((status, vec![product])),
    }
}

fn status(row: &Row) -> Result<Status, Unread> {
    Ok(match row.cell("status") {
        "" | "affected" => Status::KnownAffected,
        "not_affected" => Status::KnownNotAffected,
        name => super::csaf::status_named(name)
            .ok_or_else(|| row.wrong("status", "none of CSAF's: known_affected, known_not_affected, fixed, under_investigation, ..."))?,
    })
}

/// A vector, or a base score from 0.0 to 10.0.
fn score(row: &Row, vulnerability: &mut Vulnerability, product: ProductIndex) -> Result<(), Unread> {
    let cvss = row.cell("cvss");
    if cvss.is_empty() {
        return Ok(());
    }
    let (vector, base) = if cvss.contains('/') { (cvss, "") } else { ("", cvss) };
    let in_tenths = |base: &str| {
        let (whole, tenth) = base.split_once('.').unwrap_or((base, "0"));
        let digits = tenth.len() == 1 && base.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        digits.then(|| whole.parse::<u8>().ok())?.filter(|whole| *whole < 10 || (*whole == 10 && tenth == "0"))
    };
    if !base.is_empty() && in_tenths(base).is_none() {
        return Err(row.wrong("cvss", "neither a CVSS vector nor a base score from 0.0 to 10.0"));
    }
    // Rows with one score stand together, as people write them; where they do not, it stands there twice.
    let same = vulnerability.scores.last_mut().filter(|score| score.vector == vector && score.base == base);
    match same {
        Some(score) => score.products.push(product),
        None => vulnerability.scores.push(Score { vector: vector.into(), base: base.into(), products: vec![product] }),
    }
    Ok(())
}

fn remediation(row: &Row, product: ProductIndex) -> Option<Remediation> {
    let [text, fixed, url] = ["remediation", "fixed_version", "url"].map(|column| row.cell(column));
    if text.is_empty() && fixed.is_empty() {
        return None;
    }
    let category = CATEGORIES.into_iter().find(|category| *category == text);
    let category = category.unwrap_or(if fixed.is_empty() { "mitigation" } else { "vendor_fix" });
    let details = match (text == category || text.is_empty(), fixed.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("Update to {fixed}"),
        (false, _) => text.to_owned(),
    };
    let url = Some(url.to_owned()).filter(|url| !url.is_empty());
    Some(Remediation { category: category.to_owned(), details, url, restart: None, products: vec![product] })
}

#[cfg(test)]
mod tests;
