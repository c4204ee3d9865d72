//! The app tier, as the web tier sees it: each core has connections of its own to the internal load
//! balancer.
//!
//! Headers go through by an allow-list in both directions. A POST is sent a second time only where nothing of it
//! was sent, or where the payment has an id, which makes a repeat safe (promise P4), as each payment of a batch must.
//! What is then said to the repeat is passed on only where it is true of both.

mod addresses;
mod answer;
mod batch_answer;
mod link;
mod pool;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use http_service::http::{
    AT_ONCE, CLIENT, IDEMPOTENCY_KEY, REQUEST_ID, Refusal, RequestContext, TRACEPARENT,
};
use http_service::metrics::{Histogram, Metrics, SECONDS};
use payment_core::{PaymentId, batch};
use program::chain;
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;

use self::addresses::Addresses;
pub use self::addresses::{HostPort, Resolve};
pub use self::answer::IDEMPOTENT_REPLAYED;
use self::answer::{Answer, broken, unreachable};
pub use self::batch_answer::BatchAnswer;
use self::link::{CallError, Peer};
use self::pool::Pool;
pub use self::tls::{CA_FILE, Tls};
use crate::config;

const JSON: &str = "application/json";

/// A health check is answered without any work.
const HEALTH: Duration = Duration::from_secs(2);

/// What the cores have in common: where the app tier is, and what was counted.
#[derive(Debug, Clone)]
pub struct AppTier {
    peer: Arc<Peer>,
    /// `Host` header of every request.
    host: HeaderValue,
    counters: Counters,
}

/// One core's connections to the app tier.
#[derive(Debug)]
pub struct Upstream {
    app_tier: AppTier,
    pool: Pool,
}

#[derive(Debug, Clone)]
struct Counters {
    took: Histogram,
    failures: Counter,
    repeats: Counter,
}

/// One request to the app tier. Its headers are made as it is sent: a second time is rare.
struct Call<'a> {
    method: Method,
    uri: Uri,
    /// None where nobody asked: a health check.
    context: Option<&'a RequestContext>,
    /// The name of the client, whose credential was checked.
    client: Option<&'a HeaderValue>,
    /// The client's header Idempotency-Key.
    key: Option<&'a HeaderValue>,
    media_type: &'static str,
    body: &'a Bytes,
}

impl AppTier {
    pub fn new(config: &config::AppTier, resolver: impl Resolve) -> Self {
        let config::AppTier { origin, tls } = config;
        let peer = Peer {
            addresses: Addresses::new(resolver),
            tls: tls.clone(),
        };
        Self {
            peer: Arc::new(peer),
            host: origin.host(),
            counters: Counters {
                took: Histogram::new(SECONDS),
                failures: Counter::default(),
                repeats: Counter::default(),
            },
        }
    }

    /// Shows duration, failures and repeats of calls.
    pub fn register(&self, metrics: &mut Metrics) {
        let Counters {
            took,
            failures,
            repeats,
        } = &self.counters;
        let help = "Answers of the app tier, from the first byte sent to the last received.";
        metrics.spread("upstream_duration_seconds", help, took);
        let help = "Requests to the app tier that got no answer.";
        metrics.count("upstream_failures", help, failures);
        let help = "Requests to the app tier that were sent a second time.";
        metrics.count("upstream_repeats", help, repeats);
    }

    /// Connections of their own for the core that calls this.
    pub fn connect(&self) -> Upstream {
        Upstream {
            pool: Pool::new(Arc::clone(&self.peer)),
            app_tier: self.clone(),
        }
    }
}

impl Upstream {
    /// Whether an app tier answers, through the load balancer.
    pub(crate) async fn health(&self) -> Result<(), String> {
        let call = Call {
            method: Method::GET,
            uri: Uri::from_static("/health"),
            context: None,
            client: None,
            key: None,
            media_type: JSON,
            body: &Bytes::new(),
        };
        match tokio::time::timeout(HEALTH, self.send(&call)).await {
            Ok(Ok(answer)) if answer.status.is_success() => Ok(()),
            Ok(Ok(answer)) => Err(format!(
                "the app tier's health check says {}",
                answer.status
            )),
            Ok(Err(error)) => Err(format!("the app tier can't be reached: {}", chain(&error))),
            Err(_) => Err("the app tier does not answer".to_owned()),
        }
    }

