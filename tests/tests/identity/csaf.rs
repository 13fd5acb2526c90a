//! As much of a CSAF document as identity needs.

use std::fs;
use std::path::Path;

use nameplate_core::advisory::{Advisory, Product, Release};
use serde_json::Value;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// A document with its title and products.
pub fn read(document: &Value) -> Advisory {
    let mut products = Vec::new();
    branches(&document["product_tree"], &Product::default(), &mut products);
    Advisory {
        id: text(&document["document"]["tracking"]["id"]),
        title: text(&document["document"]["title"]),
        products,
        ..Advisory::default()
    }
}

fn branches(node: &Value, above: &Product, products: &mut Vec<Product>) {
    for branch in node["branches"].as_array().into_iter().flatten() {
        let mut product = above.clone();
        let name = text(&branch["name"]);
        match branch["category"].as_str().unwrap_or_default() {
            "vendor" => product.vendor = name,
            "product_family" => product.family = Some(name),
            "product_name" => product.name = name,
            "product_version" => product.release = Release::Version(name),
            "product_version_range" => product.release = Release::Range(name),
            _ => {}
        }
        if let Some(leaf) = branch.get("product") {
            let helper = &leaf["product_identification_helper"];
            products.push(Product {
                id: text(&leaf["product_id"]),
                full_name: text(&leaf["name"]),
                model_numbers: texts(&helper["model_numbers"]),
                skus: texts(&helper["skus"]),
                ..product.clone()
            });
        }
        branches(branch, &product, products);
    }
}

/// All documents below a folder, by the order of their paths.
pub fn all(folder: &Path) -> Vec<Advisory> {
    let mut years: Vec<_> = fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    years.sort();
    let mut paths: Vec<_> =
        years.iter().flat_map(|year| fs::read_dir(year).expect("a year")).map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let documents = paths.iter().map(|path| serde_json::from_slice(&fs::read(path).expect("a document")).expect("JSON"));
    documents.map(|document: Value| read(&document)).collect()
}
