//! Many payments of one request: all are taken up before any is queued, so that they share a PUT.

use std::sync::Arc;

use payment_core::{ContentHash, PaymentKey, RequestId};

use super::{Accepted, Intake, NotAccepted, Queued, Submission};
use crate::committer::{BatchPlace, Pending};
use crate::recent::Claim;
use crate::ticket::Ticket;

/// Payments that are taken up together. Dropped before [`Many::queue`], they leave their ids free.
#[derive(Debug)]
pub struct Many<'a> {
    intake: &'a Intake,
    place: BatchPlace,
    /// Records to queue, each with its place in `entries`.
    new: Vec<(usize, Pending)>,
    entries: Vec<Entry>,
}

/// Where a payment stands.
#[derive(Debug)]
enum Entry {
    New(Queued),
    Known(Known),
    NotQueued(NotAccepted),
}

/// A payment whose id is another request's, or an earlier line's.
#[derive(Debug)]
struct Known {
    key: PaymentKey,
    content_hash: ContentHash,
    ticket: Arc<Ticket>,
    /// Whether it was settled before this request, so that it may be a row by now.
    is_old: bool,
}

impl Intake {
    /// Waits for room in the queue for payments of so many bytes: batches leave half of it to single payments.
    pub async fn many(&self, lines: impl ExactSizeIterator<Item = usize>) -> Many<'_> {
        let entries = Vec::with_capacity(lines.len());
        Many {
            intake: self,
            place: self.committer.batch_place(lines).await,
            new: Vec::with_capacity(entries.capacity()),
            entries,
        }
    }
}

impl Many<'_> {
    /// Takes a payment up that came in so many bytes; its outcome is asked for by the number that is returned.
    pub fn take_up(&mut self, submission: Submission, bytes: usize) -> usize {
        let number = self.entries.len();
        let content_hash = submission.payment.content_hash();
        let key = submission.payment.key();
        let entry = match self.intake.recent.claim(key, content_hash) {
            Claim::New(ticket) => {
                let place = self.place.part(bytes);
                let (pending, queued) = self.intake.prepare(submission, ticket, place);
                self.new.push((number, pending));
                Entry::New(queued)
            }
            Claim::Known(ticket) => Entry::Known(Known {
                key: key.clone(),
                content_hash,
                is_old: ticket.settled().is_some() && !ticket.is_row(),
                ticket,
            }),
        };
        self.entries.push(entry);
        number
    }

    /// Queues what is new, and asks once for the rows of what is not. `asking` is the request.
    pub async fn queue(&mut self, asking: &RequestId) {
        self.queue_new();
        // What is left of it is of repeats and refused payments.
        self.place = BatchPlace::default();
        self.correct_old(asking).await;
    }

    fn queue_new(&mut self) {
        let _burst = self.intake.committer.burst();
        for (number, pending) in self.new.drain(..) {
            let entry = &mut self.entries[number];
            if let Entry::New(queued) = entry
                && let Err(reason) = self.intake.queue(pending, queued)
            {
                *entry = Entry::NotQueued(reason);
            }
        }
    }

    /// What [`Intake::accept`] does for each by itself.
    async fn correct_old(&mut self, asking: &RequestId) {
        let known = self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Known(known) if known.is_old => Some(known),
            _ => None,
        });
        let old: Vec<_> = known.collect();
        if old.is_empty() {
            return;
        }
        let keys: Vec<_> = old.iter().map(|known| known.key.clone()).collect();
        let rows = self.intake.committer.rows_of(&keys).await;
        for known in old {
            if let Some(row) = rows.get(&known.key) {
                known.ticket = self.intake.correct(&known.key, &known.ticket, row, asking);
            }
        }
    }

    /// Returns once the payment is durable, or it is known that it cannot be accepted. `None` if its id belonged to other
    /// content that never became a payment: it is free now.
    pub async fn outcome(&self, number: usize) -> Option<Result<Accepted, NotAccepted>> {
        match &self.entries[number] {
            Entry::New(queued) => Some(queued.accepted().await),
            Entry::Known(known) => self.intake.tell(&known.ticket, known.content_hash).await,
            Entry::NotQueued(reason) => Some(Err(*reason)),
        }
    }
}
