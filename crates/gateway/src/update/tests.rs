//! Files that were changed on their way, and manifests that nobody of ours wrote.

use std::collections::BTreeMap;

use nameplate_core::ledger::{Checkpoint, Head, KEY_BYTES, SiteKey};
use nameplate_core::update::Kind;
use sha2::{Digest, Sha256};

use super::make::{Files, Said, pack};
use super::{Fitting, Manifest, Sealed};
use crate::advisories::archive::{Archive, write};

/// 2026-01-01.
const MADE_S: u64 = 1_767_225_600;

fn key(seed: u8) -> SiteKey {
    SiteKey::of(&[seed; KEY_BYTES])
}

fn said(kind: Kind, fitting: Option<Fitting>) -> Said {
    Said { publisher: "acme".into(), kind, version: 7, made_s: MADE_S, good_s: 86_400, fitting }
}

fn files(names: &[&str]) -> Files {
    names.iter().map(|name| ((*name).to_owned(), format!("content of {name}\n").into_bytes())).collect()
}

fn update() -> Vec<u8> {
    pack(said(Kind::Advisories, None), files(&["advisories/a.json", "advisories/2026/b.csv", "lists/kev.csv"]), &key(1)).expect("an update")
}

/// Manifest and files of an update, where it holds.
fn held(bytes: &[u8]) -> Result<(String, BTreeMap<String, Vec<u8>>), String> {
    let sealed = Sealed::open(bytes)?;
    sealed.check_files()?;
    let content = sealed.files().map(|entry| Ok((entry.name.clone(), sealed.archive.read(entry)?))).collect::<Result<_, String>>()?;
    Ok((sealed.manifest.text(), content))
}

#[test]
fn what_was_changed_or_cut_is_refused_or_says_the_same() {
    let update = update();
    let whole = held(&update).expect("sound");
    assert_eq!((whole.1.len(), whole.1["lists/kev.csv"].as_slice()), (3, b"content of lists/kev.csv\n".as_slice()));
    for length in 0..update.len() {
        assert!(held(&update[..length]).is_err(), "cut after {length} bytes");
    }
    let mut same = 0;
    for at in 0..update.len() {
        for bit in [1, 0x80] {
            let mut changed = update.clone();
            changed[at] ^= bit;
            // A zip file has fields that nobody reads, such as a time.
            if let Ok(read) = held(&changed) {
                assert_eq!(read, whole, "byte {at}");
                same += 1;
            }
        }
    }
    assert!(same < update.len(), "{same} changes made no difference in {} bytes", update.len());
}

/// The files of an update with some of them replaced; `None` leaves one out.
fn with(update: &[u8], changes: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
    let archive = Archive::of(update).expect("an archive");
    let mut all: BTreeMap<String, Vec<u8>> =
        archive.entries.iter().map(|entry| (entry.name.clone(), archive.read(entry).expect("content"))).collect();
    for (name, content) in changes {
        match content {
            Some(content) => drop(all.insert((*name).to_owned(), content.to_vec())),
            None => drop(all.remove(*name)),
        }
    }
    write(&all.into_iter().collect::<Vec<_>>()).expect("an archive")
}

#[test]
fn an_update_holds_exactly_what_its_publisher_signed() {
    let update = update();
    let manifest = Sealed::open(&update).expect("sound").manifest;
    let text = manifest.text();
    let newer = text.replace("version 7", "version 8");
    let other = Manifest { key: key(2).public(), ..manifest.clone() };
    let check = |changes: &[(&str, Option<&[u8]>)], expected: &str| {
        let told = held(&with(&update, changes)).err().unwrap_or_default();
        assert!(told.contains(expected), "{expected:?}: {told:?}");
    };
    check(&[("manifest", None)], "it has no manifest");
    check(&[("manifest.sig", None)], "it has no manifest.sig");
    check(&[("advisories/a.json", None)], "a file that the manifest names is missing");
    check(&[("advisories/a.json", Some(b"{}"))], "\"advisories/a.json\" is another file");
    check(&[("advisories/c.json", Some(b"{}"))], "does not name \"advisories/c.json\"");
    check(&[("manifest", Some(newer.as_bytes()))], "manifest.sig is over another manifest");
    // Another key's signature, under the first key's name and under its own.
    check(&[("manifest.sig", Some(manifest.sign(&key(2)).as_bytes()))], "manifest.sig");
    check(&[("manifest", Some(other.text().as_bytes()))], "manifest.sig");
    // A checkpoint of a ledger, or a bundle's note, by the same key is none.
    let root = Sha256::digest(&text).into();
    for origin in ["", "/advisories"] {
        let note = Checkpoint { origin: key(1).public().origin() + origin, head: Head { size: 3, root } }.sign(&key(1));
        check(&[("manifest.sig", Some(note.as_bytes()))], "over another manifest");
    }
}

