//! An intake and a committer over a log whose answers are the test's.

use std::sync::Arc;
use std::time::Duration;

use app_tier::committer::{Committer, Layout, Settings};
use app_tier::intake::{Accepted, Intake, NotAccepted, Submission};
use app_tier::records::Records;
use app_tier::ticket::Receipt;
use payment_core::{Draft, PaymentId, RequestId, Timestamp};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::scripted_journal::{Asked, Rows, ScriptedJournal};

pub type Answer = JoinHandle<Result<Accepted, NotAccepted>>;

pub struct Tier {
    pub intake: Arc<Intake>,
    pub committer: Arc<Committer>,
    pub puts: UnboundedReceiver<Asked>,
    pub stored: Arc<std::sync::Mutex<bytes::Bytes>>,
    pub rows: Rows,
    requests: usize,
}

impl Tier {
    pub fn start(layout: Layout, puts_max: usize) -> Self {
        let rows = Rows::default();
        Self {
            rows: rows.clone(),
            ..Self::beside(rows, layout, puts_max)
        }
    }

    /// A tier that asks these records.
    pub fn beside(records: impl Records, layout: Layout, puts_max: usize) -> Self {
        Self::with(
            records,
            Settings {
                prefix: "transactions/".to_owned(),
                layout,
                puts_max,
                linger: Duration::ZERO,
                headers: true,
            },
        )
    }

    pub fn with(records: impl Records, settings: Settings) -> Self {
        let (log, puts) = ScriptedJournal::new();
        let stored = Arc::clone(&log.stored);
        let committer = Arc::new(Committer::start(log, records, settings, || {
            Timestamp::EPOCH
        }));
        let intake = Arc::new(Intake::new(Arc::clone(&committer)));
        Self {
            intake,
            committer,
            puts,
            stored,
            rows: Rows::default(),
            requests: 0,
        }
    }

    /// Posts a payment from a request of its own, and lets it run as far as it can.
    pub async fn post(&mut self, body: &str) -> Answer {
        self.requests += 1;
        self.send(submission(body, self.requests)).await
    }

    /// As [`Tier::post`], by this client.
    pub async fn post_of(&mut self, client: &str, body: &str) -> Answer {
        self.requests += 1;
        let mut submission = submission(body, self.requests);
        submission.payment = submission.payment.of_client(client.parse().unwrap());
        self.send(submission).await
    }

    async fn send(&self, submission: Submission) -> Answer {
        let intake = Arc::clone(&self.intake);
        let answer = tokio::spawn(async move { intake.accept(submission).await });
        tokio::task::yield_now().await;
        answer
    }

    pub async fn put(&mut self) -> Asked {
        self.puts.recv().await.unwrap()
    }
}

pub fn submission(body: &str, request: usize) -> Submission {
    let draft = Draft::parse(body.as_bytes()).unwrap();
    let receipt = Receipt {
        received_at: Timestamp::from_unix_millis(request.try_into().unwrap()).unwrap(),
        request_id: RequestId::parse(&format!("req-{request}")).unwrap(),
    };
    let payment = draft
        .identify(None, || PaymentId::parse("made").unwrap())
        .unwrap();
    Submission {
        payment,
        receipt,
        traceparent: None,
    }
}

pub fn payment(id: impl std::fmt::Display) -> String {
    format!(r#"{{"id":"{id}","amount":1}}"#)
}

pub async fn accepted(answer: Answer) -> Accepted {
    answer.await.unwrap().unwrap()
}

pub async fn refused(answer: Answer) -> NotAccepted {
    answer.await.unwrap().unwrap_err()
}
