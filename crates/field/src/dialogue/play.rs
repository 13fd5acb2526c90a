//! For the tests of adapters: a device that plays a script, and the story that an adapter makes of it.

use std::time::Duration;

use nameplate_wire::conversation::{self, Over};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::time::Instant;

use super::bare::Bare;
use super::{End, Step, With, converse};
use crate::ask::Adapter;
use crate::pacing::TimeFactor;

/// What the device's side does.
pub enum Do {
    /// Waits for exactly these bytes.
    Hear(&'static str),
    /// Sends these bytes.
    Say(&'static str),
    /// Sends these bytes one by one, so many milliseconds apart, until nobody takes them any more.
    Drip(u64, &'static str),
    /// Closes the connection.
    Close,
}

/// Hexadecimal digits to bytes.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Plays the script, then returns what was sent beyond it.
async fn device(mut stream: DuplexStream, script: &[Do]) -> Vec<u8> {
    for step in script {
        match step {
            Do::Hear(text) => {
                let mut heard = vec![0; unhex(text).len()];
                stream.read_exact(&mut heard).await.unwrap_or_else(|_| panic!("nobody asked {text}"));
                assert_eq!(heard, unhex(text), "{text}");
            }
            // Whoever has left takes nothing any more.
            Do::Say(text) => _ = stream.write_all(&unhex(text)).await,
            Do::Drip(ms, text) => {
                for byte in unhex(text) {
                    tokio::time::sleep(Duration::from_millis(*ms)).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        break;
                    }
                }
            }
            Do::Close => return Vec::new(),
        }
    }
    let mut more = Vec::new();
    stream.read_to_end(&mut more).await.expect("a duplex ends");
    more
}

/// Asks on paused time; returns the story as lines (`asked`, `read`, `stray`, then how it ended) and how long it took.
pub fn story(asked: &dyn Adapter, over: Over, script: &[Do]) -> (Vec<String>, Duration) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (near, far) = duplex(1 << 16);
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
        assert_eq!(more, b"", "nothing is sent that the script does not expect");
        lines.push(match end {
            End::Answered { unasked, .. } if !unasked.is_empty() => format!("answered, {} not put", unasked.len()),
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
            let facts: Vec<String> =
                reading.facts.iter().map(|fact| format!("{}={}", short(&fact.path), fact.bytes.escape_ascii())).collect();
            let path = reading.speaker.path.as_deref().unwrap_or("-");
            let whole = if reading.complete { "" } else { " in part" };
            format!("read {} of {path}{whole}: {}", reading.question, facts.join(" "))
        }
    }
}

/// The last word of a fact's path.
fn short(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}
