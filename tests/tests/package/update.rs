//! The program from a stick: installed, refused, taken back by itself and by hand, and gone on with behind a power cut. systemd does not run in a root of a test;
//! a stand-in starts the processes of the units by their own words.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nameplate_tests::place::{self, needed};
use nameplate_tests::segment::Segment;
use serde_json::Value;

use crate::AS_DESK;
use crate::room::Room;

/// This machine, and the state that this build has.
const FITS: (&str, &str) = ("amd64", "2-2");

/// An advisory about nothing.
const DOCUMENT: &str = r#"{"document":{"csaf_version":"2.0","title":"T","publisher":{"name":"V"},"tracking":{"id":"A","version":"1"}},"product_tree":{},"vulnerabilities":[{"cve":"CVE-2022-38465"}]}"#;
/// What stands in for systemctl: a process for each unit, by its ExecStart and its account; ready when it says so, as it tells systemd.
const SYSTEMCTL: &str = r#"#!/bin/sh
for unit; do :; done
name=${unit%.service}
pid=/run/stand-in-$name
runs() { test -e $pid && grep -q '^State:.[RSD]' /proc/$(cat $pid)/status 2>/dev/null; }
value() { sed -n "s/^$1=//p" /usr/lib/systemd/system/$name.service | tail -n 1; }
case $1 in
is-active) runs ;;
stop)
    runs || exit 0
    kill $(cat $pid)
    while runs; do sleep 0.05; done
    rm $pid ;;
start)
    runs && exit 0
    user=$(value User)
    install -d -m 700 -o $user -g $user /var/lib/$(value StateDirectory)
    umask 077
    : > /tmp/$name.log
    setsid setpriv --reuid=$user --regid=$user --clear-groups $(value ExecStart) > /dev/null 2> /tmp/$name.log < /dev/null &
    echo $! > $pid
    until grep -q 'the page is\|the hatch is' /tmp/$name.log; do runs || exit 1; sleep 0.05; done ;;
esac
"#;
/// In the place of dpkg for one time: the power is cut before it installs, or behind it.
const CUT_BEFORE: &str =
    "#!/bin/sh\ncase \"$*\" in *--install*) rm /usr/local/sbin/dpkg; kill -9 $PPID; exit 1 ;; esac\nexec /usr/bin/dpkg \"$@\"\n";
const CUT_STOP: &str = "#!/bin/sh\n[ \"$1\" = stop ] && kill -9 $PPID\nexec /tmp/systemctl \"$@\"\n";
const CUT_BEHIND: &str = "#!/bin/sh\ncase \"$*\" in *--install*) rm /usr/local/sbin/dpkg; /usr/bin/dpkg \"$@\"; kill -9 $PPID; exit 1 ;; esac\nexec /usr/bin/dpkg \"$@\"\n";
/// A program that does nothing.
const DEAD: &str = "#!/bin/sh\necho broken >&2\nexit 1\n";
/// A program whose desk does not come up; all else works.
const NO_DESK: &str = "#!/bin/sh\n[ \"$1\" = serve ] && exit 1\nexec /var/lib/nameplate-update/program/nameplate \"$@\"\n";

/// A package of this build, or of another program, as `cargo xtask deb` lays one out; its path.
struct Packages {
    folder: PathBuf,
    program: PathBuf,
}

impl Packages {
    fn new(folder: &Path) -> Result<Self, String> {
        let program = folder.join("program");
        fs::copy(place::binary()?, &program).map_err(|error| error.to_string())?;
        let stripped = Command::new("strip").arg(&program).status();
        stripped.map_err(|error| format!("strip: {error}"))?;
        Ok(Self { folder: folder.to_owned(), program })
    }

