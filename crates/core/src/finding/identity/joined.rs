//! Products that are one of another (`installed_on`, `default_component_of`, ...): such a product is met as its component, in a device that
//! is its platform, or as its platform, in which the component may be.
//!
//! Source: CSAF 2.0, 3.2.2.5.

use std::collections::BTreeSet;

use super::order::Order;
use super::{Labelled, label, order, vendor, word};
use crate::advisory::{Advisory, Product, Release};

/// What a component is called that is the firmware of its platform and nothing apart from it.
const FIRMWARE: [&str; 8] = ["firmware", "fw", "image", "operating", "os", "release", "software", "system"];
/// Hosts that are looked at; more in one cell are no list of hosts.
const HOSTS_MAX: usize = 8;

/// As what a product is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum View {
    /// As itself.
    Own,
    /// A relationship's product as its component.
    Component,
    /// A relationship's product as its platform.
    Platform,
}

/// The views of a product.
pub(super) const fn views(product: &Product) -> &'static [View] {
    if product.relationship.is_some() { &[View::Component, View::Platform] } else { &[View::Own] }
}

/// The component and the platform of a relationship's product.
pub(super) fn parts<'a>(advisory: &'a Advisory, product: &Product) -> Option<(&'a Product, &'a Product)> {
    let of = product.relationship.as_ref()?;
    Some((advisory.products.get(of.component as usize)?, advisory.products.get(of.platform as usize)?))
}

/// The device that a component is in, by its name and numbers.
#[derive(Debug, Default)]
pub(super) struct Host {
    names: Vec<Vec<String>>,
    orders: Vec<Order>,
}

impl Host {
    /// Of a platform.
    pub(super) fn of(platform: &Product) -> Self {
        let makers = vendor::read(&platform.vendor).names;
        let read = label::read(&platform.name, &makers);
        let coded = platform.model_numbers.iter().chain(&platform.skus).filter(|text| !text.trim().is_empty());
        Self { names: read.names, orders: read.orders.into_iter().chain(coded.map(|text| order::mask_or_number(text))).collect() }
    }

    /// What a device says of the one that it is in; several where the cell names it in several ways.
    pub(super) fn said(values: &[String], makers: &BTreeSet<String>) -> Vec<Self> {
        let read = |text: &String| {
            let read = label::read(word::cut(text, label::NAME_BYTES_MAX), makers);
            Self { names: read.names, orders: Order::field(text).into_iter().chain(read.orders).collect() }
        };
        values.iter().take(HOSTS_MAX).map(read).collect()
    }

    /// Whether this is the host that is told of: surely, perhaps because less is told, or not.
    pub(super) fn is(&self, told: &Self) -> Option<bool> {
        let meets = |own: &Order, other: &Order| {
            if own.mask { word::fits(word::pattern(&own.key).as_bytes(), other.key.as_bytes()) } else { own.key == other.key }
        };
        if self.orders.iter().any(|own| told.orders.iter().any(|other| meets(own, other))) {
            return Some(true);
        }
        self.is_named(&self.names, told)
    }

    fn is_named(&self, names: &[Vec<String>], told: &Self) -> Option<bool> {
        let of = |own: &[String], all: &[String]| !own.is_empty() && own.iter().all(|word| all.contains(word));
        let any = |test: &dyn Fn(&[String], &[String]) -> bool| names.iter().any(|own| told.names.iter().any(|said| test(own, said)));
        if any(&|own, said| of(own, said)) {
            return Some(true);
        }
        any(&|own, said| of(said, own)).then_some(false)
    }
}

/// Makes the label of a relationship's product out of that of its component or its platform.
pub(super) fn join(label: &mut Labelled, view: View, component: &Product, platform: &Product) {
    let said = &mut label.said;
    match view {
        View::Own => {}
        View::Component => label.host = Some(Host::of(platform)),
        View::Platform => {
            // The version slot, and all that it says, is the component's.
            said.release_is_model = false;
            said.part = (!is_firmware_of(component, platform)).then(|| component.name.trim().to_owned());
            said.conditions.extend(said.line.take().map(|line| format!("{} {line}", platform.name.trim())));
        }
    }
    if let Release::Version(text) | Release::Range(text) = &platform.release
        && view != View::Own
    {
        said.conditions.push(format!("{} {}", platform.name.trim(), text.trim()));
    }
}

/// True where the component is called by no other name than its platform's and `firmware`.
fn is_firmware_of(component: &Product, platform: &Product) -> bool {
    let words = |product: &Product| -> Vec<String> {
        let makers = vendor::read(&product.vendor).names;
        let read = label::read(&product.name, &makers);
        read.names.into_iter().flatten().chain(read.orders.into_iter().map(|order| order.key)).collect()
    };
    let of_platform = words(platform);
    words(component).iter().all(|word| of_platform.contains(word) || FIRMWARE.contains(&word.as_str()))
}
