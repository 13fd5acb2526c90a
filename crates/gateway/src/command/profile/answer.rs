//! Where the answer of a new profile comes from: a frame of a capture, or messages in hexadecimal on standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::observation::{over, unhex};
use nameplate_core::profile::Answer;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_core::wire::{Authority, Reading, protocols};
use nameplate_field::capture::{Capture, Item, timeline};

use crate::failure::{Code, Failure};

/// Bytes taken from standard input: a profile's examples have 64 KiB at most, in hexadecimal with blanks.
const INPUT_BYTES_MAX: u64 = 256 * 1024;

/// Where the answer comes from.
#[derive(Debug, Args)]
pub struct Origin {
    /// A capture with the answer in it; without it, messages in hexadecimal are read from standard input, a line each
    #[arg(long = "from", value_name = "CAPTURE", requires = "frame")]
    capture: Option<PathBuf>,
    /// The frame with the answer, counted from 1, as `listen --format claims` and Wireshark do
    #[arg(long, value_name = "N", requires = "capture")]
    frame: Option<u64>,
    /// Which protocol it is: needed without --from, and where one frame answers in several
    #[arg(long, value_name = "PROTOCOL", required_unless_present = "capture")]
    protocol: Option<String>,
    /// What carried the messages of standard input, where that is not what usually carries the protocol: tcp, udp, "link type 88cc", ...
    #[arg(long, value_name = "CARRIER", conflicts_with = "capture")]
    over: Option<String>,
    /// A question, in hexadecimal, that came before the messages of standard input and without which they cannot be read; may be repeated
    #[arg(long, value_name = "HEX", conflicts_with = "capture")]
    asked: Vec<String>,
}

impl Origin {
    /// The answer.
    ///
    /// # Errors
    /// The capture or the digits cannot be read, or there is no answer where one was named.
    pub fn answer(&self) -> Result<Answer, Failure> {
        match (&self.capture, self.frame) {
            (Some(capture), Some(frame)) => self.of_capture(capture, frame),
            _ => self.of_input(),
        }
    }

    fn of_capture(&self, path: &Path, frame: u64) -> Result<Answer, Failure> {
        let name = path.display().to_string();
        let capture = Capture::open(path).map_err(|e| Failure::input(&name, e))?;
        let (mut listener, mut found, mut failed) = (Listener::new(&[]), Vec::new(), None);
        let mut keep = |event: Event| {
            if let Event::Reading(reading) = event
                && reading.authority == Authority::Device
                && reading.messages.iter().skip(reading.asked).any(|message| message.frame == frame)
                && self.protocol.as_ref().is_none_or(|protocol| reading.protocol == protocol)
            {
                found.push(reading);
            }
        };
        let mut on_item = |_: usize, item: Item<'_>| {
            if let Item::Frame(heard) = item {
                listener.frame(heard, &mut keep);
            }
        };
        timeline(vec![capture], &mut on_item, &mut |_, e| failed = Some(Failure::input(&name, e)));
        listener.finish(&mut keep);
        match choose(found) {
            Ok(reading) => Ok(of(&reading, format!("{}, frame {frame}", file_name(path)))),
            Err(_) if failed.is_some() => Err(failed.unwrap_or_else(|| Failure::input(&name, "cannot be read"))),
            Err(why) => Err(Failure::new(Code::Input, format!("{name}, frame {frame}: {why}"))),
        }
    }

    fn of_input(&self) -> Result<Answer, Failure> {
        let named = self.protocol.as_deref().unwrap_or_default();
        let usage = |why: String| Failure::new(Code::Usage, why);
        let protocol = protocols::named(named)
            .ok_or_else(|| usage(format!("{named:?} is no protocol that is read here; docs/protocols.md lists them")))?;
        let carrier = match &self.over {
            None => protocol.usually_over(),
            Some(text) => {
                over(text).ok_or_else(|| usage(format!("{text:?} carries no protocol here; tcp, udp, \"link type 88cc\", ... do")))?
            }
        };
        let digits = |place: String, text: &str| {
            unhex(text).map_err(|at| Failure::input(place, format!("character {} is no pair of hexadecimal digits", at + 1)))
        };
        let asked = self.asked.iter().map(|text| digits("--asked".into(), text)).collect::<Result<_, _>>()?;
        let mut text = String::new();
        let read = std::io::stdin().lock().take(INPUT_BYTES_MAX + 1).read_to_string(&mut text);
        let bytes = read.map_err(|e| Failure::input("standard input", e))?;
        if u64::try_from(bytes).is_ok_and(|bytes| bytes > INPUT_BYTES_MAX) {
            return Err(Failure::input("standard input", format!("more than {INPUT_BYTES_MAX} bytes: a profile holds one answer")));
        }
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let said = lines.map(|(at, line)| digits(format!("standard input, line {}", at + 1), line)).collect::<Result<Vec<_>, _>>()?;
        if said.is_empty() {
            return Err(Failure::input("standard input", "no message there: a line of hexadecimal digits for each"));
        }
        Ok(Answer { protocol: named.to_owned(), over: carrier, asked, said, source: "a device of ours".to_owned() })
    }
}

/// The one reading that is meant: the one that heard most, of one protocol.
fn choose(found: Vec<Reading>) -> Result<Reading, String> {
    let mut protocols: Vec<&str> = found.iter().map(|reading| reading.protocol).collect();
    protocols.sort_unstable();
    protocols.dedup();
    if protocols.len() > 1 {
        return Err(format!("it answers in several protocols: say --protocol {}", protocols.join(" or ")));
    }
    found.into_iter().max_by_key(|reading| reading.facts.len()).ok_or_else(|| "no identity answer that is read here is in it".to_owned())
}

fn of(reading: &Reading, source: String) -> Answer {
    let mut messages = reading.messages.iter().map(|message| message.bytes.clone());
    let asked: Vec<Vec<u8>> = messages.by_ref().take(reading.asked).collect();
    Answer { protocol: reading.protocol.to_owned(), over: reading.over, asked, said: messages.collect(), source }
}

/// The file without the way to it, which is this machine's.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
