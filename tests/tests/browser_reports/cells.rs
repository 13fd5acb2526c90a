//! Workbooks and CSV, cell for cell: our workbook through LibreOffice, our CSV through Python's reader, and both the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::payloads::Name;
use super::plant::Written;

/// The rows of each worksheet, by its name.
pub type Tables = BTreeMap<String, Vec<Vec<String>>>;

/// What a spreadsheet begins a formula with (OWASP ASVS 1.2.10), and the same in full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// All rows of a CSV file as JSON, by a reader that takes no half quotation.
const CSV: &str = "import csv,json,sys\nprint(json.dumps(list(csv.reader(open(sys.argv[1],newline='',encoding='utf-8'),strict=True))))";
/// LibreOffice's CSV: comma, quotation mark, UTF-8, every cell quoted and as it is shown, every worksheet in a file of its own.
const TO_CSV: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false,false,false,-1";

/// Whether the other programs are there.
///
/// # Errors
/// What is missing.
pub fn available() -> Result<(), String> {
    Command::new("soffice").arg("--version").output().map(drop).map_err(|_| "soffice is not installed".to_owned())
}

fn rows(file: &Path) -> Vec<Vec<String>> {
    let said = Command::new("python3").args(["-c", CSV]).arg(file).output().expect("python3 starts");
    serde_json::from_slice(&said.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", file.display(), String::from_utf8_lossy(&said.stderr)))
}

/// What LibreOffice shows of each workbook; and that nothing in it is a formula or a number to it.
pub fn by_another_program(folder: &str, books: &[Written]) -> Vec<Tables> {
    let made = Path::new(folder).join("converted");
    for to in [TO_CSV, "fods"] {
        let profile = format!("-env:UserInstallation=file://{folder}/office");
        let mut command = Command::new("soffice");
        command.args([&profile, "--headless", "--convert-to", to, "--outdir"]).arg(&made).args(books.iter().map(|book| &book.file));
        assert!(command.stdin(Stdio::null()).output().expect("soffice starts").status.success(), "{command:?}");
    }
    let mut tables = Vec::new();
    for book in books {
        let stem = Path::new(&book.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let flat = std::fs::read_to_string(made.join(format!("{stem}.fods"))).expect("a workbook that LibreOffice opens");
        assert!(!flat.contains("table:formula="), "{}: a cell is computed", book.name);
        let (of_text, typed) = (flat.matches("office:value-type=\"string\"").count(), flat.matches("office:value-type=").count());
        assert!(of_text == typed && typed > 0, "{}: {typed} cells have a type, {of_text} are text", book.name);
        let sheets = std::fs::read_dir(&made).expect("a folder").flatten().filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let sheet = name.strip_prefix(&format!("{stem}-"))?.strip_suffix(".csv")?.to_owned();
            Some((sheet, rows(&entry.path())))
        });
        tables.push(sheets.collect());
    }
    tables
}

/// Holds our CSV against what LibreOffice shows; gives how many cells were compared.
pub fn compare(csv: &Written, tables: &Tables, names: &[Name]) -> usize {
    let name = &csv.name;
    let ours = rows(Path::new(&csv.file));
    let raw = std::fs::read_to_string(&csv.file).expect("our CSV");
    // What a spreadsheet would run has an apostrophe before it; a workbook's cell is text without one.
    for cell in ours.iter().flatten() {
        assert!(!cell.starts_with(FORMULA), "{name}: {cell:?} is a formula");
        assert!(!cell.chars().any(char::is_control), "{name}: {cell:?}");
    }
    let plain = |cell: &String| match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(FORMULA) => rest.to_owned(),
        _ => cell.clone(),
    };
    // A report has a table in its first column, and a header before each.
    let mut expected: Tables = BTreeMap::new();
    for row in ours.iter().filter(|row| row.first().is_none_or(|first| first != "table")) {
        let (table, cells) = if raw.starts_with("table,") { (row[0].clone(), &row[1..]) } else { ("devices".to_owned(), &row[..]) };
        expected.entry(table).or_default().push(cells.iter().map(plain).collect());
    }
    // Of a report the header of each table was left out above.
    let header = usize::from(raw.starts_with("table,"));
    let mut compared = 0;
    for (table, expected) in &expected {
        // A workbook of a comparison has the sheet's own columns beside ours, and its first table is called otherwise.
        let shown = tables.get(table).or_else(|| tables.values().next()).unwrap_or_else(|| panic!("{name}: no {table}"));
        assert_eq!(shown.len(), expected.len() + header, "{name}, {table}: rows");
        for (shown, expected) in shown.iter().skip(header).zip(expected) {
            assert_eq!(shown.get(..expected.len()), Some(&expected[..]), "{name}, {table}");
            compared += expected.len();
        }
    }
    // Of a plant without failures the report of failures has its header alone.
    assert!(compared > 0 || raw.lines().count() > 0 && raw.lines().all(|line| line.starts_with("table,")), "{name} says nothing");
    if name == "devices" {
        let all: Vec<&String> = tables.values().flatten().flatten().collect();
        for name in names.iter().filter(|name| name.said == name.shown) {
            assert!(all.iter().any(|cell| *cell == name.shown), "{:?} is in no cell", name.shown);
        }
        assert!(all.iter().filter(|cell| **cell == "2.10").count() >= 200, "2.10 stays 2.10");
    }
    compared
}
