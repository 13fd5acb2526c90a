//! Order numbers: how they are written, and which of them are one.

use super::word::{self, Word};

/// Longer ones are not read: Siemens' longest with all options has 40 characters.
const ORDER_BYTES_MAX: usize = 64;

/// Whose way of numbering it is: only numbers of one kind can tell two products apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Siemens' machine-readable product designation: `6ES7516-3AN01-0AB0`.
    Mlfb,
    /// Rockwell's catalogue number, four digits first: `1756-L83E`.
    Catalogue,
    /// Any other.
    Reference,
}

/// An order number, or a mask over several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Capital letters and digits, with `/` before a variant; in a mask `*` and `?` too.
    pub(super) key: String,
    /// Whose way it is.
    pub(super) kind: Kind,
    /// True for a mask.
    pub(super) mask: bool,
    /// The series behind a catalogue number (`1756-L83E/B`).
    pub(super) series: Option<char>,
}

impl Order {
    /// The order number in a field that holds nothing else; none where the field is empty.
    pub(super) fn field(text: &str) -> Option<Self> {
        let text = word::cut(text.trim(), ORDER_BYTES_MAX);
        let (text, series) = match text.rsplit_once('/') {
            Some((base, series)) if is_catalogue(base) && series.len() == 1 => (base, series.chars().next()),
            _ => (text, None),
        };
        let key: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '/').collect::<String>().to_ascii_uppercase();
        let kind = kind(&key);
        (!key.is_empty()).then_some(Self { key, kind, mask: false, series: series.map(|c| c.to_ascii_uppercase()) })
    }

    /// What Siemens' number and that of its SIPLUS twin have in common: `5163AN01` of `6ES7516-3AN01-0AB0` and `6AG1516-3AN01-7AB0`.
    pub(super) fn core(&self) -> Option<&str> {
        (self.kind == Kind::Mlfb && !self.mask).then(|| self.key.get(4..12)).flatten()
    }

    /// True for SIPLUS: `6AG1`, and `6AG2` on rails.
    pub(super) fn is_siplus(&self) -> bool {
        self.kind == Kind::Mlfb && (self.key.starts_with("6AG1") || self.key.starts_with("6AG2"))
    }
}

/// The kind of a key: a digit, a letter and no less than eight characters are Siemens'.
fn kind(key: &str) -> Kind {
    const MLFB_BYTES_MIN: usize = 8;
    let bytes = key.as_bytes();
    let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let wild = |byte: u8| matches!(byte, b'*' | b'?');
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit() || wild(**byte)).count();
    if at(0).is_ascii_digit() && at(1).is_ascii_uppercase() && at(2).is_ascii_alphanumeric() && digits >= 4 && bytes.len() >= MLFB_BYTES_MIN
        || at(0) == b'6' && at(1).is_ascii_uppercase() && bytes.iter().any(|byte| wild(*byte))
    {
        return Kind::Mlfb;
    }
    let four = bytes.iter().take(4).all(u8::is_ascii_digit) && bytes.len() >= 6;
    if four && bytes.iter().any(u8::is_ascii_uppercase) { Kind::Catalogue } else { Kind::Reference }
}

/// `1756-L83E`, `1732E-IB16M12R`, `2711R-T10T`: four digits, at times a letter, a dash, and a letter behind it.
fn is_catalogue(text: &str) -> bool {
    let Some((series, rest)) = text.split_once('-') else { return false };
    let number = series.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    number.len() == 4
        && series.len() <= 5
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && rest.len() >= 2
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && rest.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The order numbers that begin with this word of a text, and how many words they take. `told`: the text says that one follows
/// (`part numbers ...`).
pub(super) fn begins(words: &[Word], makers: &[&str], told: bool) -> Option<(usize, Vec<Order>)> {
    let first = words.first()?;
    let next = words.get(1).map_or("", |word| word.text.as_str());
    let text = first.text.as_str();
    if text.len() > ORDER_BYTES_MAX {
        return None;
    }
    if text.len() == 4 && is_mlfb_head(text) && next.len() > 5 && next.starts_with(|c: char| c.is_ascii_digit()) && next.contains('-') {
        return Some((2, vec![mask_or_number(&format!("{text}{next}"))]));
    }
    if is_mlfb(text) || text.starts_with("es7") && is_mlfb(&format!("6{text}")) {
        let lost = if text.starts_with("es7") { "6" } else { "" };
        return Some((1, vec![mask_or_number(&format!("{lost}{text}"))]));
    }
    let parts: Vec<&str> = text.split('/').collect();
    if parts.iter().all(|part| is_catalogue(part)) {
        return Some((1, parts.iter().map(|part| mask_or_number(part)).collect()));
    }
    if let Some((base, series)) = text.rsplit_once('/').filter(|(base, series)| is_catalogue(base) && series.len() == 1) {
        let series = series.chars().next().map(|c| c.to_ascii_uppercase());
        return Some((1, vec![Order { series, ..mask_or_number(base) }]));
    }
    let of = |maker: &str| makers.contains(&maker);
    if of("wago") && is_wago(text) {
        return Some((1, wago(text)));
    }
    if of("schneider electric") {
        return reference(words);
    }
    let number = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit());
    let spoken = told && text.len() >= 4 && text.contains(|c: char| c.is_ascii_digit() || c == '*');
    (of("phoenix contact") && number || spoken).then(|| (1, vec![mask_or_number(text)]))
}

