//! What is read, what is refused, and that the keys' table holds together.

use std::fs;

use super::keys::{SECTIONS, Written};
use super::*;
use crate::command::config::{example, markdown};

fn mistakes(text: &str) -> Vec<String> {
    Config::of(text).err().unwrap_or_default().iter().map(Mistake::to_string).collect()
}

#[test]
fn a_configuration_is_read_whole_or_says_every_mistake_with_its_line() {
    let config = Config::of("hatch = \"/run/h\"\n[[plan]]\nname = \"daily\"\nevery = \"1day\"\n").expect("a configuration");
    let plan = &config.plans[0];
    assert_eq!((config.plans.len(), plan.every.as_secs(), plan.catch_up.as_secs()), (1, 86_400, 900));
    assert_eq!((config.hatch, config.field_key), ("/run/h".into(), None));
    let check = |text: &str, expected: &[&[&str]]| {
        let said = mistakes(text);
        let fits = |(said, parts): (&String, &&[&str])| parts.iter().all(|part| said.contains(part));
        assert!(said.len() == expected.len() && said.iter().zip(expected).all(fits), "{text:?}: {said:#?}");
    };
    check("", &[]);
    check("hatches = 1\n", &[&["line 1", "hatches", "did you mean hatch?"]]);
    check("listen = \"127.0.0.1:1\"\n", &[&["line 1", "it stands in [page]"]]);
    check("[page]\nhatch = \"/h\"\n", &[&["line 2", "above all tables"]]);
    check("[pages]\n", &[&["line 1", "did you mean page?"]]);
    check("quux = 1\n", &[&["line 1", "config explain"]]);
    check("hatch = 5\nfield_key = \"abc\"\n", &[&["line 1", "hatch", "a number"], &["line 2", "fingerprint"]]);
    check("hatch = \"h\"\n\n[[plan]]\nname = \"a\"\nevery = \"1h\"\n", &[&["line 5", "every", "a day"]]);
    check("[[plan]]\nname = \"a\"\nevery = \"soon\"\n", &[&["line 3", "soon"]]);
    check("[[plan]]\nname = \"\"\n", &[&["line 1", "every is missing"], &["line 2", "characters"]]);
    check("[[plan]]\nname = \"a\"\nevery = \"1day\"\n[[plan]]\nname = \"a\"\nevery = \"1day\"\n", &[&["line 5", "twice"]]);
    check("[[plan]]\nname = \"a\"\nevery = \"1day\"\ncatch_up = \"x\"\n", &[&["line 4", "catch_up"]]);
    check("plan = 1\npage = 2\n", &[&["line 1", "[[plan]]"], &["line 2", "[page]"]]);
    check("plan = [1]\n", &[&["line 1", "a table"]]);
    check("disk_free_min = \"much\"\n", &[&["line 1", "512MB"]]);
    check("[page]\nlisten = \"8443\"\nnames = [\"https://box\"]\n", &[&["line 2", "its port"], &["line 3", "host name"]]);
    check("[page]\ncertificate = \"c\"\n", &[&["line 2", "needs its key"]]);
    check("[page]\nkey = \"c\"\n", &[&["line 2", "needs its certificate"]]);
    check("[page]\nlisten = \"192.0.2.1:443\"\ntls = false\n", &[&["line 3", "loopback"]]);
    check("[page]\ntls = false\nclient_ca = \"c\"\n", &[&["line 3", "TLS"]]);
    let webhook = "[[target]]\nname = \"cmdb\"\nurl = \"https://cmdb.example/\"\nsecret = \"/s\"\n";
    check(webhook, &[]);
    check(&format!("{webhook}{webhook}"), &[&["line 6", "twice"]]);
    check(
        &format!("{webhook}events = [\"device\", \"chagne\"]\nfrom = \"then\"\n"),
        &[&["line 5", "\"chagne\" is none of device, change"], &["line 6", "beginning"]],
    );
    check(
        "[[target]]\nname = \"A b\"\nurl = \"http://cmdb.example/\"\n",
        &[&["line 2", "a-z"], &["line 3", "without TLS only this machine"]],
    );
    check("[[target]]\nname = \"a\"\nurl = \"https://cmdb.example/\"\n", &[&["line 1", "secret", "must be able to know"]]);
    check("[[target]]\nname = \"a\"\nurl = \"syslog+tls://logs.example\"\nsecret = \"/s\"\n", &[&["line 4", "secret", "syslog has none"]]);
    // What the first says is not what the second means.
    let two = Config::of(&format!(
        "{webhook}events = [\"change\"]\nfrom = \"beginning\"\n[[target]]\nname = \"logs\"\nurl = \"syslog+tls://logs.example\"\n"
    ));
    let logs = two.expect("a configuration").targets.remove(1);
    assert_eq!((logs.secret, logs.events.len(), logs.from), (None, 0, crate::outbox::From::Now));
    check("[log]\nlevel = \"loud\"\nform = 1\n", &[&["line 2", "level", "warn, info"], &["line 3", "form", "a number"]]);
    check("[log]\nlevl = \"info\"\n", &[&["line 2", "did you mean level?"]]);
    check("hatch = \"h\nfield_key = \"\n", &[&["line 1"], &["line 2"]]);
}

