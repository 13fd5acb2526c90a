//! The releases that a remediation's text offers: read where the text says nothing else, and only for the products that it is about.
//!
//! Publishers hang the fixes of all products on each of them (`GX LogViewer: Version 1.100E or later` on `GT Designer3`). So a text counts
//! for a product where it names it, or where it names none and can be about no other; everything else is left unread, because a fix of
//! another product would close a hole on paper only.

use crate::advisory::{Advisory, Product, ProductIndex, Remediation, Vulnerability};
use crate::version::{Scheme, Standing, Version};

/// Longer texts explain more than a release.
const TEXT_BYTES_MAX: usize = 600;
/// More releases in one text are a table that lost its shape.
const RELEASES_MAX: usize = 8;
/// More words in front of the release are prose.
const WORDS_MAX: usize = 16;

/// More words are no release: `V4.7 SP9 Update 3` has five.
const RELEASE_WORDS_MAX: usize = 5;
/// Words that are marks behind a release; with any other it is prose.
const MARKS: [&str; 14] = ["build", "cu", "fp", "hf", "hotfix", "pack", "patch", "r", "release", "service", "sp", "tcu", "upd", "update"];

/// Words in front of a release that say nothing of the product.
const FILLING: [&str; 42] = [
    "a",
    "applied",
    "apply",
    "applying",
    "at",
    "be",
    "been",
    "by",
    "customers",
    "fixed",
    "firmware",
    "from",
    "frn",
    "has",
    "have",
    "in",
    "install",
    "is",
    "least",
    "newer",
    "please",
    "recommend",
    "recommends",
    "release",
    "released",
    "should",
    "software",
    "that",
    "the",
    "to",
    "update",
    "updated",
    "updates",
    "updating",
    "upgrade",
    "upgrading",
    "users",
    "v",
    "version",
    "versions",
    "was",
    "with",
];
/// One of them makes an offer of a text that names no product in front of a colon.
const VERBS: [&str; 8] = ["apply", "applying", "fixed", "install", "update", "updating", "upgrade", "upgrading"];
/// What may follow a release and takes in later ones.
const LATER: [&str; 8] = ["or later", "or newer", "or higher", "or above", "and later", "and newer", "and higher", "and above"];

/// The releases that one text offers for one product.
#[derive(Debug)]
pub struct Offer {
    /// Its place among the vulnerability's remediations.
    pub remediation: usize,
    /// True for `vendor_fix`; publishers put fixes under `mitigation`, too.
    pub vendor_fix: bool,
    /// The releases, one per line where there are several.
    pub releases: Vec<Version>,
}

/// How a version stands to the releases that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// It is one of them, or a later one of its line.
    AtOrBeyond,
    /// It is before the one of its line, or before all.
    Below,
    /// It cannot be said.
    Open,
}

/// How `version` stands to all that is offered: to the releases of its own line, where there are some, else to all. With it the offer
/// that decided.
pub fn against<'o>(offers: &'o [Offer], version: &Version) -> Option<(Against, &'o Offer)> {
    let releases = || offers.iter().flat_map(|offer| offer.releases.iter().map(move |release| (release, offer)));
    let on_line = releases().any(|(fix, _)| fix.same_line(version));
    let counted = || releases().filter(|(fix, _)| !on_line || fix.same_line(version));
    let (_, first) = counted().next().filter(|_| version.is_whole())?;
    let all = |among: Standing| counted().all(|(fix, _)| version.standing(fix).only(among));
    let against = if all(Standing::EQUAL.or(Standing::AFTER)) {
        Against::AtOrBeyond
    } else if all(Standing::BEFORE) {
        Against::Below
    } else {
        Against::Open
    };
    Some((against, first))
}

/// A text as it was read.
#[derive(Debug, PartialEq, Eq)]
struct Said<'t> {
    /// The products it names in front of a colon or behind the release; empty where none.
    names: Vec<&'t str>,
    /// Words that are no filling: they have to be the product's own.
    words: Vec<&'t str>,
    releases: Vec<&'t str>,
}

