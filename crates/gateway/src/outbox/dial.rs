//! The one place of the desk that opens a connection. It goes to a target that the owner of this machine wrote into the configuration, in TLS unless that is this very
//! machine, and never to an address at which a device is asked, whatever a name server says.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nameplate_core::catalog::Asset;
use nameplate_core::observation::Source;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Target;
use crate::house::House;

/// A name server, a connection and a handshake together take no longer, or nobody is there.
const DIAL_SECONDS_MAX: Duration = Duration::from_secs(20);

/// A connection.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Opens a connection to a target.
///
/// # Errors
/// Why there is none, in words.
pub async fn dial(house: &House, target: &Target) -> Result<Box<dyn Line>, String> {
    timeout(DIAL_SECONDS_MAX, connected(house, target)).await.unwrap_or_else(|_| Err(format!("no connection within {DIAL_SECONDS_MAX:?}")))
}

async fn connected(house: &House, target: &Target) -> Result<Box<dyn Line>, String> {
    let url = &target.url;
    let found: Vec<_> = lookup_host((url.host.as_str(), url.port)).await.map_err(|e| format!("{}: {e}", url.host))?.collect();
    let mut why = format!("{}: there is no such host", url.host);
    for address in found {
        if is_a_device(house, address.ip()) {
            return Err(format!("{} is a device that is asked: nothing is sent there", address.ip()));
        }
        // A name that leads elsewhere since it was written down.
        if !url.tls && !address.ip().is_loopback() {
            return Err(format!("{} is {}: without TLS only this machine is told anything", url.host, address.ip()));
        }
        #[expect(clippy::disallowed_methods, reason = "a target of the configuration, and no device: see above")]
        match TcpStream::connect(address).await {
            Err(e) => why = format!("{address}: {e}"),
            Ok(stream) => {
                // Small messages go at once.
                let _ = stream.set_nodelay(true);
                return if url.tls { sealed(target, stream).await } else { Ok(Box::new(stream)) };
            }
        }
    }
    Err(why)
}

async fn sealed(target: &Target, stream: TcpStream) -> Result<Box<dyn Line>, String> {
    // Read each time: whoever renews it need not restart anything.
    let config = trust(&target.ca)?;
    let name = ServerName::try_from(target.url.host.clone()).map_err(|e| format!("{}: {e}", target.url.host))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| format!("TLS: {e}"))?;
    Ok(Box::new(stream))
}

fn trust(ca: &Path) -> Result<ClientConfig, String> {
    let wrong = |e: String| format!("ca {}: {e}", ca.display());
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(ca).map_err(|e| wrong(e.to_string()))? {
        // A list of all the world's has some that this program cannot read; whom they vouch for is refused.
        let _ = roots.add(root.map_err(|e| wrong(e.to_string()))?);
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Whether the site file has a device there, or one was ever asked there.
fn is_a_device(house: &House, ip: IpAddr) -> bool {
    let is_it = |other: Option<IpAddr>| other.is_some_and(|other| other.to_canonical() == ip.to_canonical());
    // In a test's plant, and in a demo, all the world is one address.
    if ip.to_canonical().is_loopback() {
        return false;
    }
    let is_listed = house.field().at.values().flatten().any(|at| is_it(at.ip));
    // Before the field side says whom it lists, the ledger knows whom it asked.
    let was_asked = |asset: &Asset| {
        asset.addresses.iter().any(|address| is_it(address.ip))
            && asset.claims.iter().any(|claim| matches!(claim.source, Source::Asked { .. }))
    };
    is_listed || house.known(|known| known.view.catalog.assets().any(was_asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hatch::At;
    use crate::outbox::tests::target;

    #[tokio::test]
    async fn nothing_is_sent_to_a_device_whoever_wrote_it_down() {
        let house = House::without_store();
        let at = |ip: &str| At { protocol: "s7comm".to_owned(), ip: ip.parse().ok(), line: None, mac: None, station: String::new() };
        house.field().at.insert("Pump 1".to_owned(), vec![at("192.0.2.7"), at("2001:db8::7")]);
        for url in [
            "https://192.0.2.7/hook",
            "https://192.0.2.7:102/",
            "syslog+tls://192.0.2.7",
            "https://[2001:db8::7]/",
            "https://[::ffff:192.0.2.7]/",
        ] {
            let why = dial(&house, &target(url)).await.err();
            assert!(why.as_ref().is_some_and(|why| why.contains("is a device")), "{url}: {why:?}");
        }
    }
}
