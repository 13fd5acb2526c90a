//! What a conversation told already: the same answer again and again is told once.

/// Answers remembered in one conversation: a client that browses a chassis asks seventeen slots, a gateway a few dozen devices.
const REMEMBERED_ANSWERS_MAX: usize = 64;

/// The last answer to each question, both as digests.
#[derive(Debug, Default)]
pub struct Memory {
    known: Vec<(u64, u64)>,
    oldest: usize,
}

impl Memory {
    /// True where this question was not answered so the last time.
    pub fn is_new(&mut self, question: u64, answer: u64) -> bool {
        match self.known.iter_mut().find(|(known, _)| *known == question) {
            Some((_, known)) => core::mem::replace(known, answer) != answer,
            None => {
                self.keep(question, answer);
                true
            }
        }
    }

    /// How often that was counted before; counts this time.
    pub fn count(&mut self, what: u64) -> u64 {
        match self.known.iter_mut().find(|(known, _)| *known == what) {
            Some((_, times)) => {
                *times = times.saturating_add(1);
                *times - 1
            }
            None => {
                self.keep(what, 1);
                0
            }
        }
    }

    /// True where it was counted or answered.
    pub fn knows(&self, what: u64) -> bool {
        self.known.iter().any(|(known, _)| *known == what)
    }

    pub fn clear(&mut self) {
        self.known.clear();
    }

    fn keep(&mut self, what: u64, value: u64) {
        if self.known.len() < REMEMBERED_ANSWERS_MAX {
            self.known.push((what, value));
        } else if let Some(oldest) = self.known.get_mut(self.oldest % REMEMBERED_ANSWERS_MAX) {
            *oldest = (what, value);
            self.oldest = (self.oldest + 1) % REMEMBERED_ANSWERS_MAX;
        }
    }
}

/// FNV-1a over parts: quick for the short messages that it is for, and enough to tell two answers of one device apart.
pub fn digest(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in *part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // Where one part ends belongs to what they say.
        hash = (hash ^ 0x100).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}
