//! A well-behaved client: it repeats a payment under its id until it has an answer.

mod batch;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{
    HeaderMap, HeaderValue, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName},
};
use lab_runner::{
    http::Client as HttpClient,
    known_client::{self, KnownClient},
    secret::Secret,
};
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use verdict::{Answer, Attempt};

use super::{history::History, payments::Payment};

/// Attempts at one payment. A person would go on; here the run has to end.
const ATTEMPTS: u32 = 6;

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub struct Client {
    http: HttpClient,
    url: String,
    /// The value of Authorization, by client; empty with open intake.
    credentials: Arc<HashMap<String, HeaderValue>>,
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
    pub fn new(http: HttpClient, url: String, known: &[KnownClient], history: History) -> Self {
        let credential = |client: &KnownClient| Some((client.name.clone(), bearer(&client.key)?));
        Self {
            http,
            url,
            credentials: Arc::new(known.iter().filter_map(credential).collect()),
            history,
        }
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
        let in_time = timeout(after, self.send(payment, self.credential(payment))).await;
        let (id, answer) = in_time.unwrap_or((None, Answer::NoAnswer));
        self.note(Some(&payment.client), payment, id, sent_ms, answer);
    }

    /// Posts once without a key, and once with one that nobody has.
    pub async fn intrude(&self, payment: &Payment) {
        let wrong = Secret::new(format!("pk_{}", "0".repeat(64)));
        for credential in [None, bearer(&wrong)] {
            let sent_ms = now_ms();
            let (id, answer) = self.send(payment, credential.as_ref()).await;
            self.note(None, payment, id, sent_ms, answer);
        }
    }

    async fn post(&self, payment: &Payment) -> Answer {
        let sent_ms = now_ms();
        let (id, answer) = self.send(payment, self.credential(payment)).await;
        self.note(Some(&payment.client), payment, id, sent_ms, answer.clone());
        answer
    }

    fn credential(&self, payment: &Payment) -> Option<&HeaderValue> {
        self.credentials.get(&payment.client)
    }

    /// Returns the answer, and the id if the server made one.
    async fn send(
        &self,
        payment: &Payment,
        credential: Option<&HeaderValue>,
    ) -> (Option<String>, Answer) {
        let mut request = Request::new(payment.body.clone().into());
        *request.method_mut() = http::Method::POST;
        let Ok(uri) = self.url.parse() else {
            return (None, Answer::NoAnswer);
        };
        *request.uri_mut() = uri;
        *request.headers_mut() = headers(payment, credential);
        let Ok(answer) = self.http.call(request).await else {
            return (None, Answer::NoAnswer);
        };
        let status = answer.status.as_u16();
        let replayed = answer.headers.contains_key("idempotent-replayed");
        match status {
            200 | 202 => match serde_json::from_str::<Receipt>(&answer.body) {
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

    /// `client` is `None` if no valid credential was sent.
    fn note(
        &self,
        client: Option<&String>,
        payment: &Payment,
        made: Option<String>,
        sent_ms: u64,
        answer: Answer,
    ) {
        let answered = !matches!(answer, Answer::NoAnswer);
        self.history.add(&Attempt {
            client: client.cloned(),
            id: payment.id.clone().or(made).unwrap_or_default(),
            content: payment.content.clone(),
            sent_ms,
            answered_ms: answered.then(now_ms),
            answer,
        });
    }
}

fn headers(payment: &Payment, credential: Option<&HeaderValue>) -> HeaderMap {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let json = HeaderValue::from_static("application/json");
    let id = payment.id.as_deref().filter(|_| payment.by_header);
    let id = id.and_then(|id| HeaderValue::from_str(id).ok());
    let all = [
        (CONTENT_TYPE, Some(json)),
        (IDEMPOTENCY_KEY, id),
        (AUTHORIZATION, credential.cloned()),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn bearer(key: &Secret) -> Option<HeaderValue> {
    HeaderValue::from_str(&known_client::authorization(key)).ok()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
