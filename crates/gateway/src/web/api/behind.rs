//! Where an answer ended, as a place to go on from: the last line by what lines are sorted by, not by a number, so that what comes or goes in between moves
//! no other from one answer to the next.

use std::str::FromStr;

use nameplate_core::observation::{hex, unhex};

/// Between the parts of a place; no text of a device or a document has it.
const SEPARATOR: char = '\0';

/// What the last line of an answer is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Behind<const PARTS: usize>(pub [String; PARTS]);

impl<const PARTS: usize> Behind<PARTS> {
    /// As it goes out.
    fn told(&self) -> String {
        // A document may have any text in its ids; then the place is beside it.
        hex(self.0.each_ref().map(|part| part.replace(SEPARATOR, "\u{1}")).join(&SEPARATOR.to_string()).as_bytes())
    }
}

impl<const PARTS: usize> FromStr for Behind<PARTS> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let none = "it is no place to go on from; that is the `next` of an answer";
        let bytes = unhex(text).map_err(|_| none)?;
        let said = String::from_utf8(bytes).map_err(|_| none)?;
        let parts: Vec<String> = said.split(SEPARATOR).map(str::to_owned).collect();
        parts.try_into().map(Self).map_err(|_| none)
    }
}

/// The lines behind a place, at most so many, and where they end where there are more. `all` are sorted by `key`; lines with one key stay together.
pub fn page<'l, T, const PARTS: usize>(
    all: &'l [T],
    key: impl Fn(&T) -> [String; PARTS],
    after: Option<&Behind<PARTS>>,
    limit: usize,
) -> (&'l [T], Option<String>) {
    let begin = after.map_or(0, |after| all.partition_point(|one| key(one) <= after.0));
    let behind = all.get(begin..).unwrap_or_default();
    let Some(last) = behind.get(limit.saturating_sub(1)).map(&key) else { return (behind, None) };
    let end = behind.partition_point(|one| key(one) <= last);
    (behind.get(..end).unwrap_or_default(), (end < behind.len()).then(|| Behind(last).told()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_between_two_answers_moves_no_other() {
        let key = |word: &&str| [(*word).to_owned(), String::new()];
        let read = |next: &Option<String>| next.as_ref().map(|next| next.parse::<Behind<2>>().expect("a place"));
        let all = ["a", "b", "b", "c", "d"];
        let (first, next) = page(&all, key, None, 2);
        assert_eq!(first, ["a", "b", "b"], "what is sorted alike stays together");
        let (second, next) = page(&["b", "bb", "c", "d"], key, read(&next).as_ref(), 2);
        assert_eq!(second, ["bb", "c"], "one went and one came");
        let (third, next) = page(&["d"], key, read(&next).as_ref(), 2);
        assert_eq!((third, next), (&["d"][..], None));
        assert_eq!(page(&[], key, None, 2), (&[][..], None));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "x", "61", "610062", "ff00", "61006200", "6100zz"] {
            assert_eq!(text.parse::<Behind<2>>().is_ok(), text == "610062", "{text:?}");
        }
    }
}
