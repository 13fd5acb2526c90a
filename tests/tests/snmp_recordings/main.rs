//! What `ask --via snmp` makes of recordings of real agents, held against what is known of them: version, hardware and serial number, right, unknown
//! or wrong. The recordings are not ours to hand on: they stand beside the repository, and the test skips itself where they do not.
//!
//!     NAMEPLATE_GOLDEN=write cargo nextest run --release -p nameplate-tests --test snmp_recordings

mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use nameplate_core::profile::ProfileSet;
use nameplate_tests::place::{self, needed, root};
use nameplate_tests::product::{Product, State, code};
use recorded::Recorded;
use serde_json::Value;

/// Rows whose version is known, and may be read as it stands in the truth, of 55.
const VERSIONS_RIGHT_MIN: usize = 54;
/// Devices that are asked at once: most of the time each waits for its gaps.
const AT_ONCE: usize = 12;
/// GETs of one reading: the system group, and four of objects.
const GETS_MAX: usize = 5;
/// Grades, best first (contracts: one claim per line).
const GRADES: [&str; 5] = ["identity-object", "nameplate-node", "management", "banner", "inferred"];
const GOLDEN: &str = "tests/golden/snmp-recordings.tsv";
const HEADER: &str = "recording\tfield\tverdict\tin the truth\tread\twhy";

