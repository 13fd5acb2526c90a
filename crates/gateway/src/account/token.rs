//! Tokens: what programs come in with. One is shown once; SHA-256 of it is kept, which is enough for 256 bits of randomness.

use nameplate_core::account::{Accounts, Event, Rights, key};
use nameplate_core::observation::hex;

use super::{Act, Gate, Person, SECOND_NS, Secret, Way, new_secret, random, sha};

/// What a token begins with, so that whoever finds one in a file knows what it is.
const PREFIX: &str = "np_";
/// Bytes of a token's id.
const ID_BYTES: usize = 8;

impl Gate {
    /// Who comes with this token at this time (nanoseconds since 1970).
    #[must_use]
    pub fn token(&self, bearer: &str, accounts: &Accounts, now_ns: u64) -> Option<Person> {
        let id = self.secrets.tokens.get(&hex(&sha(bearer)))?;
        let token = accounts.token(id)?;
        let rights = accounts.token_rights(token, now_ns);
        let account = accounts.get(&token.name).filter(|_| !rights.is_empty())?;
        Some(Person { name: account.name.clone(), role: account.role, rights, way: Way::Token { id: id.clone() } })
    }

    /// A token for whoever is logged in, good for so many days: the secret, and what is to be done before it is good. A token makes none.
    ///
    /// # Errors
    /// A sentence that says why not: more rights than the account has, longer than a year, too many tokens.
    pub fn make_token(
        &self,
        person: &Person,
        rights: Rights,
        days: u64,
        accounts: &Accounts,
        now_ns: u64,
    ) -> Result<(String, Act), String> {
        if let Way::Token { .. } = person.way {
            return Err("a token makes no token; log in for that".to_owned());
        }
        let (secret, id) = (format!("{PREFIX}{}", new_secret()), hex(&random::<ID_BYTES>()));
        let expires_ns = now_ns.saturating_add(days.saturating_mul(24 * 3600 * SECOND_NS));
        let name = person.name.clone();
        let event = Event::TokenMade { id: id.clone(), name: name.clone(), rights, by: name, expires_ns };
        accounts.allows(&event, now_ns)?;
        let own = accounts.tokens().filter(|token| key(&token.name) == key(&person.name));
        let gone = own.filter(|token| !token.is_good(now_ns)).map(|token| token.id.clone()).collect();
        Ok((secret.clone(), Act { events: vec![event], secret: Secret::Token { sha256: hex(&sha(&secret)), id, gone } }))
    }

    /// Voids a token: its owner does, or an administrator.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn revoke_token(&self, id: &str, by: &str, accounts: &Accounts, now_ns: u64) -> Result<Act, String> {
        let event = Event::TokenRevoked { id: id.to_owned(), by: by.to_owned() };
        accounts.allows(&event, now_ns)?;
        Ok(Act { events: vec![event], secret: Secret::Revoked { id: id.to_owned() } })
    }
}
