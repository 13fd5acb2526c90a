//! Updates from a stick, as their owners meet them: made on one machine, refused or applied on another.

mod advisories;
mod desk;
mod profiles;
mod verifier;

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use nameplate::update::Fitting;
use nameplate::update::make::{Files, Said, pack, read_key};
use nameplate_core::update::Kind;
use nameplate_tests::product::{Ended, Product, State, code};

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// A publisher with its key, and the folder in which a plant names it.
struct Publisher {
    folder: State,
    key: String,
}

impl Publisher {
    /// One that the plant trusts for these kinds.
    fn new(product: &Product, kinds: &str) -> Self {
        let folder = State::new();
        let key = folder.path().join("acme.key").to_string_lossy().into_owned();
        let made = product.run(["update", "key", &key, "--kinds", kinds]).expect(code::DONE);
        folder.file("publishers/acme.pub", &made.out);
        Self { folder, key }
    }

    fn publishers(&self) -> String {
        self.folder.path().join("publishers").to_string_lossy().into_owned()
    }

    /// An update as the command makes it; its path.
    fn make(&self, product: &Product, version: u64, more: &[&str]) -> String {
        let out = self.folder.path().join(format!("{version}.npu")).to_string_lossy().into_owned();
        let _ = fs::remove_file(&out);
        let version = version.to_string();
        let words = ["update", "make", "--key", &self.key, "--publisher", "acme", "--version", &version, "--out", &out];
        product.run(words.iter().chain(more)).expect(code::DONE);
        out
    }

    /// An update that was made so many seconds from now and is good for so long, as a publisher's clock may have it; its path.
    fn packed(&self, name: &str, times: (u64, i64, u64), files: Files) -> String {
        self.packed_as(name, times, (Kind::Advisories, None), files)
    }

    /// The same of any kind.
    fn packed_as(
        &self,
        name: &str,
        (version, made_in_s, good_s): (u64, i64, u64),
        (kind, fitting): (Kind, Option<Fitting>),
        files: Files,
    ) -> String {
        let now_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        let made_s = now_s.checked_add_signed(made_in_s).expect("a time");
        let said = Said { publisher: "acme".into(), kind, version, made_s, good_s, fitting };
        let key = read_key(Path::new(&self.key)).expect("a key");
        self.folder.file(name, pack(said, files, &key).expect("an update"))
    }

    /// A directory with these documents.
    fn documents(&self, documents: &[(&str, &str)]) -> String {
        let folder = self.folder.path().join("csaf");
        let _ = fs::remove_dir_all(&folder);
        documents.iter().for_each(|(id, revision)| drop(self.folder.file(&format!("csaf/{id}.json"), document(id, revision))));
        folder.to_string_lossy().into_owned()
    }
}

fn document(id: &str, revision: &str) -> String {
    format!(
        r#"{{"document":{{"csaf_version":"2.0","title":"T","publisher":{{"name":"V"}},"tracking":{{"id":"{id}","version":"{revision}"}}}},
        "product_tree":{{}},"vulnerabilities":[{{"cve":"CVE-2022-38465"}}]}}"#
    )
}

/// What is exploited.
const KEV: &str = "cveID,dateAdded,knownRansomwareCampaignUse\nCVE-2022-38465,2023-01-02,Known\n";

/// `update apply` in a plant.
fn apply(product: &Product, publishers: &str, plant: &State, file: &str) -> Ended {
    product.run(["update", "apply", file, "--by", "Ada", "--publishers", publishers, "--state", &plant.text(), "--format", "ndjson"])
}

/// Entries of a plant's ledger; 0 where there is none.
fn entries(product: &Product, plant: &State) -> u64 {
    if !plant.path().join("nameplate.sqlite").exists() {
        return 0;
    }
    // Line 2 of a checkpoint (C2SP tlog-checkpoint).
    let said = product.run(["ledger", "checkpoint", "--state", &plant.text()]).expect(code::DONE).out;
    said.lines().nth(1).and_then(|line| line.parse().ok()).expect("a size")
}
