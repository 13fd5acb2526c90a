use super::*;

fn key() -> SiteKey {
    SiteKey::of(&[7; KEY_BYTES])
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: key().public().origin(), head: Head { size: 3, root: [9; HASH_BYTES] } }
}

#[test]
fn the_key_is_that_of_the_standard() {
    // RFC 8032, 7.1, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed: [u8; 32] = crate::observation::unhex(seed).unwrap().try_into().unwrap();
    let public = SiteKey::of(&seed).public();
    assert_eq!(public.digits(), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_eq!(PublicKey::from_digits(&public.digits()), Some(public));
    assert_eq!(PublicKey::from_digits(&public.digits().to_uppercase()), None);
    // The neutral element signs everything.
    assert_eq!(PublicKey::from_digits(&format!("01{}", "00".repeat(31))), None);
}

#[test]
fn a_note_is_believed_by_the_key_that_signed_it() {
    let note = checkpoint().sign(&key());
    let origin = key().public().origin();
    assert!(note.starts_with(&format!("{origin}\n3\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n\n\u{2014} {origin} ")), "{note}");
    assert_eq!(Checkpoint::open(&note, &key().public()), Ok(checkpoint()));
    let other = SiteKey::of(&[8; KEY_BYTES]);
    assert_eq!(Checkpoint::open(&note, &other.public()), Err(Unbelieved::UnknownSigner));
    let witnessed = format!("{note}\u{2014} witness.example {}\n", STANDARD.encode([1; 68]));
    assert_eq!(Checkpoint::open(&witnessed, &key().public()), Ok(checkpoint()), "another's line is passed over");
}

#[test]
fn no_byte_of_a_note_can_be_changed() {
    let note = checkpoint().sign(&key());
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Checkpoint::open(&changed, &key().public()).is_err(), "byte {at}, bit {bit}: {changed}");
        }
    }
}

#[test]
fn what_is_no_checkpoint_says_why() {
    let root = STANDARD.encode([9; HASH_BYTES]);
    let line = format!("\u{2014} a {}\n", STANDARD.encode([1; 68]));
    for (note, why) in [
        (String::new(), "no blank line"),
        (format!("a\n3\n{root}\nmore\n\n{line}"), "three lines"),
        (format!("a b\n3\n{root}\n\n{line}"), "no name"),
        (format!("a\n03\n{root}\n\n{line}"), "no number"),
        (format!("a\n-3\n{root}\n\n{line}"), "no number"),
        (format!("a\n3\n{}\n\n{line}", STANDARD.encode([9; 31])), "no hash"),
        (format!("a\n3\n{root}\n\n{}", line.trim_end()), "no end"),
        (format!("a\n3\n{root}\n\n{line}\n"), "not one"),
        (format!("a\n3\n{root}\n\n{line}{}", "x".repeat(NOTE_BYTES_MAX)), "longer"),
    ] {
        let unbelieved = Checkpoint::read(&note).unwrap_err().to_string();
        assert!(unbelieved.contains(why), "{why:?} in {unbelieved:?}");
    }
}
