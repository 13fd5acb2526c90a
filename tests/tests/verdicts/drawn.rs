//! Devices drawn from the product trees: what a product is called, and a release in or near its range.

use nameplate_core::advisory::{Product, Release};
use nameplate_core::finding::Library;
use nameplate_core::finding::installed::Installed;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// So many devices.
pub fn devices(library: &Library, count: usize, seed: u64) -> Vec<Installed> {
    let products: Vec<&Product> = library.advisories().iter().flat_map(|advisory| &advisory.products).collect();
    let mut dice = Dice(seed);
    let one = |_| {
        let mut device = device(products[dice.below(products.len())], &mut dice);
        // A number beside the one that the document names: then it may not name the device at all. A model that says the other number would
        // say another thing than this one, and whoever forgets one of two that disagree settles it.
        let told = device.product_code.clone().filter(|number| !device.model.as_ref().is_some_and(|model| model.contains(number.as_str())));
        if let Some(mut number) = told.filter(|_| dice.one_in(2)) {
            number.pop();
            number.push(char::from(b'0' + dice.below(10) as u8));
            device.product_code = Some(number);
        }
        device
    };
    (0..count).map(one).collect()
}

fn device(product: &Product, dice: &mut Dice) -> Installed {
    let slot = match &product.release {
        Release::Every => "V1.0",
        Release::Version(text) | Release::Range(text) => text,
    };
    let is_sign = |c: char| !c.is_ascii_alphanumeric() && !".()-".contains(c);
    let releases: Vec<&str> = slot.split(is_sign).filter(|part| part.bytes().any(|byte| byte.is_ascii_digit())).collect();
    let release = releases.get(dice.below(releases.len())).copied().unwrap_or("1.0");
    let digits = release.len() - release.bytes().rev().take_while(u8::is_ascii_digit).count();
    let last: u64 = release[digits..].parse().unwrap_or(0);
    let mut device = Installed {
        asset: "drawn".into(),
        component: "self".into(),
        manufacturer: Some(product.vendor.clone()),
        model: Some(product.name.clone()),
        product_code: product.model_numbers.first().cloned(),
        firmware_revision: Some(format!("{}{}", &release[..digits], (last + dice.below(4) as u64).saturating_sub(1))),
        ..Installed::default()
    };
    if dice.one_in(3) {
        device.hardware_revision = Some(["A", "B", "FS 8", "1"][dice.below(4)].into());
    }
    if dice.one_in(2) {
        device.serial_number = Some(["17X0001", "16Y0001", "LQN231110012345", "22051xxxx"][dice.below(4)].into());
    }
    if dice.one_in(3) {
        device.patches = Some(if dice.one_in(2) { Vec::new() } else { vec!["BRD-C62W003-A0".into()] });
    }
    if dice.one_in(3) {
        device.facts.insert("function_state", vec![dice.below(14).to_string()]);
    }
    if dice.one_in(4) {
        device.facts.insert("os", vec!["windows".into()]);
    }
    device
}
