use super::*;
use crate::catalog::Catalog;
use crate::claim::{Claim, Grade};
use crate::observation::{Address, Observation, Source};
use crate::profile::{Interpretation, Matched as Profile, ProfileSet};
use crate::sheet::Import;

/// `Get-UpdateInstallationInfoPerUpdate` of a WSUS server, as scripts write it out, with what spreadsheets do to cells.
const WSUS: &str = "FullDomainName,IPAddress,KnowledgebaseArticles,Title,UpdateInstallationState\n\
    hmi-1.plant.example,10.0.0.20,5034441,Security update,Installed\n\
    hmi-1.plant.example,10.0.0.20,5034123,Cumulative update,InstalledPendingReboot\n\
    eng-2.plant.example,\"10.0.0.21, fe80::1\",5034441,Security update,NotInstalled\n\
    eng-2.plant.example,,5034123,Cumulative update,7\n";
/// `v_UpdateComplianceStatus` with its views beside it, as a report has them.
const CONFIGMGR: &str = "Netbios_Name0;ArticleID;BulletinID0x;Title;StateName;LastStatusTime\n\
    HMI-1;5034441;;Security update;Update is installed;2026-03-02 10:15:30\n\
    HMI-1;5034123;;\"Cumulative; update\";Update is required;2026-03-02\n\
    ENG-2;5034441;;Security update;Detection state unknown;yesterday\n";
/// `GET /katello/api/hosts/7/errata`, shortened.
const KATELLO: &str = r#"{"total":2,"subtotal":2,"page":1,"per_page":20,"results":[
    {"id":11,"errata_id":"RHSA-2024:0113","name":"RHSA-2024:0113","title":"Important: kernel","type":"security","installable":true,"summary":"x"},
    {"id":12,"errata_id":"RHBA-2024:0114","title":"glibc","type":"bugfix","installable":false,"cves":[]}]}"#;
const SECOND_NS: u64 = 1_000_000_000;

fn check(form: Form, text: &str, host: Option<&str>, expected: &[(&str, &str, State)], left_out: &[(usize, &str)]) {
    let read = read(form, text.as_bytes(), host).unwrap();
    let rows: Vec<_> = read.rows.iter().map(|row| (row.host[1].as_str(), row.patch.as_str(), row.state)).collect();
    assert_eq!(rows, expected);
    let wrong: Vec<_> = read.left_out.iter().map(|invalid| (invalid.line, invalid.why.clone())).collect();
    assert_eq!(wrong.len(), left_out.len(), "{wrong:?}");
    for ((line, why), (at, part)) in wrong.iter().zip(left_out) {
        assert!(line == at && why.contains(part), "{line}: {why}");
    }
}

#[test]
fn lists_of_three_patch_servers_say_the_same_things_in_their_own_words() {
    let (hmi, eng) = ("hmi-1.plant.example", "eng-2.plant.example");
    let wsus = [(hmi, "KB5034441", State::Installed), (hmi, "KB5034123", State::PendingRestart), (eng, "KB5034441", State::Missing)];
    check(Form::Csv, WSUS, None, &wsus, &[(5, "a number means one thing in WSUS")]);
    let configmgr = [("HMI-1", "KB5034441", State::Installed), ("HMI-1", "KB5034123", State::Missing)];
    check(Form::Csv, CONFIGMGR, None, &configmgr, &[(4, "is no time that is read")]);
    let katello = [("web-1", "RHSA-2024:0113", State::Missing), ("web-1", "RHBA-2024:0114", State::Missing)];
    check(Form::Json, KATELLO, Some("web-1"), &katello, &[]);
    check(Form::Json, KATELLO, None, &[], &[(1, "names no host"), (2, "names no host")]);
    let read = read(Form::Csv, CONFIGMGR.as_bytes(), None).unwrap();
    // 2026-03-02T10:15:30Z, by `date -u -d ... +%s`.
    assert_eq!(read.rows[0].said_ns, Some(1_772_446_530 * SECOND_NS));
    assert_eq!(read.rows[1].title, "Cumulative; update");
}

