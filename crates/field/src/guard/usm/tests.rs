//! Keys and codes are those of the RFCs' own appendices. Whole messages are tried against agents of others (tests/tests/ask_snmp.rs).

use super::crypto::Key;
use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// RFC 3414, A.3.2.
#[test]
fn a_password_becomes_the_key_of_the_standard() {
    let engine = unhex("000000000000000000000002");
    assert_eq!(Auth::Sha1.key_of(b"maplesyrup"), unhex("9fb5cc0381497b3793528939ff788d5d79145211"));
    let key = Key::of(Auth::Sha1, &Secret::new("maplesyrup"));
    assert_eq!(key.localised(&engine), unhex("6695febc9288e36282235fc7151f128497b38f3f"));
}

/// RFC 2202, 3, test case 2, and RFC 4231, 4.3, shortened as RFC 7860, 4.2.2 says.
#[test]
fn messages_are_authenticated_as_the_standards_say() {
    let check = |auth: Auth, expected: &str| {
        assert_eq!(mac(b"Jefe", auth, b"what do ya want for nothing?"), Ok(unhex(expected)), "{auth:?}");
    };
    check(Auth::Sha1, "effcdf6ae5eb2fa2d27416d5");
    check(Auth::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f");
    check(Auth::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d273983");
    check(Auth::Sha384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e");
    check(Auth::Sha512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd");
}

/// A plain message of this user to the engine of RFC 3414's example, as the adapter writes it.
fn plain(user: &User, tag: u8) -> Vec<u8> {
    let engine = unhex("000000000000000000000002");
    let (mac_bytes, salt_bytes) = user.placeholders();
    let header = element(0x30, &[&unhex("02044e500001 020300ffe3 0401")[..], &[user.flags()], &[2, 1, 3]].concat());
    let names = [
        element(4, &engine),
        unhex("020107 02020100"),
        element(4, &user.name),
        element(4, &vec![0; mac_bytes]),
        element(4, &vec![0; salt_bytes]),
    ];
    let pdu = element(tag, &unhex("02044e500001 020100 020100 300e 300c06082b060102010101000500"));
    let scoped = element(0x30, &[element(4, &engine), element(4, b""), pdu].concat());
    element(0x30, &[unhex("020103"), header, element(4, &element(0x30, &names.concat())), scoped].concat())
}

fn users() -> Vec<User> {
    let (secret, hidden) = (Secret::new("maplesyrup"), Secret::new("quite hidden"));
    let mut users = vec![User::new("ot", 7)];
    for auth in [Auth::Sha1, Auth::Sha224, Auth::Sha256, Auth::Sha384, Auth::Sha512] {
        users.push(User::new("ot", 7).authenticated(auth, &secret));
        for privacy in [Privacy::Aes128, Privacy::Aes192, Privacy::Aes256, Privacy::Aes192Reeder, Privacy::Aes256Reeder] {
            users.push(User::new("ot", 7).authenticated(auth, &secret).encrypted(privacy, &hidden));
        }
    }
    users
}

#[test]
fn what_is_sealed_can_be_opened_and_nothing_that_was_changed() {
    for user in users() {
        let question = plain(&user, 0xa0);
        let engine = Engine::of(&question);
        let sealed = user.seal(&question, 1).expect("it is sealed");
        let opened = user.open(&sealed, engine.as_ref()).expect("it is opened");
        let scoped = |message: &[u8]| message[Frame::read(message).expect("a message").scoped].to_vec();
        assert_eq!(scoped(&opened), scoped(&question), "{user:?}");
        let object = unhex("06082b06010201010100");
        let shows = |message: &[u8]| message.windows(object.len()).any(|window| window == object);
        assert_eq!(shows(&sealed), user.flags() & ENCRYPTED == 0, "{user:?}");
        if user.flags() & AUTHENTICATED != 0 {
            for at in 0..sealed.len() {
                let mut other = sealed.clone();
                other[at] ^= 1;
                assert!(user.open(&other, engine.as_ref()).is_err(), "{user:?}, byte {at}");
                assert!(user.open(&sealed[..at], engine.as_ref()).is_err(), "{user:?}, cut at {at}");
            }
        }
        assert_ne!(user.seal(&question, 2) == Ok(sealed), user.flags() & ENCRYPTED != 0, "each message has a salt of its own");
    }
}

#[test]
fn an_answer_is_as_well_protected_as_its_question() {
    let [open, authenticated, encrypted] = [0, 13, 14].map(|at| users()[at].clone());
    let engine = Engine::of(&plain(&open, 0xa0));
    let says = |user: &User, message: &[u8]| user.open(message, engine.as_ref()).map(|_| ());
    let sealed = |user: &User, tag| user.seal(&plain(user, tag), 1).expect("it is sealed");
    assert_eq!(says(&open, &sealed(&open, 0xa2)), Ok(()));
    assert!(says(&authenticated, &sealed(&open, 0xa2)).is_err());
    assert!(says(&encrypted, &sealed(&authenticated, 0xa2)).is_err());
    // A flag alone protects nothing.
    let mut flagged = plain(&open, 0xa2);
    flagged[19] = 7;
    assert!(says(&encrypted, &flagged).is_err() && says(&open, &flagged).is_err());
    // Reports say what is wrong with the question, so they may be plain.
    assert_eq!(says(&encrypted, &sealed(&open, 0xa8)), Ok(()));
    assert_eq!(says(&encrypted, &sealed(&authenticated, 0xa8)), Ok(()));
}

#[test]
fn an_answer_of_another_engine_or_time_does_not_count() {
    let user = users()[13].clone();
    let sealed = user.seal(&plain(&user, 0xa2), 1).expect("it is sealed");
    let known = Engine::of(&sealed).expect("an engine");
    assert_eq!((known.boots, known.time), (7, 256));
    let check = |engine: Option<Engine>, is_right| assert_eq!(user.open(&sealed, engine.as_ref()).is_ok(), is_right, "{engine:?}");
    check(Some(known.clone()), true);
    check(Some(Engine { time: 256 + 150, ..known.clone() }), true);
    check(Some(Engine { time: 256 + 151, ..known.clone() }), false);
    check(Some(Engine { boots: 6, ..known.clone() }), false);
    check(Some(Engine { id: vec![1; 12], ..known }), false);
    check(None, false);
}

#[test]
fn no_print_shows_a_key() {
    let user = users()[14].clone();
    assert_eq!(format!("{user:?}"), "User(ot, Some(Sha256), Some(Aes128))");
}
