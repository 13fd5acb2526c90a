//! A text as words: where each stands, what it is in one spelling, and what a word stands for that means several.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

/// One word stands for no more: `FX5U-xMy/z` with three sizes, two outputs and four supplies is 24.
const ALTERNATIVES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrase {
    words: Vec<String>,
    says: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    apart: Vec<String>,
    parts: Vec<String>,
    no_line: Vec<String>,
    generation_of: Vec<String>,
    capital_masks: Vec<String>,
    split: Vec<String>,
    references: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    brands: Vec<String>,
    noise: Vec<String>,
    family: Vec<String>,
    same: HashMap<String, String>,
    phrase: Vec<Phrase>,
    lists: Lists,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(include_str!("words.toml")).unwrap_or_default());

/// What a word of the table is, found in one look.
static KINDS: LazyLock<HashMap<&'static str, Kinds>> = LazyLock::new(|| {
    let mut kinds: HashMap<&'static str, Kinds> = HashMap::new();
    let t = &*TABLE;
    let lists: [(&'static [String], fn(&mut Kinds)); 9] = [
        (&t.brands, |k| k.brand = true),
        (&t.noise, |k| k.noise = true),
        (&t.family, |k| k.family = true),
        (&t.lists.apart, |k| k.apart = true),
        (&t.lists.parts, |k| k.part = true),
        (&t.lists.no_line, |k| k.no_line = true),
        (&t.lists.generation_of, |k| k.generation = true),
        (&t.lists.capital_masks, |k| k.mask = true),
        (&t.lists.references, |k| k.reference = true),
    ];
    for (words, set) in lists {
        for word in words {
            set(kinds.entry(word).or_default());
        }
    }
    kinds
});

/// What the table says of a word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    /// Says nothing where the name says more.
    pub(super) brand: bool,
    /// Says nothing.
    pub(super) noise: bool,
    /// Makes a family of what stands before.
    pub(super) family: bool,
    /// Makes another product.
    pub(super) apart: bool,
    /// A part of the device.
    pub(super) part: bool,
    /// Looks like a release and is none.
    pub(super) no_line: bool,
    /// What follows is a generation and no release.
    pub(super) generation: bool,
    /// Its `X` stands for any character.
    pub(super) mask: bool,
    /// An order number begins with it.
    pub(super) reference: bool,
}

/// What the table says of a word in lower case.
pub(super) fn kinds(word: &str) -> Kinds {
    KINDS.get(word).copied().unwrap_or_default()
}

/// The phrase that begins here: how many words it has, and what it says.
pub(super) fn phrase<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Option<(usize, &'static str)> {
    let fits = |phrase: &&'static Phrase| {
        let mut words = words.clone();
        phrase.words.iter().all(|word| words.next() == Some(word.as_str()))
    };
    TABLE.phrase.iter().filter(fits).max_by_key(|phrase| phrase.words.len()).map(|phrase| (phrase.words.len(), phrase.says.as_str()))
}

/// What a word is to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A word.
    Word,
    /// `(` or `[`.
    Open,
    /// `)` or `]`.
    Close,
    /// A comma or a semicolon with a blank behind it.
    Comma,
    /// `and`, `&`, or a slash between blanks.
    And,
}

/// A word of a text.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// What it is.
    pub(super) sign: Sign,
    /// In lower case, without what stands around it.
    pub(super) text: String,
    /// Where it stands.
    pub(super) at: Range<usize>,
}

/// The beginning of a text, no longer than so many bytes.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// The words of a text, in their order; what is between them are blanks and signs that say nothing.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let sign = match c {
            '(' | '[' => Sign::Open,
            ')' | ']' => Sign::Close,
            c if c.is_whitespace() || is_edge(c) => continue,
            ',' | ';' => Sign::Comma,
            _ => Sign::Word,
        };
        if sign != Sign::Word {
            words.push(Word { sign, text: String::new(), at: start..start + c.len_utf8() });
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some((at, c)) = chars.peek().copied() {
            if ends_word(text, start, at, c) {
                break;
            }
            end = at + c.len_utf8();
            chars.next();
        }
        words.extend(word(text, start..end));
    }
    words
}

/// A word without what stands around it.
fn word(text: &str, at: Range<usize>) -> Option<Word> {
    let all = text.get(at.clone())?;
    let mut kept = all.trim_end_matches(|c: char| is_edge(c) || c == ':');
    if !kept.ends_with("..") {
        kept = kept.trim_end_matches('.');
    }
    let lower = kept.to_lowercase();
    let sign = if matches!(lower.as_str(), "and" | "&" | "/" | "or") { Sign::And } else { Sign::Word };
    (!kept.is_empty()).then_some(Word { sign, text: lower, at: at.start..at.start + kept.len() })
}

/// Quotation marks, trade marks, and what is left of them where UTF-8 was read as Latin-1.
const fn is_edge(c: char) -> bool {
    matches!(c, '"' | '\'' | '™' | '®' | '©' | '„' | '¢' | 'â' | '\u{a0}' | '\u{200b}' | '_' | '“' | '”')
}

fn ends_word(text: &str, start: usize, at: usize, c: char) -> bool {
    let behind = text.get(at + c.len_utf8()..).unwrap_or_default();
    match c {
        ',' | ';' => behind.chars().next().is_none_or(|next| next.is_whitespace() || next == ')'),
        '(' | '[' => !is_suffix(behind),
        // Only where its opening parenthesis belongs to the word.
        ')' | ']' => {
            !text.get(start..at).unwrap_or_default().contains(['(', '[']) || text.get(start..at).unwrap_or_default().contains([')', ']'])
        }
        _ => c.is_whitespace(),
    }
}

