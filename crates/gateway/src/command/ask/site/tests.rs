use super::*;

const SITE: &str = r#"
name = "Waterworks North"
readings_per_day = 2

[[never]]
place = "192.0.2.48/29"
why = "SIS of boiler 2"

[[window]]
name = "night"
days = ["mon", "tue"]
from = "22:00"
until = "05:00"
utc = "+01:00"

[[blackout]]
from = "2026-12-24T00:00:00Z"
until = "2026-12-27T00:00:00Z"
why = "change freeze"

[[zone]]
name = "Pump house"
window = "night"

[[zone.device]]
name = "Pump 1"
target = "192.0.2.10/1"
question = ["basic", "server-id"]

[[zone.device]]
target = "192.0.2.11"
via = ["enip", "cip"]
cip-slot = [0, 3]

[[zone.device]]
target = "192.0.2.50/1"

[[zone]]
name = "Outstations"

[[zone.device]]
target = "192.0.2.20/4"
via = "dnp3"
dnp3-master = 3
dnp3-udp = true
connections_max = 1

[[zone.device]]
target = "192.0.2.21:5020/4"
connections_max = 1

[[zone.device]]
target = "serial:/dev/ttyS0@9600-8N1/17"
via = "modbus-rtu"
"#;

fn read(text: &str) -> Result<Site, Failure> {
    let folder = std::env::temp_dir().join(format!("nameplate-site-{}-{:?}", std::process::id(), std::thread::current().id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("site.toml");
    fs::write(&path, text).expect("a file");
    let site = Site::read(&path, &Kept { state: None, writes: false });
    fs::remove_dir_all(&folder).expect("a folder");
    site
}

#[test]
fn a_site_file_says_whom_to_ask_in_which_protocols_and_when() {
    let site = read(SITE).expect("a site");
    let asked: Vec<String> =
        site.asks(&[]).expect("all").iter().map(|ask| format!("{} {}", ask.via.adapter().name(), ask.place())).collect();
    let expected = [
        "modbus 192.0.2.10:502/1",
        "enip udp:192.0.2.11:44818",
        "cip 192.0.2.11:44818",
        "modbus 192.0.2.50:502/1",
        "dnp3 udp:192.0.2.20:20000/4",
        "modbus 192.0.2.21:5020/4",
        "modbus-rtu serial:/dev/ttyS0@9600-8N1/17",
    ];
    assert_eq!(asked, expected);
    assert_eq!(site.asks(&["Pump 1".to_owned(), "192.0.2.11".to_owned()]).expect("two devices").len(), 3);
    assert!(site.asks(&["192.0.2.99".to_owned()]).expect_err("not listed").why.contains("192.0.2.99"));
    assert_eq!(site.rules.readings_per_day, Some(2));
    let now = |text: &str| humantime::parse_rfc3339(text).expect("a time").duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let check = |target: &str, station: &str, time: &str, expected: Option<&str>| {
        let barred = site.rules.may_ask(&target.parse().expect("an endpoint"), station, now(time)).err();
        assert_eq!(barred.map(|barred| barred.rule), expected, "{target} {station} {time}");
    };
    // 2026-11-23 is a Monday.
    check("192.0.2.10:502", "1", "2026-11-23T22:00:00Z", None);
    check("192.0.2.10:502", "1", "2026-11-23T12:00:00Z", Some("site.window"));
    check("udp:192.0.2.11:44818", "", "2026-11-23T12:00:00Z", Some("site.window"));
    check("192.0.2.50:502", "1", "2026-11-23T22:00:00Z", Some("site.never"));
    check("192.0.2.21:5020", "4", "2026-11-23T12:00:00Z", Some("site.connections"));
    check("udp:192.0.2.20:20000", "4", "2026-11-23T12:00:00Z", None);
    check("udp:192.0.2.20:20000", "4", "2026-12-25T12:00:00Z", Some("site.blackout"));
}

#[test]
fn a_site_and_a_zone_may_have_a_budget() {
    let budget = |most: usize| format!("readings_per_day_in_all = {most}\n");
    let text = SITE.replacen("readings_per_day = 2\n", &budget(400), 1).replacen("window = \"night\"\n", &budget(40), 1);
    let rules = read(&text).expect("a site").rules;
    assert_eq!((rules.readings_per_day, rules.readings_per_day_in_all), (None, Some(400)));
    let zone = site::Zone { name: "Pump house".to_owned(), readings_per_day: 40 };
    // Two devices, one of them in two protocols, and the one that nobody may contact.
    assert_eq!(rules.zones.values().collect::<Vec<_>>(), [&zone; 4]);
}

#[test]
fn the_firewall_list_names_each_port_once_and_nobody_who_is_never_contacted() {
    let expected = "tcp 192.0.2.10 502 # modbus of Pump 1\n\
                    tcp 192.0.2.11 44818 # cip of 192.0.2.11\n\
                    tcp 192.0.2.21 5020 # modbus of 192.0.2.21:5020/4\n\
                    udp 192.0.2.11 44818 # enip of 192.0.2.11\n\
                    udp 192.0.2.20 20000 # dnp3 of 192.0.2.20/4\n";
    assert_eq!(read(SITE).expect("a site").firewall(), expected);
}

#[test]
fn a_mistake_in_a_site_file_says_where_and_what() {
    let check = |from: &str, to: &str, line: usize, why: &str| {
        assert!(SITE.contains(from), "{from}");
        let failure = read(&SITE.replacen(from, to, 1)).expect_err(to);
        assert_eq!(failure.code, Code::Input, "{failure}");
        assert!(failure.why.contains(&format!("line {line}")) && failure.why.contains(why), "{failure}; expected line {line} and {why:?}");
    };
    check("readings_per_day = 2", "readings_per_week = 2", 3, "unknown field `readings_per_week`");
    check("192.0.2.48/29", "192.0.2.48/99", 5, "192.0.2.48/29");
    check("[\"mon\", \"tue\"]", "[\"mon\", \"caturday\"]", 9, "caturday");
    check("2026-12-27", "2026-12-20", 16, "ends before it begins");
    check("2026-12-27T00:00:00Z", "Christmas", 16, "2026-12-24T00:00:00Z");
    check("window = \"night\"", "window = \"knight\"", 23, "there are: night");
    check("target = \"192.0.2.10/1\"", "target = \"192.0.2.0/24\"", 25, "never sweep");
    check("target = \"192.0.2.10/1\"", "", 25, "a device has a target");
    check("cip-slot = [0, 3]", "cip-slto = [0, 3]", 30, "a similar argument exists: '--cip-slot'");
    check("cip-slot = [0, 3]", "cip-slot = [0, 300]", 30, "300");
    check("cip-slot = [0, 3]", "cip-slot = 0.5", 30, "0.5");
    check("via = \"modbus-rtu\"", "via = \"modbus-udp\"", 52, "possible values");
    check("dnp3-master = 3", "", 41, "--dnp3-master");
    check("target = \"192.0.2.11\"", "target = \"192.0.2.10/1\"\nvia = \"modbus\"", 33, "duplicate key");
    check("target = \"192.0.2.21:5020/4\"", "target = \"192.0.2.10/1\"", 48, "listed twice over modbus");
    check("name = \"Waterworks North\"", "", 1, "missing field `name`");
}

#[test]
fn a_network_is_in_one_zone_and_both_lines_are_named() {
    let zones = |first: &str, second: &str| {
        format!(
            "name = \"S\"\n[[zone]]\nname = \"A\"\nnetworks = [\"{first}\"]\n[[zone]]\nname = \"B\"\nnetworks = [\"198.51.100.0/24\",\n  \"{second}\"]\n"
        )
    };
    for (first, second) in [("192.0.2.0/24", "192.0.2.7"), ("192.0.2.7", "192.0.2.0/29"), ("2001:db8::/32", "2001:db8:1::/48")] {
        let why = read(&zones(first, second)).expect_err("overlapping").why;
        let expected = format!("line 8: {second} of zone \"B\" overlaps {first} of zone \"A\" in line 4");
        assert!(why.ends_with(&expected), "{why}");
    }
    assert_eq!(read(&zones("192.0.2.0/25", "192.0.2.128/25")).expect("two zones").zones.len(), 2);
    let twice = "name = \"S\"\n[[zone]]\nname = \"A\"\n[[zone]]\nname = \"A\"\n";
    assert!(read(twice).expect_err("twice").why.ends_with("line 5: zone \"A\" is there already, in line 3"));
}