#[test]
fn a_manifest_is_written_in_one_way() {
    let program = Fitting::Program { version: "0.2.0~rc1".into(), architecture: "amd64".into(), state: (2, 3) };
    for (kind, fitting, name) in [
        (Kind::Advisories, None, "advisories/a.json"),
        (Kind::Profiles, Some(Fitting::For("0.1.0".into())), "profiles/acme/m.toml"),
        (Kind::Program, Some(program), "nameplate.deb"),
    ] {
        let packed = pack(said(kind, fitting.clone()), files(&[name]), &key(1)).expect("an update");
        let manifest = Sealed::open(&packed).expect("sound").manifest;
        assert_eq!(Manifest::of(&manifest.text()).as_ref(), Ok(&manifest));
        assert_eq!((manifest.kind, manifest.fitting), (kind, fitting));
        // A file that belongs to another kind.
        let strange = if kind == Kind::Program { "advisories/a.json" } else { "nameplate.deb" };
        assert!(pack(Said { fitting: None, ..said(Kind::Advisories, None) }, files(&["nameplate.deb"]), &key(1)).is_err(), "{strange}");
    }
    let hash = "ab".repeat(32);
    let good = format!(
        "nameplate update 1\nkey {}\npublisher acme\nkind advisories\nversion 7\nmade 2026-01-01T00:00:00Z\nexpires 2026-02-01T00:00:00Z\n\
         {hash}  2  advisories/a.json\n",
        key(1).public().digits()
    );
    assert!(Manifest::of(&good).is_ok());
    for (from, to) in [
        ("update 1", "update 2"),
        ("key ", "key  "),
        ("publisher acme", "publisher ../acme"),
        ("kind advisories", "kind program"),
        ("kind advisories", "kind firmware"),
        ("version 7", "version 07"),
        ("version 7", "version 0"),
        ("version 7", "version -1"),
        ("version 7", "version 18446744073709551616"),
        ("version 7\nmade", "made"),
        ("expires 2026-02-01", "expires 2025-12-31"),
        ("expires 2026-02-01", "expires 2028-02-01"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01 00:00:00Z"),
        ("  2  advisories", "  02  advisories"),
        ("  2  advisories", " 2 advisories"),
        ("a.json\n", "a.json"),
        ("a.json\n", "a.json\r\n"),
        ("a.json\n", "a.json\n\n"),
        ("nameplate update", " nameplate update"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(bad != good && Manifest::of(&bad).is_err(), "{from:?} -> {to:?}");
    }
    let twice = format!("{good}{hash}  2  advisories/a.json\n");
    assert!(Manifest::of(&twice).is_err());
    for length in 0..good.len() {
        let cut = &good[..length];
        // Cut at the end of its last line it is one of fewer files, which another signature would be over.
        assert!(Manifest::of(cut).is_err() || cut.ends_with("00:00:00Z\n"), "{cut:?}");
    }
}

#[test]
fn a_programs_words_can_be_handed_to_other_programs() {
    for (word, expected) in [("0.1.0", true), ("1:2.0~rc1+b-3", true), ("--force", false), ("", false), ("a b", false), ("$(x)", false)] {
        let fitting = Some(Fitting::For(word.into()));
        assert_eq!(pack(said(Kind::Profiles, fitting), files(&["profiles/a/b.toml"]), &key(1)).is_ok(), expected, "{word:?}");
    }
}
