//! What a verdict costs: `verdicts FOLDER [ASSETS...]` reads every CSAF document below FOLDER, makes that many assets from their product
//! trees (10,000, 100,000 and 1,000,000 where none is said), and judges each against all of them on one core.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use nameplate_core::advisory::{Advisory, Product, Release, csaf};
use nameplate_core::finding::installed::Installed;
use nameplate_core::finding::{Library, Verdict};

const ASSETS: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("usage: verdicts FOLDER [ASSETS...]")?;
    let mut counts: Vec<usize> = words.map(|word| word.parse()).collect::<Result<_, _>>()?;
    if counts.is_empty() {
        counts = ASSETS.to_vec();
    }
    let begun = Instant::now();
    let mut advisories = Vec::new();
    read(Path::new(&folder), &mut advisories)?;
    println!("{} documents read in {:.3} s", advisories.len(), begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let library = Library::of(advisories);
    println!("made ready in {:.3} s, peak memory {} KiB", begun.elapsed().as_secs_f64(), peak_kib()?);
    for count in counts {
        let products: Vec<&Product> = library.advisories().iter().flat_map(|advisory| &advisory.products).collect();
        let assets: Vec<Installed> = products.iter().cycle().take(count).enumerate().map(|(nth, product)| asset(product, nth)).collect();
        let mut tally = [0_usize; 4];
        let mut judging = library.judging();
        let begun = Instant::now();
        for installed in &assets {
            for finding in judging.judge(installed).iter() {
                let place = match finding.verdict {
                    Verdict::Affected => 0,
                    Verdict::NotAffected => 1,
                    Verdict::Indeterminate => 2,
                    Verdict::Contradiction => 3,
                };
                tally[place] += 1;
            }
        }
        let took = black_box(begun.elapsed());
        let [affected, not_affected, indeterminate, contradiction] = tally;
        println!(
            "{count} assets: {:.3} s, {:.2} us each, {} findings: {affected} affected, {not_affected} not affected, {indeterminate} indeterminate, \
             {contradiction} contradictions; peak memory {} KiB",
            took.as_secs_f64(),
            each(took, count),
            tally.iter().sum::<usize>(),
            peak_kib()?
        );
    }
    Ok(())
}

fn each(took: Duration, count: usize) -> f64 {
    took.as_secs_f64() * 1e6 / count.max(1) as f64
}

fn read(folder: &Path, advisories: &mut Vec<Advisory>) -> Result<(), Box<dyn Error>> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, advisories)?;
        } else if path.extension().is_some_and(|ending| ending == "json") {
            advisories.push(csaf::read(&fs::read(&path)?).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    Ok(())
}

/// An asset that is this product, with a release in or near its range; each time another one.
fn asset(product: &Product, nth: usize) -> Installed {
    let slot = match &product.release {
        Release::Every => "V1.0",
        Release::Version(text) | Release::Range(text) => text,
    };
    let is_sign = |c: char| !c.is_ascii_alphanumeric() && !".()-".contains(c);
    let releases: Vec<&str> = slot.split(is_sign).filter(|part| part.bytes().any(|byte| byte.is_ascii_digit())).collect();
    let release = releases.get(nth % releases.len().max(1)).copied().unwrap_or("1.0");
    // Neighbours of the bound: the last number goes up by none to six.
    let digits = release.len() - release.bytes().rev().take_while(u8::is_ascii_digit).count();
    let last: u64 = release[digits..].parse().unwrap_or(0);
    Installed {
        asset: format!("asset-{nth}"),
        component: "self".into(),
        manufacturer: Some(product.vendor.clone()),
        model: Some(product.name.clone()),
        product_code: product.model_numbers.first().cloned(),
        firmware_revision: Some(format!("{}{}", &release[..digits], last.saturating_add(nth as u64 % 7))),
        serial_number: (nth % 3 == 0).then(|| format!("S{nth}")),
        ..Installed::default()
    }
}

/// The largest part of memory that this process held at once.
fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