#[test]
fn a_row_that_is_wrong_is_left_out_and_said() {
    let own = "{\"host\":\"a\",\"patch\":\"P\",\"state\":\"installed\",\"release\":\"2.70\"}\n";
    let expected = [("a", "P", State::Installed)];
    for (line, why) in [
        ("{\"patch\":\"P\",\"state\":\"installed\"}", "names no host"),
        ("{\"host\":\"a\",\"state\":\"installed\"}", "names no patch"),
        ("{\"host\":\"a\",\"patch\":\"P\"}", "says no state"),
        ("{\"host\":\"a\",\"patch\":\"P\",\"state\":\"well\"}", "is no state that is known"),
        ("{\"host\":\"a\",\"patch\":\"P\\u001b[2J\",\"state\":\"failed\"}", "invisible"),
        ("{\"host\":\"a\\u202eb\",\"patch\":\"P\",\"state\":\"failed\"}", "invisible"),
        ("{\"host\":\"a\",\"ip\":\"10.0.0.300\",\"patch\":\"P\",\"state\":\"failed\"}", "is no IP address"),
        ("{\"host\":\"a\",\"hostname\":\"b\",\"patch\":\"P\",\"state\":\"failed\"}", "another key says the same"),
        ("{\"host\":\"a\",\"patch\":\"P\",\"state\":\"failed\",\"field\":\"serial_number\",\"release\":\"1\"}", "is no revision"),
        ("{\"host\":\"a\",\"patch\":\"P\",\"state\":\"failed\",\"field\":\"firmware_revision\"}", "no release"),
        ("[1]", "no object"),
        ("{", "no JSON"),
    ] {
        check(Form::Ndjson, &format!("{own}{line}\n"), None, &expected, &[(2, why)]);
    }
    for (form, text, why) in [
        (Form::Csv, "", "empty"),
        (Form::Csv, "host,state\na,installed\n", "no column names the patch"),
        (Form::Csv, "host,patch,KBArticle,state\n", "two columns say the same"),
        (Form::Csv, "host,patch,state\n", "no row"),
        (Form::Json, "{\"results\":7}", "neither an array"),
        (Form::Json, "7", "neither an array"),
        (Form::Json, "[", "no JSON"),
    ] {
        let said = read(form, text.as_bytes(), None).unwrap_err().why;
        assert!(said.contains(why), "{text}: {said}");
    }
}

#[test]
fn every_beginning_of_a_list_is_read_or_refused() {
    for (form, text) in [(Form::Csv, WSUS), (Form::Csv, CONFIGMGR), (Form::Json, KATELLO), (Form::Ndjson, KATELLO)] {
        for length in 0..=text.len() {
            if let Ok(read) = read(form, &text.as_bytes()[..length], None) {
                assert!(read.rows.iter().all(|row| !row.patch.is_empty()), "{length}");
            }
        }
    }
}

/// What a device says of itself at a second.
fn says(catalog: &mut Catalog, second: u64, release: &str) -> String {
    let observation = Observation {
        time_ns: second * SECOND_NS,
        source: Source::Capture { file: "x.pcap".into(), frame: second },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address { ip: Some([10, 0, 0, 7].into()), port: Some(502), unit: Some(1), ..Address::default() },
        announced: Vec::new(),
        messages: vec!["00".into()],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    };
    let claim = Claim {
        component: "communication-module".into(),
        field: Field::FirmwareRevision,
        value: release.into(),
        normal: None,
        grade: Grade::IdentityObject,
        profile: "computec/cws06".into(),
        rule: "modbus.firmware_revision".into(),
        message: 0,
        offset: 0,
        length: 1,
    };
    catalog.take(&observation, &Interpretation::of(Profile::One("computec/cws06".into()), vec![claim]))
}

/// What is known after lists and readings in some order.
#[derive(Default)]
struct Known {
    catalog: Catalog,
    patches: Patches,
    entry: u64,
}

impl Known {
    /// A list of `system`, taken in at that second.
    fn list(&mut self, second: u64, system: &str, list: &str) {
        let read = read(Form::Csv, list.as_bytes(), None).unwrap();
        assert_eq!(read.left_out, []);
        let Matched { statements, new, left_out } = matched(read.rows, &self.catalog);
        assert_eq!(left_out, []);
        if !new.rows.is_empty() {
            self.catalog.import(&Import { file: "hosts".into(), sha256: "00".into(), sheet: new }, second * SECOND_NS, Some(self.entry));
        }
        let report = Report { by: "Ada".into(), file: "x.csv".into(), sha256: "00".into(), statements, system: system.into() };
        self.entry += 1;
        self.patches.take(&report, self.entry, second * SECOND_NS);
    }