    fn make(&self, version: &str, (architecture, state): (&str, &str), program: Option<&str>) -> PathBuf {
        let (packaging, root) = (place::root().join("packaging"), self.folder.join("root"));
        let _ = fs::remove_dir_all(&root);
        let put = |name: &str, content: Vec<u8>, mode: u32| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(&path, content).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        };
        let read = |name: &str| fs::read(packaging.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        put("usr/bin/nameplate", program.map_or_else(|| fs::read(&self.program).expect("a program"), |text| text.into()), 0o755);
        for unit in ["nameplate-field.service", "nameplate-serve.service"] {
            put(&format!("usr/lib/systemd/system/{unit}"), read(&format!("units/{unit}")), 0o644);
        }
        put("usr/lib/sysusers.d/nameplate.conf", read("sysusers.conf"), 0o644);
        put("usr/lib/tmpfiles.d/nameplate.conf", read("tmpfiles.conf"), 0o644);
        for file in ["site.toml", "serve.toml"] {
            put(&format!("etc/nameplate/{file}"), b"# as it is packed\n".to_vec(), 0o644);
        }
        let control = String::from_utf8(read("debian/control")).expect("UTF-8");
        let control = control.replace("@VERSION@", version).replace("Architecture: amd64", &format!("Architecture: {architecture}"));
        let control = control.replace("@SIZE@", "1").replace("@GLIBC@", "2.31").replace("@STATE@", state);
        put("DEBIAN/control", control.into_bytes(), 0o644);
        put("DEBIAN/conffiles", read("debian/conffiles"), 0o644);
        for script in ["postinst", "prerm", "postrm"] {
            put(&format!("DEBIAN/{script}"), read(&format!("debian/{script}")), 0o755);
        }
        let sums =
            Command::new("sh").current_dir(&root).args(["-c", "find etc usr -type f | sort | xargs md5sum"]).output().expect("md5sum");
        put("DEBIAN/md5sums", sums.stdout, 0o644);
        let package = self.folder.join(format!("nameplate_{version}_{architecture}.deb"));
        let mut build = Command::new("dpkg-deb");
        let built = build.args(["--root-owner-group", "-Zgzip", "-z1", "--build"]).arg(&root).arg(&package).output().expect("dpkg-deb");
        assert!(built.status.success(), "{built:?}");
        package
    }
}

/// A gateway of version 1.0 that runs, and a publisher whom its owner trusts.
struct Gateway {
    room: Room,
    packages: Packages,
    /// The last version of an update.
    version: u32,
}

impl Gateway {
    fn new(segment: &Segment) -> Result<Self, String> {
        let folder = nameplate_tests::product::State::new();
        let packages = Packages::new(folder.path())?;
        let first = packages.make("1.0", FITS, None);
        let room = Room::new(segment, &first)?;
        let kept = Packages { folder: room.scratch.path().to_owned(), program: room.scratch.path().join("program") };
        fs::copy(&packages.program, &kept.program).map_err(|error| error.to_string())?;
        segment.shell("ip link set lo up");
        room.run("dpkg -i /nameplate.deb 2>&1");
        room.write("/usr/local/sbin/systemctl", SYSTEMCTL);
        room.run("chmod 755 /usr/local/sbin/systemctl");
        room.write("/etc/nameplate/site.toml", "name = \"Acme North\"\n[[zone]]\nname = \"one\"\n[[zone.device]]\nname = \"S\"\ntarget = \"10.99.0.2\"\nvia = \"snmp\"\nsnmp-community-public = true\n");
        room.write("/etc/nameplate/serve.toml", "[page]\nlisten = \"127.0.0.1:8443\"\n");
        room.run("systemctl start nameplate-field.service && systemctl start nameplate-serve.service");
        room.run("nameplate update key /tmp/acme.key --kinds program,profiles,advisories > /etc/nameplate/publishers/acme.pub && chmod 644 /etc/nameplate/publishers/acme.pub");
        Ok(Self { room, packages: kept, version: 0 })
    }

