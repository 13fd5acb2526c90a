//! `fleet-stands DEVICES SEGMENTS FOLDER`, in a network of its own: records what a mirror port shows of so many simulated devices (`mirror.pcap`), writes
//! the site file that names them (`site.toml`), says `there`, and lets them stand until its input ends. Then it says what reached them.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use nameplate_tests::fleet::{Fleet, Ports, mirror};
use nameplate_tests::product::block_on;

const USAGE: &str = "usage: fleet-stands DEVICES SEGMENTS FOLDER";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [devices, segments, folder] = words.as_slice() else { return Err(USAGE.to_owned()) };
    let number = |word: &String| word.parse::<u32>().map_err(|_| USAGE.to_owned());
    let (devices, segments, folder) = (number(devices)?, number(segments)?, Path::new(folder));
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).map_err(|e| format!("{name}: {e}"));
    block_on(async {
        let failed = |e: io::Error| format!("{e}: it takes a network namespace, and ulimit -n of {devices}");
        write("mirror.pcap", &mirror::recorded(devices, segments, Ports::Registered).await.map_err(failed)?)?;
        let fleet = Fleet::start_as(devices, segments, Ports::Registered, None).await.map_err(failed)?;
        write("site.toml", fleet.site().as_bytes())?;
        println!("there");
        io::stdout().flush().map_err(|e| e.to_string())?;
        let over = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await;
        over.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        println!("{:?}", fleet.stop().await);
        Ok(())
    })
}
