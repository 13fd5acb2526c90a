//! `nameplate prove`: the allowlist in print, and the proof that nothing else leaves.

mod referee;
mod zoo;

use std::path::{Path, PathBuf};
use std::process;
use std::{env, fs};

use clap::Args;
use clap::builder::PossibleValuesParser;
use nameplate_field::guard::{self, generate};

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::{print, profiles};
use referee::{Survivor, Verdict};

/// More than a person reads.
const OBJECTIONS_PRINTED_MAX: usize = 20;

/// Print the allowlist of what may be sent, and prove it.
#[derive(Debug, Args)]
#[command(after_help = "Three steps. The allowlist is printed as the guard holds it. Simulated devices of every protocol\n\
                        that trip on anything else, sound and hostile, are asked on loopback, with a line for each.\n\
                        Generated messages, allowed and forbidden from every cell of the allowlist, are handed to the\n\
                        guard; whatever survives is written to a capture and judged by tshark, which shares no code\n\
                        with us. Without tshark the third step is left to you: --capture keeps the survivors for another\n\
                        referee. With a million messages most protocols take a minute, SNMPv3 (snmp-v3) half an hour.")]
pub struct Prove {
    /// How many messages to generate, in each protocol
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    messages: u64,
    /// Seed of the generator; the same seed makes the same messages
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Generate messages of these protocols alone; may be repeated
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',', value_parser = generated())]
    protocol: Vec<String>,
    /// Keep the capture of the survivors here
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Print the allowlist and stop
    #[arg(long)]
    list: bool,
}

/// What `--protocol` may name.
fn generated() -> PossibleValuesParser {
    PossibleValuesParser::new(generate::MAKERS.iter().map(|maker| maker.protocol))
}

impl Prove {
    /// Runs the command.
    ///
    /// # Errors
    /// Code 6 as soon as one thing got through that must not.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        print::out(&allowlist())?;
        if self.list {
            return Ok(());
        }
        let profiles = profiles::load(options)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::input("prove", e))?;
        within(&in_memory(), "prove", |directory| runtime.block_on(zoo::visit(&profiles, directory)))?;
        within(&env::temp_dir(), "prove", |directory| self.generated(directory))
    }

    /// Third step: generated messages through the guard, survivors before the referee.
    fn generated(&self, directory: &Path) -> Result<(), Failure> {
        let is_asked = |maker: &&&generate::Maker| self.protocol.is_empty() || self.protocol.iter().any(|name| name == maker.protocol);
        generate::MAKERS.iter().filter(is_asked).try_for_each(|maker| self.generated_in(maker, directory))
    }

    fn generated_in(&self, maker: &generate::Maker, directory: &Path) -> Result<(), Failure> {
        let row = referee::row(maker.protocol)?;
        let (mut messages, mut number, mut survivors) = (0, 0, Vec::new());
        while messages < self.messages {
            let made = maker.generate(self.seed, number).map_err(|e| Failure::new(Code::Failed, e.to_string()))?;
            messages += made.messages.len() as u64;
            let (out, _) = made.survivors();
            let messages_max = made.permit.limits().messages_max;
            survivors.extend(out.into_iter().map(|bytes| Survivor {
                conversation: number,
                granted: made.granted.clone(),
                messages_max,
                bytes,
            }));
            number += 1;
        }
        let protocol = maker.protocol;
        print::out(&format!("{protocol}: {messages} generated messages on {number} connections: {} left the guard\n", survivors.len()))?;
        let kept = self.capture.as_ref().map(|kept| of_protocol(kept, protocol));
        if let Some(path) = &kept {
            fs::write(path, referee::capture(row, &survivors)).map_err(|e| Failure::input(path.display(), e))?;
        }
        match referee::judge(row, &directory.join("survivors.pcap"), &survivors)? {
            Verdict::Clean { judge } => print::out(&format!("{judge} read all {} of them as allowed: 0 others\n", survivors.len())),
            Verdict::Objections(objections) => {
                objections.iter().take(OBJECTIONS_PRINTED_MAX).for_each(|objection| eprintln!("{objection}"));
                Err(Failure::new(Code::Failed, format!("the referee objects to {} messages; see above", objections.len())))
            }
            Verdict::Absent => print::out(&kept.map_or_else(
                || "not judged: tshark is not installed; --capture FILE keeps the survivors for another referee\n".to_owned(),
                |path| format!("not judged: tshark is not installed; the survivors are in {}\n", path.display()),
            )),
        }
    }
}

/// Where a touch record lies that is not kept: in memory where the system has such a place, because hundreds of devices that are asked at once
/// wait for each line of it to be on the disk.
fn in_memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { env::temp_dir() }
}

/// Does something with a folder of its own, which is gone afterwards.
fn within(parent: &Path, name: &str, what: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let directory = parent.join(format!("nameplate-{name}-{}", process::id()));
    fs::create_dir_all(&directory).map_err(|e| Failure::input(directory.display(), e))?;
    let done = what(&directory);
    // Best effort: the system clears such places anyway.
    let _ = fs::remove_dir_all(&directory);
    done
}

/// `survivors.pcap` becomes `survivors-modbus.pcap`: each protocol has a capture of its own.
fn of_protocol(kept: &Path, protocol: &str) -> PathBuf {
    let stem = kept.file_stem().unwrap_or_default().to_string_lossy();
    let ending = kept.extension().map_or_else(|| "pcap".into(), |ending| ending.to_string_lossy());
    kept.with_file_name(format!("{stem}-{protocol}.{ending}"))
}

/// First step.
fn allowlist() -> String {
    let rows: Vec<Vec<String>> = guard::allowlist()
        .iter()
        .map(|row| [row.protocol, row.question, &row.pattern, row.asks, &row.needs].map(str::to_owned).to_vec())
        .collect();
    let mut caps: Vec<String> = guard::allowlist().iter().map(|row| format!("{}, {}: {}\n", row.protocol, row.port, row.caps)).collect();
    caps.dedup();
    format!(
        "All that may leave towards a device (xx free, nn a length, cc check bytes; other letters: what the permit says literally):\n\n{}{}\n",
        print::table(&["PROTOCOL", "QUESTION", "BYTES", "ASKS", "ONLY WHERE"], &rows),
        caps.concat()
    )
}

#[cfg(test)]
mod tests;