/// What the remediations of a vulnerability offer for a product.
pub fn offers(advisory: &Advisory, vulnerability: &Vulnerability, product: ProductIndex, scheme: &'static Scheme) -> Vec<Offer> {
    let Some(own) = advisory.products.get(product as usize) else { return Vec::new() };
    let fixes = vulnerability.remediations.iter().enumerate();
    let fixes = fixes.filter(|(_, fix)| matches!(fix.category.as_str(), "vendor_fix" | "mitigation"));
    let for_it = fixes.filter(|(_, fix)| fix.products.is_empty() || fix.products.contains(&product));
    let offered = for_it.filter_map(|(place, fix)| {
        let said = said(&fix.details)?;
        is_about(advisory, vulnerability, fix, &said, own).then_some(())?;
        let releases: Vec<Version> = said.releases.iter().map(|text| Version::read(scheme, text)).collect();
        let plain = releases.iter().all(|release| release.is_whole() && !release.has_wildcard());
        plain.then_some(Offer { remediation: place, vendor_fix: fix.category == "vendor_fix", releases })
    });
    offered.collect()
}

/// Whether a text speaks of this product.
fn is_about(advisory: &Advisory, vulnerability: &Vulnerability, fix: &Remediation, said: &Said<'_>, own: &Product) -> bool {
    let known = |word: &&str| {
        let word = squeezed(word);
        [&own.name, &own.vendor, &advisory.publisher].iter().any(|text| text.split_whitespace().any(|part| squeezed(part) == word))
    };
    if !said.words.iter().all(known) {
        return false;
    }
    if !said.names.is_empty() {
        let name = squeezed(&own.name);
        return said.names.iter().any(|named| squeezed(named) == name);
    }
    // It names nobody: then it can only be about all that it hangs on, and those have to be alike.
    let of = |place: &ProductIndex| advisory.products.get(*place as usize);
    let listed: Vec<&Product> = fix.products.iter().filter_map(of).collect();
    let named: usize = vulnerability.statuses.iter().map(|(_, products)| products.len()).sum();
    let chosen = fix.category == "vendor_fix" && !listed.is_empty() && listed.len() < named;
    let alike = |product: &&Product| product.name == own.name || product.release == own.release;
    let others = if listed.is_empty() { advisory.products.iter().collect() } else { listed };
    chosen || others.iter().all(alike)
}

/// Letters and digits, in lower case.
pub fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Reads a text; `None` where it says anything beside products and releases.
fn said(text: &str) -> Option<Said<'_>> {
    let text = text.get(..text.find(['\n', '\r']).unwrap_or(text.len()))?.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let Some((head, body)) = text.split_once(": ") else { return offer(text, false) };
    if let Some(offer) = offer(head, false) {
        // Behind it stands where it is to be had.
        return Some(offer);
    }
    // "FRN 15.2(6)E2a: Stratix 5400"
    if let Some(offer) = offer(head, true).filter(|offer| offer.words.is_empty() && offer.releases.iter().all(|text| text.contains('.'))) {
        return Some(Said { names: named(body), ..offer });
    }
    if words(head).any(is_verb) {
        return None;
    }
    let names = named(head.strip_prefix("For ").unwrap_or(head));
    Some(Said { names, ..offer(body, true)? })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn is_verb(word: &str) -> bool {
    VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb))
}

/// The names of a list.
fn named(list: &str) -> Vec<&str> {
    list.split([',', ';']).map(|name| name.trim().trim_end_matches('.')).filter(|name| !name.is_empty()).collect()
}

