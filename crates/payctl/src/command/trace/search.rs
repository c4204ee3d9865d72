//! A payment without a row, searched for in the log of the last hours.

use std::sync::Arc;

use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{ContentHash, ObjectKey, ObjectVersion, PaymentId, Timestamp};
use payment_store::Store;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use super::hops::Hops;
use crate::log::Log;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::range::Range;

/// Objects that are read at one time.
const JOBS: usize = 8;

/// A line with the payment's id.
struct Hit {
    version: ObjectVersion,
    line: u32,
    received_at: Timestamp,
    hash: ContentHash,
}

/// Says what is known of it. It has no row, so this never ends well.
pub async fn unrecorded(
    log: &Arc<Log>,
    store: &Store,
    id: &PaymentId,
    hours: u16,
) -> Result<Outcome, Failure> {
    let hits = search(log, id, hours).await?;
    output::say(&format!("payment {id} has no row\n"))?;
    if hits.is_empty() {
        output::say(&format!(
            "the log of the last {hours} hours does not hold it; --hours looks further back\n"
        ))?;
    }
    for hit in &hits {
        let key = safe(hit.version.key.as_str());
        let mut hops = Hops::default();
        hops.add("accepted", hit.received_at, format!("hash {}", hit.hash));
        hops.add(
            "stored",
            hit.version.stored_at,
            format!("{key} line {}", hit.line),
        );
        let what = match store.ledger_entry(&hit.version).await? {
            None => {
                "the object is not ingested; it is on its way, or its event was lost: payctl replay"
            }
            Some(entry) => {
                hops.add("ingested", entry.ingested_at, "ingested_objects".to_owned());
                if store.rejects_at(&entry, &[hit.line]).await?.is_empty() {
                    "the object is ingested and the row is missing: payctl reconcile"
                } else {
                    "the database refused the line; the table rejects says why"
                }
            }
        };
        output::say(&hops.table())?;
        output::say(&format!("{what}\n"))?;
    }
    Ok(Outcome::Different)
}

async fn search(log: &Arc<Log>, id: &PaymentId, hours: u16) -> Result<Vec<Hit>, Failure> {
    let now = Timestamp::new(OffsetDateTime::now_utc());
    let mut hits = Vec::new();
    let mut tasks = JoinSet::new();
    for segment in Range::last(hours, now).segments(&log.place.prefix) {
        let mut listing = log.list(segment.clone());
        while let Some(listed) = listing.next().await? {
            if !segment.is_due(listed.version.stored_at) {
                continue;
            }
            while tasks.len() >= JOBS
                && let Some(found) = tasks.join_next().await
            {
                hits.extend(found??);
            }
            tasks.spawn(lines_with(Arc::clone(log), listed.version.key, id.clone()));
        }
    }
    while let Some(found) = tasks.join_next().await {
        hits.extend(found??);
    }
    hits.sort_by_key(|hit: &Hit| (hit.received_at, hit.line));
    Ok(hits)
}

async fn lines_with(log: Arc<Log>, key: ObjectKey, id: PaymentId) -> Result<Vec<Hit>, ObjectError> {
    let object = match log.get(&key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // Ids need no escape in JSON, so most objects are left unparsed.
    if !String::from_utf8_lossy(&object.body).contains(id.as_str()) {
        return Ok(Vec::new());
    }
    let hit = |(line, record): (u32, Result<payment_core::LogRecord, _>)| {
        let record = record.ok().filter(|record| *record.payment.id() == id)?;
        Some(Hit {
            version: object.version.clone(),
            line,
            received_at: record.received_at,
            hash: record.content_hash,
        })
    };
    Ok(read_object(&key, &object.body, object.version.stored_at)
        .filter_map(hit)
        .collect())
}
