//! Time stamps by an authority that we did not write: `openssl ts`.

use std::path::{Path, PathBuf};
use std::process::Command;

use nameplate::stamp::{Certificate, Stamped, request, verify};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};

use crate::mutate::Stock;

/// The authority's settings, and those of the one that makes its certificate.
const SETTINGS: &str = "[tsa]
default_tsa = t
[t]
serial = serial
signer_digest = DIGEST
default_policy = 1.2.3.4.1
digests = TAKES
ess_cert_id_chain = no
ess_cert_id_alg = NAMES
[ca]
default_ca = c
[c]
database = index
new_certs_dir = .
serial = certificates
default_md = sha256
policy = p
unique_subject = no
x509_extensions = e
[p]
commonName = supplied
[e]
PURPOSE
";

/// An authority: how it signs, and what its certificate says.
#[derive(Clone, Copy)]
struct Authority {
    name: &'static str,
    key: &'static [&'static str],
    digest: &'static str,
    takes: &'static str,
    names: &'static str,
    purpose: &'static str,
    until: &'static str,
}

const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];

const USUAL: Authority = Authority {
    name: "RSA with SHA-256",
    key: RSA,
    digest: "sha256",
    takes: "sha256",
    names: "sha256",
    purpose: "extendedKeyUsage = critical,timeStamping",
    until: "20991231235959Z",
};

/// Runs openssl in a folder.
fn openssl(folder: &Path, words: &[&str]) -> bool {
    let output = Command::new("openssl").current_dir(folder).args(words).output().expect("openssl runs");
    output.status.success()
}

impl Authority {
    /// Its certificate, and its answer to a question.
    fn answer(&self, state: &State, question: &[u8]) -> (Vec<u8>, PathBuf) {
        let settings = [("DIGEST", self.digest), ("TAKES", self.takes), ("NAMES", self.names), ("PURPOSE", self.purpose)];
        let settings = settings.iter().fold(SETTINGS.to_owned(), |text, (place, word)| text.replace(place, word));
        let folder = state.path();
        for (file, text) in
            [("settings", settings.as_bytes()), ("serial", b"0a"), ("certificates", b"01"), ("index", b""), ("q.tsq", question)]
        {
            state.file(file, text);
        }
        assert!(openssl(folder, &[&["genpkey", "-out", "key.pem"], self.key].concat()), "{}", self.name);
        assert!(openssl(folder, &["req", "-new", "-key", "key.pem", "-subj", "/CN=A clock", "-out", "csr.pem"]), "{}", self.name);
        let dates = ["-startdate", "20200101000000Z", "-enddate", self.until, "-out", "certificate.pem"];
        let sign = ["ca", "-batch", "-notext", "-selfsign", "-config", "settings", "-keyfile", "key.pem", "-in", "csr.pem"];
        assert!(openssl(folder, &[&sign[..], &dates].concat()), "{}", self.name);
        let reply = ["ts", "-reply", "-config", "settings", "-queryfile", "q.tsq", "-signer", "certificate.pem", "-inkey", "key.pem"];
        openssl(folder, &[&reply[..], &["-out", "r.tsr"]].concat());
        (std::fs::read(folder.join("r.tsr")).unwrap_or_default(), folder.join("certificate.pem"))
    }
}

fn certificate(path: &Path) -> Result<Certificate, String> {
    Certificate::read(&std::fs::read(path).expect("a certificate"))
}

fn has_openssl() -> Result<(), String> {
    let there = Command::new("openssl").args(["ts", "-help"]).output().is_ok_and(|output| output.status.success());
    if there { Ok(()) } else { Err("no openssl (Debian: openssl)".to_owned()) }
}

#[test]
fn a_stamp_of_an_authority_that_we_did_not_write_is_believed() {
    if needed("a_stamp_of_an_authority_that_we_did_not_write_is_believed", has_openssl()).is_none() {
        return;
    }
    let note = "a checkpoint\n";
    let authorities = [
        USUAL,
        Authority { name: "RSA with SHA-384", digest: "sha384", ..USUAL },
        Authority { name: "RSA with SHA-512", digest: "sha512", names: "sha512", ..USUAL },
        Authority { name: "named by SHA-1", names: "sha1", ..USUAL },
        Authority { name: "P-256", key: P256, ..USUAL },
        Authority { name: "P-256 with SHA-384", key: P256, digest: "sha384", names: "sha384", ..USUAL },
        Authority { name: "P-384", key: P384, digest: "sha384", ..USUAL },
    ];
    for authority in authorities {
        let state = State::new();
        let (answer, path) = authority.answer(&state, &request(note));
        let ours = certificate(&path).unwrap_or_else(|why| panic!("{}: {why}", authority.name));
        let Stamped { time, serial } = verify(&answer, &ours, note.as_bytes()).unwrap_or_else(|why| panic!("{}: {why}", authority.name));
        assert!(serial == "0b" && time.starts_with("20"), "{}: {serial}, {time}", authority.name);
        // Its own verifier agrees.
        let words = ["ts", "-verify", "-in", "r.tsr", "-queryfile", "q.tsq", "-CAfile", "certificate.pem"];
        assert!(openssl(state.path(), &words), "{}", authority.name);
        assert_eq!(verify(&answer, &ours, b"another checkpoint\n"), Err("it stamps something else than this checkpoint".to_owned()));
    }
}

