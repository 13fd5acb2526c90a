//! A disk that is full: nobody is asked, the page stays, and nothing is lost.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use nameplate_simulators::report::Report;
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, code, run};
use nameplate_tests::web::{Asker, Gate};
use serde_json::json;

use super::{DEVICES, Gateway, plant};

/// Runs the desk with its state on a small disk of its own, which nobody else sees but through the process: `$1` is the folder, the rest the command.
const ON_A_SMALL_DISK: &str = "mkdir -p \"$1\" && mount -t tmpfs -o size=2m tmpfs \"$1\" && shift && exec \"$@\"";
const PASSWORD: &str = "correct horse battery";

fn parts() -> Result<Product, String> {
    let tried = Command::new("unshare").args(["-m", "true"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return Err("only root can mount a disk (unshare -m)".to_owned());
    }
    Product::find()
}

/// A file on the desk's disk.
fn there(gateway: &Gateway, desk: &Process, name: &str) -> PathBuf {
    format!("/proc/{}/root{}/{name}", desk.child.id(), gateway.path("desk")).into()
}

/// Writes behind what is there until nothing more goes.
fn fill(file: &Path) {
    let mut file = File::options().create(true).append(true).open(file).expect("a file");
    for bytes in [4_096, 1] {
        while file.write_all(&vec![b'x'; bytes]).is_ok() {}
    }
}

#[test]
fn a_full_disk_ends_asking_keeps_the_page_and_loses_nothing() {
    let test = "a_full_disk_ends_asking_keeps_the_page_and_loses_nothing";
    let Some(product) = needed(test, parts()) else { return };
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let plan = format!("hatch = {:?}\n[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n", gateway.path("hatch"));
        let page = "[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n";
        gateway.folder.file("serve.toml", format!("disk_free_min = \"0MB\"\n{plan}{page}"));
        let under = ["unshare", "-m", "sh", "-c", ON_A_SMALL_DISK, "sh", &gateway.path("desk")].map(str::to_owned);
        let under: Vec<&str> = under.iter().map(String::as_str).collect();
        let mut desk = Process::start(product.command_under(&under, gateway.desk_words()));
        let link = desk.says("this link makes one");
        let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
        let link = format!("/first/{}", link.split("/first/").nth(1).expect("a link"));
        let asker = Asker::session(&gate.come_in(&link, "Ada", PASSWORD), &gate.origin());
        let ready = || gate.get(&Asker::nobody(), "/api/v1/health/ready").expect(200).json();
        assert_eq!(ready()["writes"], true);
        fill(&there(&gateway, &desk, "filler"));
        // What the field side says cannot be written.
        let mut field = gateway.field();
        desk.says("nothing can be written; nobody is asked, what is heard waits");
        let token = || gate.json("POST", &asker, "/api/v1/tokens", &json!({ "rights": ["read"], "days": 1 }));
        // To open the ledger anew gives some room back, which may be enough for what waits: then that is taken, too.
        let is_halted = || {
            fill(&there(&gateway, &desk, "filler"));
            let (before, shown, tried) = (ready(), gate.get(&asker, "/").expect(200).body, token());
            let is_all = before["writes"] == false && shown.contains("nothing can be written: nobody is asked") && tried.status == 503;
            is_all.then_some(tried)
        };
        let tried = std::iter::repeat_with(is_halted).take(TRIES_MAX).flatten().next().expect("a page that says it, and does nothing");
        assert!(tried.body.contains("nothing was done"), "{tried:?}");
        let _ = gate.get(&asker, "/devices").expect(200);
        let entries = ready()["entries"].as_u64();
        fs::remove_file(there(&gateway, &desk, "filler")).expect("removed");
        desk.says("the ledger is written again, and nothing was lost");
        assert!(entries <= ready()["entries"].as_u64());
        // It may have said so before, too.
        let again = || {
            all_known(&product, &gateway, &desk);
            token().status == 201
        };
        assert!(std::iter::repeat_with(again).take(TRIES_MAX).any(|done| done), "nothing can be done");
        // The disk goes with the process: what stands on it is looked at before.
        let copy = gateway.path("copy");
        let copied = Command::new("cp").arg("-r").arg(there(&gateway, &desk, "")).arg(&copy).status();
        assert!(copied.is_ok_and(|status| status.success()));
        desk.ends(0);
        field.ends(0);
        product.run(["ledger", "verify", "--state", &copy]).expect(code::DONE);
    });
    assert!(reports.iter().all(|report| report.connections() == 1 && report.trips.is_empty()), "{reports:?}");
    assert_eq!(reports.iter().map(Report::connections).sum::<usize>(), DEVICES);
}

/// How often is looked for what comes a moment later.
const TRIES_MAX: usize = 100;

/// Waits until the desk knows all devices by what they said.
fn all_known(product: &Product, gateway: &Gateway, desk: &Process) {
    // SQLite asks for a path's real name, which only those have who see the disk.
    let (pid, state) = (desk.child.id().to_string(), gateway.path("desk"));
    let told = || {
        let devices = ["devices", "--format", "ndjson", "--state", &state];
        run(&mut product.command_under(&["nsenter", "-t", &pid, "-m"], devices)).expect(code::DONE).out
    };
    let is_all = |told: &String| (0..DEVICES).all(|number| told.contains(&format!("\"V1.{number}\"")));
    assert!(std::iter::repeat_with(told).take(TRIES_MAX).any(|told| is_all(&told)), "{}", told());
}
