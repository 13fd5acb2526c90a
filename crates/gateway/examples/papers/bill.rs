//! The bill of materials: CycloneDX 1.5, <https://cyclonedx.org/docs/1.5/json/>.

use std::error::Error;
use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::inside::{Inside, Part};

/// The crate that has SQLite's C inside, and where that says its version.
const SQLITE: (&str, &str) = ("libsqlite3-sys", "sqlite3/sqlite3.h");

/// All parts as JSON; `epoch` is the moment that it says it was made, in seconds since 1970.
///
/// # Errors
/// A version of the program's C cannot be found.
pub fn of(inside: &Inside, epoch: u64) -> Result<String, Box<dyn Error>> {
    let program = inside.parts.get(&inside.program).ok_or("no program")?;
    let mut components: Vec<Value> = Vec::new();
    let mut depends: Vec<Value> = Vec::new();
    for (id, part) in &inside.parts {
        let mut needs: Vec<String> = part.needs.iter().filter_map(|need| inside.parts.get(need)).map(Part::url).collect();
        if part.name == SQLITE.0 {
            let sqlite = sqlite(part)?;
            needs.push(sqlite["bom-ref"].as_str().unwrap_or_default().to_owned());
            components.push(sqlite);
        }
        if *id != inside.program {
            components.push(component(part));
        }
        depends.push(json!({ "ref": part.url(), "dependsOn": needs }));
    }
    let made = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(epoch)).to_string();
    let mut own = component(program);
    own["type"] = "application".into();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "timestamp": made, "component": own },
        "components": components,
        "dependencies": depends,
    });
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

fn component(part: &Part) -> Value {
    let mut of = json!({
        "type": "library",
        "bom-ref": part.url(),
        "name": part.name,
        "version": part.version,
        "purl": part.url(),
        "licenses": [{ "expression": part.licence }],
    });
    if let Some(sum) = &part.sha256 {
        of["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    if let Some(place) = &part.repository {
        of["externalReferences"] = json!([{ "type": "vcs", "url": place }]);
    }
    of
}

/// SQLite itself: C that a crate brings, which cargo does not list.
fn sqlite(part: &Part) -> Result<Value, Box<dyn Error>> {
    let header = fs::read_to_string(part.folder.join(SQLITE.1))?;
    let line = header.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION ")).ok_or("SQLite says no version")?;
    let version = line.trim().trim_matches('"');
    let url = format!("pkg:generic/sqlite@{version}");
    Ok(json!({
        "type": "library", "bom-ref": url, "name": "sqlite", "version": version, "purl": url, "licenses": [{ "license": { "id": "blessing" } }],
        "externalReferences": [{ "type": "website", "url": "https://www.sqlite.org" }],
    }))
}
