//! Writes a ledger until it is killed or done, and looks at one afterwards.
//!
//! `ledger-writer write STATE BATCHES ENTRIES` appends so many batches of so many readings and prints the size that was acknowledged
//! after each, a line each, not buffered. With `step` behind it, it waits for a line on standard input after each.
//! `ledger-writer check STATE SIZE` opens the ledger for writing, verifies all of it, and wants at least SIZE entries there.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use nameplate::store::{Draft, Store};
use nameplate_tests::ledger::reading;

const USAGE: &str = "usage: ledger-writer write STATE BATCHES ENTRIES [step] | ledger-writer check STATE SIZE";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u32>().map_err(|_| USAGE.to_owned());
    let ended = match words[..] {
        ["write", state, batches, entries] => number(batches).and_then(|b| write(Path::new(state), b, number(entries)?, false)),
        ["write", state, batches, entries, "step"] => number(batches).and_then(|b| write(Path::new(state), b, number(entries)?, true)),
        ["check", state, size] => number(size).and_then(|size| check(Path::new(state), u64::from(size))),
        _ => Err(USAGE.to_owned()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn write(state: &Path, batches: u32, entries: u32, step: bool) -> Result<(), String> {
    let mut store = Store::write(state).map_err(|failure| failure.to_string())?;
    let (mut out, mut go) = (std::io::stdout(), std::io::stdin().lock());
    let mut acknowledged = |size: u64| -> Result<(), String> {
        out.write_all(format!("{size}\n").as_bytes()).and_then(|()| out.flush()).map_err(|e| e.to_string())?;
        if step {
            go.read_line(&mut String::new()).map_err(|e| e.to_string())?;
        }
        Ok(())
    };
    acknowledged(store.size())?;
    for _ in 0..batches {
        // What was written before is not written again: the number of a reading is its place.
        let first = u32::try_from(store.size()).map_err(|e| e.to_string())?;
        let drafts: Vec<Draft> = (first..first.saturating_add(entries)).map(|n| reading(n % 100, n / 100)).collect();
        let range = store.append(&drafts).map_err(|failure| failure.to_string())?;
        acknowledged(range.end)?;
    }
    Ok(())
}

fn check(state: &Path, size: u64) -> Result<(), String> {
    let store = Store::write(state).map_err(|failure| failure.to_string())?;
    let verified = store.verify(None).map_err(|failure| failure.to_string())?;
    if verified.entries < size {
        return Err(format!("{size} entries were acknowledged, {} are there", verified.entries));
    }
    println!("whole {}", verified.entries);
    Ok(())
}
