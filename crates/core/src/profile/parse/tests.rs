use super::*;

const GOOD: &str = r#"vendor = "Maker"
family = "MK"
device_class = "plc"
identity_of = "self"
protocol = "modbus"
version_order = "dotted"
confidence = "seen"

[match]
"modbus.object.0" = '^Maker$'

[[component]]
role = "self"
[component.extract]
firmware_revision = { from = "modbus.object.2", pattern = '^V(\d+)$' }

[[example]]
source = "a manual"
licence = "fact"
objects = { 0 = "Maker", 2 = "V7" }
[example.expect.self]
firmware_revision = "7"
"#;

/// The good profile with one change; the rule that is named and the line that is to blame.
fn check(from: &str, to: &str, rule: &str, line: Option<usize>) {
    assert!(GOOD.contains(from), "{from} stands in the profile");
    let invalid = parse("maker/mk", &GOOD.replacen(from, to, 1)).expect_err(to);
    assert_eq!((invalid.rule, invalid.line), (rule, line), "{to}: {invalid}");
    assert!(invalid.to_string().starts_with("profile maker/mk"), "{invalid}");
}

#[test]
fn a_profile_that_cannot_be_used_says_which_rule_and_which_line() {
    parse("maker/mk", GOOD).expect("the profile without a change is good");
    check("family = \"MK\"", "familie = \"MK\"", "toml", Some(2));
    check("device_class = \"plc\"", "device_class = \"toaster\"", "toml", Some(3));
    check("'^Maker$'", "'^Mak(er$'", "pattern", Some(10));
    check("'^Maker$'", "'Maker'", "anchored", Some(10));
    check("'^Maker$'", "'^(a{1000}){1000}$'", "pattern", Some(10));
    check("[match]\n\"modbus.object.0\" = '^Maker$'", "", "match", None);
    check("\"modbus.object.0\" =", "\"snmp.sysdescr\" =", "fact", Some(10));
    check("'^V(\\d+)$'", "'V(\\d+)'", "whole-text", Some(15));
    check("'^V(\\d+)$'", "'^(V)(\\d+)$'", "whole-text", Some(15));
    check("from = \"modbus.object.2\"", "from = \"object.2\"", "fact", Some(15));
    check("objects = { 0 =", "frames = [\"2b0\"]\nobjects = { 0 =", "example", Some(17));
    check("objects = { 0 = \"Maker\", 2 = \"V7\" }", "frames = [\"2b0\"]", "hex", Some(20));
    check("2 = \"V7\"", "256 = \"V7\"", "object", Some(20));
    check("vendor = \"Maker\"", "vendor = ", "toml", Some(1));
}

#[test]
fn a_profile_without_an_example_is_not_taken() {
    let (head, _) = GOOD.split_once("[[example]]").expect("it has one");
    assert_eq!(parse("maker/mk", head).expect_err("no example").rule, "example");
}

#[test]
fn two_profiles_with_one_name_are_not_taken() {
    let twice = [("maker/mk".to_owned(), GOOD.to_owned()), ("maker/mk".to_owned(), GOOD.to_owned())];
    assert_eq!(crate::profile::ProfileSet::new(twice).expect_err("one name").rule, "unique");
}

#[test]
fn a_profile_of_web_pages_names_them_literally() {
    let page = GOOD.replace("modbus", "http").replace("objects = { 0 = \"Maker\", 2 = \"V7\" }", "frames = [\"00\"]");
    let with = |ask: &str| parse("maker/mk", &page.replacen("confidence", &format!("{ask}\nconfidence"), 1));
    assert_eq!(with("ask = [\"/id.htm\", \"/\"]").expect("two pages").ask, ["/id.htm", "/"]);
    for ask in ["[\"id.htm\"]", "[\"/id?x=1\"]", "[\"/a b\"]", "[\"/a\", \"/b\", \"/c\"]", "[\"/%20\"]", "[\"http://192.0.2.9/\"]"] {
        let invalid = with(&format!("ask = {ask}")).expect_err(ask);
        assert_eq!((invalid.rule, invalid.line), ("ask", Some(7)), "{ask}");
    }
    check("confidence", "ask = [\"/\"]\nconfidence", "ask", Some(7));
}

/// A profile of an agent that asks for these objects.
fn agent(ask: &str) -> Result<Profile, Invalid> {
    let text = GOOD
        .replace("protocol = \"modbus\"", &format!("protocol = \"snmp\"\nask = [{ask}]"))
        .replace("\"modbus.object.0\" = '^Maker$'", "\"snmp.system.object_id\" = '^1\\.3'")
        .replace("from = \"modbus.object.2\"", "from = [\"snmp.1.3.6.1.4.1.9.2.0\", \"snmp.{object_id}.2.0\"]")
        .replace("objects = { 0 = \"Maker\", 2 = \"V7\" }", "frames = [\"30\"]");
    parse("maker/agent", &text)
}

#[test]
fn an_agent_is_asked_for_objects_that_a_rule_reads() {
    let good = agent("\"1.3.6.1.4.1.9.2.0\", \"{object_id}.2.0\", \"1.3.6.1.2.1.33.1.1.3.0\"").expect("it is good");
    assert_eq!(good.ask.len(), 3);
    for ask in [
        "\"1.3.6.1.4.1.9.3.0\"",
        "\"{object_id}.3.0\"",
        "\"1.3.6.1.2.1.1.5.0\"",
        "\"1.3.6.1.2.1.2.2.1.2.1\"",
        "\"1.3.6.1.4.1.9.*\"",
        "\"/index.html\"",
        &["\"1.3.6.1.4.1.9.2.0\""; 17].join(", "),
    ] {
        assert_eq!(agent(ask).expect_err(ask).rule, "ask");
    }
}
