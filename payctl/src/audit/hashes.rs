//! Every row against its own hash: whether its columns are what was hashed when it was recorded.

use payment_store::audit::{LineTable, Row, Table};
use program::chain;
use tokio::task::JoinSet;

use super::counts::Counts;
use super::difference::{Difference, Findings, Kind};
use super::{Audit, AuditError, Report};
use crate::progress;

/// The payments, and the other content that came under their ids.
pub async fn audit(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    for (table, lines) in [
        (Table::Transactions, LineTable::Transactions),
        (Table::Conflicts, LineTable::Conflicts),
    ] {
        let last = audit.scope.last_row(lines);
        let bar = progress::bar(table.name(), last);
        let mut tasks = JoinSet::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let page = match audit.store.rows_page(table, from, last).await {
                Ok(page) => page,
                Err(error) => {
                    report.gap(format!(
                        "the rest of the hashes of {}: {}",
                        table.name(),
                        chain(&error)
                    ));
                    break;
                }
            };
            let Some(end) = page.last() else { break };
            next = end.id.checked_add(1);
            bar.set_position(end.id);
            while tasks.len() >= audit.jobs
                && let Some(done) = tasks.join_next().await
            {
                report.add(done?)?;
            }
            tasks.spawn_blocking(move || hashed(table, &page));
        }
        while let Some(done) = tasks.join_next().await {
            report.add(done?)?;
        }
        bar.finish_and_clear();
    }
    Ok(())
}

fn hashed(table: Table, rows: &[Row]) -> Findings {
    let altered = rows.iter().filter(|row| !row.matches_own_hash());
    let differences = altered.map(|row| {
        let id = Some(row.payment_id.as_str());
        Difference::of_line(Kind::RowAltered, id, &row.object_key, row.object_line)
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
