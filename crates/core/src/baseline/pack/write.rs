//! Rows as a file.

use serde_json::{Map, Value, json};

use super::{COLUMNS, Form, Row};

/// The rows as a file. `csv` writes one record, and keeps a spreadsheet from running a cell.
///
/// # Errors
/// None that a row of ours can cause: what serde says of a value that is no JSON.
pub fn write(form: Form, rows: &[Row], csv: impl Fn(&[String]) -> String) -> Result<String, serde_json::Error> {
    let objects = rows.iter().map(object).collect::<Result<Vec<_>, _>>()?;
    match form {
        Form::Csv => {
            let header = csv(&COLUMNS.map(str::to_owned));
            Ok(objects.iter().fold(header, |text, row| text + &csv(&COLUMNS.map(|column| row.get(column).map(cell).unwrap_or_default()))))
        }
        Form::Toml => Ok(objects.iter().map(table).collect::<Vec<_>>().join("\n")),
        Form::Json => {
            let rows: Vec<Value> = objects.into_iter().map(filled).collect();
            serde_json::to_string_pretty(&json!({ "decision": rows })).map(|text| text + "\n")
        }
        Form::Ndjson => objects.into_iter().map(|row| serde_json::to_string(&filled(row)).map(|text| text + "\n")).collect(),
    }
}

fn object(row: &Row) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::to_value(row).map(|value| match value {
        Value::Object(row) => row,
        _ => Map::new(),
    })
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Without what is not said.
fn filled(row: Map<String, Value>) -> Value {
    Value::Object(row.into_iter().filter(|(_, value)| !is_empty(value)).collect())
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        Value::Bool(true) => "yes".to_owned(),
        _ => String::new(),
    }
}

/// A TOML table. JSON's strings, lists and booleans are TOML's as well, but for DEL, which TOML wants escaped.
fn table(row: &Map<String, Value>) -> String {
    let said = COLUMNS.iter().filter_map(|column| row.get(*column).filter(|value| !is_empty(value)).map(|value| (column, value)));
    said.fold("[[decision]]\n".to_owned(), |text, (column, value)| {
        text + &format!("{column} = {}\n", value.to_string().replace('\u{7f}', "\\u007f"))
    })
}
