//! Numbers from a seed.

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where the limit is 0. The bias of the modulus is of no consequence here.
    pub const fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Any byte.
    pub const fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Bits to flip, at least one; half of the time exactly one, because near misses are what a mask lets through.
    pub(super) const fn change(&mut self) -> u16 {
        if self.one_in(2) { 1 << self.below(16) } else { 1 + self.below(0xffff) as u16 }
    }

    /// Any byte but these.
    pub(super) fn other_than(&mut self, not: &[u8]) -> u8 {
        loop {
            let byte = self.byte();
            if !not.contains(&byte) {
                return byte;
            }
        }
    }
}
