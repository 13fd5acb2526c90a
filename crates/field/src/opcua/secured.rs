//! A channel with security, and whom it is opened to.

use std::collections::BTreeSet;

use nameplate_wire::opcua::{Endpoint, Line};

use crate::guard::uasc::{Identity, Policy, fingerprint, thumbprint};
use crate::guard::{Grant, OPCUA_NONCE_BYTES, OpcuaSecured, OpcuaUser, Refused, hex};

/// A channel with security, as the owner wants it: nothing else is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// By which policy.
    pub policy: Policy,
    /// Encrypted, not only signed.
    pub encrypted: bool,
    /// Who asks.
    pub identity: Identity,
    /// Certificates of servers that are trusted: SHA-1 or SHA-256 of each.
    pub trusted: Vec<Vec<u8>>,
    /// The user; nobody in particular where there is none.
    pub user: Option<OpcuaUser>,
}

impl Secured {
    /// The mode as the protocol counts it.
    pub(super) const fn mode(&self) -> u32 {
        if self.encrypted { 3 } else { 2 }
    }

    /// The one endpoint that is wanted, if its certificate is trusted.
    pub(super) fn server(&self, endpoints: &[Endpoint]) -> Result<Vec<u8>, Refused> {
        let no = |rule, why| Err(Refused::before_any_byte(rule, why));
        let wanted = endpoints.iter().find(|endpoint| endpoint.mode == self.mode() && endpoint.policy == self.policy.uri().as_bytes());
        let Some(endpoint) = wanted else {
            return no("opcua.endpoint", "the server has no endpoint of this policy and mode; nothing else is tried".to_owned());
        };
        let (short, long) = (thumbprint(&endpoint.certificate), fingerprint(&endpoint.certificate));
        if self.trusted.iter().any(|trusted| *trusted == short || *trusted == long) {
            let kind = self.user.as_ref().map_or(0, OpcuaUser::kind);
            // Nobody in particular is for the session to find out, as in clear.
            if kind != 0 && !endpoint.users.iter().any(|policy| policy.kind == kind) {
                let what = if kind == 1 { "a user with a password" } else { "a user by his certificate" };
                return no("opcua.user", format!("this endpoint of the server does not take {what}; nothing else is tried"));
            }
            return Ok(endpoint.certificate.clone());
        }
        let digits = |bytes: &[u8]| hex(bytes).replace(' ', "");
        let why = format!(
            "the server's certificate is not known here: SHA-1 {}, SHA-256 {}. Compare it with the server's own display or its owner's word, then \
             trust it: --opcua-trust with one of the two, or a line of it in the file opcua.trusted of the state directory",
            digits(&short),
            digits(&long)
        );
        no("opcua.trust", why)
    }

    /// The channel to this server, of which nothing was said yet.
    pub(super) fn line(&self, url: &str, server: &[u8]) -> Line {
        Line {
            policy: self.policy.uri().to_owned(),
            mode: self.mode(),
            certificate: Some(self.identity.certificate().to_vec()),
            thumbprint: Some(thumbprint(server)),
            nonce_bytes: OPCUA_NONCE_BYTES,
            ..Line::plain(url)
        }
    }

    /// What it grants.
    pub(super) fn grant(&self, url: &str, server: Vec<u8>) -> Result<Grant, Refused> {
        let Self { policy, encrypted, identity, user, .. } = self.clone();
        OpcuaSecured { url: url.to_owned(), policy, encrypted, identity, server, user }.grant()
    }
}

/// What a server offers, in an order of its own: policy and mode of each endpoint. What tells whether a stronger one was taken out on the way.
pub(super) fn offers(endpoints: &[Endpoint]) -> BTreeSet<(&[u8], u32)> {
    endpoints.iter().map(|endpoint| (endpoint.policy.as_slice(), endpoint.mode)).collect()
}
