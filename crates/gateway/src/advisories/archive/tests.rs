use super::*;

fn file(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), bytes.to_vec())
}

/// All names and bytes, or the first sentence of what is wrong.
fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let archive = Archive::of(bytes)?;
    archive.entries.iter().map(|entry| Ok((entry.name.clone(), archive.read(entry)?))).collect()
}

/// An archive of two files with bytes changed behind the `nth` place where `signature` stands.
fn patched(signature: &[u8], nth: usize, offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut archive = write(&[file("a.json", b"first"), file("b.json", b"second")]).unwrap();
    let places: Vec<usize> = (0..archive.len()).filter(|at| archive[*at..].starts_with(signature)).collect();
    let at = places[nth] + offset;
    archive[at..at + bytes.len()].copy_from_slice(bytes);
    archive
}

#[test]
fn what_is_written_is_read() {
    let files = [file("a.json", b"{}"), file("folder/b.csv", &b"x".repeat(100_000)), file("empty", b"")];
    let archive = write(&files).unwrap();
    let mut sorted = files.to_vec();
    sorted.sort();
    assert_eq!(read(&archive).unwrap(), sorted);
    assert_eq!(write(&files).unwrap(), archive, "the same files give the same bytes");
    // A comment behind the end, and a folder's own entry.
    let mut commented = write(&[file("folder/", b""), file("folder/x", b"y")]).unwrap();
    let at = commented.len() - 2;
    commented[at] = 3;
    commented.extend_from_slice(b"hey");
    assert_eq!(read(&commented).unwrap(), [file("folder/x", b"y")]);
}

#[test]
fn an_archive_with_a_name_that_leads_out_is_refused() {
    for (name, why) in [
        ("../x.json", "leads out of the archive, or round in it"),
        ("a/../../x.json", "leads out of the archive, or round in it"),
        ("a/./x.json", "leads out of the archive, or round in it"),
        ("a//x.json", "leads out of the archive, or round in it"),
        ("/etc/x.json", "is an absolute name"),
        ("C:/x.json", "is an absolute name"),
        ("\\x.json", "is an absolute name"),
        ("a\\..\\x.json", "has a backslash in it"),
        ("a\0.json", "is no name"),
        ("", "is no name"),
    ] {
        let archive = write(&[file("fine.json", b"{}"), file(name, b"{}")]).unwrap();
        assert_eq!(read(&archive).unwrap_err(), format!("{name:?} {why}"));
    }
}

#[test]
fn two_entries_with_one_name_are_refused() {
    for (a, b) in [("a.json", "a.json"), ("A.json", "a.JSON")] {
        let archive = write(&[file(a, b"1"), file(b, b"2")]).unwrap();
        assert_eq!(read(&archive).unwrap_err(), format!("two entries have the name {b:?}"));
    }
}

#[test]
fn a_zip_bomb_is_refused_before_it_is_unpacked() {
    let bomb = write(&[file("a.json", &vec![b' '; 8 << 20])]).unwrap();
    assert!(bomb.len() < 20_000);
    assert_eq!(read(&bomb).unwrap_err(), "\"a.json\" is packed so tightly that it is taken for a bomb");
    // One whose head says less than it unpacks to: no more than that is unpacked.
    let mut liar = bomb;
    let central = liar.windows(4).position(|four| four == CENTRAL).unwrap();
    liar[central + 24..central + 28].copy_from_slice(&1000_u32.to_le_bytes());
    assert_eq!(read(&liar).unwrap_err(), "\"a.json\" unpacks to other bytes than its head says");
    liar[central + 24..central + 28].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(read(&liar).unwrap_err(), "\"a.json\" unpacks to more bytes than a document may have");
}

#[test]
fn what_two_readers_could_take_differently_is_refused() {
    for (archive, why) in [
        (patched(CENTRAL, 1, 8, &[1, 0]), "\"b.json\" is encrypted"),
        (patched(CENTRAL, 1, 10, &[9, 0]), "\"b.json\" is neither stored nor deflated"),
        (patched(CENTRAL, 1, 38, &SYMBOLIC_LINK.wrapping_shl(16).to_le_bytes()), "\"b.json\" is a symbolic link"),
        // Its local head has another name; it stands where the first one does; it is cut.
        (patched(LOCAL, 1, 30, b"c"), "\"b.json\" is not where the list says"),
        (patched(CENTRAL, 1, 42, &[0, 0, 0, 0]), "\"b.json\" is not where the list says"),
        (patched(CENTRAL, 1, 20, &[0xff, 0xff, 0, 0]), "\"b.json\" is not where the list says"),
        (patched(CENTRAL, 0, 16, &[0, 0, 0, 0]), "\"a.json\" unpacks to other bytes than its head says"),
        (patched(END, 0, 10, &[3, 0]), "a zip file in several parts is not read"),
        (patched(END, 0, 8, &[3, 0, 3, 0]), "the list of entries ends in the middle"),
        (patched(END, 0, 8, &[0xff; 4]), "zip64 is not read; make an archive of fewer than 65,535 files"),
        (patched(END, 0, 16, &[0; 4]), "the list of entries is not where the end of the file says"),
        (b"PK\x03\x04 no more".to_vec(), "this is no zip file"),
        (vec![0; 100], "this is no zip file, or it was cut short"),
    ] {
        assert_eq!(read(&archive).unwrap_err(), why);
    }
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // A stored file whose bytes hold the local head of another one.
    let local = |name: &str, bytes: u32| {
        let sizes = [0, bytes, bytes].map(u32::to_le_bytes).concat();
        [LOCAL, &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0], &sizes, &(name.len() as u16).to_le_bytes(), &[0, 0], name.as_bytes()].concat()
    };
    let central = |name: &str, bytes: u32, at: u32| {
        let sizes = [0, bytes, bytes].map(u32::to_le_bytes).concat();
        let head = [&[20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sizes, &(name.len() as u16).to_le_bytes()].concat();
        [CENTRAL, &head, &[0; 12], &at.to_le_bytes(), name.as_bytes()].concat()
    };
    let inner = [local("b", 4), b"data".to_vec()].concat();
    let outer = [local("a", inner.len() as u32), inner.clone()].concat();
    let list = [central("a", inner.len() as u32, 0), central("b", 4, 31)].concat();
    let end = [END, &[0, 0, 0, 0, 2, 0, 2, 0], &(list.len() as u32).to_le_bytes(), &(outer.len() as u32).to_le_bytes(), &[0, 0]].concat();
    let archive = [outer, list, end].concat();
    assert_eq!(read(&archive).unwrap_err(), "\"a\" and \"b\" share bytes");
}

#[test]
fn no_changed_or_shortened_archive_is_read_as_another() {
    let archive = write(&[file("a.json", b"{\"a\":1}"), file("b.json", &b"z".repeat(300))]).unwrap();
    let whole = read(&archive).unwrap();
    for at in 0..archive.len() {
        assert!(read(&archive[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = archive.clone();
            changed[at] ^= 1 << bit;
            // Times, versions and attributes say nothing of the content; names may change.
            if let Ok(files) = read(&changed) {
                let bytes = |files: &[(String, Vec<u8>)]| files.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
                let (mut found, mut expected) = (bytes(&files), bytes(&whole));
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "bit {bit} of byte {at}");
            }
        }
    }
}