#[test]
fn the_page_is_read_with_its_types() {
    let text =
        "[page]\nlisten = \"[::1]:443\"\nnames = [\"Box.plant\", \"192.0.2.1\"]\ncertificate = \"/c\"\nkey = \"/k\"\nclient_ca = \"/a\"\n";
    let page = Config::of(text).expect("a configuration").page;
    let expected = Page {
        listen: "[::1]:443".parse().expect("an address"),
        names: vec!["box.plant".to_owned(), "192.0.2.1".to_owned()],
        certificate: Some("/c".into()),
        key: Some("/k".into()),
        client_ca: Some("/a".into()),
        tls: true,
    };
    assert_eq!(page, expected);
    let default = Config::of("").expect("a configuration").page;
    assert_eq!((default.listen.to_string().as_str(), default.tls, default.names.len()), ("127.0.0.1:8443", true, 0));
    assert!(!Config::of("[page]\ntls = false\n").expect("a configuration").page.tls);
    let log = Config::of("[log]\nlevel = \"debug\"\nform = \"json\"\n").expect("a configuration").log;
    assert_eq!((log.level, log.form), (crate::log::Level::Debug, crate::log::Form::Json));
}

/// Every key alone: its default, or its example, is a value that it takes.
#[test]
fn every_default_and_every_example_is_taken() {
    for section in SECTIONS {
        for key in section.keys {
            let (Written::Default(text) | Written::Needed(text) | Written::Optional(text)) = key.written;
            let mut draft = keys::Draft::blank();
            let value = toml::de::DeValue::parse(text).expect("TOML");
            (key.set)(&mut draft, value.get_ref()).unwrap_or_else(|why| panic!("{}: {why}", key.name));
        }
    }
}

#[test]
fn the_commented_example_is_a_configuration_and_so_it_is_without_its_comment_signs() {
    let text = example();
    let config = Config::of(&text).expect("a configuration");
    let bare = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
    let written = text.lines().map(bare).collect::<Vec<_>>().join("\n");
    let all = Config::of(&written).expect("a configuration");
    assert_eq!((&config.hatch, &config.plans, config.disk_free_min), (&all.hatch, &all.plans, all.disk_free_min));
    assert_eq!((config.page.listen, config.page.tls, config.plans.len()), (all.page.listen, all.page.tls, 1));
    assert_eq!((config.targets.len(), all.targets.len()), (0, 1), "nobody is told anything before somebody wants it");
    assert!(all.field_key.is_some() && all.page.certificate.is_some() && all.page.client_ca.is_some());
    for key in SECTIONS.iter().flat_map(|section| section.keys) {
        assert!(written.lines().any(|line| line.starts_with(&format!("{} = ", key.name))), "{} is missing:\n{text}", key.name);
    }
}

/// `NAMEPLATE_GOLDEN=write` writes it anew.
#[test]
fn the_handbook_lists_the_keys_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write") {
        fs::write(&path, markdown()).expect("written");
    }
    assert_eq!(fs::read_to_string(&path).expect("the handbook"), markdown());
}
