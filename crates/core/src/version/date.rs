//! Dates with the name of a month, which some vendors publish in the place of a version.

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
/// The first letters that a short name of a month has.
const MONTH_LETTERS_MIN: usize = 3;

/// Year, month and perhaps day: `June/20/2023`, `july 1 2017`, `november 11, 2017`, `20 June 2023`, `May 2018`. `None` where it is no
/// such date from end to end, or has no year.
pub fn with_month_name(folded: &str) -> Option<Vec<u128>> {
    let words: Vec<&str> = folded.split([' ', ',', '/', '.', '-']).filter(|word| !word.is_empty()).collect();
    let year = |word: &str| word.parse::<u128>().ok().filter(|year| (1970..2100).contains(year) && word.len() == 4);
    let day = |word: &str| word.parse::<u128>().ok().filter(|day| (1..=31).contains(day) && word.len() <= 2);
    match words.as_slice() {
        [one, two] => Some(vec![year(two)?, month(one)?]),
        [one, two, three] => month(one)
            .and_then(|month| Some(vec![year(three)?, month, day(two)?]))
            .or_else(|| Some(vec![year(three)?, month(two)?, day(one)?])),
        _ => None,
    }
}

fn month(word: &str) -> Option<u128> {
    let is = |name: &&str| name.starts_with(word) && word.len() >= MONTH_LETTERS_MIN;
    (1..).zip(MONTHS).find(|(_, name)| is(name)).map(|(number, _)| number)
}
