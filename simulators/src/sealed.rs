//! TLS of a simulated server (RFC 5246), with a key and a certificate that are made as it starts: signed by itself, as devices do (RFC 5280, 4.1).
//!
//! It speaks TLS 1.2 and nothing newer, as most devices do: there a capture shows the certificate.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::TLS12;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use crate::numbers::stated16;

/// One read; a request has some hundred bytes.
const READ_BYTES: usize = 4096;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0C;
const TIME: u8 = 0x17;
const BITS: u8 = 0x03;
/// ecdsa-with-SHA256, 1.2.840.10045.4.3.2; id-ecPublicKey with prime256v1 (RFC 5480, 2.1).
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// id-at-commonName, 2.5.4.3; id-at-organizationName, 2.5.4.10.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANISATION: &[u8] = &[0x55, 4, 10];
/// From when to when it holds: the factory's clock and forty years.
const HOLDS: [&[u8]; 2] = [b"100101000000Z", b"491231235959Z"];

/// A server's key and certificate.
#[derive(Clone, Debug)]
pub struct Seal(Arc<ServerConfig>);

impl Seal {
    /// A new key, and a certificate for this name, of this organisation where one is given.
    ///
    /// # Errors
    /// The machine has no random numbers.
    pub fn of(organisation: Option<&[u8]>, name: &[u8]) -> io::Result<Self> {
        const NONE: &str = "no key could be made";
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(|_| io::Error::other(NONE))?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).map_err(|_| io::Error::other(NONE))?;
        let content = content(&subject(organisation, name), key.public_key().as_ref());
        let signature = key.sign(&random, &content).map_err(|_| io::Error::other(NONE))?;
        let whole = [content, algorithm(), bits(signature.as_ref())].concat();
        let (chain, key) = (vec![CertificateDer::from(der(SEQUENCE, &whole))], PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec()));
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(&[&TLS12]);
        let builder = builder.map_err(io::Error::other)?.with_no_client_auth();
        builder.with_single_cert(chain, key.into()).map(|configuration| Self(Arc::new(configuration))).map_err(io::Error::other)
    }
}

/// `Name`: whose it is, and its name (RFC 5280, 4.1.2.4).
fn subject(organisation: Option<&[u8]>, name: &[u8]) -> Vec<u8> {
    let part = |kind: &[u8], text: &[u8]| der(SET, &der(SEQUENCE, &[der(OBJECT, kind), der(UTF8, text)].concat()));
    der(SEQUENCE, &[organisation.map(|text| part(ORGANISATION, text)).unwrap_or_default(), part(COMMON_NAME, name)].concat())
}

/// `TBSCertificate` of this subject, who is its issuer, too.
fn content(name: &[u8], public: &[u8]) -> Vec<u8> {
    let holds = der(SEQUENCE, &HOLDS.map(|time| der(TIME, time)).concat());
    let kind = der(SEQUENCE, &[der(OBJECT, EC_PUBLIC_KEY), der(OBJECT, PRIME256V1)].concat());
    let key = der(SEQUENCE, &[kind, bits(public)].concat());
    // Version 3, serial number 1.
    let (version, serial) = (vec![0xa0, 3, 2, 1, 2], vec![2, 1, 1]);
    der(SEQUENCE, &[version, serial, algorithm(), name.to_vec(), holds, name.to_vec(), key].concat())
}

fn algorithm() -> Vec<u8> {
    der(SEQUENCE, &der(OBJECT, ECDSA_SHA256))
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BITS, &[&[0], bytes].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [l1, l0] = stated16(content.len()).to_be_bytes();
    let head = match (l1, l0) {
        (0, ..=0x7f) => vec![tag, l0],
        (0, _) => vec![tag, 0x81, l0],
        _ => vec![tag, 0x82, l1, l0],
    };
    [&head, content].concat()
}

/// A connection under TLS.
pub(crate) enum Sealed {
    Shaking(Pin<Box<Accept<TcpStream>>>),
    Open(Box<TlsStream<TcpStream>>),
    /// Whoever came does not speak it.
    Broken,
}

impl Sealed {
    pub(crate) fn new(stream: TcpStream, seal: &Seal) -> Self {
        Self::Shaking(Box::pin(TlsAcceptor::from(Arc::clone(&seal.0)).accept(stream)))
    }

    pub(crate) async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self {
                Self::Shaking(shaking) => {
                    *self = match shaking.as_mut().await {
                        Ok(stream) => Self::Open(Box::new(stream)),
                        Err(_) => Self::Broken,
                    }
                }
                Self::Open(stream) => {
                    let mut buffer = [0; READ_BYTES];
                    let length = match stream.read(&mut buffer).await {
                        // A client that leaves without a goodbye of TLS leaves all the same.
                        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                        read => read?,
                    };
                    return Ok((length > 0).then(|| buffer.get(..length).unwrap_or_default().to_vec()));
                }
                Self::Broken => return Ok(None),
            }
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self::Open(stream) = self else { return Err(io::ErrorKind::NotConnected.into()) };
        stream.write_all(bytes).await?;
        stream.flush().await
    }

    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Open(stream) => stream.shutdown().await,
            _ => Ok(()),
        }
    }

    pub(crate) fn break_off(&self) {
        if let Self::Open(stream) = self {
            // Best effort: where it cannot be set, the drop sends FIN.
            drop(stream.get_ref().0.set_zero_linger());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::hex;

    /// RFC 5280, 4.1 and appendix C.2, by hand: lengths, tags, and where the name stands twice.
    #[test]
    fn a_certificate_is_laid_out_as_the_standard_says() {
        let expected = "3075 a003020102 020101 300a 06082a8648ce3d040302
            300f 310d 300b 0603550403 0c04 706c6331
            301e 170d 3130303130313030303030305a 170d 3439313233313233353935395a
            300f 310d 300b 0603550403 0c04 706c6331
            301d 3013 06072a8648ce3d0201 06082a8648ce3d030107 0306 00 0411223344";
        let made = content(&subject(None, b"plc1"), &hex("0411223344"));
        assert_eq!(made, hex(expected));
        assert_eq!(subject(Some(b"Oy"), b"plc1"), hex("301c 310b 3009 060355040a 0c02 4f79 310d 300b 0603550403 0c04 706c6331"));
        Seal::of(Some(b"Oy"), b"plc1").expect("a key and its certificate");
    }
}
