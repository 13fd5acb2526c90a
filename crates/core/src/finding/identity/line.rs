//! Lines of releases in a product's name: `V4.X`, `prior to V4.7`, `R121`.

use super::word::{self, Sign, Word};

/// How many words from here are a line; none where they are not. `before` is the word in front, `first` where no word of the model came
/// yet, `fid` where the maker names releases `R121`.
pub(super) fn length(words: &[Word], before: &str, first: bool, fid: bool) -> Option<usize> {
    let at = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    if fid && first && words.len() == 1 && is_r(at(0)) {
        return Some(1);
    }
    let head = match (at(0), at(1)) {
        ("prior", "to") | ("up", "to") => 2,
        ("before" | "<" | "<=" | "version" | "versions", _) => 1,
        _ => 0,
    };
    let told = head > 0;
    let number = at(head);
    let kinds = word::kinds(number);
    if kinds.no_line || word::kinds(before).generation || !is_release(number, told, first) {
        return None;
    }
    let mut count = head + 1;
    loop {
        let next = at(count);
        let pack = matches!(next, "sp" | "update" | "hf" | "upd" | "hotfix" | "patch") && starts_with_digit(at(count + 1));
        let joined = ["sp", "hf", "r", "upd"]
            .iter()
            .any(|mark| next.strip_prefix(mark).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())));
        let sign = words.get(count).map(|word| word.sign);
        let bound = |text: &str| matches!(text, "earlier" | "prior" | "below" | "newer" | "later" | "above" | "older");
        count += match sign {
            Some(Sign::And) if bound(at(count + 1)) => 2,
            Some(Sign::Comma | Sign::And) if is_release(at(count + 1), false, false) && at(count + 1).starts_with('v') => 2,
            Some(Sign::Word) if next == "through" && is_release(at(count + 1), true, false) => 2,
            Some(Sign::Word) if pack => 2,
            Some(Sign::Word) if joined => 1,
            _ => return Some(count),
        };
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// `r121`.
fn is_r(text: &str) -> bool {
    text.strip_prefix('r').is_some_and(|rest| rest.len() >= 2 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `v4.x`, `v15`, `4.7` behind a word that tells, `3.1` behind the model. `V4`, a letter and one number, is a release; `4` alone is none.
fn is_release(text: &str, told: bool, first: bool) -> bool {
    const RELEASE_BYTES_MAX: usize = 24;
    let (marked, rest) = text.strip_prefix('v').map_or((false, text), |rest| (true, rest));
    let rest = rest.strip_prefix('.').filter(|_| marked).unwrap_or(rest);
    let parts: Vec<&str> = rest.split('.').collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let free = |part: &str| matches!(part, "x" | "*") || part.strip_suffix('x').is_some_and(digits);
    let service = |part: &str| part.split_once("sp").is_some_and(|(number, pack)| digits(number) && digits(pack));
    let head = parts.first().is_some_and(|part| digits(part) || free(part) && (told || marked) || service(part));
    let tail = parts.iter().skip(1).all(|part| digits(part) || free(part));
    let dotted = parts.len() > 1 && !first;
    text.len() <= RELEASE_BYTES_MAX && head && tail && (marked || told || dotted)
}