    /// An update with this package; its path in the room.
    fn update(&mut self, package: &Path) -> String {
        self.version += 1;
        let (version, place) = (self.version, format!("/tmp/{}.npu", self.version));
        self.room.copy(package, "/tmp/new.deb");
        self.room.run(&format!(
            "nameplate update make --key /tmp/acme.key --publisher acme --version {version} --program /tmp/new.deb --out {place} 2>&1"
        ));
        place
    }

    fn apply(&self, file: &str, more: &str) -> (i32, String) {
        let said = self.room.run(&format!("nameplate update apply {file} --by Ada --state /var/lib/nameplate {more} 2>&1; echo code $?"));
        let code = said.trim().rsplit(' ').next().and_then(|code| code.parse().ok()).expect("a code");
        (code, said)
    }

    /// The installed version; both units run, the ledger holds and is the desk's alone, and the owner's files are as they were.
    #[track_caller]
    fn is_well(&self, version: &str) {
        assert_eq!(
            self.room.run("dpkg-query --show --showformat='${Version} ${db:Status-Status}' nameplate"),
            format!("{version} installed")
        );
        self.room.run("systemctl is-active --quiet nameplate-field.service && systemctl is-active --quiet nameplate-serve.service");
        self.room.run("curl --silent --fail --insecure https://127.0.0.1:8443/api/v1/health/ready");
        self.room
            .run("test -z \"$(find /var/lib/nameplate ! -user nameplate)\" && test ! -e /var/lib/nameplate-update/program/journal.json");
        assert!(self.room.run("cat /etc/nameplate/site.toml").contains("Acme North"));
        self.room.run(&format!("{AS_DESK} nameplate ledger verify --state /var/lib/nameplate"));
    }

