//! What becomes of one payment, for all who wait for it: the request that brought it and its repeats.

use std::sync::Arc;

use payment_core::{ContentHash, RequestId, Timestamp};
use payment_store::Holder;
use tokio::sync::SetOnce;

/// A payment that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub received_at: Timestamp,
    pub request_id: RequestId,
}

impl Receipt {
    /// What the row says. Older systems wrote no request id: then it is that of the request that asks.
    pub fn of_row(row: &Holder, asking: &RequestId) -> Self {
        Self {
            received_at: row.received_at,
            request_id: row.request_id.as_ref().unwrap_or(asking).clone(),
        }
    }
}

/// A payment that nobody was told is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// S3 did not confirm. It may hold the payment all the same, so the client repeats it under the same id.
    Unconfirmed,
    /// The id was already claimed in S3 by other content.
    Conflict,
}

/// What became of a ticket's payment.
pub type Outcome = Result<Receipt, Failure>;

/// A payment's place in the memory of the node: its content and, once known, its outcome.
#[derive(Debug)]
pub struct Ticket {
    content_hash: ContentHash,
    outcome: SetOnce<Outcome>,
    is_row: bool,
}

impl Ticket {
    pub fn new(content_hash: ContentHash) -> Arc<Self> {
        Arc::new(Self {
            content_hash,
            outcome: SetOnce::new(),
            is_row: false,
        })
    }

    /// The id has its row, which never changes.
    pub fn of_row(row: &Holder, asking: &RequestId) -> Arc<Self> {
        Arc::new(Self {
            content_hash: row.content_hash,
            outcome: SetOnce::new_with(Some(Ok(Receipt::of_row(row, asking)))),
            is_row: true,
        })
    }

    /// Whether this is what the row says, and so what every node says.
    pub fn is_row(&self) -> bool {
        self.is_row
    }

    pub fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// Waits for the outcome.
    pub async fn outcome(&self) -> Outcome {
        self.outcome.wait().await.clone()
    }

    /// The outcome, if it is known by now.
    pub fn settled(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// The first call counts.
    pub fn settle(&self, outcome: Outcome) {
        let _ = self.outcome.set(outcome);
    }
}
