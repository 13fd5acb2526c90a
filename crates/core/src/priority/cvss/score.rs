//! Base scores in whole numbers, so that no float decides over a tenth.

use super::Vector;

/// One, with eighteen decimals: the fifteenth power of version 3's formula is exact to the eleventh decimal that counts, and further.
const ONE: i128 = 1_000_000_000_000_000_000;

/// Version 2, section 3.2.1: weights in thousandths.
pub fn v2(vector: &Vector) -> Option<u16> {
    let weight = |name: &str, weights: [(&str, i128); 3]| {
        let value = vector.value(name)?;
        weights.into_iter().find(|(of, _)| *of == value).map(|(_, weight)| weight)
    };
    let loss = |name: &str| weight(name, [("N", 0), ("P", 275), ("C", 660)]).map(|weight| 1_000 - weight);
    let access = weight("AV", [("L", 395), ("A", 646), ("N", 1_000)])?;
    let complexity = weight("AC", [("H", 350), ("M", 610), ("L", 710)])?;
    let authentication = weight("Au", [("M", 450), ("S", 560), ("N", 704)])?;
    // Twelve decimals: 10.41 x (1 - ...) x 0.6, and 20 x ... x 0.4.
    let impact = 1_041 * (1_000_000_000 - loss("C")? * loss("I")? * loss("A")?);
    let exploitability = 20 * access * complexity * authentication;
    let factor = if impact == 0 { 0 } else { 1_176 };
    let base = (impact * 6 + exploitability * 400 - 1_500_000_000_000) * factor;
    u16::try_from(((base + 50_000_000_000_000) / 100_000_000_000_000).max(0)).ok()
}

/// Version 3.1, section 7.1, with `Roundup` of appendix A: to five decimals first, then up to the next tenth. Version 3.0 (section 8.1)
/// has the same formula, and this rounding is what its own means without a float's error.
pub fn v3(vector: &Vector) -> Option<u16> {
    let weight = |name: &str, weights: [(&str, i128); 4]| {
        let value = vector.value(name)?;
        weights.into_iter().find(|(of, _)| *of == value).map(|(_, weight)| weight)
    };
    let changed = vector.is("S", "C");
    let loss = |name: &str| weight(name, [("N", 0), ("L", 22), ("H", 56), ("", 0)]).map(|weight| 100 - weight);
    let rights = if changed { [("N", 85), ("L", 68), ("H", 50), ("", 0)] } else { [("N", 85), ("L", 62), ("H", 27), ("", 0)] };
    let attack = weight("AV", [("N", 85), ("A", 62), ("L", 55), ("P", 20)])?;
    let complexity = weight("AC", [("L", 77), ("H", 44), ("", 0), ("", 0)])?;
    let interaction = weight("UI", [("N", 85), ("R", 62), ("", 0), ("", 0)])?;
    let exploitability = 822 * attack * complexity * weight("PR", rights)? * interaction * 100_000_000;
    let sub = 1_000_000 - loss("C")? * loss("I")? * loss("A")?;
    let impact = if changed {
        let near = (sub - 20_000) * 1_000_000_000_000;
        let power = (1..15).fold(near, |power, _| power * near / ONE);
        752 * (sub - 29_000) * 10_000_000_000 - 325 * power / 100
    } else {
        642 * sub * 10_000_000_000
    };
    if impact <= 0 {
        return Some(0);
    }
    let sum = impact + exploitability;
    let sum = if changed { sum * 108 / 100 } else { sum };
    let hundred_thousandths = (sum.min(10 * ONE) + 5_000_000_000_000) / 10_000_000_000_000;
    u16::try_from((hundred_thousandths + 9_999) / 10_000).ok()
}
