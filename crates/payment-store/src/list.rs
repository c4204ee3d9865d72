//! Statements with lists of any length, in few texts.
//!
//! A statement's text is prepared once a connection, which takes a round trip and memory on the server. So lists have few
//! lengths, yet enough that rows of any number go in few statements.

use sqlx::{Encode, MySql, QueryBuilder, Type};

/// Texts that recur: the lengths of the lists of rows that are inserted and of those that are looked for, and look-ups of
/// one row.
pub(crate) const STATEMENTS_CACHED: usize = 128;

/// The longest beginning of `rows` that has a length to be prepared for, and the rest.
pub(crate) fn split<T>(mut rows: Vec<T>) -> (Vec<T>, Vec<T>) {
    let rest = rows.split_off(length(rows.len()));
    (rows, rest)
}

/// What a small object has goes in one or two statements, a thousand rows in four.
const fn length(rows: usize) -> usize {
    let step = match rows {
        0..=16 => 1,
        17..=128 => 16,
        _ => 128,
    };
    rows - rows % step
}

/// Appends `(?, ?, …)` with all values, the last one as often as it takes to fill the list up.
pub(crate) fn push<'t, T>(sql: &mut QueryBuilder<MySql>, values: impl Iterator<Item = T>)
where
    T: Encode<'t, MySql> + Type<MySql> + Copy,
{
    let values: Vec<T> = values.collect();
    let filled = values.len().next_power_of_two();
    let last = values.last().copied();
    sql.push("(");
    let mut list = sql.separated(", ");
    for value in values
        .into_iter()
        .chain(last.into_iter().cycle())
        .take(filled)
    {
        list.push_bind(value);
    }
    sql.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_number_go_in_few_statements() {
        for (rows, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (16, vec![16]),
            (31, vec![16, 15]),
            (128, vec![128]),
            (500, vec![384, 112, 4]),
            (512, vec![512]),
        ] {
            let all: Vec<_> = (0..rows).collect();
            let (mut lengths, mut left) = (Vec::new(), all.clone());
            let mut parts = Vec::new();
            while !left.is_empty() {
                let (head, rest) = split(left);
                lengths.push(head.len());
                parts.extend(head);
                left = rest;
            }
            assert_eq!(lengths, expected);
            assert_eq!(parts, all);
        }
    }

    #[test]
    fn few_lengths_are_prepared() {
        let lengths: std::collections::BTreeSet<_> = (1..=512).map(length).collect();
        assert_eq!(lengths.len(), 26);
    }

    #[test]
    fn lists_are_filled_up() {
        for (length, marks) in [(1, "(?)"), (3, "(?, ?, ?, ?)")] {
            let mut sql = QueryBuilder::new("");
            push(&mut sql, 0..length);
            assert_eq!(sql.sql().as_str(), marks);
        }
    }
}
