//! `fleet DEVICES SEGMENTS TIME_FACTOR FOLDER` starts that many simulated devices, asks them all once by the product's site file, under GNU time, and
//! prints how long it took beside what pacing allows, its memory and its processor time.

use std::process::{Command, ExitCode};
use std::time::Instant;

use nameplate_tests::fleet::Fleet;
use nameplate_tests::product::{Product, block_on};

const USAGE: &str = "usage: fleet DEVICES SEGMENTS TIME_FACTOR FOLDER";

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
    let [devices, segments, factor, folder] = words.as_slice() else { return Err(USAGE.to_owned()) };
    let number = |word: &String| word.parse::<u32>().map_err(|_| USAGE.to_owned());
    let (devices, segments, factor) = (number(devices)?, number(segments)?, factor.parse::<f64>().map_err(|_| USAGE.to_owned())?);
    let product = Product::find()?;
    let (site, state) = (format!("{folder}/fleet.toml"), format!("{folder}/fleet-state-{}", std::process::id()));
    block_on(async {
        let fleet = Fleet::start(devices, segments).await.map_err(|e| format!("{e}: ulimit -n has to allow {devices} files"))?;
        std::fs::write(&site, fleet.site()).map_err(|e| format!("{site}: {e}"))?;
        let paced = fleet.paced(factor);
        let mut command = Command::new("time");
        command.args(["--quiet", "-f", "%e %M %U %S", "--"]).arg(&product.binary);
        command.args(["ask", "--reason", "a fleet", "--format", "csv", "--state", &state, "--site", &site]);
        command.args(["--time-factor", &factor.to_string()]);
        let begun = Instant::now();
        let output = tokio::task::spawn_blocking(move || command.output()).await.map_err(|e| e.to_string())?;
        let (took, output) = (begun.elapsed(), output.map_err(|e| format!("GNU time (apt-get install -y time): {e}"))?);
        let said = String::from_utf8_lossy(&output.stderr);
        let mut last = said.lines().rev();
        let figures = last.next().unwrap_or_default().to_owned();
        let rows = String::from_utf8_lossy(&output.stdout).lines().count().saturating_sub(1);
        let account = fleet.stop().await;
        let [_, kib, user, system] = figures.split(' ').collect::<Vec<_>>()[..] else { return Err(said.into_owned()) };
        println!("{}: {rows} rows; {account:?}", last.next().unwrap_or_default());
        println!("{:.1} s where pacing allows {:.1} s: {:.3}x", took.as_secs_f64(), paced.as_secs_f64(), took.div_duration_f64(paced));
        println!("peak memory {kib} KiB, processor {user} s + {system} s in the kernel");
        std::fs::remove_dir_all(&state).map_err(|e| format!("{state}: {e}"))
    })
}
