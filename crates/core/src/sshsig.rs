//! Detached signatures that OpenSSH checks (`ssh-keygen -Y verify`): who gets our files has that program and not ours.
//!
//! Source: OpenSSH, PROTOCOL.sshsig (the blob, its armour, what is signed), and RFC 8709 (Ed25519 in SSH, sections 4 and 6). A file is signed by its
//! SHA-512 under a namespace, so no signature of a file can be taken for one of a checkpoint or of anything else that the key signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

use crate::ledger::{PublicKey, SiteKey};

/// What the blob and the signed bytes begin with.
const MAGIC: &[u8] = b"SSHSIG";
/// Of the blob.
const VERSION: u32 = 1;
/// The key's type, and the signature's.
const ED25519: &str = "ssh-ed25519";
/// The hash of the message.
const SHA512: &str = "sha512";
/// Characters of a line of the armour, as OpenSSH writes it.
const LINE_CHARS: usize = 70;

/// The public key as OpenSSH writes one: `ssh-ed25519 AAAA...`.
#[must_use]
pub fn public_key(key: &PublicKey) -> String {
    format!("{ED25519} {}", STANDARD.encode(blob(key)))
}

/// The detached, armoured signature of a file under a namespace.
#[must_use]
pub fn sign(key: &SiteKey, namespace: &str, file: &[u8]) -> String {
    let mut signed = MAGIC.to_vec();
    // Behind the namespace stands a field that is reserved and empty.
    [namespace.as_bytes(), b"", SHA512.as_bytes(), &Sha512::digest(file)].into_iter().for_each(|field| put(&mut signed, field));
    let mut signature = Vec::new();
    [ED25519.as_bytes(), &key.sign_bytes(&signed)].into_iter().for_each(|field| put(&mut signature, field));
    let mut all = [MAGIC, &VERSION.to_be_bytes()].concat();
    [&blob(&key.public()), namespace.as_bytes(), b"", SHA512.as_bytes(), &signature].into_iter().for_each(|field| put(&mut all, field));
    let text = STANDARD.encode(all);
    let lines = text.as_bytes().chunks(LINE_CHARS).map(|line| format!("{}\n", String::from_utf8_lossy(line)));
    format!("-----BEGIN SSH SIGNATURE-----\n{}-----END SSH SIGNATURE-----\n", lines.collect::<String>())
}

fn blob(key: &PublicKey) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, ED25519.as_bytes());
    put(&mut blob, key.bytes());
    blob
}

/// A string of RFC 4251, section 5. Ours are all far shorter than its length can say.
fn put(to: &mut Vec<u8>, field: &[u8]) {
    to.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ssh-keygen -Y sign -n nameplate-handover` (OpenSSH 9.2) with the key of these 32 bytes: Ed25519 signs one message in one way only.
    #[test]
    fn a_signature_is_the_one_that_openssh_makes() {
        let key = SiteKey::of(&[7; 32]);
        assert_eq!(public_key(&key.public()), include_str!("sshsig/key.pub").trim_end());
        assert_eq!(sign(&key, "nameplate-handover", b"a file\n"), include_str!("sshsig/file.sig"));
    }
}
