//! Syslog: one connection for as long as it lasts, a message an event, in the order of the ledger.
//!
//! Sources: RFC 5424 clause 6 (the message), RFC 5425 clause 4.3 (octets counted, over TLS), RFC 6587 clause 3.4.1 (the same without).
//!
//! Syslog has no answer, so nobody says what was stored. A message counts as told when the connection has stood for [`SETTLED_SECONDS`] behind it; what was sent later on a
//! connection that ended is sent again. So a receiver that is restarted, or dies, loses nothing that it had not put away within that time, and may have some twice, under one id.

use std::collections::VecDeque;
use std::time::Duration;

use nameplate_core::observation::rfc3339;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::courier::{Post, Trouble};
use super::dial::{Line, dial};
use super::event::Outward;
use crate::print::json_line;

/// So long a connection has stood behind a message before that counts as told.
const SETTLED_SECONDS: Duration = Duration::from_secs(10);
/// A receiver that takes nothing for so long is not there.
const TAKEN_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Facility local0 (RFC 5424, table 1).
const FACILITY: u8 = 16;
/// Severities (RFC 5424, table 2).
const WARNING: u8 = 4;
const NOTICE: u8 = 5;
/// What happened to a device that somebody should look at.
const TO_LOOK_AT: [&str; 4] = ["device.firmware-changed", "device.device-swapped", "device.module-swapped", "device.done-to"];
/// Longest message: RFC 5424 wants 2,048 to be taken, and rsyslog takes 8,096 where nobody says otherwise.
const MESSAGE_BYTES_MAX: usize = 8_000;
/// Longest `MSGID` (RFC 5424, 6).
const MSGID_BYTES_MAX: usize = 32;

/// Tells a target of events until it is over: nothing, or why it is not.
///
/// # Errors
/// Why it cannot go on now.
pub async fn tell(post: &mut Post<'_>) -> Result<(), Trouble> {
    let mut line = dial(post.house, post.target).await.map_err(Trouble::of)?;
    // Behind what was settled: all else may not have been put away.
    let mut next = post.next();
    // Which entries are sent, how many events that were, and since when.
    let mut sent: VecDeque<(u64, u64, Instant)> = VecDeque::new();
    let mut size = post.house.size.subscribe();
    let mut byte = [0_u8; 1];
    // Whoever wants it elsewhere begins with a new connection.
    while !post.is_wanted_elsewhere() {
        let known = *size.borrow_and_update();
        let is_more = if next < known {
            let batch = post.since(next).await?;
            send(&mut line, post, &batch.events).await?;
            sent.push_back((batch.next, batch.events.len() as u64, Instant::now()));
            next = batch.next;
            batch.is_more
        } else {
            false
        };
        settle(post, &mut sent)?;
        if is_more {
            continue;
        }
        let settles = sent.front().map(|(.., since)| *since + SETTLED_SECONDS);
        tokio::select! {
            () = post.over() => {
                // Goodbye; what is not settled is told again by the next.
                let _ = timeout(TAKEN_SECONDS_MAX, line.shutdown()).await;
                return Ok(());
            }
            () = post.moved() => {}
            Ok(()) = size.changed() => {}
            () = sleep_until(settles.unwrap_or_else(Instant::now)), if settles.is_some() => {}
            // A receiver says nothing; what comes is its end.
            read = line.read(&mut byte) => match read {
                Ok(1..) => {}
                Ok(0) => return Err(Trouble::of("the receiver closed the connection".to_owned())),
                Err(e) => return Err(Trouble::of(e.to_string())),
            }
        }
    }
    Ok(())
}

/// What stood long enough is told.
fn settle(post: &mut Post<'_>, sent: &mut VecDeque<(u64, u64, Instant)>) -> Result<(), Trouble> {
    let (mut next, mut told) = (None, 0);
    while let Some((end, count, _)) = sent.front().filter(|(.., since)| since.elapsed() >= SETTLED_SECONDS) {
        (next, told) = (Some(*end), told + count);
        sent.pop_front();
    }
    next.map_or(Ok(()), |next| post.told(next, told).map_err(|failure| Trouble::of(failure.to_string())))
}

async fn send(line: &mut Box<dyn Line>, post: &Post<'_>, events: &[Outward]) -> Result<(), Trouble> {
    let mut bytes = Vec::new();
    for event in events {
        let message = message(event, post.origin(), &post.site(), &post.host);
        bytes.extend_from_slice(format!("{} {message}", message.len()).as_bytes());
    }
    let written = async {
        line.write_all(&bytes).await?;
        line.flush().await
    };
    match timeout(TAKEN_SECONDS_MAX, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(Trouble::of(e.to_string())),
        Err(_) => Err(Trouble::of(format!("the receiver took nothing for {TAKEN_SECONDS_MAX:?}"))),
    }
}

/// The message of an event: `MSG` is a JSON object in ASCII, with what stands in a CloudEvent but for the device as it is now.
fn message(event: &Outward, origin: &str, site: &str, host: &str) -> String {
    let severity = if TO_LOOK_AT.contains(&event.kind.as_str()) { WARNING } else { NOTICE };
    let id: String = event.kind.chars().take(MSGID_BYTES_MAX).collect();
    let head = format!("<{}>1 {} {host} nameplate - {id} - ", FACILITY * 8 + severity, rfc3339(event.time_ns));
    let mut json = json!({
        "id": event.id, "source": origin, "type": format!("nameplate.{}", event.kind), "subject": event.subject, "entry": event.index, "event": event.what,
    });
    if !site.is_empty() {
        json["site"] = json!(site);
    }
    let text = json_line(&json);
    if head.len() + text.len() <= MESSAGE_BYTES_MAX {
        return head + text.trim_end();
    }
    // Who wants the rest has its entry.
    json["event"] = json!({ "is_too_long": true });
    head + json_line(&json).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_ascii_and_never_too_long() {
        for (before, kind, expected) in [
            (
                "V1\u{202e}\n<34>1 forged",
                "device.firmware-changed",
                "<132>1 2026-03-02T10:15:30.000000Z gw1 nameplate - device.firmware-changed - {",
            ),
            (&"x".repeat(9_000), "change.closed", "<133>1 2026-03-02T10:15:30.000000Z gw1 nameplate - change.closed - {"),
        ] {
            let event = Outward {
                index: 7,
                id: "7-0123456789ab".to_owned(),
                kind: kind.to_owned(),
                subject: "a-1".to_owned(),
                time_ns: 1_772_446_530_000_000_000,
                what: json!({ "before": before }),
                device: None,
            };
            let message = message(&event, "nameplate/1", "Pump hall", "gw1");
            assert!(message.starts_with(expected), "{message}");
            assert!(message.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && message.len() <= MESSAGE_BYTES_MAX, "{message}");
            let json: serde_json::Value = serde_json::from_str(&message[expected.len() - 1..]).expect("JSON");
            assert_eq!((&json["id"], &json["site"]), (&"7-0123456789ab".into(), &"Pump hall".into()));
            assert_eq!(json["event"]["is_too_long"] == true, before.len() > 100);
        }
    }
}
