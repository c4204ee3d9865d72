//! A set of rows, without the rows: how many there are, and a sum over their numbers.

use std::hash::{BuildHasher as _, RandomState};

/// Two sets of rows are the same if their marks are. The sum is keyed, so that nobody can choose rows that make up for
/// others, and one that was counted twice does not make up for one that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    pub count: u64,
    sum: u64,
}

/// The key of a run's sums.
#[derive(Debug, Clone, Default)]
pub struct MarkKey(RandomState);

impl MarkKey {
    pub fn mark(&self, row: u64) -> Marks {
        Marks {
            count: 1,
            sum: self.0.hash_one(row),
        }
    }

    /// Stands for an object's key in a set that holds many.
    pub fn of_key(&self, key: &str) -> u64 {
        self.0.hash_one(key)
    }
}

impl std::ops::AddAssign for Marks {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_counted_twice_does_not_make_up_for_another() {
        let key = MarkKey::default();
        let marks = |rows: &[u64]| {
            let mut marks = Marks::default();
            for row in rows {
                marks += key.mark(*row);
            }
            marks
        };
        assert_eq!(marks(&[1, 2, 3]), marks(&[3, 1, 2]));
        assert_ne!(marks(&[1, 2, 3]), marks(&[1, 2, 2]));
        assert_ne!(marks(&[1, 2, 3]), marks(&[1, 2]));
    }
}
