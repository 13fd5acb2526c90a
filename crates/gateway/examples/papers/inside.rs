//! Which crates are in the program, as cargo says it: what `nameplate` depends on for itself, not for its tests and not for its build scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What ships.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// A crate in the program.
#[derive(Debug)]
pub struct Part {
    pub name: String,
    pub version: String,
    /// As SPDX writes it.
    pub licence: String,
    pub authors: Vec<String>,
    pub repository: Option<String>,
    /// Of its archive, as Cargo.lock has it; none of our own crates.
    pub sha256: Option<String>,
    /// Where its licences are.
    pub folder: PathBuf,
    /// Ids of what it depends on.
    pub needs: Vec<String>,
}

/// All of them, by their ids; and the program's own.
#[derive(Debug)]
pub struct Inside {
    pub parts: BTreeMap<String, Part>,
    pub program: String,
}

impl Part {
    /// Its package URL, <https://github.com/package-url/purl-spec>.
    pub fn url(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

impl Inside {
    /// Asks cargo.
    ///
    /// # Errors
    /// cargo fails, or says something else than it does today.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let said = Command::new(cargo).args(["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET]).output()?;
        let said: Value = serde_json::from_slice(&said.stdout)?;
        let root = said["workspace_root"].as_str().ok_or("no workspace")?;
        let sums = sums(&fs::read_to_string(Path::new(root).join("Cargo.lock"))?)?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let packages: BTreeMap<String, Value> = list(&said["packages"]).into_iter().map(|of| (text(&of["id"]), of)).collect();
        let nodes: BTreeMap<String, Vec<Value>> =
            list(&said["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), list(&node["deps"]))).collect();
        let is_program = |of: &&Value| of["name"] == "nameplate" && of["source"].is_null();
        let program = text(&packages.values().find(is_program).ok_or("no nameplate")?["id"]);
        let (mut parts, mut waiting) = (BTreeMap::new(), BTreeSet::from([program.clone()]));
        while let Some(id) = waiting.pop_first() {
            let of = packages.get(&id).ok_or("a package without its lines")?;
            let for_itself = |dep: &&Value| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            let deps = nodes.get(&id).map(Vec::as_slice).unwrap_or_default();
            let needs: Vec<String> = deps.iter().filter(for_itself).map(|dep| text(&dep["pkg"])).collect();
            waiting.extend(needs.iter().filter(|need| !parts.contains_key(*need)).cloned());
            parts.insert(id, part(of, needs, &sums, Path::new(root)));
        }
        Ok(Self { parts, program })
    }
}

fn part(of: &Value, needs: Vec<String>, sums: &BTreeMap<(String, String), String>, root: &Path) -> Part {
    let (name, version) = (text(&of["name"]), text(&of["version"]));
    let manifest = PathBuf::from(text(&of["manifest_path"]));
    Part {
        // The old way of writing a choice, from before cargo knew SPDX.
        licence: text(&of["license"]).replace('/', " OR ").replace("  OR  ", " OR "),
        authors: of["authors"].as_array().into_iter().flatten().map(text).collect(),
        repository: of["repository"].as_str().map(str::to_owned),
        sha256: sums.get(&(name.clone(), version.clone())).cloned(),
        // Our own crates have their licences at the root of the tree.
        folder: if of["source"].is_null() { root } else { manifest.parent().unwrap_or(&manifest) }.to_owned(),
        name,
        version,
        needs,
    }
}

/// The checksums of Cargo.lock by name and version.
fn sums(lock: &str) -> Result<BTreeMap<(String, String), String>, Box<dyn Error>> {
    let lock: toml::Table = lock.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array).ok_or("no packages in Cargo.lock")?;
    let word = |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    Ok(packages.iter().filter_map(|of| Some(((word(of, "name")?, word(of, "version")?), word(of, "checksum")?))).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
