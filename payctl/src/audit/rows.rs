//! Rows that no line of the journal accounts for: one that someone inserted, or whose id or origin was changed.
//!
//! Every row of every table is counted. One that names an object which was never ingested is a difference, whatever the
//! range. Of the others, those of the range must be the rows that the lines were found to be; where they are not, they
//! are gone through in the order of their numbers, in which those of one object stand close together: a few objects
//! are kept, so that each is read about once.

use std::io;

use payment_core::PaymentKey;
use payment_core::object::WHOLE_OBJECT;
use payment_store::audit::{LOOKUP_IDS_MAX, LineTable, Origin};
use program::chain;

use super::content::{Account, Contents};
use super::difference::{Difference, Findings, Kind, Named, Unreadable};
use super::marks::Marks;
use super::origin;
use super::report::Report;
use super::scope::Belonging;
use super::setup::Audit;
use crate::progress;

/// Counts the rows of all tables, and holds those of the range against the lines, where all of those were seen.
pub async fn audit(audit: &Audit, report: &mut Report, is_whole: bool) -> io::Result<()> {
    for table in LineTable::ALL {
        let Some(inside) = count(audit, table, report).await? else {
            continue;
        };
        // An object that was on its way may have been ingested since; that, too, is then found in order.
        let matched = report.counts().clone().of(table).matched;
        if !is_whole {
            report.gap(format!(
                "rows of {} that no line accounts for: not all objects were looked at",
                table.name()
            ));
        } else if inside != matched {
            search(audit, table, report).await?;
        }
    }
    Ok(())
}

/// The rows that name an object of the range; `None` where not all could be counted.
async fn count(audit: &Audit, table: LineTable, report: &mut Report) -> io::Result<Option<Marks>> {
    let mut inside = Marks::default();
    let is_whole = each_page(audit, table, table.name(), report, async |page| {
        let mut findings = Findings::default();
        let counts = findings.counts.of(table);
        for origin in page {
            if !origin.is_in_ledger {
                let never = without_record(table, origin, "its object was never ingested");
                findings.differences.push(never);
                continue;
            }
            match audit.scope.belonging(&origin.key) {
                Belonging::Inside => {
                    inside += audit.scope.mark(table, origin.id);
                    counts.rows += 1;
                }
                Belonging::OutsideRange => counts.outside += 1,
                Belonging::OutsidePrefix => counts.elsewhere += 1,
            }
        }
        findings
    })
    .await?;
    Ok(is_whole.then_some(inside))
}

async fn search(audit: &Audit, table: LineTable, report: &mut Report) -> io::Result<()> {
    let mut contents = Contents::new(&audit.log, &audit.store);
    each_page(audit, table, "rows searched", report, async |page| {
        let mut findings = Findings::default();
        let of_range = page.iter().filter(|origin| {
            origin.is_in_ledger
                && audit.scope.belonging(&origin.key) == Belonging::Inside
                && !is_of_a_key_too_long(audit, table, origin)
        });
        let (mut right, mut moved) = (Vec::new(), Vec::new());
        for origin in of_range {
            let content = contents.of(&origin.key).await;
            match content.map(|content| content.accounts_for(table, origin)) {
                Some(Account::Right) => right.push(origin),
                Some(Account::Moved) => moved.push(origin),
                Some(Account::None) => {
                    findings.differences.push(without_record(table, origin, ""));
                }
                None => findings.counts.of(table).unread += 1,
            }
        }
        if table == LineTable::Transactions {
            look_again(audit, &right, false, &mut findings).await;
            look_again(audit, &moved, true, &mut findings).await;
        }
        findings
    })
    .await?;
    Ok(())
}

/// Looks at payments' rows with all their columns; those that can't be asked for are unread.
async fn look_again(audit: &Audit, origins: &[&Origin], are_moved: bool, findings: &mut Findings) {
    for origins in origins.chunks(LOOKUP_IDS_MAX) {
        if let Ok(differences) = differing(audit, origins, are_moved).await {
            findings.differences.extend(differences);
        } else {
            let unread = u64::try_from(origins.len()).unwrap_or(u64::MAX);
            findings.counts.transactions.unread += unread;
        }
    }
}

async fn differing(
    audit: &Audit,
    origins: &[&Origin],
    are_moved: bool,
) -> Result<Vec<Difference>, Unreadable> {
    let payments: Vec<PaymentKey> = origins
        .iter()
        .filter_map(|origin| origin.payment())
        .collect();
    let payments: Vec<_> = payments.iter().collect();
    let rows = audit.store.rows_of(&payments).await?;
    if are_moved {
        return origin::hold(&audit.log, &audit.store, rows.iter()).await;
    }
    // A key that is unique now may have been none for a while.
    let is_doubled = |origin: &&&Origin| {
        let row = origin.payment().and_then(|payment| rows.get(&payment));
        row.is_none_or(|row| row.id != origin.id)
    };
    let doubled = origins.iter().filter(is_doubled);
    let why = "its line has another row";
    Ok(doubled
        .map(|origin| without_record(LineTable::Transactions, origin, why))
        .collect())
}

/// Goes through the rows that were there at the start; whether it came to their end.
async fn each_page(
    audit: &Audit,
    table: LineTable,
    what: &'static str,
    report: &mut Report,
    mut look: impl AsyncFnMut(&[Origin]) -> Findings,
) -> io::Result<bool> {
    let bar = progress::bar(what, audit.scope.last_row(table));
    let mut span = audit.scope.rows(table);
    while let Some(from) = span.next() {
        match audit.store.origins(table, &mut span).await {
            Ok(page) => report.add(look(&page).await)?,
            Err(error) => {
                let name = table.name();
                report.gap(format!(
                    "the rows of {name} from number {from} on: {}",
                    chain(&error)
                ));
                return Ok(false);
            }
        }
        bar.set_position(span.next().unwrap_or_default());
    }
    bar.finish_and_clear();
    Ok(true)
}

/// Whether it is the one reject of an object whose key is too long: it was held against that object.
fn is_of_a_key_too_long(audit: &Audit, table: LineTable, origin: &Origin) -> bool {
    table == LineTable::Rejects
        && origin.line == WHOLE_OBJECT
        && audit.scope.is_shortened(&origin.key)
}

fn without_record(table: LineTable, origin: &Origin, why: &str) -> Difference {
    let payment = Named::by_origin(origin);
    let kind = Kind::RowWithoutRecord;
    let difference = Difference::of_line(kind, payment, &origin.key, origin.line);
    let table = match table {
        LineTable::Transactions => "",
        LineTable::Conflicts => "in conflicts",
        LineTable::Rejects => "in rejects",
    };
    let detail: Vec<_> = [table, why]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if detail.is_empty() {
        difference
    } else {
        difference.with(detail.join("; "))
    }
}
