//! What the manifests promise: who may depend on whom, which lints hold, what is banned.

use toml::Table;

/// Each crate of ours with those of ours it may name, as docs/ARCHITECTURE.md draws it. `tests` may name all.
const MAY_NAME: [(&str, &[&str]); 6] = [
    ("nameplate-wire", &[]),
    ("nameplate-core", &["nameplate-wire"]),
    ("nameplate-field", &["nameplate-core", "nameplate-wire"]),
    ("nameplate-simulators", &["nameplate-core"]),
    ("nameplate", &["nameplate-field", "nameplate-core", "nameplate-simulators"]),
    ("xtask", &[]),
];

/// Crates of others with the only ones of ours that may name them.
const KEPT_TO: [(&str, &[&str]); 2] = [
    ("tokio", &["nameplate-field", "nameplate", "nameplate-simulators", "nameplate-tests"]),
    ("rusqlite", &["nameplate", "nameplate-tests"]),
];

/// Reads TOML that this project holds.
pub fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Rule 1: what a manifest names that it may not, in dependencies of every kind.
pub fn direction(manifest: &Table) -> Vec<String> {
    let name = manifest["package"]["name"].as_str().unwrap_or_default();
    let mut named: Vec<&str> = vec![];
    let targets = manifest.get("target").and_then(|target| target.as_table());
    let per_target = targets.into_iter().flat_map(|targets| targets.values()).filter_map(|target| target.as_table());
    for table in per_target.chain([manifest]) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            named.extend(table.get(kind).and_then(|kind| kind.as_table()).into_iter().flat_map(|kind| kind.keys().map(String::as_str)));
        }
    }
    let ours = |other: &str| MAY_NAME.iter().any(|(known, _)| *known == other);
    let may = MAY_NAME.iter().find(|(known, _)| *known == name).map(|(_, may)| *may);
    let forbidden = |other: &&str| match may {
        _ if name == "nameplate-tests" => false,
        None => ours(other),
        // Wire stands on nothing at all, and the build tasks start without a download.
        Some(_) if ["nameplate-wire", "xtask"].contains(&name) => true,
        Some(may) => ours(other) && !may.contains(other),
    };
    let strayed = |other: &&str| KEPT_TO.iter().any(|(crate_, kept)| crate_ == other && !kept.contains(&name));
    named.into_iter().filter(|other| forbidden(other) || strayed(other)).map(|other| format!("{name} -> {other}")).collect()
}

/// Rules 2 and 4 rest on lints: a manifest takes them from the workspace.
pub fn takes_lints(manifest: &Table) -> bool {
    manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(|on| on.as_bool()) == Some(true)
}

/// Names in the lock file that deny.toml bans. cargo-deny says the same where it is installed; this says it everywhere.
pub fn banned(lock: &Table, deny: &Table) -> Vec<String> {
    let names = |list: Option<&toml::Value>, key: &str| -> Vec<String> {
        let entries = list.and_then(|list| list.as_array()).into_iter().flatten();
        entries.filter_map(|entry| entry.get(key)?.as_str().map(str::to_owned)).collect()
    };
    let banned = names(deny.get("bans").and_then(|bans| bans.get("deny")), "crate");
    assert!(!banned.is_empty(), "deny.toml bans nothing");
    names(lock.get("package"), "name").into_iter().filter(|name| banned.contains(name)).collect()
}