/// Words, then releases, then nothing that would change them. With products named elsewhere no verb is needed.
fn offer(text: &str, named: bool) -> Option<Said<'_>> {
    let start = text.split_inclusive(char::is_whitespace).scan(0_usize, |at, word| {
        let from = *at;
        *at = at.saturating_add(word.len());
        Some((from, word.trim()))
    });
    let start = start.filter(|(_, word)| !word.is_empty());
    let (mut foreign, mut verb, mut release) = (Vec::new(), named, None);
    let start: Vec<(usize, &str)> = start.take(WORDS_MAX.saturating_add(2)).collect();
    for (count, (at, word)) in start.iter().copied().enumerate() {
        // The number of a product in front of its release: "OpenPCS 7 V8.1 Upd 5".
        let is_numbered = word.bytes().all(|byte| byte.is_ascii_digit())
            && start.get(count.saturating_add(1)).is_some_and(|(_, next)| next.starts_with(['V', 'v']) && is_release(next));
        if is_release(word) && !is_numbered {
            release = Some(at);
            break;
        }
        verb |= is_verb(word);
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let filling = bare.is_empty() || FILLING.iter().any(|known| bare.eq_ignore_ascii_case(known));
        if !filling {
            foreign.push(bare);
        }
        if count >= WORDS_MAX {
            return None;
        }
    }
    let releases = releases(text.get(release?..)?)?;
    verb.then_some(Said { names: Vec::new(), words: foreign, releases })
}

/// `V4.7`, `R302-V0`, `15.2(7)E3`, `FW11`: one or two letters at most in front of the first digit.
fn is_release(word: &str) -> bool {
    let word = word.trim_start_matches(['>', '=', '[']);
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    letters <= 2 && word.as_bytes().get(letters).is_some_and(u8::is_ascii_digit) && !word.contains('/')
}

/// Releases with commas or `and` and `or` between them, and `or later` behind.
fn releases(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut left = text.trim_start_matches(['>', '=', ' ']);
    loop {
        let end = release_end(left);
        let (release, rest) = (left.get(..end)?.trim(), left.get(end..)?);
        let mark =
            |word: &str| MARKS.iter().any(|known| word.eq_ignore_ascii_case(known)) || word.bytes().any(|byte| byte.is_ascii_digit());
        let prose = !words(release).skip(1).all(mark);
        if release.is_empty() || found.len() >= RELEASES_MAX || prose || words(release).count() > RELEASE_WORDS_MAX {
            return None;
        }
        found.push(release);
        let rest = rest.trim_start_matches([',', ' ']);
        if closes(rest) {
            return Some(found);
        }
        let next = ["and ", "or "].iter().find_map(|join| rest.strip_prefix(join)).unwrap_or(rest);
        if !next.split_whitespace().next().is_some_and(is_release) {
            return None;
        }
        left = next;
    }
}

/// Where the release that begins here ends: at a word or sign that cannot belong to one.
fn release_end(text: &str) -> usize {
    let is_end = |at: usize, sign: char| {
        let rest = text.get(at..).unwrap_or_default();
        match sign {
            ',' | ';' => true,
            '.' => !rest.get(1..).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit() || c == 'X' || c == 'x')),
            ' ' => {
                let rest = rest.trim_start();
                rest.starts_with(['(', '-', '[']) || ["or ", "and ", "from ", "from:"].iter().any(|word| rest.starts_with(word))
            }
            _ => false,
        }
    };
    text.char_indices().find(|(at, sign)| is_end(*at, *sign)).map_or(text.len(), |(at, _)| at)
}

/// Nothing follows that would change the offer.
fn closes(rest: &str) -> bool {
    let later = LATER.iter().find_map(|later| rest.strip_prefix(later));
    let rest = later.unwrap_or(rest);
    let rest = rest.trim_start();
    let rest = if later.is_some() { rest.strip_prefix("version").map_or(rest, |rest| rest.trim_start_matches('s')) } else { rest };
    let rest = rest.trim_start();
    // A sentence that goes on with a condition is not understood; a new sentence, a place to fetch it and a remark are.
    // What stands right behind the dot belongs to the release, and so does a word with digits.
    let parted = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let worded = |rest: &str| words(rest).next().is_none_or(|word| bare(word).bytes().all(|byte| byte.is_ascii_alphabetic()));
    rest.is_empty()
        || rest.starts_with('-')
        || rest.strip_prefix('.').is_some_and(|rest| parted(rest) && worded(rest))
        || rest.starts_with("from")
        || (rest.starts_with('(') && later.is_none() && rest.ends_with(')'))
}

/// Shorter names of patches could be any word.
const PATCH_BYTES_MIN: usize = 5;