    /// What the ledger says of the last update of the program: its version, the program's, and whether it was taken back.
    fn last(&self) -> (u64, String, bool) {
        let said = self.room.run(&format!("{AS_DESK} nameplate update list --state /var/lib/nameplate --format ndjson"));
        let line: Value = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["kind"] == "program")
            .expect("a line");
        let program = line["program"].as_str().expect("a version").to_owned();
        (line["version"].as_u64().expect("a number"), program, line["taken_back"].as_bool().expect("whether"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // By their process ids; what does not run is no trouble.
        let _ = self.room.shell("systemctl stop nameplate-serve.service; systemctl stop nameplate-field.service").status();
    }
}

#[test]
fn a_stick_brings_the_program_and_what_does_not_come_up_is_taken_back() {
    let test = "a_stick_brings_the_program_and_what_does_not_come_up_is_taken_back";
    let made = Segment::new().and_then(|segment| Gateway::new(&segment).map(|gateway| (segment, gateway)));
    let Some((_segment, mut gateway)) = needed(test, made) else { return };
    gateway.is_well("1.0");
    let first = gateway.packages.make("1.0", FITS, None);
    gateway.room.copy(&first, "/tmp/first.deb");
    let two = gateway.packages.make("2.0", FITS, None);
    let two = gateway.update(&two);
    let (code, said) = gateway.apply(&two, "");
    assert!(code == 6 && said.contains("there would be no way back") && said.contains("--previous FILE"), "{said}");
    gateway.is_well("1.0");
    // Of the right version, and another program.
    gateway.room.copy(&gateway.packages.make("1.0", FITS, Some(DEAD)), "/tmp/another.deb");
    let (code, said) = gateway.apply(&two, "--previous /tmp/another.deb");
    assert!(code == 6 && said.contains("is not the package that was installed"), "{said}");
    gateway.is_well("1.0");
    let (code, said) = gateway.apply(&two, "--previous /tmp/first.deb");
    assert!(code == 0 && said.contains("nameplate 2.0 is installed and runs; 1.0 is kept"), "{said}");
    gateway.is_well("2.0");
    assert_eq!(gateway.last(), (1, "2.0".to_owned(), false));

    of_other_kinds(&mut gateway);

    // What does not fit changes nothing.
    for (version, fits, why) in [
        ("1.5", FITS, "only `nameplate update back` goes back"),
        ("2.0", FITS, "only `nameplate update back` goes back"),
        ("2.0~rc1", FITS, "only `nameplate update back` goes back"),
        ("3.0", ("arm64", "2-2"), "it is for arm64, and this machine is amd64"),
        ("3.0", ("amd64", "3-4"), "opens states 3 to 4, and /var/lib/nameplate has state 2"),
        ("3.0", ("amd64", "1-1"), "opens states 1 to 1"),
    ] {
        let package = gateway.packages.make(version, fits, Some(DEAD));
        let file = gateway.update(&package);
        let (code, said) = gateway.apply(&file, "");
        assert!(code == 6 && said.contains(why), "{version} {fits:?}: {said}");
        gateway.is_well("2.0");
    }

    assert_eq!(gateway.last(), (1, "2.0".to_owned(), false), "what was refused left no trace");

    // What does not come up is taken back by itself.
    for (program, why) in [(DEAD, "ended with"), (NO_DESK, "nameplate-serve.service")] {
        let package = gateway.packages.make("3.0", FITS, Some(program));
        let file = gateway.update(&package);
        let (code, said) = gateway.apply(&file, "");
        assert!(code == 6 && said.contains("went back from nameplate 3.0 to 2.0") && said.contains(why), "{said}");
        gateway.is_well("2.0");
        assert_eq!(gateway.last(), (u64::from(gateway.version), "3.0".to_owned(), true));
    }
    let (code, said) = gateway.apply(&two, "");
    assert!(code == 6 && said.contains("was applied already: nothing goes back"), "{said}");

    // By hand, to the one before: which says first what that may cost.
    let back = "nameplate update back --by Grace --why 'pages are slow' --state /var/lib/nameplate 2>&1";
    gateway.room.fails(back);
    let three = gateway.packages.make("3.1", FITS, None);
    let three = gateway.update(&three);
    let (code, said) = gateway.apply(&three, "");
    assert_eq!(code, 0, "{said}");
    gateway.is_well("3.1");
    let said = gateway.room.fails(back);
    assert!(said.contains("came since the update") && said.contains("--set-aside"), "{said}");
    gateway.is_well("3.1");
    let said = gateway.room.run(&back.replace("--by", "--set-aside --by"));
    assert!(said.contains("went back from nameplate 3.1 to 2.0: pages are slow"), "{said}");
    gateway.is_well("2.0");
    assert_eq!(gateway.last(), (u64::from(gateway.version), "3.1".to_owned(), true));
}

/// Root brings profiles while both sides run, and advisories while the desk is stopped: what stands in the ledger was written by its owner.
fn of_other_kinds(gateway: &mut Gateway) {
    let room = &gateway.room;
    let profile = fs::read_to_string(place::root().join("device-profiles/lantronix/xport.toml")).expect("a profile");
    room.run("mkdir -p /tmp/set/lantronix /tmp/csaf");
    room.write("/tmp/set/lantronix/xport.toml", &format!("{profile}\n# mended\n"));
    room.write("/tmp/csaf/a.json", DOCUMENT);
    let make = "nameplate update make --key /tmp/acme.key --publisher acme --version 1";
    // A mask that would keep the others out.
    room.run(&format!(
        "umask 077; {make} --profile-set /tmp/set --out /tmp/profiles.npu && {make} --advisories /tmp/csaf --out /tmp/advisories.npu"
    ));
    let before = room.run("cat /run/stand-in-nameplate-serve /run/stand-in-nameplate-field");
    let (code, said) = gateway.apply("/tmp/profiles.npu", "");
    assert!(code == 0 && said.contains("1 profile of acme in force"), "{said}");
    gateway.is_well("2.0");
    assert_ne!(room.run("cat /run/stand-in-nameplate-serve /run/stand-in-nameplate-field"), before, "both were started again");
    let listed = room.run(&format!("{AS_DESK} nameplate profile list --format ndjson 2>&1"));
    assert!(listed.contains(room.run("sha256sum /tmp/set/lantronix/xport.toml").split(' ').next().expect("a hash")), "{listed}");
    let (code, said) = gateway.apply("/tmp/advisories.npu", "");
    assert!(code != 0 && said.contains("another nameplate is writing"), "the desk has the ledger: {said}");
    room.run("systemctl stop nameplate-serve.service");
    let (code, said) = gateway.apply("/tmp/advisories.npu", "");
    assert!(code == 0 && said.contains("advisories 1 of acme applied"), "{said}");
    room.run("systemctl start nameplate-serve.service");
    gateway.is_well("2.0");
}

#[test]
fn a_power_cut_ends_in_the_new_program_or_in_the_one_before() {
    let test = "a_power_cut_ends_in_the_new_program_or_in_the_one_before";
    let made = Segment::new().and_then(|segment| Gateway::new(&segment).map(|gateway| (segment, gateway)));
    let Some((_segment, mut gateway)) = needed(test, made) else { return };
    let first = gateway.packages.make("1.0", FITS, None);
    gateway.room.copy(&first, "/tmp/first.deb");
    let mut version = 1;
    for (cut, program, comes_up) in [
        (CUT_STOP, None, true),
        (CUT_BEFORE, None, true),
        (CUT_BEHIND, None, true),
        (CUT_BEFORE, Some(NO_DESK), false),
        (CUT_BEHIND, Some(NO_DESK), false),
    ] {
        let new = format!("{}.0", version + 1);
        let package = gateway.packages.make(&new, FITS, program);
        let file = gateway.update(&package);
        let place = if cut == CUT_STOP { "systemctl" } else { "dpkg" };
        gateway.room.run(&format!("cp /usr/local/sbin/systemctl /tmp/systemctl; rm -f /usr/local/sbin/{place}"));
        gateway.room.write(&format!("/usr/local/sbin/{place}"), cut);
        gateway.room.run(&format!("chmod 755 /usr/local/sbin/{place}"));
        let more = if version == 1 { "--previous /tmp/first.deb" } else { "" };
        // 137: ended by SIGKILL.
        let (code, said) = gateway.apply(&file, more);
        assert_eq!(code, 137, "{said}");
        gateway.room.run("test -s /var/lib/nameplate-update/program/journal.json");
        let doctor = gateway.room.fails("nameplate doctor --format table 2>&1");
        assert!(doctor.contains("was begun and is not over"), "{doctor}");
        gateway
            .room
            .run("cp -p /tmp/systemctl /usr/local/sbin/systemctl; cp /var/lib/nameplate-update/program/journal.json /tmp/journal.json");
        let (code, said) = gateway.apply(&file, "");
        assert!(code == 6 && said.contains("update resume"), "{said}");
        let resumed = "/var/lib/nameplate-update/program/nameplate update resume --state /var/lib/nameplate 2>&1; echo code $?";
        let said = gateway.room.run(resumed);
        if comes_up {
            assert!(said.ends_with("code 0\n"), "{said}");
            version += 1;
            // And once more behind all of it, as the last names are given: in the middle, and at their end.
            for moved in ["mv current.deb next.deb", "true"] {
                let again = format!(
                    "cd /var/lib/nameplate-update/program && {moved} && sed s/stopping/installing/ /tmp/journal.json > journal.json"
                );
                gateway.room.run(&again);
                let said = gateway.room.run(resumed);
                assert!(said.ends_with("code 0\n"), "{moved}: {said}");
            }
        } else {
            assert!(said.contains("went back from") && said.ends_with("code 6\n"), "{said}");
        }
        gateway.is_well(&format!("{version}.0"));
        assert_eq!(gateway.last(), (u64::from(gateway.version), new, !comes_up));
        assert!(gateway.room.run("nameplate update resume --state /var/lib/nameplate 2>&1").contains("no update of the program"));
    }
}
