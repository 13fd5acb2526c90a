//! `fuzz-seeds FOLDER`: identity messages of the public captures and of the profiles' examples, a file each, as the fuzz target `protocol`
//! reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use nameplate_tests::corpus::{captures, frames_of};
use nameplate_tests::seeds;
use nameplate_wire::listen::{Event, Listener};

/// Seeds of one question.
const SEEDS_OF_A_QUESTION: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: fuzz-seeds FOLDER")?);
    let mut found: BTreeMap<(&str, &str), BTreeSet<Vec<u8>>> = BTreeMap::new();
    for file in captures()? {
        let mut listener = Listener::new(&[]);
        let mut on_event = |event: Event| {
            if let Event::Reading(reading) = event {
                let seeds = found.entry((reading.protocol, reading.question)).or_default();
                if seeds.len() < SEEDS_OF_A_QUESTION {
                    seeds.extend(seeds::of_reading(&reading));
                }
            }
        };
        for (frame, number) in frames_of(&fs::read(file)?).iter().zip(1..) {
            listener.frame(&frame.numbered(number), &mut on_event);
        }
        listener.finish(&mut on_event);
    }
    fs::create_dir_all(&folder)?;
    let examples = seeds::of_examples().into_values().flatten();
    let seeds: BTreeSet<Vec<u8>> = found.into_values().flatten().chain(examples).collect();
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(number.to_string()), seed)?;
    }
    println!("{} seeds", seeds.len());
    Ok(())
}
