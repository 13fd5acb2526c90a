//! The keys of one log, one after another: entry 0 names the first, and each later one is vouched for by the one before it.

use super::checkpoint::{Checkpoint, PublicKey, SiteKey, Unbelieved};
use super::entry::{Body, Entry};
use crate::observation::{hex, unhex};

/// Who signs a log, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    first: PublicKey,
    /// The entry that says so, and the key that signs from that entry on.
    changes: Vec<(u64, PublicKey)>,
}

/// Why an entry changes no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotVouched(&'static str);

impl std::fmt::Display for NotVouched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotVouched {}

impl Keys {
    /// A log's first key, as its entry 0 names it.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        match &entry.body {
            Body::Key { origin, public_key } => {
                let first = PublicKey::from_digits(public_key).filter(|key| key.origin() == *origin && entry.index == 0)?;
                Some(Self::of_first(first))
            }
            _ => None,
        }
    }

    /// A log that has this key alone.
    #[must_use]
    pub const fn of_first(first: PublicKey) -> Self {
        Self { first, changes: Vec::new() }
    }

    /// Takes an entry that changes the key; entries come in the order of the log.
    ///
    /// # Errors
    /// The key in force did not vouch for the new one.
    pub fn take(&mut self, entry: &Entry) -> Result<(), NotVouched> {
        let Body::KeyChange { public_key, signature, .. } = &entry.body else { return Ok(()) };
        if self.changes.last().is_some_and(|(index, _)| *index >= entry.index) {
            return Err(NotVouched("it does not stand behind the change before it"));
        }
        self.go_on(public_key, signature, entry.index)
    }

    /// Takes a change that stands before all that is read of a log: where, is not told. Its key signs every checkpoint of what is read.
    ///
    /// # Errors
    /// As [`Keys::take`].
    pub fn take_before(&mut self, public_key: &str, signature: &str) -> Result<(), NotVouched> {
        self.go_on(public_key, signature, 0)
    }

    fn go_on(&mut self, public_key: &str, signature: &str, index: u64) -> Result<(), NotVouched> {
        let key = PublicKey::from_digits(public_key).ok_or(NotVouched("the new key is none"))?;
        if key == self.first || self.changes.iter().any(|(_, other)| *other == key) {
            return Err(NotVouched("the new key was this log's before"));
        }
        let bytes = unhex(signature).ok().filter(|bytes| hex(bytes) == *signature).ok_or(NotVouched("its signature is none"))?;
        if !self.current().verifies(&statement(&self.origin(), self.current(), &key), &bytes) {
            return Err(NotVouched("the key before it did not sign it"));
        }
        self.changes.push((index, key));
        Ok(())
    }

    /// The log's name; it stays.
    #[must_use]
    pub fn origin(&self) -> String {
        self.first.origin()
    }

    /// The key that the log is named by.
    #[must_use]
    pub const fn first(&self) -> &PublicKey {
        &self.first
    }

    /// The key that signs now.
    #[must_use]
    pub fn current(&self) -> &PublicKey {
        self.changes.last().map_or(&self.first, |(_, key)| key)
    }

    /// The key that signs a checkpoint of so many entries: a new one signs from the entry on that names it.
    #[must_use]
    pub fn at(&self, size: u64) -> &PublicKey {
        self.changes.iter().rev().find(|(index, _)| *index < size).map_or(&self.first, |(_, key)| key)
    }

    /// Whether the fingerprint is that of one of them: whoever trusts a key trusts what it vouched for.
    #[must_use]
    pub fn holds(&self, fingerprint: &str) -> bool {
        self.first.fingerprint() == fingerprint || self.changes.iter().any(|(_, key)| key.fingerprint() == fingerprint)
    }

    /// A checkpoint of this log, signed by the key of its size. Lines of other signers are passed over.
    ///
    /// # Errors
    /// As [`Checkpoint::open`]; another log's is not signed by this one.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Unbelieved> {
        let size = Checkpoint::read(note)?.head.size;
        let checkpoint = Checkpoint::open(note, self.at(size))?;
        if checkpoint.origin == self.origin() { Ok(checkpoint) } else { Err(Unbelieved::UnknownSigner) }
    }

    /// What the log says where `new` takes the place of `old`, which signs it.
    #[must_use]
    pub fn change(&self, old: &SiteKey, new: &PublicKey, by: &str, why: &str) -> Body {
        let signature = hex(&old.sign_bytes(&statement(&self.origin(), &old.public(), new)));
        Body::KeyChange { by: by.to_owned(), public_key: new.digits(), signature, why: why.to_owned() }
    }
}

