//! Passwords: which are taken, and argon2id with what OWASP recommends (19 MiB, 2 passes, 1 lane; Password Storage Cheat Sheet), which is
//! also the default of the crate. NIST SP 800-63B, 5.1.1.2: length, a list of the worst, and no other rule.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use nameplate_core::account::key;

use super::random;

/// Characters of the shortest password: below, guessing a stolen hash is affordable.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Characters of the longest: a sentence; a document is a mistake.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Bytes of a password that are hashed, four for each character: what is longer is wrong.
const PASSWORD_BYTES_MAX: usize = 4 * PASSWORD_CHARS_MAX;
/// Bytes of a salt (RFC 9106, 3.1).
const SALT_BYTES: usize = 16;
/// Bytes of a hash, as the crate has it by default.
const HASH_BYTES: usize = 32;

/// Those of at least 12 characters that are tried first, a line each, in lower case: what the frequency list of zxcvbn 4.5 (MIT) has of
/// that length, and what people write on machines like this one.
const WORST: &str = include_str!("worst.txt");

/// Held while a password is hashed: each takes 19 MiB, and the machine has little.
static HASHING: Mutex<()> = Mutex::new(());

/// A password that was taken and hashed, and whose it is going to be.
pub struct NewPassword {
    /// The account's name, as it was typed.
    pub(super) name: String,
    /// The hash, in the PHC string format.
    pub(super) phc: String,
}

impl NewPassword {
    /// Hashes it: slow, so outside of any lock of the caller's. One at a time.
    ///
    /// # Errors
    /// A sentence that says why such a password is not taken; it has nothing of the password in it.
    pub fn hash(name: &str, password: &str) -> Result<Self, String> {
        let chars = password.chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars) {
            return Err(format!("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters, this one {chars}"));
        }
        if key(password) == key(name) {
            return Err("the password is the name".to_owned());
        }
        let lower = password.to_lowercase();
        if WORST.lines().any(|worst| worst == lower) {
            return Err("this password is one of those that are tried first".to_owned());
        }
        let _one = HASHING.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &random::<SALT_BYTES>());
        let hash = hash.map_err(|e| format!("the password cannot be hashed: {e}"))?;
        Ok(Self { name: name.to_owned(), phc: hash.to_string() })
    }
}

/// Whether this is the password of that hash. Slow, one at a time.
pub(super) fn verify(password: &str, phc: &str) -> bool {
    let bytes = password.as_bytes();
    let hashed = bytes.get(..PASSWORD_BYTES_MAX).unwrap_or(bytes);
    let _one = HASHING.lock().unwrap_or_else(PoisonError::into_inner);
    Argon2::default().verify_password(hashed, phc).is_ok() && hashed.len() == bytes.len()
}

/// A hash that no password has, and that takes as long to say so: for names that no account has.
pub(super) fn nobodys() -> String {
    let (salt, hash) = (STANDARD_NO_PAD.encode(random::<SALT_BYTES>()), STANDARD_NO_PAD.encode(random::<HASH_BYTES>()));
    let (m, t, p) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_what_owasp_recommends_and_stands_in_the_hash() {
        let phc = NewPassword::hash("Ada", "three green turbines").map(|new| new.phc).expect("a good one");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("three green turbines", &phc));
        assert!(!verify("three green turbine", &phc));
        assert!(!verify("", &phc));
        // Of the same form as a true one, so that it takes the same time.
        let same = |phc: &str| phc.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(same(&nobodys()), same(&phc));
        assert!(!verify("three green turbines", &nobodys()));
    }

    #[test]
    fn the_reference_implementation_s_hash_is_known() {
        // argon2-cffi 25.1.0, which wraps the reference implementation (phc-winner-argon2):
        // hash_secret(b"password-of-ada", b"saltsaltsaltsalt", time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, type=Type.ID).
        let phc = include_str!("reference.phc").trim();
        assert!(verify("password-of-ada", phc));
        assert!(!verify("password-of-Ada", phc));
    }

    #[test]
    fn a_password_is_long_and_none_of_the_worst() {
        let longest = "ü".repeat(PASSWORD_CHARS_MAX);
        for (password, why) in [
            ("elevenchars", "12 to 128 characters, this one 11"),
            (&format!("{longest}ü"), "this one 129"),
            ("", "this one 0"),
            ("Ada  of  Works A", "the password is the name"),
            ("PasswordPassword", "tried first"),
            ("1234567890123", "tried first"),
        ] {
            let said = NewPassword::hash("ada of works a", password).err().expect(why);
            assert!(said.contains(why), "{said}");
            assert!(password.is_empty() || !said.contains(password), "an error does not repeat a password");
        }
        assert!(NewPassword::hash("Ada", &longest).is_ok());
        let phc = NewPassword::hash("Ada", &"\u{10348}".repeat(PASSWORD_CHARS_MAX)).map(|new| new.phc).expect("as long as any");
        assert!(verify(&"\u{10348}".repeat(PASSWORD_CHARS_MAX), &phc));
        assert!(!verify(&"\u{10348}".repeat(PASSWORD_CHARS_MAX + 1), &phc), "a longer one that begins so is another");
    }

    #[test]
    fn the_list_of_the_worst_holds_what_could_be_taken_and_nothing_twice() {
        let lines: Vec<&str> = WORST.lines().collect();
        let distinct: std::collections::BTreeSet<&&str> = lines.iter().collect();
        assert_eq!(distinct.len(), lines.len());
        let fits = |line: &&&str| line.chars().count() >= PASSWORD_CHARS_MIN && line.to_lowercase() == **line;
        assert_eq!(lines.iter().filter(fits).count(), lines.len(), "shorter ones are refused anyway");
    }
}
