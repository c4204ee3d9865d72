//! Decides what a payment is: new, a repeat, or another payment under a taken id.

mod many;

use std::sync::Arc;

use payment_core::record::TraceParent;
use payment_core::{ContentHash, LogRecord, Payment, PaymentKey, RequestId};
use payment_store::Holder;
use tokio::sync::OwnedSemaphorePermit;

pub use self::many::Many;
use crate::committer::{Committer, NotQueued, Pending};
use crate::recent::{Claim, Recent};
use crate::ticket::{Failure, Receipt, Ticket};

/// Accepts payments: each id once, and its repeats with the first one's outcome.
#[derive(Debug)]
pub struct Intake {
    committer: Arc<Committer>,
    recent: Recent,
}

/// A payment that a request brought.
#[derive(Debug)]
pub struct Submission {
    pub payment: Payment,
    /// What the client is told if this request is the one that counts.
    pub receipt: Receipt,
    pub traceparent: Option<TraceParent>,
}

/// A payment that is durable, and whether this request is what made it so.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    pub receipt: Receipt,
    /// Hash of the payment's record, by which the client can prove it.
    pub content_hash: ContentHash,
    pub replayed: bool,
}

/// Why a payment was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    #[error("the id belongs to a payment with other content")]
    Conflict,
    #[error("S3 did not confirm the payment")]
    Unconfirmed,
    #[error("the queue is full")]
    QueueFull,
    #[error("S3 is away; the payment was not sent to it")]
    StorageAway,
}

impl Intake {
    pub fn new(committer: Arc<Committer>) -> Self {
        Self {
            committer,
            recent: Recent::new(),
        }
    }

    /// Returns once the payment is durable, or it is known that it cannot be accepted.
    /// A caller that is dropped meanwhile changes nothing: the record stays in the queue.
    pub async fn accept(&self, submission: Submission) -> Result<Accepted, NotAccepted> {
        let hash = submission.payment.content_hash();
        loop {
            let known = match self.recent.claim(submission.payment.key(), hash) {
                Claim::New(ticket) => return self.commit(submission, ticket).await,
                // What this node took before may be a row by now, and not this node's.
                Claim::Known(ticket) if ticket.settled().is_some() => {
                    self.as_recorded(&submission, ticket).await
                }
                Claim::Known(ticket) => ticket,
            };
            if let Some(told) = self.tell(&known, hash).await {
                return told;
            }
        }
    }

    /// What becomes of a payment with this content whose id is another request's. `None` if that one had other content and
    /// never became a payment: the id is free.
    async fn tell(
        &self,
        known: &Ticket,
        content_hash: ContentHash,
    ) -> Option<Result<Accepted, NotAccepted>> {
        let is_same = known.content_hash() == content_hash;
        match (known.outcome().await, is_same) {
            (Ok(receipt), true) => {
                self.committer.payments().replayed();
                Some(Ok(Accepted {
                    receipt,
                    content_hash,
                    replayed: true,
                }))
            }
            (Ok(_), false) => Some(Err(NotAccepted::Conflict)),
            (Err(failure), true) => Some(Err(failure.into())),
            (Err(_), false) => None,
        }
    }

    /// What every node says of the payment, once it is a row: two nodes may have taken different content for it, and the
    /// row is of one of them (promise P4). Where the database is away, what this node took still counts.
    async fn as_recorded(&self, submission: &Submission, ticket: Arc<Ticket>) -> Arc<Ticket> {
        let payment = submission.payment.key();
        if ticket.is_row() {
            return ticket;
        }
        let rows = self.committer.rows_of(std::slice::from_ref(payment)).await;
        match rows.get(payment) {
            Some(row) => self.correct(payment, &ticket, row, &submission.receipt.request_id),
            None => ticket,
        }
    }

    fn correct(
        &self,
        payment: &PaymentKey,
        ticket: &Arc<Ticket>,
        row: &Holder,
        asking: &RequestId,
    ) -> Arc<Ticket> {
        let row = Ticket::of_row(row, asking);
        self.recent.correct(payment, ticket, &row);
        row
    }

    /// What this node knows of a payment by itself.
    pub fn receipt(&self, payment: &PaymentKey) -> Option<Receipt> {
        self.recent.find(payment)?.settled()?.clone().ok()
    }

    async fn commit(
        &self,
        submission: Submission,
        ticket: Arc<Ticket>,
    ) -> Result<Accepted, NotAccepted> {
        let (pending, queued) = self.prepare(submission, ticket, None);
        self.queue(pending, &queued)?;
        queued.accepted().await
    }

    fn prepare(
        &self,
        submission: Submission,
        ticket: Arc<Ticket>,
        place: Option<OwnedSemaphorePermit>,
    ) -> (Pending, Queued) {
        let Submission {
            payment,
            receipt: own,
            traceparent,
        } = submission;
        let record = LogRecord {
            payment,
            content_hash: ticket.content_hash(),
            received_at: own.received_at,
            request_id: Some(own.request_id.clone()),
            traceparent,
        };
        let receipt = own.clone();
        let pending = self
            .committer
            .prepare(&record, receipt, Arc::clone(&ticket), place);
        (pending, Queued { ticket, own })
    }

    fn queue(&self, pending: Pending, queued: &Queued) -> Result<(), NotAccepted> {
        self.committer.queue(pending).map_err(|(reason, payment)| {
            self.recent.release(&payment, &queued.ticket);
            reason.into()
        })
    }
}

/// A payment whose record waits for its PUT.
#[derive(Debug)]
struct Queued {
    ticket: Arc<Ticket>,
    own: Receipt,
}

impl Queued {
    async fn accepted(&self) -> Result<Accepted, NotAccepted> {
        let receipt = self.ticket.outcome().await?;
        // Another request's receipt comes if the id was already claimed in S3.
        Ok(Accepted {
            replayed: receipt != self.own,
            receipt,
            content_hash: self.ticket.content_hash(),
        })
    }
}

impl From<Failure> for NotAccepted {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unconfirmed => Self::Unconfirmed,
            Failure::Conflict => Self::Conflict,
        }
    }
}

impl From<NotQueued> for NotAccepted {
    fn from(reason: NotQueued) -> Self {
        match reason {
            NotQueued::QueueFull => Self::QueueFull,
            NotQueued::StorageAway => Self::StorageAway,
        }
    }
}
