//! What every decoder's tests ask of its identity messages: one that is cut tells the same or less.

use crate::Reading;
use crate::conversation::{Over, Protocol};

/// Path and bytes of every fact, as text.
pub fn facts(readings: &[Reading]) -> Vec<(String, String)> {
    readings.iter().flat_map(|reading| &reading.facts).map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
}

/// What the messages tell; every prefix of the last of them tells a part of it.
pub fn told(protocol: &Protocol, over: Over, messages: &[&[u8]]) -> Vec<(String, String)> {
    let read = |messages: &[&[u8]]| facts(&protocol.replay(over, [], messages.iter().copied()));
    let whole = read(messages);
    if let Some((last, before)) = messages.split_last() {
        for cut in 0..last.len() {
            let shorter = [before, &[&last[..cut]]].concat();
            let part = read(&shorter);
            assert!(part.iter().all(|fact| whole.contains(fact)), "cut after {cut} bytes: {part:?}, whole {whole:?}");
        }
    }
    whole
}

/// [`told`], and it is exactly this.
pub fn check(protocol: &Protocol, over: Over, messages: &[&[u8]], expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    assert_eq!(told(protocol, over, messages), expected);
}
