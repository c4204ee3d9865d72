//! Every row against its own hash: whether its columns are what was hashed when it was recorded.
//!
//! A row that is its line's, column by column and with the same hash, is: the line was held against its hash. So a table
//! that holds such rows alone is not read again.

use std::io;

use payment_store::audit::{LineTable, Rows, Table};
use program::chain;
use tokio::task::JoinSet;

use super::counts::Counts;
use super::difference::{Difference, DifferenceKind, Findings};
use super::report::Report;
use super::setup::Audit;
use crate::progress;

/// The payments, and the other content that came under their ids.
pub async fn audit(audit: &Audit, report: &mut Report) -> io::Result<()> {
    for (table, lines) in [
        (Table::Transactions, LineTable::Transactions),
        (Table::Conflicts, LineTable::Conflicts),
    ] {
        let counts = *report.counts().clone().of(lines);
        if report.is_clean() && counts.are_all_matched() {
            report.add(Findings {
                counts: Counts {
                    rows_hashed: Some(counts.matched.count),
                    ..Counts::default()
                },
                ..Findings::default()
            })?;
            continue;
        }
        let bar = progress::bar(table.name(), audit.scope.last_row(lines));
        let mut tasks = JoinSet::new();
        let mut span = audit.scope.rows(lines);
        while let Some(from) = span.next() {
            let page = match audit.store.rows_page(table, &mut span).await {
                Ok(page) => page,
                Err(error) => {
                    let name = table.name();
                    report.gap(format!(
                        "the hashes of {name} from number {from} on: {}",
                        chain(&error)
                    ));
                    break;
                }
            };
            bar.set_position(span.next().unwrap_or_default());
            while tasks.len() >= audit.jobs
                && let Some(done) = tasks.join_next().await
            {
                report.add_done(done)?;
            }
            tasks.spawn_blocking(move || hashed(table, &page));
        }
        while let Some(done) = tasks.join_next().await {
            report.add_done(done)?;
        }
        bar.finish_and_clear();
    }
    Ok(())
}

fn hashed(table: Table, rows: &Rows) -> Findings {
    let altered = rows.iter().filter(|row| !row.matches_own_hash());
    let differences = altered.map(|row| {
        let payment = Some((&row).into());
        Difference::of_line(
            DifferenceKind::RowAltered,
            payment,
            row.object_key,
            row.object_line,
        )
        .with(format!("in {}", table.name()))
    });
    Findings {
        differences: differences.collect(),
        counts: Counts {
            rows_hashed: Some(u64::try_from(rows.len()).unwrap_or(u64::MAX)),
            ..Counts::default()
        },
        ..Findings::default()
    }
}