/// Versions that the truth puts together out of several objects: the text between, and which part of the device and field follows.
type Part = (&'static str, &'static str, &'static str);
const COMPOSED: [(&str, &[Part], &str); 2] = [
    ("ifotec_inetpoe-4gp2gf", &[("", "self", "firmware_revision"), (" (Bootloader ", "self", "boot_revision")], ")"),
    ("powerwalker", &[("FW: ", "self", "firmware_revision"), (", NMC: ", "communication-module", "firmware_revision")], ""),
];

/// Why a row is not right, or why a version that the truth does not have is one.
const WHY: [(&str, &str, &str); 52] = [
    ("akcp_serverprobe8", "hardware", "the truth is from objects that no profile asks for"),
    ("akcp_sp2plus", "version", "the description is model, version and build date"),
    ("akcp_spx", "version", "the description is model, version and build date"),
    ("akcp_spxplus", "version", "the description is model, version and build date"),
    ("avtech_tempager4e", "version", "the description is model and version, as of its siblings"),
    ("bke_bke", "version", "what supervises is the whole of the device"),
    ("deltaups", "hardware", "the truth puts maker and model together"),
    ("e3meter", "version", "F is the firmware, as H is the hardware and B the boot loader"),
    ("endrun", "serial", "the truth is snmpSetSerialNo, a lock that counts up"),
    ("enexus", "serial", "made unreadable in the recording"),
    ("etherwan", "version", "the text calls it the firmware"),
    ("gemds_mxncl4ene4sn1s1e6dcnn", "version", "two images, and nothing says which of them runs"),
    ("generex-ups_1", "version", "the description is the adapter and its version"),
    ("generex-ups_2", "version", "the description is the adapter and its version"),
    ("generex-ups_cs121", "hardware", "the truth puts maker and model together"),
    ("generex-ups_cs121", "version", "the truth is the whole description; the version in it is read"),
    ("hwg-wld_600415", "serial", "the truth is the number of a sensor"),
    ("hwg-wld_wld2", "serial", "the truth is the number of a sensor"),
    ("hwg-wld_wld2", "version", "the description is model and version"),
    ("lantronix-uds", "version", "the description is model, version and build date"),
    ("loop-telecom_loop-am3440-ccpb-a", "hardware", "the truth is the name of a number that the MIB gives its models"),
    ("microsemitime", "hardware", "the truth adds maker and family"),
    ("morningstar-mppt", "version", "the object says hw and sw"),
    ("mx-nos", "hardware", "the truth adds the power module"),
    ("nexans", "version", "the truth has the features before the version"),
    ("omnitron-iconverter", "serial", "the description has the serial number; the object of the truth was never set"),
    ("opengear_cm81xx", "hardware", "the truth is the family that sysObjectID names; the description has the model"),
    ("opengear_im7216-2-24e-dac", "version", "the object of the older MIB for the firmware"),
    ("perle_iolanscs", "version", "the description is model and version"),
    ("rad-rici", "version", "the text calls it the software of the device"),
    ("rutos", "hardware", "the truth is the processor; the product code begins with the model"),
    ("rutos", "version", "the truth is the kernel; the object for the firmware is read"),
    ("rutos-2xx_rut240v7", "serial", "made zeros in the recording"),
    ("rutos-rutx_rutx11", "hardware", "the truth is a name that the owner gave; the product code begins with the model"),
    ("rutos-rutx_trb500", "hardware", "the truth is a name that the owner gave; the product code begins with the model"),
    ("scalance_sc646", "version", "the text calls it the firmware"),
    ("scalance_xc206-2sfp", "serial", "made unreadable in the description; the S before it is how Siemens marks serial numbers"),
    ("schleifenbauer_dpm27e", "version", "the truth adds what is no version: 250 is read"),
    ("sinetica", "hardware", "the truth leaves the revision out"),
    ("sinetica", "version", "the truth is the operating system; the application is read"),
    ("socomec", "version", "the truth puts FW 00 and SW together; the software is read as such, and of the firmware nobody knows"),
    ("teldat_teldatvdsl2", "hardware", "the truth is two numbers of a table; the description has the model"),
    ("teldat_teldatvdsl2", "serial", "made unreadable in the recording"),
    ("timemachines_tm2000a", "hardware", "the truth is the processor"),
    ("timemachines_tm2000a", "version", "the truth is the kernel"),
    ("transition", "hardware", "the truth is the model of another unit"),
    ("transition", "version", "the software of the only unit, in entPhysicalTable"),
    ("tsc", "version", "the description is model and version"),
    ("webpower-smart2_usha", "version", "the description is the card and its version"),
    ("wipipe", "version", "the text calls it the firmware"),
    ("wut_57605", "hardware", "the truth is a number that sysObjectID stands for"),
    ("wut_57614", "hardware", "the truth is a name that sysObjectID stands for"),
];

/// What was read of one agent.
struct Read {
    lines: Vec<Value>,
    gets: usize,
    others: usize,
}

impl Read {
    /// The value of a field that would be shown: the best grade's, of those the newest.
    fn shown(&self, component: Option<&str>, field: &str) -> Option<&str> {
        let is = |line: &&Value| line["field"] == field && component.is_none_or(|component| line["component"] == component);
        let rank = |line: &Value| GRADES.iter().position(|grade| line["grade"] == *grade).unwrap_or(GRADES.len());
        let best = self.lines.iter().filter(is).map(rank).min()?;
        self.lines.iter().filter(is).rfind(|line| rank(line) == best)?["value"].as_str()
    }

    /// The firmware of the part whose it is that answers.
    fn version(&self, profiles: &ProfileSet) -> Option<&str> {
        let profile = self.lines.last().and_then(|line| profiles.get(line["profile"].as_str()?));
        self.shown(Some(profile.map_or("self", |profile| profile.identity_of.name())), "firmware_revision")
    }

    fn composed(&self, parts: &[Part], end: &str) -> Option<String> {
        let texts = parts.iter().map(|(before, component, field)| Some(format!("{before}{}", self.shown(Some(component), field)?)));
        Some(texts.collect::<Option<Vec<_>>>()?.concat() + end)
    }

    /// What names the hardware: its model, with or without who made it, or its revision.
    fn hardware(&self) -> Vec<String> {
        let said = |field| self.shown(None, field).map(str::to_owned);
        let whole = said("manufacturer").zip(said("model")).map(|(maker, model)| format!("{maker} {model}"));
        let (model, revision) = (said("model"), said("hardware_revision"));
        let short = model.as_deref().and_then(|model| model.split_once(' ')).map(|(_, rest)| rest.to_owned());
        let both = model.clone().zip(revision.clone()).map(|(model, revision)| format!("{model} version {revision}"));
        [model, revision, whole, short, both].into_iter().flatten().collect()
    }
}

#[derive(Default)]
struct Tally {
    right: usize,
    unknown: usize,
    wrong: usize,
}

/// Counts one field of one row; its golden line where there is something to say.
fn judge(tally: &mut Tally, name: &str, field: &str, expected: Option<&str>, said: &[String]) -> Option<String> {
    let verdict = match (expected, said) {
        (None, []) => return None,
        (None, _) => "not in the truth",
        (Some(_), []) => "unknown",
        (Some(expected), said) if said.iter().any(|said| said == expected) => "right",
        (Some(_), _) => "wrong",
    };
    match verdict {
        "right" => {
            tally.right += 1;
            return None;
        }
        "unknown" => tally.unknown += 1,
        "wrong" => tally.wrong += 1,
        _ => {}
    }
    let why = WHY.iter().find(|(of, about, _)| (*of, *about) == (name, field)).map_or("", |(_, _, why)| why);
    let said = said.first().map_or("", String::as_str);
    Some(format!("{name}\t{field}\t{verdict}\t{}\t{said}\t{why}", expected.unwrap_or_default()))
}

fn ask(product: &Product, recording: &Path) -> Read {
    let recorded = Recorded::start(recording);
    let target = recorded.address.to_string();
    let words = [target.as_str(), "--via", "snmp", "--snmp-community-public", "--format", "claims"];
    let lines = product.ask(&State::new(), &words).expect(code::DONE).lines();
    let (gets, others) = recorded.counts();
    Read { lines, gets, others }
}

fn all(product: &Product, folder: &Path, names: &[String]) -> BTreeMap<String, Read> {
    let (waiting, read) = (Mutex::new(names.iter()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("nobody panicked").next();
                    let Some(name) = next else { break };
                    let one = ask(product, &folder.join(format!("{name}.snmprec")));
                    read.lock().expect("nobody panicked").insert(name.clone(), one);
                }
            });
        }
    });
    read.into_inner().expect("nobody panicked")
}

