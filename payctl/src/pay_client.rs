//! The pipeline as its clients see it: the external load balancer.
//!
//! Whoever answers there may be another: a captive portal, a redirect to a page, a proxy. So nothing is followed, and an
//! answer counts only by what it says of the payment that was asked about.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header, request};
use http_body_util::Full;
use payment_core::{PaymentId, PaymentState, batch};
use program::{Env, chain};
use serde::{Deserialize, Serialize};
use tls::Roots;
use tokio::time::sleep;
use url::Url;

use crate::credential::{Credential, CredentialArgs};
pub use crate::http_client::Answer;
use crate::http_client::{CallError, HttpClient};
use crate::outcome::Failure;

/// Longer than the load balancer's own deadline, so that its answer is seen.
const CALL_TIME_MAX: Duration = Duration::from_secs(15);

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Tries of a payment under one id.
pub const TRIES_MAX: u32 = 4;

/// The first pause; it doubles with each try.
const PAUSE: Duration = Duration::from_millis(250);

/// The pause after so many tries.
pub fn pause(tries: u32) -> Duration {
    PAUSE * 2_u32.pow(tries - 1)
}

#[derive(Debug)]
pub struct PayClient {
    url: Url,
    credential: Option<Credential>,
    client: HttpClient,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Trust {
    /// File of CA certificates in PEM form that the load balancer's certificate is verified against
    /// [default: the system's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// How a command reaches the load balancer: whom it trusts, and which client it is.
#[derive(Debug, Clone, clap::Args)]
pub struct AlbArgs {
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    credential: CredentialArgs,
}

/// URL of the load balancer, and the CAs that it is verified against.
#[derive(Debug, Clone)]
pub struct Address {
    pub url: Url,
    pub roots: Roots,
}

/// What the last try brought.
#[derive(Debug)]
pub struct Sent {
    pub answer: Result<Answer, NoAnswer>,
    /// An earlier try may have been taken, whatever is said to this one.
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
    /// ISO 4217 currency code [default: USD if there is an amount]
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
pub struct NoAnswer(#[from] CallError);

impl NoAnswer {
    /// Whether another try may bring one.
    pub fn is_passing(&self) -> bool {
        !matches!(self.0, CallError::Untrusted(_) | CallError::Tls(_))
    }
}

impl AlbArgs {
    /// Connects to the load balancer, which must be named.
    pub fn connect(self, mut env: Env) -> Result<PayClient, Failure> {
        let _: Option<String> = env.required("ALB_URL");
        let alb = self.optional(&mut env);
        let (address, credential) = env.finish(|| alb).map_err(Failure::config)?;
        Ok(PayClient::new(address, credential)?)
    }

    /// The load balancer, if one is named, and the credential for it.
    pub fn optional(self, env: &mut Env) -> Option<(Address, Option<Credential>)> {
        let address = optional(env, self.trust);
        let credential = Credential::new(self.credential, env);
        Some((address?, credential))
    }
}

/// The load balancer's address, if there is one.
pub fn optional(env: &mut Env, trust: Trust) -> Option<Address> {
    let url: Option<Url> = env.optional("ALB_URL");
    let by_environment = env.optional("ALB_CA_FILE");
    let url = url?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_bare {
        env.mistake("ALB_URL must be http://HOST:PORT or https://HOST:PORT, without a path");
    }
    let Some(path) = trust.ca_file.or(by_environment) else {
        let roots = Roots::of_the_system();
        return Some(Address { url, roots });
    };
    match Roots::of_file(&path) {
        Ok(roots) => Some(Address { url, roots }),
        Err(error) => {
            env.mistake(format!("the CA file {}: {}", path.display(), chain(&error)));
            None
        }
    }
}

impl PayClient {
    /// As a client with this credential, or as nobody.
    pub fn new(address: Address, credential: Option<Credential>) -> Result<Self, NoAnswer> {
        Ok(Self {
            url: address.url,
            credential,
            client: HttpClient::new(&address.roots, CALL_TIME_MAX)?,
        })
    }

    pub async fn status(&self, id: &PaymentId) -> Result<Answer, NoAnswer> {
        let request = Request::get(self.at(&format!("/pay/{id}")));
        self.answer(request, Bytes::new()).await
    }

    /// Sends the payment, which has an id: again, while no answer comes or the server is at fault.
    pub async fn pay(&self, payment: &Payment) -> Sent {
        // Strings alone: that can't fail.
        let body = Bytes::from(serde_json::to_vec(payment).unwrap_or_default());
        let mut tries = 1;
        loop {
            let request = Request::post(self.at("/pay"));
            let mut request = request.header(header::CONTENT_TYPE, "application/json");
            // A signature covers the id by its header.
            if let (Some(id), Some(true)) =
                (&payment.id, self.credential.as_ref().map(Credential::signs))
            {
                request = request.header(IDEMPOTENCY_KEY, id);
            }
            let answer = self.answer(request, body.clone()).await;
            let is_settled = match &answer {
                Ok(answer) => !answer.status.is_server_error(),
                Err(error) => !error.is_passing(),
            };
            if is_settled || tries >= TRIES_MAX {
                let unsure = tries > 1;
                return Sent { answer, unsure };
            }
            sleep(pause(tries)).await;
            tries += 1;
        }
    }

    /// Sends a batch once.
    pub async fn pay_batch(&self, lines: Bytes) -> Result<Answer, NoAnswer> {
        let request = Request::post(self.at("/pay"));
        let request = request.header(header::CONTENT_TYPE, batch::MEDIA_TYPE);
        self.answer(request, lines).await
    }

    async fn answer(&self, request: request::Builder, body: Bytes) -> Result<Answer, NoAnswer> {
        let request = request.body(Full::new(body.clone()));
        let mut request = request.map_err(CallError::Request)?;
        if let Some(credential) = &self.credential {
            credential.add_to(&mut request, &body);
        }
        Ok(self.client.call(request).await?)
    }

    fn at(&self, path: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(path);
        url.into()
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
        let is_accepted = matches!(self.status, StatusCode::OK | StatusCode::ACCEPTED);
        let receipt = serde_json::from_str::<Receipt>(&self.body);
        is_accepted && receipt.is_ok_and(|receipt| receipt.id == id && receipt.status == "accepted")
    }

    /// What it says of this payment, if anything.
    pub fn state_of(&self, id: &str) -> Option<PaymentState> {
        #[derive(Deserialize)]
        struct Known {
            id: String,
            state: PaymentState,
        }
        let known = serde_json::from_str::<Known>(&self.body).ok()?;
        (self.status == StatusCode::OK && known.id == id).then_some(known.state)
    }

    /// Whether the pipeline says that it knows no such payment.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.is_refusal()
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
