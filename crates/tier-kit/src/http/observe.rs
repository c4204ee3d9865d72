//! What is around all routes: request id, access log, error bodies, deadline, load shedding, panic catch.
//!
//! It is one layer, not one each: axum boxes the future of every layer for every request.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::FutureExt as _;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use payment_core::record::TraceParent;
use payment_core::{ErrorCode, PaymentId, RequestId};
use tracing::Level;
use uuid::Uuid;

use super::Refusal;
use super::answers::Answers;
use super::slots::{Slots, StatusQueries};
use crate::access_log;
use crate::metrics::Metrics;
use crate::server::Drain;
use crate::spans::{Span, Spans};

/// Read from the request where it is well formed, and always on the answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Paths that load balancers ask every few seconds: logged at debug alone, and never shed.
pub(crate) const HEALTH: &str = "/health";

/// What follows a request: in handlers as an extension.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub request_id: RequestId,
    /// The client's, or one made here; with spans on, that of this tier's own span.
    pub traceparent: TraceParent,
}

/// Put on an answer to have the id in the access log.
#[derive(Debug, Clone)]
pub struct LoggedPayment(pub PaymentId);

/// Settings of the layers.
#[derive(Debug, Clone)]
pub struct Layers {
    pub drain: Drain,
    /// From the head of the request to the head of the answer.
    pub deadline: Duration,
    /// What a client is told when the deadline passed.
    pub late: ErrorCode,
    pub spans: Spans,
    /// Requests at work at one time; more are refused at once, before their body is read.
    pub requests_max: usize,
    /// These have a limit of their own, and take nothing of the other.
    pub status_queries: StatusQueries,
}

impl Layers {
    /// Puts all layers around `routes`, with `/health` and answers for unknown paths and methods.
    pub fn around(self, routes: Router, metrics: &mut Metrics) -> Router {
        let drain = self.drain.clone();
        let slots = Arc::new(Slots::new(self.requests_max, self.status_queries));
        let answers = Answers::register(metrics);
        let at_work = Arc::clone(&slots);
        metrics.show("http_requests_in_flight", "Requests at work.", move || {
            at_work.in_use()
        });
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
            .layer(from_fn_with_state(
                Arc::new((self, slots, answers)),
                observe,
            ))
    }

    /// The handler's answer, or what is said in its place.
    async fn answer(&self, slots: &Slots, request: Request, next: Next) -> Response {
        let slot = slots.take(request.extensions().get());
        if let Err(refusal) = &slot
            && request.uri().path() != HEALTH
        {
            return refusal.clone().into_response();
        }
        let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(self.deadline, handled).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => after_panic(&*panic).into_response(),
            Err(_) => late(self.late).into_response(),
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

async fn observe(
    State(around): State<Arc<(Layers, Arc<Slots>, Answers)>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (layers, slots, answers) = &*around;
    let started = Instant::now();
    let line = AccessLine::of(&request);
    let (context, span) = RequestContext::of(&request, &layers.spans, &line);
    request.extensions_mut().insert(context.clone());

    let mut response = layers.answer(slots, request, next).await;
    let refusal = response.extensions_mut().remove::<Refusal>();
    if let Some(refusal) = &refusal {
        let plain = refusal.render(context.request_id.as_str());
        let (plain, body) = plain.into_parts();
        response.headers_mut().extend(plain.headers);
        *response.body_mut() = body;
    }
    if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if layers.drain.is_draining() {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let took = started.elapsed();
    if line.route() != HEALTH {
        answers.count(response.status(), refusal.as_ref(), took);
    }
    span.end(response.status(), &context);
    line.write(&context, &response, refusal.as_ref(), took);
    response
}

fn late(code: ErrorCode) -> Refusal {
    Refusal::new(
        code,
        "whether it was done is not known; send it again under the same id",
    )
    .because("the deadline passed")
}

fn after_panic(panic: &(dyn Any + Send)) -> Refusal {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Refusal::new(ErrorCode::Internal, "send it again under the same id")
        .because(format!("a handler panicked: {}", text.unwrap_or_default()))
}

impl RequestContext {
    fn of(request: &Request, spans: &Spans, line: &AccessLine) -> (Self, Span) {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
        };
        let parent = header(TRACEPARENT).and_then(TraceParent::parse);
        let (span, traceparent) = spans.begin(&line.method, line.route(), parent);
        let context = Self {
            request_id: header(REQUEST_ID)
                .and_then(RequestId::parse)
                .unwrap_or_else(|| RequestId::from(Uuid::now_v7())),
            traceparent,
        };
        (context, span)
    }
}

/// One line a request. Neither path nor query stand in it: an id in a path may be anything that a client typed.
struct AccessLine {
    method: http::Method,
    route: Option<MatchedPath>,
}

impl AccessLine {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            route: request.extensions().get().cloned(),
        }
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or("unknown", MatchedPath::as_str)
    }

    fn write(
        &self,
        context: &RequestContext,
        response: &Response,
        refusal: Option<&Refusal>,
        took: Duration,
    ) {
        let route = self.route();
        let status = response.status().as_u16();
        let request_id = context.request_id.as_str();
        let trace_id = context.traceparent.trace_id();
        let payment_id = response
            .extensions()
            .get()
            .map(|LoggedPayment(id)| id.as_str());
        let error_code = refusal.map(|r| r.code.code());
        let error_cause = refusal.and_then(|r| r.cause.as_deref());
        let level = match status {
            _ if route == HEALTH => Level::DEBUG,
            500.. => Level::ERROR,
            _ => Level::INFO,
        };
        if !is_on(level) {
            return;
        }
        access_log::write(level, |line| {
            line.text("request_id", Some(request_id))
                .text("trace_id", Some(trace_id))
                .text("payment_id", payment_id)
                .text("method", Some(self.method.as_str()))
                .text("route", Some(route))
                .number("status", status)
                .text("error_code", error_code)
                .text("error_cause", error_cause)
                .time("duration_ms", took);
        });
    }
}

/// Whether `RUST_LOG` asks for lines of this level.
fn is_on(level: Level) -> bool {
    const TARGET: &str = "access";
    match level {
        Level::DEBUG => tracing::enabled!(target: TARGET, Level::DEBUG),
        Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        _ => tracing::enabled!(target: TARGET, Level::INFO),
    }
}
