//! The pipeline as its clients see it: the external load balancer.

use std::time::Duration;

use payment_core::PaymentId;
use reqwest::{Client, StatusCode, Url};
use serde::Serialize;
use tier_kit::Env;
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

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
    /// An earlier try had no answer, and may have been taken, whatever is said to this one.
    pub unsure: bool,
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
    pub async fn pay(&self, payment: &Payment) -> Result<Answer, NoAnswer> {
        let mut tries = 1;
        loop {
            let request = self.client.post(self.at("/pay")).json(payment);
            match answer(request).await {
                Ok(answer) if !answer.status.is_server_error() => {
                    let unsure = tries > 1;
                    return Ok(Answer { unsure, ..answer });
                }
                last if tries >= TRIES_MAX => return last,
                _ => sleep(PAUSE * 2_u32.pow(tries - 1)).await,
            }
            tries += 1;
        }
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    Ok(Answer {
        status: response.status(),
        body: response.text().await.map_err(reqwest::Error::without_url)?,
        unsure: false,
    })
}