#[test]
fn recordings_of_real_agents_say_what_they_are() {
    let test = "recordings_of_real_agents_say_what_they_are";
    let Some((shared, product)) = needed(test, place::shared().and_then(|shared| Ok((shared, Product::find()?)))) else { return };
    let folder = shared.join("profiles/snmp");
    let text = fs::read_to_string(folder.join("truth.jsonl")).expect("the truth");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let names: Vec<String> = rows.iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect();
    let read = all(&product, &folder.join("snmprec"), &names);
    let profiles = ProfileSet::built_in().expect("the built-in profiles");

    let (mut golden, mut fell) = (Vec::new(), Vec::new());
    let [mut ok, mut others, mut hardware, mut serial] = [const { Tally { right: 0, unknown: 0, wrong: 0 } }; 4];
    for (row, name) in rows.iter().zip(&names) {
        let one = &read[name];
        assert!(one.others == 0 && one.gets <= GETS_MAX, "{name}: {} GETs, {} others", one.gets, one.others);
        let expected = |key: &str| row["expected"][key].as_str().filter(|text| !text.is_empty());
        let version = match COMPOSED.iter().find(|(of, ..)| of == name) {
            Some((_, parts, end)) => one.composed(parts, end),
            None => one.version(&profiles).map(str::to_owned),
        };
        let quality = row["quality"].as_str().unwrap_or_default();
        let trap =
            if quality.starts_with("hardware") { ("hardware", one.hardware()) } else { ("version", version.iter().cloned().collect()) };
        let is_trap = !matches!(quality, "ok" | "no-version-expected");
        if is_trap && expected(trap.0).is_some_and(|expected| trap.1.iter().any(|said| said == expected)) {
            fell.push(name);
        }
        let tally = if quality == "ok" { &mut ok } else { &mut others };
        golden.extend(judge(tally, name, "version", expected("version"), version.as_slice()));
        let own = |field| one.shown(None, field).map(str::to_owned);
        golden.extend(expected("hardware").and_then(|known| judge(&mut hardware, name, "hardware", Some(known), &one.hardware())));
        golden
            .extend(expected("serial").and_then(|known| judge(&mut serial, name, "serial", Some(known), own("serial_number").as_slice())));
    }
    let gets: usize = read.values().map(|one| one.gets).sum();
    println!("{} recordings, {gets} GETs; {} traps fell for", read.len(), fell.len());
    for (what, Tally { right, unknown, wrong }) in
        [("version", &ok), ("version, truth a trap", &others), ("hardware", &hardware), ("serial", &serial)]
    {
        println!("{what}: {right} right, {unknown} unknown, {wrong} wrong");
    }
    let listed = golden.iter().filter(|line| line.contains("\tnot in the truth\t")).count();
    println!("{listed} versions that the truth does not have");
    let reasonless: Vec<&String> = golden.iter().filter(|line| line.ends_with('\t')).collect();

    let now = format!("{HEADER}\n{}\n", golden.join("\n"));
    if std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write") {
        fs::write(root().join(GOLDEN), &now).expect("written");
    }
    assert!(fell.is_empty(), "{fell:?}");
    assert!(ok.right >= VERSIONS_RIGHT_MIN, "{golden:#?}");
    assert!(reasonless.is_empty(), "each line has its reason in WHY: {reasonless:#?}");
    assert!(fs::read_to_string(root().join(GOLDEN)).is_ok_and(|before| before == now), "{GOLDEN} differs:\n{now}");
}
