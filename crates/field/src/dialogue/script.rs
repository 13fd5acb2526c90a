//! For the tests of adapters: a device's side written out by hand, and what came of it as lines.

use std::time::Duration;

use nameplate_wire::conversation::{self, Over};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::story::Bare;
use super::{End, Step, With, converse};
use crate::ask::Adapter;
use crate::pacing::TimeFactor;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (near, far) = duplex(1 << 20);
        let mut near = Bare(near);
        let with = With { protocol: asked.protocol(), over, device: conversation::End::default() };
        let started = Instant::now();
        let mut lines = Vec::new();
        let client = async {
            let mut out = |step| lines.push(line(step));
            let pace = asked.pace(TimeFactor::default());
            let end = converse(&mut near, asked.dialogue().as_mut(), with, pace, &|| 77, &mut out).await;
            let took = started.elapsed();
            drop(near);
            (end, took)
        };
        let ((end, took), more) = tokio::join!(client, device(far, script));
        assert_eq!(hex(&more), "", "nothing is sent that the script does not expect");
        lines.push(match end {
            End::Answered { unasked, .. } if !unasked.is_empty() => format!("answered, not put: {}", unasked.join(" ")),
            End::Hostile { because, partial } if !partial.is_empty() => format!("hostile: {because} ({} bytes)", partial.len()),
            end => end.to_string(),
        });
        (lines, took)
    })
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
