//! The pipeline as its clients see it: the external load balancer.
//!
//! Whoever answers there may be another: a captive portal, a redirect to a page, a proxy. So nothing is followed, and an
//! answer counts only by what it says of the payment that was asked about.

use std::time::Duration;

use payment_core::PaymentId;
use program::Env;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Longer than the load balancer's own deadline, so that its answer is seen.
const CALL_TIME_MAX: Duration = Duration::from_secs(15);

const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// Tries of a payment under one id.
const TRIES_MAX: u32 = 4;

/// The first pause; it doubles with each try.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub struct Alb {
    url: Url,
    client: Client,
}

/// An answer of the pipeline takes a few hundred bytes, and a stranger's may not end.
const BODY_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
}

/// What the last try brought.
#[derive(Debug)]
pub struct Sent {
    pub answer: Result<Answer, NoAnswer>,
    /// An earlier try may have been taken, whatever is said to this one.
    pub unsure: bool,
}

/// What became of a payment, as `GET /pay/{id}` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Accepted,
    Recorded,
    Conflict,
    Rejected,
}

#[derive(Debug, Serialize, clap::Args)]
pub struct Payment {
    /// The id, under which it can be repeated [default: a new one]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the payment is
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    /// Exact, such as 100.00
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// ISO 4217 letters [default: USD where there is an amount]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Who pays
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_name: Option<String>,
    /// processed or failed [default: processed]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error("no answer from the load balancer at ALB_URL")]
pub struct NoAnswer(#[from] reqwest::Error);

/// The load balancer's address, where there is one.
pub fn optional(env: &mut Env) -> Option<Url> {
    let url: Url = env.optional("ALB_URL")?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if url.scheme() != "http" || !url.has_host() || !is_bare {
        env.mistake("ALB_URL must be http://HOST:PORT without a path");
    }
    Some(url)
}

pub fn required(env: &mut Env) -> Option<Url> {
    let _: String = env.required("ALB_URL")?;
    optional(env)
}

impl Alb {
    pub fn new(url: Url) -> Result<Self, NoAnswer> {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(CALL_TIME_MAX)
            .build()?;
        Ok(Self { url, client })
    }

    pub async fn status(&self, id: &PaymentId) -> Result<Answer, NoAnswer> {
        let request = self.client.get(self.at(&format!("/pay/{id}")));
        answer(request).await
    }

    /// Sends the payment, which has an id: again, while no answer comes or the server is at fault.
    pub async fn pay(&self, payment: &Payment) -> Sent {
        let mut tries = 1;
        loop {
            let request = self.client.post(self.at("/pay")).json(payment);
            let answer = answer(request).await;
            let is_settled = answer
                .as_ref()
                .is_ok_and(|answer| !answer.status.is_server_error());
            if is_settled || tries >= TRIES_MAX {
                let unsure = tries > 1;
                return Sent { answer, unsure };
            }
            sleep(PAUSE * 2_u32.pow(tries - 1)).await;
            tries += 1;
        }
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

impl Answer {
    /// Whether it is a receipt for this payment.
    pub fn is_receipt_of(&self, id: &str) -> bool {
        #[derive(Deserialize)]
        struct Receipt {
            id: String,
            status: String,
        }
        let is_yes = matches!(self.status, StatusCode::OK | StatusCode::ACCEPTED);
        let receipt = serde_json::from_str::<Receipt>(&self.body);
        is_yes && receipt.is_ok_and(|receipt| receipt.id == id && receipt.status == "accepted")
    }

    /// What it says of this payment, where it says anything.
    pub fn state_of(&self, id: &str) -> Option<State> {
        #[derive(Deserialize)]
        struct Known {
            id: String,
            state: State,
        }
        let known = serde_json::from_str::<Known>(&self.body).ok()?;
        (self.status == StatusCode::OK && known.id == id).then_some(known.state)
    }

    /// Whether it is the pipeline's own no (RFC 9457, with a code of this system).
    pub fn is_refusal(&self) -> bool {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "what matters is that they are there")]
        struct Problem {
            status: u16,
            code: String,
            request_id: String,
        }
        let problem = serde_json::from_str::<Problem>(&self.body);
        self.status.is_client_error()
            && problem.is_ok_and(|problem| problem.status == self.status.as_u16())
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while body.len() < BODY_BYTES_MAX
        && let Some(chunk) = response
            .chunk()
            .await
            .map_err(reqwest::Error::without_url)?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
