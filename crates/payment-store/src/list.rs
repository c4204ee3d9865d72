//! Statements with lists of any length, in few texts.
//!
//! A statement whose text does not recur is prepared, used and closed. Closing is a packet without an answer, and
//! the driver leaves Nagle's algorithm on: what it sends next waits for the server's delayed acknowledgement,
//! some 40 ms on Linux. So the lengths of lists are powers of two, and each text is prepared once a connection.

use sqlx::{Encode, MySql, QueryBuilder, Type};

/// Texts that recur: ten lengths for each of five lists, and the look-ups of one row.
pub(crate) const STATEMENTS_CACHED: usize = 64;

/// The longest beginning of `rows` that has a length to be prepared for, and the rest.
pub(crate) fn split<T>(mut rows: Vec<T>) -> (Vec<T>, Vec<T>) {
    let rest = match rows.len().checked_ilog2() {
        Some(power) => rows.split_off(1 << power),
        None => Vec::new(),
    };
    (rows, rest)
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
    fn lengths_are_powers_of_two() {
        for (length, first) in [(0, 0), (1, 1), (2, 2), (3, 2), (500, 256), (512, 512)] {
            let rows: Vec<_> = (0..length).collect();
            let (head, rest) = split(rows.clone());
            assert_eq!(head.len(), first);
            assert_eq!([head, rest].concat(), rows);
        }
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
