//! Rows as one permit grants them, and what held bytes can become.

use super::{
    Permit,
    table::{HIDDEN, Is, Part, Row, Table},
};

/// A row as one permit grants it.
#[derive(Clone, Debug)]
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
        choices.iter().map(|choice| self.template(choice)).collect()
    }

    fn template(&'static self, choice: &[(&'static str, &[u8])]) -> Template {
        let literal = |slot: &str| choice.iter().find(|(name, _)| *name == slot).map_or(&[][..], |(_, literal)| literal);
        let mut runs: Vec<Vec<u8>> = vec![Vec::new(); self.parts.len()];
        // From the back: a BER length is as wide as what follows it is long.
        for (index, part) in self.parts.iter().enumerate().rev() {
            let run = match part.is {
                Is::Bytes(bytes) => bytes.to_vec(),
                Is::OneOf(_) => literal(ONE_OF).to_vec(),
                Is::Bits { value, .. } => vec![value],
                Is::Any(count) => vec![0; count],
                Is::Granted { slot, from, to } => {
                    let literal = literal(slot.name);
                    literal.get(from..to.min(literal.len())).unwrap_or_default().to_vec()
                }
                Is::Count { width, first, last, more } => width.write(length(&runs, first, last).saturating_add(more)),
                Is::Check { sum, .. } => vec![0; sum.bytes()],
            };
            runs[index] = run;
        }
        // Counts that look back were written when nothing stood there yet.
        for (index, part) in self.parts.iter().enumerate() {
            if let Is::Count { width, first, last, more } = part.is {
                runs[index] = width.write(length(&runs, first, last).saturating_add(more));
            }
        }
        let mut template = Template { row: self, bytes: Vec::new(), masks: Vec::new(), starts: vec![0] };
        for (part, run) in self.parts.iter().zip(runs) {
            let mask = match part.is {
                Is::Bits { mask, .. } => mask,
                Is::Any(_) | Is::Check { .. } => 0,
                _ => 0xff,
            };
            template.masks.extend(run.iter().map(|_| mask));
            template.bytes.extend(run);
            template.starts.push(template.bytes.len());
        }
        template
    }
}

fn length(runs: &[Vec<u8>], first: usize, last: usize) -> usize {
    runs.iter().take(last.saturating_add(1)).skip(first).map(Vec::len).sum()
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

    /// The first part whose check bytes are wrong.
    fn broken_check(&self, held: &[u8]) -> Option<usize> {
        let range = |first: usize, last: usize| {
            let start = self.starts.get(first)?;
            let end = self.starts.get(last.saturating_add(1)).or_else(|| self.starts.last())?;
            held.get(*start..*end)
        };
        self.row.parts.iter().enumerate().find_map(|(index, part)| {
            let Is::Check { sum, first, last } = part.is else { return None };
            let (over, there) = (range(first, last)?, range(index, index)?);
            (sum.of(over) != there).then(|| self.starts.get(index).copied()).flatten()
        })
    }

    /// How many bytes fit in the order in which a refusal is explained, and where the first does not.
    fn explain(&self, held: &[u8]) -> Option<(usize, usize)> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        // A write is refused for its function and not for its length, which stands before it on the wire.
        order.sort_by_key(|at| self.part(*at).map(|part| matches!(part.is, Is::Count { .. })));
        order.iter().position(|at| !self.fits(*at, held)).and_then(|fitting| Some((fitting, *order.get(fitting)?)))
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
