"""Self-signed certificates for a run of the tests: of OPC UA's applications, and of web servers."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 2


def make(uri, place, common_name="rig"):
    """A certificate (place.der, place.crt) and its key (place.pem); its alternative name is the application's URI (OPC 10000-6, 6.2.2)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    usages = {"digital_signature": True, "content_commitment": True, "key_encipherment": True, "data_encipherment": True}
    others = {"key_agreement": False, "key_cert_sign": True, "crl_sign": False, "encipher_only": False, "decipher_only": False}
    names = [x509.UniformResourceIdentifier(uri), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.KeyUsage(**usages, **others), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = place.with_suffix(".der"), place.with_suffix(".pem")
    place.with_suffix(".crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[0].write_bytes(made.public_bytes(serialization.Encoding.DER))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files[1].write_bytes(key.private_bytes(*form))
    return files
