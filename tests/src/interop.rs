//! A server that we did not write, asked by the product, and read three times: by the product live, by the product from the recording, and by tshark.
//! Of a serial line there is no recording: there the product reads the evidence of what was said, again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::personas::Persona;
use crate::product::{Claim, Ended, Product, State, code};
use crate::record::{self, Recording};
use crate::referee;
use crate::rig::{self, Kind, Server};

/// One server, asked in one protocol.
pub struct Interop<'a> {
    /// Which server.
    pub kind: Kind,
    /// What it is told to be.
    pub persona: &'a Persona,
    /// The word behind `--via`.
    pub via: &'a str,
    /// What stands behind the target's slash; empty where nothing does.
    pub station: String,
    /// Further words of the command line.
    pub more: Vec<String>,
    /// The protocol that a recording on another port is decoded as; it is the product's name of it.
    pub protocol: &'a str,
    /// Settings of the environment: secrets.
    pub environment: Vec<(&'a str, String)>,
}

/// What came of it.
pub struct Exchange {
    /// The command.
    pub ended: Ended,
    /// What it claimed, as (field, value).
    pub said: BTreeSet<(String, String)>,
    /// What the product claims of the recording of that very exchange; on a serial line, of the evidence of it.
    pub heard: BTreeSet<(String, String)>,
    /// The recording; empty on a serial line.
    pub file: PathBuf,
    /// Where the server was.
    pub port: u16,
    /// The state that the run wrote.
    pub state: State,
}

impl Interop<'_> {
    /// A server without further words.
    #[must_use]
    pub fn new<'a>(kind: Kind, persona: &'a Persona, via: &'a str, station: impl ToString) -> Interop<'a> {
        let (station, more, environment) = (station.to_string(), Vec::new(), Vec::new());
        Interop { kind, persona, via, station, more, protocol: via, environment }
    }

    /// Starts the server, asks it once, lets the referee judge what left, and listens to the recording.
    ///
    /// # Panics
    /// Where something else left than may.
    #[must_use]
    pub fn ask(&self, product: &Product) -> Exchange {
        let server = rig::start(self.kind, self.persona).expect("a server");
        let state = State::new();
        if server.line.is_some() {
            let ended = self.run(product, &server, &state);
            let said = pairs(&if ended.out.is_empty() { Vec::new() } else { ended.claims() });
            let heard = if reads_again(product, &state) { said.clone() } else { BTreeSet::new() };
            return Exchange { heard, ended, said, file: PathBuf::new(), port: 0, state };
        }
        let recording =
            Recording::of(&format!("host {} and ({})", server.address, referee::recorded(self.via, server.port))).expect("a recording");
        let ended = self.run(product, &server, &state);
        let file = recording.stop().expect("a capture");
        if referee::knows(self.via) {
            referee::judge(&file, self.via, &[server.port]).unwrap_or_else(|why| panic!("{:?}: {why}", self.kind));
        }
        let said = pairs(&if ended.out.is_empty() { Vec::new() } else { ended.claims() });
        let heard = pairs(&self.listen(product, &file, server.port));
        Exchange { ended, said, heard, file, port: server.port, state }
    }

    fn run(&self, product: &Product, server: &Server, state: &State) -> Ended {
        let behind = if self.station.is_empty() { String::new() } else { format!("/{}", self.station) };
        let place = server.line.as_ref().map_or_else(|| format!("{}:{}", server.address, server.port), |line| serial(line));
        let target = format!("{place}{behind}");
        let mut words = vec!["--format".to_owned(), "claims".to_owned(), "--via".to_owned(), self.via.to_owned(), target];
        words.extend(self.more.iter().cloned());
        product.ask_with(state, &words, &self.environment)
    }

    fn listen(&self, product: &Product, file: &Path, port: u16) -> Vec<Claim> {
        let file = file.to_string_lossy().into_owned();
        let decode = format!("{port}={}", self.protocol);
        product.run(["listen", &file, "--format", "claims", "--decode-as", &decode]).claims()
    }

    /// Holds what was said against what the server serves, prints a row a field, and fails where one is not exact.
    ///
    /// # Panics
    /// Where a value differs, something else was claimed, or the recording says otherwise.
    pub fn exact(&self, product: &Product, served: &[(&str, &str)]) -> Exchange {
        let exchange = self.ask(product);
        let served: BTreeSet<(String, String)> = served.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
        for (field, value) in served.union(&exchange.said) {
            let one = (field.clone(), value.clone());
            let verdict = match (served.contains(&one), exchange.said.contains(&one)) {
                (true, true) => "exact",
                (true, false) => "NOT SAID",
                _ => "NOT SERVED",
            };
            println!("{:?} | {} | {field} | {value} | {verdict}", self.kind, self.via);
        }
        assert_eq!(exchange.said, served, "{:?} over {}\n{}", self.kind, self.via, exchange.ended.err);
        assert_eq!(exchange.heard, served, "{:?} over {}: heard in the recording {}", self.kind, self.via, exchange.file.display());
        exchange
    }
}

/// A line as a target. The pseudo-terminal behind the rig's link is one that may be asked faster.
fn serial(line: &Path) -> String {
    format!("serial:{}@19200-8N1", std::fs::canonicalize(line).expect("a line").display())
}

/// Whether the bytes in the evidence of the one device that a state holds say again what was claimed.
fn reads_again(product: &Product, state: &State) -> bool {
    let (place, bundle) = (state.text(), state.path().join("again.evidence").to_string_lossy().into_owned());
    let devices = product.run(["devices", "--format", "ndjson", "--state", &place]).expect(code::DONE);
    let device: serde_json::Value = serde_json::from_str(devices.out.lines().next().expect("a device")).expect("JSON");
    let id = device["id"].as_str().expect("an id");
    product.run(["evidence", "export", id, "--out", &bundle, "--state", &place]).expect(code::DONE);
    product.run(["evidence", "verify", &bundle]).out.contains("the same claims again: 1 reading, ")
}

fn pairs(claims: &[Claim]) -> BTreeSet<(String, String)> {
    claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect()
}

/// What is needed for a server of this kind.
///
/// # Errors
/// What is missing, and what installs it.
pub fn ready(kind: Kind) -> Result<Product, String> {
    rig::available_for(kind).and_then(|()| record::available()).and_then(|()| Product::find())
}
