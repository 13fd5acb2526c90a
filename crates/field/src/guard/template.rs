//! Rows as one permit grants them, and what held bytes can become.

use std::fmt;

use super::{
    Permit,
    table::{HIDDEN, Is, NAME_BYTES_MAX, NUMBER_BYTES_MAX, Part, Row, Slot, Table},
};

/// Set in each byte of [`Is::Number`] but the last. X.690, 8.19.2.
const MORE: u8 = 0x80;

/// A row as one permit grants it.
#[derive(Clone)]
pub struct Template {
    /// The row.
    pub row: &'static Row,
    bytes: Vec<u8>,
    masks: Vec<u8>,
    /// Where each part begins, and the end.
    starts: Vec<usize>,
}

/// What the bytes that are held so far can become.
#[derive(Debug)]
pub enum Reading<'a> {
    /// A whole message; whatever stands behind it is not part of it.
    Whole(&'a Template),
    /// The beginning of at least one message that may leave.
    Partial,
    /// Nothing that may leave.
    Never(Blame),
}

/// The byte that is to blame, and what it could have been.
#[derive(Clone, Debug)]
pub struct Blame {
    /// Where it stands.
    pub at: usize,
    /// The rule it breaks.
    pub rule: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What the rows that fitted up to here wanted.
    pub wanted: Vec<u8>,
}

impl Table {
    /// What `permit` grants: each row once for each combination of the literals that stand in it.
    #[must_use]
    pub fn templates(&self, permit: &Permit) -> Vec<Template> {
        self.rows.iter().flat_map(|row| row.templates(permit)).collect()
    }
}

/// What stands for a slot's name where the row itself lists the literals.
const ONE_OF: &str = "";

impl Row {
    fn templates(&'static self, permit: &Permit) -> Vec<Template> {
        // The connection itself.
        if self.parts.is_empty() {
            return Vec::new();
        }
        // One choice of a literal for each slot.
        let mut choices: Vec<Vec<(&'static str, &[u8])>> = vec![Vec::new()];
        for slot in self.slots() {
            let literals: Vec<&[u8]> = permit.literals(slot).collect();
            let with = |choice: &Vec<(&'static str, _)>, literal| choice.iter().copied().chain([(slot.name, literal)]).collect();
            choices = choices.iter().flat_map(|choice| literals.iter().map(move |literal| with(choice, *literal))).collect();
        }
        for part in self.parts {
            let Is::OneOf(list) = part.is else { continue };
            let with = |choice: &Vec<(&'static str, _)>, one| choice.iter().copied().chain([(ONE_OF, one)]).collect();
            choices = choices.iter().flat_map(|choice| list.iter().map(move |one| with(choice, *one))).collect();
        }
        let has = |is: fn(&Is) -> bool| self.parts.iter().any(|part| is(&part.is));
        let lengths = match (has(|is| matches!(is, Is::Number)), has(|is| matches!(is, Is::Name))) {
            (true, _) => 0..=NUMBER_BYTES_MAX,
            (_, true) => 1..=NAME_BYTES_MAX,
            _ => 0..=0,
        };
        choices.iter().flat_map(|choice| lengths.clone().map(|bytes| self.template(choice, bytes))).collect()
    }

    /// `chosen_bytes`: how long what the device chose is.
    fn template(&'static self, choice: &[(&'static str, &[u8])], chosen_bytes: usize) -> Template {
        let literal = |slot: &str| choice.iter().find(|(name, _)| *name == slot).map_or(&[][..], |(_, literal)| *literal);
        let granted = |slot: &Slot, from: usize, to: usize| {
            let literal = literal(slot.name);
            literal.get(from..to.min(literal.len())).unwrap_or_default()
        };
        // Bytes from each part on. From the back: a BER length is as wide as what follows it is long.
        let mut from = vec![0_usize; self.parts.len().saturating_add(1)];
        let counted = |from: &[usize], first: usize, last: usize, more: usize| {
            let bytes = |index: usize| from.get(index).copied().unwrap_or(0);
            bytes(first).saturating_sub(bytes(last.saturating_add(1))).saturating_add(more)
        };
        for (index, part) in self.parts.iter().enumerate().rev() {
            let bytes = match part.is {
                Is::Bytes(bytes) => bytes.len(),
                Is::OneOf(_) => literal(ONE_OF).len(),
                Is::Bits { .. } => 1,
                Is::Any(count) => count,
                Is::Name | Is::Number => chosen_bytes,
                Is::Granted { slot, from, to } => granted(slot, from, to).len(),
                Is::Count { width, first, last, more } => width.bytes_of(counted(&from, first, last, more)),
                Is::Check { sum, .. } => sum.bytes(),
            };
            from[index] = from[index + 1].saturating_add(bytes);
        }
        let mut template = Template { row: self, bytes: Vec::with_capacity(from[0]), masks: Vec::with_capacity(from[0]), starts: vec![0] };
        for part in self.parts {
            let start = template.bytes.len();
            match part.is {
                Is::Bytes(bytes) => template.bytes.extend_from_slice(bytes),
                Is::OneOf(_) => template.bytes.extend_from_slice(literal(ONE_OF)),
                Is::Bits { value, .. } => template.bytes.push(value),
                Is::Any(count) => template.bytes.resize(start.saturating_add(count), 0),
                Is::Name => template.bytes.resize(start.saturating_add(chosen_bytes), 0),
                Is::Number => template.bytes.extend((0..chosen_bytes).rev().map(|after| if after > 0 { MORE } else { 0 })),
                Is::Granted { slot, from, to } => template.bytes.extend_from_slice(granted(slot, from, to)),
                Is::Count { width, first, last, more } => template.bytes.extend(width.write(counted(&from, first, last, more))),
                Is::Check { sum, .. } => template.bytes.resize(start.saturating_add(sum.bytes()), 0),
            }
            let mask = match part.is {
                Is::Bits { mask, .. } => mask,
                Is::Any(_) | Is::Name | Is::Check { .. } => 0,
                Is::Number => MORE,
                _ => 0xff,
            };
            template.masks.resize(template.bytes.len(), mask);
            // Of 35 bits the upper four are too many.
            if let (Is::Number, NUMBER_BYTES_MAX, Some(first)) = (part.is, chosen_bytes, template.masks.get_mut(start)) {
                *first = 0xf8;
            }
            template.starts.push(template.bytes.len());
        }
        template
    }
}

impl fmt::Debug for Template {
    /// Without its bytes: secrets stand in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({})", self.row.question)
    }
}

