//! What is known of a component, made ready: its facts by the names that ranges ask for, its versions read once for each scheme.

use std::cell::OnceCell;

use super::identity;
use super::installed::Installed;
use crate::claim::OWN_COMPONENT;
use crate::range::Facts;
use crate::version::{Scheme, Version};

/// The fact of ranges that name a part.
const COMPONENT: &str = "component";

/// A component of an asset, made ready.
pub struct Known<'i> {
    pub installed: &'i Installed,
    facts: OnceCell<Facts>,
    line: OnceCell<Option<String>>,
    versions: Vec<Versions>,
}

/// What it runs, as one scheme reads it.
pub struct Versions {
    scheme: &'static Scheme,
    pub firmware: Option<Version>,
    pub software: Option<Version>,
}

impl<'i> Known<'i> {
    pub const fn of(installed: &'i Installed) -> Self {
        Self { installed, facts: OnceCell::new(), line: OnceCell::new(), versions: Vec::new() }
    }

    /// What is known beside the versions; put together when it is asked for, because most ranges ask for nothing.
    pub fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| {
            let installed = self.installed;
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
            if let Some(part) = self.part() {
                learn(COMPONENT, vec![part.to_owned()]);
            }
            facts
        })
    }

    /// The release line that its own model names: `3.1` of "Crimson 3.1".
    pub fn line(&self) -> Option<&str> {
        let read = || identity::line(self.installed);
        self.line.get_or_init(read).as_deref()
    }

    /// Which part of the asset this component is, where it is not the asset itself.
    fn part(&self) -> Option<&str> {
        Some(self.installed.component.as_str()).filter(|part| !part.is_empty() && *part != OWN_COMPONENT)
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

    /// True where it is known which part of the asset this component is.
    pub fn is_some_part(&self) -> bool {
        self.part().is_some() || self.installed.facts.get(COMPONENT).is_some()
    }

    /// True where this component is the part of that name.
    pub fn is_part(&self, name: &str) -> bool {
        let named = |known: &str| known.trim().eq_ignore_ascii_case(name.trim());
        self.facts().get(COMPONENT).is_some_and(|known| known.iter().any(|known| named(known)))
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
