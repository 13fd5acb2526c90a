//! The devices that a name means: one, or each of a list.

/// A name means no more devices than that: `FX5U-xMy/z` with its lists is 24, and a list of 12 relays of three kinds is 36.
const NAMES_MAX: usize = 128;

/// An item of the model while a name is read.
pub(super) enum Item {
    /// A word with all that it stands for.
    Word(Vec<Vec<String>>),
    /// A word that says nothing where others do.
    Brand(String),
    /// A comma.
    Comma,
    /// `and`.
    And,
}

/// The devices that the items mean: one, or each of a list.
pub(super) fn names(items: &[Item], family: &mut bool) -> Vec<Vec<String>> {
    let mut elements: Vec<Vec<&Item>> = vec![Vec::new()];
    for (at, item) in items.iter().enumerate() {
        let held = elements.last().map(Vec::as_slice).unwrap_or_default();
        let ahead = items.get(at + 1..).unwrap_or_default();
        let parts = match item {
            Item::Comma => alike(held, ahead),
            Item::And => {
                numbered(held.iter().copied()) && numbered(ahead.iter().take_while(|item| !matches!(item, Item::And | Item::Comma)))
            }
            Item::Word(_) => in_a_row(held, item),
            Item::Brand(_) => false,
        };
        if parts {
            elements.push(Vec::new());
        }
        if let (Item::Word(_) | Item::Brand(_), Some(last)) = (item, elements.last_mut()) {
            last.push(item);
        }
    }
    let first = elements.first().cloned().unwrap_or_default();
    let mut all: Vec<Vec<String>> = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let element = if at == 0 { element.clone() } else { completed(&first, element) };
        all.extend(product(&element));
    }
    *family |= all.len() > 1;
    all.sort_unstable();
    all.dedup();
    all.truncate(NAMES_MAX);
    all
}

/// The word of an item, where it is one.
fn one(item: &Item) -> Option<String> {
    match item {
        Item::Word(all) => all.first().map(|name| name.concat()),
        _ => None,
    }
}

fn numbered<'a>(items: impl IntoIterator<Item = &'a Item>) -> bool {
    items.into_iter().filter_map(one).any(|word| word.contains(|c: char| c.is_ascii_digit()))
}

/// `KTP400F, KTP700`: both begin with a letter, the same one, and hold a digit.
fn alike(held: &[&Item], ahead: &[Item]) -> bool {
    let last = held.last().and_then(|item| one(item)).unwrap_or_default();
    let next = ahead.iter().find_map(one).unwrap_or_default();
    let shaped = |word: &str| word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.contains(|c: char| c.is_ascii_digit());
    let relay = |word: &str| word.len() <= 6 && word.starts_with(['6', '7']) && word.contains(|c: char| c.is_ascii_alphabetic());
    shaped(&last) && shaped(&next) && last.get(..1) == next.get(..1) || relay(&last) && relay(&next)
}

/// `NPort 5210 5230`, `RT430 RT431`, two lists behind each other: words of one length and one beginning that differ in their numbers.
fn in_a_row(held: &[&Item], item: &Item) -> bool {
    // `RT430`, `5210`; shorter ones are parts of one name: `S7 1500`.
    const LIST_BYTES_MIN: usize = 4;
    let (Some(Item::Word(before)), Item::Word(now)) = (held.last(), item) else { return false };
    let last = one(held.last().unwrap_or(&item)).unwrap_or_default();
    let next = one(item).unwrap_or_default();
    let head = |word: &str| word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
    let shaped =
        next.len() >= LIST_BYTES_MIN && next.ends_with(|c: char| c.is_ascii_digit()) && last.ends_with(|c: char| c.is_ascii_digit());
    let same = last.len() == next.len() && last != next && head(&last) == head(&next) && last.get(..head(&last)) == next.get(..head(&next));
    shaped && same || before.len() > 1 && now.len() > 1 && last.get(..1) == next.get(..1)
}

/// An element of a list with what it shares with the first: `CP 1616 and CP 1604`, `NPort 5210 and 5232`.
fn completed<'a>(first: &[&'a Item], element: &[&'a Item]) -> Vec<&'a Item> {
    let begins = element.iter().find_map(|item| one(item)).unwrap_or_default();
    if begins.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return element.to_vec();
    }
    let head = first.iter().take_while(|item| !one(item).unwrap_or_default().starts_with(|c: char| c.is_ascii_digit()));
    head.copied().chain(element.iter().copied()).collect()
}

/// Each choice of what the words stand for, without brands where others say more.
fn product(items: &[&Item]) -> Vec<Vec<String>> {
    let said = items.iter().any(|item| matches!(item, Item::Word(_)));
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for item in items {
        match item {
            Item::Word(choices) => {
                let longer = all.iter().flat_map(|name| choices.iter().map(move |choice| name.iter().chain(choice).cloned().collect()));
                all = longer.take(NAMES_MAX).collect();
            }
            Item::Brand(brand) if !said => all.iter_mut().for_each(|name| name.push(brand.clone())),
            _ => {}
        }
    }
    for name in &mut all {
        name.sort_unstable();
        name.dedup();
    }
    all
}