fn is_mlfb_head(text: &str) -> bool {
    let bytes = text.as_bytes();
    let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
    at(0).is_ascii_digit() && at(1).is_ascii_lowercase() && at(2).is_ascii_lowercase() && at(3).is_ascii_digit()
}

/// `6es7516-3an01-0ab0`, `6mf2805-0aa00`, `6es7518-4ax0.-1ac0`, `6sl5...`.
fn is_mlfb(text: &str) -> bool {
    const GROUP_BYTES_MIN: usize = 6;
    let (head, rest) = text.split_once('-').unwrap_or((text, ""));
    let bytes = head.as_bytes();
    let at = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let shaped = at(0).is_ascii_digit() && at(1).is_ascii_lowercase() && at(2).is_ascii_alphanumeric();
    let body = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*'));
    let open = head.ends_with("..") && at(0) == b'6' && head.len() >= 4;
    let plain =
        head.len() >= GROUP_BYTES_MIN && rest.len() >= 5 || head.len() >= 12 && head.bytes().filter(u8::is_ascii_digit).count() >= 5;
    shaped && body && (plain && at(3).is_ascii_digit() || plain && at(4).is_ascii_digit() || open)
}

fn is_wago(text: &str) -> bool {
    let (base, variant) = text.split_once('/').unwrap_or((text, ""));
    let Some((series, number)) = base.split_once('-') else { return false };
    let all = |text: &str, x: bool| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || x && byte == b'x');
    series.len() == 3 && all(series, false) && (3..=4).contains(&number.len()) && all(number, true) && all(variant, true)
}

/// `750-331/xxx-xxx` is 750-331 too.
fn wago(text: &str) -> Vec<Order> {
    let masked = |text: &str| mask_or_number(&text.replace('x', "?"));
    match text.strip_suffix("/xxx-xxx") {
        Some(base) => vec![masked(base), masked(&format!("{base}/*"))],
        None => vec![masked(text)],
    }
}

/// Schneider Electric: `bmxnor0200h`, `bmx noe 0100`, `140cpu65xxxxx`, `bmep58*s`.
fn reference(words: &[Word]) -> Option<(usize, Vec<Order>)> {
    const PARTS_MAX: usize = 3;
    let first = words.first()?.text.as_str();
    let head = (3..=first.len().min(6)).rev().filter_map(|end| first.get(..end)).find(|head| word::kinds(head).reference)?;
    let short = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && text.len() <= 5;
    let mut joined = first.to_owned();
    let mut taken = 1;
    if first == head {
        for next in words.iter().skip(1).take(PARTS_MAX - 1).take_while(|next| next.sign == super::word::Sign::Word && short(&next.text)) {
            joined.push_str(&next.text);
            taken += 1;
        }
    }
    let wild = joined.strip_prefix(head).unwrap_or_default().replace('x', "?");
    let known = joined.len() > head.len();
    known.then(|| (taken, vec![mask_or_number(&format!("{head}{wild}"))]))
}

/// A number as it stands in a name; `*`, `?` and dots stand for others.
pub(super) fn mask_or_number(text: &str) -> Order {
    let dotted = text.replace("...", "*").replace('.', "?").replace('□', "?");
    let key: String =
        dotted.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '*' | '?')).collect::<String>().to_ascii_uppercase();
    let mask = key.contains(['*', '?']);
    Order { kind: kind(&key), mask, series: None, key }
}
