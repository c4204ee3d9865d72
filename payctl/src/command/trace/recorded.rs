//! The hops of a payment that has a row, and what the log says of the row.
//!
//! A person may have changed the row: what can't be read of it is left out, and named by the comparison.

use std::fmt::Write as _;

use payment_core::{Amount, Currency, ObjectKey};
use payment_store::Store;
use payment_store::audit::{LISTED_MAX, Row, Rows};

use super::hops::Hops;
use super::origin::{self, Ledger, Origin, compare};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};

pub async fn show(log: &Journal, store: &Store, row: &Row<'_>) -> Result<Outcome, Failure> {
    output::say(&about(row))?;
    let payment = row.key();
    let conflicts = match &payment {
        Some(payment) => store.conflicts_of(payment).await?,
        None => Rows::default(),
    };
    let mut outcome = against_log(log, store, row, &conflicts).await?;
    for conflict in conflicts.iter() {
        let (said, of_conflict) = origin::of_conflict(log, store, &conflict, row).await?;
        if of_conflict != Outcome::Clean {
            output::say(&format!("{}: {said}\n", other_content(&conflict)))?;
        }
        outcome = outcome.and(of_conflict);
    }
    if conflicts.len() >= LISTED_MAX {
        output::say("it may have more conflicts: payctl reconcile\n")?;
        outcome = outcome.and(Outcome::Unfinished);
    }
    Ok(outcome)
}

async fn against_log(
    log: &Journal,
    store: &Store,
    row: &Row<'_>,
    conflicts: &Rows,
) -> Result<Outcome, Failure> {
    let mut hops = Hops::default();
    let request = format!("request {}", safe(row.request_id.unwrap_or("unknown")));
    hops.add("accepted", row.received_at, request);
    let line = row.object_line;
    let of_row = format!("transactions, from line {line}");
    let Some(key) = ObjectKey::parse(row.object_key) else {
        hops.add("row", row.recorded_at, of_row);
        output::say(&hops.table())?;
        output::say("the log: the row names no object\n")?;
        return Ok(Outcome::Different);
    };
    let origin = origin::read(log, &key, line).await?;
    let ledger = Ledger::ask(store, &key, line, &origin).await?;
    if let Origin::Line { version, bytes, .. } = &origin {
        let key = safe(key.as_str());
        let place = format!("{key}, {bytes} bytes (S3 tells whole seconds)");
        hops.add("stored", Some(version.stored_at), place);
    }
    hops.add("row", row.recorded_at, of_row);
    if let Some(entry) = ledger.last() {
        let place = format!("ingested_objects, {} lines", entry.lines);
        hops.add("ingested", Some(entry.ingested_at), place);
    }
    for conflict in conflicts.iter() {
        hops.add("conflict", conflict.recorded_at, other_content(&conflict));
    }
    output::say(&hops.table())?;
    let (said, outcome) = compare(&origin, &ledger, row);
    output::say(&format!("the log: {said}\n"))?;
    Ok(outcome)
}

fn other_content(conflict: &Row<'_>) -> String {
    let (key, line) = (safe(conflict.object_key), conflict.object_line);
    format!("other content, {key} line {line}")
}

/// Without the payer's name and the members of the client's own.
fn about(row: &Row<'_>) -> String {
    let payment = match row.key() {
        Some(payment) => payment.to_string(),
        None => format!(
            "{} of client {}, which names no client",
            safe(row.payment_id),
            safe(row.client)
        ),
    };
    let mut text = format!("payment {payment}, {}", safe(row.status));
    if let Some(amount) = row.amount {
        let currency = row.currency.and_then(Currency::from_stored);
        let exact = currency.and_then(|currency| Amount::parse(amount, currency).ok());
        let amount = exact.map_or_else(|| amount.to_owned(), |amount| amount.to_string());
        // Writing to a String can't fail.
        let _ = write!(text, ", {amount}");
    }
    if let Some(currency) = row.currency {
        let _ = write!(text, " {}", safe(currency));
    }
    let hash = row.content_hash.map(|hash| hash.to_string());
    let _ = writeln!(text, "\nhash {}", hash.as_deref().unwrap_or("unreadable"));
    text
}
