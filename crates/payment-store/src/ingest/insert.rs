//! The one loop that inserts: many rows per statement, and single ones only if one of them fails.

use crate::backend::Session;
use crate::driver::{DriverError, ErrorKind};
use crate::error::Error;
use crate::list;

/// Rows of one statement. More bring little, and hold up others for longer.
const STATEMENT_ROWS_MAX: usize = 512;

/// Bytes of one statement: well under the `max_allowed_packet` of any server, 16 MiB at the least.
pub(super) const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// Values of one prepared statement: a limit of the protocol.
const STATEMENT_VALUES_MAX: usize = 65_535;

/// Columns of the widest table's INSERT.
const COLUMNS_MAX: usize = 14;

const _: () = assert!(STATEMENT_ROWS_MAX * COLUMNS_MAX <= STATEMENT_VALUES_MAX);

/// A table, and what becomes of a row that it takes, has, or refuses.
pub(super) trait Table {
    type Row: Copy;

    const NAME: &'static str;

    /// About what a row takes in a statement.
    fn bytes(&self, row: Self::Row) -> usize;

    /// One statement with the rows in the given order; how many the server stored.
    async fn insert(
        &self,
        session: &mut impl Session,
        rows: &[Self::Row],
    ) -> Result<u64, DriverError>;

    fn stored(&mut self, rows: &[Self::Row]);

    /// A unique key of some of the rows is taken: settles those, and gives back the rest in the same order.
    async fn taken(
        &mut self,
        session: &mut impl Session,
        rows: &[Self::Row],
    ) -> Result<Vec<Self::Row>, Error>;

    /// The server does not take the row's data: settles it, and gives back what is to be tried in its place.
    fn refused(&mut self, row: Self::Row, error: DriverError) -> Result<Option<Self::Row>, Error>;
}

/// Inserts the rows, in their order, within the session's transaction. A statement that fails for one row
/// leaves nothing behind, and the transaction stays open.
pub(super) async fn all<T: Table>(
    session: &mut impl Session,
    table: &mut T,
    rows: &[T::Row],
) -> Result<(), Error> {
    let mut waiting = chunks(rows, |row| table.bytes(row));
    waiting.reverse();
    // Each pass stores a chunk, makes one smaller, or cuts one in two: it ends.
    while let Some(chunk) = waiting.pop() {
        let (chunk, rest) = list::split(chunk);
        if chunk.is_empty() {
            continue;
        }
        waiting.push(rest);
        match table.insert(session, &chunk).await {
            Ok(stored) => {
                all_stored(T::NAME, chunk.len(), stored)?;
                table.stored(&chunk);
            }
            Err(error) if error.kind() == ErrorKind::KeyTaken => {
                let rest = table.taken(session, &chunk).await?;
                if rest.len() == chunk.len() {
                    return Err(Error::Vanished { table: T::NAME });
                }
                waiting.push(rest);
            }
            Err(error) if error.kind() == ErrorKind::DataRefused => {
                match chunk.split_at(chunk.len() / 2) {
                    ([], [row]) => {
                        waiting.extend(table.refused(*row, error)?.map(|next| vec![next]));
                    }
                    (first, second) => waiting.extend([second.to_vec(), first.to_vec()]),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

pub(super) fn all_stored(table: &'static str, sent: usize, stored: u64) -> Result<(), Error> {
    if usize::try_from(stored) == Ok(sent) {
        Ok(())
    } else {
        Err(Error::RowCount {
            table,
            sent,
            stored,
        })
    }
}

/// Cuts the rows, in their order, into what one statement may hold. A row is never larger than a statement.
fn chunks<R: Copy>(rows: &[R], bytes: impl Fn(R) -> usize) -> Vec<Vec<R>> {
    let mut chunks: Vec<Vec<R>> = Vec::new();
    let mut room = 0_usize;
    for row in rows {
        let size = bytes(*row);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < STATEMENT_ROWS_MAX && size <= room => {
                chunk.push(*row);
                room -= size;
            }
            _ => {
                chunks.push(vec![*row]);
                room = STATEMENT_BYTES_MAX.saturating_sub(size);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_statement_holds_512_rows_or_1_mib() {
        let sizes = |rows: &[usize]| chunks(rows, |r| r).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&[1; 1201]), [512, 512, 177]);
        assert_eq!(sizes(&[STATEMENT_BYTES_MAX / 2; 5]), [2, 2, 1]);
        assert_eq!(sizes(&[STATEMENT_BYTES_MAX, 1]), [1, 1]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn chunks_keep_every_row_in_order_and_within_bounds(rows in prop::collection::vec(1..STATEMENT_BYTES_MAX, 0..2000)) {
            let chunks = chunks(&rows, |r| r);
            prop_assert_eq!(chunks.concat(), rows);
            for chunk in chunks {
                prop_assert!(!chunk.is_empty() && chunk.len() <= STATEMENT_ROWS_MAX);
                prop_assert!(chunk.iter().sum::<usize>() <= STATEMENT_BYTES_MAX);
            }
        }
    }
}
