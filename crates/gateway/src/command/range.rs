//! `nameplate range`: whether versions are in ranges, as advisories write both. NDJSON in, NDJSON out, no state, no network.

use std::io::{self, BufRead, Read};

use clap::Args;
use nameplate_core::range::{Facts, Range as Versions};
use nameplate_core::version::{Scheme, Version};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::print;

/// A longer line is an error line; advisories' ranges have some hundred bytes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// What every answer adds to its line.
const ADDED: [&str; 5] = ["verdict", "reason", "missing", "scheme", "parsed"];

/// Say whether versions are in ranges; NDJSON on standard input.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line is an object with \"range\" and \"version\" and, where they are known, \"vendor\", \"product\" and \"facts\". The same line\n\
                        comes back with \"verdict\" (inside, outside or undecided), \"reason\", \"missing\" (facts that would help), \"scheme\" and\n\
                        \"parsed\". Outside is only said where all of the range was understood. It is about this one range: whether a device is\n\
                        affected, only a whole document can say. A line that cannot be read comes back with \"line\", \"error\" and \"input\".\n\
                        Exit code 3 when there was such a line. How ranges are read: docs/versions.md.\n\n\
                        Example:\n  echo '{\"vendor\":\"Siemens\",\"range\":\"< V4.7 HF29\",\"version\":\"V4.7\"}' | nameplate range"
)]
pub struct Range {}

/// What an answer adds.
#[derive(Serialize)]
struct Added<'a> {
    verdict: &'static str,
    reason: &'static str,
    missing: Vec<&'a str>,
    scheme: &'a str,
    parsed: String,
}

/// A line that is no question.
#[derive(Serialize)]
struct Wrong<'a> {
    line: u64,
    error: &'a str,
    input: &'a str,
}

impl Range {
    /// Runs the command.
    ///
    /// # Errors
    /// The input or the output; that lines could not be read.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        if !matches!(options.format, None | Some(Format::Ndjson)) {
            return Err(Failure::new(Code::Usage, "range answers in NDJSON alone"));
        }
        let mut input = io::stdin().lock();
        let (mut number, mut wrong) = (0_u64, 0_u64);
        while let Some(line) = next_line(&mut input)? {
            number = number.saturating_add(1);
            let text = String::from_utf8_lossy(&line);
            if text.trim().is_empty() {
                continue;
            }
            let answered = if line.len() > LINE_BYTES_MAX {
                Err(format!("longer than {LINE_BYTES_MAX} bytes; the input is its beginning"))
            } else if std::str::from_utf8(&line).is_err() {
                Err("not UTF-8".to_owned())
            } else {
                answered(&text)
            };
            match answered {
                Ok(line) => print::out(&line)?,
                Err(error) => {
                    wrong = wrong.saturating_add(1);
                    print::out(&print::json_line(&Wrong { line: number, error: &error, input: text.trim_end_matches(['\n', '\r']) }))?;
                }
            }
        }
        match wrong {
            0 => Ok(()),
            _ => Err(Failure::input("standard input", format!("{} of {number} could not be read", print::count(wrong, "line")))),
        }
    }
}

/// The next line, cut at [`LINE_BYTES_MAX`] and one byte; what stands behind that is passed over.
fn next_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Failure> {
    let cannot = |error| Failure::input("standard input", error);
    let mut line = Vec::new();
    let limit = LINE_BYTES_MAX as u64 + 1;
    let read = input.by_ref().take(limit).read_until(b'\n', &mut line).map_err(cannot)?;
    if line.len() > LINE_BYTES_MAX && !line.ends_with(b"\n") {
        input.skip_until(b'\n').map_err(cannot)?;
    }
    Ok((read > 0).then_some(line))
}

/// The line with its answer.
fn answered(line: &str) -> Result<String, String> {
    let mut asked: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |name: &str| match asked.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // As a number, 3.10 is 3.1.
        Some(_) => Err(format!("{name} is not a text")),
    };
    let range = text("range")?.ok_or("no range")?;
    let (vendor, product, version) = (text("vendor")?.unwrap_or_default(), text("product")?.unwrap_or_default(), text("version")?);
    let facts = facts(asked.get("facts"))?;
    let scheme = Scheme::of(&vendor, &product).ok_or("no scheme fits")?;
    let range = Versions::read(scheme, &range);
    let version = version.filter(|version| !version.trim().is_empty()).map(|version| Version::read(scheme, &version));
    let answer = range.answer(version.as_ref(), &facts);
    let added = Added {
        verdict: answer.verdict.name(),
        reason: answer.why.sentence(),
        missing: answer.missing.into_iter().collect(),
        scheme: &scheme.name,
        parsed: range.parsed(),
    };
    let added = print::json_line(&added);
    let again = ADDED.iter().filter(|name| asked.remove(**name).is_some()).count() > 0;
    // The line comes back as it was written: reading and writing it again would round its numbers.
    let kept = if again { serde_json::to_string(&asked).map_err(|error| error.to_string())? } else { line.trim().to_owned() };
    let kept = kept.strip_suffix('}').unwrap_or(&kept).trim_end();
    let comma = if kept.ends_with('{') { "" } else { "," };
    Ok(format!("{kept}{comma}{}", added.strip_prefix('{').unwrap_or(&added)))
}

fn facts(given: Option<&Value>) -> Result<Facts, String> {
    let mut facts = Facts::default();
    let given = match given {
        None | Some(Value::Null) => return Ok(facts),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("facts is not an object".to_owned()),
    };
    for (name, value) in given {
        let one = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(_) => Ok(value.to_string()),
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => Err(format!("the fact {name} is not a text, a whole number, yes or no, or a list of those")),
        };
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values.iter().map(one).collect::<Result<_, _>>()?,
            value => vec![one(value)?],
        };
        facts.insert(name, values);
    }
    Ok(facts)
}