#[test]
fn an_answer_that_is_not_quite_one_is_refused() {
    if needed("an_answer_that_is_not_quite_one_is_refused", has_openssl()).is_none() {
        return;
    }
    let note = "a checkpoint\n";
    let refused = |authority: Authority| {
        let state = State::new();
        let (answer, path) = authority.answer(&state, &request(note));
        certificate(&path).and_then(|ours| verify(&answer, &ours, note.as_bytes())).expect_err(authority.name)
    };
    for (authority, says) in [
        (Authority { name: "does not take the hash", takes: "sha512", ..USUAL }, "the authority did not stamp it: status 02"),
        (Authority { name: "its certificate is over", until: "20210101000000Z", ..USUAL }, "certificate did not hold at"),
    ] {
        let said = refused(authority);
        assert!(said.contains(says), "{}: {said}", authority.name);
    }
    for (purpose, says) in [
        ("extendedKeyUsage = critical,timeStamping,serverAuth", "not for time stamps alone"),
        ("extendedKeyUsage = timeStamping", "not for time stamps alone"),
        ("extendedKeyUsage = critical,serverAuth", "not for time stamps alone"),
        ("basicConstraints = CA:FALSE", "does not say that it is for time stamps"),
    ] {
        // Such a one openssl does not sign with; its certificate is refused before the answer is looked at.
        let state = State::new();
        let (_, path) = Authority { name: purpose, purpose, ..USUAL }.answer(&state, &request(note));
        let said = certificate(&path).expect_err(purpose);
        assert!(said.contains(says), "{purpose}: {said}");
    }
    let (state, elsewhere) = (State::new(), State::new());
    let (answer, path) = USUAL.answer(&state, &request(note));
    let (_, other) = USUAL.answer(&elsewhere, &request(note));
    let ours = certificate(&path).expect("a certificate");
    let told = verify(&answer, &ours, note.as_bytes()).expect("a stamp");
    assert!(verify(&answer, &certificate(&other).expect("a certificate"), note.as_bytes()).is_err(), "another authority's");
    let mut passed = 0;
    for at in 0..answer.len() {
        assert!(verify(&answer[..at], &ours, note.as_bytes()).is_err(), "cut after {at} bytes");
        let mut changed = answer.clone();
        changed[at] ^= 0x11;
        // Status texts and certificates that come along are not looked at; what is said stays the same.
        match verify(&changed, &ours, note.as_bytes()) {
            Ok(said) => {
                passed += 1;
                assert_eq!(said, told, "byte {at}");
            }
            Err(why) => assert!(!why.is_empty()),
        }
    }
    let pem = std::fs::read_to_string(&path).expect("a certificate");
    let certificate_bytes = pem.lines().filter(|line| !line.starts_with('-')).map(str::len).sum::<usize>() * 3 / 4;
    // And the lists of algorithms and versions around it.
    assert!(passed < certificate_bytes + 64, "{passed} of {}", answer.len());
    assert!(verify(&[&answer[..], b"\0"].concat(), &ours, note.as_bytes()).is_err(), "a byte behind it");
}

#[test]
fn a_bundle_is_stamped_without_a_network() {
    let test = "a_bundle_is_stamped_without_a_network";
    let Some(product) = needed(test, Product::find().and_then(|product| has_openssl().map(|()| product))) else { return };
    let (stock, state) = (Stock::new(), State::new());
    let pinned = stock.log.key.fingerprint();
    let bundles: Vec<String> = (0..2)
        .map(|at| state.file(&format!("{at}.evidence"), stock.log.bundle(&stock.subjects[at].0, &stock.subjects[at].1).bytes()))
        .collect();
    let question = state.path().join("question.tsq").to_string_lossy().into_owned();
    product.run(["evidence", "stamp", &bundles[0], "--request", &question]).expect(code::DONE);
    product.run(["evidence", "stamp", &bundles[0], "--request", &question]).expect(code::INPUT);
    let (_, authority) = USUAL.answer(&state, &std::fs::read(&question).expect("a question"));
    let [answer, authority] = [state.path().join("r.tsr"), authority].map(|path| path.to_string_lossy().into_owned());
    let verify = |bundle: &str, authority: &str| {
        product.run(["evidence", "verify", bundle, "--key", &pinned, "--stamp", &answer, "--authority", authority])
    };
    let ended = verify(&bundles[0], &authority).expect(code::DONE);
    assert!(ended.out.contains("authentic: ") && ended.out.contains("time stamp: the log of "), "{}", ended.out);
    assert!(verify(&bundles[1], &authority).expect(code::FAILED).err.contains("something else"));
    assert!(verify(&bundles[0], &question).expect(code::FAILED).err.contains("certificate"));
    product.run(["evidence", "verify", &bundles[0], "--stamp", &answer]).expect(code::USAGE);
}