/// What the old key signs: of which log, and from which key to which. Four lines; no note begins like it.
fn statement(origin: &str, old: &PublicKey, new: &PublicKey) -> Vec<u8> {
    format!("nameplate-key-change/1\n{origin}\n{}\n{}\n", old.digits(), new.digits()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Head, KEY_BYTES};

    fn key(seed: u8) -> SiteKey {
        SiteKey::of(&[seed; KEY_BYTES])
    }

    fn entry(index: u64, body: Body) -> Entry {
        Entry { body, index, time_ns: index }
    }

    fn keys() -> Keys {
        let first = key(1).public();
        Keys::of(&entry(0, Body::Key { origin: first.origin(), public_key: first.digits() })).unwrap()
    }

    #[test]
    fn each_key_signs_its_part_of_the_log_and_no_other() {
        let mut keys = keys();
        for (index, from, to) in [(5, 1, 2), (9, 2, 3)] {
            let body = keys.change(&key(from), &key(to).public(), "a", "b");
            assert_eq!(keys.take(&entry(index, body)), Ok(()));
        }
        assert_eq!((keys.origin(), *keys.current()), (key(1).public().origin(), key(3).public()));
        for size in 1..12 {
            let checkpoint = Checkpoint { origin: keys.origin(), head: Head { size, root: [0; 32] } };
            for seed in 1..5 {
                let right = seed
                    == if size > 9 {
                        3
                    } else if size > 5 {
                        2
                    } else {
                        1
                    };
                assert_eq!(keys.open(&checkpoint.sign(&key(seed))).is_ok(), right, "{size} entries, key {seed}");
            }
        }
        let stranger = Checkpoint { origin: key(3).public().origin(), head: Head { size: 11, root: [0; 32] } };
        assert_eq!(keys.open(&stranger.sign(&key(3))), Err(Unbelieved::UnknownSigner), "another log of the same key");
        assert!([1, 2, 3].iter().all(|seed| keys.holds(&key(*seed).public().fingerprint())));
        assert!(!keys.holds(&key(4).public().fingerprint()));
    }

    #[test]
    fn a_key_that_nobody_vouched_for_is_none() {
        let (keys, new) = (keys(), key(2).public());
        let changed = |change: fn(&mut Keys, &mut String, &mut String)| {
            let (mut keys, body) = (keys.clone(), keys.change(&key(1), &new, "a", "b"));
            let Body::KeyChange { by, mut public_key, mut signature, why } = body else { panic!("no change") };
            change(&mut keys, &mut public_key, &mut signature);
            keys.take(&entry(5, Body::KeyChange { by, public_key, signature, why })).is_ok()
        };
        assert!(changed(|_, _, _| ()));
        assert!(!changed(|_, key, _| key.make_ascii_uppercase()), "one key, one spelling");
        assert!(!changed(|_, _, signature| signature.make_ascii_uppercase()));
        assert!(!changed(|_, public, _| *public = key(3).public().digits()), "signed for another");
        assert!(!changed(|_, public, _| *public = key(1).public().digits()), "no change");
        assert!(!changed(|keys, _, _| *keys = Keys::of_first(key(4).public())), "another log's");
        assert!(!changed(|_, _, signature| signature.truncate(126)));
        assert!(!changed(|keys, _, _| keys.changes.push((7, key(3).public()))), "not in order");
        let stolen = keys.change(&key(3), &new, "a", "b");
        assert_eq!(keys.clone().take(&entry(5, stolen)), Err(NotVouched("the key before it did not sign it")));
    }
}
