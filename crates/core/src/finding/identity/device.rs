//! What a device says of itself, as names and order numbers of advisories are held against it.

use std::collections::BTreeSet;

use super::joined::Host;
use super::order::Order;
use super::{label, vendor, word};
use crate::finding::installed::Installed;

/// Longer models are cut: they are what a device said, and it may say anything.
const MODEL_BYTES_MAX: usize = 128;

/// The fact that says in which device a component is.
pub(super) const HOST: &str = "host";

/// More words of a model are not looked at.
const WORDS_MAX: usize = 24;

/// A device, read.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// Its makers, each in one spelling. Empty where nobody knows.
    pub(super) makers: BTreeSet<String>,
    /// Its order numbers: of the field, and those that its model holds.
    pub(super) orders: Vec<Order>,
    /// Its model as an order number, where nothing says that it is one: good for finding the same, not for telling others apart.
    pub(super) perhaps: Option<Order>,
    /// The words of its model.
    pub(super) words: Vec<String>,
    /// What else it is called: beginnings of those words, its bundle, the words of its product code.
    pub(super) more: Vec<String>,
    /// True where its bundle is known.
    pub(super) bundle: bool,
    /// Demands that its own model repeats: `w. PN`.
    pub(super) variants: Vec<String>,
    /// The series of its hardware.
    pub(super) series: Option<char>,
    /// The part of a device that it is, or that its model names: `nmc2`.
    pub(super) part: Option<String>,
    /// The line of releases in its identification: `R121`.
    pub(super) line: Option<String>,
    /// The device that it is in. Empty where nobody knows.
    pub(super) hosts: Vec<Host>,
}

impl Device {
    /// Reads what is known of a component.
    pub(super) fn read(installed: &Installed) -> Self {
        let mut device = Self::default();
        if let Some(text) = &installed.manufacturer {
            device.makers = vendor::read(text).names;
        }
        let fid = installed.firmware_revision.as_deref().and_then(identification);
        let said = installed.model.as_deref().map(str::trim).filter(|model| !model.is_empty());
        let code = installed.product_code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        if let Some((_, line)) = fid {
            device.line = Some(line.to_owned());
            if device.makers.is_empty() {
                device.makers = vendor::read("SEL").names;
            }
        }
        let field = code.and_then(Order::field);
        device.orders.extend(field);
        for model in [said, fid.map(|(model, _)| model), code].into_iter().flatten() {
            if device.words.is_empty() && device.perhaps.is_none() || device.words.is_empty() && fid.is_some() {
                device.model(model);
            }
        }
        if device.makers.is_empty() && device.orders.iter().any(Order::shows_siemens) {
            device.makers = vendor::read("Siemens").names;
        }
        if let Some(code) = code.filter(|_| said.is_some()) {
            device.more.extend(words_of(code, &device.makers));
        }
        if let Some((model, _)) = fid.filter(|_| said.is_some()) {
            device.more.extend(words_of(model, &device.makers));
        }
        device.more.extend(
            installed.facts.get("bundle").into_iter().flatten().take(WORDS_MAX).flat_map(|bundle| words_of(bundle, &device.makers)),
        );
        device.hosts = Host::said(installed.facts.get(HOST).unwrap_or_default(), &device.makers);
        let component = installed.component.to_lowercase();
        if device.part.is_none() && word::kinds(&component).part {
            device.part = Some(component);
        }
        device.bundle = installed.facts.get("bundle").is_some();
        let revision = installed.hardware_revision.as_deref().map(str::trim).map(|text| text.strip_prefix("Series ").unwrap_or(text));
        let letter = revision.filter(|text| text.len() == 1).and_then(|text| text.chars().next()).filter(char::is_ascii_alphabetic);
        let coded = device.orders.iter().find_map(|order| order.series);
        device.series = coded.or(letter.map(|c| c.to_ascii_uppercase())).or(device.series);
        device
    }

    fn model(&mut self, text: &str) {
        let read = label::read(word::cut(text, MODEL_BYTES_MAX), &self.makers);
        for order in read.orders.into_iter().filter(|order| !order.mask) {
            if !self.orders.iter().any(|held| held.key == order.key) {
                self.orders.push(order);
            }
        }
        // A model alone may be an order number, whatever it looks like: `2737193`, `750-8204`.
        if self.orders.is_empty() {
            self.perhaps = Order::field(text);
        }
        if let [series] = read.series.as_slice() {
            self.series = Some(*series);
        }
        self.part = read.part.as_deref().map(str::to_lowercase);
        self.variants = read.variants.iter().map(|variant| variant.to_lowercase()).collect();
        self.words = read.names.into_iter().next().unwrap_or_default();
        self.words.truncate(WORDS_MAX);
        self.words.extend(read.part.map(|part| part.to_lowercase()).filter(|_| self.words.is_empty()));
        let beginnings = self.words.iter().flat_map(|word| beginnings(word)).map(str::to_owned);
        self.more.extend(beginnings.collect::<Vec<_>>());
    }

    /// True where the device is a SIPLUS variant.
    pub(super) fn is_siplus(&self) -> bool {
        self.orders.iter().any(Order::is_siplus) || self.words.iter().any(|word| word == "siplus")
    }
}

fn words_of(text: &str, makers: &BTreeSet<String>) -> Vec<String> {
    let mut words = label::read(word::cut(text, MODEL_BYTES_MAX), makers).names.into_iter().next().unwrap_or_default();
    words.truncate(WORDS_MAX);
    words
}

/// What a word begins with, up to a dash or a slash, where a digit is among it: `351s-7` begins with `351s`.
pub(super) fn beginnings(word: &str) -> impl Iterator<Item = &str> {
    let ends = word.char_indices().filter(|(_, c)| matches!(c, '-' | '/')).map(|(at, _)| at);
    ends.filter_map(|at| word.get(..at)).filter(|head| head.contains(|c: char| c.is_ascii_digit()))
}

/// The model and the release line of an SEL identification: `SEL-411L` and `R121` of `SEL-411L-R121-V1-Z010004-D20160216`.
fn identification(text: &str) -> Option<(&str, &str)> {
    let text = word::cut(text.trim(), MODEL_BYTES_MAX);
    let text = text.strip_prefix("FID=").unwrap_or(text);
    let (before, _) = text.split_once("-V").filter(|_| text.starts_with("SEL-"))?;
    let (model, line) = before.rsplit_once("-R")?;
    let digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let line = before.get(model.len() + 1..)?;
    digits.then_some((model, line))
}
