//! Lists the built-in device profiles, so that a new file under `device-profiles/` is part of the next build without a second edit.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let manifest = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let root = Path::new(&manifest).join("../../device-profiles");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for vendor in fs::read_dir(&root).expect("device-profiles stands beside crates").flatten() {
        println!("cargo::rerun-if-changed={}", vendor.path().display());
        for file in fs::read_dir(vendor.path()).into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let id = format!("{}/{}", vendor.file_name().display(), path.file_stem().unwrap_or_default().display());
                files.push((id, path.canonicalize().expect("a listed file exists")));
            }
        }
    }
    files.sort();
    let mut list = String::from("/// Id and text of every built-in profile.\nconst BUILT_IN: &[(&str, &str)] = &[\n");
    for (id, path) in files {
        writeln!(list, "    ({id:?}, include_str!({:?})),", path.display().to_string()).expect("writing to a string");
    }
    list.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("built_in_list.rs"), list).expect("OUT_DIR can be written");
}
