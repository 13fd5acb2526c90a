//! What a work order expects of one field: `a-12ab:self.firmware_revision=2.60->2.70`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::claim::Field;

/// Between the old and the new value.
const ARROW: &str = "->";
/// In the place of the old value: nobody knows it.
const UNKNOWN: &str = "?";

/// One field of one component of one asset, from one value to another. No value at all means: not reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// The asset's id.
    pub asset: String,
    /// Which part of it: `self`, `communication-module`, ... as its claims say.
    pub component: String,
    /// Which field.
    pub field: Field,
    /// What it says before; `None`: the field is not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// True where nobody knows what it says before, and whoever opened the change said so; there is no `from` then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_unknown: bool,
    /// What it must say after; `None`: the field is not reported any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Delta {
    /// The field as nameplates name it: `self.firmware_revision`.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.component, self.field)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A field of a component: `self.firmware_revision`.
#[must_use]
pub fn key(component: &str, field: Field) -> String {
    format!("{component}.{}", field.name())
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let from = if self.from_unknown { UNKNOWN.to_owned() } else { text(&self.from) };
        write!(f, "{}:{}={from}{ARROW}{}", self.asset, self.key(), text(&self.to))
    }
}

impl FromStr for Delta {
    type Err = String;

    /// `ASSET:PART.FIELD=OLD->NEW`; an empty side means that the field is not reported, `?` for the old value that nobody knows it.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            |what: &str| format!("{text:?} {what}; write ASSET:PART.FIELD=OLD->NEW, such as a-12ab:self.firmware_revision=2.60->2.70");
        let (asset, rest) = text.split_once(':').ok_or_else(|| form("names no asset"))?;
        let (name, values) = rest.split_once('=').ok_or_else(|| form("has no `=`"))?;
        let (component, field) = name.split_once('.').ok_or_else(|| form("names no part"))?;
        let field = Field::named(field).ok_or_else(|| form(&format!("names no nameplate field ({field:?} is none)")))?;
        let (from, to) = values.split_once(ARROW).ok_or_else(|| form("has no `->` between the old and the new value"))?;
        if asset.is_empty() || component.is_empty() {
            return Err(form("leaves the asset or the part out"));
        }
        if to.contains(ARROW) {
            return Err(form("has more than one `->`"));
        }
        let value = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (from, to, from_unknown) = (value(from), value(to), from.trim() == UNKNOWN);
        let from = from.filter(|_| !from_unknown);
        if from == to && !from_unknown {
            return Err(form("expects no difference"));
        }
        Ok(Self { asset: asset.to_owned(), component: component.to_owned(), field, from, from_unknown, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asset, field, old value, new value.
    type Parts<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

    fn check(text: &str, expected: Result<Parts<'_>, &str>) {
        let said = text.parse::<Delta>();
        match expected {
            Ok((asset, field, from, to)) => {
                let delta = said.unwrap_or_else(|why| panic!("{text}: {why}"));
                assert_eq!(
                    (delta.asset.as_str(), delta.key().as_str(), delta.from.as_deref(), delta.to.as_deref()),
                    (asset, field, from, to)
                );
                assert_eq!(delta.to_string().parse(), Ok(delta), "{text}");
            }
            Err(why) => assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{text}: {said:?}"),
        }
    }

    #[test]
    fn an_expected_delta_is_written_in_one_line() {
        check("a-1:self.firmware_revision=2.60->2.70", Ok(("a-1", "self.firmware_revision", Some("2.60"), Some("2.70"))));
        check(
            "a-1:communication-module.firmware_revision=V1 = a->V2",
            Ok(("a-1", "communication-module.firmware_revision", Some("V1 = a"), Some("V2"))),
        );
        check("a-1:self.serial_number=->77", Ok(("a-1", "self.serial_number", None, Some("77"))));
        check("a-1:self.firmware_revision=?->4.3", Ok(("a-1", "self.firmware_revision", None, Some("4.3"))));
        check("a-1:self.patch=KB1->", Ok(("a-1", "self.patch", Some("KB1"), None)));
        check("self.firmware_revision=1->2", Err("names no asset"));
        check("a-1:firmware_revision=1->2", Err("names no part"));
        check("a-1:self.firmware=1->2", Err("names no nameplate field"));
        check("a-1:self.firmware_revision", Err("no `=`"));
        check("a-1:self.firmware_revision=1", Err("no `->`"));
        check("a-1:self.firmware_revision=1->2->3", Err("more than one"));
        check("a-1:self.firmware_revision=1->1", Err("no difference"));
        check(":self.firmware_revision=1->2", Err("leaves"));
    }
}