impl Template {
    /// Bytes of the message.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The message as a record may hold it.
    pub fn shown(&self, message: &[u8]) -> Vec<u8> {
        let mut shown = message.to_vec();
        for (index, part) in self.row.parts.iter().enumerate() {
            if let (Is::Granted { slot, .. }, Some(start), Some(end)) = (part.is, self.starts.get(index), self.starts.get(index + 1))
                && slot.secret
                && let Some(secret) = shown.get_mut(*start..*end)
            {
                secret.fill(HIDDEN);
            }
        }
        shown
    }

    /// Each byte's meaning, in the order of the wire.
    pub fn meanings(&self) -> impl Iterator<Item = &'static str> {
        (0..self.len()).filter_map(|at| Some(self.part(at)?.meaning))
    }

    fn part(&self, at: usize) -> Option<&'static Part> {
        let index = self.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        self.row.parts.get(index)
    }

    /// A byte that has not come yet fits.
    fn fits(&self, at: usize, held: &[u8]) -> bool {
        match (held.get(at), self.bytes.get(at), self.masks.get(at)) {
            (Some(byte), Some(wanted), Some(mask)) => byte & mask == wanted & mask,
            _ => true,
        }
    }

    /// The first part whose check bytes are wrong, or whose name is none.
    fn broken_check(&self, held: &[u8]) -> Option<usize> {
        let range = |first: usize, last: usize| {
            let start = self.starts.get(first)?;
            let end = self.starts.get(last.saturating_add(1)).or_else(|| self.starts.last())?;
            held.get(*start..*end)
        };
        let mut named = None;
        self.row.parts.iter().enumerate().find_map(|(index, part)| {
            let there = range(index, index)?;
            let is_broken = match part.is {
                Is::Check { sum, first, last } => sum.of(range(first, last)?) != there,
                Is::Name => *named.get_or_insert(there) != there || !there.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'),
                _ => false,
            };
            is_broken.then(|| self.starts.get(index).copied()).flatten()
        })
    }

    /// How many bytes fit in the order in which a refusal is explained, and where the first does not.
    fn explain(&self, held: &[u8]) -> Option<(usize, usize)> {
        let counts = |at: &usize| self.part(*at).is_some_and(|part| matches!(part.is, Is::Count { .. }));
        // A write is refused for its function and not for its length, which stands before it on the wire.
        let order = (0..self.len()).filter(|at| !counts(at)).chain((0..self.len()).filter(counts));
        order.enumerate().find(|(_, at)| !self.fits(*at, held))
    }

    fn blame(&self, at: usize, wanted: Vec<u8>) -> Blame {
        let (rule, meaning) = self.part(at).map_or(("permit.empty", ""), |part| (part.rule, part.meaning));
        Blame { at, rule, meaning, wanted }
    }
}

/// Reads what is held (at least one byte).
#[must_use]
pub fn read<'a>(templates: &'a [Template], held: &[u8]) -> Reading<'a> {
    let (mut partial, mut broken) = (false, None);
    for template in templates.iter().filter(|template| (0..template.len()).all(|at| template.fits(at, held))) {
        if held.len() < template.len() {
            partial = true;
            continue;
        }
        match template.broken_check(held) {
            None => return Reading::Whole(template),
            Some(at) => broken = Some(template.blame(at, Vec::new())),
        }
    }
    match broken {
        _ if partial => Reading::Partial,
        Some(blame) => Reading::Never(blame),
        None => Reading::Never(blame(templates, held)),
    }
}

/// Of the rows that fit longest, the byte at which they do not, and what they wanted there.
fn blame(templates: &[Template], held: &[u8]) -> Blame {
    let explained: Vec<(&Template, usize, usize)> =
        templates.iter().filter_map(|template| template.explain(held).map(|(fitting, at)| (template, fitting, at))).collect();
    let Some(&(template, most, at)) = explained.iter().max_by_key(|(_, fitting, _)| *fitting) else {
        return Blame { at: 0, rule: "permit.empty", meaning: "what the permit grants", wanted: Vec::new() };
    };
    let alike = explained.iter().filter(|(_, fitting, other)| *fitting == most && *other == at);
    let mut wanted: Vec<u8> = alike.filter_map(|(template, ..)| template.bytes.get(at).copied()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    template.blame(at, wanted)
}
