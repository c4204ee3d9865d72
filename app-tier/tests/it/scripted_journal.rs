//! A log whose answers the test decides, for orders of events that a real server can't be brought to show.

use std::sync::{Arc, Mutex};

use app_tier::intake::Submission;
use app_tier::journal::{Journal, JournalError, Put};
use app_tier::records::{Holders, Records};
use async_trait::async_trait;
use bytes::Bytes;
use payment_core::chain::Header;
use payment_core::object::{read_header, read_object};
use payment_core::{ObjectKey, PaymentKey, Timestamp};
use payment_store::Holder;
use tokio::sync::{mpsc, oneshot};

/// A PUT that waits for the test's answer.
pub struct Asked {
    pub key: ObjectKey,
    pub body: Bytes,
    answer: oneshot::Sender<Result<Put, JournalError>>,
}

impl Asked {
    /// Payments in the object.
    pub fn lines(&self) -> usize {
        read_object(&self.key, &self.body, Timestamp::EPOCH).count()
    }

    pub fn header(&self) -> Option<Header> {
        read_header(&self.key, &self.body)
    }

    /// The same object, with nobody waiting for an answer.
    pub fn copy(&self) -> Self {
        Self {
            key: self.key.clone(),
            body: self.body.clone(),
            answer: oneshot::channel().0,
        }
    }

    pub fn confirm(self) {
        let _ = self.answer.send(Ok(Put::Stored));
    }

    pub fn taken(self) {
        let _ = self.answer.send(Ok(Put::AlreadyThere));
    }

    pub fn fail(self) {
        let _ = self.answer.send(Err(JournalError::new(
            "PUT",
            "the test said so".to_owned(),
            false,
        )));
    }
}

pub struct ScriptedJournal {
    asked: mpsc::UnboundedSender<Asked>,
    /// What a GET finds.
    pub stored: Arc<Mutex<Bytes>>,
}

impl ScriptedJournal {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let (asked, receiver) = mpsc::unbounded_channel();
        (
            Self {
                asked,
                stored: Arc::default(),
            },
            receiver,
        )
    }
}

/// Rows that the test puts there.
#[derive(Clone, Debug, Default)]
pub struct Rows(pub Arc<Mutex<Holders>>);

impl Rows {
    /// Makes a payment that some node accepted a row.
    pub fn record(&self, accepted: &Submission) {
        let holder = Holder {
            content_hash: accepted.payment.content_hash(),
            received_at: accepted.receipt.received_at,
            request_id: Some(accepted.receipt.request_id.clone()),
        };
        let key = accepted.payment.key().clone();
        self.0.lock().unwrap().insert(key, holder);
    }
}

#[async_trait]
impl Records for Rows {
    async fn holders(&self, payments: &[PaymentKey]) -> Holders {
        let rows = self.0.lock().unwrap();
        let known = payments
            .iter()
            .filter_map(|payment| Some((payment.clone(), rows.get(payment)?.clone())));
        known.collect()
    }
}

/// A database that never answers.
#[derive(Debug)]
pub struct SilentRows;

#[async_trait]
impl Records for SilentRows {
    async fn holders(&self, _: &[PaymentKey]) -> Holders {
        std::future::pending().await
    }
}

impl Journal for ScriptedJournal {
    async fn put(&self, key: &ObjectKey, body: Bytes) -> Result<Put, JournalError> {
        let (answer, answered) = oneshot::channel();
        self.asked
            .send(Asked {
                key: key.clone(),
                body,
                answer,
            })
            .unwrap();
        answered.await.unwrap()
    }

    async fn get(&self, _: &ObjectKey) -> Result<Bytes, JournalError> {
        Ok(self.stored.lock().unwrap().clone())
    }
}
