//! What is around all routes: request id, access log, error bodies, deadline, load shedding, panic catch.
//!
//! It is one layer, not one each: axum boxes the future of every layer for every request.

use std::any::Any;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::FutureExt as _;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use hyper::body::Body as _;
use payment_core::record::TraceParent;
use payment_core::{ClientName, ErrorCode, PaymentId, RequestId};

use super::Refusal;
use super::answers::Answers;
use super::exchange::Exchange;
use super::slots::{Slots, StatusQueries};
use crate::metrics::Metrics;
use crate::server::Drain;
use crate::spans::Spans;

/// Read from the request if it is well formed, and always on the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Paths that load balancers ask every few seconds: logged at debug alone, and never shed.
pub(crate) const HEALTH: &str = "/health";

/// What follows a request: in handlers as an extension. A clone is the same one.
#[derive(Debug, Clone)]
pub struct RequestContext(Arc<Followed>);

#[derive(Debug)]
pub struct Followed {
    pub request_id: RequestId,
    /// The client's, or one made here; with spans on, that of this tier's own span.
    pub traceparent: TraceParent,
    client: OnceLock<ClientName>,
}

impl Deref for RequestContext {
    type Target = Followed;

    fn deref(&self) -> &Followed {
        &self.0
    }
}

impl RequestContext {
    pub(super) fn new(request_id: RequestId, traceparent: TraceParent) -> Self {
        Self(Arc::new(Followed {
            request_id,
            traceparent,
            client: OnceLock::new(),
        }))
    }

    /// Has the client in the access log, whatever becomes of the request. The first call counts.
    pub fn name_client(&self, client: &ClientName) {
        if !client.is_empty() {
            let _ = self.client.set(client.clone());
        }
    }

    /// The client that was named, if any.
    pub fn client(&self) -> Option<&ClientName> {
        self.client.get()
    }
}

/// Put on an answer to have the id in the access log.
#[derive(Debug, Clone)]
pub struct LoggedPayment(pub PaymentId);

/// What is around all routes. Routers that share it share its limits.
#[derive(Debug, Clone)]
pub struct Around(Arc<Shared>);

/// Put on the answer to a batch to have its payments in the access log.
#[derive(Debug, Clone, Copy)]
pub struct LoggedBatch {
    pub payments: u32,
    /// Those that are durable, whether by this request or an earlier one.
    pub accepted: u32,
}

/// What every request needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) layers: Layers,
    slots: Arc<Slots>,
    pub(super) answers: Answers,
}

/// Settings of the layers.
#[derive(Debug, Clone)]
pub struct Layers {
    pub drain: Drain,
    /// Time from the head of the request to the head of the answer.
    pub deadline: Duration,
    /// What a client is told when the deadline passed.
    pub late: ErrorCode,
    pub spans: Spans,
    /// Requests at work at one time; more are refused at once. One whose body is on its way is not at work.
    pub requests_max: usize,
    /// These have a limit of their own, and take nothing of the other.
    pub status_queries: StatusQueries,
}

impl Around {
    /// Puts all layers around `routes`, with `/health` and answers for unknown paths and methods.
    pub fn wrap(&self, routes: Router) -> Router {
        let drain = self.0.layers.drain.clone();
        routes
            .route(HEALTH, get(async move || health(&drain)))
            .fallback(|| async {
                Refusal::new(
                    ErrorCode::NotFound,
                    "see the manual for the paths of this server",
                )
            })
            .method_not_allowed_fallback(|| async {
                Refusal::new(
                    ErrorCode::MethodNotAllowed,
                    "see the manual for the methods of this path",
                )
            })
            .layer(from_fn_with_state(Arc::clone(&self.0), observe))
    }
}

impl Layers {
    /// Shows the requests at work and what was answered.
    pub fn register(self, metrics: &mut Metrics) -> Around {
        let slots = Arc::new(Slots::new(self.requests_max, self.status_queries));
        let answers = Answers::register(metrics);
        let at_work = Arc::clone(&slots);
        metrics.show("http_requests_in_flight", "Requests at work.", move || {
            at_work.in_use()
        });
        Around(Arc::new(Shared {
            layers: self,
            slots,
            answers,
        }))
    }

    /// The handler's answer, or what is said in its place.
    async fn answer(&self, slots: &Slots, mut request: Request, next: Next) -> Response {
        let slot = slots.take(request.extensions().get());
        match &slot {
            Err(full) if request.uri().path() != HEALTH => return full.clone().into_response(),
            Ok(slot) if !request.body().is_end_stream() => {
                request.extensions_mut().insert(slot.clone());
            }
            _ => {}
        }
        let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(self.deadline, handled).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => after_panic(&*panic).into_response(),
            Err(_) => Refusal::late(self.late).into_response(),
        }
    }
}

/// Touches nothing behind: an outage there must not take every target out at once.
fn health(drain: &Drain) -> Result<&'static str, Refusal> {
    if drain.is_draining() {
        return Err(Refusal::new(
            ErrorCode::Draining,
            "this server is about to stop",
        ));
    }
    Ok("OK")
}

async fn observe(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let Shared { layers, slots, .. } = &*shared;
    let mut exchange = Exchange::begin(Arc::clone(&shared), &request);
    let context = exchange.context.clone();
    request.extensions_mut().insert(context.clone());

    let mut response = layers.answer(slots, request, next).await;
    let refusal = response.extensions_mut().remove::<Refusal>();
    let refusal = refusal.or_else(|| Refusal::in_place_of(&response));
    if let Some(refusal) = &refusal {
        refusal.render(context.request_id.as_str(), &mut response);
    }
    if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if layers.drain.is_draining() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    exchange.end(&response, refusal);
    response
}

fn after_panic(panic: &(dyn Any + Send)) -> Refusal {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Refusal::new(ErrorCode::Internal, "send it again under the same id")
        .because(format!("a handler panicked: {}", text.unwrap_or_default()))
}
