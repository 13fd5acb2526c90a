use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use nameplate_core::ledger::SiteKey;
use nameplate_core::observation::hex;
use sha2::{Digest, Sha256};

use super::archive::write;
use super::*;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = std::env::temp_dir().join(format!("nameplate-advisories-{}-{number}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn document(id: &str, revision: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","publisher":{{"name":"V"}},
        "tracking":{{"id":"{id}","version":"{revision}","initial_release_date":"2024-01-01T00:00:00Z","current_release_date":"2024-01-01T00:00:00Z"}}}},
        "product_tree":{{}},"vulnerabilities":[]}}"#
    )
}

const BULLETIN: &str = "publisher,id,product,range,cve\nABB,P-1,RTU500,< 12.7.8,CVE-2024-1\n";

/// `id revision` of what counts, then `name: why` of what was refused, then how many were passed over.
fn check(path: &Path, trusted: Option<&str>, expected: &[&str]) {
    let mut set = Advisories::default();
    let mut reader = Reader::new(|document: Document| {
        set.take(document.advisory);
    });
    reader.trusted = trusted.map(str::to_owned);
    reader.path(path).unwrap();
    let (problems, passed) = (std::mem::take(&mut reader.problems), reader.passed_over);
    drop(reader);
    let inside = |file: &str| file.replace(&path.display().to_string(), "").trim_start_matches(['/', '!']).to_owned();
    let refused = problems.iter().map(|problem| format!("{}: {}{}", inside(&problem.file), problem.at, problem.why));
    let found: Vec<String> =
        set.current().map(|one| format!("{} {}", one.id, one.revision)).chain(refused).chain([passed.to_string()]).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_directory_is_read_with_all_below_it() {
    let folder = Folder::new();
    folder.put("white/2024/a.json", document("A", "1"));
    folder.put("white/2024/a-newer.json", document("A", "2"));
    folder.put("b.JSON", document("B", "1"));
    folder.put("bulletins.csv", BULLETIN);
    folder.put("index.txt", "white/2024/a.json");
    folder.put("changes.csv", "\"white/2024/a.json\",\"2024-01-01T00:00:00Z\"");
    folder.put("provider-metadata.json", "{}");
    folder.put("broken.json", document("C", "1").replace("\"C\"", "7"));
    folder.put("packed.zip", write(&[("d.json".into(), document("D", "1").into_bytes()), ("in.zip".into(), vec![])]).unwrap());
    let why = "broken.json: /document/tracking/idinvalid type: integer `7`, expected a text at line 2 column 26";
    check(&folder.0, None, &["P-1 ", "A 2", "B 1", "D 1", why, "packed.zip!/in.zip: a zip file inside another is not opened", "3"]);
    let loaded = load(&folder.0).unwrap();
    assert_eq!((loaded.advisories.len(), loaded.documents, loaded.problems.len(), loaded.passed_over), (4, 5, 2, 3));
    assert!(load(&folder.0.join("nowhere")).is_err());
}

#[test]
fn a_document_with_a_wrong_checksum_beside_it_is_refused() {
    let folder = Folder::new();
    let (good, bad) = (document("A", "1"), document("B", "1"));
    folder.put("good.json", &good);
    folder.put("good.json.sha256", format!("{}  good.json\n", hex(&Sha256::digest(&good))));
    folder.put("good.json.asc", "-----BEGIN PGP SIGNATURE-----");
    folder.put("bad.json", &bad);
    folder.put("bad.json.sha256", format!("{}  bad.json\n", hex(&Sha256::digest(&good))));
    let why =
        format!("bad.json: the .sha256 beside it says {}, the document has {}", hex(&Sha256::digest(&good)), hex(&Sha256::digest(&bad)));
    check(&folder.0, None, &["A 1", &why, "0"]);
    let zipped: Vec<(String, Vec<u8>)> = ["good.json", "good.json.sha256", "bad.json", "bad.json.sha256"]
        .map(|name| (name.to_owned(), fs::read(folder.0.join(name)).unwrap()))
        .to_vec();
    check(&folder.put("all/x.zip", write(&zipped).unwrap()), None, &["A 1", &why, "0"]);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_is_not_followed() {
    use std::os::unix::fs::symlink;
    let (folder, outside) = (Folder::new(), Folder::new());
    let secret = outside.put("secret.json", document("S", "1"));
    folder.put("in/a.json", document("A", "1"));
    symlink(&secret, folder.0.join("out.json")).unwrap();
    symlink(&outside.0, folder.0.join("away")).unwrap();
    symlink(&folder.0, folder.0.join("loop")).unwrap();
    symlink(folder.0.join("in/a.json"), folder.0.join("same.json")).unwrap();
    symlink("nowhere", folder.0.join("void.json")).unwrap();
    let out = "a link that leads out of the directory; it is not followed";
    let mut loaded = load(&folder.0).unwrap();
    loaded.problems.sort_by(|a, b| a.file.cmp(&b.file));
    let problems: Vec<&str> = loaded.problems.iter().map(|problem| problem.why.as_str()).collect();
    assert_eq!(problems[..3], [out, "a link to a folder; it is not followed", out]);
    assert!(problems[3].starts_with("No such file"), "{problems:?}");
    assert_eq!((loaded.advisories.len(), loaded.documents), (1, 2));
}

#[test]
fn a_bundle_is_believed_by_the_key_that_signed_it() {
    let folder = Folder::new();
    folder.put("csaf/2024/a.json", document("A", "1"));
    folder.put("csaf/2024/a.json.sha256", hex(&Sha256::digest(document("A", "1"))));
    folder.put("csaf/b.csv", BULLETIN);
    let (key, other) = (SiteKey::of(&[7; 32]), SiteKey::of(&[8; 32]));
    let (bytes, files) = bundle(&folder.0.join("csaf"), &key).unwrap();
    assert_eq!(files, 3);
    let path = folder.put("update.zip", &bytes);
    let taken = ["P-1 ", "A 1", "0"];
    check(&path, None, &taken);
    check(&path, Some(&key.public().fingerprint()), &taken);
    check(&path, Some(&key.public().digits()), &taken);
    let refused = format!(": signed by another key than the one that is trusted: {}", key.public().fingerprint());
    check(&path, Some(&other.public().fingerprint()), &[&refused, "0"]);
    check(&folder.0.join("csaf"), Some(&key.public().digits()), &[": no signed bundle; with a trusted key nothing else is read", "0"]);
    // Each file in turn exchanged, left out, and one put in beside them.
    let archive = Archive::of(&bytes).unwrap();
    let all: Vec<(String, Vec<u8>)> = archive.entries.iter().map(|entry| (entry.name.clone(), archive.read(entry).unwrap())).collect();
    let forged = |files: &[(String, Vec<u8>)], why: &str| {
        let path = folder.put("forged.zip", write(files).unwrap());
        check(&path, Some(&key.public().digits()), &[&format!(": {why}"), "0"]);
    };
    let with = |name: &str, bytes: Vec<u8>| {
        all.iter().map(|(had, old)| (had.clone(), if had == name { bytes.clone() } else { old.clone() })).collect::<Vec<_>>()
    };
    let without = |name: &str| all.iter().filter(|(had, _)| had != name).cloned().collect::<Vec<_>>();
    forged(&with("2024/a.json", document("A", "2").into_bytes()), "\"2024/a.json\" is another file than the manifest names");
    forged(&without("2024/a.json"), "a file that the manifest names is missing");
    forged(&without("manifest"), "no signed bundle: it has no manifest");
    forged(&without("manifest.sig"), "the bundle has a manifest and no manifest.sig");
    forged(&[&all[..], &[("c.json".to_owned(), vec![])]].concat(), "the manifest does not name \"c.json\"");
    let manifest = String::from_utf8(all.iter().find(|(name, _)| name == "manifest").unwrap().1.clone()).unwrap();
    let longer = manifest.clone() + &format!("{}  c.json\n", hex(&Sha256::digest(b"")));
    forged(
        &[&with("manifest", longer.into_bytes())[..], &[("c.json".to_owned(), vec![])]].concat(),
        "manifest.sig is over another manifest",
    );
    let taken_over = manifest.replace(&key.public().digits(), &other.public().digits());
    let refused = format!("signed by another key than the one that is trusted: {}", other.public().fingerprint());
    forged(&with("manifest", taken_over.into_bytes()), &refused);
}
