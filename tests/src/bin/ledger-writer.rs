//! Writes a ledger until it is killed or done: `ledger-writer STATE BATCHES ENTRIES [ROUND]` appends so many batches of so many readings
//! and prints the size that was acknowledged after each, a line each, not buffered.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use nameplate::store::{Draft, Store};
use nameplate_tests::ledger::reading;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
    let (Some(state), Some(batches), Some(entries)) = (words.first(), number(1), number(2)) else {
        eprintln!("usage: ledger-writer STATE BATCHES ENTRIES [ROUND]");
        return ExitCode::from(2);
    };
    match write(Path::new(state), batches, entries, number(3).unwrap_or(0)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn write(state: &Path, batches: u32, entries: u32, round: u32) -> Result<(), String> {
    let mut store = Store::write(state).map_err(|failure| failure.to_string())?;
    let mut out = std::io::stdout();
    let mut acknowledged = |size: u64| out.write_all(format!("{size}\n").as_bytes()).and_then(|()| out.flush()).map_err(|e| e.to_string());
    acknowledged(store.size())?;
    for batch in 0..batches {
        let drafts: Vec<Draft> = (0..entries).map(|entry| reading(batch * entries + entry, round)).collect();
        let range = store.append(drafts).map_err(|failure| failure.to_string())?;
        acknowledged(range.end)?;
    }
    Ok(())
}
