//! A set of a run's numbers, which mostly follow each other.

use std::collections::BTreeMap;

/// It takes as much memory as the numbers have spans.
#[derive(Debug, Default)]
pub struct NumberSet(
    /// Spans by their first number, with their last.
    BTreeMap<u64, u64>,
);

impl NumberSet {
    pub fn insert(&mut self, number: u64) {
        let before = self.0.range(..=number).next_back();
        let before = before.map(|(first, last)| (*first, *last));
        let first = match before {
            Some((_, last)) if number <= last => return,
            Some((first, last)) if last + 1 == number => first,
            _ => number,
        };
        let behind = number.checked_add(1);
        let last = behind.and_then(|behind| self.0.remove(&behind));
        self.0.insert(first, last.unwrap_or(number));
    }

    pub fn contains(&self, number: u64) -> bool {
        let span = self.0.range(..=number).next_back();
        span.is_some_and(|(_, last)| number <= *last)
    }

    /// The highest number.
    pub fn last(&self) -> Option<u64> {
        self.0.last_key_value().map(|(_, last)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_any_order_are_few_spans() {
        let mut numbers = NumberSet::default();
        for number in [3, 1, 2, 7, 0, 2, u64::MAX, 6] {
            numbers.insert(number);
        }
        let spans: Vec<_> = numbers
            .0
            .iter()
            .map(|(first, last)| (*first, *last))
            .collect();
        assert_eq!(spans, [(0, 3), (6, 7), (u64::MAX, u64::MAX)]);
        for (number, is_in) in [(0, true), (3, true), (4, false), (7, true), (8, false)] {
            assert_eq!(numbers.contains(number), is_in, "{number}");
        }
        assert_eq!(numbers.last(), Some(u64::MAX));
        assert_eq!(NumberSet::default().last(), None);
    }
}
