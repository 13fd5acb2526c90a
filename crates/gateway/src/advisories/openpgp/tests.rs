use super::*;

/// Made with GnuPG 2.4: an RSA key of 2,048 bits, and its signatures over `{"a":1}`; an Ed25519 key and its signature.
const KEY: &str = r"-----BEGIN PGP PUBLIC KEY BLOCK-----

mQENBGsDEWUBCADCKeykfziHUiUrLn0paoGfu1qfD1jTQegculZLrEK6/NYkUZ97
tS8h/jMvtpmSirBBLl5txIvNIlWni8fm5NYsidjxTAwF/LNBw1rLD3JIyz/tNCuO
M2dtRKLgdiDMcbaMgmFssO7Qh+aThhrN2nR8T4X9lc2JZGFFXQZK1z7MpJWOPvE/
h3/nnX9Dzqj16oJf/T3o6wynmSTvnhxf8gp9Amw3dzozgSXQveQKEZaf8iN3fo7Z
2exAa0SrtYQbLMgdhn2mu0qx+3JMftn/b7g1+/KP4cLrlJ9hOUxeTEqTFGBIJuT8
1dngZ/PpMhZPfwZv+HiCwCk3TlLZzohsurdjABEBAAG0GVB1Ymxpc2hlciA8cEBl
eGFtcGxlLm9yZz6JAU4EEwEKADgWIQQSoJ8Tbo7QedhAP/rq1XG/6wCTQgUCawMR
ZQIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDq1XG/6wCTQqqfCADBwmbW
R0d6HXyZggGpASjpbkA7r/TH0DsRatF762SXewQ7YOxzXw8rTN5jn37R+Ir653qU
LBbdK7f87wd4PZan7qM5lIApr1sHUMACPKxcfHQ3Aixh1IuGyJIL2C/OY8XYkEEM
mvjPAdV6FYdp7PMmZWjDnCQG98dIUuNK329JNJ4sG6+DTbXcOmuz6E08pcueKccv
CPBb4LdfLJltAhAI5YVdO7wKuG0rD49aHyJnTzoTZeAzzhz4cwaXl+R7giuYxrtt
v99NHC+64tkclZaBzPUtHNc5Rq2Mf0VWFAzu4JcOCFzOqkudU0V4c9Zqa0/3ZWDC
snmsw8hVLCeGCql2
=XtIU
-----END PGP PUBLIC KEY BLOCK-----
";
const OVER_SHA512: &str = r"-----BEGIN PGP SIGNATURE-----

iQFCBAABCgAsFiEEEqCfE26O0HnYQD/66tVxv+sAk0IFAmsDEXkOHHBAZXhhbXBs
ZS5vcmcACgkQ6tVxv+sAk0KRvAf/ay0Z4NdGK/S3CUyyVejbcVMk8RZRPN9Ka7UW
W65bbjSlh77RgHJujL+VfwNxN3su6D3exeZqglkxUujtViMCnqDmQVSbRVVF7/C3
5KQEiHDYX89TiBovKH04z2cKqYIJ8jUnhmN2QDBm8VrZgeUjyhoOK5sMHFKfURtp
eBhA7OdSVIU+Q5VklGyI19YrDA+EfDInTFH/5gPQSssGuX+9Usb3vVv6DEb0LJUC
7iXYRffyvhJNA1ZLtfb5Yd22wxnNmd+kuR5s/BPZd/9Y3+raTK0Jv/fqKUvCdlic
//rN/gnroL+A2nqFbvf5a660m4OVkAuq+bBQC0jfFFx43PkGUg==
=HIRg
-----END PGP SIGNATURE-----
";
const OVER_SHA256: &str = r"-----BEGIN PGP SIGNATURE-----