/// `L02CPU(-P)`, `277(F)`, `G120(C/P/D)`: what stands in the parenthesis may be there or not.
fn is_suffix(behind: &str) -> bool {
    const SUFFIX_BYTES_MAX: usize = 6;
    behind.find(')').is_some_and(|end| {
        let inside = behind.get(..end).unwrap_or_default();
        end > 0 && end <= SUFFIX_BYTES_MAX && !inside.contains(char::is_whitespace) && (inside.starts_with('-') || end <= 5)
    })
}

/// All that a word stands for, each in one spelling and as the words it consists of: `controllogix5570` is two, `r04/08/16cpu` three times one.
pub(super) fn alternatives(word: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for plain in suffixes(word) {
        for one in slashes(&plain) {
            let parts = split(&one);
            if !all.contains(&parts) {
                all.push(parts);
            }
        }
    }
    all.truncate(ALTERNATIVES_MAX);
    all
}

/// `l02cpu(-p)`: with and without.
fn suffixes(word: &str) -> Vec<String> {
    let Some((before, rest)) = word.split_once('(') else { return vec![word.to_owned()] };
    let (inside, behind) = rest.split_once(')').unwrap_or((rest, ""));
    let mut all = vec![format!("{before}{behind}")];
    all.extend(inside.split('/').take(ALTERNATIVES_MAX).map(|inside| {
        let dash = if inside.starts_with('-') || !rest.starts_with('-') { "" } else { "-" };
        format!("{before}{dash}{inside}{behind}")
    }));
    all
}

/// `5400/5410`, `sel-787-2/-3/-4`, `r04/08/16cpu`, `670/650/sam600-io`: each by itself. Letters behind a slash are no list: `pn/dp`.
fn slashes(word: &str) -> Vec<String> {
    let parts: Vec<&str> = word.split('/').collect();
    let listed = |part: &&str| {
        part.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) || part.chars().filter(char::is_ascii_digit).count() > 1
    };
    let (Some(first), true) = (parts.first(), parts.len() > 1 && parts.len() <= ALTERNATIVES_MAX) else { return vec![word.to_owned()] };
    if !parts.iter().skip(1).all(listed) || !first.contains(|c: char| c.is_ascii_digit()) || parts.iter().any(|part| part.is_empty()) {
        return vec![word.to_owned()];
    }
    let head_end = first.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    let last = parts.last().unwrap_or(first);
    let tail = last.find(|c: char| c.is_ascii_digit()).and_then(|at| last.get(at..)).unwrap_or_default();
    let tail = tail.find(|c: char| !c.is_ascii_digit()).and_then(|at| tail.get(at..)).unwrap_or_default();
    let head = first.get(..head_end).unwrap_or_default();
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let whole = match part.strip_prefix('-') {
            Some(part) => format!("{}-{part}", first.rsplit_once('-').map_or(*first, |(head, _)| head)),
            None if at > 0 && part.starts_with(|c: char| c.is_ascii_digit()) => format!("{head}{part}"),
            None => (*part).to_owned(),
        };
        if at + 1 < parts.len() && !tail.is_empty() && whole.ends_with(|c: char| c.is_ascii_digit()) {
            all.push(format!("{whole}{tail}"));
        }
        all.push(whole);
    }
    all
}

/// A word as the words it consists of: `controllogix5570`, `cp1613`, `sel-751`.
pub(super) fn split(word: &str) -> Vec<String> {
    const NAME_LETTERS_MIN: usize = 5;
    const NUMBER_DIGITS_MIN: usize = 3;
    let word = word.strip_prefix("sel-").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(word);
    let word = word.strip_suffix("-series").or_else(|| word.strip_suffix("-family")).unwrap_or(word);
    let word = TABLE.same.get(word).map_or(word, String::as_str);
    let letters = word.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(word.len());
    let (name, rest) = word.split_at(letters);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let parted = digits >= NUMBER_DIGITS_MIN && (letters >= NAME_LETTERS_MIN || TABLE.lists.split.iter().any(|known| known == name));
    if parted { vec![name.to_owned(), rest.to_owned()] } else { vec![word.to_owned()] }
}

/// True where a word holds signs that stand for others.
pub(super) fn is_mask(word: &str) -> bool {
    word.contains(['*', '□', '?']) || kinds(word).mask || free_x(word)
}

/// A small x beside a digit or another: `82xx`, `1x0`, `34x`. Where the x is between numbers (`8x12`, `24xfe`) it multiplies.
fn free_x(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let other = |at: Option<usize>| at.and_then(|at| bytes.get(at)) == Some(&b'x');
    let free = |at: usize| {
        let (before, behind) = (at.checked_sub(1), Some(at + 1));
        let twice = other(before) || other(behind);
        twice && (digit(before) || digit(behind) || word.contains(|c: char| c.is_ascii_digit()))
            || digit(before) && behind == Some(bytes.len())
            || digit(before) && digit(behind) && bytes.len() <= 3
    };
    (0..bytes.len()).any(|at| bytes.get(at) == Some(&b'x') && free(at))
}

/// A mask as a pattern: `*` for any characters, `?` for one.
pub(super) fn pattern(word: &str) -> String {
    if word.contains(['*', '□', '?']) { word.replace('□', "?") } else { word.replace('x', "?") }
}

/// True where a text is of a pattern. Costs the product of both lengths at most, which are bounded by the callers.
pub(super) fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some(p);
                mark = t;
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(byte) if text.get(t) == Some(byte) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some(at) => {
                    p = at + 1;
                    mark += 1;
                    t = mark;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}
