//! Made-up texts of every class that the card check must tell apart. The same seed makes the same texts.

#![expect(clippy::unwrap_used, reason = "made-up texts")]

pub mod cards;
pub mod identifiers;

/// `SplitMix64`: enough for made-up texts, and the same on every machine and in every year.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len().try_into().unwrap());
        of[usize::try_from(at).unwrap()]
    }

    pub fn digits(&mut self, count: usize) -> String {
        self.chars(b"0123456789", count)
    }

    pub fn chars(&mut self, of: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(self.pick(of))).collect()
    }
}

/// The text cut into groups of these lengths, with `gap` between them.
pub fn grouped(text: &str, lengths: &[usize], gap: &str) -> String {
    let mut rest = text;
    let mut groups = Vec::new();
    for length in lengths {
        let (group, more) = rest.split_at(*length);
        groups.push(group);
        rest = more;
    }
    if !rest.is_empty() {
        groups.push(rest);
    }
    groups.join(gap)
}

/// The digit that makes the sum over all, weighted from the right, a multiple of ten.
pub fn check_digit(digits: &str, weigh: impl Fn(usize, u32) -> u32) -> char {
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = values
        .zip(1..)
        .map(|(digit, place)| weigh(place, digit))
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap()
}
