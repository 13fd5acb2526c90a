//! Values of the configuration, from TOML to what they mean. Errors say what is wanted; who calls says where.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

/// Characters of a host name (RFC 1035, 2.3.4).
const NAME_CHARS_MAX: usize = 253;

pub fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(format!("it is a text in quotes, not {}", kind(other))),
    }
}

pub fn path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = text(value)?;
    if path.is_empty() { Err("it is a path".to_owned()) } else { Ok(path.into()) }
}

pub fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::Array(values) => values.iter().map(|value| text(value.get_ref())).collect(),
        other => Err(format!("it is a list of texts, [\"...\"], not {}", kind(other))),
    }
}

pub fn whether(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(whether) => Ok(*whether),
        other => Err(format!("it is true or false, not {}", kind(other))),
    }
}

pub fn time(value: &DeValue<'_>) -> Result<Duration, String> {
    let text = text(value)?;
    humantime::parse_duration(&text).map_err(|e| format!("{text:?}: {e}; a time is written as \"15min\" or \"1day\""))
}

pub fn listen(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    text.parse().map_err(|_| format!("{text:?}: an address with its port is written as \"127.0.0.1:8443\" or \"[::1]:8443\""))
}

pub fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let name = |name: String| {
        let is_label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_one = name.parse::<IpAddr>().is_ok() || (name.len() <= NAME_CHARS_MAX && name.split('.').all(is_label));
        is_one.then(|| name.to_ascii_lowercase()).ok_or(format!("{name:?} is no host name and no address; without port and https://"))
    };
    texts(value)?.into_iter().map(name).collect()
}

pub fn fingerprint(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    let is_one = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| text.to_ascii_lowercase()).ok_or("it is the fingerprint that the field side prints, 64 hexadecimal digits".to_owned())
}

/// What somebody wrote there, as one says it.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
