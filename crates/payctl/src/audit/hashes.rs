//! Every row against its own hash: whether its columns are what was hashed when it was recorded.

use indicatif::ProgressBar;
use payment_store::Store;
use payment_store::audit::Table;
use tokio::task::JoinSet;

use super::difference::{Counts, Difference, Findings, Kind};
use super::rows::spans;
use super::{Audit, AuditError, Report};
use crate::progress;

/// Rows of one look.
const PAGE: u64 = 1000;

/// The payments, and the other content that came under their ids.
pub async fn audit(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    for table in [Table::Transactions, Table::Conflicts] {
        let last = audit.store.last_row(table).await?;
        let bar = progress::bar(table.name(), last);
        let mut tasks = JoinSet::new();
        for after in spans(last, PAGE) {
            while tasks.len() >= audit.jobs
                && let Some(done) = tasks.join_next().await
            {
                take(done??, report, &bar)?;
            }
            tasks.spawn(page(audit.store.clone(), table, after));
        }
        while let Some(done) = tasks.join_next().await {
            take(done??, report, &bar)?;
        }
        bar.finish_and_clear();
    }
    Ok(())
}

async fn page(store: Store, table: Table, after: u64) -> Result<Findings, AuditError> {
    let rows = store
        .rows_between(table, after, after.saturating_add(PAGE))
        .await?;
    let altered = rows.iter().filter(|row| !row.matches_own_hash());
    let differences = altered.map(|row| {
        let id = Some(row.payment_id.as_str());
        Difference::of_line(Kind::RowAltered, id, &row.object_key, row.object_line)
            .with(format!("in {}", table.name()))
    });
    Ok(Findings {
        differences: differences.collect(),
        counts: Counts {
            rows_hashed: Some(u64::try_from(rows.len()).unwrap_or(u64::MAX)),
            ..Counts::default()
        },
    })
}

fn take(findings: Findings, report: &mut Report, bar: &ProgressBar) -> Result<(), AuditError> {
    bar.inc(findings.counts.rows_hashed.unwrap_or(0));
    Ok(report.add(findings)?)
}