iQFCBAABCAAsFiEEEqCfE26O0HnYQD/66tVxv+sAk0IFAmsDEXkOHHBAZXhhbXBs
ZS5vcmcACgkQ6tVxv+sAk0K2BAf/RmSotve3DvB8rfPwYdZxdZ/ww56gyBgAGW3F
KgFlSa9Dwx8TxZps6Bn+3tPUqu/+cTgHvxX1cTVoB87vepUgJpus5fB+8Grw3YG/
UFSX4Cl3KZnLM4a781Tk79QjLiQBh24Jn3AlOGpdzjR2cBGR9ty0yZcM3bff9yfZ
W+5wzDXg7w2D6geMJmXWsPmXR8V2NIWBPJ/1LTbPvFAIBx1Zw7dlcAYeuGjukSax
sEQB9AQPVLQt8o+EQWhocR0LW0Az4RYutR/N0NAQb5vmplG3XsBGW5r+OWfC51W9
OJWQB2SInsVUalbwEMu2kq+pJfvt33o8VS4embzJPDVXokRKsA==
=p2L4
-----END PGP SIGNATURE-----
";
const ED25519_KEY: &str = r"-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawMRZhYJKwYBBAHaRw8BAQdAX6UHYfxbYAK/jcFO3OQ22Nnv9Kc494IJYwuC
Lr/1VX+0FU90aGVyIDxvQGV4YW1wbGUub3JnPoiQBBMWCAA4FiEEhNtEAUe7dmDi
siMDHZ+5NDBdy9AFAmsDEWYCGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ
HZ+5NDBdy9D+GAD/Y2CU+hY2b3r3HSyyawcUIzWW2FCu2wCmNn1iZanZ5zkBANfu
L4VhlL5fzyvid4dX4NSVVEUr4kH3QXTzMnWEKR0G
=sCka
-----END PGP PUBLIC KEY BLOCK-----
";
const BY_ED25519: &str = r"-----BEGIN PGP SIGNATURE-----

iIQEABYIACwWIQSE20QBR7t2YOKyIwMdn7k0MF3L0AUCawMReg4cb0BleGFtcGxl
Lm9yZwAKCRAdn7k0MF3L0DD1AQD3VQ2no3Z41M1y8TTpspFzufxaVTBf0g93hixi
mhHRFAEAn3wEa0JTTA0dkeiGw+gdCFojjSZDKpQ/jgQ8WwrFVgo=
=xg46
-----END PGP SIGNATURE-----
";
const DOCUMENT: &[u8] = br#"{"a":1}"#;

fn check(document: &[u8], signature: &[u8], expected: Result<(), &str>) {
    let keys = PublisherKeys::of(KEY.as_bytes()).unwrap();
    let found = keys.check(document, signature).map_err(|why| why.split(':').next().unwrap_or_default().to_owned());
    assert_eq!(found, expected.map_err(str::to_owned));
}

#[test]
fn a_signature_is_right_for_its_document_and_its_key_alone() {
    const WRONG: &str = "the .asc beside it is no signature of this document by the publisher's key";
    const UNREAD: &str = "the .asc beside it holds no signature that is read";
    check(DOCUMENT, OVER_SHA512.as_bytes(), Ok(()));
    check(DOCUMENT, OVER_SHA256.as_bytes(), Ok(()));
    check(DOCUMENT, &unarmored(OVER_SHA512.as_bytes()).unwrap(), Ok(()));
    check(b"{\"a\":2}", OVER_SHA512.as_bytes(), Err(WRONG));
    check(b"{\"a\":1}\n", OVER_SHA256.as_bytes(), Err(WRONG));
    check(DOCUMENT, BY_ED25519.as_bytes(), Err(UNREAD));
    // A key file holds signatures, of the key over itself.
    check(DOCUMENT, KEY.as_bytes(), Err(UNREAD));
    check(DOCUMENT, b"", Err("this is no OpenPGP file"));
    check(DOCUMENT, b"-----BEGIN PGP SIGNATURE-----", Err("this is no OpenPGP file"));
}

#[test]
fn no_bit_of_a_signature_that_counts_can_be_changed() {
    let keys = PublisherKeys::of(KEY.as_bytes()).unwrap();
    let signature = unarmored(OVER_SHA512.as_bytes()).unwrap();
    let mut right = Vec::new();
    for at in 0..signature.len() {
        assert!(keys.check(DOCUMENT, &signature[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = signature.clone();
            changed[at] ^= 1 << bit;
            if keys.check(DOCUMENT, &changed).is_ok() {
                right.push(at);
            }
        }
    }
    // Behind the hashed subpackets: the unhashed ones with the issuer's id, the hash's first two bytes, and the number's length in bits.
    assert!(right.iter().all(|at| (55..=68).contains(at)), "{right:?}");
}

#[test]
fn a_key_file_without_an_rsa_key_is_refused() {
    for file in [ED25519_KEY.as_bytes(), OVER_SHA512.as_bytes()] {
        assert_eq!(PublisherKeys::of(file).unwrap_err(), "no OpenPGP key that is read: RSA keys of version 4 are");
    }
    assert!(PublisherKeys::of(b"\xff\xff").is_err());
}
