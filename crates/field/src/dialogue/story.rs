//! A device's side as a script, for the tests of adapters.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use nameplate_wire::conversation::{self, Over};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::time::Instant;

use super::{End, Peer, Step, With, converse};
use crate::ask::Adapter;
use crate::guard::Refused;
use crate::pacing::TimeFactor;

/// What the device's side does.
pub enum Do {
    /// Waits for exactly these bytes.
    Hear(&'static str),
    /// Sends these bytes.
    Say(&'static str),
    /// Sends these bytes one by one, so many milliseconds apart.
    Drip(u64, &'static str),
    /// Closes the connection.
    Close,
}
/// Bytes as people write them, with blanks where they like.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Plays the script, then returns what was sent beyond it.
async fn device(mut stream: DuplexStream, over: Over, script: &[Do]) -> Vec<u8> {
    for step in script {
        match step {
            Do::Hear(text) => {
                let mut heard = vec![0; unhex(text).len()];
                if stream.read_exact(&mut heard).await.is_err() {
                    panic!("nobody asked {text}");
                }
                assert_eq!(heard, unhex(text), "{text}");
            }
            Do::Say(text) => {
                // Whoever has left takes nothing any more.
                let _left = stream.write_all(&unhex(text)).await;
                if over == Over::Udp {
                    // A duplex knows no datagrams: each is read before the next comes.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
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
    told(asked, over, script, line)
}

/// The same with another way to tell a step.
pub fn told(asked: &dyn Adapter, over: Over, script: &[Do], line: fn(Step) -> String) -> (Vec<String>, Duration) {
    played(asked, over, |far| device(far, over, script), line, |unasked| format!("answered, {} not put", unasked.len()))
}

/// The same with a device's side of the caller's, which gives back what was sent beyond its script, and another way to tell what was not put.
pub fn played<D: Future<Output = Vec<u8>>>(
    asked: &dyn Adapter,
    over: Over,
    device: impl FnOnce(DuplexStream) -> D,
    line: fn(Step) -> String,
    not_put: fn(&[&str]) -> String,
) -> (Vec<String>, Duration) {
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
        let ((end, took), more) = tokio::join!(client, device(far));
        assert_eq!(more, b"", "nothing is sent that the script does not expect");
        lines.push(match end {
            End::Answered { unasked, .. } if !unasked.is_empty() => not_put(&unasked),
            End::Hostile { because, partial } if !partial.is_empty() => format!("hostile: {because} ({} bytes)", partial.len()),
            end => end.to_string(),
        });
        (lines, took)
    })
}

fn line(step: Step) -> String {
    match step {
        Step::Sent { question, bytes } => format!("asked {question} {}", bytes.len()),
        Step::Stray { malformed, .. } => format!("stray: {malformed}"),
        Step::Reading(reading) => {
            assert!(reading.messages.iter().all(|message| message.frame == 0 && message.time_ns == 77), "the clock is the caller's");
            let facts = reading.facts.iter().filter(|fact| fact.path != "modbus.conformity");
            let facts: Vec<String> = facts.map(|fact| format!("{}={}", fact.path, fact.bytes.escape_ascii())).collect();
            let whole = if reading.complete { "whole" } else { "in part" };
            format!("read {} {whole}: {}", reading.question, facts.join(" "))
        }
    }
}

/// A line without a guard, so that what is put is seen as it was meant.
pub(super) struct Bare(pub(super) DuplexStream);

impl Peer for Bare {
    fn is_waiting(&self) -> bool {
        false
    }

    fn time_out(&mut self) -> Result<(), Refused> {
        Ok(())
    }

    fn shown(&self, message: &[u8]) -> Vec<u8> {
        message.to_vec()
    }
}

impl AsyncRead for Bare {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Bare {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
