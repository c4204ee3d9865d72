//! One PUT, and what its answer means for the payments in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use payment_core::{LogRecord, ObjectKey};
use payment_store::Holder;
use tokio::sync::OwnedSemaphorePermit;

use super::Pending;
use crate::breaker::Attempt;
use crate::log::{Log, Put};
use crate::records::{Holders, Records};
use crate::ticket::{Failure, Outcome, Receipt};

/// How long after S3's answer the database may still say which ids it has. It is asked during the PUT, so a
/// healthy one has long answered; another keeps nobody waiting.
const LOOK_UP_GRACE: Duration = Duration::from_millis(50);

/// A batch's key is used once, so an object that is already there is this batch, from a try whose answer was lost.
pub(super) async fn batch<L: Log>(
    log: Arc<L>,
    records: Arc<dyn Records>,
    key: ObjectKey,
    batch: Vec<Pending>,
    slot: OwnedSemaphorePermit,
    attempt: Attempt,
) {
    let payments: Vec<_> = batch
        .iter()
        .map(|pending| pending.payment.clone())
        .collect();
    let look_up = tokio::spawn(async move { records.holders(&payments).await });
    let put = log.put(&key, body_of(&batch));
    let put = attempt.run(&key, batch.len(), put).await;
    drop(slot);
    if put.is_err() {
        return;
    }
    let holders = match tokio::time::timeout(LOOK_UP_GRACE, look_up).await {
        Ok(Ok(holders)) => holders,
        _ => Holders::default(),
    };
    for pending in batch {
        match holders.get(&pending.payment) {
            None => pending.confirm(),
            Some(holder) => {
                let outcome = compare_row(&pending, holder);
                pending.settle(outcome);
            }
        }
    }
}

/// If the key is taken, the object under it tells a repeat from a conflict.
pub(super) async fn single<L: Log>(
    log: Arc<L>,
    key: ObjectKey,
    mut single: Pending,
    slot: OwnedSemaphorePermit,
    attempt: Attempt,
) {
    let body = Bytes::from(std::mem::take(&mut single.line));
    let put = attempt.run(&key, 1, log.put(&key, body)).await;
    drop(slot);
    match put {
        Ok(Put::Stored) => single.confirm(),
        Ok(Put::AlreadyThere) => match log.get(&key).await {
            Ok(stored) => {
                let outcome = compare_object(&single, &stored);
                single.settle(outcome);
            }
            Err(error) => error.log(&key, 1),
        },
        Err(_) => {}
    }
}

fn body_of(batch: &[Pending]) -> Bytes {
    let size = batch.iter().map(|pending| pending.line.len()).sum();
    let mut body = Vec::with_capacity(size);
    for pending in batch {
        body.extend_from_slice(pending.line.as_bytes());
    }
    body.into()
}

/// The id has a row. It may be this very payment's, if the function was quick.
fn compare_row(pending: &Pending, holder: &Holder) -> Outcome {
    if holder.content_hash != pending.ticket.content_hash() {
        return Err(Failure::Conflict);
    }
    Ok(Receipt::of_row(holder, &pending.receipt.request_id))
}

fn compare_object(single: &Pending, stored: &[u8]) -> Outcome {
    let own = &single.receipt;
    let stored = LogRecord::parse(stored, own.received_at).map_err(|_| Failure::Conflict)?;
    let holder = Holder {
        content_hash: stored.content_hash,
        received_at: stored.received_at,
        request_id: stored.request_id,
    };
    compare_row(single, &holder)
}
