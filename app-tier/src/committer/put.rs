//! One PUT, and what its answer means for the payments in it, and for the chain.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use payment_core::chain::{ObjectHash, Sealed};
use payment_core::{LogRecord, ObjectKey};
use payment_store::Holder;
use tokio::sync::OwnedSemaphorePermit;

use super::Pending;
use super::chain::{Chain, InChain};
use crate::breaker::Attempt;
use crate::journal::{Journal, Put};
use crate::records::{Holders, Records};
use crate::ticket::{Failure, Outcome, Receipt};

/// How long after S3's answer the database may still say which ids it has. It is asked during the PUT, so a
/// healthy one has long answered; another keeps nobody waiting.
const LOOK_UP_GRACE: Duration = Duration::from_millis(50);

/// A batch, or a header alone, that is to be put.
#[derive(Debug)]
pub(super) struct Object {
    key: ObjectKey,
    body: Bytes,
    in_chain: Option<InChain>,
}

impl Object {
    /// The payments, behind the header of the chain's next object if there is a chain.
    pub fn new(key: ObjectKey, sealed: Option<(&Chain, Sealed)>, batch: &[Pending]) -> Self {
        let header = sealed.as_ref().map(|(_, sealed)| sealed.header().to_line());
        let header = header.unwrap_or_default();
        let lines = batch.iter().map(|pending| pending.line.len());
        let mut body = Vec::with_capacity(header.len() + lines.sum::<usize>());
        body.extend_from_slice(header.as_bytes());
        for pending in batch {
            body.extend_from_slice(pending.line.as_bytes());
        }
        let unique = key.own_batch().map(|(unique, _)| unique);
        let in_chain = sealed
            .zip(unique)
            .map(|((chain, sealed), unique)| chain.written(sealed, unique, ObjectHash::of(&body)));
        Self {
            key,
            body: body.into(),
            in_chain,
        }
    }

    /// Sees the PUT through; whether S3 confirmed it. An object that is already there is this one, from a try whose
    /// answer was lost: its key is used once.
    pub async fn put(self, journal: &impl Journal, records: usize, attempt: Attempt) -> bool {
        let Self {
            key,
            body,
            in_chain,
        } = self;
        let put = attempt.run(&key, records, journal.put(&key, body)).await;
        if put.is_ok()
            && let Some(in_chain) = in_chain
        {
            in_chain.confirm();
        }
        put.is_ok()
    }
}

/// A batch, and what is said of its payments.
pub(super) async fn batch<J: Journal>(
    journal: Arc<J>,
    records: Arc<dyn Records>,
    object: Object,
    batch: Vec<Pending>,
    slot: OwnedSemaphorePermit,
    attempt: Attempt,
) {
    let payments: Vec<_> = batch
        .iter()
        .map(|pending| pending.payment.clone())
        .collect();
    let look_up = tokio::spawn(async move { records.holders(&payments).await });
    let is_stored = object.put(&journal, batch.len(), attempt).await;
    drop(slot);
    if !is_stored {
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
pub(super) async fn single<J: Journal>(
    journal: Arc<J>,
    key: ObjectKey,
    mut single: Pending,
    slot: OwnedSemaphorePermit,
    attempt: Attempt,
) {
    let body = Bytes::from(std::mem::take(&mut single.line));
    let put = attempt.run(&key, 1, journal.put(&key, body)).await;
    drop(slot);
    match put {
        Ok(Put::Stored) => single.confirm(),
        Ok(Put::AlreadyThere) => match journal.get(&key).await {
            Ok(stored) => {
                let outcome = compare_object(&single, &stored);
                single.settle(outcome);
            }
            Err(error) => error.log(&key, 1),
        },
        Err(_) => {}
    }
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