    /// Id, word, whether the reading is older than the word, and who says it.
    fn judged(&self) -> Vec<(String, &'static str, bool, usize)> {
        let all = judge(&self.patches, &self.catalog, ProfileSet::embedded());
        all.into_iter().map(|one| (one.id, one.stand.name(), one.read_before, one.said.len())).collect()
    }
}

const PATCHED: &str = "ip,patch,release,state\n10.0.0.7,FW-2.70,2.70,installed\n";

#[test]
fn it_says_patched_and_the_device_says_not_is_one_finding_that_a_reading_alone_closes() {
    let mut ids = Vec::new();
    for list_first in [false, true] {
        let mut known = Known::default();
        // The device is known from an inventory, so that it is one asset in both orders.
        says(&mut known.catalog, 1, "2.60");
        if list_first {
            known.list(5, "wsus", PATCHED);
            says(&mut known.catalog, 9, "2.60");
        } else {
            says(&mut known.catalog, 5, "2.60");
            known.list(9, "wsus", PATCHED);
        }
        let found = known.judged();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1, found[0].2, found[0].3), ("contradicted", !list_first, 1));
        ids.push(found[0].0.clone());
        // The same again, another system, and even the word taken back: still one, still there.
        known.list(10, "wsus", PATCHED);
        known.list(11, "katello", PATCHED);
        known.list(12, "wsus", "ip,patch,state\n10.0.0.7,FW-2.70,missing\n");
        known.list(13, "katello", "ip,patch,state\n10.0.0.7,FW-2.70,not applicable\n");
        assert_eq!(known.judged().iter().map(|one| (&one.0, one.1, one.3)).collect::<Vec<_>>(), [(&ids[0], "contradicted", 2)]);
        says(&mut known.catalog, 20, "2.65");
        assert_eq!(known.judged()[0].1, "contradicted", "newer, and not new enough");
        says(&mut known.catalog, 30, "2.70");
        assert_eq!(known.judged()[0].1, "behind", "it is there, and both lists say that it is not");
        known.list(31, "wsus", PATCHED);
        assert_eq!(known.judged()[0].1, "confirmed");
        // Somebody went back.
        says(&mut known.catalog, 40, "2.60");
        assert_eq!((known.judged()[0].0.clone(), known.judged()[0].1), (ids[0].clone(), "contradicted"));
    }
    assert_eq!(ids[0], ids[1], "the order makes no other finding");
}

#[test]
fn what_nobody_can_compare_is_said_so() {
    let mut known = Known::default();
    known.list(1, "wsus", "host,patch,state,release\nhmi-1,KB5034441,installed,\nplc-9,FW,installed,3.1\nplc-8,FW,missing,3.1\n");
    let mut words: Vec<_> = known.judged().into_iter().map(|one| one.1).collect();
    words.sort_unstable();
    assert_eq!(words, ["not_read", "nothing_to_read", "open"]);
    assert_eq!(known.catalog.assets().count(), 3, "hosts stand in the catalog");
    // The same hosts once more, in other letters, are the same assets.
    known.list(2, "configmgr", "host,patch,state\nHMI-1,KB5034441,missing\n");
    assert_eq!(known.catalog.assets().count(), 3);
    says(&mut known.catalog, 3, "B.17");
    known.list(4, "wsus", PATCHED);
    assert_eq!(known.judged()[0].1, "contradicted", "another release, and nobody can say whether it is older");
}

#[test]
fn a_row_that_may_be_about_two_devices_is_about_none() {
    let mut catalog = Catalog::default();
    let two = "tag,ip\npump,10.0.0.1\nPump,10.0.0.2\n";
    let sheet = crate::sheet::read(two.as_bytes()).unwrap().sheet;
    catalog.import(&Import { file: "x".into(), sha256: "00".into(), sheet }, SECOND_NS, Some(0));
    let rows = read(Form::Csv, b"host,patch,state\nPUMP,P,installed\n", None).unwrap().rows;
    let Matched { statements, new, left_out } = matched(rows, &catalog);
    assert_eq!((statements.len(), new.rows.len()), (0, 0));
    assert!(left_out[0].why.contains("may be about any of"), "{}", left_out[0].why);
}
