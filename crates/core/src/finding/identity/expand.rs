//! One word of a product's name that stands for several: `FX5U-xMy/z x=32,64 y=T,R z=ES,DS`, `CJ2M-CPU □ □`.

use super::word::{self, Sign, Word};

/// One word stands for no more: `FX5U-xMy/z` with four sizes, two outputs and four supplies is 32.
const EXPANDED_MAX: usize = 64;

/// Ends of Mitsubishi's names, the longer first: a list of them may have lost its commas (`z=ESDSESSDSS`).
const ENDS: &[&str] = &["ESS", "DSS", "ES", "DS", "UA1", "T", "R", "S", "D"];

/// All that the word here stands for, and how many words say it. Nothing where it could not be read.
pub(super) fn word(words: &[Word]) -> (usize, Vec<Vec<String>>) {
    let Some(first) = words.first() else { return (1, Vec::new()) };
    if first.text.contains("xm") || first.text.contains("my") {
        let lists: Vec<&Word> = words.iter().skip(1).take_while(|word| word.sign == Sign::Comma || is_list(&word.text)).collect();
        let count = 1 + lists.iter().rposition(|word| word.sign == Sign::Word).map_or(0, |at| at + 1);
        if count > 1 {
            return (count, lettered(&first.text, &lists));
        }
    }
    if words.get(1).is_some_and(|next| next.text.starts_with('□')) {
        return boxes(words);
    }
    (1, word::alternatives(&first.text))
}

/// `x=32,64,80`.
fn is_list(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, values)| matches!(name, "x" | "y" | "z") && !values.is_empty())
}

/// The letters x, y and z of a name, each replaced by every value of its list.
fn lettered(name: &str, lists: &[&Word]) -> Vec<Vec<String>> {
    let mut all = vec![name.trim_end_matches('*').to_owned()];
    for list in lists {
        let Some((letter, values)) = list.text.split_once('=') else { continue };
        let values = values_of(letter, values);
        let replaced = all.iter().flat_map(|name| values.iter().map(move |value| replaced(name, letter, value)));
        all = replaced.take(EXPANDED_MAX).collect();
    }
    all.into_iter().map(|name| word::split(&name)).collect()
}

/// A name with one of its letters replaced: `x` in front of `m`, `y` behind it, `z` behind the slash.
fn replaced(name: &str, letter: &str, value: &str) -> String {
    let (from, to) = match letter {
        "x" => ("-xm", format!("-{value}m")),
        "y" => ("my", format!("m{value}")),
        _ => ("/z", format!("/{value}")),
    };
    name.replacen(from, &to, 1)
}

/// The values of a list, with its commas or without them.
fn values_of(letter: &str, text: &str) -> Vec<String> {
    let values: Vec<&str> = text.split([',', '.']).map(|value| value.trim_matches('*')).filter(|value| !value.is_empty()).collect();
    let [one] = values.as_slice() else { return values.into_iter().map(str::to_owned).collect() };
    let mut rest = one.to_uppercase();
    let mut found = Vec::new();
    while !rest.is_empty() && found.len() < EXPANDED_MAX {
        let two = if letter == "x" { rest.get(..2) } else { ENDS.iter().find(|end| rest.starts_with(**end) && whole(&rest, end)).copied() };
        let Some(value) = two.map(str::to_owned) else { return vec![(*one).to_owned()] };
        rest = rest.get(value.len()..).unwrap_or_default().to_owned();
        found.push(value.to_lowercase());
    }
    found
}

/// True where what stands behind this end can be read as ends, too: `DDSS` is D and DSS, `DSDSS` DS and DSS.
fn whole(text: &str, end: &str) -> bool {
    let rest = text.get(end.len()..).unwrap_or_default();
    rest.is_empty() || ENDS.iter().any(|next| rest.starts_with(next))
}

/// `CP1E-E □ □ D □ - □`: a box is one letter or digit, and what stands between boxes belongs to the name.
fn boxes(words: &[Word]) -> (usize, Vec<Vec<String>>) {
    const BETWEEN_BYTES_MAX: usize = 2;
    let mut joined = words.first().map(|word| word.text.clone()).unwrap_or_default();
    let mut count = 1;
    for word in words.iter().skip(1).take(EXPANDED_MAX) {
        let belongs =
            word.text.contains('□') || word.text.starts_with('-') || word.text.len() <= BETWEEN_BYTES_MAX && word.sign == Sign::Word;
        if !belongs || word.sign != Sign::Word {
            break;
        }
        joined.push_str(&word.text);
        count += 1;
    }
    (count, vec![vec![joined]])
}
