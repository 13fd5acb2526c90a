//! The page's certificate: the owner's, or one that is made at the first start and kept in the state directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nameplate_core::observation::hex;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::command::serve::config::Page;
use crate::failure::Failure;
use crate::key::write_private;

/// Files of the certificate that is made.
const CERTIFICATE: &str = "page.crt";
const KEY: &str = "page.key";

/// SHA-256 of the page's certificate, as browsers show it; `None` without TLS, or where it cannot be read now.
pub fn fingerprint(page: &Page, directory: &Path) -> Option<String> {
    let path = page.tls.then(|| page.certificate.clone().unwrap_or_else(|| directory.join(CERTIFICATE)))?;
    let first = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    Some(hex(&Sha256::digest(first)))
}

/// What answers in TLS, and the fingerprint of its certificate: SHA-256, as browsers show it.
///
/// # Errors
/// The file and what is wrong with it.
pub fn acceptor(page: &Page, directory: &Path) -> Result<(TlsAcceptor, String), Failure> {
    let (certificate, key) = match (&page.certificate, &page.key) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => made(page, directory)?,
    };
    let at = |path: &PathBuf| path.display().to_string();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(|e| Failure::input(at(&certificate), format!("the page's certificate: {e}")))?;
    let first = chain.first().ok_or_else(|| Failure::input(at(&certificate), "there is no certificate in it"))?;
    let fingerprint = hex(&Sha256::digest(first));
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|e| Failure::input(at(&key), format!("the page's key: {e}")))?;
    let clients = match &page.client_ca {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(path) => {
            let wrong = |e: String| Failure::input(at(path), format!("client_ca: {e}"));
            let mut roots = RootCertStore::empty();
            for root in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
                roots.add(root.map_err(|e| wrong(e.to_string()))?).map_err(|e| wrong(e.to_string()))?;
            }
            WebPkiClientVerifier::builder(Arc::new(roots)).build().map_err(|e| wrong(e.to_string()))?
        }
    };
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, secret)
        .map_err(|e| Failure::input(at(&certificate), format!("certificate and key do not go together: {e}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), fingerprint))
}

/// The certificate in the state directory; made where there is none, for all names of the page.
fn made(page: &Page, directory: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let (certificate, key) = (directory.join(CERTIFICATE), directory.join(KEY));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let wrong = |e: rcgen::Error| Failure::input(certificate.display(), format!("no certificate could be made: {e}"));
    let own = [page.listen.ip().to_string(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut names: Vec<String> =
        page.names.iter().cloned().chain(own.into_iter().filter(|name| name != "0.0.0.0" && name != "::")).collect();
    names.sort();
    names.dedup();
    let pair = rcgen::generate_simple_self_signed(names).map_err(wrong)?;
    let written = |path: &Path, e: std::io::Error| Failure::input(path.display(), e);
    write_private(&key, pair.signing_key.serialize_pem().as_bytes()).map_err(|e| written(&key, e))?;
    fs::write(&certificate, pair.cert.pem()).map_err(|e| written(&certificate, e))?;
    Ok((certificate, key))
}
