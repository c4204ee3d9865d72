//! A well-behaved client: it repeats a payment under its id until it has an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use verdict::{Answer, Attempt};

use super::{history::History, payments::Payment};

/// Attempts at one payment. A person would go on; here the run has to end.
const ATTEMPTS: u32 = 6;

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    history: History,
}

/// The answer to a payment.
#[derive(Deserialize)]
struct Receipt {
    id: String,
    received_at: String,
    request_id: String,
}

impl Client {
    pub fn new(http: reqwest::Client, url: String, history: History) -> Self {
        Self { http, url, history }
    }

    /// Posts until the payment is accepted or refused. A payment without an id is not safe to repeat.
    pub async fn pay(&self, payment: Payment) {
        for attempt in 1..=ATTEMPTS {
            let answer = self.post(&payment).await;
            let is_open = matches!(answer, Answer::Failed { .. } | Answer::NoAnswer);
            if !is_open || payment.id.is_none() {
                return;
            }
            sleep(PAUSE * attempt).await;
        }
    }

    /// Posts, and hangs up after a while.
    pub async fn hang_up(&self, payment: &Payment, after: Duration) {
        let sent_ms = now_ms();
        let in_time = timeout(after, self.send(payment)).await;
        let (id, answer) = in_time.unwrap_or((None, Answer::NoAnswer));
        self.note(payment, id, sent_ms, answer);
    }

    async fn post(&self, payment: &Payment) -> Answer {
        let sent_ms = now_ms();
        let (id, answer) = self.send(payment).await;
        self.note(payment, id, sent_ms, answer.clone());
        answer
    }

    /// Returns the answer, and the id if the server made one.
    async fn send(&self, payment: &Payment) -> (Option<String>, Answer) {
        let mut request = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .body(payment.body.clone());
        if let Some(id) = payment.id.as_deref().filter(|_| payment.by_header) {
            request = request.header("idempotency-key", id);
        }
        let Ok(response) = request.send().await else {
            return (None, Answer::NoAnswer);
        };
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        match status {
            200 | 202 => match response.json::<Receipt>().await {
                Ok(receipt) => {
                    let accepted = Answer::Accepted {
                        replayed,
                        received_at: receipt.received_at,
                        request_id: receipt.request_id,
                    };
                    (Some(receipt.id), accepted)
                }
                // A 2xx whose body cannot be parsed counts as no answer.
                Err(_) => (None, Answer::NoAnswer),
            },
            409 => (None, Answer::Conflict),
            400..500 => (None, Answer::Refused { status }),
            _ => (None, Answer::Failed { status }),
        }
    }

    fn note(&self, payment: &Payment, made: Option<String>, sent_ms: u64, answer: Answer) {
        let answered = !matches!(answer, Answer::NoAnswer);
        self.history.add(&Attempt {
            id: payment.id.clone().or(made).unwrap_or_default(),
            content: payment.content.clone(),
            sent_ms,
            answered_ms: answered.then(now_ms),
            answer,
        });
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
