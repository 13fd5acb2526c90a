//! The options of `nameplate ask` as keys with values: of a device in the site file, and of a device in a change.

use std::collections::BTreeMap;

use clap::{Args, FromArgMatches};
use toml::{Table, Value};

use super::Ways;
use crate::failure::{Code, Failure};

/// Options without their dashes, with their values in their order; an option that takes none has none.
pub type Keys = BTreeMap<String, Vec<String>>;

/// The option that says in which protocols a device is asked.
pub const VIA: &str = "via";
/// What the options of Modbus begin with: they are older than the others, and have no name of their protocol before them.
const OF_MODBUS: [&str; 2] = ["question", "modbus-"];
/// What the name of an option ends with that leads to a secret.
const OF_SECRETS: [&str; 3] = ["-env", "-file", "-key"];
/// An owner's word for the moment in which a device is asked: that its controller is connected, and that it is not starting.
const OF_THE_MOMENT: &str = "pn-consent";

/// The keys of a table of the site file.
///
/// # Errors
/// A value that no option has.
pub fn of_table(table: &Table) -> Result<Keys, Failure> {
    let mut keys = Keys::new();
    for (key, value) in table {
        let values = match value {
            Value::Boolean(false) => continue,
            Value::Array(values) if values.is_empty() => continue,
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        let mut words = Vec::new();
        for value in values {
            match value {
                Value::Boolean(true) => {}
                Value::String(text) => words.push(text.clone()),
                Value::Integer(number) => words.push(number.to_string()),
                other => {
                    let why = format!("{key}: a key is a text, a number, true, or a list of these, not {}", written(other));
                    return Err(Failure::new(Code::Input, why));
                }
            }
        }
        keys.insert(key.clone(), words);
    }
    Ok(keys)
}

/// The keys that words `KEY=VALUE` name; without `=`, an option that takes no value.
///
/// # Errors
/// Usage: a word without a key.
pub fn of_words(words: &[String]) -> Result<Keys, Failure> {
    let mut keys = Keys::new();
    for word in words {
        let (key, value) = word.split_once('=').map_or((word.as_str(), None), |(key, value)| (key, Some(value)));
        let key = key.trim_start_matches('-');
        if key.is_empty() {
            return Err(Failure::new(Code::Usage, format!("{word:?} names no option of `nameplate ask`: write via=snmp")));
        }
        keys.entry(key.to_owned()).or_default().extend(value.map(str::to_owned));
    }
    Ok(keys)
}

/// The ways of asking that keys say.
///
/// # Errors
/// An option that `nameplate ask` does not have, or not so.
pub fn ways(keys: &Keys) -> Result<Ways, Failure> {
    let option = |(key, values): (&String, &Vec<String>)| match values.as_slice() {
        [] => vec![format!("--{key}")],
        values => values.iter().map(|value| format!("--{key}={value}")).collect(),
    };
    let words = std::iter::once("device".to_owned()).chain(keys.iter().flat_map(option));
    let command = Ways::augment_args(clap::Command::new("device").no_binary_name(false).disable_help_flag(true));
    let matches = command.try_get_matches_from(words).and_then(|matches| Ways::from_arg_matches(&matches));
    matches.map_err(|error| {
        let said = error.render().to_string();
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Usage:")).collect();
        Failure::new(Code::Input, lines.join(" ").trim_start_matches("error: ").to_owned())
    })
}

/// Whether an option is about this protocol, as `--via` spells it.
pub fn is_about(key: &str, protocol: &str) -> bool {
    let own = match protocol {
        "modbus" | "modbus-rtu" => return OF_MODBUS.iter().any(|begin| key.starts_with(begin)),
        "https" => "http",
        "s7comm" => "s7",
        "pn-io" | "pn-dcp" => "pn",
        "sel-ascii" => "sel",
        "hart-ip" => "hart",
        other => other,
    };
    key.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'))
}

/// Whether an option is said anew each time that somebody asks, and never kept: it leads to a secret, or holds for that moment alone.
pub fn is_said_anew(key: &str) -> bool {
    key == OF_THE_MOMENT || OF_SECRETS.iter().any(|end| key.ends_with(end))
}

/// A value as somebody wrote it, so that he finds it.
pub fn written(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(whether) => whether.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => format!("a {}", value.type_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leads_to_a_secret_is_kept() {
        let command = Ways::augment_args(clap::Command::new("ask"));
        let options = command.get_arguments().filter_map(|option| option.get_long());
        let anew: Vec<&str> = options.filter(|key| is_said_anew(key)).collect();
        let all = [
            "pn-consent",
            "sel-password-env",
            "sel-password-file",
            "snmp-community-env",
            "snmp-community-file",
            "snmp-auth-env",
            "snmp-auth-file",
            "snmp-privacy-env",
            "snmp-privacy-file",
            "opcua-password-env",
            "opcua-password-file",
            "opcua-user-key",
        ];
        assert_eq!(anew, all);
    }

    #[test]
    fn every_option_is_about_a_protocol() {
        let command = Ways::augment_args(clap::Command::new("ask"));
        let via = command.get_arguments().find(|option| option.get_id() == VIA).expect("--via");
        let protocols: Vec<String> = via.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        for key in command.get_arguments().filter_map(|option| option.get_long()).filter(|key| *key != VIA) {
            assert!(protocols.iter().any(|protocol| is_about(key, protocol)), "{key} in {protocols:?}");
        }
        assert!(!is_about("snmp-user", "s7comm") && !is_about("http-path", "hart-ip") && is_about("http-path", "https"));
    }

    #[test]
    fn words_are_keys() {
        let words = |words: &[&str]| of_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let keys = words(&["via=s7comm", "--s7-consent-001c", "cip-slot=1", "cip-slot=3"]).expect("keys");
        let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!((&keys["via"], &keys["s7-consent-001c"], &keys["cip-slot"]), (&own(&["s7comm"]), &own(&[]), &own(&["1", "3"])));
        assert!(words(&["=1"]).is_err() && words(&["--"]).is_err());
    }
}
