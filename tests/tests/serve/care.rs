//! How the two processes get on with whoever started them: what they say to systemd, a configuration that is read again, and a disk that is nearly full.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use nameplate_simulators::report::Report;
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::Product;

use super::{DEVICES, Gateway, PAGE, all_asked, plant};

/// What is not said by then never will be.
const SAYS_SECONDS_MAX: Duration = Duration::from_secs(60);
/// A watchdog that bites after three seconds is fed each second.
const WATCHDOG_USEC: &str = "3000000";

/// The end of systemd.
struct Notified(UnixDatagram);

impl Notified {
    /// A command that is told where to say how it is.
    fn of(gateway: &Gateway, command: &mut Command) -> Self {
        let path = gateway.path("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(SAYS_SECONDS_MAX)).expect("a socket");
        command.env("NOTIFY_SOCKET", path).env("WATCHDOG_USEC", WATCHDOG_USEC);
        Self(socket)
    }

    /// Waits for a word.
    fn says(&self, word: &str) {
        let mut buffer = [0; 512];
        loop {
            let count = self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{word} is not said: {error}"));
            if String::from_utf8_lossy(&buffer[..count]).lines().any(|line| line.starts_with(word)) {
                return;
            }
        }
    }
}

pub fn hang_up(process: &Process) {
    let asked = Command::new("kill").args(["-HUP", &process.child.id().to_string()]).status();
    assert!(asked.is_ok_and(|status| status.success()));
}

#[test]
fn both_tell_the_service_manager_that_they_are_ready_alive_and_ending() {
    let test = "both_tell_the_service_manager_that_they_are_ready_alive_and_ending";
    let Some(product) = needed(test, Product::find()) else { return };
    for words in [Gateway::field_words, Gateway::desk_words] {
        let gateway = Gateway::new(&product, &[]);
        let mut command = product.command(words(&gateway));
        let notified = Notified::of(&gateway, &mut command);
        let mut process = Process::start(command);
        notified.says("READY=1");
        notified.says("WATCHDOG=1");
        notified.says("WATCHDOG=1");
        process.ends(0);
        notified.says("STOPPING=1");
    }
}

#[test]
fn a_configuration_that_is_read_again_counts_whole_or_not_at_all() {
    let test = "a_configuration_that_is_read_again_counts_whole_or_not_at_all";
    let Some(product) = needed(test, Product::find()) else { return };
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        gateway.configure("hatches = 1\n");
        let refused = product.run(gateway.desk_words()).expect(3);
        assert!(refused.err.contains("line 1: hatches: there is no such key; did you mean hatch?"), "{}", refused.err);
        // Without a plan nobody is asked.
        let hatch = format!("hatch = {:?}\n", gateway.path("hatch"));
        gateway.configure(&hatch);
        let _field = gateway.field();
        let mut command = product.command(gateway.desk_words());
        let notified = Notified::of(&gateway, &mut command);
        let mut desk = Process::start(command);
        desk.says("devices listed");
        gateway.configure("hatch = 5\n[[plan]]\nname = \"x\"\n");
        hang_up(&desk);
        let said = desk.says("is not taken");
        assert!(said.contains("line 1: hatch"), "{said}");
        notified.says("RELOADING=1");
        notified.says("READY=1");
        let plan = "[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n";
        gateway.folder.file("serve.toml", format!("{hatch}{plan}{PAGE}names = [\"box\"]\n"));
        hang_up(&desk);
        desk.says("[page] says now holds from the next start");
        desk.says("was read again: 1 plan");
        all_asked(&mut desk);
        desk.ends(0);
    });
    assert_eq!(reports.iter().map(Report::connections).collect::<Vec<_>>(), [1; DEVICES]);
}

#[test]
fn a_disk_that_is_nearly_full_ends_plans_and_nothing_else() {
    let test = "a_disk_that_is_nearly_full_ends_plans_and_nothing_else";
    let Some(product) = needed(test, Product::find()) else { return };
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let plan = format!("hatch = {:?}\n[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n", gateway.path("hatch"));
        gateway.configure(&format!("disk_free_min = \"100%\"\n{plan}"));
        let _field = gateway.field();
        let mut desk = gateway.desk();
        desk.says("nobody is asked by plan until there is room");
        assert_eq!(gateway.connected(), 0);
        gateway.configure(&format!("disk_free_min = \"0MB\"\n{plan}"));
        hang_up(&desk);
        desk.says("plans go on");
        all_asked(&mut desk);
        desk.ends(0);
        gateway.is_whole();
    });
    assert_eq!(reports.iter().map(Report::connections).collect::<Vec<_>>(), [1; DEVICES]);
}
