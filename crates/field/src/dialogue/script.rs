//! For the tests of adapters: a device's side written out by hand, and what came of it as lines.

use std::time::Duration;

use nameplate_wire::conversation::Over;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::Step;
use super::story::played;
use crate::ask::Adapter;

/// What the device's side does.
pub enum Do {
    /// Waits for exactly these bytes.
    Hear(String),
    /// Sends these bytes.
    Say(String),
    /// Does nothing for so many milliseconds.
    Wait(u64),
    /// Closes the connection.
    Close,
}

/// Bytes of hex digits; blanks are for the reader.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Hex digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Plays the script, then returns what was sent beyond it.
async fn device(mut stream: DuplexStream, script: &[Do]) -> Vec<u8> {
    for step in script {
        match step {
            Do::Hear(text) => {
                let mut heard = vec![0; bytes(text).len()];
                if stream.read_exact(&mut heard).await.is_err() {
                    panic!("nobody said {text}");
                }
                assert_eq!(hex(&heard), hex(&bytes(text)));
            }
            // Whoever asked may have left.
            Do::Say(text) => drop(stream.write_all(&bytes(text)).await),
            Do::Wait(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Do::Close => return Vec::new(),
        }
    }
    let mut more = Vec::new();
    stream.read_to_end(&mut more).await.expect("a duplex ends");
    more
}

/// Asks on paused time; returns the story as lines (`asked`, `read`, `stray`, then how it ended) and how long it took.
pub fn story(asked: &dyn Adapter, over: Over, script: &[Do]) -> (Vec<String>, Duration) {
    played(asked, over, |far| device(far, script), line, |unasked| format!("answered, not put: {}", unasked.join(" ")))
}

fn line(step: Step) -> String {
    match step {
        Step::Sent { question, .. } => format!("asked {question}"),
        Step::Stray { malformed, .. } => format!("stray: {malformed}"),
        Step::Reading(reading) => {
            assert!(reading.messages.iter().all(|message| message.frame == 0 && message.time_ns == 77), "the clock is the caller's");
            let facts: Vec<String> = reading.facts.iter().map(|fact| format!("{}={}", fact.path, fact.bytes.escape_ascii())).collect();
            let whole = if reading.complete { "whole" } else { "in part" };
            format!("read {} {whole}: {}", reading.question, facts.join(" "))
        }
    }
}
