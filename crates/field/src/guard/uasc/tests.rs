//! Keys and codes of others; what is sealed and opened is our own both ways, and changed in each bit. Servers of others: the interop tests.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

fn identity() -> Identity {
    Identity::make("urn:nameplate:client", 1_700_000_000).expect("a key")
}

#[test]
fn keys_are_derived_as_tls_derives_them() {
    // P_SHA256 as computed by Python's hmac; secret and seed as in the vectors that the TLS working group passed round.
    let secret = bytes("9bbe436ba940f017b17652849a71db35");
    let seed = [&b"test label"[..], &bytes("a0ba9f936cda311827a6f796ffd5198c")].concat();
    let made = Policy::derive(&secret, &seed, 40).expect("keys");
    assert_eq!(made, bytes("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9"));
}

#[test]
fn blocks_are_encrypted_as_nist_does() {
    // SP 800-38A, F.2.1 and F.2.5.
    let (iv, plain) = (bytes("000102030405060708090a0b0c0d0e0f"), bytes("6bc1bee22e409f96e93d7e117393172a"));
    let table = [
        (Policy::Aes128Sha256RsaOaep, "2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"),
        (Policy::Basic256Sha256, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "f58c4c04d6e5f1ba779eabfb5f7bfbd6"),
    ];
    for (policy, key, sealed) in table {
        let mut block = plain.clone();
        policy.cipher(&bytes(key), &iv, true, &mut block).expect("a block");
        assert_eq!(block, bytes(sealed));
        policy.cipher(&bytes(key), &iv, false, &mut block).expect("a block");
        assert_eq!(block, plain);
        assert!(policy.cipher(&bytes(key), &iv, true, &mut [0; 15]).is_err(), "no whole block");
    }
}

#[test]
fn a_certificate_holds_its_key_and_is_read_back() {
    let made = identity();
    let again = Identity::read(made.certificate(), &made.key_pem().expect("a key")).expect("the same");
    assert_eq!(again, made);
    assert_eq!((thumbprint(made.certificate()).len(), fingerprint(made.certificate()).len()), (20, 32));
    assert!(made.certificate().windows(20).any(|window| window == b"urn:nameplate:client"));
    assert!(Identity::read(identity().certificate(), &made.key_pem().expect("a key")).is_err(), "of another key");
    for cut in 0..made.certificate().len() {
        let _none_or_whole = public_key(&made.certificate()[..cut]);
    }
    assert!(public_key(&made.certificate()[..100]).is_err() && public_key(b"").is_err());
}

/// A chunk with headers of 16 bytes.
fn message(content: usize) -> Vec<u8> {
    [&b"MSGF"[..], &u32::try_from(16 + content).expect("short").to_le_bytes(), &[6; 8], &vec![0x5a; content]].concat()
}

#[test]
fn what_is_sealed_is_opened_by_the_other_side_and_by_nobody_else() {
    let (us, server) = (identity(), identity());
    for (policy, encrypted) in Policy::ALL.into_iter().flat_map(|policy| [(policy, false), (policy, true)]) {
        let near = Sealer::new(policy, encrypted, us.clone(), server.certificate()).expect("a key");
        let far = Sealer::new(policy, encrypted, server.clone(), us.certificate()).expect("a key");
        let (ours, theirs) = ([1; 32], [2; 32]);
        let (near_keys, far_keys) = (near.keys(&ours, &theirs).expect("keys"), far.keys(&theirs, &ours).expect("keys"));
        for content in [8, 9, 23, 24, 25, 300] {
            let plain = message(content);
            let sealed = near.seal(&near_keys, &plain).expect("sealed");
            assert_eq!(sealed.windows(8).any(|window| window == [0x5a; 8]), !encrypted);
            assert_eq!(far.open(&far_keys, &sealed).as_deref(), Ok(&plain[..]));
            assert!(near.open(&near_keys, &sealed).is_err(), "what we said comes back to us");
        }
        let sealed = near.seal(&near_keys, &message(30)).expect("sealed");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(far.open(&far_keys, &changed).is_err(), "byte {at}");
            assert!(far.open(&far_keys, &sealed[..at]).is_err(), "cut after {at}");
        }
        assert!(near.keys(&ours, &[2; 31]).is_err(), "a short nonce");
    }
}

#[test]
fn a_channel_is_opened_by_the_server_that_is_trusted_and_for_us_alone() {
    let (us, server, stranger) = (identity(), identity(), identity());
    let text = |bytes: &[u8]| [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
    for policy in Policy::ALL {
        let near = Sealer::new(policy, true, us.clone(), server.certificate()).expect("a key");
        let headers = |from: &Identity, to: &Identity| {
            let named = [text(policy.uri().as_bytes()), text(from.certificate()), text(&thumbprint(to.certificate()))].concat();
            [&b"OPNF\0\0\0\0\x07\0\0\0"[..], &named].concat()
        };
        let from = |identity: &Identity, to: &Identity| {
            let head = headers(identity, to);
            let sealer = Sealer::new(policy, true, identity.clone(), to.certificate()).expect("a key");
            sealer.seal_open(&[&head[..], &[0x5a; 90]].concat(), head.len()).expect("sealed")
        };
        let sound = from(&server, &us);
        let plain = near.open_open(&sound).expect("of the server, for us");
        assert!(plain.ends_with(&[0x5a; 90]));
        assert!(near.open_open(&from(&stranger, &us)).is_err(), "{policy:?}: of a stranger");
        assert!(near.open_open(&from(&server, &stranger)).is_err(), "{policy:?}: for a stranger");
        // The stranger says that he is the server.
        let head = headers(&server, &us).len();
        let forged = [&sound[..head], &from(&stranger, &us)[headers(&stranger, &us).len()..]].concat();
        assert!(near.open_open(&forged).is_err(), "{policy:?}: forged");
        for at in [0, 5, 9, 20, head - 1, head, sound.len() - 1] {
            let mut changed = sound.clone();
            changed[at] ^= 1;
            assert!(near.open_open(&changed).is_err(), "{policy:?}: byte {at}");
        }
        for cut in (0..sound.len()).step_by(7) {
            assert!(near.open_open(&sound[..cut]).is_err(), "{policy:?}: cut after {cut}");
        }
    }
}