    /// Hands a payment of this client on; without a name it is one of open intake. `key` is the client's header Idempotency-Key.
    pub async fn process(
        &self,
        context: &RequestContext,
        client: Option<&HeaderValue>,
        key: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<Response, Refusal> {
        let call = Call {
            method: Method::POST,
            uri: Uri::from_static("/process"),
            context: Some(context),
            client,
            key,
            media_type: JSON,
            body,
        };
        let answer = self.forward(&call, || key.is_some() || has_id(body));
        answer.await?.into_response()
    }

    /// Hands a batch of this client on, and tells how many of its payments are durable.
    pub async fn process_batch(
        &self,
        context: &RequestContext,
        client: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<BatchAnswer, Refusal> {
        let call = Call {
            method: Method::POST,
            uri: Uri::from_static("/process"),
            context: Some(context),
            client,
            key: None,
            media_type: batch::MEDIA_TYPE,
            body,
        };
        // A payment without an id is refused, so that it is safe whatever is in it.
        let answer = self.forward(&call, || true).await?;
        BatchAnswer::read(answer)
    }

    /// What is known of a payment. One that is not known yet is waited for.
    pub async fn status(
        &self,
        context: &RequestContext,
        client: Option<&HeaderValue>,
        id: &PaymentId,
    ) -> Result<Response, Refusal> {
        self.ask(context, client, format!("/process/{id}")).await
    }

    /// What is known of a payment now.
    pub async fn status_now(
        &self,
        context: &RequestContext,
        client: Option<&HeaderValue>,
        id: &PaymentId,
    ) -> Result<Response, Refusal> {
        let path = format!("/process/{id}?{AT_ONCE}");
        self.ask(context, client, path).await
    }

    async fn ask(
        &self,
        context: &RequestContext,
        client: Option<&HeaderValue>,
        path: String,
    ) -> Result<Response, Refusal> {
        // An id's characters are all allowed in a path.
        let uri = Uri::try_from(path).unwrap_or_default();
        let call = Call {
            method: Method::GET,
            uri,
            context: Some(context),
            client,
            key: None,
            media_type: JSON,
            body: &Bytes::new(),
        };
        self.forward(&call, || true).await?.into_response()
    }

    async fn forward(
        &self,
        call: &Call<'_>,
        may_repeat: impl Fn() -> bool,
    ) -> Result<Answer, Refusal> {
        let first = self.send(call).await;
        match first {
            Ok(answer) if answer.status == StatusCode::BAD_GATEWAY && may_repeat() => {
                self.repeat(call).await
            }
            // Nothing of it was sent.
            Err(error) if error.nothing_was_sent() => {
                self.send(call).await.map_err(|e| unreachable(&e))
            }
            Err(error) if may_repeat() => {
                tracing::debug!(error = chain(&error), "sending again");
                self.repeat(call).await
            }
            answer => answer.map_err(|e| unreachable(&e)),
        }
    }

    /// Sends again what may have arrived. A refusal of the repeat is no answer to a payment: the first may have been
    /// taken, and then another node took other content under the same id, to which it holds (promise P6).
    async fn repeat(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        self.app_tier.counters.repeats.inc();
        let mut answer = self.send(call).await.map_err(|e| unreachable(&e))?;
        if call.method == Method::POST && answer.status.is_client_error() {
            return Err(broken(answer.status));
        }
        if call.media_type == batch::MEDIA_TYPE {
            answer.body = batch_answer::doubtful(&answer.body);
        }
        Ok(answer)
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        let began = Instant::now();
        let answer = self.exchange(call).await;
        match &answer {
            Ok(_) => self.app_tier.counters.took.observe_time(began.elapsed()),
            Err(_) => _ = self.app_tier.counters.failures.inc(),
        }
        answer
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.uri.clone();
        *request.headers_mut() = self.headers(call);
        // In a box: a future is moved with all that it may hold, by each one that waits for it.
        let answer = Box::pin(self.pool.call(request)).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    fn headers(&self, call: &Call<'_>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(HOST, self.app_tier.host.clone());
        if let Some(context) = call.context {
            // Both were checked to hold ASCII alone.
            if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
                headers.insert(REQUEST_ID, value);
            }
            if let Ok(value) = HeaderValue::from_str(context.traceparent.as_str()) {
                headers.insert(TRACEPARENT, value);
            }
        }
        if let Some(client) = call.client {
            headers.insert(CLIENT, client.clone());
        }
        if call.method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(call.media_type));
        }
        if let Some(key) = call.key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
        headers
    }
}

/// Whether the body gives an id. Looked at only once a request has failed.
fn has_id(body: &Bytes) -> bool {
    #[derive(Deserialize)]
    struct Id {
        id: Option<String>,
    }
    serde_json::from_slice::<Id>(body).is_ok_and(|body| body.id.is_some())
}
