//! What is known of a component, made ready: its facts by the names that ranges ask for, its versions read once for each scheme.

use super::installed::Installed;
use crate::range::Facts;
use crate::version::{Scheme, Version};

/// The fact of ranges that name a part.
const COMPONENT: &str = "component";
/// What a component is called that is the asset itself.
const SELF: &str = "self";

/// A component of an asset, made ready.
pub struct Known<'i> {
    pub installed: &'i Installed,
    pub facts: Facts,
    versions: Vec<Versions>,
}

/// What it runs, as one scheme reads it.
pub struct Versions {
    scheme: &'static Scheme,
    pub firmware: Option<Version>,
    pub software: Option<Version>,
}

impl<'i> Known<'i> {
    pub fn of(installed: &'i Installed) -> Self {
        let mut facts = installed.facts.clone();
        let mut learn = |name: &str, values: Vec<String>| {
            if facts.get(name).is_none() {
                facts.insert(name, values);
            }
        };
        if let Some(serial) = &installed.serial_number {
            learn("serial_number", vec![serial.clone()]);
        }
        if let Some(patches) = &installed.patches {
            learn("patches", patches.clone());
        }
        if let Some(state) = installed.hardware_revision.as_deref().and_then(function_state) {
            learn("function_state", vec![state.to_owned()]);
        }
        if !installed.component.is_empty() && installed.component != SELF {
            learn(COMPONENT, vec![installed.component.clone()]);
        }
        Self { installed, facts, versions: Vec::new() }
    }

    /// Reads the versions by this scheme, if nobody has yet.
    pub fn read(&mut self, scheme: &'static Scheme) {
        if self.versions.iter().any(|known| std::ptr::eq(known.scheme, scheme)) {
            return;
        }
        let read = |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(|text| Version::read(scheme, text));
        let (firmware, software) = (read(&self.installed.firmware_revision), read(&self.installed.software_revision));
        let software = software.filter(|software| !firmware.as_ref().is_some_and(|firmware| firmware.same_text(software)));
        self.versions.push(Versions { scheme, firmware, software });
    }

    /// What [`Known::read`] read.
    pub fn versions(&self, scheme: &'static Scheme) -> Option<&Versions> {
        self.versions.iter().find(|known| std::ptr::eq(known.scheme, scheme))
    }

    /// True where this component is the part of that name.
    pub fn is_part(&self, name: &str) -> bool {
        let named = |known: &str| known.trim().eq_ignore_ascii_case(name.trim());
        self.facts.get(COMPONENT).is_some_and(|known| known.iter().any(|known| named(known)))
            || self.installed.model.as_deref().is_some_and(named)
    }
}

/// The number of a hardware revision that is written as function state: `FS 8`, `FS08`.
fn function_state(revision: &str) -> Option<&str> {
    let trimmed = revision.trim();
    let digits = trimmed.get(..2).filter(|letters| letters.eq_ignore_ascii_case("fs")).and_then(|_| trimmed.get(2..))?.trim();
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::function_state;

    #[test]
    fn a_function_state_is_a_hardware_revision_that_says_so() {
        let rows = [("FS 8", Some("8")), ("fs08", Some("08")), ("8", None), ("FS", None), ("FS8a", None), ("F\u{e9}", None), ("", None)];
        for (revision, expected) in rows {
            assert_eq!(function_state(revision), expected, "{revision}");
        }
    }
}