/// True where a text tells to install this patch, and does not speak of its absence.
pub fn tells_to_install(text: &str, patch: &str) -> bool {
    let patch = patch.trim();
    let named = patch.len() >= PATCH_BYTES_MIN && patch.bytes().any(|byte| byte.is_ascii_digit());
    let sentence = text.split(". ").find(|sentence| words(sentence).any(|word| bare(word).eq_ignore_ascii_case(patch)));
    let says = |sentence: &str, word: &str| words(sentence).any(|other| bare(other).eq_ignore_ascii_case(word));
    let tells = |sentence: &str| {
        ["install", "apply", "installing", "applying"].iter().any(|verb| says(sentence, verb))
            && !["not", "without", "except", "if", "unless", "after", "before"].iter().any(|word| says(sentence, word))
    };
    named && sentence.is_some_and(tells)
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{said, tells_to_install};

    /// The products and releases of a text; nothing where it says anything else.
    fn read(text: &str) -> Option<(Vec<&str>, Vec<&str>)> {
        said(text).map(|said| (said.names, said.releases))
    }

    #[test]
    fn a_text_offers_releases_or_it_is_left_alone() {
        type Row<'r> = (&'r str, Option<(&'r [&'r str], &'r [&'r str])>);
        let rows: &[Row<'_>] = &[
            ("Update to V2.9.4 or later version", Some((&[], &["V2.9.4"]))),
            ("Update to V4.7 SP9 HF1", Some((&[], &["V4.7 SP9 HF1"]))),
            ("Update to V2.8 - Download: https://example.com/1 ", Some((&[], &["V2.8"]))),
            ("TIA Portal v15: Update to v15.1 Update 7 or later", Some((&["TIA Portal v15"], &["v15.1 Update 7"]))),
            ("GX LogViewer: Version 1.100E or later", Some((&["GX LogViewer"], &["1.100E"]))),
            ("SEL-710-5 Motor Protection Relay: R302-V0", Some((&["SEL-710-5 Motor Protection Relay"], &["R302-V0"]))),
            ("FRN 15.2(6)E2a: Allen-Bradley Stratix 5400", Some((&["Allen-Bradley Stratix 5400"], &["15.2(6)E2a"]))),
            (
                "For ControlLogix 5570, GuardLogix 5570: Users should upgrade to versions 33.013, 34.011, or later.",
                Some((&["ControlLogix 5570", "GuardLogix 5570"], &["33.013", "34.011"])),
            ),
            ("Apply FRN 31.011 or later from: https://example.com/5370", Some((&[], &["31.011"]))),
            ("Update to version >= V4.4.1 and Function State (FS) >= 11 ", None),
            ("Update to version >= V2.5.1 and the latest boot loader version ", None),
            ("For SYS600: 9.x upgrade to at least SYS600 version 10.4.", None),
            ("iSTAR Ultra: Version 6.8.9. CU01", None),
            ("Update to OpenPCS 7 V8.1 Upd 5 or later version", Some((&[], &["V8.1 Upd 5"]))),
            ("Firmware versions less than V4.x cannot be updated.", None),
            ("Update to V2.0 for hardware revision B", None),
            ("Restrict access to port 443/tcp", None),
            ("Version 2.0", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(names, releases)| (names.to_vec(), releases.to_vec()));
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn every_beginning_of_a_text_is_read_or_left_alone() {
        let text = "For A\u{e9}, B: Users should upgrade to versions 33.013, 34.011 SP\u{2009}2, or later (v\u{df}).";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let _ = said(&text[..end]);
        }
    }

    #[test]
    fn a_patch_is_told_to_be_installed_by_its_whole_name() {
        let text = "The maker recommends that users install the Special Modification Patch BRD-C62W003-A0 on their system. Call us.";
        assert!(tells_to_install(text, "BRD-C62W003-A0"));
        for other in ["BRD-C62W003", "C62W003-A0", "Patch", "", "A0"] {
            assert!(!tells_to_install(text, other), "{other}");
        }
        assert!(!tells_to_install("Users without BRD-C62W003-A0 should install it.", "BRD-C62W003-A0"));
        assert!(!tells_to_install("Do not install KB123456.", "KB123456"));
    }
}
