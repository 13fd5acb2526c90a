//! TLS between the guard and the wire: what the guard let out in clear is sealed here, and nowhere else.
//!
//! Nobody is trusted by it. Devices sign their certificates themselves, with keys that no browser takes any more, so that a chain, a name, a date or a
//! signature says nothing of them: the certificate is read as what the device shows, as it is read off a capture. Who sits between us and the device
//! can therefore read and change what is said, as without TLS. Nothing secret is sent.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, KeyLogFile, ProtocolVersion, SignatureScheme};

/// Milliseconds a handshake may take: small controllers reckon for seconds.
pub const HANDSHAKE_MS_MAX: u64 = 6_000;
/// Bytes of the server's that are kept of a handshake: hello and certificate. Chains come to some 6 KiB, of which the first is enough.
const FLIGHT_BYTES_MAX: usize = 16 << 10;
/// The application that is spoken behind the handshake (RFC 7301).
const HTTP: &[u8] = b"http/1.1";

/// What the server said in a handshake.
#[derive(Debug)]
pub struct Handshake {
    /// Its first bytes, as they stood on the wire.
    pub server: Vec<u8>,
    /// Its certificate (DER), where that was encrypted: from TLS 1.3 on.
    pub certificate: Option<Vec<u8>>,
    /// Why nothing can be asked behind it.
    pub broke: Option<io::Error>,
}

/// Bytes that passed below TLS.
#[derive(Debug, Default)]
pub struct Tally {
    out: AtomicU64,
    back: AtomicU64,
}

impl Tally {
    /// Bytes that left.
    pub fn out(&self) -> u64 {
        self.out.load(Ordering::Relaxed)
    }

    /// Bytes that came back.
    pub fn back(&self) -> u64 {
        self.back.load(Ordering::Relaxed)
    }
}

/// A connection under TLS, or one that TLS could not be spoken over.
#[derive(Debug)]
pub enum Sealed {
    /// The handshake is done.
    Open(Box<TlsStream<Counted>>),
    /// It was not, and the connection is gone.
    Broken(io::ErrorKind),
}

/// A TCP connection of which the bytes are counted, and the first ones kept.
#[derive(Debug)]
pub struct Counted {
    inner: TcpStream,
    tally: Arc<Tally>,
    flight: Arc<Mutex<Vec<u8>>>,
}

/// Speaks TLS over a fresh connection.
pub async fn shake(inner: TcpStream, ip: IpAddr) -> (Sealed, Handshake, Arc<Tally>) {
    let (tally, flight) = (Arc::<Tally>::default(), Arc::default());
    let counted = Counted { inner, tally: Arc::clone(&tally), flight: Arc::clone(&flight) };
    let outcome = match configuration() {
        Ok(configuration) => {
            let connecting = TlsConnector::from(configuration).connect(ServerName::from(ip), counted);
            let outcome = timeout(Duration::from_millis(HANDSHAKE_MS_MAX), connecting).await;
            outcome.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no TLS within the time-out")))
        }
        Err(error) => Err(io::Error::other(error)),
    };
    let server = flight.lock().map(|flight| flight.clone()).unwrap_or_default();
    match outcome {
        Ok(stream) => {
            let tls = stream.get_ref().1;
            let is_sealed = tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
            let leaf = tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.as_ref().to_vec());
            let handshake = Handshake { server, certificate: leaf.filter(|_| is_sealed), broke: None };
            (Sealed::Open(Box::new(stream)), handshake, tally)
        }
        Err(error) => (Sealed::Broken(error.kind()), Handshake { server, certificate: None, broke: Some(error) }, tally),
    }
}

/// No session is taken up again: that would tell the device that we are the same as yesterday. Keys go to the file that `SSLKEYLOGFILE` names, as
/// with any client, so that others can see what was sealed.
fn configuration() -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    let mut configuration = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
    configuration.alpn_protocols = vec![HTTP.to_vec()];
    configuration.resumption = Resumption::disabled();
    configuration.enable_sni = false;
    configuration.key_log = Arc::new(KeyLogFile::new());
    Ok(Arc::new(configuration))
}

/// Takes whatever is shown.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    /// All that a device may sign with: what is not offered here, an old one would not answer.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        self.tally.back.fetch_add(came.len() as u64, Ordering::Relaxed);
        if let Ok(mut flight) = self.flight.lock() {
            let room = FLIGHT_BYTES_MAX.saturating_sub(flight.len());
            flight.extend(came.iter().take(room));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let took = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.tally.out.fetch_add(took as u64, Ordering::Relaxed);
        Poll::Ready(Ok(took))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Sealed {
    fn open(&mut self) -> io::Result<&mut TlsStream<Counted>> {
        match self {
            Self::Open(stream) => Ok(stream),
            Self::Broken(kind) => Err((*kind).into()),
        }
    }
}

impl AsyncRead for Sealed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(self.open()?).poll_read(cx, buffer)) {
            // Many devices end the connection without TLS's own goodbye. Whether the answer was whole, its own length says.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}

impl AsyncWrite for Sealed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.open()?).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.open()?).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.open()?).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
