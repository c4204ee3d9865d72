//! Rows that no line of the journal accounts for: one that someone inserted, or whose id or origin was changed.
//!
//! Every row of every table is counted. One that names an object which was never ingested is a difference, whatever the
//! range. Of the others, those of the range must be the rows that the lines were found to be; where they are not, they
//! are gone through in the order of their numbers, in which those of one object stand close together: a few objects
//! are kept, so that each is read about once. Those that are found to be right must be the ones that the lines were,
//! or an object was another one when its lines were looked at.

use std::io;
use std::sync::Arc;

use payment_core::PaymentKey;
use payment_core::object::WHOLE_OBJECT;
use payment_store::audit::{LOOKUP_IDS_MAX, LineTable, Origin, RowSpan, RowsOfObject};
use program::chain;

use super::content::{Account, Content, Contents};
use super::counts::TableCounts;
use super::difference::{Difference, DifferenceKind, Findings, Named, Unreadable};
use super::marks::Marks;
use super::origin;
use super::report::Report;
use super::scope::Belonging;
use super::setup::Audit;
use crate::progress;

/// Counts the rows of all tables, and holds those of the range against the lines, where all of those were seen.
pub async fn audit(audit: &Audit, report: &mut Report, is_whole: bool) -> io::Result<()> {
    for table in LineTable::ALL {
        if !count(audit, table, report).await? {
            continue;
        }
        let TableCounts {
            inside, matched, ..
        } = *report.counts().clone().of(table);
        if !is_whole {
            report.gap(format!(
                "rows of {} that no line accounts for: not all objects were looked at",
                table.name()
            ));
        } else if inside != matched {
            let right = search(audit, table, report).await?;
            let unread = report.counts().clone().of(table).unread;
            // Also where an object that was on its way was ingested since.
            if unread == 0 && right.is_some_and(|right| right != matched) {
                report.gap(format!(
                    "rows of {}, or the objects that they name, changed while they were looked at; run this again",
                    table.name()
                ));
            }
        }
    }
    Ok(())
}

/// Counts the rows; whether all could be counted.
async fn count(audit: &Audit, table: LineTable, report: &mut Report) -> io::Result<bool> {
    let ask = async |span: &mut RowSpan| audit.store.rows_of_objects(table, span).await;
    each_page(audit, table, table.name(), report, ask, async |objects| {
        let mut findings = Findings::default();
        for RowsOfObject {
            key,
            is_in_ledger,
            rows,
        } in objects
        {
            let number = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            let counts = findings.counts.of(table);
            if !is_in_ledger {
                match never_ingested(audit, table, rows).await {
                    Ok(differences) => findings.differences.extend(differences),
                    Err(_) => counts.unread += number,
                }
                continue;
            }
            match audit.scope.belonging(key) {
                Belonging::Inside => {
                    counts.rows += number;
                    for row in rows {
                        counts.inside += audit.scope.mark(table, *row);
                    }
                }
                Belonging::OutsideRange => counts.outside += number,
                Belonging::OutsidePrefix => counts.elsewhere += number,
            }
        }
        findings
    })
    .await
}

/// Names rows, next to each other, whose object the ledger does not know.
async fn never_ingested(
    audit: &Audit,
    table: LineTable,
    rows: &[u64],
) -> Result<Vec<Difference>, payment_store::Error> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let mut span = RowSpan::between(*first, *last);
    let origins = audit.store.origins(table, &mut span).await?;
    let origins = origins.iter().filter(|origin| !origin.is_in_ledger);
    let why = "its object was never ingested";
    Ok(origins
        .map(|origin| without_record(table, origin, why))
        .collect())
}

/// The rows that their lines account for; `None` where not all could be searched.
async fn search(audit: &Audit, table: LineTable, report: &mut Report) -> io::Result<Option<Marks>> {
    let mut contents = Contents::new(&audit.log, &audit.store);
    let mut right = Marks::default();
    let ask = async |span: &mut RowSpan| audit.store.origins(table, span).await;
    let is_whole = each_page(audit, table, "rows searched", report, ask, async |page| {
        let mut findings = Findings::default();
        let of_range = page.iter().filter(|origin| {
            origin.is_in_ledger && audit.scope.belonging(&origin.key) == Belonging::Inside
        });
        let mut payments = Vec::new();
        for origin in of_range {
            if is_of_a_key_too_long(audit, table, origin) {
                right += audit.scope.mark(table, origin.id);
                continue;
            }
            let Some(content) = contents.of(&origin.key).await else {
                findings.counts.of(table).unread += 1;
                continue;
            };
            match content.accounts_for(table, origin) {
                Account::None => findings.differences.push(without_record(table, origin, "")),
                _ if table == LineTable::Transactions => payments.push((origin, content)),
                _ => right += audit.scope.mark(table, origin.id),
            }
        }
        for chunk in payments.chunks(LOOKUP_IDS_MAX) {
            if let Ok((marks, differences)) = look_again(audit, chunk).await {
                right += marks;
                findings.differences.extend(differences);
            } else {
                let unread = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                findings.counts.transactions.unread += unread;
            }
        }
        findings
    })
    .await?;
    Ok(is_whole.then_some(right))
}

/// Looks at payments' rows with all their columns. Those at their lines are marked, whatever they say.
async fn look_again(
    audit: &Audit,
    origins: &[(&Origin, Arc<Content>)],
) -> Result<(Marks, Vec<Difference>), Unreadable> {
    let payments = origins.iter().filter_map(|(origin, _)| origin.payment());
    let payments: Vec<PaymentKey> = payments.collect();
    let rows = audit
        .store
        .rows_of(&payments.iter().collect::<Vec<_>>())
        .await?;
    let rows = rows.by_payment();
    let (mut right, mut differences) = (Marks::default(), Vec::new());
    let mut differing = Vec::new();
    for (origin, content) in origins {
        let row = origin.payment().and_then(|payment| rows.get(&payment));
        // A key that is unique now may have been none for a while.
        let Some(row) = row.filter(|row| row.id == origin.id) else {
            let why = "its line has another row";
            differences.push(without_record(LineTable::Transactions, origin, why));
            continue;
        };
        if content.accounts_for(LineTable::Transactions, origin) == Account::Right {
            right += audit.scope.mark(LineTable::Transactions, row.id);
        }
        if !content.is_line_of(row) {
            differing.push(row);
        }
    }
    let held = origin::hold(&audit.log, &audit.store, differing.into_iter()).await?;
    differences.extend(held);
    Ok((right, differences))
}

/// Goes through the rows that were there at the start; whether it came to their end.
async fn each_page<T>(
    audit: &Audit,
    table: LineTable,
    what: &'static str,
    report: &mut Report,
    ask: impl AsyncFn(&mut RowSpan) -> Result<Vec<T>, payment_store::Error>,
    mut look: impl AsyncFnMut(&[T]) -> Findings,
) -> io::Result<bool> {
    let bar = progress::bar(what, audit.scope.last_row(table));
    let mut span = audit.scope.rows(table);
    while let Some(from) = span.next() {
        match ask(&mut span).await {
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
    let kind = DifferenceKind::RowWithoutRecord;
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
